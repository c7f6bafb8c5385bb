package helm_test

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"helm.sh/helm/v4/pkg/chart/common"
	commonutil "helm.sh/helm/v4/pkg/chart/common/util"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/engine"

	"github.com/derekg1729/dsnlint/pkg/internal/source"
	"github.com/derekg1729/dsnlint/pkg/internal/source/sourcetest"
	"github.com/derekg1729/dsnlint/pkg/internal/testtree"
	"github.com/derekg1729/dsnlint/pkg/loaders/helm"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

const (
	chartFile = "apiVersion: v2\nname: shop\nversion: 1.0.0\n"
	values    = "database:\n  host: db\nextra:\n  - name: LISTED\n    value: hunter2\n"
	helpers   = `{{- define "shop.name" -}}
{{ .Release.Name }}-worker
{{- end }}
{{- define "shop.env" -}}
- name: HELPER
  value: x
{{- end }}
`
	deployment = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "shop.name" . }}
  annotations:
    checksum: {{ include "shop.env" . | sha256sum }}
spec:
  selector:
    matchLabels: {app: worker}
  template:
    metadata:
      labels: {app: worker}
    spec:
      containers:
        - name: worker
          image: "example/worker:{{ .Chart.Version }}"
          env:
            {{- if .Values.database.host }}
            - name: HOST
              value: {{ .Values.database.host | quote }}
            {{- end }}

            - name: PLAIN
              value: x
            {{- include "shop.env" . | nindent 12 }}
            {{- toYaml .Values.extra | nindent 12 }}
            {{- /* a comment with a "quote */}}
            - name: LAST
              value: x
