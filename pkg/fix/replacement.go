package fix

import (
	"sort"
	"unicode/utf8"

	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// Replacement is an Edit by lines and columns, as SARIF has it in
// fix.artifactChanges.replacements: Region is its deletedRegion, with columns in
// code points, and Text its insertedContent.
type Replacement struct {
	Region manifest.Position
	Text   string
}

// Replacements returns the edits of one file by lines and columns. Data is the
// file's content.
func Replacements(data []byte, edits []Edit) []Replacement {
	lines := lineStarts(data)
	all := make([]Replacement, len(edits))
	for i, e := range edits {
		r := manifest.Position{File: e.File}
		r.Line, r.Column = lineColumn(data, lines, e.Start)
		r.EndLine, r.EndColumn = lineColumn(data, lines, e.End)
		all[i] = Replacement{Region: r, Text: e.Text}
	}
	return all
}

func lineColumn(data []byte, lines []int, at int) (line, column int) {
	line = sort.SearchInts(lines, at+1)
	if at == len(data) && at > 0 && data[at-1] != '\n' {
		line-- // the end of the data is where a line begins only behind a line's end
	}
	return line, utf8.RuneCount(data[lines[line-1]:at]) + 1
}
