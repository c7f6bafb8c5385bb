package kustomize

import (
	"errors"
	"path"
	"reflect"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v4"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"

	"github.com/derekg1729/dsnlint/pkg/manifest"
	"github.com/derekg1729/dsnlint/pkg/source"
)

// maxFolders bounds how many kustomizations one run reads.
const maxFolders = 5000

// scan follows kustomizations to all files they use, and copies these into
// memory.
type scan struct {
	tree     *source.Tree
	memory   filesys.FileSystem
	folders  map[string]*kustomization
	read     map[string]bool
	docs     map[string][]*yaml.Node
	inlined  map[*yaml.Node]inlinePatch
	values   []string
	problems []*manifest.Problem
}

// kustomization is one folder's.
type kustomization struct {
	dir, file string
	root      *yaml.Node
	// uses are the folders of its bases and components, in order.
	uses []*kustomization
	// used tells that another kustomization has it for a base or component.
	used bool
}

// inMemory is where the copy of a file or folder lies. The repository's root is
// not that of the file system, which the engine takes for no kustomization.
func inMemory(name string) string { return path.Join("/repository", name) }

func newScan(tree *source.Tree) *scan {
	return &scan{
		tree: tree, memory: filesys.MakeFsInMemory(),
		folders: map[string]*kustomization{}, read: map[string]bool{}, docs: map[string][]*yaml.Node{}, inlined: map[*yaml.Node]inlinePatch{},
	}
}

func (k *kustomization) isComponent() bool {
	_, kind := source.Lookup(k.root, "kind")
	return kind != nil && kind.Value == "Component"
}

func (s *scan) report(p *manifest.Problem) { s.problems = append(s.problems, p) }

// folder reads the kustomization of a folder, once.
func (s *scan) folder(dir string, at manifest.Position) *kustomization {
	if k, ok := s.folders[dir]; ok {
		return k
	}
	s.folders[dir] = nil
	if len(s.folders) > maxFolders {
		return nil
	}
	for _, name := range fileNames {
		file := path.Join(dir, name)
		data, err := s.tree.Read(file)
		if err != nil {
			continue
		}
		docs, err := source.ParseYAML(file, data)
		if p := (*manifest.Problem)(nil); errors.As(err, &p) {
			s.report(p)
			return nil
		}
		if len(docs) != 1 || len(docs[0].Content) != 1 || docs[0].Content[0].Kind != yaml.MappingNode {
			s.report(&manifest.Problem{Severity: manifest.Error, Position: manifest.Position{File: file, Line: 1, Column: 1},
				Message: manifest.Say("expected one kustomization, a mapping")})
			return nil
		}
		k := &kustomization{dir: dir, file: file, root: expand(docs[0].Content[0])}
		if key := unknownKey(k.root); key != nil {
			s.report(&manifest.Problem{Severity: manifest.Error, Position: source.NodePosition(file, key),
				Message: manifest.Say("unknown field in a kustomization"), Hint: manifest.Say("fields are written as the documentation has them, in small letters first")})
			return nil
		}
		s.folders[dir], s.read[file] = k, true
		s.follow(k)
		return k
	}
	s.report(&manifest.Problem{Severity: manifest.Error, Position: at, Message: manifest.Say("expected a file or a folder with a kustomization.yaml")})
	return nil
}

// expand gives a tree without aliases and merge keys: what the engine would see
// through them must not pass by what is looked at here.
func expand(node *yaml.Node) *yaml.Node {
	node = source.Resolve(node)
	plain := *node
	plain.Anchor, plain.Content = "", nil
	if node.Kind != yaml.MappingNode {
		for _, item := range node.Content {
			plain.Content = append(plain.Content, expand(item))
		}
		return &plain
	}
	seen := map[string]bool{}
	for key, value := range source.Entries(node) {
		if !seen[key.Value] {
			seen[key.Value] = true
			plain.Content = append(plain.Content, expand(key), expand(value))
		}
	}
	return &plain
}

