package source_test

import (
	"io/fs"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/derekg1729/dsnlint/pkg/internal/source"
	"github.com/derekg1729/dsnlint/pkg/internal/source/sourcetest"
	"github.com/derekg1729/dsnlint/pkg/internal/testtree"
)

func open(t *testing.T, files map[string]string) *source.Tree {
	t.Helper()
	dir := t.TempDir()
	testtree.Write(t, dir, files)
	return sourcetest.Open(t, dir)
}

// TestInputs checks that a view records what it is asked for, and nothing that
// another view is.
func TestInputs(t *testing.T) {
	tree := open(t, map[string]string{"a.yaml": "a: 1\n", "d/b.yaml": "b: 1\n", "c.yaml": "c: 1\n"})
	view, other := tree.View(), tree.View()
	_, _ = view.Read("a.yaml")
	_, _ = view.Read("gone.yaml")
	_, _ = view.YAML("d/b.yaml")
	_, _ = fs.Stat(view.FS(), "c.yaml")
	_, _ = fs.Stat(view.FS(), "a.yaml")
	_, _ = fs.ReadDir(view.FS(), "d")
	_, _ = other.Read("c.yaml")
	in := view.Inputs()
	got := map[string][]string{"files": in.Files(), "names": in.Names(), "directories": in.Directories()}
	want := map[string][]string{"files": {"a.yaml", "d/b.yaml"}, "names": {"c.yaml", "gone.yaml"}, "directories": {"d"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("inputs differ (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"c.yaml"}, other.Inputs().Files()); diff != "" {
		t.Errorf("the other view differs (-want +got):\n%s", diff)
	}
}

// TestParsedOnce checks that whoever asks for a file is handed the same documents.
func TestParsedOnce(t *testing.T) {
	tree := open(t, map[string]string{"a.yaml": "a: 1\n---\n---\nb: 2\n"})
	first, err := tree.YAML("a.yaml")
	if err != nil || len(first) != 3 {
		t.Fatalf("got %d documents, %v", len(first), err)
	}
	again, _ := tree.View().YAML("./a.yaml")
	separate, problems := tree.Documents("a.yaml")
	if len(problems) > 0 || len(separate) != 2 || again[0] != first[0] || separate[0] != first[0] || separate[1] != first[2] {
		t.Errorf("the file is parsed more than once")
	}
}

func TestOverlayIsInTheFileSystem(t *testing.T) {
	tree := open(t, map[string]string{"d/a.yaml": "a: 1\n", "d/c.yaml": "c: 1\n"})
	tree.Overlay("d/b.yaml", []byte("b: 2\n"))
	tree.Overlay("d/c.yaml", []byte("c: 22\n"))
	entries, err := fs.ReadDir(tree.FS(), "d")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	if diff := cmp.Diff([]string{"a.yaml", "b.yaml", "c.yaml"}, names); diff != "" {
		t.Errorf("the directory differs (-want +got):\n%s", diff)
	}
	info, err := fs.Stat(tree.FS(), "d/c.yaml")
	if err != nil || info.Size() != 6 || info.IsDir() {
		t.Errorf("got %v, %v", info, err)
	}
}
