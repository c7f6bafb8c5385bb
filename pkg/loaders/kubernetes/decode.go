package kubernetes

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v4"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	kyaml "sigs.k8s.io/yaml"

	"github.com/derekg1729/dsnlint/pkg/internal/suggest"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// decoder reads places into the types of k8s.io/api as the API server does in
// strict field validation. sigs.k8s.io/yaml, which kubectl uses, decides what a
// scalar is, but does not say where one stands that is of the wrong type; so the
// types are walked along with the nodes. What is wrong is reported and left out,
// and the rest is read.
type decoder struct {
	*loader
	// lenient passes over fields that the type does not have, as is right for
	// kinds that extend the types of k8s.io/api.
	lenient bool
}

func (d decoder) decode(p place, into any) { d.value(p, reflect.ValueOf(into).Elem()) }

func (d decoder) value(p place, into reflect.Value) {
	if p.node == nil || !d.spend(p.object, 1) || isNull(p.node) {
		return
	}
	if into.Kind() == reflect.Pointer {
		into.Set(reflect.New(into.Type().Elem()))
		into = into.Elem()
	}
	if custom, ok := into.Addr().Interface().(json.Unmarshaler); ok {
		d.custom(p, custom)
		return
	}
	switch into.Kind() {
	case reflect.Struct:
		d.structure(p, into)
	case reflect.Map:
		d.mapping(p, into)
	case reflect.Slice:
		d.slice(p, into)
	default:
		d.scalar(p, into)
	}
}

func (d decoder) structure(p place, into reflect.Value) {
	if !d.is(p, yaml.MappingNode) {
		return
	}
	fields := fieldsOf(into.Type())
	for _, entry := range p.entries() {
		if index, ok := fields[entry.name()]; ok {
			d.value(entry, into.FieldByIndex(index))
		} else if !d.lenient {
			d.unknown(entry, into.Type().Name(), fields)
		}
	}
}

func (d decoder) mapping(p place, into reflect.Value) {
	if !d.is(p, yaml.MappingNode) {
		return
	}
	into.Set(reflect.MakeMap(into.Type()))
	for _, entry := range p.entries() {
		value := reflect.New(into.Type().Elem()).Elem()
		d.value(entry, value)
		into.SetMapIndex(reflect.ValueOf(entry.name()).Convert(into.Type().Key()), value)
	}
}

// slice keeps a place in the list for every item, also for one that cannot be
// read, so that the n-th item is at the n-th node.
func (d decoder) slice(p place, into reflect.Value) {
	if into.Type().Elem().Kind() == reflect.Uint8 {
		d.bytes(p, into)
		return
	}
	if !d.is(p, yaml.SequenceNode) {
		return
	}
	items := p.items()
	into.Set(reflect.MakeSlice(into.Type(), len(items), len(items)))
	for i, item := range items {
		d.value(item, into.Index(i))
	}
}

func (d decoder) bytes(p place, into reflect.Value) {
	if !d.is(p, yaml.ScalarNode) {
		return
	}
	data, err := base64.StdEncoding.DecodeString(p.node.Value)
	switch {
	case err == nil:
		into.SetBytes(data)
	case !isPlaceholder(p.node.Value):
		d.wrong(p, manifest.Say("base64"), manifest.Say("other text"), manifest.Say("write the text under stringData, which takes it as it is"))
	}
}

// custom reads types with a JSON form of their own, such as quantities.
func (d decoder) custom(p place, into json.Unmarshaler) {
	switch into.(type) {
	case *metav1.FieldsV1, *runtime.RawExtension:
		return // anything goes, and nothing in it concerns us
	}
	if !d.is(p, yaml.ScalarNode) {
		return
	}
	text, err := json.Marshal(scalarValue(p.node))
	if err == nil {
		err = into.UnmarshalJSON(text)
	}
	if err != nil && !isPlaceholder(p.node.Value) {
		d.wrong(p, manifest.Say("a valid %s", manifest.Name(reflect.TypeOf(into).Elem().Name())), manifest.Say("something else"), manifest.Text{})
	}
}

func (d decoder) scalar(p place, into reflect.Value) {
	if !d.is(p, yaml.ScalarNode) {
		return
	}
	value := scalarValue(p.node)
	var expected, hint manifest.Text
	switch into.Kind() {
	case reflect.String:
		// What was meant is plain, so the text is used all the same.
		into.SetString(p.node.Value)
		if _, ok := value.(string); !ok {
			expected, hint = manifest.Say("a string"), manifest.Say("put it in quotes")
		}
	case reflect.Bool:
		if b, ok := value.(bool); ok {
			into.SetBool(b)
		} else {
			expected = manifest.Say("true or false")
		}
	default:
		n, ok := value.(float64)
		switch {
		case !ok:
			expected = manifest.Say("a number")
		case into.CanInt() && n == math.Trunc(n) && !into.OverflowInt(int64(n)):
			into.SetInt(int64(n))
		case into.CanFloat():
			into.SetFloat(n)
		default:
			expected = manifest.Say("a whole number in range")
		}
	}
	if _, isString := value.(string); expected.IsZero() || isString && isPlaceholder(p.node.Value) {
		return
	}
	d.wrong(p, expected, describe(p.node), hint)
}

