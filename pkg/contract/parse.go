package contract

import (
	"cmp"
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/invopop/jsonschema"
	"go.yaml.in/yaml/v4"

	"github.com/derekg1729/dsnlint/pkg/internal/source"
	"github.com/derekg1729/dsnlint/pkg/internal/suggest"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

//go:embed builtin.yaml
var builtinFile []byte

var builtinValues = sync.OnceValue(func() map[string]any {
	values, _ := read("builtin.yaml", builtinFile, nil)
	return values
})

// Builtin is the contract that dsnlint ships with. Every call makes a new one.
func Builtin() *Contract {
	c, _ := decode(builtinValues())
	return c
}

// Parse reads a contract file on top of the built-in contract. A key of the
// file replaces the built-in's; in the mappings roles, secrets and rules each
// key does so for itself. An empty file changes nothing.
//
// The rules that may be named are those of the given ids. Parse lists all
// problems of the file, at the key or value that is wrong; where there is one,
// there is no contract. YAML that does not parse, or has a key twice in one
// mapping, is a problem that hides the others.
func Parse(name string, data []byte, ruleIDs []string) (*Contract, []*manifest.Problem) {
	values, problems := read(name, data, ruleIDs)
	if len(problems) > 0 {
		return nil, problems
	}
	c, err := decode(merge(builtinValues(), values))
	if err != nil {
		return nil, []*manifest.Problem{{
			Severity: manifest.Error,
			Position: manifest.Position{File: name},
			Message:  manifest.Say("the contract does not match its schema"),
			Cause:    err,
		}}
	}
	c.InForce = true
	c.rename(values)
	return c, nil
}

// rename makes what the file does not set itself know the DSNs under the names that the
// file gives them.
func (c *Contract) rename(values map[string]any) {
	secrets, _ := values["secrets"].(map[string]any)
	names := dsnNames(Builtin(), c)
	if _, own := secrets["provisioning"]; !own {
		c.Secrets.Provisioning = renamed(c.Secrets.Provisioning, names)
	}
	if _, own := secrets["rootDSN"]; own && !c.IsProvisioning(c.Secrets.RootDSN) {
		c.Secrets.Provisioning = append(c.Secrets.Provisioning, c.Secrets.RootDSN)
	}
	if _, own := values["containers"]; !own {
		c.Containers = renamedRows(c.Containers, names)
	}
}

// dsnNames maps the names of one contract's DSNs to those of another.
func dsnNames(from, to *Contract) map[string]string {
	return map[string]string{
		from.Secrets.RootDSN: to.Secrets.RootDSN, from.Secrets.AppDSN: to.Secrets.AppDSN, from.Secrets.ServiceDSN: to.Secrets.ServiceDSN,
	}
}

// renamed returns a list of names, or of alternatives, with other names in their place.
func renamed(list []string, names map[string]string) []string {
	if list == nil {
		return nil
	}
	other := make([]string, 0, len(list))
	for _, entry := range list {
		alternatives := strings.Split(entry, "|")
		for i, name := range alternatives {
			alternatives[i] = cmp.Or(names[name], name)
		}
		other = append(other, strings.Join(slices.Compact(alternatives), "|"))
	}
	return slices.Compact(other)
}

func renamedRows(rows []Row, names map[string]string) []Row {
	rows = slices.Clone(rows)
	for i := range rows {
		row := &rows[i]
		row.Requires, row.Holds, row.Allows = renamed(row.Requires, names), renamed(row.Holds, names), renamed(row.Allows, names)
	}
	return rows
}

func merge(base, over map[string]any) map[string]any {
	merged := maps.Clone(base)
	for key, value := range over {
		mapping, ok := value.(map[string]any)
		if below, both := merged[key].(map[string]any); ok && both {
			value = merge(below, mapping)
		}
		merged[key] = value
	}
	return merged
}

func decode(values map[string]any) (*Contract, error) {
	data, err := json.Marshal(values)
	if err != nil {
		return nil, err
	}
	var c Contract
	return &c, json.Unmarshal(data, &c)
}

// read holds a file against the schema and gives its values.
func read(name string, data []byte, ruleIDs []string) (map[string]any, []*manifest.Problem) {
	docs, err := source.ParseYAML(name, data)
	if err != nil {
		return nil, []*manifest.Problem{manifest.AsProblem(err, name)}
	}
	r := reader{file: name}
	var values map[string]any
	for i, doc := range docs {
		root := doc.Content[0]
		switch {
		case i > 0:
			r.report(root, manifest.Say("a contract file must contain one document"), manifest.Say("remove the --- above it"))
		case !isNull(root):
			values, _ = r.value(root, schemaOf(ruleIDs), manifest.Text{}).(map[string]any)
		}
	}
	return values, r.problems
}

// reader turns nodes into values as a schema wants them, and collects what is
// wrong with them.
type reader struct {
	file     string
	problems []*manifest.Problem
}

func (r *reader) report(node *yaml.Node, message, hint manifest.Text) {
	r.problems = append(r.problems, &manifest.Problem{
		Severity: manifest.Error,
		Position: source.NodePosition(r.file, node),
		Message:  message,
		Hint:     hint,
	})
}

// value reads a node that stands under the key at.
func (r *reader) value(node *yaml.Node, s *jsonschema.Schema, at manifest.Text) any {
	written := node
	node = source.Resolve(node)
	switch {
	case s.Type == "object" && node.Kind == yaml.MappingNode:
		return r.mapping(node, s, at)
	case s.Type == "array" && node.Kind == yaml.SequenceNode:
		list := make([]any, len(node.Content))
		for i, item := range node.Content {
			list[i] = r.value(item, s.Items, manifest.Say("%s[%s]", at, manifest.Number(i)))
		}
		return list
	case s.Type == "string" && node.ShortTag() == "!!str":
		if r.text(written, node.Value, s, at) {
			return node.Value
		}
		return nil
	case s.Type == "integer" && node.ShortTag() == "!!int" && isListed(s.Enum, node.Value):
		return json.Number(node.Value)
	}
	r.report(written, manifest.Say("%sexpected %s, found %s", label(at), expected(s), found(node)), cure(node, s))
	return nil
}

func (r *reader) mapping(node *yaml.Node, s *jsonschema.Schema, at manifest.Text) map[string]any {
	values := map[string]any{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := source.Resolve(node.Content[i]), node.Content[i+1]
		property, known := s.Properties.Get(key.Value)
		if !known || key.Kind != yaml.ScalarNode {
			r.unknownKey(node.Content[i], key, s, at)
			continue
		}
		values[key.Value] = r.value(value, property, under(at, key.Value))
	}
	for _, key := range s.Required {
		if _, ok := values[key]; !ok {
			r.report(node, manifest.Say("%sthe key `%s` is missing", label(at), manifest.Name(key)), manifest.Text{})
		}
	}
	return values
}

// under names a key of the mapping at.
func under(at manifest.Text, key string) manifest.Text {
	if at.IsZero() {
		return manifest.Say("%s", manifest.Name(key))
	}
	return manifest.Say("%s.%s", at, manifest.Name(key))
}

func (r *reader) unknownKey(written, key *yaml.Node, s *jsonschema.Schema, at manifest.Text) {
	if key.Kind != yaml.ScalarNode {
		r.report(written, manifest.Say("%sexpected a key, found %s", label(at), found(key)), manifest.Text{})
		return
	}
	var known []string
	for entry := s.Properties.Oldest(); entry != nil; entry = entry.Next() {
		known = append(known, entry.Key)
	}
	hint := suggest.Hint(key.Value, known)
	if hint.IsZero() && len(known) > 0 {
		hint = manifest.Say("expected %s", oneOf(known))
	}
	r.report(written, manifest.Say("%sunknown key", label(at)), hint)
}

func (r *reader) text(node *yaml.Node, text string, s *jsonschema.Schema, at manifest.Text) bool {
	var hint manifest.Text
	switch {
	case s.Enum != nil && isListed(s.Enum, text), s.Enum == nil && formats[s.Format].matches(text):
		return true
	case s.Enum != nil:
		hint = suggest.Hint(text, words(s.Enum))
	}
	r.report(node, manifest.Say("%sexpected %s, found another value", label(at), expected(s)), hint)
	return false
}

func label(at manifest.Text) manifest.Text {
	if at.IsZero() {
		return at
	}
	return manifest.Say("%s: ", at)
}

// expected says what a schema wants.
func expected(s *jsonschema.Schema) manifest.Text {
	switch {
	case s.Type == "object":
		return manifest.Say("a mapping")
	case s.Type == "array":
		return manifest.Say("a list")
	case s.Enum != nil:
		return oneOf(words(s.Enum))
	}
	return formats[s.Format].expected
}

// found names the kind of a node.
func found(node *yaml.Node) manifest.Text {
	switch {
	case node.Kind == yaml.MappingNode:
		return manifest.Say("a mapping")
	case node.Kind == yaml.SequenceNode:
		return manifest.Say("a list")
	case isNull(node):
		return manifest.Say("nothing")
	}
	return manifest.Say("another value")
}

// cure tells how to give a node the type that a schema wants.
func cure(node *yaml.Node, s *jsonschema.Schema) manifest.Text {
	switch {
	case isNull(node) && s.Type == "array":
		return manifest.Say("write [] for an empty list, or leave the key out to keep the built-in one")
	case isNull(node):
		return manifest.Say("leave the key out to keep the built-in value")
	case s.Type == "array" && node.Kind == yaml.ScalarNode:
		return manifest.Say("write the value in square brackets")
	case s.Type == "string" && node.Kind == yaml.ScalarNode && s.Enum == nil:
		return manifest.Say("write it in quotes")
	}
	return manifest.Text{}
}

func isNull(node *yaml.Node) bool {
	return node.Kind == yaml.ScalarNode && node.ShortTag() == "!!null"
}

func words(enum []any) []string {
	list := make([]string, len(enum))
	for i, value := range enum {
		list[i] = fmt.Sprint(value)
	}
	return list
}

func isListed(enum []any, text string) bool { return slices.Contains(words(enum), text) }

func oneOf(words []string) manifest.Text {
	quoted := manifest.Say("`%s`", manifest.Join(manifest.Names(words), "`, `"))
	if len(words) > 1 {
		return manifest.Say("one of %s", quoted)
	}
	return quoted
}
