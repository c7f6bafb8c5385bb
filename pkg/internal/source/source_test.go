package source

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/derekg1729/dsnlint/pkg/internal/testtree"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

func openTree(t *testing.T) (*Tree, string) {
	t.Helper()
	dir := t.TempDir()
	tree, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tree.Close() })
	return tree, dir
}

func TestReadRefuses(t *testing.T) {
	tree, dir := openTree(t)
	outside := filepath.Join(t.TempDir(), "secret")
	must(t, os.WriteFile(outside, []byte("x"), 0o600))
	must(t, os.Symlink(outside, filepath.Join(dir, "link.yaml")))
	testtree.Pipe(t, filepath.Join(dir, "pipe.yaml"))
	must(t, os.Mkdir(filepath.Join(dir, "directory"), 0o700))
	must(t, os.WriteFile(filepath.Join(dir, "large.yaml"), make([]byte, MaxFileSize+1), 0o600))
	for name, want := range map[string]string{
		"link.yaml":    "outside the root directory",
		"pipe.yaml":    "a named pipe",
		"directory":    "a directory",
		"large.yaml":   "larger than 10 MiB",
		"absent.yaml":  "the file does not exist",
		"../../passwd": "outside the root directory",
	} {
		_, err := tree.Read(name)
		var p *manifest.Problem
		if !errors.As(err, &p) || p.Position.File == "" || !strings.Contains(p.Message.String(), want) {
			t.Errorf("Read(%q): got %v, want a problem with %q", name, err, want)
		}
	}
	if _, err := tree.Read("absent.yaml"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("absent file: got %v, want fs.ErrNotExist", err)
	}
}

func TestReadFollowsLinkInside(t *testing.T) {
	tree, dir := openTree(t)
	must(t, os.WriteFile(filepath.Join(dir, "a.yaml"), []byte("text"), 0o600))
	must(t, os.Symlink("a.yaml", filepath.Join(dir, "b.yaml")))
	data, err := tree.Read("b.yaml")
	if err != nil || string(data) != "text" {
		t.Errorf("got %q, %v", data, err)
	}
}

func TestJoin(t *testing.T) {
	tree, dir := openTree(t)
	for _, c := range []struct{ dir, name, want string }{
		{"a/b", "../c.env", "a/c.env"},
		{".", "./x", "x"},
		{"a", filepath.Join(tree.Dir(), "y"), "y"},
		{"a", "../../../etc/passwd", ""},
		{"a", "/etc/passwd", ""},
	} {
		got, err := tree.Join(c.dir, c.name, manifest.Position{File: "f", Line: 3})
		if (err != nil) != (c.want == "") || got != c.want {
			t.Errorf("Join(%q, %q) in %s: got %q, %v, want %q", c.dir, c.name, dir, got, err, c.want)
		}
	}
}

func TestParseYAMLProblems(t *testing.T) {
	var bomb strings.Builder
	bomb.WriteString("a0: &a0 [x, x]\n")
	for i := 1; i < 40; i++ {
		fmt.Fprintf(&bomb, "a%d: &a%d [*a%d, *a%d]\n", i, i, i-1, i-1)
	}
	for name, c := range map[string]struct {
		text      string
		line, col int
		want      string
	}{
		"indentation": {"a: 1\nb: 2\n a: 3\n", 3, 3, "invalid YAML"},
		"twice":       {"a: 1\nb:\n  c: 1\n  c: 2\n", 4, 3, "duplicate key"},
		"bomb":        {bomb.String(), 17, 6, "more than 500000 nodes"},
		"cycle":       {"a: &a\n  b: *a\n", 1, 4, "alias to itself"},
		"not UTF-8":   {"a: b\nc: \xff\n", 2, 4, "invalid UTF-8"},
		"open quote":  {"a: 'b\n", 1, 6, "invalid YAML"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseYAML("f.yaml", []byte(c.text))
			var p *manifest.Problem
			if !errors.As(err, &p) {
				t.Fatalf("got %v, want a problem", err)
			}
			if p.Position.Line != c.line || p.Position.Column != c.col || !strings.Contains(p.Message.String(), c.want) {
				t.Errorf("got %v, want %d:%d %q", p, c.line, c.col, c.want)
			}
		})
	}
}

func TestParseYAMLKeepsEarlierDocuments(t *testing.T) {
	docs, err := ParseYAML("f.yaml", []byte("a: 1\n---\nb: [\n"))
	if len(docs) != 1 || err == nil {
		t.Errorf("got %d documents and %v", len(docs), err)
	}
}

func TestLookup(t *testing.T) {
	docs, err := ParseYAML("f.yaml", []byte(`
x: &x {k: merged, only: x}
y: &y {k: later, other: y}
m:
  <<: [*x, *y]
  k: own
`))
	must(t, err)
	_, m := Lookup(docs[0].Content[0], "m")
	for key, want := range map[string]string{"k": "own", "only": "x", "other": "y"} {
		if _, v := Lookup(m, key); v == nil || v.Value != want {
			t.Errorf("Lookup(%q): got %v, want %q", key, v, want)
		}
	}
	if k, v := Lookup(m, "none"); k != nil || v != nil {
		t.Errorf("Lookup of an absent key: got %v, %v", k, v)
	}
}

func FuzzParseYAML(f *testing.F) {
	f.Add([]byte("a: &a [1, 2]\nb: {<<: *a}\n---\nc: |\n  x\n"))
	f.Add([]byte(`{"kind": "Pod", "kind": "Job"}`))
	f.Add([]byte("a: &a\n  <<: *a\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		docs, err := ParseYAML("f", data)
		if err != nil {
			var p *manifest.Problem
			if !errors.As(err, &p) {
				t.Fatalf("got %T, want a problem", err)
			}
		}
		for _, doc := range docs {
			for k, v := range Entries(doc) {
				if k == nil || v == nil {
					t.Fatal("an entry without key or value")
				}
			}
		}
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
