package contract

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/derekg1729/dsnlint/pkg/internal/source"
	"github.com/derekg1729/dsnlint/pkg/internal/testtree"
)

func TestFind(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, filepath.FromSlash(name)) }
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, directory := range []string{"repo/plain/deep", "repo/own", "repo/yml", "repo/both", "repo/inside", "repo/broken", "repo/outside", "repo/pipe", "repo/directory/.dsnlint.yaml"} {
		check(os.MkdirAll(at(directory), 0o700))
	}
	for _, file := range []string{".dsnlint.yaml", "repo/own/.dsnlint.yaml", "repo/yml/.dsnlint.yml", "repo/both/.dsnlint.yml", "repo/both/.dsnlint.yaml"} {
		check(os.WriteFile(at(file), nil, 0o600))
	}
	check(os.Symlink("../own/.dsnlint.yaml", at("repo/inside/.dsnlint.yaml")))
	check(os.Symlink("nowhere", at("repo/broken/.dsnlint.yml")))
	check(os.Symlink("../../.dsnlint.yaml", at("repo/outside/.dsnlint.yaml")))
	testtree.Pipe(t, at("repo/pipe/.dsnlint.yaml"))

	tree, err := source.Open(at("repo"))
	check(err)
	t.Cleanup(func() { _ = tree.Close() })
	find := func(directory, want, problem string) {
		t.Helper()
		got, p := Find(tree, directory)
		if got != want || (p == nil) != (problem == "") || p != nil && !strings.Contains(p.Error(), problem) {
			t.Errorf("Find(%q): got %q, %v", directory, got, p)
		}
	}
	find(".", "", "") // the one above the root is out of reach
	find("plain/deep", "", "")
	find("own", "own/.dsnlint.yaml", "")
	find("own/absent/directory", "own/.dsnlint.yaml", "")
	find("yml", "yml/.dsnlint.yml", "")
	find("both", "both/.dsnlint.yaml", "")
	find("inside", "inside/.dsnlint.yaml", "")
	find("broken", "", "broken/.dsnlint.yml: cannot read the contract: the symbolic link leads nowhere")
	find("outside", "", "outside/.dsnlint.yaml: cannot read the contract: a symbolic link leads outside")
	find("pipe", "", "expected a regular file, found a named pipe")
	find("directory", "", "expected a regular file, found a directory")
	find("../elsewhere", "", "outside the root directory")

	check(os.WriteFile(at("repo/.dsnlint.yaml"), nil, 0o600))
	tree, err = source.Open(at("repo"))
	check(err)
	t.Cleanup(func() { _ = tree.Close() })
	find("plain/deep", ".dsnlint.yaml", "")
}
