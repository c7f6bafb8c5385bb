package source

import (
	"bytes"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// TextStart returns the place in which the text of a scalar begins. It is ok where the
// file has every line of the text as it is, and all of them in the same column: in a
// literal block, and on one line without escapes. The node's own place is given, since
// what rendered it may have moved it. A nil Index has no texts.
func (x *Index) TextStart(node *yaml.Node, at manifest.Position) (start manifest.Position, ok bool) {
	start = manifest.Position{File: at.File, Line: at.Line, Column: at.Column}
	text := strings.Split(strings.TrimRight(node.Value, "\n"), "\n")
	switch {
	case x == nil || node.Value == "" || start.Line < 1:
		return at, false
	case node.Style&yaml.LiteralStyle != 0:
		start.Line++
		first := start.Line
		for first < x.Height() && len(bytes.TrimSpace(x.line(first))) == 0 {
			first++
		}
		start.Column = 1 + indentation([]string{x.Line(first)}) - indentation(text)
	case len(text) > 1 || strings.HasSuffix(node.Value, "\n"):
		return at, false
	case node.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0:
		start.Column++
	}
	for i, want := range text {
		from, ok := x.Offset(start.Line+i, start.Column)
		if want != "" && (!ok || !bytes.HasPrefix(x.data[from:], []byte(want))) {
			return at, false
		}
	}
	return start, true
}

// indentation is that of the first line that is not blank.
func indentation(lines []string) int {
	for _, line := range lines {
		if trimmed := strings.TrimLeft(line, " "); strings.TrimSpace(trimmed) != "" {
			return len(line) - len(trimmed)
		}
	}
	return 0
}
