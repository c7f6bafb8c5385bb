package kubernetes

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.yaml.in/yaml/v4"

	"github.com/derekg1729/dsnlint/pkg/internal/source"
	"github.com/derekg1729/dsnlint/pkg/internal/source/sourcetest"
	"github.com/derekg1729/dsnlint/pkg/internal/testtree"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// load loads files, which are given as NAME, content, NAME, content.
func load(t testing.TB, opts Options, files ...string) ([]manifest.Container, []*manifest.Problem) {
	t.Helper()
	dir := t.TempDir()
	tree := sourcetest.Open(t, dir)
	var names []string
	for i := 0; i < len(files); i += 2 {
		tree.Overlay(files[i], []byte(files[i+1]))
		names = append(names, files[i])
	}
	return Containers(tree, Read(context.Background(), tree, names, opts))
}

// one loads a single file that must be without problems and have one container.
func one(t *testing.T, text string) manifest.Container {
	t.Helper()
	containers, problems := load(t, Options{}, "f.yaml", text)
	if len(problems) > 0 {
		t.Fatalf("got problems %v", problems)
	}
	if len(containers) != 1 {
		t.Fatalf("got %d containers, want one", len(containers))
	}
	return containers[0]
}

// values masks nothing that it compares: what differs is told by name only.
func checkValues(t *testing.T, env map[string]manifest.EnvVar, want map[string]string) {
	t.Helper()
	if diff := cmp.Diff(slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(env))); diff != "" {
		t.Errorf("variables differ (-want +got):\n%s", diff)
	}
	for name, text := range want {
		if v, ok := env[name]; ok && v.Value != wanted(text) {
			t.Errorf("%s has another value", name)
		}
	}
}

// unknown is what a test writes for a value that is not known.
const unknown = "?"

func wanted(text string) manifest.Value {
	if text == unknown {
		return manifest.Value{}
	}
	return manifest.Known(text)
}

// refs lists what a value is built from.
func refs(e manifest.Expr) string {
	var list []string
	for r := range e.Refs() {
		list = append(list, fmt.Sprintf("%s:%s", r.Kind, r.Name))
	}
	return strings.Join(list, ", ")
}

// trail returns the lines of a provenance.
func trail(steps []manifest.Step) string {
	var list []string
	for _, s := range steps {
		list = append(list, fmt.Sprintf("%d:%d", s.Position.Line, s.Position.Column))
	}
	return strings.Join(list, " ")
}

// aPod puts the body of a container spec into a Pod in which line 1 is the first
// of the spec.
func aPod(spec string) string {
	return strings.TrimLeft(spec, "\n") + "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: ns}\n"
}

