package compose

import (
	"cmp"
	"errors"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/loader"
	"go.yaml.in/yaml/v4"

	"github.com/derekg1729/dsnlint/pkg/internal/envfile"
	"github.com/derekg1729/dsnlint/pkg/internal/interp"
	"github.com/derekg1729/dsnlint/pkg/internal/source"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// maxUnits bounds how many files a project may be read from. The same file
// counts once for each set of variables that it is included with.
const maxUnits = 1000

// maxNodes bounds how many nodes compose-go has to work on: those of the files
// with their aliases expanded, again for each file that includes them on the way
// to a main one, and again for each service that extends them. It takes some 50
// microseconds for each.
const maxNodes = 60_000

// What compose-go does with a node for each service that extends another of the
// node's file, and for each !reset and !override, takes a fraction of that time.
const (
	cloned = 100
	cut    = 100
)

// project is one load: the files that were read, and what was found in them.
type project struct {
	tree *source.Tree
	// dir is the project's directory.
	dir string
	// name is the project's, and shownName the same as it is written.
	name, shownName string
	problems        []*manifest.Problem
	reported        map[string]bool

	main  []*unit
	units map[unitKey]*unit
	// opened are the units in the order in which they were opened.
	opened []*unit
	// nodes is how many nodes compose-go has to work on for them.
	nodes int
	// overspent is set once there would have been too many.
	overspent bool
	// extended says which service each service extends, and where.
	extended map[ref][]extension
	// included are the units below each unit, and definers those that define a
	// name, once needed.
	included map[*unit]below
	definers map[definer][]*unit
	// partial are the definitions of which not all is known.
	partial map[ref]bool
	// bases are the names of services that others extend.
	bases map[string]bool
	// depth is how many services in a row a service extends, and sizes how many
	// nodes it has with them.
	depth, sizes map[ref]int

	// variables is how many bytes of env files were read, and values how many
	// bytes of text came out of interpolation.
	variables, values int
	// full is set once there were more.
	full bool
	// written is how a text is written that came out of interpolation.
	written map[string]string
	// parsed are the env files that were parsed.
	parsed map[parsedKey]parsedFile
	// loaded is how many nodes compose-go was given so far.
	loaded int
	// scratch is the directory of the files that compose-go reads, once there is
	// one, and scratchParent where it is made.
	scratch, scratchParent string

	tokens tokens
	// paths are the units that compose-go reads from files, by their paths.
	paths map[string]*unit
	// files are the items of env_file and label_file whose files were read.
	files map[fileKey]*fileItem
	// unread are the services of which an env file is not known.
	unread map[ref]bool
}

func newProject(tree *source.Tree, first string) *project {
	return &project{
		tree:     tree,
		dir:      path.Dir(first),
		reported: map[string]bool{},
		units:    map[unitKey]*unit{},
		paths:    map[string]*unit{},
		files:    map[fileKey]*fileItem{},
		unread:   map[ref]bool{},
		extended: map[ref][]extension{},
		included: map[*unit]below{},
		written:  map[string]string{},
		parsed:   map[parsedKey]parsedFile{},
		partial:  map[ref]bool{},
		bases:    map[string]bool{},
		depth:    map[ref]int{},
		sizes:    map[ref]int{},
	}
}

// unitKind tells how a file comes into the project.
type unitKind int

const (
	mainUnit unitKind = iota
	includedUnit
	// baseUnit is a file that extends.file names. Only the services that are
	// asked for count.
	baseUnit
)

// unit is one file as it is read for one purpose, from one directory and with one
// set of variables.
type unit struct {
	unitKey
	scope    scope
	override bool
	// documents are the root nodes of the file.
	documents []*yaml.Node
	// parent is the unit that includes this one first, and step says where it does.
	parent *unit
	step   manifest.Step
	// size is how many nodes the file has, and total the same with all that it
	// includes. cuts is how many of the nodes are tagged !reset or !override.
	size, total, cuts int
	sizes             map[*yaml.Node]int
	// seen are the services of each document and what it includes, once needed.
	seen map[*yaml.Node]map[definer]bool
	// depth is how many files in a row include each other down to this one.
	depth int

	// included are the units of each include item, by the document's root.
	included map[*yaml.Node][][]*unit
	// extends are the extensions by the node that asks for them; nil for one
	// that is not followed.
	extends map[*yaml.Node]*extension
	// wanted are the names of a baseUnit's services that are asked for.
	wanted map[string]bool

	evaluated map[*yaml.Node]evaluation
	// sections are the names in the sections of each document, once needed.
	sections map[sectionKey]map[string]definition
	// alive is set while something of the file, or of what it includes, is not
	// left out.
	alive bool
	// path is how compose-go knows the file, rendered what it gets for it, and
	// text the same in YAML.
	path     string
	rendered []*part
	text     []byte
}

type unitKey struct {
	kind unitKind
	file string
	// dir is what relative paths in the file count from.
	dir string
	// variables tells scopes apart.
	variables string
}

// ref is a service as one file defines it.
type ref struct {
	unit    *unit
	section string
	name    string
}

// extension is what an extends entry asks for.
type extension struct {
	node *yaml.Node
	base ref
	// file tells that the base is asked for by its file.
	file bool
}

func (p *project) report(problem *manifest.Problem) {
	if problem == nil || p.reported[problem.Error()] {
		return
	}
	p.reported[problem.Error()] = true
	p.problems = append(p.problems, problem)
}

func (p *project) reportError(err error) {
	var problem *manifest.Problem
	if errors.As(err, &problem) {
		p.report(problem)
	}
}

func (p *project) reportUnlessAbsent(err error) {
	if !errors.Is(err, fs.ErrNotExist) {
		p.reportError(err)
	}
}

func (p *project) failAt(u *unit, node *yaml.Node, hint, message manifest.Text) {
	p.report(&manifest.Problem{
		Severity: manifest.Error, Position: u.position(node), Message: message, Hint: hint,
	})
}

func (u *unit) position(node *yaml.Node) manifest.Position { return source.NodePosition(u.file, node) }

// open reads a file, once for each purpose. A file that cannot be read is a
// problem at the place that names it.
func (p *project) open(key unitKey, variables scope, at manifest.Position, depth int) *unit {
	if u, ok := p.units[key]; ok {
		return u
	}
	if len(p.units) >= maxUnits {
		p.report(&manifest.Problem{
			Severity: manifest.Error, Position: at,
			Message: manifest.Say("the project is made of more than %s files, the most that are read", manifest.Number(maxUnits)),
		})
		return nil
	}
	if _, err := p.tree.ReadAs(key.file, source.YAML); err != nil {
		p.report(mentioned(err, at))
		return nil
	}
	docs, err := p.tree.YAML(key.file)
	if err != nil {
		p.reportError(err)
		return nil
	}
	u := &unit{
		unitKey: key, scope: variables,
		included: map[*yaml.Node][][]*unit{}, extends: map[*yaml.Node]*extension{},
		wanted: map[string]bool{}, evaluated: map[*yaml.Node]evaluation{},
		sections: map[sectionKey]map[string]definition{},
		sizes:    map[*yaml.Node]int{},
		seen:     map[*yaml.Node]map[definer]bool{},
	}
	for _, doc := range docs {
		u.documents = append(u.documents, rootOf(doc))
	}
	u.depth = depth
	for _, root := range u.documents {
		u.size += u.sizeOf(root)
	}
	u.total = u.size
	if !p.afford(u.size*(1+depth)+u.cuts*p.nodes/cut, manifest.Position{File: u.file}) {
		return nil
	}
	p.units[key] = u
	p.opened = append(p.opened, u)
	return u
}

// afford counts nodes that compose-go has to work on, and reports whether there
// may be so many.
func (p *project) afford(nodes int, at manifest.Position) bool {
	if p.nodes += nodes; p.nodes <= maxNodes {
		return true
	}
	p.nodes -= nodes
	if p.overspent {
		return false
	}
	p.overspent = true
	p.report(&manifest.Problem{
		Severity: manifest.Error, Position: at,
		Message: manifest.Say("with this, and with its aliases, includes and extended services expanded, the project has more than %s nodes, the most that are read; this and more of it is not checked",
			manifest.Number(maxNodes)),
	})
	return false
}

// sizeOf counts the nodes below a node of the unit, with aliases expanded.
func (u *unit) sizeOf(node *yaml.Node) int {
	node = source.Resolve(node)
	if node == nil {
		return 0
	}
	if known, ok := u.sizes[node]; ok {
		return known
	}
	if node.Tag == "!reset" || node.Tag == "!override" {
		u.cuts++
	}
	total := 1
	for _, child := range node.Content {
		total += u.sizeOf(child)
	}
	u.sizes[node] = total
	return total
}

// mentioned turns what is wrong with a file into a problem at the place that names
// the file.
func mentioned(err error, at manifest.Position) *manifest.Problem {
	var problem *manifest.Problem
	if !errors.As(err, &problem) || at.Line == 0 {
		return problem
	}
	moved := *problem
	moved.Position = at
	moved.Message = manifest.Say("cannot read the file that is named here: %s", problem.Message)
	return &moved
}

// evaluation is a scalar with its variables looked up.
type evaluation struct {
	template interp.Template
	text     string
	// missing tells that a variable without a value left a blank in the text.
	missing bool
	// unknown tells that the text was too long to be kept.
	unknown bool
}

// eval interpolates a scalar.
func (p *project) eval(u *unit, node *yaml.Node) evaluation {
	if e, ok := u.evaluated[node]; ok {
		return e
	}
	e := evaluation{text: node.Value, template: interp.Template{{Text: node.Value}}}
	if isText(node) {
		t, err := interp.Parse(node.Value)
		if err == nil {
			e.template = t
			e.text, e.missing, err = t.Eval(lookup(u.scope.get).text)
			e.unknown = err != nil
			e.missing = e.missing || e.text == "" && node.Value != ""
		}
		if err != nil {
			p.failAt(u, node, manifest.Text{}, interpolationReason(err))
		}
		if hasVariable(e.template) {
			p.keep(u, node, &e)
		}
	}
	u.evaluated[node] = e
	return e
}

// keep counts a text that was put together from variables, and remembers how it
// is written.
func (p *project) keep(u *unit, node *yaml.Node, e *evaluation) {
	if !p.hold(len(e.text), u.position(node)) {
		e.text, e.missing, e.unknown = "", true, true
		return
	}
	if _, ok := p.written[e.text]; !ok && e.text != "" {
		p.written[e.text] = writtenAs(e.template)
	}
}

// maxValues bounds the texts that are put together from variables.
const maxValues = 64 << 20

// hold counts such a text, and reports whether it may be kept.
func (p *project) hold(bytes int, at manifest.Position) bool {
	if p.values += bytes; p.values <= maxValues {
		return true
	}
	p.values -= bytes
	if !p.full {
		p.full = true
		p.report(&manifest.Problem{
			Severity: manifest.Error, Position: at,
			Message: manifest.Say("with its variables looked up the project holds more than %s MiB of text; this value and others are not checked", manifest.Number(maxValues>>20)),
		})
	}
	return false
}

// text is the interpolated text of a scalar, and empty for any other node.
func (p *project) text(u *unit, node *yaml.Node) string {
	node = source.Resolve(node)
	if node == nil || node.Kind != yaml.ScalarNode || node.ShortTag() == "!!null" {
		return ""
	}
	return p.eval(u, node).text
}

// isText reports whether Compose takes a scalar for a string.
func isText(node *yaml.Node) bool {
	if node.Kind != yaml.ScalarNode {
		return false
	}
	switch node.ShortTag() {
	case "!!int", "!!float", "!!bool", "!!null", "!!timestamp", "!!binary", "!!merge":
		return false
	}
	return true
}

// list returns the items of a sequence, or a lone item as a list of one.
func list(node *yaml.Node) []*yaml.Node {
	switch resolved := source.Resolve(node); {
	case resolved == nil || resolved.ShortTag() == "!!null":
		return nil
	case resolved.Kind == yaml.SequenceNode:
		return resolved.Content
	}
	return []*yaml.Node{node}
}

// setName finds the project's name by Compose's order: the variable, the last
// name that a main file gives, the directory. One that comes from a variable is
// shown as the variable.
func (p *project) setName(variables scope) {
	if v, ok := variables["COMPOSE_PROJECT_NAME"]; ok {
		if p.name = loader.NormalizeProjectName(v.value); p.name != "" {
			p.shownName = "${COMPOSE_PROJECT_NAME}"
			return
		}
	}
	for _, u := range p.main {
		for _, root := range u.documents {
			_, node := source.Lookup(root, "name")
			if node == nil {
				continue
			}
			if given := loader.NormalizeProjectName(p.text(u, node)); given != "" {
				written := writtenAs(p.eval(u, source.Resolve(node)).template)
				p.name, p.shownName = given, cmp.Or(written, p.text(u, node))
			}
		}
	}
	if p.name == "" {
		directory := path.Base(strings.ReplaceAll(p.tree.Abs(p.dir), `\`, "/"))
		p.name = cmp.Or(loader.NormalizeProjectName(directory), "default")
		p.shownName = p.name
	}
}

// follow reads what a file includes and extends.
func (p *project) follow(u *unit) {
	for _, root := range u.documents {
		p.include(u, root)
	}
	for _, root := range u.documents {
		for _, section := range []string{"services", "jobs"} {
			_, services := source.Lookup(root, section)
			for key := range source.Entries(services) {
				p.extend(ref{u, section, key.Value}, nil)
			}
		}
	}
}

// remoteForm is the form of a location that is not a path: with a scheme, or
// USER@HOST:PATH. A single letter before the colon is a drive of Windows.
var remoteForm = regexp.MustCompile(`^(?:[A-Za-z][A-Za-z0-9+.-]+:|[^/\\\\]*@[^/\\\\]*:|github\.com/)|\.git(?:#|$)`)

func isRemote(name string) bool { return strings.Contains(name, "://") || remoteForm.MatchString(name) }

// local resolves a path that is at a node, or returns why it is not followed. The
// path may hold credentials where it is remote, and is not shown then.
func (p *project) local(u *unit, node *yaml.Node, what manifest.Text) (string, *manifest.Problem) {
	name := p.text(u, node)
	problem := &manifest.Problem{Severity: manifest.Notice, Position: u.position(node)}
	switch {
	case name == "", p.eval(u, source.Resolve(node)).missing:
		problem.Message = manifest.Say("not followed: the path of the %s is not known", what)
		problem.Hint = manifest.Say("give the variables in it with --env-file")
	case isRemote(name):
		problem.Message = manifest.Say("not followed: the %s is a remote resource, and nothing is fetched", what)
		problem.Hint = manifest.Say("keep a copy below the root to have it checked")
	case strings.HasPrefix(name, "~"):
		problem.Severity, problem.Cause = manifest.Error, fs.ErrPermission
		problem.Message = manifest.Say("the path of the %s begins with ~, and nothing outside the root directory is read", what)
		problem.Hint = manifest.Say("name a file below the root")
	default:
		file, err := p.tree.Join(u.dir, name, u.position(node))
		if err == nil {
			return file, nil
		}
		problem = manifest.AsProblem(err, u.file)
	}
	return "", problem
}

// include opens the files of a document's include section.
func (p *project) include(u *unit, root *yaml.Node) {
	_, section := source.Lookup(root, "include")
	if section == nil {
		return
	}
	if source.Resolve(section).Kind != yaml.SequenceNode {
		p.failAt(u, section, manifest.Text{}, manifest.Say("include must be a list"))
		return
	}
	for _, item := range list(section) {
		group := p.includeItem(u, source.Resolve(item))
		if len(group) > 0 {
			u.included[root] = append(u.included[root], group)
		}
	}
}

func (p *project) includeItem(u *unit, item *yaml.Node) []*unit {
	paths, dir, envFiles := []*yaml.Node{item}, (*yaml.Node)(nil), (*yaml.Node)(nil)
	if item.Kind == yaml.MappingNode {
		_, node := source.Lookup(item, "path")
		paths = list(node)
		_, dir = source.Lookup(item, "project_directory")
		_, envFiles = source.Lookup(item, "env_file")
	}
	if len(paths) == 0 {
		p.failAt(u, item, manifest.Text{}, manifest.Say("include needs a path"))
		return nil
	}
	first, problem := p.local(u, paths[0], manifest.Say("included file"))
	if problem != nil {
		p.report(problem)
		return nil
	}
	key := unitKey{kind: includedUnit, dir: path.Dir(first), variables: u.variables}
	if dir != nil {
		if key.dir, problem = p.local(u, dir, manifest.Say("project_directory")); problem != nil {
			p.report(problem)
			return nil
		}
	}
	variables := u.scope
	if files := p.includeEnv(u, envFiles, key.dir); len(files) > 0 {
		variables = p.extendScope(u.scope, files)
		for _, file := range files {
			key.variables += "\n" + file.Name
		}
	}
	var group []*unit
	for _, node := range paths {
		included := p.includeFile(u, node, key, variables)
		if included == nil && len(group) == 0 {
			// The others override a file that is not there.
			return nil
		}
		if included != nil {
			group = append(group, included)
		}
	}
	return group
}

// maxIncludes bounds a chain of includes.
const maxIncludes = 100

// chainFrom lists the files from the named one to this unit that include each
// other; nil where the file does not lead here.
func (u *unit) chainFrom(file string) []string {
	for at, chain := u, []string(nil); at != nil; at = at.parent {
		chain = append(chain, at.file)
		if at.file == file {
			slices.Reverse(chain)
			return chain
		}
	}
	return nil
}

func (p *project) includeFile(u *unit, node *yaml.Node, key unitKey, variables scope) *unit {
	file, problem := p.local(u, node, manifest.Say("included file"))
	if problem != nil {
		p.report(problem)
		return nil
	}
	if cycle := u.chainFrom(file); cycle != nil {
		p.failAt(u, node, manifest.Say("remove one of the includes"), manifest.Say("include cycle: %s", manifest.Join(paths(append(cycle, file)), " includes ")))
		return nil
	}
	if u.depth >= maxIncludes {
		p.failAt(u, node, manifest.Say("include the file from one further up"), manifest.Say("more than %s files include each other in a row", manifest.Number(maxIncludes)))
		return nil
	}
	key.file = file
	if known, ok := p.units[key]; ok {
		if !p.afford(min(known.total, p.nodes), u.position(node)) {
			return nil
		}
		u.total = min(u.total+known.total, maxNodes)
		return known
	}
	included := p.open(key, variables, u.position(node), u.depth+1)
	if included == nil {
		return nil
	}
	included.parent = u
	included.step = manifest.Step{
		Position: u.position(node), Text: manifest.Say("%s includes %s", manifest.Path(u.file), manifest.Path(file)),
	}
	p.follow(included)
	u.total = min(u.total+included.total, maxNodes)
	return included
}

// includeEnv reads the env files of an include item.
func (p *project) includeEnv(u *unit, node *yaml.Node, dir string) []EnvFile {
	if len(list(node)) == 0 {
		return p.dotEnv(dir)
	}
	var files []EnvFile
	for _, item := range list(node) {
		if p.text(u, item) == "/dev/null" {
			continue
		}
		if file, ok := p.envFile(u, item, item, manifest.Say("env file")); ok {
			p.tree.As(file.Name, envfile.Dotenv)
			files = append(files, file)
		}
	}
	return files
}

func paths(files []string) []manifest.Path {
	paths := make([]manifest.Path, len(files))
	for i, file := range files {
		paths[i] = manifest.Path(file)
	}
	return paths
}

// envFile reads the file that a node names. One that is not there, or that may not be
// read, is not a failure: on a build machine there seldom is an env file.
func (p *project) envFile(u *unit, item, given *yaml.Node, what manifest.Text) (file EnvFile, ok bool) {
	name, problem := p.local(u, given, what)
	if problem == nil {
		data, err := p.tree.Read(name)
		switch {
		case err == nil:
			return EnvFile{Name: name, Data: data}, true
		case errors.Is(err, fs.ErrNotExist):
			problem = &manifest.Problem{
				Severity: manifest.Notice, Position: u.position(item),
				Message: manifest.Say("the %s does not exist", what), Hint: manifest.Say("what it passes to containers is not checked"),
			}
		default:
			problem = mentioned(err, u.position(item))
		}
	}
	if errors.Is(problem, fs.ErrPermission) {
		problem = problem.AsNotice()
	}
	p.report(problem)
	return EnvFile{}, false
}

// maxExtends bounds a chain of extends.
const maxExtends = 100

// extend follows the extends entries of a service. The stack are the services
// that led to it.
func (p *project) extend(service ref, stack []ref) {
	u := service.unit
	if _, ok := p.depth[service]; ok {
		return
	}
	p.depth[service] = 0
	for _, root := range u.documents {
		d, _ := service.definition(root)
		p.sizes[service] += u.sizeOf(d.value)
	}
	next := slices.Concat(stack, []ref{service})
	for _, root := range u.documents {
		d, _ := service.definition(root)
		_, node := source.Lookup(d.value, "extends")
		node = source.Resolve(node)
		if node == nil || node.ShortTag() == "!!null" || node.Tag == "!reset" {
			continue
		}
		e, ok := u.extends[node]
		if !ok {
			e = p.extension(service, root, node, next)
		}
		if e != nil && len(next) <= maxExtends {
			e.base.unit.wanted[e.base.name] = true
			p.bases[e.base.name] = true
			p.extend(e.base, next)
		}
		if e != nil && max(p.depth[e.base], len(stack)) >= maxExtends {
			p.failAt(u, node, manifest.Text{}, manifest.Say("more than %s services extend each other in a row", manifest.Number(maxExtends)))
			e = nil
		}
		if e != nil && !p.affordExtension(service, e, node) {
			e = nil
		}
		u.extends[node] = e
		p.partial[service] = p.partial[service] || e == nil
		if e != nil {
			p.extended[service] = append(p.extended[service], *e)
			p.depth[service] = max(p.depth[service], p.depth[e.base]+1)
		}
	}
}

// affordExtension counts what compose-go has to do for an extension.
func (p *project) affordExtension(service ref, e *extension, node *yaml.Node) bool {
	size := p.sizes[e.base]
	work := size + size*service.unit.cuts/cut
	if e.file {
		work += e.base.unit.size / cloned
	}
	p.sizes[service] += size
	return p.afford(work, service.unit.position(node))
}

// extension works out what one extends entry asks for; nil where it cannot be
// followed.
func (p *project) extension(service ref, root, node *yaml.Node, stack []ref) *extension {
	u := service.unit
	name, file := node, (*yaml.Node)(nil)
	if node.Kind == yaml.MappingNode {
		_, name = source.Lookup(node, "service")
		_, file = source.Lookup(node, "file")
	}
	e := &extension{node: node, base: ref{u, service.section, p.text(u, name)}}
	if e.base.name == "" {
		p.failAt(u, node, manifest.Text{}, manifest.Say("extends needs the name of a service"))
		return nil
	}
	if file != nil {
		name, problem := p.local(u, file, manifest.Say("extended file"))
		if problem != nil {
			p.report(problem)
			return nil
		}
		key := unitKey{kind: baseUnit, file: name, dir: path.Dir(name), variables: u.variables}
		base := p.open(key, u.scope, u.position(file), 0)
		if base == nil {
			return nil
		}
		e.base, e.file = ref{base, "services", e.base.name}, true
	}
	for i, open := range stack {
		if open == e.base {
			names := make([]string, 0, len(stack)-i+1)
			for _, r := range append(slices.Clone(stack[i:]), e.base) {
				names = append(names, r.name)
			}
			p.failAt(u, node, manifest.Say("remove one of the extends"), manifest.Say("extends cycle: %s", manifest.Join(manifest.Names(names), " extends ")))
			return nil
		}
	}
	if !e.base.exists(root) {
		p.failAt(u, node, manifest.Text{}, manifest.Say("cannot extend the service: %s has no service of that name", manifest.Path(e.base.unit.file)))
		return nil
	}
	return e
}

// exists reports whether the service can be extended: whether it is in the
// document of a main file or what that includes, or anywhere in a base file.
func (r ref) exists(root *yaml.Node) bool {
	if r.unit.kind == baseUnit {
		return r.definedIn(r.unit.documents)
	}
	return r.unit.visible(root)[definer{r.section, r.name}]
}

// visible are the services and jobs of a document and of what it includes.
func (u *unit) visible(root *yaml.Node) map[definer]bool {
	if known, ok := u.seen[root]; ok {
		return known
	}
	names := map[definer]bool{}
	for _, section := range []string{"services", "jobs"} {
		for name := range u.section(root, section) {
			names[definer{section, name}] = true
		}
	}
	for _, group := range u.included[root] {
		for _, included := range group {
			for _, root := range included.documents {
				maps.Copy(names, included.visible(root))
			}
		}
	}
	u.seen[root] = names
	return names
}

func (r ref) definedIn(roots []*yaml.Node) bool {
	for _, root := range roots {
		if _, ok := r.definition(root); ok {
			return true
		}
	}
	return false
}

// definition finds the service in a document.
func (r ref) definition(root *yaml.Node) (definition, bool) {
	d, ok := r.unit.section(root, r.section)[r.name]
	return d, ok
}

// section maps the names of a section's entries to their definitions.
func (u *unit) section(root *yaml.Node, section string) map[string]definition {
	at := sectionKey{root, section}
	names, ok := u.sections[at]
	if !ok {
		names = map[string]definition{}
		_, entries := source.Lookup(root, section)
		for key, value := range source.Entries(entries) {
			if _, ok := names[key.Value]; !ok {
				names[key.Value] = definition{key, value}
			}
		}
		u.sections[at] = names
	}
	return names
}

// definition is a service in one document.
type definition struct{ key, value *yaml.Node }

type sectionKey struct {
	root *yaml.Node
	name string
}
