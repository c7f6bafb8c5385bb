package kustomize

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	k8syaml "sigs.k8s.io/yaml"

	"github.com/derekg1729/dsnlint/pkg/internal/source"
	"github.com/derekg1729/dsnlint/pkg/internal/source/sourcetest"
	"github.com/derekg1729/dsnlint/pkg/internal/testtree"
)

// marker is a location that the engine would fetch, and a directory of the tree.
const marker = "evil@registry.invalid:org/repo"

// data are the fields of a kustomization that hold no location. A field of the
// engine's types that is not among them must not reach the engine as it is
// written.
var data = []string{
	".MetaData.", ".NamePrefix", ".NameSuffix", ".Namespace", ".CommonAnnotations", ".Labels.",
	".Patches.Target.", ".Images.", ".Replacements.Replacement.", ".Replicas.",
	".Vars.", ".SortOptions.", ".GeneratorOptions.", ".BuildMetadata",
	".ConfigMapGenerator.GeneratorArgs.Namespace", ".ConfigMapGenerator.GeneratorArgs.Name", ".ConfigMapGenerator.GeneratorArgs.Behavior",
	".ConfigMapGenerator.GeneratorArgs.Options.", ".ConfigMapGenerator.GeneratorArgs.KvPairSources.LiteralSources",
	".SecretGenerator.GeneratorArgs.Namespace", ".SecretGenerator.GeneratorArgs.Name", ".SecretGenerator.GeneratorArgs.Behavior",
	".SecretGenerator.GeneratorArgs.Options.", ".SecretGenerator.GeneratorArgs.KvPairSources.LiteralSources", ".SecretGenerator.Type",
	".Patches.Patch",
}

// fill writes the marker into every text of a value.
func fill(v reflect.Value) {
	switch v.Kind() { //nolint:exhaustive // the other kinds hold no text
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(v.Field(i))
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case reflect.Map:
		if v.Type().Elem().Kind() == reflect.String {
			v.Set(reflect.MakeMap(v.Type()))
			v.SetMapIndex(reflect.ValueOf("path"), reflect.ValueOf(marker))
		}
	case reflect.String:
		v.SetString(marker)
	}
}

// marked lists the fields that hold the marker.
func marked(v reflect.Value, at string) []string {
	var list []string
	switch v.Kind() { //nolint:exhaustive // the other kinds hold no text
	case reflect.Pointer:
		if !v.IsNil() {
			list = marked(v.Elem(), at)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				list = append(list, marked(v.Field(i), at+"."+v.Type().Field(i).Name)...)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			list = append(list, marked(v.Index(i), at)...)
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			list = append(list, marked(v.MapIndex(key), at+".")...)
		}
	case reflect.String:
		if strings.Contains(v.String(), marker) {
			list = append(list, at)
		}
	}
	return list
}

func tree(t *testing.T, files map[string]string) *source.Tree {
	t.Helper()
	dir := t.TempDir()
	testtree.Write(t, dir, files)
	return sourcetest.Open(t, dir)
}

// TestLocations fills every field of a kustomization with a location, and looks at
// what the engine is given: a field that a new version of the engine brings fails
// here until it is known for what it is.
func TestLocations(t *testing.T) {
	var k types.Kustomization
	fill(reflect.ValueOf(&k).Elem())
	k.TypeMeta, k.PatchesStrategicMerge[0] = types.TypeMeta{}, marker+"/patch.yaml" //nolint:staticcheck // kustomizations still use the deprecated field
	text, err := k8syaml.Marshal(k)
	if err != nil {
		t.Fatal(err)
	}
	for _, remote := range []bool{false, true} {
		file := string(text)
		if !remote {
			// What begins with ./ is local to the engine.
			file = regexp.MustCompile(`: `+marker).ReplaceAllString(file, ": ./"+marker)
			file = regexp.MustCompile(`- `+marker).ReplaceAllString(file, "- ./"+marker)
		}
		s := newScan(tree(t, map[string]string{
			"kustomization.yaml":           file,
			marker + "/kustomization.yaml": "namePrefix: x-\n",
			marker + "/patch.yaml":         "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\n",
		}), []string{"kustomization.yaml"})
		if len(s.order) == 0 {
			t.Fatalf("the kustomization is not read: %v", s.problems)
		}
		for _, field := range marked(reflect.ValueOf(s.order[0].given(false, nil)), "") {
			if !slices.ContainsFunc(data, func(known string) bool { return strings.HasPrefix(field, known) }) {
				t.Errorf("the engine is given %s as it is written", field)
			}
		}
	}
}

