package kustomize

import (
	"reflect"
	"strings"

	"go.yaml.in/yaml/v4"
	"sigs.k8s.io/kustomize/api/types"

	"github.com/derekg1729/dsnlint/pkg/internal/source"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// canonical returns a kustomization without aliases and merge keys, and with its
// fields named as the engine's types name them: the engine takes them in any case.
// A field that the types do not have, one that is there twice, and one that holds
// another kind of value are problems; the first one is returned.
func canonical(file string, root *yaml.Node) (*yaml.Node, *manifest.Problem) {
	c := canonicalizer{file: file}
	plain := c.node(root, reflect.TypeFor[types.Kustomization]())
	return plain, c.problem
}

type canonicalizer struct {
	file    string
	problem *manifest.Problem
}

func (c *canonicalizer) report(node *yaml.Node, message, hint manifest.Text) {
	if c.problem == nil {
		c.problem = &manifest.Problem{Severity: manifest.Error, Position: source.NodePosition(c.file, node), Message: message, Hint: hint}
	}
}

func (c *canonicalizer) node(node *yaml.Node, t reflect.Type) *yaml.Node {
	node = source.Resolve(node)
	plain := *node
	plain.Anchor, plain.Content = "", nil
	if node.Kind == yaml.ScalarNode && node.ShortTag() == "!!null" {
		return &plain
	}
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.Struct:
		c.fields(node, &plain, t)
	case reflect.Map:
		c.entries(node, &plain, t.Elem())
	case reflect.Slice:
		if node.Kind != yaml.SequenceNode {
			c.report(node, manifest.Say("expected a list in this field of a kustomization"), manifest.Text{})
		}
		for _, item := range node.Content {
			plain.Content = append(plain.Content, c.node(item, t.Elem()))
		}
	case reflect.Interface:
		// Anything may be here; no field that the engine is given has this type.
	default:
		if node.Kind != yaml.ScalarNode {
			c.report(node, manifest.Say("expected a single value in this field of a kustomization"), manifest.Text{})
		}
	}
	return &plain
}

// fields writes the fields of a mapping as those of a struct.
func (c *canonicalizer) fields(node, plain *yaml.Node, t reflect.Type) {
	if node.Kind != yaml.MappingNode {
		c.report(node, manifest.Say("expected a mapping in this field of a kustomization"), manifest.Text{})
		return
	}
	known := fieldsOf(t)
	for key, value := range uniqueEntries(node) {
		field, ok := known[strings.ToLower(key.Value)]
		if !ok {
			c.report(key, manifest.Say("unknown field in a kustomization"), manifest.Say("see the kustomization reference for valid fields"))
			continue
		}
		named := *source.Resolve(key)
		named.Anchor, named.Value = "", field.name
		if _, value := source.Lookup(plain, field.name); value != nil {
			c.report(key, manifest.Say("duplicate field in a kustomization"), manifest.Say("the engine takes fields in upper and lower case for the same"))
			continue
		}
		plain.Content = append(plain.Content, &named, c.node(value, field.typ))
	}
}

// entries writes the entries of a mapping whose keys are the author's.
func (c *canonicalizer) entries(node, plain *yaml.Node, t reflect.Type) {
	if node.Kind != yaml.MappingNode {
		c.report(node, manifest.Say("expected a mapping in this field of a kustomization"), manifest.Text{})
		return
	}
	for key, value := range uniqueEntries(node) {
		named := *source.Resolve(key)
		named.Anchor = ""
		plain.Content = append(plain.Content, &named, c.node(value, t))
	}
}

// uniqueEntries yields the entries of a mapping that count: its own before those
// that are merged.
func uniqueEntries(node *yaml.Node) func(yield func(key, value *yaml.Node) bool) {
	return func(yield func(key, value *yaml.Node) bool) {
		seen := map[string]bool{}
		for key, value := range source.Entries(node) {
			if !seen[key.Value] {
				seen[key.Value] = true
				if !yield(key, value) {
					return
				}
			}
		}
	}
}

// field is a field of one of the engine's types, by its name in a kustomization.
type field struct {
	name string
	typ  reflect.Type
}

// fieldsOf returns the fields of a struct by their names in lower case, those of
// embedded structs included.
func fieldsOf(t reflect.Type) map[string]field {
	fields := map[string]field{}
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case name == "" && f.Anonymous:
			for lower, inner := range fieldsOf(f.Type) {
				fields[lower] = inner
			}
		case name != "" && name != "-":
			fields[strings.ToLower(name)] = field{name, f.Type}
		}
	}
	return fields
}
