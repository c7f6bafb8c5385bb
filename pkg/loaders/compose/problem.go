package compose

import (
	"errors"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/derekg1729/dsnlint/pkg/manifest"
	"github.com/derekg1729/dsnlint/pkg/source"
)

var (
	errPanic     = errors.New("compose-go cannot make sense of the project")
	errUnchecked = errors.New("a file that was not checked is not read")
)

// reportCompose tells what compose-go holds against the project, at the
// attribute that its message names.
func (p *project) reportCompose(err error) {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, err := range joined.Unwrap() {
			p.reportCompose(err)
		}
		return
	}
	message := p.scrub(err.Error())
	u, node := p.locate(err.Error())
	problem := &manifest.Problem{
		Severity: manifest.Error,
		Position: manifest.Position{File: p.main[0].file},
		Message:  "not a valid Compose file: " + message,
		Hint:     "docker compose config shows what Compose makes of it",
		Cause:    err,
	}
	if u != nil {
		problem.Position = u.position(node)
	}
	p.report(problem)
}

var (
	filePrefix = regexp.MustCompile(`(?s)^(validating|failed to parse) [^\n]*?\.(ya?ml|json): |^` + numbered + `\d+`)
	quotedText = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|'[^']*'|` + "`[^`]*`")
	// schemaQuotes are the messages whose quotes hold names of attributes.
	schemaQuotes = regexp.MustCompile(`additional propert|missing propert|must be one of`)
	standInText  = regexp.MustCompile("[" + standIn + numbered + `]\d+`)
)

// scrub takes every text of the manifests out of a message: what stands in
// quotes, unless it is the name of an attribute, and whatever is the value of
// some attribute.
func (p *project) scrub(message string) string {
	message = filePrefix.ReplaceAllString(message, "")
	message = standInText.ReplaceAllString(message, manifest.Masked)
	if !schemaQuotes.MatchString(message) {
		message = quotedText.ReplaceAllStringFunc(message, func(s string) string {
			if p.isKey(s[1 : len(s)-1]) {
				return s
			}
			return manifest.Masked
		})
	}
	for _, text := range p.tokens.texts {
		if len(text) > 3 && !p.isKey(text) {
			message = strings.ReplaceAll(message, text, manifest.Masked)
		}
	}
	for name, u := range p.paths {
		message = strings.ReplaceAll(message, name, u.file)
	}
	return strings.Join(strings.Fields(message), " ")
}

// isKey tells whether a text is the name of some attribute or service.
func (p *project) isKey(text string) bool {
	if p.keys == nil {
		p.keys = map[string]bool{}
		for _, u := range p.units {
			for _, root := range u.documents {
				collectKeys(root, p.keys)
			}
		}
	}
	return p.keys[text]
}

func collectKeys(node *yaml.Node, keys map[string]bool) {
	for i, child := range node.Content {
		if node.Kind == yaml.MappingNode && i%2 == 0 {
			keys[child.Value] = true
		}
		collectKeys(child, keys)
	}
}

var (
	configPath = regexp.MustCompile(`\b(?:services|jobs|networks|volumes|secrets|configs|models|include|name)(?:[.\[][^\s:,;]*)?`)
	extraKey   = regexp.MustCompile(`additional propert\S+ '([^']*)'|unevaluated propert\S+ '([^']*)'`)
)

// locate finds the node that a message's path names, in the last file that has
// it.
func (p *project) locate(message string) (*unit, *yaml.Node) {
	var found *unit
	var node *yaml.Node
	deepest := 0
	for _, name := range configPath.FindAllString(message, -1) {
		parts := strings.FieldsFunc(strings.ReplaceAll(name, "👻", "."), func(r rune) bool {
			return r == '.' || r == '[' || r == ']'
		})
		if extra := extraKey.FindStringSubmatch(message); extra != nil {
			parts = append(parts, extra[1]+extra[2])
		}
		for _, u := range p.order() {
			for _, root := range u.documents {
				if n, depth := descend(root, parts); n != nil && depth >= deepest {
					found, node, deepest = u, n, depth
				}
			}
		}
	}
	return found, node
}

// order lists the units, the main ones last and in their order.
func (p *project) order() []*unit {
	var units []*unit
	for _, u := range p.opened {
		if u.kind != mainUnit {
			units = append(units, u)
		}
	}
	return append(units, p.main...)
}

// descend follows a path of keys and indexes as far as it goes. A key may hold
// dots.
func descend(node *yaml.Node, parts []string) (*yaml.Node, int) {
	if len(parts) == 0 {
		return nil, 0
	}
	node = source.Resolve(node)
	if node.Kind == yaml.SequenceNode {
		i, err := strconv.Atoi(parts[0])
		if err != nil || i < 0 || i >= len(node.Content) {
			return nil, 0
		}
		if n, depth := descend(node.Content[i], parts[1:]); n != nil {
			return n, depth + 1
		}
		return node.Content[i], 1
	}
	for width := 1; width <= len(parts); width++ {
		key, value := source.Lookup(node, strings.Join(parts[:width], "."))
		if key == nil {
			continue
		}
		if n, depth := descend(value, parts[width:]); n != nil {
			return n, depth + width
		}
		return key, width
	}
	return nil, 0
}
