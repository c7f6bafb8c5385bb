package linter

import (
	"cmp"
	"context"
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

// changedSince keeps the findings that a change bears on: those that the files of the
// commit do not have, and those whose way leads over a changed line; all of them where
// the contract in force changed, or where nothing is known of changes. It adds those on
// what the change weakens of the gate itself.
func changedSince(ctx context.Context, tree *source.Tree, opts Options, found []rules.Finding, containers []manifest.Container) ([]rules.Finding, []*manifest.Problem) {
	set, err := findings.ChangesSince(tree.Dir(), opts.ChangedSince)
	if err != nil {
		return found, []*manifest.Problem{manifest.AsProblem(err, "")}
	}
	defer func() { _ = set.Close() }()
	base := &revision{name: opts.ChangedSince, tree: tree, read: set.Before}
	gate, problems := weakened(base, set, opts, containers)
	name, _, _ := contractFile(tree, opts) // what is wrong with it has been said
	if opts.PolicyFrom != "" || !set.Changed(cmp.Or(name, contract.FileNames[0])) {
		before, problem := findingsBefore(ctx, tree, opts, set)
		if problem != nil {
			problems = append(problems, problem)
		}
		var kept []rules.Finding
		for i, added := range addedFindings(before, found) {
			if added || set.Touches(&found[i]) {
				kept = append(kept, found[i])
			}
		}
		found = kept
	}
	found = append(found, gate...)
	rules.Sort(found)
	return found, slices.Concat(problems, set.Problems())
}

// maxRestored bounds how often the earlier files are linted: each time they may name
// others that were not looked at before.
const maxRestored = 5

// findingsBefore lints the files as they were. What git does not track is the same on
// both sides, and so is standard input.
func findingsBefore(ctx context.Context, tree *source.Tree, opts Options, set *findings.Changes) ([]rules.Finding, *manifest.Problem) {
	opts.Root, opts.Overlays, opts.ChangedSince, opts.Baseline = tree.Dir(), nil, "", ""
	opts.Paths = slices.DeleteFunc(slices.Clone(opts.Paths), func(path string) bool { return path == "-" })
	if len(opts.Paths) == 0 {
		return nil, nil
	}
	base, err := openTree(opts)
	if err != nil {
		return nil, manifest.AsProblem(err, "")
	}
	defer func() { _ = base.Close() }()
	if err := set.Restore(base); err != nil {
		return nil, manifest.AsProblem(err, "").AsNotice()
	}
	var before []rules.Finding
	known := map[string]bool{}
	names := tree.Asked()
	for round := range maxRestored {
		if !set.RestoreFiles(base, names) && round > 0 {
			break
		}
		r, _, err := run(ctx, base, opts)
		if err != nil {
			return nil, manifest.AsProblem(err, "")
		}
		before = r.Findings
		for _, name := range names {
			known[name] = true
		}
		names = slices.DeleteFunc(base.Asked(), func(name string) bool { return known[name] })
	}
	return before, nil
}

// addedFindings tells of each finding after a change whether there was none like it
// before. A suppressed one does not count: that its comment is gone makes it a new one.
func addedFindings(before, after []rules.Finding) []bool {
	known := map[string]bool{}
	for fingerprint := range fingerprints(before) {
		known[fingerprint] = true
	}
	added := make([]bool, len(after))
	for fingerprint, i := range fingerprints(after) {
		added[i] = !known[fingerprint]
	}
	return added
}

// fingerprints maps those of the findings that are not suppressed to their indices.
func fingerprints(found []rules.Finding) map[string]int {
	var indices []int
	var counting []rules.Finding
	for i := range found {
		if found[i].Suppression == nil {
			indices, counting = append(indices, i), append(counting, found[i])
		}
	}
	prints := map[string]int{}
	for i, fingerprint := range findings.Fingerprints(counting) {
		prints[fingerprint] = indices[i]
	}
	return prints
}
