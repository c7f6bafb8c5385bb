package source

import (
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// TextStart returns the line and column in which the text of a scalar begins. It is ok
// where the file has every line of the text as it is, and all of them in the same
// column: in a literal block, and on one line without escapes. The node's own place is
// given, since what rendered it may have moved it.
func TextStart(lines []string, node *yaml.Node, line, column int) (startLine, startColumn int, ok bool) {
	text := strings.Split(strings.TrimRight(node.Value, "\n"), "\n")
	switch {
	case node.Value == "":
		return 0, 0, false
	case node.Style&yaml.LiteralStyle != 0:
		line++
		column = 1 + indentation(lines[min(max(0, line-1), len(lines)):]) - indentation(text)
	case len(text) > 1 || strings.HasSuffix(node.Value, "\n"):
		return 0, 0, false
	case node.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0:
		column++
	}
	for i, want := range text {
		at := line - 1 + i
		if at < 0 || at >= len(lines) || !strings.HasPrefix(behind(lines[at], column), want) {
			return 0, 0, false
		}
	}
	return line, column, true
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

// behind returns a line from a column on, counted in code points.
func behind(line string, column int) string {
	for range column - 1 {
		if line == "" {
			return ""
		}
		_, size := utf8.DecodeRuneInString(line)
		line = line[size:]
	}
	return line
}

// Lines returns the lines of a file, without their ends.
func Lines(data []byte) []string {
	return strings.Split(strings.ReplaceAll(string(data), "\r\n", "\n"), "\n")
}
