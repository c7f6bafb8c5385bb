package fix

import (
	"bytes"
	"slices"
	"sort"

	"go.yaml.in/yaml/v4"

	"github.com/derekg1729/dsnlint/pkg/internal/source"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// file is a manifest with its nodes and its lines.
type file struct {
	// refusal says why nothing can be removed; the rest is empty then.
	refusal manifest.Text

	*source.Index
	name string
	data []byte
	docs []*yaml.Node
	// aliased are the nodes that aliases stand for.
	aliased map[*yaml.Node]bool
}

// file reads a file, or says why nothing can be removed from it.
func (f *Fixer) file(name string) (*file, manifest.Text) {
	if known, ok := f.files[name]; ok {
		return known, known.refusal
	}
	made := f.readFile(name)
	f.files[name] = made
	return made, made.refusal
}

func (f *Fixer) readFile(name string) *file {
	data, err := f.read(name)
	if err != nil {
		return &file{refusal: manifest.Say("its file cannot be read")}
	}
	docs, err := source.ParseYAML(name, data)
	isManifest := slices.ContainsFunc(docs, func(doc *yaml.Node) bool { return doc.Content[0].Kind == yaml.MappingNode })
	switch {
	case !isManifest:
		return &file{refusal: manifest.Say("it is in a file that is not a manifest, and that other containers and tools may read")}
	case err != nil:
		return &file{refusal: manifest.Say("its file is not valid YAML")}
	case bytes.Contains(bytes.ReplaceAll(data, []byte("\r\n"), nil), []byte("\r")):
		// For YAML it ends a line, and for editors and diffs it does not.
		return &file{refusal: manifest.Say("its file has a carriage return without a line feed")}
	}
	made := &file{name: name, data: data, Index: source.NewIndex(data), docs: docs, aliased: map[*yaml.Node]bool{}}
	for _, doc := range docs {
		made.findAliased(doc)
	}
	return made
}

func (f *file) findAliased(node *yaml.Node) {
	if node.Kind == yaml.AliasNode {
		f.aliased[node.Alias] = true
	}
	for _, child := range node.Content {
		f.findAliased(child)
	}
}

// path leads from a document's root to the outermost entry or item that begins at a
// position; empty where there is none.
func (f *file) path(p manifest.Position) []step {
	after := sort.Search(len(f.docs), func(i int) bool { return behind(f.docs[i].Content[0], p) })
	if after == 0 {
		return nil
	}
	var path []step
	for node := f.docs[after-1].Content[0]; len(node.Content) > 0; {
		i := sort.Search(len(node.Content), func(i int) bool { return behind(node.Content[i], p) }) - 1
		if i < 0 {
			return nil
		}
		s := step{parent: node, index: i, value: node.Content[i]}
		if node.Kind == yaml.MappingNode {
			s.index = i - i%2
			s.key, s.value = node.Content[s.index], node.Content[s.index+1]
		}
		path = append(path, s)
		if isAt(s.node(), p) {
			return path
		}
		node = s.value
	}
	return nil
}

// behind reports whether a node begins behind a position.
func behind(node *yaml.Node, p manifest.Position) bool {
	return node.Line > p.Line || node.Line == p.Line && node.Column > p.Column
}

func isAt(node *yaml.Node, p manifest.Position) bool {
	return node.Line == p.Line && node.Column == p.Column
}
