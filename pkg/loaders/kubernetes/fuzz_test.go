package kubernetes

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/derekg1729/dsnlint/pkg/internal/source/sourcetest"
	"github.com/derekg1729/dsnlint/pkg/internal/testtree"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// kubeletExpand is what kubelet makes of $(NAME), written down as plainly as can
// be: the rules are those of
// https://github.com/kubernetes/design-proposals-archive/blob/main/node/expansion.md.
func kubeletExpand(text string, env map[string]string) string {
	var out strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '$' || i+1 == len(text) {
			out.WriteByte(text[i])
			continue
		}
		i++
		end := strings.IndexByte(text[i:], ')')
		switch {
		case text[i] == '$':
			out.WriteByte('$')
		case text[i] != '(' || end < 0:
			out.WriteString(text[i-1 : i+1])
		default:
			name := text[i+1 : i+end]
			if value, ok := env[name]; ok {
				out.WriteString(value)
			} else {
				out.WriteString("$(" + name + ")")
			}
			i += end
		}
	}
	return out.String()
}

// kubeletEnv is kubelet's makeEnvironmentVariables for a set in which all is
// known.
func kubeletEnv(c *corev1.Container, objects map[string]map[string]string) map[string]string {
	env := map[string]string{}
	for _, from := range c.EnvFrom {
		name := "ConfigMap/"
		if from.SecretRef != nil {
			name = "Secret/" + from.SecretRef.Name
		} else {
			name += from.ConfigMapRef.Name
		}
		for key, value := range objects[name] {
			if len(validation.IsRelaxedEnvVarName(from.Prefix+key)) == 0 {
				env[from.Prefix+key] = value
			}
		}
	}
	for _, e := range c.Env {
		value := ""
		switch {
		case e.Value != "":
			value = kubeletExpand(e.Value, env)
		case e.ValueFrom != nil:
			found, ok := objects["Secret/"+e.ValueFrom.SecretKeyRef.Name][e.ValueFrom.SecretKeyRef.Key]
			if !ok {
				continue // all are optional here
			}
			value = found
		}
		env[e.Name] = value
	}
	return env
}

func FuzzExpand(f *testing.F) {
	for _, seed := range []string{"$(A)", "$$(A)", "$$$(A)", "$(", "$", "$(A$(B))", "x$y$(NONE)$()", "$(A)$(", "ä$ö"} {
		f.Add(seed)
	}
	env := map[string]string{"A": "1", "B": "$(A)", "": "empty", "A$(B": "odd"}
	f.Fuzz(func(t *testing.T, text string) {
		got := expand(text, func(name string) *manifest.Ref {
			value, ok := env[name]
			if !ok {
				return nil
			}
			return &manifest.Ref{Name: name, Value: manifest.Literal(value)}
		})
		if got.Eval() != manifest.Known(kubeletExpand(text, env)) {
			t.Errorf("%q is expanded otherwise than kubelet does", text)
		}
	})
}

