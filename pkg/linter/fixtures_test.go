package linter_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/derekg1729/dsnlint/pkg/internal/testtree"
	"github.com/derekg1729/dsnlint/pkg/linter"
	"github.com/derekg1729/dsnlint/pkg/manifest"
	"github.com/derekg1729/dsnlint/pkg/report"
)

// fixtures holds the cases that can be linted together. A case with an input that
// keeps dsnlint from doing its job is in the testdata of its dialect's loader.
const (
	fixtures   = "../../fixtures"
	unreadable = "../loaders/*/testdata/broken"
)

// fixtureDirs returns the directories of all cases.
func fixtureDirs(tb testing.TB) []string {
	tb.Helper()
	var dirs []string
	for _, pattern := range []string{filepath.Join(fixtures, "*", "*"), unreadable} {
		matches, err := filepath.Glob(pattern)
		if err != nil || len(matches) == 0 {
			tb.Fatalf("no fixtures match %s: %v", pattern, err)
		}
		dirs = append(dirs, matches...)
	}
	return dirs
}

// TestFixtures checks the findings of every fixture against its findings.txt, and
// that no two fixtures prove the same; see fixtures/README.md for the format.
func TestFixtures(t *testing.T) {
	provedBy := map[string]string{}
	for _, dir := range fixtureDirs(t) {
		t.Run(strings.TrimLeft(filepath.ToSlash(dir), "./"), func(t *testing.T) {
			proves, want := readWanted(t, filepath.Join(dir, "findings.txt"))
			if other, ok := provedBy[proves]; ok {
				t.Errorf("proves the same as %s", other)
			}
			provedBy[proves] = dir
			if diff := cmp.Diff(want, describe(mustRun(t, dir))); diff != "" {
				t.Errorf("findings differ (-want +got):\n%s", diff)
			}
		})
	}
}

// TestDirectoryNamedLikeARepository checks that a directory whose name is a
// repository to the engine of kustomizations is not followed, but linted by itself,
// and that what is beside it is checked. Windows allows no such name, nor a fixture
// with it.
func TestDirectoryNamedLikeARepository(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a name on Windows cannot have a colon")
	}
	const repository = "evil@registry.invalid:org/repo"
	dir := t.TempDir()
	testtree.Write(t, dir, map[string]string{
		"kustomization.yaml":               "resources:\n  - " + repository + "\n  - pod.yaml\n",
		"pod.yaml":                         "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\nspec:\n  containers:\n    - name: web\n      env:\n        - name: POSTGRES_ROOT_PASSWORD\n          value: placeholder\n",
		repository + "/kustomization.yaml": "namePrefix: x-\n",
	})
	r, err := linter.Run(context.Background(), linter.Options{Paths: []string{dir}, Root: dir})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"PROVISIONING_TRUST_BOUNDARY web POSTGRES_ROOT_PASSWORD pod.yaml:9:11",
		"notice kustomization.yaml:2:5",
	}
	if diff := cmp.Diff(want, describe(r)); diff != "" {
		t.Errorf("findings differ (-want +got):\n%s", diff)
	}
}

// readWanted returns what a case proves, as the first line of its findings.txt
// says, and the findings sorted.
func readWanted(t *testing.T, file string) (proves string, findings []string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	first, rest, _ := strings.Cut(string(data), "\n")
	proves, ok := strings.CutPrefix(strings.TrimSpace(first), "# proves: ")
	if !ok {
		t.Fatalf("%s:1: expected a comment \"# proves: ...\"", file)
	}
	for line := range strings.Lines(rest) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			findings = append(findings, line)
		}
	}
	slices.Sort(findings)
	return proves, findings
}

func describe(r *report.Report) []string {
	var lines []string
	for _, f := range r.Findings {
		if !f.Active() {
			continue
		}
		variable := f.Variable
		if variable == "" {
			variable = "-"
		}
		lines = append(lines, fmt.Sprintf("%s %s %s %s", f.Rule.ID, f.Container.Name, variable, f.Position))
	}
	for _, p := range r.Problems {
		severity := "error"
		if p.Severity == manifest.Notice {
			severity = "notice"
		}
		lines = append(lines, fmt.Sprintf("%s %s", severity, p.Position))
	}
	slices.Sort(lines)
	return lines
}
