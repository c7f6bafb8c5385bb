package manifest

import (
	"cmp"
	"fmt"
)

// Position is a place in a file that a person edits.
type Position struct {
	// File is the path relative to the repository's root, with forward slashes.
	File string
	// Line and Column count from 1; zero means unknown. Column counts Unicode
	// code points.
	Line, Column int
	// EndLine and EndColumn are the place just behind the last character, so
	// that an entry on one line has EndColumn - Column characters. Zero means
	// unknown.
	EndLine, EndColumn int
	// Bytes are what the position covers in the file, so that nobody has to convert
	// lines and columns. A loader may leave them out: they are added to what is found
	// in the files that a run reads.
	Bytes Span
}

// Span is a range of bytes, without the one at End. It is unknown where End is zero,
// and empty where only the beginning is known.
type Span struct{ Start, End int }

// IsZero reports whether the span is unknown.
func (s Span) IsZero() bool { return s.End == 0 }

// String gives file:line:column, without the parts that are unknown.
func (p Position) String() string {
	switch {
	case p.Line == 0:
		return p.File
	case p.Column == 0:
		return fmt.Sprintf("%s:%d", p.File, p.Line)
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// IsZero reports whether the position is unknown altogether.
func (p Position) IsZero() bool { return p == Position{} }

// Compare orders positions by file, line and column.
func (p Position) Compare(q Position) int {
	return cmp.Or(
		cmp.Compare(p.File, q.File),
		cmp.Compare(p.Line, q.Line),
		cmp.Compare(p.Column, q.Column),
	)
}

// Step is one link of a provenance: a place, and in a few words what happens
// there.
type Step struct {
	// Position is zero where the step has no file, as with a variable that
	// only the environment of the process knows.
	Position Position
	Text     Text
	// EnvFile is set for a place in an env file, where secrets belong, rather than in a
	// manifest.
	EnvFile bool
	// Omitted counts the steps that this one stands for, where a way is too long
	// to be shown; zero for a step of its own.
	Omitted int
}