`
)

func open(t *testing.T, files map[string]string) (*source.Tree, string) {
	t.Helper()
	dir := t.TempDir()
	testtree.Write(t, filepath.Join(dir, "shop"), files)
	tree := sourcetest.Open(t, dir)
	return tree, dir
}

func load(t *testing.T, files map[string]string) ([]manifest.Container, []*manifest.Problem) {
	t.Helper()
	tree, _ := open(t, files)
	containers, problems := helm.Load(context.Background(), tree, "shop", helm.Options{})
	for _, p := range problems {
		if strings.Contains(p.Error(), "hunter2") {
			t.Error("a problem holds a value")
		}
	}
	return containers, problems
}

func chart(more map[string]string) map[string]string {
	files := map[string]string{
		"Chart.yaml": chartFile, "values.yaml": values,
		"templates/_helpers.tpl": helpers, "templates/deployment.yaml": deployment, "templates/NOTES.txt": "hi",
	}
	maps.Copy(files, more)
	return files
}

func TestPlaces(t *testing.T) {
	containers, problems := load(t, chart(nil))
	if len(problems) > 0 || len(containers) != 1 {
		t.Fatalf("problems %v, %d containers", problems, len(containers))
	}
	c := containers[0]
	var got []string
	for name, v := range testtree.Env(&c) {
		got = append(got, fmt.Sprintf("%s %s", name, v.Position()))
		if v.Own {
			t.Errorf("the entry of %s is the container's own", name)
		}
	}
	slices.Sort(got)
	want := []string{
		"HELPER shop/templates/deployment.yaml:25:13", // the line that includes it
		"HOST shop/templates/deployment.yaml:19:15",
		"LAST shop/templates/deployment.yaml:28:15",
		"LISTED shop/templates/deployment.yaml:26:13", // and not the line before it
		"PLAIN shop/templates/deployment.yaml:23:15",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if !slices.Contains(c.RoleNames, "worker") || c.Workload.Name != "shop-worker" {
		t.Errorf("names %v of %v", c.RoleNames, c.Workload)
	}
}

// TestEngine holds the variables against those that Helm's engine alone renders.
func TestEngine(t *testing.T) {
	files := chart(map[string]string{
		"charts/sub/Chart.yaml":         "apiVersion: v2\nname: sub\nversion: 1.0.0\n",
		"charts/sub/values.yaml":        "name: SUB\n",
		"charts/sub/templates/pod.yaml": "apiVersion: v1\nkind: Pod\nmetadata:\n  name: sub\nspec:\n  containers:\n    - name: sub\n      image: x\n      env:\n        - name: {{ .Values.name }}\n          value: x\n",
	})
	tree, dir := open(t, files)
	containers, problems := helm.Load(context.Background(), tree, "shop", helm.Options{
		Values: []helm.ValuesFile{{Name: "v.yaml", Data: []byte("sub:\n  name: GIVEN\n")}},
	})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	var got []string
	for _, c := range containers {
		got = append(got, slices.Sorted(maps.Keys(testtree.Env(&c)))...)
	}
	loaded, err := loader.LoadDir(filepath.Join(dir, "shop"))
	if err != nil {
		t.Fatal(err)
	}
	all, err := commonutil.ToRenderValues(loaded, map[string]any{"sub": map[string]any{"name": "GIVEN"}},
		common.ReleaseOptions{Name: "shop", Namespace: "default", IsInstall: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	rendered, err := engine.Render(loaded, all)
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, text := range rendered {
		inEnv := false
		for line := range strings.Lines(text) {
			word := strings.TrimSpace(line)
			if strings.HasPrefix(word, "env:") {
				inEnv = true
			}
			if name, ok := strings.CutPrefix(word, "- name: "); ok && inEnv {
				want = append(want, name)
			}
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestCIValues(t *testing.T) {
	containers, problems := load(t, map[string]string{
		"Chart.yaml": chartFile, "ci/a-values.yaml": "name: A\n",
		"templates/pod.yaml": "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\nspec:\n  containers:\n    - name: web\n      image: x\n      env:\n        - name: {{ required \"hunter2\" .Values.name }}\n          value: x\n",
	})
	if len(problems) != 1 || problems[0].Severity != manifest.Notice || problems[0].Position.Line != 10 {
		t.Errorf("problems: %v", problems)
	}
	if len(containers) != 1 || !slices.Equal(containers[0].Overlays, []string{"shop/ci/a-values.yaml"}) {
		t.Errorf("containers: %+v", containers)
	}
}

func TestProblems(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		want  string
	}{
		"dependency":    {chart(map[string]string{"Chart.yaml": chartFile + "dependencies:\n  - name: redis\n    version: 1.0.0\n    repository: https://example.com\n"}), "shop/Chart.yaml:5:5 notice not followed"},
		"template":      {chart(map[string]string{"templates/a.yaml": "a: b\nc: {{ .Values.none.x }}\n"}), "shop/templates/a.yaml:2:14 error the template does not render: a template uses a value that is not set"},
		"parse":         {chart(map[string]string{"templates/a.yaml": "a: b\nc: {{ if }}\n"}), "shop/templates/a.yaml:2:1 error the template does not render"},
		"rendered YAML": {chart(map[string]string{"templates/a.yaml": "kind: Pod\napiVersion: v1\n  c: hunter2\n"}), "shop/templates/a.yaml:3:3 error what the template renders is invalid YAML"},
		"no chart":      {map[string]string{"Chart.yaml": "name: shop\n"}, "shop/Chart.yaml:1:1 error the chart does not render"},
		"values":        {chart(map[string]string{"values.yaml": "a: [hunter2\n"}), "shop/values.yaml:1:12 error invalid YAML"},
	} {
		t.Run(name, func(t *testing.T) {
			_, problems := load(t, c.files)
			for _, p := range problems {
				if strings.HasPrefix(fmt.Sprintf("%s %s %s", p.Position, p.Severity, p.Message), c.want) {
					return
				}
			}
			t.Errorf("got %v, want %q", problems, c.want)
		})
	}
}

func TestOneTemplateHidesNoOther(t *testing.T) {
	containers, problems := load(t, chart(map[string]string{
		"templates/broken.yaml": "kind: Pod\napiVersion: v1\n  c: hunter2\n", "ci/bad-values.yaml": "database: {host: {}}\n",
		"data/large.bin": strings.Repeat("x", source.MaxFileSize+1),
	}))
	if len(containers) == 0 || len(problems) == 0 {
		t.Errorf("got %d containers, problems %v", len(containers), problems)
	}
}

func TestCIValuesThatFail(t *testing.T) {
	_, problems := load(t, chart(map[string]string{"ci/bad-values.yaml": "database: null\n", "values.yaml": "database: {host: x}\nextra: [{name: A, value: b}]\n"}))
	if len(problems) != 1 || problems[0].Severity != manifest.Notice {
		t.Errorf("problems: %v", problems)
	}
}

func TestLibraryChart(t *testing.T) {
	containers, problems := load(t, chart(map[string]string{"Chart.yaml": chartFile + "type: library\n"}))
	if len(containers)+len(problems) > 0 {
		t.Errorf("got %v, %v", containers, problems)
	}
}

func FuzzLoad(f *testing.F) {
	f.Add(deployment)
	f.Add("{{/* */}}{{- `}}` -}} x\n")
	f.Add("a: {{ .Values.x")
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "range") || strings.Contains(text, "until") || strings.Contains(text, "repeat") {
			t.Skip("an engine without limits")
		}
		load(t, chart(map[string]string{"templates/a.yaml": text}))
	})
}
