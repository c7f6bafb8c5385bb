package loaders

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/derekg1729/dsnlint/pkg/internal/testtree"
)

func TestFindRoot(t *testing.T) {
	dir := t.TempDir()
	testtree.Write(t, dir, map[string]string{
		"repo/.git/": "", "repo/a/b/compose.yaml": "", "repo/sub/.git": "gitdir: x", "repo/sub/c/compose.yaml": "",
		"plain/a/b/compose.yaml": "", "plain/x/y/compose.yaml": "",
	})
	for _, test := range []struct {
		cwd   string
		paths []string
		want  string
	}{
		{"repo", []string{"."}, "repo"},
		{"repo/a/b", []string{"compose.yaml"}, "repo"},
		{"repo/a", []string{"b/..."}, "repo"},
		{"repo/a", []string{"..."}, "repo"},
		{"repo/a", []string{"-"}, "repo"},
		{"repo/a", nil, "repo"},
		{"plain", []string{"../repo/a/b/compose.yaml"}, "repo"},
		{"repo", []string{"sub/c"}, "repo/sub"},
		{"repo", []string{"sub/c", "a"}, "repo"},
		{"plain", []string{"a/b/compose.yaml"}, "plain"},
		{"plain", []string{"absent/x.yaml"}, "plain"},
		{"plain", []string{"a", "x"}, "plain"},
		{"plain/a", []string{"../x/y"}, "plain"},
		{"plain/a/b", []string{"../../x/..."}, "plain"},
		{"plain/a/b", []string{"..", "../../x"}, "plain"},
		{"repo/a", []string{"DIR/plain/x/y/compose.yaml"}, "plain/x/y"},
		{"repo/a", []string{"DIR/plain/x/y"}, "plain/x/y"},
		{"plain", []string{"DIR/plain/x/y"}, "plain"},
		{"repo", []string{"a", "../plain/x"}, "."},
	} {
		var paths []string
		for _, name := range test.paths {
			if rest, ok := strings.CutPrefix(name, "DIR"); ok {
				name = dir + filepath.FromSlash(rest)
			}
			paths = append(paths, name)
		}
		cwd := filepath.Join(dir, filepath.FromSlash(test.cwd))
		t.Chdir(cwd)
		got, err := FindRoot(paths, cwd)
		if want := filepath.Join(dir, filepath.FromSlash(test.want)); err != nil || got != want {
			t.Errorf("%s, %v: got %s, %v, want %s", test.cwd, test.paths, got, err, want)
		}
	}
}

func TestFindRootIsNeverTheTop(t *testing.T) {
	dir := t.TempDir()
	testtree.Write(t, dir, map[string]string{"a/compose.yaml": ""})
	for _, paths := range [][]string{{"/"}, {"/no-such-directory-a/x", "/no-such-directory-b/y"}} {
		if got, err := FindRoot(paths, dir); err == nil {
			t.Errorf("%v: got %s", paths, got)
		}
	}
	if got, err := FindRoot([]string{filepath.Join(dir, "a")}, "/"); err != nil || got != filepath.Join(dir, "a") {
		t.Errorf("got %s, %v", got, err)
	}
}
