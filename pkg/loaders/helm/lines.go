package helm

import (
	"path"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"github.com/derekg1729/dsnlint/pkg/internal/source"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// A mark holds the number of a file of templates and that of a line in it between two
// characters of private use, which no template has a reason to hold. Templates are
// rendered a second time with marks: behind the last character of text on each line
// outside of actions, and of each line that an action prints, whatever it takes it from.
// Next to a character that is not a space, a mark changes nothing of what {{- and -}} trim.
// Definitions stay as they are: what they give is often compared, cut or hashed.
const (
	markStart = '\uE0D5'
	markEnd   = '\uE0D6'
)

var marks = regexp.MustCompile(string(markStart) + `(\d+)\.(\d+)` + string(markEnd))

func markOf(file, line int) string {
	return string(markStart) + strconv.Itoa(file) + "." + strconv.Itoa(line) + string(markEnd)
}

// lastCharacters returns the offset behind the last character of each line of a text
// that has more than space.
func lastCharacters(text string) []int {
	var ends []int
	start := 0
	for line := range strings.Lines(text) {
		if trimmed := strings.TrimRightFunc(line, unicode.IsSpace); trimmed != "" {
			ends = append(ends, start+len(trimmed))
		}
		start += len(line)
	}
	return ends
}

// mark marks the lines that an action in a line of a file prints.
func (m *meter) mark(file, line int, v any) any {
	text, ok := v.(string)
	if !ok {
		return v
	}
	mark := markOf(file, line)
	ends := lastCharacters(text)
	if m.texts -= len(ends) * len(mark); m.texts < 0 {
		m.halt(overText)
	}
	var b strings.Builder
	last := 0
	for _, end := range ends {
		b.WriteString(text[last:end])
		b.WriteString(mark)
		last = end
	}
	b.WriteString(text[last:])
	return b.String()
}

// linesOf returns the line of a file of templates for each line of its output; zero
// where it is not known. It is nil where the marks have changed what is rendered.
func linesOf(output, marked string, file int) []int {
	lines := strings.Split(marked, "\n")
	if len(lines) != strings.Count(output, "\n")+1 {
		return nil
	}
	found := make([]int, len(lines))
	for i, line := range lines {
		for _, m := range marks.FindAllStringSubmatch(line, -1) {
			if m[1] == strconv.Itoa(file) {
				found[i], _ = strconv.Atoi(m[2])
				break
			}
		}
	}
	return found
}

// template is a template with its output.
type template struct {
	chart *openChart
	file  string
	// source and output are the lines of both, lines those of the source that
	// each line of the output comes from.
	source, output []string
	lines          []int
}

// locate returns the place of a rendered node, and of the value that its line asks
// for.
func (t *template) locate(node *yaml.Node) []manifest.Step {
	column := node.Column
	pos := t.position(node.Line, column, node.Value)
	steps := []manifest.Step{{Position: pos}}
	if pos.Line > 0 && pos.Line <= len(t.source) {
		if step, ok := t.chart.value(t.source[pos.Line-1]); ok {
			steps = append(steps, step)
		}
	}
	return steps
}

// position returns the place of what is in a line of the output. The column is
// that of the text where the template has the same text on the line, else that
// of the line's first character.
func (t *template) position(line, column int, text string) manifest.Position {
	pos := manifest.Position{File: t.file}
	if line < 1 || line > len(t.lines) || t.lines[line-1] < 1 || t.lines[line-1] > len(t.source) {
		return pos
	}
	pos.Line = t.lines[line-1]
	written := t.source[pos.Line-1]
	indent := len(written) - len(strings.TrimLeft(written, " "))
	pos.Column = indent + 1
	rendered := t.output[line-1]
	shift := column - 1 - (len(rendered) - len(strings.TrimLeft(rendered, " ")))
	if firstWord(written) == firstWord(rendered) && shift > 0 {
		pos.Column += shift
	}
	if at := strings.Index(written[min(pos.Column-1, len(written)):], text); text != "" && at == 0 {
		pos.EndLine, pos.EndColumn = pos.Line, pos.Column+utf8.RuneCountInString(text)
	}
	return pos
}

var valuesPath = regexp.MustCompile(`\.Values\.([A-Za-z0-9_.]+)`)

// value returns the place in values.yaml of the value that a line of a template
// asks for.
func (c *openChart) value(line string) (manifest.Step, bool) {
	m := valuesPath.FindStringSubmatch(line)
	file := path.Join(c.dir, "values.yaml")
	if m == nil {
		return manifest.Step{}, false
	}
	node := c.root(file)
	var key *yaml.Node
	for _, name := range strings.Split(strings.Trim(m[1], "."), ".") {
		if key, node = source.Lookup(node, name); key == nil {
			return manifest.Step{}, false
		}
	}
	return manifest.Step{Position: source.NodePosition(file, key), Text: manifest.Say("value %s", manifest.Name(m[1]))}, true
}
