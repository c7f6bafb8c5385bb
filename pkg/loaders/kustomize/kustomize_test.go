package kustomize_test

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"

	"github.com/derekg1729/dsnlint/pkg/internal/source"
	"github.com/derekg1729/dsnlint/pkg/internal/source/sourcetest"
	"github.com/derekg1729/dsnlint/pkg/internal/testtree"
	"github.com/derekg1729/dsnlint/pkg/loaders"
	"github.com/derekg1729/dsnlint/pkg/loaders/kubernetes"
	"github.com/derekg1729/dsnlint/pkg/loaders/kustomize"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

const deployment = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      containers:
        - name: web
          image: example/web
          env:
            - name: BASE
              value: base
          envFrom:
            - secretRef:
                name: web-secrets
`

// load writes files and loads the kustomizations of the directories.
func load(t *testing.T, files map[string]string, opts kubernetes.Options, dirs ...string) ([]manifest.Container, []*manifest.Problem) {
	t.Helper()
	dir := t.TempDir()
	testtree.Write(t, dir, files)
	tree := sourcetest.Open(t, dir)
	var list []string
	for _, d := range dirs {
		list = append(list, filepath.ToSlash(filepath.Join(d, "kustomization.yaml")))
	}
	containers, problems := loadAll(tree, list, opts)
	for _, p := range problems {
		if strings.Contains(p.Error(), "hunter2") {
			t.Error("a problem holds a value")
		}
	}
	return containers, problems
}

// places returns each variable of the containers with its place, and whether its entry
// is the container's own.
func places(containers []manifest.Container) []string {
	var list []string
	for _, c := range containers {
		for _, name := range slices.Sorted(maps.Keys(testtree.Env(&c))) {
			v, own := testtree.Env(&c)[name], ""
			if v.Own {
				own = " own"
			}
			list = append(list, fmt.Sprintf("%s %s %s%s", c.Name, name, v.Position(), own))
		}
		for _, o := range c.Opaque {
			list = append(list, fmt.Sprintf("%s %s %s", c.Name, o.Name, o.Provenance[0].Position))
		}
	}
	return list
}

func TestPlaces(t *testing.T) {
	base := map[string]string{"base/kustomization.yaml": "resources: [deployment.yaml]\n", "base/deployment.yaml": deployment}
	for name, c := range map[string]struct {
		files map[string]string
		want  []string
	}{
		"base alone": {
			map[string]string{"top/kustomization.yaml": "resources: [../base]\nnamePrefix: x-\n"},
			[]string{"web BASE base/deployment.yaml:16:15 own", "web web-secrets base/deployment.yaml:19:15"},
		},
		"strategic merge in a file": {
			map[string]string{
				"top/kustomization.yaml": "resources: [../base]\npatches:\n  - path: patch.yaml\n",
				"top/patch.yaml":         "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  template:\n    spec:\n      containers:\n        - name: web\n          env:\n            - name: ADDED\n              value: x\n",
			},
			[]string{"web ADDED top/patch.yaml:11:15 own", "web BASE base/deployment.yaml:16:15 own", "web web-secrets base/deployment.yaml:19:15"},
		},
		"strategic merge inline": {
			map[string]string{
				"top/kustomization.yaml": "resources: [../base]\npatches:\n  - target: {kind: Deployment}\n    patch: |\n      apiVersion: apps/v1\n      kind: Deployment\n      metadata:\n        name: any\n      spec:\n        template:\n          spec:\n            containers:\n              - name: web\n                env:\n                  - name: ADDED\n                    value: x\n",
			},
			[]string{"web ADDED top/kustomization.yaml:15:21", "web BASE base/deployment.yaml:16:15 own", "web web-secrets base/deployment.yaml:19:15"},
		},
		"JSON 6902 appends": {
			map[string]string{
				"top/kustomization.yaml": "resources: [../base]\npatches:\n  - target: {kind: Deployment, name: web}\n    patch: |\n      - op: add\n        path: /spec/template/spec/containers/0/env/-\n        value:\n          name: ADDED\n          value: x\n",
			},
			[]string{"web ADDED top/kustomization.yaml:8:11", "web BASE base/deployment.yaml:16:15 own", "web web-secrets base/deployment.yaml:19:15"},
		},
		"JSON 6902 counts items": {
			map[string]string{
				"top/kustomization.yaml": "resources: [../base]\npatches:\n  - target: {kind: Deployment, name: web}\n    patch: |\n      - op: replace\n        path: /spec/template/spec/containers/0/env/0/value\n        value: x\n",
			},
			[]string{"web BASE base/deployment.yaml:16:15", "web web-secrets base/deployment.yaml:19:15"},
		},
		"JSON 6902 adds an unnamed item": {
			map[string]string{
				"top/kustomization.yaml": "resources: [../base]\npatches:\n  - target: {kind: Deployment, name: web}\n    patch: |\n      - op: add\n        path: /spec/template/spec/containers/0/envFrom/0\n        value:\n          secretRef: {name: first}\n",
			},
			[]string{"web BASE base/deployment.yaml:16:15 own", "web first top/kustomization.yaml:8:11", "web web-secrets base/deployment.yaml:19:15"},
		},
		"patch for another": {
			map[string]string{
				"top/kustomization.yaml": "resources: [../base]\npatches:\n  - target: {kind: Deployment, name: other}\n    patch: |\n      - op: add\n        path: /spec/template/spec/containers/0/env/-\n        value: {name: ADDED, value: x}\n",
			},
			[]string{"web BASE base/deployment.yaml:16:15 own", "web web-secrets base/deployment.yaml:19:15"},
		},
		"generator": {
			map[string]string{
				"top/kustomization.yaml": "resources: [../base]\nsecretGenerator:\n  - name: web-secrets\n    envs: [web.env]\n",
				"top/web.env":            "A=hunter2\n",
			},
			[]string{"web A base/deployment.yaml:19:15", "web BASE base/deployment.yaml:16:15 own"},
		},
		"component": {
			map[string]string{
				"top/kustomization.yaml":  "resources: [../base]\ncomponents: [../comp]\n",
				"comp/kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\npatches:\n  - path: patch.yaml\n",
				"comp/patch.yaml":         "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  template:\n    spec:\n      containers:\n        - name: web\n          env:\n            - name: ADDED\n              value: x\n",
			},
			[]string{"web ADDED comp/patch.yaml:11:15 own", "web BASE base/deployment.yaml:16:15 own", "web web-secrets base/deployment.yaml:19:15"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			maps.Copy(c.files, base)
			containers, problems := load(t, c.files, kubernetes.Options{}, "base", "top")
			if len(problems) > 0 {
				t.Fatalf("problems: %v", problems)
			}
			if diff := cmp.Diff(c.want, places(containers)); diff != "" {
				t.Error(diff)
			}
			if want := []string{"top"}; len(containers) != 1 || !slices.Equal(containers[0].Overlays, want) || !slices.Contains(containers[0].RoleNames, "web") {
				t.Errorf("containers: %+v", containers)
			}
		})
	}
}

func TestDeclaredKeys(t *testing.T) {
	containers, _ := load(t, map[string]string{
		"kustomization.yaml": "resources: [deployment.yaml]\n", "deployment.yaml": deployment,
	}, kubernetes.Options{Declared: []manifest.DeclaredSecret{{Name: "web-secrets", Keys: []string{"KEY"}}}}, ".")
	if want := []string{"web BASE deployment.yaml:16:15 own", "web KEY deployment.yaml:19:15"}; !slices.Equal(places(containers), want) {
		t.Errorf("got %v, want %v", places(containers), want)
	}
}

func TestProblems(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want string
	}{
		"remote base":    {"resources:\n  - https://example.com/base?ref=v1\n", "kustomization.yaml:2:5 notice not followed"},
		"remote git":     {"resources: [\"git@example.com:base.git\"]\n", "kustomization.yaml:1:13 notice not followed"},
		"remote patch":   {"resources: [d.yaml]\npatches:\n  - path: https://example.com/p.yaml\n", "kustomization.yaml:3:11 notice not followed"},
		"remote file":    {"configMapGenerator:\n  - name: a\n    files: [a=https://example.com/x]\n", "kustomization.yaml:3:13 notice not followed"},
		"helm chart":     {"helmCharts:\n  - name: x\n    repo: https://example.com\n", "kustomization.yaml:1:1 notice not followed"},
		"merged":         {"<<: {resources: [\"https://example.com/base\"]}\n", "kustomization.yaml:1:18 notice not followed"},
		"aliased":        {"commonAnnotations: &x {a: b}\nresources: &y [\"https://example.com/base\"]\nbases: *y\n", "kustomization.yaml:2:16 notice not followed"},
		"another case":   {"Resources: [\"https://example.com/base\"]\n", "kustomization.yaml:1:13 notice not followed"},
		"nested case":    {"resources: [d.yaml]\npatches: [{Path: \"https://example.com/p.yaml\"}]\n", "kustomization.yaml:2:18 notice not followed"},
		"absent patch":   {"resources: [d.yaml]\npatches: [{path: absent.yaml}]\n", "kustomization.yaml:2:18 error the file does not exist"},
		"plugin":         {"generators:\n  - |\n    apiVersion: example.com/v1\n    kind: Plugin\n    metadata: {name: x}\n", "kustomization.yaml:2:5 notice not followed"},
		"outside":        {"resources: [../../../etc/passwd]\n", "kustomization.yaml:1:13 error the path"},
		"absent":         {"resources: [absent.yaml]\n", "kustomization.yaml:1:13 error the resource does not exist"},
		"broken YAML":    {"resources: [\n", "kustomization.yaml:1:13 error invalid YAML"},
		"does not apply": {"resources: [d.yaml]\npatches:\n  - target: {kind: Deployment}\n    patch: |\n      - {op: replace, path: /spec/nope/x, value: hunter2}\n", "kustomization.yaml:3:5 error kustomize cannot render this: a patch does not apply"},
	} {
		t.Run(name, func(t *testing.T) {
			_, problems := load(t, map[string]string{"kustomization.yaml": c.text, "d.yaml": deployment}, kubernetes.Options{}, ".")
			for _, p := range problems {
				if strings.HasPrefix(fmt.Sprintf("%s %s %s", p.Position, p.Severity, p.Message), c.want) {
					return
				}
			}
			t.Errorf("got %v, want %q", problems, c.want)
		})
	}
}

// TestCorpus holds the containers of every production overlay against what
// kustomize renders by itself.
func TestCorpus(t *testing.T) {
	root, err := filepath.Abs("../../../../shared/corpus/cogni/infra/k8s")
	if err != nil {
		t.Fatal(err)
	}
	overlays, err := filepath.Glob(filepath.Join(root, "overlays", "production", "*", "kustomization.yaml"))
	if err != nil || len(overlays) == 0 {
		t.Skip("the corpus is not here")
	}
	tree := sourcetest.Open(t, root)
	found := map[string]bool{}
	for _, overlay := range overlays {
		rel, err := tree.Rel(overlay)
		if err != nil {
			t.Fatal(err)
		}
		containers, problems := loadAll(tree, []string{rel}, kubernetes.Options{})
		for _, p := range problems {
			t.Errorf("%s: %v", rel, p)
		}
		got := map[string][]string{}
		for _, c := range containers {
			found[c.Name] = true
			got[c.Workload.Name+"/"+c.Name] = slices.Sorted(maps.Keys(testtree.Env(&c)))
		}
		if diff := cmp.Diff(rendered(t, filepath.Dir(overlay)), got); diff != "" {
			t.Errorf("%s: %s", rel, diff)
		}
	}
	for _, name := range []string{"app", "migrate", "migrate-doltgres", "scheduler-worker"} {
		if !found[name] {
			t.Errorf("found no container %s", name)
		}
	}
}

// rendered returns the names of the variables of each container, as kustomize and
// the types of Kubernetes alone have them.
func rendered(t *testing.T, dir string) map[string][]string {
	t.Helper()
	result, err := krusty.MakeKustomizer(&krusty.Options{PluginConfig: types.DisabledPluginConfig()}).Run(filesys.MakeFsOnDisk(), dir)
	if err != nil {
		t.Fatal(err)
	}
	type workload struct {
		Spec struct{ Template corev1.PodTemplateSpec }
	}
	config := map[string]map[string]string{}
	for _, r := range result.Resources() {
		if r.GetKind() == "ConfigMap" {
			config[r.GetName()] = r.GetDataMap()
		}
	}
	envs := map[string][]string{}
	for _, r := range result.Resources() {
		if r.GetKind() != "Deployment" {
			continue
		}
		text, err := r.AsYAML()
		if err != nil {
			t.Fatal(err)
		}
		var w workload
		if err := yaml.Unmarshal(text, &w); err != nil {
			t.Fatal("a rendered Deployment does not decode")
		}
		for _, c := range slices.Concat(w.Spec.Template.Spec.InitContainers, w.Spec.Template.Spec.Containers) {
			names := map[string]bool{}
			for _, from := range c.EnvFrom {
				if from.ConfigMapRef != nil {
					for key := range config[from.ConfigMapRef.Name] {
						names[key] = true
					}
				}
			}
			for _, e := range c.Env {
				names[e.Name] = true
			}
			envs[r.GetName()+"/"+c.Name] = slices.Sorted(maps.Keys(names))
		}
	}
	return envs
}

// FuzzLoad loads small trees: a root, what it uses, its objects, a patch and an env
// file.
func FuzzLoad(f *testing.F) {
	f.Add("resources: [deployment.yaml]\nnamePrefix: x-\n", "", deployment, "", "")
	f.Add("resources: [deployment.yaml]\npatches:\n  - patch: |\n      - op: add\n        path: /spec/template/spec/containers/0/env/-\n        value: {name: A}\n    target: {kind: Deployment}\n", "", deployment, "", "")
	f.Add("resources: [base]\npatches: [{path: patch.yaml}]\nsecretGenerator:\n  - name: a\n    literals: [A=b]\n    envs: [a.env]\n", "resources: [../deployment.yaml]\n", deployment, deployment, "A=b\nB=c\n")
	f.Add("resources: [base]\n", "resources: [..]\n", deployment, "", "")
	f.Add("components: [base]\npatchesStrategicMerge: [patch.yaml]\nvars: [{name: A, objref: {kind: Deployment, name: web, apiVersion: apps/v1}}]\n", "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nresources: [../deployment.yaml]\n", deployment, deployment, "")
	f.Add("replacements: [{path: patch.yaml}]\nresources: [deployment.yaml]\n", "", deployment, "source: {kind: Deployment}\ntargets: [{select: {kind: Deployment}, fieldPaths: [metadata.labels.a], options: {create: true}}]\n", "")
	f.Fuzz(func(t *testing.T, root, base, objects, patch, env string) {
		load(t, map[string]string{
			"kustomization.yaml": root, "base/kustomization.yaml": base, "deployment.yaml": objects, "patch.yaml": patch, "a.env": env,
		}, kubernetes.Options{}, ".", "base")
	})
}

// TestBudget holds kustomizations against what one may cost: too large ones are not
// rendered, however small they are written.
func TestBudget(t *testing.T) {
	const pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: [{name: web, image: x}]}\n"
	doubling := map[string]string{}
	for level := range 15 {
		for _, side := range []string{"a", "b"} {
			text := fmt.Sprintf("resources: [../a%d, ../b%d]\nnamePrefix: %s\n", level+1, level+1, side)
			if level == 14 {
				text = "resources: [pod.yaml]\nnamePrefix: " + side + "\n"
				doubling[fmt.Sprintf("%s%d/pod.yaml", side, level)] = pod
			}
			doubling[fmt.Sprintf("%s%d/kustomization.yaml", side, level)] = text
		}
	}
	var objects, patches, keys, entries strings.Builder
	for i := range 200 {
		objects.WriteString("---\n" + strings.Replace(pod, "name: web}\n", fmt.Sprintf("name: web%d}\n", i), 1))
		_, _ = fmt.Fprintf(&patches, "  - target: {kind: Pod}\n    patch: '[{op: add, path: /metadata/labels, value: {a: b%d}}]'\n", i)
	}
	for i := range 60_000 {
		_, _ = fmt.Fprintf(&keys, "  K%d: v\n", i)
		_, _ = fmt.Fprintf(&entries, "K%d=v\n", i)
	}
	copies := "resources: [pod.yaml]\npatches:\n  - target: {kind: Pod}\n    patch: |\n"
	for i := range 30 {
		copies += fmt.Sprintf("      - {op: copy, from: /metadata, path: /metadata/x%d}\n", i)
	}
	for name, c := range map[string]struct {
		files map[string]string
		dir   string
	}{
		"doubling bases":      {doubling, "a0"},
		"patches and objects": {map[string]string{"kustomization.yaml": "resources: [pod.yaml]\npatches:\n" + patches.String(), "pod.yaml": objects.String()}, "."},
		"keys":                {map[string]string{"kustomization.yaml": "resources: [pod.yaml]\n", "pod.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata:\n" + keys.String()}, "."},
		"generated keys":      {map[string]string{"kustomization.yaml": "configMapGenerator: [{name: x, envs: [a.env]}]\n", "a.env": entries.String()}, "."},
		"copies":              {map[string]string{"kustomization.yaml": copies, "pod.yaml": pod}, "."},
	} {
		t.Run(name, func(t *testing.T) {
			_, problems := load(t, c.files, kubernetes.Options{}, c.dir)
			if len(problems) != 1 || !strings.Contains(problems[0].Error(), "more than can be rendered") {
				t.Errorf("got %v, want one problem", problems)
			}
		})
	}
}

// loadAll loads kustomizations as the loader's one project.
func loadAll(tree *source.Tree, names []string, opts kubernetes.Options) ([]manifest.Container, []*manifest.Problem) {
	var files []*loaders.File
	for _, name := range names {
		files = append(files, &loaders.File{Name: name, Target: name, Tree: tree})
	}
	project := kustomize.Loader{Options: kustomize.Options{Kubernetes: opts}}.Projects(files)[0]
	project.Prepare(context.Background())
	return project.Load(context.Background())
}
