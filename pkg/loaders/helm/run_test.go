package helm

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/derekg1729/dsnlint/pkg/internal/source/sourcetest"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// TestRunAdmits returns a run charts that cost different amounts, in one goroutine
// and in several: which of them are rendered is the same.
func TestRunAdmits(t *testing.T) {
	const (
		cheap  = "kind: Pod\n"
		costly = "{{ range until 200 }}{{ range until 200 }}{{ end }}{{ end }}"
		over   = "{{ range until 9000 }}{{ range until 9000 }}{{ end }}{{ end }}"
	)
	for name, test := range map[string]struct {
		templates []string
		limit     int
		// reached is the number of charts that are rendered.
		reached int
	}{
		"all cheap":              {strings.Split(strings.Repeat(cheap+",", 30), ","), 1, 31},
		"the last two":           {[]string{cheap, over, over}, 1, 3},
		"by the second before":   {[]string{over, cheap, cheap, cheap}, 1, 2},
		"costly, but not over":   {[]string{cheap, costly, cheap, costly, costly, cheap, cheap, cheap}, 250_000, 6},
		"below the limit":        {[]string{over, cheap, over, cheap, cheap, cheap}, 2 * maxWork, 6},
		"cheap ones save nobody": {append(strings.Split(strings.Repeat(cheap+",", 20), ","), over, cheap, cheap, cheap), 100_000, 23},
	} {
		for _, processors := range []int{1, 2, 8} {
			t.Run(fmt.Sprintf("%s on %d", name, processors), func(t *testing.T) {
				defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(processors))
				root := t.TempDir()
				var dirs []string
				for i, text := range test.templates {
					dir := fmt.Sprintf("c%03d", i)
					dirs = append(dirs, dir)
					writeFile(t, filepath.Join(root, dir, "Chart.yaml"), "apiVersion: v2\nname: shop\nversion: 1.0.0\n")
					writeFile(t, filepath.Join(root, dir, "templates", "a.yaml"), text)
				}
				tree := sourcetest.Open(t, root)
				run := newRun(dirs, test.limit)
				problems := make([][]*manifest.Problem, len(dirs))
				var group errgroup.Group
				group.SetLimit(processors)
				for i, dir := range dirs {
					group.Go(func() error {
						_, problems[i] = Load(t.Context(), tree, dir, Options{Run: run})
						return nil
					})
				}
				if err := group.Wait(); err != nil {
					t.Fatal(err)
				}
				for i, found := range problems {
					refused := len(found) == 1 && strings.Contains(found[0].Error(), "were not rendered")
					switch {
					case refused != (i == test.reached):
						t.Errorf("chart %d: %v", i, found)
					case i > test.reached && len(found) > 0:
						t.Errorf("chart %d is reported: %v", i, found)
					case refused && !strings.Contains(found[0].Error(), fmt.Sprintf("%d charts, this one", len(dirs)-i)):
						t.Errorf("the number is wrong: %v", found)
					}
				}
			})
		}
	}
}

func writeFile(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestRunEnds has the run end while a chart waits for its turn.
func TestRunEnds(t *testing.T) {
	run := NewRun([]string{"a", "b", "c"})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := run.admit(ctx, run.charts["c"]); !errors.Is(err, ctx.Err()) {
		t.Errorf("got %v", err)
	}
}

// TestOverBudget has a chart take more than it may: it is not rendered with more
// values, and what was not checked is said.
func TestOverBudget(t *testing.T) {
	pods := "{{ range until 15000 }}---\napiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: a}]}\n{{ end }}"
	for name, test := range map[string]struct{ template, want string }{
		"work":  {"{{ range until 9000 }}{{ range until 9000 }}{{ end }}{{ end }}", "too much work"},
		"nodes": {pods, "more than 200000 nodes"},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			writeFile(t, filepath.Join(root, "Chart.yaml"), "apiVersion: v2\nname: shop\nversion: 1.0.0\n")
			writeFile(t, filepath.Join(root, "templates", "a.yaml"), test.template)
			writeFile(t, filepath.Join(root, "ci", "a-values.yaml"), "a: 1\n")
			writeFile(t, filepath.Join(root, "ci", "b-values.yaml"), "a: 2\n")
			tree := sourcetest.Open(t, root)
			_, problems := Load(t.Context(), tree, ".", Options{})
			var all []string
			for _, p := range problems {
				if p.Severity != manifest.Error {
					t.Errorf("not an error: %v", p)
				}
				all = append(all, p.Error())
			}
			text := strings.Join(all, "\n")
			if len(all) != 2 || !strings.Contains(text, test.want) || !strings.Contains(text, "ci/a-values.yaml: the chart was not rendered") {
				t.Errorf("got\n%s", text)
			}
		})
	}
}
