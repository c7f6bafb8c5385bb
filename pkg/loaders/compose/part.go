package compose

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// part is a node of a document that is written again for compose-go. It knows the
// node that it comes from, so that what is wrong with it has a place, and can be
// left out of what compose-go is given.
type part struct {
	kind yaml.Kind
	// tag is !reset or !override, or empty.
	tag string
	// text is that of a scalar: a string, or where plain is set YAML.
	text    string
	plain   bool
	entries []field
	items   []*part

	// at is where the part is written: the list item, or the key of an entry. What
	// is made up has no place.
	at *yaml.Node
	// base is set for a service that others extend, so that an empty one is left in
	// its place.
	base bool
	// units are the files of an include, which is left out with them.
	units []*unit
	// off is set while the part is left out, and broken where it, or a part of
	// it, was reported and stays out.
	off, broken bool
}

// field is an entry of a mapping.
type field struct {
	name string
	// plain is set for a name that is no string in YAML.
	plain bool
	value *part
}

func textOf(s string) *part            { return &part{kind: yaml.ScalarNode, text: s} }
func plainOf(s string) *part           { return &part{kind: yaml.ScalarNode, text: s, plain: true} }
func sequenceOf(items ...*part) *part  { return &part{kind: yaml.SequenceNode, items: items} }
func mappingOf(entries ...field) *part { return &part{kind: yaml.MappingNode, entries: entries} }

// add appends an item that comes from a node, if there is one.
func (p *part) add(at *yaml.Node, item *part) {
	if item != nil {
		item.at = at
		p.items = append(p.items, item)
	}
}

// unlessEmpty returns the part, or nil for a sequence without items.
func (p *part) unlessEmpty() *part {
	if len(p.items) == 0 {
		return nil
	}
	return p
}

func (p *part) isLeftOut() bool {
	return p.off || len(p.units) > 0 && !slices.ContainsFunc(p.units, func(u *unit) bool { return u.alive })
}

// isAlive reports whether anything of a document is not left out.
func (p *part) isAlive() bool {
	if p.off {
		return false
	}
	return p.kind != yaml.MappingNode || slices.ContainsFunc(p.entries, func(section field) bool {
		switch {
		case section.value.off:
			return false
		case section.name == "include":
			return slices.ContainsFunc(section.value.items, func(item *part) bool { return !item.isLeftOut() })
		case section.value.kind != yaml.MappingNode:
			return true
		}
		return slices.ContainsFunc(section.value.entries, func(e field) bool { return !e.value.off || e.value.base })
	})
}

// lostKey is in the place of what was left out of a mapping that must not be
// empty.
const lostKey = "x-dsnlint-lost"

// write appends the part as YAML in flow style, and returns how many nodes it
// wrote.
func (p *part) write(b *strings.Builder) int {
	if p.off {
		b.WriteString(`{"` + lostKey + `": true}`)
		return 1
	}
	if p.tag != "" {
		b.WriteString(p.tag + " ")
	}
	nodes := 1
	switch p.kind {
	case yaml.MappingNode:
		separator := "{"
		for _, e := range p.entries {
			if e.value.off && !e.value.base {
				continue
			}
			b.WriteString(separator)
			if e.plain {
				b.WriteString(e.name)
			} else {
				b.WriteString(quote(e.name))
			}
			b.WriteString(": ")
			nodes += e.value.write(b)
			separator = ",\n"
		}
		if separator == "{" {
			b.WriteString("{")
		}
		b.WriteString("}")
	case yaml.SequenceNode:
		b.WriteString("[")
		first := true
		for _, item := range p.items {
			if item.isLeftOut() {
				continue
			}
			if !first {
				b.WriteString(",\n")
			}
			first = false
			nodes += item.write(b)
		}
		b.WriteString("]")
	default:
		if p.plain {
			b.WriteString(p.text)
		} else {
			b.WriteString(quote(p.text))
		}
	}
	return nodes
}