func TestEnv(t *testing.T) {
	const objects = `
---
apiVersion: v1
kind: ConfigMap
metadata: {name: c1, namespace: ns}
data: {A: a1, B: b1, "x y": invalid, D: "$(A)"}
binaryData: {BIN: aGk=}
---
apiVersion: v1
kind: Secret
metadata: {name: s1, namespace: ns}
data: {B: YjI=, S: c2VjcmV0}
stringData: {S: wins}
`
	for name, c := range map[string]struct {
		spec string
		want map[string]string
		refs map[string]string
	}{
		"envFrom in order, the later wins": {
			spec: `
spec:
  containers:
    - name: c
      envFrom:
        - configMapRef: {name: c1}
        - secretRef: {name: s1}
`,
			want: map[string]string{"A": "a1", "B": "b2", "D": "$(A)", "S": "wins", "x y": "invalid"},
			refs: map[string]string{"A": "config key:A", "B": "secret key:B"},
		},
		"prefix": {
			spec: `
spec:
  containers:
    - name: c
      envFrom: [{prefix: P_, secretRef: {name: s1}}]
`,
			want: map[string]string{"P_B": "b2", "P_S": "wins"},
			refs: map[string]string{"P_B": "secret key:B"},
		},
		"a name that no variable can have": {
			spec: `
spec:
  containers:
    - name: c
      envFrom: [{prefix: "P=", secretRef: {name: s1}}]
`,
			want: map[string]string{},
		},
		"env overrides envFrom, and later entries win": {
			spec: `
spec:
  containers:
    - name: c
      envFrom: [{configMapRef: {name: c1}}]
      env:
        - {name: A, value: own}
        - {name: E, value: one}
        - {name: F, value: $(E)-$(A)-$(B)}
        - {name: E, value: two}
        - {name: G, value: $(E)$(D)}
`,
			want: map[string]string{
				"A": "own", "B": "b1", "D": "$(A)", "E": "two", "F": "one-own-b1", "G": "two$(A)", "x y": "invalid",
			},
			refs: map[string]string{"F": "env:E, env:A, env:B, config key:B"},
		},
		"escapes and names that are not defined": {
			spec: `
spec:
  containers:
    - name: c
      env:
        - {name: A, value: $(LATER) $$(A) $$ $( $x $}
        - {name: LATER, value: x}
        - {name: EMPTY}
`,
			want: map[string]string{"A": "$(LATER) $(A) $ $( $x $", "LATER": "x", "EMPTY": ""},
			refs: map[string]string{"A": ""},
		},
		"valueFrom": {
			spec: `
spec:
  serviceAccountName: robot
  containers:
    - name: c
      env:
        - {name: A, valueFrom: {secretKeyRef: {name: s1, key: S}}}
        - {name: B, valueFrom: {configMapKeyRef: {name: c1, key: B}}}
        - {name: C, valueFrom: {configMapKeyRef: {name: c1, key: BIN, optional: true}}}
        - {name: D, valueFrom: {secretKeyRef: {name: s1, key: NONE, optional: true}}}
        - {name: E, valueFrom: {secretKeyRef: {name: s1, key: NONE}}}
        - {name: F, valueFrom: {secretKeyRef: {name: nowhere, key: K, optional: true}}}
        - {name: G, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
        - {name: H, valueFrom: {fieldRef: {fieldPath: "metadata.annotations['note']"}}}
        - {name: I, valueFrom: {fieldRef: {fieldPath: status.podIP}}}
        - {name: J, valueFrom: {resourceFieldRef: {resource: limits.cpu}}}
        - {name: K, valueFrom: {fileKeyRef: {volumeName: v, path: p, key: KEY}}}
        - {name: L, valueFrom: {fieldRef: {fieldPath: spec.serviceAccountName}}}
        - {name: M, value: "u:$(A)@h"}
`,
			want: map[string]string{
				"A": "wins", "B": "b1", "E": unknown, "F": unknown, "G": "p", "H": unknown, "I": unknown,
				"J": unknown, "K": unknown, "L": "robot", "M": "u:wins@h",
			},
			refs: map[string]string{
				"A": "secret key:S", "E": "secret key:NONE", "F": "secret key:K", "K": "variable:KEY",
				"M": "env:A, secret key:S",
			},
		},
		"an import whose keys are not known may define a name": {
			spec: `
spec:
  containers:
    - name: c
      envFrom: [{prefix: P_, secretRef: {name: nowhere}}]
      env:
        - {name: A, value: $(P_X)}
        - {name: B, value: $(X)}
`,
			want: map[string]string{"A": unknown, "B": "$(X)"},
			refs: map[string]string{"A": "env:P_X", "B": ""},
		},
	} {
		t.Run(name, func(t *testing.T) {
			container := one(t, aPod(c.spec)+objects)
			checkValues(t, testtree.Env(&container), c.want)
			for name, want := range c.refs {
				if got := refs(testtree.Env(&container)[name].Expr); got != want {
					t.Errorf("%s is built from %q, want %q", name, got, want)
				}
			}
		})
	}
}

func TestPositions(t *testing.T) {
	c := one(t, aPod(`
spec:
  containers:
    - name: c
      image: i
      envFrom:
        - secretRef:
            name: s
      env:
        - name: A
          valueFrom:
            secretKeyRef:
              name: s
              key: K
        - name: B
          value: $(A)
`)+`---
apiVersion: v1
kind: Secret
metadata: {name: s}
stringData:
  K: hunter2
`)
	if got := c.Position.String(); got != "f.yaml:3:7" {
		t.Errorf("the container is at %s", got)
	}
	for name, want := range map[string]string{
		"K": "6:11 24:3",
		"A": "9:11 11:13 24:3",
		"B": "14:11",
	} {
		if got := trail(testtree.Env(&c)[name].Provenance); got != want {
			t.Errorf("%s comes by %s, want %s", name, got, want)
		}
	}
	if got := trail(testtree.Env(&c)["B"].Expr[0].Ref.Steps); got != "9:11 11:13 24:3" {
		t.Errorf("A of B comes by %s", got)
	}
}

