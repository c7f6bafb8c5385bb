package kustomize

import (
	"cmp"
	"errors"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
	"sigs.k8s.io/kustomize/api/types"

	"github.com/derekg1729/dsnlint/pkg/internal/source"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// scan follows kustomizations to all files they use, and writes for the engine
// what it may know of them.
type scan struct {
	tree        *source.Tree
	directories map[string]*kustomization
	// order has the kustomizations in the order in which they were found.
	order []*kustomization
	// parts are the files that a walk need not look at: kustomizations, the
	// resources and the patches of these.
	parts    map[string]bool
	files    map[string]*resourceFile
	problems []*manifest.Problem
	// marks counts the origins, and items are the items of lists that have marks.
	marks int
	items []markedItem
	// full is set once there are more kustomizations than maxFolders.
	full bool
}

// kustomization is the one of a directory.
type kustomization struct {
	dir, file string
	// root is the file as it is written, with the engine's names of its fields.
	root *yaml.Node
	// spec is what the engine is given. No text of the author's is a location in
	// it: these are names that newFile and the number made.
	spec types.Kustomization
	// number makes the name that the engine knows the directory by.
	number int
	// inputs are the files that spec names, by their names in it, and marked those of
	// them that marks are in.
	inputs, marked map[string][]byte
	// uses are the bases and components, in order; a base that is used twice is
	// there twice.
	uses []*kustomization
	// used reports whether another kustomization uses it.
	used bool
	// open is set while it is followed: to meet it again then is a cycle.
	open bool
	// partial is set where an entry of its resources or components is left out.
	partial bool
	// resources are the files of objects that it names, the broken ones included.
	resources []string
	// patches are those of spec, and generated its generators: of ConfigMaps first.
	// replacements are the places of those of spec.
	patches      []*patch
	generated    []*generated
	replacements []*origin
	vars         []*origin
	size         size
}

func newScan(tree *source.Tree, files []string) *scan {
	s := &scan{tree: tree, directories: map[string]*kustomization{}, parts: map[string]bool{}, files: map[string]*resourceFile{}}
	for _, file := range files {
		s.directory(path.Dir(file), manifest.Position{File: file})
	}
	return s
}

func (k *kustomization) isComponent() bool { return k.spec.Kind == types.ComponentKind }

// place is where a problem of the whole kustomization is.
func (k *kustomization) place() manifest.Position {
	return manifest.Position{File: k.file, Line: 1, Column: 1}
}

// engineDir is the directory that the engine knows the kustomization by.
func (k *kustomization) engineDir() string { return "d" + strconv.Itoa(k.number) }

// newFile hands the engine a file, and returns the name that the kustomization
// has for it.
func (k *kustomization) newFile(data []byte) string {
	name := "f" + strconv.Itoa(len(k.inputs))
	k.inputs[name] = data
	return name
}

func (s *scan) report(p *manifest.Problem) { s.problems = append(s.problems, p) }

func (s *scan) reportError(at manifest.Position, message manifest.Text) {
	s.report(&manifest.Problem{Severity: manifest.Error, Position: at, Message: message})
}

func (s *scan) fail(err error) {
	if p := (*manifest.Problem)(nil); errors.As(err, &p) {
		s.report(p)
	}
}

// directory reads the kustomization of a directory, once.
func (s *scan) directory(dir string, at manifest.Position) *kustomization {
	if k, ok := s.directories[dir]; ok {
		return k
	}
	file := s.kustomizationFile(dir)
	switch {
	case file == "":
		s.reportError(at, manifest.Say("expected a file or a directory with a kustomization.yaml"))
		return nil
	case len(s.order) >= maxFolders:
		if !s.full {
			s.full = true
			s.reportError(manifest.Position{File: file, Line: 1, Column: 1},
				manifest.Say("more than %s kustomizations; this one and those behind it are not rendered, and their files are checked as plain manifests", manifest.Number(maxFolders)))
		}
		return nil
	}
	s.directories[dir] = nil
	k, problem := s.parse(file)
	if problem != nil {
		s.report(problem)
		return nil
	}
	k.dir, k.number, k.inputs, k.marked = dir, len(s.order), map[string][]byte{}, map[string][]byte{}
	s.directories[dir], s.parts[file] = k, true
	s.order = append(s.order, k)
	k.open = true
	s.follow(k)
	k.open = false
	return k
}

// kustomizationFile finds the file that makes a directory a kustomization.
func (s *scan) kustomizationFile(dir string) string {
	for _, base := range fileNames {
		file := path.Join(dir, base)
		if _, err := s.tree.Read(file); err == nil {
			return file
		}
	}
	return ""
}

// isOfAnotherAPI reports whether a document is an object whose kind another API than
// that of kustomizations defines.
func isOfAnotherAPI(doc *yaml.Node) bool {
	if len(doc.Content) == 0 {
		return false
	}
	group, _, grouped := strings.Cut(value(doc.Content[0], "apiVersion"), "/")
	own, _, _ := strings.Cut(types.KustomizationVersion, "/")
	return grouped && group != own && value(doc.Content[0], "kind") != ""
}

// isEmpty reports whether a document holds nothing but comments.
func isEmpty(doc *yaml.Node) bool {
	return len(doc.Content) == 0 || doc.Content[0].ShortTag() == "!!null"
}

// parse reads a kustomization.
func (s *scan) parse(file string) (*kustomization, *manifest.Problem) {
	problem := &manifest.Problem{Severity: manifest.Error, Position: manifest.Position{File: file, Line: 1, Column: 1}}
	s.tree.As(file, source.YAML)
	docs, err := s.tree.YAML(file)
	if p := (*manifest.Problem)(nil); errors.As(err, &p) {
		return nil, p
	}
	docs = slices.DeleteFunc(slices.Clone(docs), isEmpty)
	if err != nil || len(docs) != 1 || len(docs[0].Content) != 1 || source.Resolve(docs[0].Content[0]).Kind != yaml.MappingNode {
		problem.Message = manifest.Say("expected one kustomization, a mapping")
		return nil, problem
	}
	k := &kustomization{file: file}
	var broken *manifest.Problem
	if k.root, broken = canonical(file, docs[0].Content[0]); broken != nil {
		return nil, broken
	}
	data, err := yaml.Marshal(k.root)
	if err == nil {
		err = k.spec.Unmarshal(data)
	}
	if err != nil {
		problem.Message = manifest.Say("invalid kustomization: a field holds a value of the wrong type")
		return nil, problem
	}
	if len(k.spec.EnforceFields()) > 0 {
		problem.Message = manifest.Say("apiVersion and kind are not those of a kustomization")
		return nil, problem
	}
	return k, nil
}

// entry follows one entry of resources, bases or components. Name is what the
// engine is given for it, and empty for one that is left out.
func (s *scan) entry(k *kustomization, item *yaml.Node, value string, component bool) (name string) {
	at := source.NodePosition(k.file, item)
	if isRemote(value) {
		s.notFollowed(at, manifest.Say("a remote resource is never fetched"))
		return ""
	}
	target, err := s.tree.Join(k.dir, value, at)
	if err != nil {
		s.fail(err)
		return ""
	}
	info, err := fs.Stat(s.tree.FS(), target)
	switch {
	case errors.Is(err, fs.ErrNotExist) && mayBeRemote(value):
		s.notFollowed(at, manifest.Say("a remote resource is never fetched"))
		return ""
	case errors.Is(err, fs.ErrNotExist):
		// The name may be that of no file, and is not shown.
		s.reportError(at, manifest.Say("the resource does not exist: expected a file or a directory with a kustomization.yaml"))
		return ""
	case err == nil && info.IsDir():
		return s.use(k, s.directory(target, at), at, component)
	case component:
		s.reportError(at, manifest.Say("expected a directory with a kustomization.yaml of kind Component"))
		return ""
	}
	return s.resource(k, target, at)
}

// use takes note of a base or component.
func (s *scan) use(k, used *kustomization, at manifest.Position, component bool) (name string) {
	switch {
	case used == nil:
		return ""
	case used.open:
		s.reportError(at, manifest.Say("kustomizations use each other: %s", s.cycle(used)))
		return ""
	case used.isComponent() != component:
		s.reportError(at, manifest.Say("a kustomization of kind Component belongs in components, and any other in resources"))
		return ""
	}
	used.used = true
	k.uses = append(k.uses, used)
	return "../" + used.engineDir()
}

// cycle names the kustomizations that are followed at the moment, from the one
// that closes the circle.
func (s *scan) cycle(from *kustomization) manifest.Text {
	var names []manifest.Path
	for _, k := range s.order[from.number:] {
		if k.open {
			names = append(names, manifest.Path(k.dir))
		}
	}
	return manifest.Join(append(names, manifest.Path(from.dir)), ", ")
}

func (s *scan) notFollowed(at manifest.Position, why manifest.Text) {
	s.report(&manifest.Problem{
		Severity: manifest.Notice, Position: at,
		Message: manifest.Say("not followed: %s", why),
		Hint:    manifest.Say("what it adds is not checked; render it and lint the output"),
	})
}

// resourceFile is a file of objects that was read.
type resourceFile struct {
	docs []*yaml.Node
	// text is what the engine is given, nil for a file that is broken, and marked the
	// same with marks, for the objects that origins has.
	text, marked []byte
	origins      []*origin
	size         size
}

// resource takes a file of objects for one of the kustomization's.
func (s *scan) resource(k *kustomization, name string, at manifest.Position) string {
	f := s.objects(name, at)
	if f == nil {
		return ""
	}
	k.resources = append(k.resources, name)
	s.parts[name] = true
	if f.text == nil {
		return ""
	}
	k.size.add(f.size)
	input := k.newFile(f.text)
	k.marked[input] = f.marked
	return input
}

// objects reads a file of objects, once; nil for one that cannot be read.
func (s *scan) objects(name string, at manifest.Position) *resourceFile {
	if f, ok := s.files[name]; ok {
		return f
	}
	data, ok := s.read(name, at)
	if !ok {
		return nil
	}
	s.tree.As(name, source.YAML)
	f := &resourceFile{}
	docs, problems := s.tree.Documents(name)
	s.problems = append(s.problems, problems...)
	for _, doc := range docs {
		f.docs = append(f.docs, source.Resolve(doc.Content[0]))
	}
	if len(problems) == 0 {
		f.text = textOf(data, docs)
		f.size = objectSize(f.docs, len(f.text))
		f.marked = s.markObjects(f, name)
	}
	s.files[name] = f
	return f
}

// markObjects returns the text of a file of objects with marks.
func (s *scan) markObjects(f *resourceFile, name string) []byte {
	var marked []*yaml.Node
	for _, object := range flatten(f.docs) {
		object = source.Resolve(object)
		o := s.newOrigin(source.NodePosition(name, object), cmp.Or(idOf(object).name, value(object, "name")))
		o.layers = []layer{{file: name, node: object}}
		f.origins = append(f.origins, o)
		marked = append(marked, s.marked(o, object))
	}
	return textOfNodes(marked)
}

// read reads a file that is named at a place.
func (s *scan) read(name string, at manifest.Position) ([]byte, bool) {
	data, err := s.tree.Read(name)
	if p := (*manifest.Problem)(nil); errors.As(err, &p) {
		// The name may be that of no file, and is not shown.
		s.reportError(at, p.Message)
	}
	return data, err == nil
}

// textOf is what the engine reads in place of a text that was parsed: the text
// itself, or one in which aliases are written out, so that what the engine does
// with them costs what was counted.
func textOf(data []byte, docs []*yaml.Node) []byte {
	if !slices.ContainsFunc(docs, hasAlias) {
		return data
	}
	plain := make([]*yaml.Node, len(docs))
	for i, doc := range docs {
		plain[i] = withoutAliases(doc.Content[0])
	}
	return textOfNodes(plain)
}

// textOfNodes writes documents; nil where they cannot be written.
func textOfNodes(docs []*yaml.Node) []byte {
	var text []byte
	for _, doc := range docs {
		plain, err := yaml.Marshal(doc)
		if err != nil {
			return nil
		}
		text = append(append(text, "---\n"...), plain...)
	}
	return text
}

func hasAlias(node *yaml.Node) bool {
	return node.Kind == yaml.AliasNode || slices.ContainsFunc(node.Content, hasAlias)
}

// withoutAliases copies a tree and writes out its aliases and merge keys.
func withoutAliases(node *yaml.Node) *yaml.Node {
	node = source.Resolve(node)
	plain := *node
	plain.Anchor, plain.Content = "", nil
	if node.Kind != yaml.MappingNode {
		for _, item := range node.Content {
			plain.Content = append(plain.Content, withoutAliases(item))
		}
		return &plain
	}
	for key, value := range uniqueEntries(node) {
		plain.Content = append(plain.Content, withoutAliases(key), withoutAliases(value))
	}
	return &plain
}

// subtree returns a kustomization and all that it uses, each once, in the order
// in which they were found.
func subtree(k *kustomization) []*kustomization {
	seen := map[*kustomization]bool{}
	var visit func(k *kustomization)
	visit = func(k *kustomization) {
		if seen[k] {
			return
		}
		seen[k] = true
		for _, used := range k.uses {
			visit(used)
		}
	}
	visit(k)
	return slices.SortedFunc(maps.Keys(seen), func(a, b *kustomization) int { return a.number - b.number })
}