// knownFields are the fields of a kustomization. The engine takes them in any
// case, so that all others are refused.
var knownFields = sync.OnceValue(func() map[string]bool {
	known := map[string]bool{"apiVersion": true, "kind": true}
	t := reflect.TypeFor[types.Kustomization]()
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		known[name] = true
	}
	return known
})

func unknownKey(root *yaml.Node) *yaml.Node {
	for key := range source.Entries(root) {
		if !knownFields()[key.Value] {
			return key
		}
	}
	return nil
}

// notRun are the fields that only a plugin, a command or a download can serve.
var notRun = []string{"helmCharts", "helmChartInflationGenerator", "helmGlobals", "generators", "transformers", "validators"}

// follow reads what a kustomization uses, and puts a copy without what is not
// followed into memory.
func (s *scan) follow(k *kustomization) {
	kept := *k.root
	kept.Content = nil
	for i := 0; i+1 < len(k.root.Content); i += 2 {
		key, value := k.root.Content[i], k.root.Content[i+1]
		switch {
		case slices.Contains(notRun, key.Value):
			s.notFollowed(k, key, manifest.Say("%s needs a plugin or a download", manifest.Name(key.Value)))
			continue
		case key.Value == "buildMetadata":
			continue
		case slices.Contains([]string{"resources", "bases", "components", "crds", "configurations", "patchesStrategicMerge"}, key.Value):
			value = s.list(k, key.Value, value)
		default:
			if value = s.field(k, value); value == nil {
				continue
			}
		}
		kept.Content = append(kept.Content, key, value)
	}
	kept.Content = append(kept.Content,
		&yaml.Node{Kind: yaml.ScalarNode, Value: "buildMetadata"},
		&yaml.Node{Kind: yaml.SequenceNode, Content: []*yaml.Node{{Kind: yaml.ScalarNode, Value: "originAnnotations"}}})
	text, err := yaml.Marshal(&kept)
	if err == nil {
		err = s.memory.WriteFile(inMemory(k.file), text)
	}
	if err != nil {
		s.report(&manifest.Problem{Severity: manifest.Error, Position: manifest.Position{File: k.file}, Message: manifest.Say("cannot prepare the kustomization"), Cause: err})
	}
}

func (s *scan) notFollowed(k *kustomization, node *yaml.Node, why manifest.Text) {
	s.report(&manifest.Problem{
		Severity: manifest.Notice, Position: source.NodePosition(k.file, node),
		Message: manifest.Say("not followed: %s", why),
		Hint:    manifest.Say("what it brings is not checked; render it and give the output to dsnlint"),
	})
}

// list follows a list of files and folders, and gives it without those that are
// not followed.
func (s *scan) list(k *kustomization, field string, list *yaml.Node) *yaml.Node {
	kept := *list
	kept.Content = nil
	for _, item := range list.Content {
		item = source.Resolve(item)
		if field == "patchesStrategicMerge" && strings.Contains(item.Value, "\n") {
			kept.Content = append(kept.Content, item)
			continue
		}
		if isRemote(item.Value) {
			s.notFollowed(k, item, manifest.Say("a remote resource is never fetched"))
			continue
		}
		if s.entry(k, item) {
			kept.Content = append(kept.Content, item)
		}
	}
	return &kept
}

// entry follows one file or folder.
func (s *scan) entry(k *kustomization, item *yaml.Node) bool {
	at := source.NodePosition(k.file, item)
	name, err := s.tree.Join(k.dir, item.Value, at)
	if err != nil {
		s.fail(err)
		return false
	}
	data, err := s.tree.Read(name)
	if err != nil {
		used := s.folder(name, at)
		if used == nil {
			return false
		}
		used.used = true
		k.uses = append(k.uses, used)
		return true
	}
	s.file(name, data)
	return true
}

func (s *scan) fail(err error) {
	if p := (*manifest.Problem)(nil); errors.As(err, &p) {
		s.report(p)
	}
}

