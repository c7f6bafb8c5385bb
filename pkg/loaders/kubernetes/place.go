package kubernetes

import (
	"cmp"
	"slices"

	"go.yaml.in/yaml/v4"

	"github.com/derekg1729/dsnlint/pkg/internal/source"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// place is a node of an object. Its methods go on from a place that is not there
// to one that is not there either.
type place struct {
	object *Object
	// node is nil where there is none. key is the node of the key that it is the
	// value of, and nil for the item of a list.
	node, key *yaml.Node
}

// at is the place that a path of keys leads to.
func at(o *Object, keys ...string) place {
	return place{object: o, node: o.Node}.field(keys...)
}

func (p place) exists() bool { return p.node != nil }

// field goes along a path of keys.
func (p place) field(keys ...string) place {
	for _, name := range keys {
		key, value := source.Lookup(p.node, name)
		p = place{object: p.object, node: source.Resolve(value), key: key}
	}
	return p
}

// items are the items of a list.
func (p place) items() []place {
	if p.node == nil || p.node.Kind != yaml.SequenceNode {
		return nil
	}
	items := make([]place, len(p.node.Content))
	for i, node := range p.node.Content {
		items[i] = place{object: p.object, node: source.Resolve(node)}
	}
	return items
}

// entries are the entries of a mapping; a key that is merged although the
// mapping has it already comes once.
func (p place) entries() []place {
	var entries []place
	seen := map[string]bool{}
	for key, value := range source.Entries(p.node) {
		if !seen[key.Value] {
			seen[key.Value] = true
			entries = append(entries, place{object: p.object, node: source.Resolve(value), key: key})
		}
	}
	return entries
}

// name is the key of an entry.
func (p place) name() string {
	if p.key == nil {
		return ""
	}
	return p.key.Value
}

// text is the text of a scalar, and empty for anything else.
func (p place) text() string {
	if p.node == nil || p.node.Kind != yaml.ScalarNode || p.node.ShortTag() == "!!null" {
		return ""
	}
	return p.node.Value
}

// steps say what happens at the place: first there, then how the node got into
// the object. A place that is not there stands where the object does.
func (p place) steps(text manifest.Text) []manifest.Step {
	steps := p.locate(p.beginning())
	steps[0].Text = text
	if rendered := p.object.Rendered; rendered != (manifest.Step{}) {
		steps = slices.Insert(steps, 1, rendered)
	}
	return steps
}

// source are the steps to a place that something ends at: how the object came to be,
// then there.
func (p place) source(text manifest.Text) []manifest.Step {
	steps := p.steps(text)
	if p.object.Rendered != (manifest.Step{}) {
		steps[0], steps[1] = steps[1], steps[0]
	}
	return steps
}

// beginning is the node that the place begins with.
func (p place) beginning() *yaml.Node { return cmp.Or(p.key, p.node) }

// own reports whether the entry or item can be taken out where it is written.
func (p place) own() bool { return p.object.Own != nil && p.object.Own(p.beginning()) }

// position is that of the key of an entry, or of the item of a list.
func (p place) position() manifest.Position { return p.steps(manifest.Text{})[0].Position }

// valuePosition is that of the value.
func (p place) valuePosition() manifest.Position { return p.locate(p.node)[0].Position }

func (p place) locate(node *yaml.Node) []manifest.Step {
	if node == nil {
		node = p.object.Node
	}
	if p.object.Locate == nil {
		return []manifest.Step{{Position: source.NodePosition(p.object.File, node)}}
	}
	if located := p.object.Locate(node); len(located) > 0 {
		return append([]manifest.Step(nil), located...)
	}
	return []manifest.Step{{Position: manifest.Position{File: p.object.File}}}
}

// origin is how the value of an entry came to be where a renderer put it, without
// the entry's own place.
func (p place) origin() []manifest.Step {
	if p.key == nil {
		return nil
	}
	return p.locate(p.key)[1:]
}