// recorder is a file system that keeps the names that it is asked for.
type recorder struct {
	filesys.FileSystem
	mu    sync.Mutex
	names []string
}

func (r *recorder) record(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.names = append(r.names, name)
}

func (r *recorder) ReadFile(name string) ([]byte, error) {
	r.record(name)
	return r.FileSystem.ReadFile(name)
}

func (r *recorder) Open(name string) (filesys.File, error) {
	r.record(name)
	return r.FileSystem.Open(name)
}

func (r *recorder) IsDir(name string) bool {
	r.record(name)
	return r.FileSystem.IsDir(name)
}

func (r *recorder) Exists(name string) bool {
	r.record(name)
	return r.FileSystem.Exists(name)
}

func (r *recorder) CleanedAbs(name string) (filesys.ConfirmedDir, string, error) {
	r.record(name)
	return r.FileSystem.CleanedAbs(name)
}

// ownName is the form of the names that the engine may ask for: they are made of
// numbers.
var ownName = regexp.MustCompile(`^/k/d[0-9]+(?:/(?:f[0-9]+|kustomization\.ya?ml|Kustomization))?$`)

// TestEngineAsksForOwnNames renders a tree in which every kind of entry names
// something, and looks at the names that the engine asks for.
func TestEngineAsksForOwnNames(t *testing.T) {
	const weird = "dir@host:org/repo"
	s := newScan(tree(t, map[string]string{
		"kustomization.yaml": `resources: [./` + weird + `, pods/pod.yaml, "https://registry.invalid/x", "github.com:org/repo"]
components: [component]
crds: [crd.json]
configurations: [names.yaml]
openapi: {path: schema.json}
configMapGenerator: [{name: settings, files: [texts/a.txt, KEY=texts/a.txt], envs: [a.env], literals: [L=/etc/passwd]}]
secretGenerator: [{name: secret, env: a.env}]
patches: [{path: patch.yaml}, {target: {kind: Pod}, patch: '[{"op": "add", "path": "/metadata/labels", "value": {"a": "b"}}]'}]
patchesStrategicMerge: [patch.yaml]
patchesJson6902: [{target: {version: v1, kind: Pod, name: web}, path: ops.yaml}]
replacements: [{path: replacement.yaml}]
`,
		weird + "/kustomization.yaml":  "namePrefix: x-\nresources: [other.yaml]\n",
		weird + "/other.yaml":          "apiVersion: v1\nkind: Pod\nmetadata: {name: other}\n",
		"component/kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\npatches: [{path: ../patch.yaml}]\n",
		"pods/pod.yaml":                "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: [{name: web, envFrom: [{configMapRef: {name: settings}}]}]}\n",
		"crd.json":                     "{}",
		"names.yaml":                   "namePrefix: [{path: metadata/name}]\n",
		"schema.json":                  "{}",
		"texts/a.txt":                  "text",
		"a.env":                        "A=b\n",
		"patch.yaml":                   "apiVersion: v1\nkind: Pod\nmetadata: {name: web, annotations: {a: b}}\n",
		"ops.yaml":                     "- {op: add, path: /metadata/labels/b, value: c}\n",
		"replacement.yaml":             "source: {kind: Pod, name: web}\ntargets: [{select: {kind: Pod}, fieldPaths: [metadata.annotations.c], options: {create: true}}]\n",
	}), []string{"kustomization.yaml"})
	k := s.order[0]
	in, err := k.request(nil)
	if err != nil {
		t.Fatal(err)
	}
	memory := &recorder{FileSystem: filesys.MakeFsInMemory()}
	out := renderRequest(in, memory)
	if out.Failure != rendersFine {
		t.Fatalf("it does not render: %v, %v", reasons[out.Failure], s.problems)
	}
	if len(memory.names) == 0 {
		t.Error("the engine asked for nothing")
	}
	for _, name := range memory.names {
		if !ownName.MatchString(name) {
			t.Errorf("the engine asked for %q", name)
		}
	}
	text := ""
	for _, o := range out.Objects {
		text += string(o.YAML)
	}
	if strings.Contains(text, "name: settings-") || strings.Contains(text, "name: secret-") {
		t.Error("the name of a generated object has a hash")
	}
	for _, want := range []string{"a.txt: text", "KEY: text", "L: /etc/passwd", "A: b"} {
		if !strings.Contains(text, want) {
			t.Errorf("what is rendered lacks %s", want)
		}
	}
}