// file copies a file into memory and remembers what it holds.
func (s *scan) file(name string, data []byte) {
	if s.read[name] {
		return
	}
	s.read[name] = true
	if err := s.memory.WriteFile(inMemory(name), data); err != nil {
		s.report(&manifest.Problem{Severity: manifest.Error, Position: manifest.Position{File: name}, Message: manifest.Say("cannot prepare the file"), Cause: err})
	}
	if ext := path.Ext(name); ext != ".yaml" && ext != ".yml" && ext != ".json" {
		return
	}
	docs, err := source.ParseYAML(name, data)
	s.fail(err)
	for _, doc := range docs {
		if len(doc.Content) == 1 {
			s.docs[name] = append(s.docs[name], source.Resolve(doc.Content[0]))
		}
		s.collect(doc)
	}
}

// collect keeps the scalar values that an error must not quote.
func (s *scan) collect(node *yaml.Node) {
	for i, child := range node.Content {
		isKey := node.Kind == yaml.MappingNode && i%2 == 0
		if child.Kind == yaml.ScalarNode && !isKey && len(child.Value) > 3 {
			s.values = append(s.values, child.Value)
		}
		s.collect(child)
	}
}

// field follows the files of any other field, such as patches and generators. It
// gives the field without the items that would have to be fetched.
func (s *scan) field(k *kustomization, value *yaml.Node) *yaml.Node {
	if value.Kind != yaml.SequenceNode {
		if !s.files(k, value) {
			return nil
		}
		return value
	}
	kept := *value
	kept.Content = slices.DeleteFunc(slices.Clone(value.Content), func(item *yaml.Node) bool { return !s.files(k, item) })
	return &kept
}

// files follows every path that stands under path, files, env or envs. It is
// false where one is remote.
func (s *scan) files(k *kustomization, node *yaml.Node) bool {
	node = source.Resolve(node)
	if node == nil {
		return true
	}
	s.collect(node)
	local := true
	for key, value := range source.Entries(node) {
		value = source.Resolve(value)
		is := func(name string) bool { return strings.EqualFold(key.Value, name) }
		switch {
		case is("path"), is("env"):
			local = s.path(k, value) && local
		case is("files"), is("envs"):
			for _, item := range value.Content {
				local = s.path(k, source.Resolve(item)) && local
			}
		default:
			local = s.files(k, value) && local
		}
	}
	if node.Kind == yaml.SequenceNode {
		for _, item := range node.Content {
			local = s.files(k, item) && local
		}
	}
	return local
}

// path copies one file that a field names. It is false for one that is not there
// or would have to be fetched.
func (s *scan) path(k *kustomization, item *yaml.Node) bool {
	if item.Kind != yaml.ScalarNode || item.Value == "" {
		return true
	}
	// A generator may write KEY=FILE.
	name := item.Value
	if key, file, ok := strings.Cut(name, "="); ok && !isRemote(key) {
		name = file
	}
	if isRemote(name) {
		s.notFollowed(k, item, manifest.Say("a remote file is never fetched"))
		return false
	}
	joined, err := s.tree.Join(k.dir, name, source.NodePosition(k.file, item))
	if err != nil {
		s.fail(err)
		return false
	}
	data, err := s.tree.Read(joined)
	if err != nil {
		s.report(&manifest.Problem{Severity: manifest.Error, Position: source.NodePosition(k.file, item),
			Message: manifest.Say("cannot read the file that is named here"), Cause: err})
		return false
	}
	s.file(joined, data)
	return true
}

// isRemote tells whether kustomize would take a path for a repository or a URL.
func isRemote(name string) bool {
	name = strings.ToLower(name)
	return strings.HasPrefix(name, "http:") || strings.HasPrefix(name, "https:") || strings.Contains(name, "://") || strings.Contains(name, "?ref=") || strings.Contains(name, "git::") ||
		strings.HasPrefix(name, "git@") || strings.HasPrefix(name, "github.com/") || strings.HasPrefix(name, "gitlab.com/") ||
		strings.Contains(name, ".git/") || strings.HasSuffix(name, ".git")
}
