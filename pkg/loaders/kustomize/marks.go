package kustomize

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/derekg1729/dsnlint/pkg/internal/source"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// The engine renders each kustomization twice, as it is and with marks, and only the
// first decides what a container receives. Marks are annotations with originMark and a
// number, which tell the texts that an object was made from, and an entry itemMark in
// each item of a list that is a mapping: what the engine merges, moves and renames,
// they travel with.
const (
	originMark = "dsnlint.dev/origin-"
	itemMark   = "dsnlint.dev/item"
	// openMark is an annotation of a generated object that has more keys than are
	// known; its value is one of openReasons.
	openMark = "dsnlint.dev/open"
)

// openReasons say why a generated object has keys that are not known.
var openReasons = map[string]manifest.Text{
	openFile: manifest.Say("a file that it is generated from is not in the repository"),
	openBase: manifest.Say("it changes one that was not followed"),
}

const (
	openFile = "file"
	openBase = "base"
)

// markedItem is an item of a list that has a mark.
type markedItem struct {
	node  *yaml.Node
	place place
}

// newOrigin makes an origin with a mark of its own.
func (s *scan) newOrigin(at manifest.Position, name string) *origin {
	s.marks++
	return &origin{at: at, name: name, mark: originMark + strconv.Itoa(s.marks)}
}

// item returns the item that a rendered one comes from; nil where it has no mark.
func (s *scan) item(marked *yaml.Node) *markedItem {
	number, err := strconv.Atoi(value(marked, itemMark))
	if err != nil || number < 0 || number >= len(s.items) {
		return nil
	}
	return &s.items[number]
}

// marked returns a document of an origin with marks. One that cannot show its own mark,
// since it removes an object or its annotations, counts as met.
func (s *scan) marked(o *origin, doc *yaml.Node) *yaml.Node {
	if doc.Kind == yaml.SequenceNode {
		return s.markedOperations(o, doc)
	}
	text := s.markItems(doc, o.layers[0])
	metadata := mapping(text, "metadata")
	annotations := mapping(metadata, "annotations")
	if annotations == nil && metadata != nil && metadata.Kind == yaml.MappingNode {
		annotations = &yaml.Node{Kind: yaml.MappingNode}
		metadata.Content = append(metadata.Content, scalarNode("annotations"), annotations)
	}
	if annotations == nil || annotations.Kind != yaml.MappingNode || mapping(doc, "$patch") != nil {
		o.met = true
		return text
	}
	annotations.Content = append(annotations.Content, scalarNode(o.mark), scalarNode(""))
	return text
}

// markedOperations marks JSON 6902 operations: the first of them adds the mark of the
// patch, and the values that are items of a list, or hold lists, have marks as well.
func (s *scan) markedOperations(o *origin, doc *yaml.Node) *yaml.Node {
	pointer := "/metadata/annotations/" + strings.ReplaceAll(o.mark, "/", "~1")
	list := &yaml.Node{Kind: yaml.SequenceNode, Content: []*yaml.Node{{Kind: yaml.MappingNode, Content: []*yaml.Node{
		scalarNode("op"), scalarNode("add"), scalarNode("path"), scalarNode(pointer), scalarNode("value"), scalarNode(""),
	}}}}
	rest := o.layers
	for _, op := range doc.Content {
		op = withoutAliases(op)
		if value(op, "op") != "test" { // which changes nothing, and would see marks
			list.Content = append(list.Content, op)
		}
		added := mapping(op, "value")
		if added == nil || value(op, "path") == "" {
			continue
		}
		l := rest[len(rest)-1] // layers are in the reverse order
		rest = rest[:len(rest)-1]
		if name := value(op, "op"); name != "add" && name != "replace" {
			continue
		}
		text := s.markItems(l.node, l)
		if last := l.under[len(l.under)-1]; last.isItem() {
			s.markItem(text, l.node, l)
		}
		*added = *text
	}
	return list
}

// isItem reports whether a step leads to an item of a list.
func (s step) isItem() bool {
	return s.key == "-" || s.key != "" && strings.Trim(s.key, "0123456789") == ""
}

// markItems copies a tree, with marks in the items of its lists.
func (s *scan) markItems(node *yaml.Node, l layer) *yaml.Node {
	node = source.Resolve(node)
	text := *node
	text.Anchor, text.Content = "", nil
	switch node.Kind { //nolint:exhaustive // the other kinds hold nothing
	case yaml.MappingNode:
		for key, value := range uniqueEntries(node) {
			text.Content = append(text.Content, withoutAliases(key), s.markItems(value, l))
		}
	case yaml.SequenceNode:
		for _, child := range node.Content {
			item := s.markItems(child, l)
			s.markItem(item, source.Resolve(child), l)
			text.Content = append(text.Content, item)
		}
	}
	return &text
}

// markItem marks a copy of an item, unless it is a directive of a strategic merge.
func (s *scan) markItem(text, node *yaml.Node, l layer) {
	if text.Kind != yaml.MappingNode || mapping(text, "$patch") != nil {
		return
	}
	text.Content = append(text.Content, scalarNode(itemMark), scalarNode(strconv.Itoa(len(s.items))))
	s.items = append(s.items, markedItem{node: node, place: l.place(node)})
}

// place returns that of an item, which is the author's own where it is written as such.
func (l *layer) place(node *yaml.Node) place {
	at := source.NodePosition(l.file, node)
	if l.shift != nil {
		return place{position: l.shift(at)}
	}
	return place{position: at, own: len(l.under) == 0}
}

func scalarNode(text string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text, Style: yaml.DoubleQuotedStyle}
}
