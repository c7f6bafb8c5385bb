package linter

import (
	"context"

	"github.com/derekg1729/dsnlint/pkg/fix"
	"github.com/derekg1729/dsnlint/pkg/report"
	"github.com/derekg1729/dsnlint/pkg/rules"
)

// Fixed is what Fix did: nothing is written yet.
type Fixed struct {
	// Files are the files that change, in order.
	Files []FixedFile
	// Refused are the findings whose entries stay.
	Refused []fix.Refusal
	// Findings are those of all rounds; the lines that change show no names but
	// theirs.
	Findings []rules.Finding
	// Report is on the files as they are after the change.
	Report *report.Report
}

// FixedFile is a file of the tree before and after.
type FixedFile struct {
	Name          string
	Path          string
	Before, After []byte
}

// maxRounds bounds how often files are linted again: an entry that is removed
// may uncover one that it hid, as that of an env file or an overridden file.
const maxRounds = 10

// Fix removes forbidden entries where that is safe, and lints again until no
// more can be removed.
func Fix(ctx context.Context, opts Options) (*Fixed, error) {
	tree, err := openTree(opts)
	if err != nil {
		return nil, err
	}
	defer func() { _ = tree.Close() }()
	fixed := &Fixed{}
	at := map[string]int{}
	for range maxRounds {
		r, containers, err := run(ctx, tree, opts)
		if err != nil {
			return nil, err
		}
		fixed.Report = r
		if ctx.Err() != nil {
			// What was not reached might have kept an entry from being removed.
			return &Fixed{Report: r}, nil
		}
		var edits []fix.Edit
		edits, fixed.Refused = fix.New(r.Findings, containers, tree.Read).Plan()
		if len(edits) == 0 {
			break
		}
		fixed.Findings = append(fixed.Findings, r.Findings...)
		for name, group := range byFile(edits) {
			data, err := tree.Read(name)
			if err != nil {
				return nil, err
			}
			if _, ok := at[name]; !ok {
				at[name] = len(fixed.Files)
				fixed.Files = append(fixed.Files, FixedFile{Name: name, Path: tree.Abs(name), Before: data})
			}
			fixed.Files[at[name]].After = fix.Apply(data, group)
			tree.Overlay(name, fixed.Files[at[name]].After)
		}
	}
	return fixed, nil
}

// byFile yields the edits of each file; they are sorted by file.
func byFile(edits []fix.Edit) func(yield func(string, []fix.Edit) bool) {
	return func(yield func(string, []fix.Edit) bool) {
		for start := 0; start < len(edits); {
			end := start
			for end < len(edits) && edits[end].File == edits[start].File {
				end++
			}
			if !yield(edits[start].File, edits[start:end]) {
				return
			}
			start = end
		}
	}
}
