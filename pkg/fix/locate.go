package fix

import (
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/derekg1729/dsnlint/pkg/internal/source"
	"github.com/derekg1729/dsnlint/pkg/manifest"
	"github.com/derekg1729/dsnlint/pkg/rules"
)

// entry is an item of a block collection in a container's own definition.
type entry struct {
	file *file
	// path leads from the document's root to the entry.
	path []step
	// node is the key of a mapping's entry, or the item of a list.
	node *yaml.Node
	// container is the mapping of the container that the entry is in.
	container *yaml.Node
}

// step goes from a collection to what it holds.
type step struct {
	parent *yaml.Node
	// index is that of key, or of the item of a list, in parent.Content.
	index int
	// key is nil in a list.
	key, value *yaml.Node
}

// node is what the step goes to: the key in a mapping, else the item.
func (s step) node() *yaml.Node {
	if s.key != nil {
		return s.key
	}
	return s.value
}

// locate finds the entry of a finding, or says why it is to be left alone.
func (f *Fixer) locate(finding *rules.Finding) (*entry, manifest.Text) {
	switch {
	case finding.Channel == manifest.ChannelArgument:
		return nil, manifest.Say("it is part of a command line")
	case finding.Channel == manifest.ChannelFile:
		return nil, manifest.Say("it is a file, which whatever runs in the container opens by name")
	case !slices.Contains(finding.Secrets, finding.Variable):
		return nil, manifest.Say("%s carries the secret under a name that is not forbidden, and the container may need it with another value", manifest.Name(finding.Variable))
	case f.accepted[place(finding.Position)]:
		return nil, manifest.Say("a dsnlint:ignore comment accepts another finding on it")
	case len(finding.Overlays) > 1:
		return nil, manifest.Say("several overlays use it: %s", manifest.Join(paths(finding.Overlays), ", "))
	}
	uses := f.uses[place(finding.Position)]
	for _, use := range uses {
		if use.container != finding.Container {
			return nil, manifest.Say("it reaches %s as well", manifest.Name(use.container.QualifiedName))
		}
	}
	file, reason := f.file(finding.Position.File)
	if !reason.IsZero() {
		return nil, reason
	}
	path := file.path(finding.Position)
	if len(path) == 0 {
		return nil, manifest.Say("it was not found at its position")
	}
	e, reason := site(finding, path, uses)
	if !reason.IsZero() {
		return nil, reason
	}
	e.file = file
	return e, file.refuses(e, finding)
}

// The dialects that have sites.
const (
	compose    = "compose"
	kubernetes = "kubernetes"
)

// site holds a path against the places where a container's definition keeps
// entries that can be removed.
func site(finding *rules.Finding, path []step, uses []use) (*entry, manifest.Text) {
	if finding.Container.DialectName() == compose {
		return composeSite(finding, path, uses)
	}
	return kubernetesSite(finding, path)
}

// composeSites are the collections of a service whose entries nothing else in
// the file refers to.
var composeSites = map[string]bool{
	"environment": true, "labels": true, "annotations": true,
	"build.args": true, "build.labels": true, "deploy.labels": true,
}

func composeSite(finding *rules.Finding, path []step, uses []use) (*entry, manifest.Text) {
	keys := keysOf(path)
	if len(path) < 4 || keys[0] != "services" || keys[1] != finding.Container.Name {
		return nil, elsewhere(finding)
	}
	last := len(path) - 1
	service := path[1]
	if site := strings.Join(keys[2:last], "."); !composeSites[site] {
		return nil, manifest.Say("entries of this field are not removed")
	}
	if !slices.ContainsFunc(uses, func(u use) bool { return u.stands(finding.Position.File, service.key) }) {
		return nil, elsewhere(finding)
	}
	e := &entry{path: path, node: path[last].node(), container: service.value}
	name, _, _ := strings.Cut(e.node.Value, "=")
	if path[last].key != nil {
		name = e.node.Value
	}
	if e.node.Kind != yaml.ScalarNode || name != finding.Variable {
		return nil, manifest.Say("it was not found at its position")
	}
	return e, manifest.Text{}
}

// stands tells whether a service's key in a file is that of the container itself
// rather than that of a base it extends: the entry is there with no step between,
// or the container or one of its overrides begins at that key.
func (u use) stands(file string, key *yaml.Node) bool {
	at := manifest.Position{File: file, Line: key.Line, Column: key.Column}
	return len(u.steps) == 1 || place(u.container.Position) == at ||
		slices.ContainsFunc(u.steps, func(s manifest.Step) bool { return place(s.Position) == at })
}

var containerLists = map[string]bool{"containers": true, "initContainers": true, "ephemeralContainers": true}

func kubernetesSite(finding *rules.Finding, path []step) (*entry, manifest.Text) {
	keys := keysOf(path)
	if slices.Contains(keys, "envFrom") {
		return nil, manifest.Say("it comes with a whole Secret or ConfigMap that envFrom imports")
	}
	last := len(path) - 1
	if last > 1 && keys[last] == finding.Variable && keys[last-1] == "annotations" && keys[last-2] == "metadata" {
		return &entry{path: path, node: path[last].node()}, manifest.Text{}
	}
	list := slices.IndexFunc(keys, func(key string) bool { return containerLists[key] })
	if list < 0 || len(path) < list+4 || keys[list+2] != "env" {
		return nil, elsewhere(finding)
	}
	container, item := path[list+1].value, path[list+3]
	if _, name := source.Lookup(container, "name"); name == nil || source.Resolve(name).Value != finding.Container.Name {
		return nil, elsewhere(finding)
	}
	if _, name := source.Lookup(item.value, "name"); name == nil || source.Resolve(name).Value != finding.Variable {
		return nil, manifest.Say("it was not found at its position")
	}
	return &entry{path: path[:list+4], node: item.value, container: container}, manifest.Text{}
}