func (d decoder) is(p place, kind yaml.Kind) bool {
	if p.node.Kind == kind {
		return true
	}
	if p.node.Kind == yaml.ScalarNode && isPlaceholder(p.node.Value) {
		return false
	}
	d.wrong(p, kindNames[kind], describe(p.node), manifest.Text{})
	return false
}

func (d decoder) wrong(p place, expected, found, hint manifest.Text) {
	message := manifest.Say("expected %s, found %s", expected, found)
	if name := p.name(); name != "" {
		message = manifest.Say("`%s`: %s", manifest.Name(name), message)
	}
	d.report(&manifest.Problem{Severity: manifest.Error, Position: p.valuePosition(), Message: message, Hint: hint})
}

// unknown judges a field that the type does not have. One that is spelt nearly
// like another is taken for a mistake; any other may be newer than the types.
func (d decoder) unknown(p place, typeName string, fields map[string][]int) {
	// Directives of a strategic merge patch begin with a dollar sign.
	if strings.HasPrefix(p.name(), "$") {
		return
	}
	problem := &manifest.Problem{
		Severity: manifest.Notice,
		Position: p.position(),
		Message:  manifest.Say("unknown field in %s; ignored", manifest.Name(typeName)),
	}
	if meant, ok := nearest(p.name(), fields); ok {
		problem.Severity = manifest.Error
		problem.Message = manifest.Say("unknown field in %s", manifest.Name(typeName))
		problem.Hint = suggest.Question(meant)
	}
	d.report(problem)
}

// otherWords are what people write for a field that is called something else.
var otherWords = map[string]string{
	"environment": "env", "environments": "env", "envs": "env", "envVars": "env", "environmentFrom": "envFrom",
}

// nearest finds the field that was meant.
func nearest(word string, fields map[string][]int) (string, bool) {
	names := slices.Sorted(maps.Keys(fields))
	for _, other := range slices.Sorted(maps.Keys(otherWords)) {
		if fields[otherWords[other]] != nil {
			names = append(names, other)
		}
	}
	name, ok := suggest.Nearest(word, names)
	return cmp.Or(otherWords[name], name), ok
}

var kindNames = map[yaml.Kind]manifest.Text{
	yaml.MappingNode:  manifest.Say("a mapping"),
	yaml.SequenceNode: manifest.Say("a list"),
	yaml.ScalarNode:   manifest.Say("a single value"),
}

// describe says what a node is, never what it holds.
func describe(node *yaml.Node) manifest.Text {
	if node.Kind == yaml.MappingNode && len(node.Content) > 0 && node.Content[0].Kind == yaml.MappingNode {
		return manifest.Say("a template that is not rendered") // {{ x }} is a mapping in a mapping
	}
	if node.Kind != yaml.ScalarNode {
		return kindNames[node.Kind]
	}
	switch scalarValue(node).(type) {
	case bool:
		return manifest.Say("a boolean")
	case float64:
		return manifest.Say("a number")
	}
	return manifest.Say("a string")
}

// isPlaceholder reports whether a text is one that some other tool fills in before
// the manifest is applied, so that its type says nothing.
func isPlaceholder(text string) bool {
	return strings.Contains(text, "$") || strings.Contains(text, "{{")
}

func isNull(node *yaml.Node) bool {
	return node.Kind == yaml.ScalarNode && node.ShortTag() == "!!null"
}

// scalarValue is a scalar as kubectl understands it: a string, float64, bool or
// nil.
func scalarValue(node *yaml.Node) any {
	const quoted = yaml.SingleQuotedStyle | yaml.DoubleQuotedStyle | yaml.LiteralStyle | yaml.FoldedStyle
	if node.Style&quoted != 0 || node.Style&yaml.TaggedStyle != 0 && node.ShortTag() == "!!str" || !mayBeTyped(node.Value) {
		return node.Value
	}
	var value any
	if err := kyaml.Unmarshal([]byte(node.Value), &value); err != nil {
		return node.Value
	}
	switch value.(type) {
	case nil, bool, float64:
		return value
	}
	return node.Value
}

// mayBeTyped saves the parsing of texts that are plainly strings: what is not
// begins like a number or is one of a few words.
func mayBeTyped(text string) bool {
	if text == "" || strings.IndexByte("0123456789+-.~", text[0]) >= 0 {
		return true
	}
	const longest = len("false")
	return len(text) <= longest && slices.Contains(typedWords, strings.ToLower(text))
}

// typedWords are the words of https://yaml.org/type/bool.html and
// https://yaml.org/type/null.html.
var typedWords = []string{"y", "yes", "n", "no", "true", "false", "on", "off", "null"}

var fieldCache sync.Map // reflect.Type -> map[string][]int

// fieldsOf returns the fields of a struct by their names in JSON.
func fieldsOf(t reflect.Type) map[string][]int {
	if fields, ok := fieldCache.Load(t); ok {
		return fields.(map[string][]int)
	}
	fields := map[string][]int{}
	for _, field := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name != "" && name != "-" {
			fields[name] = field.Index
		}
	}
	fieldCache.Store(t, fields)
	return fields
}
