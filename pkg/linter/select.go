package linter

import (
	"cmp"
	"path/filepath"
	"slices"

	"github.com/derekg1729/dsnlint/pkg/contract"
	"github.com/derekg1729/dsnlint/pkg/findings"
	"github.com/derekg1729/dsnlint/pkg/internal/source"
	"github.com/derekg1729/dsnlint/pkg/manifest"
	"github.com/derekg1729/dsnlint/pkg/rules"
)

// markKnown marks the findings that the baseline file has, with a policy as that
// revision has it.
func markKnown(policy *revision, name string, found []rules.Finding) []*manifest.Problem {
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
			known.Mark(found)
			return nil
		}
	}
	data, err := ReadNamed(name)
	if err != nil {
		return []*manifest.Problem{manifest.AsProblem(err, "")}
	}
	known, err := findings.ReadBaseline(filepath.ToSlash(name), data)
	if err != nil {
		return []*manifest.Problem{manifest.AsProblem(err, "")}
	}
	known.Mark(found)
	return nil
}

// changedSince keeps the findings that a change bears on: all of them where the
// contract in force changed, or where nothing is known of changes. It adds those on
// what the change weakens of the gate itself.
func changedSince(tree *source.Tree, opts Options, found []rules.Finding, containers []manifest.Container) ([]rules.Finding, []*manifest.Problem) {
	set, err := findings.ChangesSince(tree.Dir(), opts.ChangedSince)
	if err != nil {
		return found, []*manifest.Problem{manifest.AsProblem(err, "")}
	}
	defer func() { _ = set.Close() }()
	base := &revision{name: opts.ChangedSince, tree: tree, read: set.Before}
	gate, problems := weakened(base, set, opts, containers)
	name, _, _ := contractFile(tree, opts) // what is wrong with it has been said
	if opts.PolicyFrom != "" || !set.Changed(cmp.Or(name, contract.FileNames[0])) {
		untouched := func(f rules.Finding) bool { return !set.Touches(&f) }
		found = slices.DeleteFunc(found, untouched)
	}
	found = append(found, gate...)
	rules.Sort(found)
	return found, slices.Concat(problems, set.Problems())
}
