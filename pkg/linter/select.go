package linter

import (
	"cmp"
	"path/filepath"
	"slices"

	"github.com/derekg1729/dsnlint/pkg/baseline"
	"github.com/derekg1729/dsnlint/pkg/changes"
	"github.com/derekg1729/dsnlint/pkg/contract"
	"github.com/derekg1729/dsnlint/pkg/manifest"
	"github.com/derekg1729/dsnlint/pkg/rules"
	"github.com/derekg1729/dsnlint/pkg/source"
)

// markKnown marks the findings that the baseline file has.
func markKnown(name string, findings []rules.Finding) []*manifest.Problem {
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
// contract itself changed, or where nothing is known of changes.
func changedSince(tree *source.Tree, opts Options, findings []rules.Finding) ([]rules.Finding, []*manifest.Problem) {
	set, err := changes.Since(tree.Dir(), opts.ChangedSince)
	if err != nil {
		return findings, []*manifest.Problem{asProblem(err)}
	}
	defer func() { _ = set.Close() }()
	name, _, _ := contractFile(tree, opts) // what is wrong with it has been said
	if set.Changed(cmp.Or(name, contract.FileNames[0])) {
		return findings, set.Problems()
	}
	untouched := func(f rules.Finding) bool { return !set.Touches(&f) }
	return slices.DeleteFunc(findings, untouched), set.Problems()
}