func elsewhere(finding *rules.Finding) manifest.Text {
	return manifest.Say("it stands outside the definition of %s itself: in a fragment, in a base, or where it is generated from", manifest.Name(finding.Container.Name))
}

// keysOf gives the keys of a path, empty for the items of lists.
func keysOf(path []step) []string {
	keys := make([]string, len(path))
	for i, s := range path {
		if s.key != nil {
			keys[i] = s.key.Value
		}
	}
	return keys
}

// refuses says what in its file speaks against removing an entry.
func (f *file) refuses(e *entry, finding *rules.Finding) manifest.Text {
	last := e.path[len(e.path)-1]
	if last.parent.Style&yaml.FlowStyle != 0 {
		return manifest.Say("it is in a collection in flow style, on one line with others")
	}
	for _, s := range e.path {
		if f.aliased[s.parent] {
			return manifest.Say("it stands below an anchor that is used elsewhere too")
		}
	}
	if f.aliasedBelow(last) {
		return manifest.Say("it holds an anchor that is used elsewhere")
	}
	if finding.Container.DialectName() == kubernetes && f.template {
		return manifest.Say("its file is a template")
	}
	if finding.Channel == manifest.ChannelEnv && f.reads(e, finding) {
		return manifest.Say("something else in the container reads $%s", manifest.Name(finding.Variable))
	}
	return manifest.Text{}
}

// aliasedBelow reports whether an entry holds an anchor that an alias uses.
func (f *file) aliasedBelow(s step) bool {
	var find func(node *yaml.Node) bool
	find = func(node *yaml.Node) bool { return f.aliased[node] || slices.ContainsFunc(node.Content, find) }
	return s.key != nil && f.aliased[s.key] || find(s.value)
}

func paths(list []string) []manifest.Path {
	paths := make([]manifest.Path, len(list))
	for i, p := range list {
		paths[i] = manifest.Path(p)
	}
	return paths
}

// mentions are references that the container itself resolves: $(NAME) in
// Kubernetes, and what a shell in it reads. In Compose only the latter is left,
// with its dollar escaped.
var mentions = map[string]*regexp.Regexp{
	compose:    regexp.MustCompile(`\$\$\{?([A-Za-z_][A-Za-z0-9_]*)`),
	kubernetes: regexp.MustCompile(`\$[({]?([A-Za-z_][A-Za-z0-9_]*)`),
}

// reads tells whether anything in the container's definition mentions the
// variable, a script that it runs or mounts does, or another of its values is
// built from it.
func (f *file) reads(e *entry, finding *rules.Finding) bool {
	container := finding.Container
	if f.mentioned(e.container, container.DialectName())[finding.Variable] {
		return true
	}
	for _, script := range container.Scripts {
		text, _ := script.Text.Reveal()
		for _, m := range mentions[kubernetes].FindAllStringSubmatch(text, -1) {
			if m[1] == finding.Variable {
				return true
			}
		}
	}
	if container.DialectName() == compose {
		return false // a reference is to a variable of the project, not to the container's
	}
	readers := f.readersOf(container)[finding.Variable]
	return slices.ContainsFunc(readers, func(at manifest.Position) bool { return at != place(finding.Position) })
}

// readersOf gives, for each variable that values of a container are built from,
// the places of such values: two of them where there are more, for the question
// is whether there is one beside a given place.
func (f *file) readersOf(c *manifest.Container) map[string][]manifest.Position {
	if known, ok := f.readers[c]; ok {
		return known
	}
	readers := map[string][]manifest.Position{}
	visited := map[*manifest.Ref][]manifest.Position{}
	add := func(to []manifest.Position, at manifest.Position) ([]manifest.Position, bool) {
		if len(to) == 2 || slices.Contains(to, at) {
			return to, false
		}
		return append(to, at), true
	}
	for _, d := range c.Deliveries {
		at := place(d.Position())
		done := func(ref *manifest.Ref) bool {
			var fresh bool
			visited[ref], fresh = add(visited[ref], at)
			return !fresh
		}
		for ref := range d.Expr.Origins(done) {
			if ref.Kind == manifest.RefVariable {
				readers[ref.Name], _ = add(readers[ref.Name], at)
			}
		}
	}
	f.readers[c] = readers
	return readers
}

// mentioned gives the variables that the scalars of a container mention.
func (f *file) mentioned(container *yaml.Node, dialect string) map[string]bool {
	if all, ok := f.mentions[container]; ok {
		return all
	}
	all := map[string]bool{}
	seen := map[*yaml.Node]bool{}
	var visit func(node *yaml.Node)
	visit = func(node *yaml.Node) {
		if node = source.Resolve(node); node == nil || seen[node] {
			return
		}
		seen[node] = true
		if node.Kind == yaml.ScalarNode {
			for _, m := range mentions[dialect].FindAllStringSubmatch(node.Value, -1) {
				all[m[1]] = true
			}
		}
		for _, child := range node.Content {
			visit(child)
		}
	}
	visit(container)
	f.mentions[container] = all
	return all
}
