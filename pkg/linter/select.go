package linter

import (
	"cmp"
	"path/filepath"
	"slices"

	"github.com/derekg1729/dsnlint/pkg/baseline"
	"github.com/derekg1729/dsnlint/pkg/changes"
	"github.com/derekg1729/dsnlint/pkg/contract"
	"github.com/derekg1729/dsnlint/pkg/internal/source"
	"github.com/derekg1729/dsnlint/pkg/manifest"
	"github.com/derekg1729/dsnlint/pkg/rules"
)

// markKnown marks the findings that the baseline file has, with a policy as that
// revision has it.
func markKnown(policy *revision, name string, findings []rules.Finding) []*manifest.Problem {
	if policy != nil {
		file, known, problem := policy.baseline(name)
		switch {
		case problem != nil:
			return []*manifest.Problem{problem}
		case file != "" && known == nil:
			return []*manifest.Problem{{
				Severity: manifest.Notice,
				Message:  manifest.Say("there is no baseline in %s, so no finding is known", manifest.Name(policy.name)),
			}}
		case file != "":
			known.Mark(findings)
			return nil
		}
	}
	data, err := ReadNamed(name)
	if err != nil {
		return []*manifest.Problem{asProblem(err)}
	}
	known, err := baseline.Read(filepath.ToSlash(name), data)
	if err != nil {
		return []*manifest.Problem{asProblem(err)}
	}
	known.Mark(findings)
	return nil
}

// changedSince keeps the findings that a change bears on: all of them where the
// contract in force changed, or where nothing is known of changes. It adds those on
// what the change weakens of the gate itself.
func changedSince(tree *source.Tree, opts Options, findings []rules.Finding, containers []manifest.Container) ([]rules.Finding, []*manifest.Problem) {
	set, err := changes.Since(tree.Dir(), opts.ChangedSince)
	if err != nil {
		return findings, []*manifest.Problem{asProblem(err)}
	}
	defer func() { _ = set.Close() }()
	base := &revision{name: opts.ChangedSince, tree: tree, read: set.Before}
	gate, problems := weakened(base, set, opts, containers)
	name, _, _ := contractFile(tree, opts) // what is wrong with it has been said
	if opts.PolicyFrom != "" || !set.Changed(cmp.Or(name, contract.FileNames[0])) {
		untouched := func(f rules.Finding) bool { return !set.Touches(&f) }
		findings = slices.DeleteFunc(findings, untouched)
	}
	findings = append(findings, gate...)
	rules.Sort(findings)
	return findings, slices.Concat(problems, set.Problems())
}
