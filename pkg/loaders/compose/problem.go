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
	errPanic     = errors.New("compose-go gave up")
	errUnchecked = errors.New("a file that was not checked is not read")
)

// reasons are what compose-go holds against projects. Its messages quote
// values, so that only what is matched here goes on, and only a group of the
// match where the text has a place for it.
var reasons = []struct {
	message *regexp.Regexp
	text    string
}{
	{regexp.MustCompile(`additional propert|unevaluated propert|false schema`), "is not known to Compose"},
	{regexp.MustCompile(`missing propert(?:y|ies) ('[\w', -]+)`), "lacks $1"},
	{regexp.MustCompile(`must be an? ([a-z, ]+)$`), "must be of type $1"},
	{regexp.MustCompile(`must be ((?:greater|less) than or equal to \d+)`), "must be $1"},
	{regexp.MustCompile(`value must be one of ([\w', -]+)$`), "must be one of $1"},
	{regexp.MustCompile(`items at \d+ and \d+ are equal`), "holds the same item twice"},
	{regexp.MustCompile(`invalid boolean`), "must be true or false"},
	{regexp.MustCompile(`invalid duration|missing unit|unknown unit`), "must be a duration, such as 10s"},
	{regexp.MustCompile(`invalid s(?:ize|uffix)`), "must be a size, such as 512m"},
	{regexp.MustCompile(`strconv\.\w+: parsing`), "must be a number or a size, such as 512m"},
	{regexp.MustCompile(`([a-z_|]+) attributes are mutually exclusive`), "may have only one of $1"},
	{regexp.MustCompile(`one of ([a-z_|]+) must be set`), "must have one of $1"},
	{regexp.MustCompile(`empty compose file`), "the file is empty; expected services"},
	{regexp.MustCompile(`top-level object must be a mapping`), "the file must hold a mapping"},
	{regexp.MustCompile(`(?i)invalid (?:ip|port|proto|container ?port|host ?port)|no port specified|port for port`), "there is a port that is not valid"},
	{regexp.MustCompile(`invalid spec|empty volume spec|too many colons|field Source must not be empty`), "there is a volume that is not valid"},
	{regexp.MustCompile(`declared with a trailing space`), "there is a variable whose name ends in a space"},
	{regexp.MustCompile(`non-string key`), "there is a key that is not a text"},
	{regexp.MustCompile(`cannot override`), "is of another type than in the file that it overrides"},
	{regexp.MustCompile(`invalid command line string`), "there is a command with an open quote"},
	{regexp.MustCompile(`node visit limit`), "the file has too many nodes"},
}

func reasonOf(message string) string {
	for _, r := range reasons {
		if match := r.message.FindStringSubmatchIndex(message); match != nil {
			return string(r.message.ExpandString(nil, r.text, message, match))
		}
	}
	return ""
}

// reportCompose tells what compose-go holds against the project, at the
// attribute that its message names.
func (p *project) reportCompose(err error) {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, err := range joined.Unwrap() {
			p.reportCompose(err)
		}
		return
	}
	told := false
	for message := range strings.Lines(err.Error()) {
		message = strings.TrimSpace(message)
		found := p.locate(message)
		reason := reasonOf(message)
		if found.node == nil && reason == "" {
			continue
		}
		told = true
		p.reportAt(found, reason, err)
	}
	if !told {
		p.reportAt(location{}, "", err)
	}
}

func (p *project) reportAt(at location, reason string, cause error) {
	problem := &manifest.Problem{
		Severity: manifest.Error,
		Position: manifest.Position{File: p.main[0].file},
		Message:  "not a valid Compose file",
		Hint:     "docker compose config tells more",
		Cause:    cause,
	}
	if reason == "" {
		reason = "Compose does not take it"
	} else {
		problem.Hint = ""
	}
	if at.node != nil {
		problem.Position = at.unit.position(at.node)
		problem.Message += ": " + at.name
		reason = " " + reason
	} else {
		reason = ": " + reason
	}
	problem.Message += reason
	p.report(problem)
}

// location is a node that a message's path names.
type location struct {
	unit *unit
	node *yaml.Node
	name string
}

var (
	configPath = regexp.MustCompile(`\b(?:services|jobs|networks|volumes|secrets|configs|models|include|name)(?:[.\[][^\s:,;']*)?`)
	extraKey   = regexp.MustCompile(`propert(?:y|ies) '([^']*)'`)
)

// locate finds the node that a message's path names, in the last file that has
// it. Of the path only what is in the file is kept.
func (p *project) locate(message string) location {
	var found location
	deepest := 0
	for _, name := range configPath.FindAllString(message, -1) {
		// compose-go hides dots in names.
		name = strings.ReplaceAll(name, "👻", ".")
		parts := strings.FieldsFunc(name, func(r rune) bool { return strings.ContainsRune(".[]", r) })
		if extra := extraKey.FindStringSubmatch(message); extra != nil {
			parts = append(parts, extra[1])
		}
		for _, u := range p.order() {
			for _, root := range u.documents {
				if n, depth := descend(root, parts); n != nil && depth >= deepest {
					found, deepest = location{u, n, strings.Join(parts[:depth], ".")}, depth
				}
			}
		}
	}
	return found
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
