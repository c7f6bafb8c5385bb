package linter

import (
	"context"
	"slices"

	"github.com/derekg1729/dsnlint/pkg/contract"
	"github.com/derekg1729/dsnlint/pkg/fix"
	"github.com/derekg1729/dsnlint/pkg/internal/source"
	"github.com/derekg1729/dsnlint/pkg/manifest"
	"github.com/derekg1729/dsnlint/pkg/report"
	"github.com/derekg1729/dsnlint/pkg/rules"
)

// Fixed is what Fix did: nothing is written yet.
type Fixed struct {
	// Files are the files that change, in order.
	Files []FixedFile
	// Removed counts the entries that go, and Refused are the findings whose entries
	// stay.
	Removed int
	Refused []fix.Refusal
	// Lines shows the lines that change, and those around them, without values.
	Lines report.Lines
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

// Fix removes forbidden entries where that is safe, and lints again until no more can be
// removed. What is not safe is seen by linting the files as they would be: an entry
// stays where there is something new to find without it, since it masked another, and
// where a runtime container would be left without any way to its database.
func Fix(ctx context.Context, opts Options) (*Fixed, error) {
	tree, err := openTree(opts)
	if err != nil {
		return nil, err
	}
	defer func() { _ = tree.Close() }()
	c, _, _ := loadContract(tree, nil, opts) // a run reports what is wrong with it
	kept := map[fix.Entry]manifest.Text{}
	for {
		a, err := attemptFix(ctx, tree, opts, kept)
		if err != nil || len(a.fixed.Files) == 0 {
			return a.fixed, err
		}
		before := len(kept)
		a.keep(c, kept)
		if len(kept) == before {
			removed := map[fix.Entry]bool{}
			for _, f := range a.removed() {
				removed[fix.EntryOf(f)] = true
			}
			a.fixed.Removed = len(removed)
			return a.fixed, nil
		}
		for _, f := range a.fixed.Files {
			tree.Overlay(f.Name, f.Before)
		}
	}
}

// attempt is one way to fix the files, and what is known before and after it.
type attempt struct {
	fixed         *Fixed
	before, after []rules.Finding
	// found are the findings of all rounds in which something is removed.
	found      []rules.Finding
	containers []manifest.Container
}

func attemptFix(ctx context.Context, tree *source.Tree, opts Options, kept map[fix.Entry]manifest.Text) (a attempt, err error) {
	a.fixed = &Fixed{}
	at := map[string]int{}
	for round := range maxRounds {
		var r *report.Report
		if r, a.containers, err = run(ctx, tree, opts); err != nil {
			return attempt{}, err
		}
		if ctx.Err() != nil {
			// What was not reached might have kept an entry from being removed.
			return attempt{fixed: &Fixed{Report: r}}, nil
		}
		a.fixed.Report, a.after = r, r.Findings
		if round == 0 {
			a.before = r.Findings
		}
		fixer := fix.New(r.Findings, a.containers, tree.Read)
		fixer.Keep(kept)
		var edits []fix.Edit
		edits, a.fixed.Refused = fixer.Plan()
		if len(edits) == 0 {
			break
		}
		a.found = append(a.found, r.Findings...)
		a.fixed.Lines.Add(r.Findings, tree.Index)
		for name, group := range byFile(edits) {
			data, err := tree.Read(name)
			if err != nil {
				return attempt{}, err
			}
			if _, ok := at[name]; !ok {
				at[name] = len(a.fixed.Files)
				a.fixed.Files = append(a.fixed.Files, FixedFile{Name: name, Path: tree.Abs(name), Before: data})
			}
			a.fixed.Files[at[name]].After = fix.Apply(data, group)
			tree.Overlay(name, a.fixed.Files[at[name]].After)
		}
	}
	return a, nil
}

// removed are the findings on entries that go.
func (a attempt) removed() []*rules.Finding {
	left := map[fix.Entry]bool{}
	for i := range a.after {
		left[fix.EntryOf(&a.after[i])] = true
	}
	var removed []*rules.Finding
	for i := range a.found {
		if f := &a.found[i]; f.Active() && f.Variable != "" && !left[fix.EntryOf(f)] {
			removed = append(removed, f)
		}
	}
	return removed
}

// keep adds the entries whose removal is not safe.
func (a attempt) keep(c *contract.Contract, kept map[fix.Entry]manifest.Text) {
	removed := a.removed()
	isAdded := addedFindings(a.before, a.after)
	for i := range a.after {
		added := &a.after[i]
		if !isAdded[i] {
			continue
		}
		// Where the container does not tell whose removal it was, each may be it.
		own := slices.DeleteFunc(slices.Clone(removed), func(f *rules.Finding) bool { return f.Container.ID != added.Container.ID })
		if len(own) == 0 {
			own = removed
		}
		for _, f := range own {
			kept[fix.EntryOf(f)] = manifest.Say("without it there is something else to find at %s", manifest.Path(added.Position.String()))
		}
	}
	for i := range a.containers {
		container := &a.containers[i]
		isDatabase := func(d manifest.Delivery) bool { return c.IsDatabaseVariable(d.Name) }
		if c.RoleOf(container) != contract.Runtime || container.MayHoldMore() || slices.ContainsFunc(container.Deliveries, isDatabase) {
			continue
		}
		for _, f := range removed {
			if f.Container.ID == container.ID && f.Container.Project == container.Project {
				kept[fix.EntryOf(f)] = manifest.Say("without it the container has no way to its database; give it %s first", manifest.Name(c.Secrets.AppDSN))
			}
		}
	}
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
