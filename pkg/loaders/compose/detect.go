package compose

import (
	"encoding/json"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/compose-spec/compose-go/v2/schema"
	"go.yaml.in/yaml/v4"

	"github.com/derekg1729/dsnlint/pkg/internal/source"
)

// isCompose reports whether a document is one of a Compose file. Its content
// decides; the name tips the balance for what has too little of it, such as an
// override file that only sets a port.
func isCompose(name string, doc *yaml.Node) bool {
	root := source.Resolve(rootOf(doc))
	if root == nil || root.Kind != yaml.MappingNode {
		return false
	}
	known, named := attributes(), isComposeName(name)
	_, services := source.Lookup(root, "services")
	_, include := source.Lookup(root, "include")
	sections := 0
	for key := range source.Entries(root) {
		switch {
		case strings.HasPrefix(key.Value, "x-"):
		case !known.root[key.Value]:
			if !named || services == nil {
				return false
			}
		case key.Value != "version" && key.Value != "name":
			sections++
		}
	}
	switch {
	case services != nil:
		return areServices(services, known.service, named)
	case include != nil:
		return source.Resolve(include).Kind == yaml.SequenceNode
	}
	return named && sections > 0
}

// areServices reports whether a services section is one of Compose: mappings most of
// whose attributes are a service's. Where some are not, one must have an image or a
// build, as other languages too have services with a command. A file of the right name
// needs only the mappings. A misspelt attribute is thus an error, and no reason to pass
// the file over.
func areServices(services *yaml.Node, known map[string]bool, named bool) bool {
	services = source.Resolve(services)
	if services.Kind != yaml.MappingNode {
		return named
	}
	attributes, unknown, runs := 0, 0, false
	for _, service := range source.Entries(services) {
		if source.Resolve(service).Kind != yaml.MappingNode {
			if named {
				continue
			}
			return false
		}
		for key := range source.Entries(service) {
			switch {
			case known[key.Value], strings.HasPrefix(key.Value, "x-"):
				attributes++
				runs = runs || key.Value == "image" || key.Value == "build"
			default:
				unknown++
			}
		}
	}
	return named || unknown == 0 && attributes > 0 || runs && unknown < attributes
}

// isComposeName reports whether a file is named as Compose files are.
func isComposeName(name string) bool {
	base := strings.ToLower(path.Base(name))
	stem, ok := strings.CutSuffix(base, path.Ext(base))
	if !ok || !slices.Contains([]string{".yml", ".yaml", ".json"}, path.Ext(base)) {
		return false
	}
	parts := strings.FieldsFunc(stem, func(r rune) bool { return r == '-' || r == '.' || r == '_' })
	return slices.Contains(parts, "compose")
}

type attributeNames struct {
	root, service map[string]bool
	// all are those of any object.
	all map[string]bool
}

// attributes are the names that Compose's own schema knows.
var attributes = sync.OnceValue(func() attributeNames {
	type object struct {
		Properties map[string]json.RawMessage `json:"properties"`
	}
	var s struct {
		object
		Definitions map[string]object `json:"$defs"`
	}
	if err := json.Unmarshal([]byte(schema.Schema), &s); err != nil {
		// The schema is a constant of compose-go's.
		panic(err)
	}
	names := attributeNames{root: map[string]bool{}, service: map[string]bool{}, all: map[string]bool{}}
	for name := range s.Properties {
		names.root[name] = true
	}
	for _, definition := range []string{"container_spec", "workload_spec", "service"} {
		for name := range s.Definitions[definition].Properties {
			names.service[name] = true
		}
	}
	var document any
	if err := json.Unmarshal([]byte(schema.Schema), &document); err != nil {
		panic(err)
	}
	addProperties(document, names.all)
	return names
})

// addProperties adds the names of all properties in a schema.
func addProperties(schema any, names map[string]bool) {
	switch schema := schema.(type) {
	case map[string]any:
		for keyword, value := range schema {
			if properties, ok := value.(map[string]any); ok && keyword == "properties" {
				for name := range properties {
					names[name] = true
				}
			}
			addProperties(value, names)
		}
	case []any:
		for _, value := range schema {
			addProperties(value, names)
		}
	}
}
