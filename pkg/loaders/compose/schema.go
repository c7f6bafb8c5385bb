package compose

import (
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/compose-spec/compose-go/v2/interpolation"
	"github.com/compose-spec/compose-go/v2/schema"
	"github.com/compose-spec/compose-go/v2/tree"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"go.yaml.in/yaml/v4"

	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// composeSchema is Compose's own schema, which compose-go stops to ask at the
// first error.
var composeSchema = sync.OnceValue(func() *jsonschema.Schema {
	// The schema is a constant of compose-go's.
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(schema.Schema))
	if err != nil {
		panic(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.UseLoader(noLoader{})
	if err := compiler.AddResource("compose-spec.json", document); err != nil {
		panic(err)
	}
	return compiler.MustCompile("compose-spec.json")
})

// noLoader loads nothing: the schema is in one piece.
type noLoader struct{}

func (noLoader) Load(string) (any, error) { return nil, errUnchecked }

// validation checks one document against the schema.
type validation struct {
	p          *project
	unit       *unit
	document   *part
	complaints []complaint
	seen       map[*part]bool
}

// validate reports all that the schema has against the project, and leaves it
// out. It reports whether it left anything out.
func (p *project) validate() bool {
	var complaints []complaint
	found := false
	for _, u := range p.opened {
		for _, document := range u.rendered {
			if document.off {
				continue
			}
			v := validation{p: p, unit: u, document: document, seen: map[*part]bool{}}
			v.check()
			for _, c := range v.complaints {
				found = true
				c.part.off = true
				// What a part lacks may be what was left out of it before.
				if !c.part.broken {
					complaints = append(complaints, c)
				}
			}
			for _, c := range v.complaints {
				v.markBroken(c.where)
			}
		}
	}
	p.complain(complaints)
	return found
}

// markBroken marks the parts that lead to one.
func (v *validation) markBroken(where []string) {
	at := v.document
	at.broken = true
	for _, name := range where {
		if at = at.child(name); at == nil {
			return
		}
		at.broken = true
	}
}

// child finds an entry or an item, whether or not it is left out.
func (p *part) child(name string) *part {
	for _, e := range p.entries {
		if e.name == name {
			return e.value
		}
	}
	if i, err := strconv.Atoi(name); err == nil && i >= 0 && i < len(p.items) {
		return p.items[i]
	}
	return nil
}

func (v *validation) check() {
	value := v.value(v.document, nil)
	// The schema's library knows the types of JSON only.
	text, err := json.Marshal(value)
	if err != nil {
		return
	}
	value, err = jsonschema.UnmarshalJSON(strings.NewReader(string(text)))
	if err != nil {
		return
	}
	var invalid *jsonschema.ValidationError
	if errors.As(composeSchema().Validate(value), &invalid) {
		v.collect(invalid)
	}
}

// value is what compose-go makes of a part before it validates. A text that
// cannot be cast to the type of its attribute is left out.
func (v *validation) value(at *part, where []string) any {
	switch at.kind {
	case yaml.MappingNode:
		mapping := map[string]any{}
		for _, e := range at.entries {
			if !e.value.off {
				mapping[e.name] = v.value(e.value, append(where, e.name))
			}
		}
		return mapping
	case yaml.SequenceNode:
		list := []any{}
		for i, item := range at.items {
			// What is left out keeps its index, so that a location is the place
			// in the part.
			if !item.off {
				list = append(list, v.value(item, append(where, strconv.Itoa(i))))
			}
		}
		return list
	default:
		return v.scalar(at, where)
	}
}

func (v *validation) scalar(at *part, where []string) any {
	if at.plain {
		var value any
		if yaml.Unmarshal([]byte(at.text), &value) != nil {
			return nil
		}
		if f, ok := value.(float64); ok && (math.IsNaN(f) || math.IsInf(f, 0)) {
			v.complain(at, where, manifest.Say("must be a finite number"))
			return nil
		}
		return value
	}
	text := v.p.tokens.restore(at.text)
	cast := castOf(where)
	if cast == nil {
		return text
	}
	value, err := cast(text)
	if err == nil {
		return value
	}
	reason := manifest.Say("must be a number")
	if _, err := cast("true"); err == nil {
		reason = manifest.Say("must be true or false")
	}
	v.complain(at, where, reason)
	return nil
}

var castAttributes = sync.OnceValue(func() *tree.Matcher {
	var patterns []tree.Path
	for pattern := range casts() {
		patterns = append(patterns, pattern)
	}
	return tree.NewMatcher(patterns...)
})

// castOf is the cast of an attribute, or nil.
func castOf(where []string) interpolation.Cast {
	path := tree.NewPath(where...)
	if !castAttributes().Matches(path) {
		return nil
	}
	for pattern, cast := range casts() {
		if path.Matches(pattern) {
			return cast
		}
	}
	return nil
}

// complain adds a complaint, the first one about each part.
func (v *validation) complain(at *part, where []string, reason manifest.Text) {
	if v.seen[at] {
		return
	}
	v.seen[at] = true
	v.complaints = append(v.complaints, complaint{v.unit, at, slices.Clone(where), slices.Clone(where), reason})
}

// locate finds the part at a location of the validated value, which lacks what
// is left out, and the way to it.
func (v *validation) locate(location []string) (*part, []string) {
	at, where := v.document, []string{}
	for _, name := range location {
		next := at.child(name)
		if at.kind == yaml.SequenceNode {
			index, _ := strconv.Atoi(name)
			next = nil
			for i, item := range at.items {
				if item.off {
					continue
				}
				if index == 0 {
					next, name = item, strconv.Itoa(i)
					break
				}
				index--
			}
		}
		if next == nil {
			break
		}
		at, where = next, append(where, name)
	}
	return at, where
}

// collect turns an error into complaints about the parts that it is about.
func (v *validation) collect(e *jsonschema.ValidationError) {
	switch e.ErrorKind.(type) {
	case *kind.OneOf, *kind.AnyOf:
		if len(e.Causes) > 0 {
			v.alternatives(e)
			return
		}
	default:
		if len(e.Causes) > 0 {
			for _, cause := range e.Causes {
				v.collect(cause)
			}
			return
		}
	}
	at, where := v.locate(e.InstanceLocation)
	switch k := e.ErrorKind.(type) {
	case *kind.AdditionalProperties:
		for _, name := range k.Properties {
			if child := at.child(name); child != nil {
				v.unknown(child, append(slices.Clone(where), name))
			}
		}
	case *kind.Required:
		// Another file may have what this one lacks.
		if v.unit.kind != baseUnit && !v.unit.override {
			v.complain(at, where, manifest.Say("lacks %s", manifest.Join(manifest.Names(k.Missing), ", ")))
		}
	case *kind.FalseSchema:
		// An attribute that is not valid makes the schema forget about those that
		// it knows.
		if len(where) > 0 && at.at != nil && !attributes().service[where[len(where)-1]] {
			v.unknown(at, where)
		}
	default:
		v.complain(at, where, reasonOf(e.ErrorKind))
	}
}

// unknown complains about an attribute by the name of what has it.
func (v *validation) unknown(at *part, where []string) {
	v.complain(at, where, manifest.Say("has an attribute that Compose does not know"))
	if c := &v.complaints[len(v.complaints)-1]; c.part == at {
		c.shown = c.where[:len(where)-1]
	}
}

// alternatives picks what is wrong with a value that none of several schemas
// accept: what the one that is made for its type has against it.
func (v *validation) alternatives(e *jsonschema.ValidationError) {
	var want []string
	var closest *jsonschema.ValidationError
	for _, cause := range e.Causes {
		if types := wrongType(cause, len(e.InstanceLocation)); types != nil {
			want = append(want, types...)
		} else if closest == nil || depth(cause) > depth(closest) {
			closest = cause
		}
	}
	if closest != nil {
		v.collect(closest)
		return
	}
	at, where := v.locate(e.InstanceLocation)
	v.complain(at, where, typeReason(want))
}

// wrongType lists the types that a schema wants for a value at this depth if
// all it has against the value is its type.
func wrongType(e *jsonschema.ValidationError, at int) []string {
	if k, ok := e.ErrorKind.(*kind.Type); ok && len(e.InstanceLocation) == at {
		return k.Want
	}
	var want []string
	for _, cause := range e.Causes {
		types := wrongType(cause, at)
		if types == nil {
			return nil
		}
		want = append(want, types...)
	}
	return want
}

func depth(e *jsonschema.ValidationError) int {
	deepest := len(e.InstanceLocation)
	for _, cause := range e.Causes {
		deepest = max(deepest, depth(cause))
	}
	return deepest
}

// reasonOf says what the schema has against a value. All words are ours or the
// schema's.
func reasonOf(k jsonschema.ErrorKind) manifest.Text {
	switch k := k.(type) {
	case *kind.Type:
		return typeReason(k.Want)
	case *kind.Enum:
		var words []string
		for _, want := range k.Want {
			if word, ok := want.(string); ok {
				words = append(words, word)
			}
		}
		return manifest.Say("must be one of %s", manifest.Join(manifest.Names(words), ", "))
	case *kind.Minimum:
		return manifest.Say("must be at least %s", manifest.Number(k.Want.Num().Int64()))
	case *kind.Maximum:
		return manifest.Say("must be at most %s", manifest.Number(k.Want.Num().Int64()))
	case *kind.UniqueItems:
		return manifest.Say("contains a duplicate item")
	case *kind.Pattern:
		return manifest.Say("does not have the form that Compose expects")
	}
	return manifest.Say("is not accepted by Compose")
}

func typeReason(want []string) manifest.Text {
	words := make([]string, 0, len(want))
	for _, word := range want {
		if word == "object" {
			word = "mapping"
		}
		words = append(words, word)
	}
	slices.Sort(words)
	return manifest.Say("must be of type %s", manifest.Join(manifest.Names(slices.Compact(words)), " or "))
}
