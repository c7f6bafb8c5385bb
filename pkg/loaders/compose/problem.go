package compose

import (
	"errors"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/derekg1729/dsnlint/pkg/loaders/compose/internal/interp"
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
	text    manifest.Text
	// words says that the words of the group follow, which are the schema's own.
	words bool
}{
	{regexp.MustCompile(`additional propert|unevaluated propert|false schema`), manifest.Say("is not known to Compose"), false},
	{regexp.MustCompile(`missing propert(?:y|ies) ('[\w', -]+)`), manifest.Say("lacks"), true},
	{regexp.MustCompile(`must be an? ([a-z, ]+)$`), manifest.Say("must be of type"), true},
	{regexp.MustCompile(`must be ((?:greater|less) than or equal to \d+)`), manifest.Say("must be"), true},
	{regexp.MustCompile(`value must be one of ([\w', -]+)$`), manifest.Say("must be one of"), true},
	{regexp.MustCompile(`items at \d+ and \d+ are equal`), manifest.Say("holds the same item twice"), false},
	{regexp.MustCompile(`invalid boolean`), manifest.Say("must be true or false"), false},
	{regexp.MustCompile(`invalid duration|missing unit|unknown unit`), manifest.Say("must be a duration, such as 10s"), false},
	{regexp.MustCompile(`invalid s(?:ize|uffix)`), manifest.Say("must be a size, such as 512m"), false},
	{regexp.MustCompile(`strconv\.\w+: parsing`), manifest.Say("must be a number or a size, such as 512m"), false},
	{regexp.MustCompile(`([a-z_|]+) attributes are mutually exclusive`), manifest.Say("may have only one of"), true},
	{regexp.MustCompile(`one of ([a-z_|]+) must be set`), manifest.Say("must have one of"), true},
	{regexp.MustCompile(`empty compose file`), manifest.Say("the file is empty; expected services"), false},
	{regexp.MustCompile(`top-level object must be a mapping`), manifest.Say("the file must hold a mapping"), false},
	{regexp.MustCompile(`(?i)invalid (?:ip|port|proto|container ?port|host ?port)|no port specified|port for port`), manifest.Say("there is a port that is not valid"), false},
	{regexp.MustCompile(`invalid spec|empty volume spec|too many colons|field Source must not be empty`), manifest.Say("there is a volume that is not valid"), false},
	{regexp.MustCompile(`declared with a trailing space`), manifest.Say("there is a variable whose name ends in a space"), false},
	{regexp.MustCompile(`non-string key`), manifest.Say("there is a key that is not a text"), false},
	{regexp.MustCompile(`cannot override`), manifest.Say("is of another type than in the file that it overrides"), false},
	{regexp.MustCompile(`invalid command line string`), manifest.Say("there is a command with an open quote"), false},
	{regexp.MustCompile(`node visit limit`), manifest.Say("the file has too many nodes"), false},
}

func reasonOf(message string) manifest.Text {
	for _, r := range reasons {
		match := r.message.FindStringSubmatch(message)
		switch {
		case match == nil:
			continue
		case r.words:
			return manifest.Say("%s %s", r.text, manifest.Join(manifest.Names(schemaWord.FindAllString(match[1], -1)), ", "))
		}
		return r.text
	}
	return manifest.Text{}
}

var schemaWord = regexp.MustCompile(`[\w-]+`)

// interpolationReason says what is wrong with a text that is interpolated.
func interpolationReason(err error) manifest.Text {
	switch {
	case errors.Is(err, interp.ErrTooDeep):
		return manifest.Say("invalid interpolation: defaults are nested too deeply")
	case errors.Is(err, interp.ErrTooLong):
		return manifest.Say("the interpolated value is longer than 1 MiB")
	}
	return manifest.Say("invalid interpolation: expected ${NAME}, $NAME, or $$ for a dollar sign")
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
		if found.node == nil && reason.IsZero() {
			continue
		}
		told = true
		p.reportAt(found, reason, err)
	}
	if !told {
		p.reportAt(location{}, manifest.Text{}, err)
	}
}

func (p *project) reportAt(at location, reason manifest.Text, cause error) {
	problem := &manifest.Problem{
		Severity: manifest.Error,
		Position: manifest.Position{File: p.main[0].file},
		Message:  manifest.Say("not a valid Compose file"),
		Hint:     manifest.Say("docker compose config tells more"),
		Cause:    cause,
	}
	if reason.IsZero() {
		reason = manifest.Say("Compose does not take it")
	} else {
		problem.Hint = manifest.Text{}
	}
	if at.node != nil {
		problem.Position = at.unit.position(at.node)
		problem.Message = manifest.Say("%s: %s %s", problem.Message, at.name, reason)
	} else {
		problem.Message = manifest.Say("%s: %s", problem.Message, reason)
	}
	p.report(problem)
}

// location is a node that a message's path names.
type location struct {
	unit *unit
	node *yaml.Node
	// name is the path, as far as the file has it.
	name manifest.Text
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
					found, deepest = location{u, n, manifest.Join(manifest.Names(parts[:depth]), ".")}, depth
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
