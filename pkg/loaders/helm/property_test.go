package helm

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/derekg1729/dsnlint/pkg/internal/source/sourcetest"
	"github.com/derekg1729/dsnlint/pkg/internal/testtree"
)

// TestPlacesOfRandomCharts builds charts whose entries have names of their own, so that
// the true line of each is known.
func TestPlacesOfRandomCharts(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 0))
		template := strings.Split("apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n    - name: web\n      image: example/web\n      env:", "\n")
		var partials, values strings.Builder
		want := map[string]int{}
		for n := range 1 + r.IntN(12) {
			name := fmt.Sprintf("V%d", n)
			add := func(lines ...string) { template = append(template, lines...) }
			at := len(template) + 1
			switch r.IntN(9) {
			case 0:
				add("        - name: "+name, "          value: x")
			case 1:
				fmt.Fprintf(&partials, "{{- define \"v%d\" -}}\n- name: %s\n  value: x\n{{- end }}\n", n, name)
				add(fmt.Sprintf("        {{- include \"v%d\" . | nindent 8 }}", n))
			case 2:
				fmt.Fprintf(&values, "v%d:\n  - {name: %s, value: x}\n", n, name)
				add(fmt.Sprintf("        {{- toYaml .Values.v%d | nindent 8 }}", n))
			case 3:
				fmt.Fprintf(&values, "v%d: |\n  - name: %s\n    value: x\n", n, name)
				add(fmt.Sprintf("        {{- .Values.v%d | nindent 8 }}", n))
			case 4:
				fmt.Fprintf(&values, "v%d: \"- {name: %s, value: '{{ .Release.Name }}'}\"\n", n, name)
				add(fmt.Sprintf("        {{- tpl .Values.v%d . | nindent 8 }}", n))
			case 5:
				fmt.Fprintf(&values, "v%d: [%s]\n", n, name)
				add(fmt.Sprintf("        {{- range .Values.v%d }}", n), "        - name: {{ . }}", "          value: x", "        {{- end }}")
				at++
			case 6:
				add("        {{- /* nothing", "        at all */}}", "", "        - {name: "+name+", value: {{ .Chart.Name }}}")
				at += 3
			case 7:
				fmt.Fprintf(&values, "v%d:\n  - {name: %s, value: x}\n", n, name)
				add(fmt.Sprintf("{{- with .Values.v%d }}", n), "{{ toYaml . | indent 8 }}", "{{- end }}")
				at++
			case 8:
				fmt.Fprintf(&partials, "{{- define \"v%d\" }}\n        - name: %s\n          value: x\n{{- end }}\n", n, name)
				add(fmt.Sprintf("        {{- template \"v%d\" . }}", n))
			}
			want[name] = at
		}
		dir := t.TempDir()
		testtree.Write(t, dir, map[string]string{
			"Chart.yaml":          "apiVersion: v2\nname: shop\nversion: 1.0.0\n",
			"values.yaml":         values.String(),
			"templates/_p.tpl":    partials.String(),
			"templates/pod.yaml":  strings.Join(template, "\n") + "\n",
			"templates/NOTES.txt": "x",
		})
		containers, problems := Load(t.Context(), sourcetest.Open(t, dir), ".", Options{})
		if len(problems) > 0 || len(containers) != 1 {
			t.Fatalf("seed %d: %v, %d containers\n%s", seed, problems, len(containers), strings.Join(template, "\n"))
		}
		env := testtree.Env(&containers[0])
		for name, line := range want {
			if v, ok := env[name]; !ok || v.Position().Line != line || v.Position().File != "templates/pod.yaml" {
				t.Errorf("seed %d: %s is at %s, want line %d\n%s", seed, name, v.Position(), line, strings.Join(template, "\n"))
			}
		}
	}
}
