package contract

import (
	"encoding/json"
	"reflect"
	"regexp"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/invopop/jsonschema"

	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// Schema is the JSON schema of a contract file, draft 2020-12. It knows the
// rules of the given ids. What it refuses, Parse refuses too; Parse refuses more
// where a schema has no words for it: a glob in exclude that does not parse or
// has too many alternatives, and a key that stands twice.
func Schema(ruleIDs []string) ([]byte, error) {
	s := schemaOf(ruleIDs)
	publish(s)
	data, err := json.MarshalIndent(s, "", "  ")
	return append(data, '\n'), err
}

// schemaOf makes the schema from the types, without references. The formats of
// its strings are those of the table formats.
func schemaOf(ruleIDs []string) *jsonschema.Schema {
	reflector := jsonschema.Reflector{
		Anonymous:      true,
		DoNotReference: true,
		Mapper: func(t reflect.Type) *jsonschema.Schema {
			switch t {
			case reflect.TypeFor[Phase]():
				return &jsonschema.Schema{Type: "string", Enum: []any{P0, P1}}
			case reflect.TypeFor[Level]():
				return &jsonschema.Schema{Type: "string", Enum: []any{LevelError, LevelWarning, LevelNote, LevelOff}}
			}
			return nil
		},
	}
	s := reflector.Reflect(&Contract{})
	s.Title = "dsnlint contract"
	s.Description = "What may reach which container. A key that is left out has the value of the contract that dsnlint ships with."

	// Property by property, so that an editor can complete the ids.
	rules := s.Properties.Value("rules")
	rules.Properties = jsonschema.NewProperties()
	for _, id := range ruleIDs {
		rules.Properties.Set(id, rules.AdditionalProperties)
	}
	rules.AdditionalProperties = jsonschema.FalseSchema
	return s
}

// publish puts patterns, which every validator knows, in place of formats.
func publish(s *jsonschema.Schema) {
	if s.Format != "" {
		s.Pattern = formats[s.Format].pattern.String()
		s.Format = ""
	}
	if s.Items != nil {
		publish(s.Items)
	}
	for entry := s.Properties.Oldest(); entry != nil; entry = entry.Next() {
		publish(entry.Value)
	}
}

// format is a form that text can have.
type format struct {
	// expected names the form in a message.
	expected manifest.Text
	pattern  *regexp.Regexp
	// also is a further condition that the pattern cannot state.
	also func(text string) bool
}

func (f format) matches(text string) bool {
	return f.pattern.MatchString(text) && (f.also == nil || f.also(text))
}

// The grammar of path.Match: classes and escapes, in a regular expression that
// both Go and ECMAScript read.
const (
	escape = `\\[\s\S]`
	bound  = `(?:[^\\\]\-]|` + escape + `)`
	span   = bound + `(?:-` + bound + `)?`
	// A caret that comes first negates the class and is no bound.
	class = `\[(?:\^` + span + `|(?:[^\\\]\-^]|` + escape + `)(?:-` + bound + `)?)(?:` + span + `)*\]`
	// name is that of a variable, a Kubernetes object or a key of its data.
	name = `[-._A-Za-z0-9]+`
)

var formats = map[string]format{
	"glob": {
		expected: manifest.Say("a glob such as `migrate-*`"),
		pattern:  regexp.MustCompile(`^(?:[^\\\[]|` + escape + `|` + class + `)+$`),
	},
	"image": {
		expected: manifest.Say("a glob over an image without tag and digest, such as `postgis/postgis`"),
		pattern: regexp.MustCompile(`^(?:(?:[^\\\[@]|` + escape + `|` + class + `)*/)?` +
			`(?:[^\\\[@:]|` + escape + `|` + class + `)+$`),
	},
	"path": {
		expected: manifest.Say("a glob over paths such as `**/testdata/**`"),
		pattern:  regexp.MustCompile(`^[\s\S]+$`),
		also:     isPathGlob,
	},
	"name": {
		expected: manifest.Say("a name of letters, digits, `_`, `-` and `.`"),
		pattern:  regexp.MustCompile(`^` + name + `$`),
	},
	"alternatives": {
		expected: manifest.Say("a name, or several separated by `|`"),
		pattern:  regexp.MustCompile(`^` + name + `(?:\|` + name + `)*$`),
	},
	"text": {
		expected: manifest.Say("text that is not empty"),
		pattern:  regexp.MustCompile(`^[\s\S]+$`),
	},
}

// isPathGlob reports whether a glob over paths is valid and can be matched in
// bounded time: matching tries every combination of the alternatives in braces.
func isPathGlob(glob string) bool {
	const most = 1000
	combinations := 1
	var open []int
	for i := 0; i < len(glob); i++ {
		last := len(open) - 1
		switch glob[i] {
		case '\\':
			i++
		case '{':
			open = append(open, 1)
		case ',':
			if last >= 0 {
				open[last]++
			}
		case '}':
			if last >= 0 {
				combinations *= open[last]
				open = open[:last]
			}
		}
		if combinations > most {
			return false
		}
	}
	return doublestar.ValidatePattern(glob)
}