func TestWhichObject(t *testing.T) {
	secret := func(namespace, value string) string {
		return fmt.Sprintf("apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: %s}\nstringData: {K%s: hunter2}\n", namespace, value)
	}
	workload := func(namespace string) string {
		return fmt.Sprintf("apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: %s}\nspec: {containers: [{name: c, envFrom: [{secretRef: {name: s}}]}]}\n", namespace)
	}
	for name, c := range map[string]struct {
		files []string
		want  string
	}{
		"the same directory": {
			[]string{"prod/app.yaml", workload(""), "prod/s.yaml", secret("", "1"), "staging/s.yaml", secret("", "2")}, "K1",
		},
		"the same file": {
			[]string{"a/app.yaml", workload("") + "---\n" + secret("", "1"), "a/s.yaml", secret("", "2")}, "K1",
		},
		"equally near": {
			[]string{"a/app.yaml", workload(""), "b/s.yaml", secret("", "1"), "c/s.yaml", secret("", "2")}, "K1 K2",
		},
		"the namespace goes before the directory": {
			[]string{"a/app.yaml", workload("x"), "a/s.yaml", secret("", "1"), "b/s.yaml", secret("x", "2")}, "K2",
		},
		"no namespace is the default one": {
			[]string{"a/app.yaml", workload(""), "a/s.yaml", secret("x", "1"), "b/s.yaml", secret("default", "2")}, "K2",
		},
		"a namespace that kubectl is told": {
			[]string{"a/app.yaml", workload("x"), "b/s.yaml", secret("", "1")}, "K1",
		},
		"another namespace": {
			[]string{"a/app.yaml", workload("x"), "a/s.yaml", secret("z", "1")}, "opaque",
		},
	} {
		t.Run(name, func(t *testing.T) {
			containers, problems := load(t, Options{}, c.files...)
			if len(problems) > 0 || len(containers) != 1 {
				t.Fatalf("got %d containers and problems %v", len(containers), problems)
			}
			got := strings.Join(slices.Sorted(maps.Keys(testtree.Env(&containers[0]))), " ")
			if len(containers[0].Opaque) > 0 {
				got += "opaque"
			}
			if got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestDeclaredKeys(t *testing.T) {
	const text = `
apiVersion: v1
kind: Pod
metadata: {name: p, namespace: ns}
spec: {containers: [{name: c, envFrom: [{secretRef: {name: s}}]}]}
`
	for name, c := range map[string]struct {
		declared manifest.DeclaredSecret
		want     int
	}{
		"any namespace":     {manifest.DeclaredSecret{Name: "s", Keys: []string{"K"}}, 1},
		"the namespace":     {manifest.DeclaredSecret{Namespace: "ns", Name: "s", Keys: []string{"K"}}, 1},
		"another namespace": {manifest.DeclaredSecret{Namespace: "x", Name: "s", Keys: []string{"K"}}, 0},
		"another name":      {manifest.DeclaredSecret{Name: "t", Keys: []string{"K"}}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			containers, _ := load(t, Options{Declared: []manifest.DeclaredSecret{c.declared}}, "f.yaml", text)
			if len(containers) != 1 || len(testtree.Env(&containers[0])) != c.want || len(containers[0].Opaque) != 1-c.want {
				t.Fatalf("got %+v", containers)
			}
			if v, ok := testtree.Env(&containers[0])["K"]; ok && v.Position().Line != 5 {
				t.Errorf("K is at %v", v.Position())
			}
		})
	}
	t.Run("with the prefix of a renderer", func(t *testing.T) {
		docs, _ := source.ParseDocuments("f.yaml", []byte(strings.ReplaceAll(text, "name: s", "name: prod-s")))
		object := Object{Node: content(docs[0]), File: "f.yaml", Names: []string{"app"}}
		_, name := source.Lookup(object.Node, "metadata")
		name.Content[1].Value = "prod-app"
		containers, _ := Containers(nil, NewSet([]Object{object}, Options{Declared: []manifest.DeclaredSecret{{Name: "s", Keys: []string{"K"}}}}))
		if got := containers[0]; len(testtree.Env(&got)) != 1 || strings.Join(got.RoleNames, " ") != "c prod-app app" {
			t.Errorf("got %v with the role names %v", testtree.Env(&got), got.RoleNames)
		}
	})
}

func TestDocuments(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"several, empty ones and others": {`
# nothing
---
---
apiVersion: v1
kind: Pod
metadata: {name: a}
spec: {containers: [{name: one}]}
---
apiVersion: example.com/v1
kind: Widget
spec: {containers: 7}
---
just: data
---
apiVersion: v1
kind: Pod
metadata: {name: b}
spec: {containers: [{name: two}]}
`, "one two"},
		"List": {`
apiVersion: v1
kind: List
items:
  - {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: one}]}}
  - apiVersion: v1
    kind: List
    items: [{apiVersion: v1, kind: Pod, metadata: {name: b}, spec: {containers: [{name: two}]}}]
`, "one two"},
		"typed list": {`
apiVersion: apps/v1
kind: DeploymentList
items:
  - {metadata: {name: a}, spec: {template: {spec: {containers: [{name: one}]}}}}
`, "one"},
		"JSON": {`{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {"containers": [{"name": "one"}]}}`, "one"},
		"anchors and merge keys": {`
apiVersion: v1
kind: Pod
metadata: {name: a}
spec:
  initContainers: [&base {name: one, image: i}]
  containers: [{<<: *base, name: two}]
`, "one two"},
		"null lists": {`
apiVersion: v1
kind: Pod
metadata: {name: a}
spec: {containers: [null, {name: one, env: null, envFrom: }], volumes: }
`, " one"},
	} {
		t.Run(name, func(t *testing.T) {
			containers, problems := load(t, Options{}, "f.yaml", c.text)
			if len(problems) > 0 {
				t.Errorf("got problems %v", problems)
			}
			var names []string
			for _, c := range containers {
				names = append(names, c.Name)
			}
			if got := strings.Join(names, " "); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestProblems(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"misspelt fields": {
			aPod(`
spec:
  containers:
    - name: c
      enviroment: []
      envfrom: []
      comand: [x]
`),
			[]string{
				"error 4:7 unknown field in Container (did you mean `env`?)",
				"error 5:7 unknown field in Container (did you mean `envFrom`?)",
				"error 6:7 unknown field in Container (did you mean `command`?)",
			},
		},
		"a field that is like no other": {
			aPod("spec:\n  containers:\n    - {name: c, sparkle: hunter2}\n"),
			[]string{"notice 3:17 unknown field in Container; ignored"},
		},
		"wrong types": {
			aPod(`
spec:
  hostNetwork: "yes"
  terminationGracePeriodSeconds: hunter2
  containers:
    - name: c
      command: hunter2
      resources: {limits: {memory: hunter2}}
      env:
        - {name: A, value: 5432}
        - {name: B, value: yes}
        - hunter2
        - {name: C, value: ok}
`),
			[]string{
				"error 2:16 `hostNetwork`: expected true or false, found a string",
				"error 3:34 `terminationGracePeriodSeconds`: expected a number, found a string",
				"error 6:16 `command`: expected a list, found a string",
				"error 7:36 `memory`: expected a valid Quantity, found something else",
				"error 9:28 `value`: expected a string, found a number (put it in quotes)",
				"error 10:28 `value`: expected a string, found a boolean (put it in quotes)",
				"error 11:11 expected a mapping, found a string",
			},
		},
		"a template": {
			aPod("spec:\n  hostname: {{ hunter2 }}\n  containers: [{name: c}]\n"),
			[]string{"error 2:13 `hostname`: expected a single value, found a template that is not rendered"},
		},
		"bad base64": {
			"apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata:\n  K: hunter2\n  L: ${HUNTER2}\n",
			[]string{"error 5:6 `K`: expected base64, found other text (write the text under stringData, which takes it as it is)"},
		},
		"a duplicate key": {
			"apiVersion: v1\nkind: Pod\nkind: hunter2\n---\n" + aPod("spec: {containers: [{name: c}]}\n"),
			[]string{"error 3:1 duplicate key (first defined on line 2)"},
		},
		"directives of a patch, and kinds that extend the API": {
			`apiVersion: apps/v1
kind: Deployment
spec: {template: {spec: {containers: [{name: c, $patch: delete}]}}}
---
apiVersion: serving.knative.dev/v1
kind: Service
spec: {template: {spec: {containerConcurrency: 1, containers: [{name: c}]}}}
---
apiVersion: apps/v9
kind: Deployment
spec: {template: {spec: {containers: [{name: c, sparkle: 1}]}}}
`, nil,
		},
		"an encrypted Secret": {
			"apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {K: 'ENC[x]'}\nsops: {version: 3}\n", nil,
		},
		"values that a tool fills in": {
			aPod("spec:\n  hostNetwork: ${HOST_NETWORK}\n  containers: [{name: c, ports: [{containerPort: $PORT}]}]\n"), nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, problems := load(t, Options{}, "f.yaml", c.text)
			var got []string
			for _, p := range problems {
				if strings.Contains(strings.ToLower(p.Error()), "hunter2") {
					t.Fatal("a problem shows a value")
				}
				text := fmt.Sprintf("%s %d:%d %s", p.Severity, p.Position.Line, p.Position.Column, p.Message)
				if !p.Hint.IsZero() {
					text += " (" + p.Hint.String() + ")"
				}
				got = append(got, text)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("problems differ (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCorpus(t *testing.T) {
	const root = "../../../../shared/corpus/cogni"
	if _, err := os.Stat(root); err != nil {
		t.Skip("the corpus is not here")
	}
	tree := sourcetest.Open(t, root)
	files, err := filepath.Glob(root + "/infra/k8s/base/*/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for i, file := range files {
		files[i], _ = filepath.Rel(root, file)
	}
	containers, problems := Containers(tree, Read(context.Background(), tree, files, Options{}))
	if len(problems) > 0 {
		t.Errorf("got problems %v", problems)
	}
	var got []string
	for _, c := range containers {
		got = append(got, fmt.Sprintf("%s %s %d variables", c.QualifiedName, c.Position, len(testtree.Env(&c))))
		for _, o := range c.Opaque {
			got = append(got, fmt.Sprintf("opaque %s %s", o.Name, o.Provenance[0].Position))
		}
	}
	base := "infra/k8s/base/"
	want := []string{
		"default/Deployment/node-app/migrate " + base + "node-app/deployment.yaml:59:11 9 variables",
		"opaque node-app-secrets " + base + "node-app/deployment.yaml:68:15",
		"default/Deployment/node-app/app " + base + "node-app/deployment.yaml:78:11 10 variables",
		"opaque node-app-secrets " + base + "node-app/deployment.yaml:110:15",
		"default/Deployment/scheduler-worker/scheduler-worker " + base + "scheduler-worker/deployment.yaml:45:11 8 variables",
		"opaque scheduler-worker-secrets " + base + "scheduler-worker/deployment.yaml:82:15",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("containers differ (-want +got):\n%s", diff)
	}
}

func TestLocate(t *testing.T) {
	docs, _ := source.ParseDocuments("rendered.yaml", []byte(`apiVersion: v1
kind: Pod
metadata: {name: p}
spec:
  containers:
    - name: c
      env:
        - name: A
          value: x
`))
	object := Object{
		Node: content(docs[0]), File: "chart/templates/pod.yaml", Source: "chart", Overlays: []string{"o"},
		Locate: func(node *yaml.Node) []manifest.Step {
			step := manifest.Step{Position: manifest.Position{File: "chart/templates/pod.yaml", Line: 100 + node.Line}}
			if node.Value != "value" {
				return []manifest.Step{step}
			}
			return []manifest.Step{step, {Position: manifest.Position{File: "chart/values.yaml", Line: 7}, Text: manifest.Say("value of db.url")}}
		},
	}
	containers, problems := Containers(nil, NewSet([]Object{object}, Options{}))
	if len(problems) > 0 || len(containers) != 1 {
		t.Fatalf("got %d containers and %v", len(containers), problems)
	}
	c := containers[0]
	if c.Position.Line != 106 || c.Project.Source != "chart" || !slices.Equal(c.Overlays, []string{"o"}) {
		t.Errorf("got a container of %+v at %v in %v", c.Project, c.Position, c.Overlays)
	}
	var got []string
	for _, s := range testtree.Env(&c)["A"].Provenance {
		got = append(got, s.Position.String()+" "+s.Text.String())
	}
	if diff := cmp.Diff([]string{"chart/templates/pod.yaml:108 env of container c", "chart/values.yaml:7 value of db.url"}, got); diff != "" {
		t.Errorf("steps differ (-want +got):\n%s", diff)
	}
}

func TestSameOnEveryRun(t *testing.T) {
	var files []string
	for _, name := range []string{"deployment.yaml", "makers.yaml"} {
		data, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, name, string(data))
	}
	first, problems := load(t, Options{}, files...)
	if len(first) != 4 || len(problems) > 0 {
		t.Fatalf("got %d containers and %v", len(first), problems)
	}
	for range 5 {
		if again, _ := load(t, Options{}, files...); !cmp.Equal(first, again, cmpopts.IgnoreUnexported(manifest.Ref{}), cmpopts.EquateComparable(manifest.Text{}), cmp.Comparer(func(a, b *manifest.Dialect) bool { return a == b })) {
			t.Fatal("another run gives other containers")
		}
	}
}