// FuzzEnv holds whole containers against kubelet's algorithm. The text is a list
// of orders, one in a line, that put entries into envFrom and env.
func FuzzEnv(f *testing.F) {
	f.Add("from s \nfrom c P_\nenv A $(K)$(P_K)$(A)\nenv A $(A)$$(A)\nkey B s K\nkey C s NONE")
	f.Add("from c \nenv K own\nenv L $(K)\nenv K \nkey K s K")
	objects := map[string]map[string]string{
		"Secret/s":    {"K": "$(A)", "S": "hunter2", "bad key": "x"},
		"ConfigMap/c": {"K": "c", "A": "a", "=": "x"},
	}
	f.Fuzz(func(t *testing.T, orders string) {
		c := corev1.Container{Name: "c"}
		for line := range strings.Lines(orders) {
			words := append(strings.Split(strings.ToValidUTF8(strings.TrimSuffix(line, "\n"), "?"), " "), "", "", "")
			switch words[0] {
			case "from":
				from := corev1.EnvFromSource{Prefix: words[2]}
				if reference := (corev1.LocalObjectReference{Name: words[1]}); words[1] == "s" {
					from.SecretRef = &corev1.SecretEnvSource{LocalObjectReference: reference}
				} else {
					reference.Name = "c"
					from.ConfigMapRef = &corev1.ConfigMapEnvSource{LocalObjectReference: reference}
				}
				c.EnvFrom = append(c.EnvFrom, from)
			case "env":
				if words[1] != "" {
					c.Env = append(c.Env, corev1.EnvVar{Name: words[1], Value: words[2]})
				}
			case "key":
				if words[1] != "" {
					optional := true
					c.Env = append(c.Env, corev1.EnvVar{Name: words[1], ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
						LocalObjectReference: corev1.LocalObjectReference{Name: "s"}, Key: words[3], Optional: &optional,
					}}})
				}
			}
		}
		bundle := &metav1.List{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "List"}}
		add := func(object any) {
			raw, err := json.Marshal(object)
			if err != nil {
				t.Fatal(err)
			}
			bundle.Items = append(bundle.Items, rawExtension(raw))
		}
		add(corev1.Pod{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"}, Spec: corev1.PodSpec{Containers: []corev1.Container{c}}})
		add(corev1.Secret{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"}, ObjectMeta: metav1.ObjectMeta{Name: "s"}, StringData: objects["Secret/s"]})
		add(corev1.ConfigMap{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"}, ObjectMeta: metav1.ObjectMeta{Name: "c"}, Data: objects["ConfigMap/c"]})
		text, err := json.Marshal(bundle)
		if err != nil {
			t.Fatal(err)
		}
		containers, problems := load(t, Options{}, "f.json", string(text))
		if len(containers) != 1 {
			// Some signs that Go writes as they are have to be escaped in YAML.
			if len(problems) == 0 {
				t.Fatal("the container is lost without a word")
			}
			return
		}
		want := kubeletEnv(&c, objects)
		got := testtree.Env(&containers[0])
		if !slices.Equal(slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got))) {
			t.Fatalf("got the variables %q, kubelet makes %q", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
		}
		for name, value := range want {
			if got[name].Value != manifest.Known(value) {
				t.Errorf("%q has another value than kubelet gives it", name)
			}
		}
	})
}

func FuzzLoad(f *testing.F) {
	seeds, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(seeds) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, seed := range seeds {
		data, err := os.ReadFile(seed)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte) {
		tree := sourcetest.Open(t, dir)
		tree.Overlay("f.yaml", data)
		containers, problems := Containers(tree, Read(context.Background(), tree, []string{"f.yaml"}, Options{
			Declared: []manifest.DeclaredSecret{{Name: "s", Keys: []string{"K"}}},
		}))
		for _, c := range containers {
			if c.Position.File != "f.yaml" || c.Position.Line == 0 {
				t.Fatalf("a container at %v", c.Position)
			}
			for _, d := range c.Deliveries {
				if d.Position().Line == 0 {
					t.Fatalf("%s of channel %s has no position", d.Name, d.Channel)
				}
				for range d.Expr.Refs() {
					break
				}
			}
		}
		for _, p := range problems {
			if p.Position.File == "" || p.Message.IsZero() {
				t.Fatalf("an empty problem: %v", p)
			}
		}
	})
}

// TestBombs loads small files that mean very much. What they would come to is
// beyond any memory, so that a missing limit shows.
func TestBombs(t *testing.T) {
	many := func(n int, item func(i int) string) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(item(i))
		}
		return b.String()
	}
	secret := "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData:\n" + many(20000, func(i int) string { return fmt.Sprintf("  K%d: v\n", i) })
	for name, text := range map[string]string{
		"values that double": "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - name: c\n    env:\n    - {name: V0, value: xxxxxxxx}\n" +
			many(2000, func(i int) string { return fmt.Sprintf("    - {name: V%d, value: $(V%d)$(V%d)}\n", i+1, i, i) }),
		"long values of many variables": "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - name: c\n    env:\n    - {name: V, value: " + strings.Repeat("x", 1<<20) + "}\n" +
			many(20000, func(i int) string { return fmt.Sprintf("    - {name: V%d, value: $(V)}\n", i) }),
		"imports of many keys": secret + "---\napiVersion: v1\nkind: Pod\nspec:\n  containers:\n" +
			many(20000, func(i int) string { return fmt.Sprintf("  - {name: c%d, envFrom: [{secretRef: {name: s}}]}\n", i) }),
		"containers by aliases": many(300, func(int) string {
			return "---\napiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - &c {name: c, env: [&e {name: E}" + strings.Repeat(", *e", 300) + "]}\n" + strings.Repeat("  - *c\n", 300)
		}),
		"lists by aliases": many(100, func(int) string {
			return "---\napiVersion: v1\nkind: List\nitems:\n- &a {apiVersion: v1, kind: List, items: [&b {apiVersion: v1, kind: Pod}" + strings.Repeat(", *b", 200) + "]}\n" + strings.Repeat("- *a\n", 200)
		}),
		"openings that never close": "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - name: c\n    args: [\"" + strings.Repeat("$(", 1<<20) + "\"]\n",
		"objects of one name": many(30000, func(int) string {
			return "---\n{apiVersion: v1, kind: Secret, metadata: {name: s}, data: {}}\n---\n{apiVersion: v1, kind: Pod, spec: {containers: [{name: c, envFrom: [{secretRef: {name: s}}]}]}}\n"
		}),
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			containers, problems := load(t, Options{}, "f.yaml", text)
			t.Logf("%d containers, %d problems after %v", len(containers), len(problems), time.Since(start))
			if len(problems) > 1 {
				t.Errorf("got %d problems", len(problems))
			}
		})
	}
}

func rawExtension(raw []byte) runtime.RawExtension { return runtime.RawExtension{Raw: raw} }

func BenchmarkLoad(b *testing.B) {
	data, err := os.ReadFile("testdata/deployment.yaml")
	if err != nil {
		b.Fatal(err)
	}
	var bundle strings.Builder
	for i := range 100 {
		bundle.WriteString(strings.ReplaceAll(string(data), "name: ", fmt.Sprintf("name: n%d-", i)) + "\n---\n")
	}
	text := bundle.String()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if containers, _ := load(b, Options{}, "f.yaml", text); len(containers) == 0 {
			b.Fatal("nothing found")
		}
	}
}
