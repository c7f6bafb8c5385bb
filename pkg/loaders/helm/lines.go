package helm

import (
	"path"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"github.com/derekg1729/dsnlint/pkg/internal/source"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// A mark holds the number of a line between two characters of private use, which
// no template has a reason to hold.
const (
	markStart = '\uE0D5'
	markEnd   = '\uE0D6'
)

var marks = regexp.MustCompile(string(markStart) + `(\d+)` + string(markEnd))

// mark puts a mark behind the last character of text on each line of a template,
// outside of its actions. Next to a character that is no space, a mark changes
// nothing of what {{- and -}} trim. Partials stay as they are: what they give is
// often compared, cut or hashed.
func mark(name string, data []byte) []byte {
	if strings.HasPrefix(path.Base(name), "_") {
		return data
	}
	text := string(data)
	var b strings.Builder
	line, lastText := 1, -1
	var current strings.Builder
	flush := func() {
		s := current.String()
		if lastText >= 0 {
			s = s[:lastText] + string(markStart) + strconv.Itoa(line) + string(markEnd) + s[lastText:]
		}
		b.WriteString(s)
		current.Reset()
		lastText = -1
	}
	for i := 0; i < len(text); {
		if strings.HasPrefix(text[i:], "{{") {
			a, ok := scanAction(text, i)
			if !ok {
				a.end = len(text)
			}
			action := text[i:a.end]
			// An action over several lines ends on a later one.
			if n := strings.Count(action, "\n"); n > 0 {
				flush()
				line += n
			}
			current.WriteString(action)
			i = a.end
			continue
		}
		r, size := utf8.DecodeRuneInString(text[i:])
		current.WriteString(text[i : i+size])
		i += size
		switch {
		case r == '\n':
			flush()
			line++
		case r != ' ' && r != '\t' && r != '\r':
			lastText = current.Len()
		}
	}
	flush()
	return []byte(b.String())
}

// inserts matches a line of a template that brings text from elsewhere.
var inserts = regexp.MustCompile(`\{\{.*\b(?:include|template|toYaml|tpl)\b`)

// linesOf returns the line of the template for each line of its output; zero where
// it is not known. Lines without a mark come from the next line of the template
// that inserts text, or else from behind the last marked one.
func linesOf(source, output []string, marked string) []int {
	lines := strings.Split(marked, "\n")
	if len(lines) != len(output) {
		return nil
	}
	found := make([]int, len(output))
	for i, line := range lines {
		if m := marks.FindStringSubmatch(line); m != nil {
			found[i], _ = strconv.Atoi(m[1])
		}
	}
	last := 0
	for i := 0; i < len(found); {
		if found[i] > 0 {
			last = found[i]
			i++
			continue
		}
		end := i
		for end < len(found) && found[end] == 0 {
			end++
		}
		next := len(source) + 1
		if end < len(found) {
			next = found[end]
		}
		from := last
		for n := last + 1; n < next && n <= len(source); n++ {
			if inserts.MatchString(source[n-1]) {
				from = n
				break
			}
		}
		for ; i < end; i++ {
			found[i] = from
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
	pos := manifest.Position{File: t.file, Line: 1, Column: 1}
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
