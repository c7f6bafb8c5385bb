package kubernetes

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/derekg1729/dsnlint/pkg/internal/source"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// Object is one Kubernetes object.
type Object struct {
	// Node is the object's mapping.
	Node *yaml.Node
	// File is the file that the object was read from, or rendered from. Of
	// several ConfigMaps or Secrets of one name, a workload means that in the
	// nearest file.
	File string
	// Index is that of File, where the nodes' lines and columns are places in it; it
	// makes the positions of scripts exact. It may be nil.
	Index *source.Index
	// Source is the directory or file of the project; empty for the directory of File.
	Source string
	// Locate says where a node of the object was written, and how it got here
	// from there: the first step is the place, and its text does not matter. It
	// is asked for keys and for list items, and in problems for any node. Nil
	// stands for an object that was written as it is.
	Locate func(node *yaml.Node) []manifest.Step
	// Own reports whether the entry or list item that begins with a node is written
	// as such where Locate says, so that it can be taken out there. Nil stands for an
	// object none of whose entries can be.
	Own func(node *yaml.Node) bool
	// Names are metadata.name as written, before a renderer added a prefix or
	// suffix; empty where nothing was added.
	Names []string
	// Overlays are the rendered roots that show the object.
	Overlays []string
	// Rendered is the step from where the object was written to where it is rendered;
	// zero for one that was written as it is.
	Rendered manifest.Step
	// Open says why a ConfigMap or Secret has keys that it does not show; empty for
	// one that shows all it has.
	Open manifest.Text

	// listKind and listVersion are what a typed list says of its items.
	listKind, listVersion string
}

// groupKind is a kind with its API group; the version does not matter to where
// things stand in an object.
type groupKind struct{ group, kind string }

func (o *Object) kind() string       { return cmp.Or(scalar(o.Node, "kind"), o.listKind) }
func (o *Object) apiVersion() string { return cmp.Or(scalar(o.Node, "apiVersion"), o.listVersion) }

func (o *Object) groupKind() groupKind {
	group, _ := path.Split(o.apiVersion())
	return groupKind{strings.TrimSuffix(group, "/"), o.kind()}
}

func (o *Object) version() string { return path.Base(o.apiVersion()) }

// namespace is the object's namespace, empty where it names none: kubectl then
// takes the one it is called with.
func (o *Object) namespace() string { return at(o, "metadata", "namespace").text() }

// name is what other objects refer to the object by: empty for one whose name the
// cluster generates.
func (o *Object) name() string { return at(o, "metadata", "name").text() }

// called is what the object is shown as.
func (o *Object) called() string {
	return cmp.Or(o.name(), at(o, "metadata", "generateName").text())
}

// title names the object in a step.
func (o *Object) title() manifest.Text {
	return manifest.Say("%s %s", manifest.Name(o.kind()), manifest.Name(o.called()))
}

const defaultNamespace = "default"

// project is what the object is deployed with.
func (o *Object) project() manifest.Project {
	return manifest.Project{
		Name:   cmp.Or(o.namespace(), defaultNamespace),
		Source: cmp.Or(o.Source, path.Dir(o.File)),
	}
}

// bare returns a name without the prefix and suffix that the renderer added to the
// object's own: once for each of Names, where that makes a difference.
func (o *Object) bare(name string) []string {
	var names []string
	for _, original := range o.Names {
		prefix, suffix, ok := strings.Cut(o.called(), original)
		if !ok || original == "" {
			continue
		}
		trimmed := strings.TrimSuffix(strings.TrimPrefix(name, prefix), suffix)
		if trimmed != "" && trimmed != name && !slices.Contains(names, trimmed) {
			names = append(names, trimmed)
		}
	}
	return names
}

// content is the node that a document holds, with aliases followed.
func content(node *yaml.Node) *yaml.Node {
	if node != nil && node.Kind == yaml.DocumentNode {
		if len(node.Content) == 0 {
			return nil
		}
		node = node.Content[0]
	}
	return source.Resolve(node)
}

// scalar is the text of a key of a mapping, or empty.
func scalar(mapping *yaml.Node, key string) string {
	_, value := source.Lookup(mapping, key)
	return place{node: source.Resolve(value)}.text()
}
