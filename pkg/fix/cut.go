package fix

import (
	"cmp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/derekg1729/dsnlint/pkg/internal/source"
)

// works reports whether the targets can be removed together: the file is valid
// YAML afterwards, and all that is missing is the targets.
func (f *file) works(wanted []*target) bool {
	gone := map[*yaml.Node]bool{}
	for _, t := range wanted {
		if _, ok := f.cut(t.entry); !ok {
			return false
		}
		gone[t.node()] = true
	}
	docs, err := source.ParseYAML(f.name, Apply(f.data, f.edits(wanted)))
	if err != nil || len(docs) != len(f.docs) {
		return false
	}
	for i, doc := range docs {
		if !same(f.docs[i], doc, gone) {
			return false
		}
	}
	return true
}

// same compares what a node says before and after. Of the old content, the
// entries that are gone do not count.
func same(before, after *yaml.Node, gone map[*yaml.Node]bool) bool {
	if before.Kind != after.Kind || before.Tag != after.Tag || before.Value != after.Value || before.Anchor != after.Anchor {
		return false
	}
	left := before.Content
	if len(gone) > 0 {
		left = remaining(before, gone)
	}
	return slices.EqualFunc(left, after.Content, func(b, a *yaml.Node) bool { return same(b, a, gone) })
}

// remaining is the content of a node without the entries that are gone.
func remaining(node *yaml.Node, gone map[*yaml.Node]bool) []*yaml.Node {
	size := 1
	if node.Kind == yaml.MappingNode {
		size = 2
	}
	var left []*yaml.Node
	for entry := range slices.Chunk(node.Content, size) {
		if !gone[entry[0]] {
			left = append(left, entry...)
		}
	}
	return left
}

// edits removes the lines of targets. A collection that loses its last entry is
// written out as an empty one, since an empty key says something else: it is
// invalid in Compose, in a patch it deletes the list, and it does not keep out
// what a merge key brings.
func (f *file) edits(wanted []*target) []Edit {
	var edits []Edit
	gone := map[*yaml.Node]bool{}
	for _, t := range wanted {
		if e, ok := f.cut(t.entry); ok {
			edits = append(edits, e)
			gone[t.node()] = true
		}
	}
	emptied := map[*yaml.Node]bool{}
	for _, t := range wanted {
		parent := t.parent
		if emptied[parent] || len(remaining(parent, gone)) > 0 {
			continue
		}
		emptied[parent] = true
		if e, ok := f.empty(t.path[len(t.path)-2].key, parent); ok {
			edits = append(edits, e)
		}
	}
	slices.SortFunc(edits, func(a, b Edit) int { return cmp.Compare(a.Start, b.Start) })
	return edits
}

// empty writes an empty collection behind the colon of its key.
func (f *file) empty(key, collection *yaml.Node) (Edit, bool) {
	at, ok := f.Offset(key.Line, key.Column)
	if !ok {
		return Edit{}, false
	}
	colon := strings.IndexByte(f.Line(key.Line)[at-f.Start(key.Line):], ':')
	if colon < 0 {
		return Edit{}, false
	}
	text := " {}"
	if collection.Kind == yaml.SequenceNode {
		text = " []"
	}
	at += colon + 1
	return Edit{File: f.name, Start: at, End: at, Text: text}, true
}

// cut covers the lines that an entry takes, from its own first to the last that
// it has content in: comments above and below stay, as do blank lines. It fails
// where the entry shares its first line with something else.
func (f *file) cut(e *entry) (Edit, bool) {
	at, ok := f.Offset(e.node().Line, e.node().Column)
	if !ok {
		return Edit{}, false
	}
	first := e.node().Line
	indent := strings.TrimLeft(string(f.data[f.Start(first):at]), " ")
	if e.key == nil {
		if indent, ok = strings.CutPrefix(indent, "-"); !ok {
			return Edit{}, false
		}
	}
	if strings.Trim(indent, " \t") != "" {
		return Edit{}, false
	}
	return Edit{File: f.name, Start: f.Start(first), End: f.Start(f.lastLine(e) + 1)}, true
}

// lastLine is the last line that an entry has content in.
func (f *file) lastLine(e *entry) int {
	first, next := e.node().Line, f.next(e)
	scalar := lastScalar(e.value)
	if scalar.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		return f.blockEnd(e, scalar.Line, next)
	}
	last := next - 1
	for last > first && isVoid(f.Line(last)) {
		last--
	}
	return last
}

// next is the line on which something follows an entry: its next sibling, that
// of a collection around it, the end of the document, or that of the file.
func (f *file) next(e *entry) int {
	limit := f.Height() + 1
	for _, s := range slices.Backward(e.path) {
		after := s.index + 1
		if s.key != nil {
			after++
		}
		if after < len(s.parent.Content) {
			limit = s.parent.Content[after].Line
			break
		}
	}
	for n := e.node().Line + 1; n < limit; n++ {
		if line := f.Line(n); strings.HasPrefix(line, "---") || strings.HasPrefix(line, "...") {
			return n
		}
	}
	return limit
}

// lastScalar is the scalar or alias that ends a node.
func lastScalar(node *yaml.Node) *yaml.Node {
	for len(node.Content) > 0 {
		node = node.Content[len(node.Content)-1]
	}
	return node
}

// blockEnd is the last line, not blank, of the block scalar that ends an entry.
// Its text is indented like its first line, and deeper than the entry.
func (f *file) blockEnd(e *entry, header, next int) int {
	indent, last := -1, header
	least := depth(f.Line(e.node().Line)) + 1
	if e.node().Kind == yaml.MappingNode {
		least = e.node().Column
	}
	for n := header + 1; n < next; n++ {
		line := f.Line(n)
		if strings.TrimSpace(line) == "" {
			continue
		}
		if indent < 0 {
			indent = max(least, depth(line))
		}
		if depth(line) < indent {
			break
		}
		last = n
	}
	return last
}

// depth is how far a line is indented.
func depth(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }

// isVoid reports whether a line is blank or a comment.
func isVoid(line string) bool {
	line = strings.TrimSpace(line)
	return line == "" || strings.HasPrefix(line, "#")
}
