package linter_test

import (
	"strings"
	"testing"

	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// TestSpans checks for every position of every fixture's report that the bytes that it
// covers are those of its lines and columns, counted here for themselves, and that a
// name's are the name.
func TestSpans(t *testing.T) {
	named := map[string]int{}
	for _, dir := range fixtureDirs(t) {
		r := mustRun(t, dir)
		check := func(p manifest.Position) {
			t.Helper()
			data, err := r.Source(p.File)
			if err != nil || p.Column == 0 {
				return // not a place in a file of the tree
			}
			if p.Bytes.IsZero() {
				if p.Line > 1 || p.Column > 1 { // else it may be the empty span at the beginning
					t.Errorf("%s has no bytes", p)
				}
				return
			}
			if start := byteAt(data, p.Line, p.Column); p.Bytes.Start != start {
				t.Errorf("%s begins at byte %d, want %d", p, p.Bytes.Start, start)
			}
			end := p.Bytes.Start
			if p.EndColumn > 0 {
				end = byteAt(data, p.EndLine, p.EndColumn)
			}
			if p.Bytes.End != end {
				t.Errorf("%s ends at byte %d, want %d", p, p.Bytes.End, end)
			}
		}
		for _, p := range r.Problems {
			if !p.Position.Bytes.IsZero() { // what is broken may have lines that nobody can count
				check(p.Position)
			}
		}
		for i := range r.Findings {
			f := &r.Findings[i]
			check(f.Position)
			for _, path := range f.Provenance {
				for _, step := range path {
					check(step.Position)
				}
			}
			if p := f.NamePosition; p != (manifest.Position{}) {
				check(p)
				if data, err := r.Source(p.File); err != nil || string(data[p.Bytes.Start:p.Bytes.End]) != f.Variable {
					t.Errorf("%s is not where %s is written", p, f.Variable)
				}
				named[f.Container.DialectName()]++
			} else if f.Channel == manifest.ChannelEnv && f.Rule.ID == "RUNTIME_DSN_ONLY" {
				named["none in "+f.Container.DialectName()]++
			}
		}
	}
	for _, dialect := range []string{"compose", "kubernetes", "quadlet"} {
		if named[dialect] < 10 {
			t.Errorf("in %s %d names were found where they are written", dialect, named[dialect])
		}
	}
	t.Log(named)
}

// byteAt counts the bytes before a line and column.
func byteAt(data []byte, line, column int) int {
	text := strings.TrimPrefix(string(data), "\ufeff")
	at := len(data) - len(text)
	for range line - 1 {
		_, rest, _ := strings.Cut(text, "\n")
		at, text = at+len(text)-len(rest), rest
	}
	before := string([]rune(text)[:column-1])
	return at + len(before)
}
