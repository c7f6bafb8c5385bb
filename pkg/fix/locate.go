package fix

import (
	"slices"

	"go.yaml.in/yaml/v4"

	"github.com/derekg1729/dsnlint/pkg/manifest"
	"github.com/derekg1729/dsnlint/pkg/rules"
)

// entry is an entry of a mapping or an item of a list.
type entry struct {
	file *file
	// path leads from the document's root to the entry, and step is the last of it.
	path []step
	step
}

// step goes from a collection to what it holds.
type step struct {
	parent *yaml.Node
	// index is that of key, or of the item of a list, in parent.Content.
	index int
	// key is nil in a list.
	key, value *yaml.Node
}

// node is what the step goes to: the key in a mapping, else the item.
func (s step) node() *yaml.Node {
	if s.key != nil {
		return s.key
	}
	return s.value
}

// locate finds the entry of a finding, or says why it is to be left alone.
func (f *Fixer) locate(finding *rules.Finding) (*entry, manifest.Text) {
	at := place(finding.Position)
	if reason, ok := f.kept[EntryOf(finding)]; ok {
		return nil, reason
	}
	switch {
	case finding.Channel == manifest.ChannelArgument:
		return nil, manifest.Say("it is part of a command line")
	case finding.Channel == manifest.ChannelFile:
		return nil, manifest.Say("it is a file, which whatever runs in the container opens by name")
	case !slices.Contains(finding.Secrets, finding.Variable):
		return nil, manifest.Say("%s carries the secret under a name that is not forbidden, and the container may need it with another value", manifest.Name(finding.Variable))
	case f.accepted[at]:
		return nil, manifest.Say("a dsnlint:ignore comment accepts another finding on it")
	case len(finding.Overlays) > 1:
		return nil, manifest.Say("several overlays use it: %s", manifest.Join(paths(finding.Overlays), ", "))
	}
	for _, use := range f.uses[at] {
		if use.container != finding.Container {
			return nil, manifest.Say("it reaches %s as well", manifest.Name(use.container.QualifiedName))
		}
	}
	file, reason := f.file(finding.Position.File)
	if !reason.IsZero() {
		return nil, reason
	}
	if uses := f.uses[at]; len(uses) != 1 || !uses[0].Own {
		return nil, manifest.Say("its entry is shared, inherited or generated, or brings more than this")
	}
	path := file.path(at)
	if len(path) < 2 || path[len(path)-2].key == nil {
		return nil, manifest.Say("it was not found at its position")
	}
	e := &entry{file, path, path[len(path)-1]}
	if reason := e.refuses(); !reason.IsZero() {
		return nil, reason
	}
	if finding.Channel == manifest.ChannelEnv && f.reads(finding.Container, finding.Variable, at) {
		return nil, manifest.Say("something else in the container reads $%s", manifest.Name(finding.Variable))
	}
	return e, manifest.Text{}
}

// refuses says what in its file speaks against removing an entry.
func (e *entry) refuses() manifest.Text {
	if e.parent.Style&yaml.FlowStyle != 0 {
		return manifest.Say("it is in a collection in flow style, on one line with others")
	}
	aliased := e.file.aliased
	for _, s := range e.path {
		if aliased[s.parent] {
			return manifest.Say("it is below an anchor that is used elsewhere")
		}
	}
	var below func(node *yaml.Node) bool
	below = func(node *yaml.Node) bool { return aliased[node] || slices.ContainsFunc(node.Content, below) }
	if aliased[e.key] || below(e.value) {
		return manifest.Say("it holds an anchor that is used elsewhere")
	}
	return manifest.Text{}
}

func paths(list []string) []manifest.Path {
	paths := make([]manifest.Path, len(list))
	for i, p := range list {
		paths[i] = manifest.Path(p)
	}
	return paths
}
