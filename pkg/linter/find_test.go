package linter

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/derekg1729/dsnlint/pkg/internal/source"
	"github.com/derekg1729/dsnlint/pkg/internal/source/sourcetest"
	"github.com/derekg1729/dsnlint/pkg/internal/testtree"
	"github.com/derekg1729/dsnlint/pkg/loaders"
	"github.com/derekg1729/dsnlint/pkg/loaders/compose"
	"github.com/derekg1729/dsnlint/pkg/loaders/kubernetes"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

const (
	service = "services:\n  %s:\n    image: example/app\n    environment:\n      PASSWORD: hunter2\n"
	pod     = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: %s\nspec:\n  containers:\n    - name: %[1]s\n      image: example/app\n"
)

func compose1(name string) string { return fmt.Sprintf(service, name) }
func pod1(name string) string     { return fmt.Sprintf(pod, name) }

// repository opens a tree of these files, and goes there.
func repository(t *testing.T, files map[string]string) *source.Tree {
	t.Helper()
	dir := t.TempDir()
	testtree.Write(t, dir, files)
	t.Chdir(dir)
	return sourcetest.Open(t, dir)
}

// seen is a result in short: file:container for each container, and each
// problem with its severity.
type seen struct {
	Containers []string
	Problems   []string
}

// loadAll loads with the loaders of all dialects, unless the options have others.
func loadAll(ctx context.Context, opts loaders.Options) loaders.Result {
	if opts.Loaders == nil {
		opts.Loaders = dialects(kubernetes.Options{}, nil, compose.Options{}, nil)
	}
	return loaders.Load(ctx, opts)
}

func load(t *testing.T, opts loaders.Options) seen {
	t.Helper()
	result := loadAll(context.Background(), opts)
	var s seen
	for _, c := range result.Containers {
		s.Containers = append(s.Containers, c.Position.File+":"+c.Name)
	}
	for _, p := range result.Problems {
		if strings.Contains(p.Error(), "hunter2") {
			t.Errorf("a problem shows a value")
		}
		s.Problems = append(s.Problems, fmt.Sprintf("%s: %s", p.Severity, p))
	}
	return s
}

// titles names all dialects, as a message does.
func titles() string {
	var list []string
	for _, l := range dialects(kubernetes.Options{}, nil, compose.Options{}, nil) {
		list = append(list, l.Dialect().Title.String())
	}
	last := len(list) - 1
	return strings.Join(list[:last], ", ") + " or " + list[last]
}

// TestFind holds each sentence about what the paths stand for. A problem is
// given by how it begins.
func TestFind(t *testing.T) {
	alternatives := titles()
	none := "error: %s: found no " + alternatives + " in this directory"
	broken := "services:\n  app: [hunter2\n"
	for name, test := range map[string]struct {
		files    map[string]string
		paths    []string
		opts     loaders.Options
		want     []string
		problems []string
	}{
		"a directory is walked": {
			files: map[string]string{"a/compose.yaml": compose1("a"), "b/c/pod.json": `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"containers":[{"name":"p"}]}}`, "b/pod.yml": pod1("q"), "readme.md": "services:\n"},
			want:  []string{"a/compose.yaml:a", "b/c/pod.json:p", "b/pod.yml:q"},
		},
		"dots mean the same": {
			files: map[string]string{"a/compose.yaml": compose1("a"), "b/pod.yml": pod1("q")},
			paths: []string{"./a/...", "b/..."},
			want:  []string{"a/compose.yaml:a", "b/pod.yml:q"},
		},
		"dots alone": {
			files: map[string]string{"a/compose.yaml": compose1("a")},
			paths: []string{"..."},
			want:  []string{"a/compose.yaml:a"},
		},
		"dots behind a file": {
			files:    map[string]string{"compose.yaml": compose1("a")},
			paths:    []string{"compose.yaml/..."},
			problems: []string{"error: compose.yaml: expected a directory before ..."},
		},
		"hidden directories, node_modules and vendor are left out": {
			files: map[string]string{".x/compose.yaml": compose1("a"), ".git/compose.yaml": compose1("a"), "node_modules/x/compose.yaml": compose1("a"), "b/vendor/compose.yaml": compose1("a"), "b/.hidden.yaml": pod1("h")},
			want:  []string{"b/.hidden.yaml:h"},
		},
		"a hidden directory that is named": {
			files: map[string]string{".x/compose.yaml": compose1("a"), "vendor/compose.yaml": compose1("b")},
			paths: []string{".x", "vendor"},
			want:  []string{".x/compose.yaml:a", "vendor/compose.yaml:b"},
		},
		"gitignore": {
			files: map[string]string{
				".gitignore": "# comment\n*.local.yaml\n/out\nb/**\n!b/keep.yaml\n", "a/.gitignore": "!x.local.yaml\n/y.yaml\n",
				"a/x.local.yaml": pod1("x"), "a/y.yaml": pod1("y"), "a/z/y.yaml": pod1("zy"), "z.local.yaml": pod1("z"),
				"out/p.yaml": pod1("p"), "a/out/p.yaml": pod1("ap"), "b/drop.yaml": pod1("d"), "b/keep.yaml": pod1("k"),
			},
			want: []string{"a/out/p.yaml:ap", "a/x.local.yaml:x", "a/z/y.yaml:zy", "b/keep.yaml:k"},
		},
		"gitignore above the walked directory": {
			files: map[string]string{".gitignore": "drop.yaml\n", "a/b/drop.yaml": pod1("d"), "a/b/keep.yaml": pod1("k")},
			paths: []string{"a/b"},
			want:  []string{"a/b/keep.yaml:k"},
		},
		"what is named is linted though ignored": {
			files: map[string]string{".gitignore": "drop.yaml\nout\n", "drop.yaml": pod1("d"), "out/sub/p.yaml": pod1("p"), "keep.yaml": pod1("k")},
			paths: []string{".", "drop.yaml", "out"},
			want:  []string{"drop.yaml:d", "keep.yaml:k", "out/sub/p.yaml:p"},
		},
		"a gitignore that cannot be read": {
			files:    map[string]string{".gitignore": "-> ../x", "p.yaml": pod1("p")},
			want:     []string{"p.yaml:p"},
			problems: []string{"notice: .gitignore: a symbolic link leads outside"},
		},
		"a gitignore without end": {
			files:    map[string]string{".gitignore": strings.Repeat("x\n", 10_000) + "p.yaml\n", "p.yaml": pod1("p"), "x/q.yaml": pod1("q")},
			want:     []string{"p.yaml:p"},
			problems: []string{"notice: .gitignore: only the first 10000 lines"},
		},
		"exclude": {
			files: map[string]string{"x/testdata/p.yaml": pod1("p"), "x/q.yaml": pod1("q"), "y/testdata/r.yaml": pod1("r"), "x/old/s.yaml": pod1("s"), "x/.gitignore": "!old\n"},
			opts:  loaders.Options{Exclude: []string{"**/testdata/**", "./old/"}, ExcludeBase: "x"},
			want:  []string{"x/q.yaml:q", "y/testdata/r.yaml:r"},
		},
		"what is named is linted though excluded": {
			files: map[string]string{"x/p.yaml": pod1("p"), "x/y/q.yaml": pod1("q"), "r.yaml": pod1("r")},
			paths: []string{"x", "r.yaml"},
			opts:  loaders.Options{Exclude: []string{"x/**", "*.yaml"}},
			want:  []string{"r.yaml:r", "x/p.yaml:p", "x/y/q.yaml:q"},
		},
		"links": {
			files: map[string]string{
				"real/p.yaml": pod1("p"), "real/q.yaml": pod1("q"), "linked": "-> real", "loop": "-> .", "l/q.yaml": "-> ../hidden/q.yaml", "hidden/q.yaml": pod1("h"), ".gitignore": "/hidden",
				"same.yaml": "-> real/p.yaml",
			},
			want: []string{"l/q.yaml:h", "real/p.yaml:p", "real/q.yaml:q"},
		},
		"links that lead nowhere or out": {
			files:    map[string]string{"compose.yaml": "-> /etc/passwd", "x.yaml": "-> /etc/passwd", "y.yaml": "-> nowhere", "p.yaml": pod1("p")},
			want:     []string{"p.yaml:p"},
			problems: []string{"error: compose.yaml: a symbolic link leads outside", "notice: x.yaml: a symbolic link leads outside", "notice: y.yaml: the file does not exist"},
		},
		"a directory named like a manifest": {
			files: map[string]string{"compose.yaml/p.yaml": pod1("p")},
			want:  []string{"compose.yaml/p.yaml:p"},
		},
		"what is no manifest is passed over": {
			files: map[string]string{
				"p.yaml": pod1("p"), "package.json": `{"name": "x", "services": 1}`, "tsconfig.json": "{\n  // a comment, kind of\n  \"a\": 1,\n}",
				"mkdocs.yml": "a: !!python/name:x\nkind_of: {b\n", "empty.yaml": "", "tabs.yaml": "services\n\t- a: [\n", "big.json": strings.Repeat(" ", source.MaxFileSize+1),
				"latin.yaml": "a: \xe9\n", "ci.yaml": "services: [postgres]\nstages: [a]\n", "values.yaml": "services:\n  a: {port: 80}\n",
			},
			want: []string{"p.yaml:p"},
		},
		"what may be a manifest is a problem": {
			files: map[string]string{
				"a.yaml": broken, "b.yaml": "apiVersion: v1\nkind: [\n", "c.json": `{"apiVersion": "v1", "metadata": [}`, "docker-compose.prod.yml": "a: [hunter2\n",
				"latin.yaml": "kind: \xe9\n", "big.yaml": "kind: Pod\n" + strings.Repeat(" ", source.MaxFileSize), "utf16.yaml": "\xff\xfea\x00:\x00\n\x00k\x00i\x00n\x00d\x00:\x00x\x00",
				"two.yaml": pod1("one") + "---\n" + "kind: [\n", "p.yaml": pod1("p"),
			},
			want: []string{"p.yaml:p", "two.yaml:one"},
			problems: []string{
				"error: a.yaml:", "error: b.yaml:", "error: big.yaml: the file is larger than 10 MiB", "error: c.json:", "error: docker-compose.prod.yml:",
				"error: latin.yaml:1:7: invalid UTF-8", "error: two.yaml:", "error: utf16.yaml:1:1: invalid UTF-8",
			},
		},
		"a named file that is no manifest": {
			files:    map[string]string{"a.txt": "text", "b.yaml": "a: [", "c.json": "{}", "d.yaml": ""},
			paths:    []string{"a.txt", "b.yaml", "c.json", "d.yaml"},
			problems: []string{"error: a.txt: not a " + alternatives, "error: b.yaml:1:5:", "error: c.json: not a", "error: d.yaml: not a"},
		},
		"a named file of any name": {
			files: map[string]string{"stack.txt": compose1("a"), "pod": pod1("p")},
			paths: []string{"stack.txt", "pod"},
			want:  []string{"stack.txt:a", "pod:p"},
		},
		"each path must stand for something": {
			files: map[string]string{"a/compose.yaml": compose1("a"), "b/readme.yaml": "a: b", "c/": "", "d/compose.yaml": broken},
			paths: []string{"a", "b", "c", "d", "e", "f/..."},
			want:  []string{"a/compose.yaml:a"},
			problems: []string{
				fmt.Sprintf(none, "b"), fmt.Sprintf(none, "c"), "error: d/compose.yaml:", "error: e: the file does not exist", "error: f: the file does not exist",
			},
		},
		"a path outside": {
			files:    map[string]string{"a/compose.yaml": compose1("a")},
			paths:    []string{"a", "../x.yaml"},
			want:     []string{"a/compose.yaml:a"},
			problems: []string{"error: ../x.yaml: the path"},
		},
		"a path given twice": {
			files: map[string]string{"compose.yaml": compose1("a"), "p.yaml": pod1("p")},
			paths: []string{"compose.yaml", ".", "./compose.yaml", "./..."},
			want:  []string{"compose.yaml:a", "p.yaml:p"},
		},
		"standard input": {
			opts:  loaders.Options{Stdin: strings.NewReader(pod1("p"))},
			paths: []string{"-", "-"},
			want:  []string{"stdin:p"},
		},
		"standard input with a name": {
			files: map[string]string{"a/compose.yaml": compose1("old"), "a/p.yaml": pod1("p")},
			opts:  loaders.Options{Stdin: strings.NewReader(compose1("new")), StdinFilename: "a/compose.yaml"},
			paths: []string{"-", "a"},
			want:  []string{"a/compose.yaml:new", "a/p.yaml:p"},
		},
		"standard input that is no manifest": {
			opts:     loaders.Options{Stdin: strings.NewReader("a: b")},
			paths:    []string{"-"},
			problems: []string{"error: stdin: not a " + alternatives},
		},
		"no standard input": {
			paths:    []string{"-"},
			problems: []string{"error: stdin: not a " + alternatives},
		},
		"too much standard input": {
			opts:     loaders.Options{Stdin: strings.NewReader(strings.Repeat(" ", source.MaxFileSize+1))},
			paths:    []string{"-"},
			problems: []string{"error: stdin: standard input is larger than 10 MiB"},
		},
		"standard input with a name outside": {
			opts:     loaders.Options{Stdin: strings.NewReader(pod1("p")), StdinFilename: "../p.yaml"},
			paths:    []string{"-"},
			problems: []string{"error: ../p.yaml: the path"},
		},
		"a chart is no set of manifests": {
			files: map[string]string{
				"chart/Chart.yaml": "name: x\n", "chart/templates/p.yaml": "apiVersion: v1\nkind: Pod\n{{- if a }}\n", "chart/charts/sub/templates/p.yaml": pod1("{{ x }}"),
				"chart/compose.yaml": compose1("a"), "chart/values.yaml": "kind: x\n",
			},
			want:     []string{"chart/compose.yaml:a"},
			problems: []string{"error: chart/Chart.yaml:1:1: the chart does not render"},
		},
		"override": {
			files: map[string]string{"docker-compose.yml": compose1("a"), "docker-compose.override.yml": compose1("b"), "docker-compose.prod.yml": compose1("c"), "stack.yml": compose1("d")},
			want:  []string{"docker-compose.yml:a", "docker-compose.override.yml:b", "docker-compose.prod.yml:c", "stack.yml:d"},
		},
		"override named with its base": {
			files: map[string]string{"compose.yaml": compose1("a"), "compose.override.yaml": "services:\n  a:\n    environment: {X: y}\n"},
			paths: []string{"compose.override.yaml", "compose.yaml"},
			want:  []string{"compose.override.yaml:a"}, // where the service's key stands last
		},
		"base named alone": {
			files: map[string]string{"compose.yaml": compose1("a"), "compose.override.yaml": compose1("b")},
			paths: []string{"compose.yaml"},
			want:  []string{"compose.yaml:a"},
		},
		"override without a base": {
			files: map[string]string{"compose.override.yaml": compose1("b")},
			want:  []string{"compose.override.yaml:b"},
		},
		"two bases": {
			files: map[string]string{"compose.yaml": compose1("a"), "docker-compose.yml": compose1("b"), "docker-compose.override.yml": compose1("c")},
			want:  []string{"compose.yaml:a", "docker-compose.override.yml:c", "docker-compose.yml:b"},
		},
		"included files come once": {
			files: map[string]string{
				"compose.yaml": "include:\n  - db/compose.yaml\n  - path: [more.yaml]\n" + compose1("a"), "db/compose.yaml": "include: [../deep.yaml]\n" + compose1("db"),
				"more.yaml": compose1("more"), "deep.yaml": compose1("deep"),
			},
			want: []string{"compose.yaml:a", "db/compose.yaml:db", "deep.yaml:deep", "more.yaml:more"},
		},
		"an included file that is named": {
			files: map[string]string{"compose.yaml": "include: [more.yaml]\n" + compose1("a"), "more.yaml": compose1("more")},
			paths: []string{".", "more.yaml"},
			want:  []string{"compose.yaml:a", "more.yaml:more", "more.yaml:more"},
		},
		"a file that only serves to be extended": {
			files: map[string]string{"compose.yaml": "services:\n  a:\n    extends: {file: common.yaml, service: base}\n", "common.yaml": compose1("base")},
			want:  []string{"compose.yaml:a"},
		},
		"a file that has more than what is extended": {
			files: map[string]string{"compose.yaml": "services:\n  a:\n    extends: {file: common.yaml, service: base}\n", "common.yaml": compose1("base") + "  own:\n    image: example/own\n"},
			want:  []string{"compose.yaml:a", "common.yaml:base", "common.yaml:own"},
		},
		"a default file that is extended": {
			files: map[string]string{"prod.yaml": "services:\n  a:\n    extends: {file: compose.yaml, service: base}\n", "compose.yaml": compose1("base")},
			want:  []string{"compose.yaml:base", "prod.yaml:a"},
		},
		"files that extend each other": {
			files: map[string]string{
				"x.yaml": compose1("a") + "  b:\n    extends: {file: y.yaml, service: a}\n",
				"y.yaml": compose1("a") + "  b:\n    extends: {file: x.yaml, service: a}\n",
			},
			want: []string{"x.yaml:a", "x.yaml:b", "y.yaml:a", "y.yaml:b"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			test.opts.Tree = repository(t, test.files)
			test.opts.Paths = test.paths
			if test.paths == nil {
				test.opts.Paths = []string{"."}
			}
			got := load(t, test.opts)
			if diff := cmp.Diff(test.want, got.Containers); diff != "" {
				t.Errorf("containers (-want +got):\n%s", diff)
			}
			if len(got.Problems) != len(test.problems) {
				t.Fatalf("got the problems\n%s", strings.Join(got.Problems, "\n"))
			}
			for i, p := range got.Problems {
				if !strings.HasPrefix(p, test.problems[i]) {
					t.Errorf("got the problem %s\nwant %s", p, test.problems[i])
				}
			}
		})
	}
}

func TestPipesDoNotHang(t *testing.T) {
	tree := repository(t, map[string]string{"p.yaml": pod1("p")})
	for _, name := range []string{"pipe.yaml", "compose.yaml"} {
		testtree.Pipe(t, name)
	}
	got := load(t, loaders.Options{Tree: tree, Paths: []string{"."}})
	want := []string{"error: compose.yaml: expected a regular file, found a named pipe", "notice: pipe.yaml: expected a regular file, found a named pipe"}
	if diff := cmp.Diff(want, got.Problems); diff != "" {
		t.Error(diff)
	}
	got = load(t, loaders.Options{Tree: tree, Paths: []string{"pipe.yaml"}})
	if diff := cmp.Diff([]string{"error: pipe.yaml: expected a regular file, found a named pipe"}, got.Problems); diff != "" {
		t.Error(diff)
	}
}

func TestUnreadableFolder(t *testing.T) {
	tree := repository(t, map[string]string{"p.yaml": pod1("p"), "closed/q.yaml": pod1("q")})
	if err := os.Chmod("closed", 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod("closed", 0o700) })
	if _, err := fs.ReadDir(tree.FS(), "closed"); err == nil {
		t.Skip("this user may read every directory")
	}
	got := load(t, loaders.Options{Tree: tree, Paths: []string{"."}})
	if diff := cmp.Diff([]string{"error: closed: cannot read the directory: permission denied"}, got.Problems); diff != "" {
		t.Error(diff)
	}
}

func TestFilesAreCounted(t *testing.T) {
	tree := repository(t, map[string]string{"compose.yaml": "include: [more.yaml]\n" + compose1("a"), "more.yaml": compose1("b"), "p.yaml": pod1("p"), "other.yaml": "a: b\n"})
	if got := loadAll(context.Background(), loaders.Options{Tree: tree, Paths: []string{"."}}); got.Files != 3 {
		t.Errorf("got %d files", got.Files)
	}
}

func TestOrderIsTheSame(t *testing.T) {
	files := map[string]string{}
	for i := range 40 {
		files[fmt.Sprintf("d%d/compose.yaml", i)] = compose1("a")
		files[fmt.Sprintf("p%d.yaml", i)] = pod1(fmt.Sprintf("p%d", i))
		files[fmt.Sprintf("broken%d.yaml", i)] = "services: [\n"
	}
	tree := repository(t, files)
	first := load(t, loaders.Options{Tree: tree, Paths: []string{"."}})
	if len(first.Containers) != 80 || len(first.Problems) != 40 {
		t.Fatalf("got %d containers, %d problems", len(first.Containers), len(first.Problems))
	}
	for range 5 {
		if diff := cmp.Diff(first, load(t, loaders.Options{Tree: tree, Paths: []string{"."}})); diff != "" {
			t.Fatal(diff)
		}
	}
}

func TestCancel(t *testing.T) {
	tree := repository(t, map[string]string{"compose.yaml": compose1("a")})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	got := loadAll(ctx, loaders.Options{Tree: tree, Paths: []string{"."}})
	if len(got.Containers) > 0 || len(got.Problems) != 1 || got.Problems[0].Severity != manifest.Error {
		t.Errorf("got %+v", got)
	}
}

// faulty is a loader that panics: over y.yaml when it is asked, and over x.yaml when
// it loads it.
type faulty struct{}

var faultyDialect = &manifest.Dialect{Title: manifest.Say("faulty file")}

func (faulty) Dialect() *manifest.Dialect          { return faultyDialect }
func (faulty) Claims(base string) (bool, []string) { return base == "x.yaml" || base == "y.yaml", nil }
func (faulty) Suspects(string, []byte) bool        { return false }

func (faulty) Recognizes(f *loaders.File) bool {
	if f.Name == "y.yaml" {
		panic("hunter2")
	}
	return f.Name == "x.yaml"
}

func (faulty) Projects([]*loaders.File) []loaders.Project {
	return []loaders.Project{{Name: "x.yaml", Load: func(context.Context) ([]manifest.Container, []*manifest.Problem) { panic("hunter2") }}}
}

// TestPanic checks that a defect in one loader hides no other project and shows
// no value.
func TestPanic(t *testing.T) {
	tree := repository(t, map[string]string{"x.yaml": "kind: x\npanic: hunter2\n", "y.yaml": "kind: x\n", "p.yaml": pod1("p")})
	list := slices.Concat([]loaders.Loader{faulty{}}, dialects(kubernetes.Options{}, nil, compose.Options{}, nil))
	got := load(t, loaders.Options{Tree: tree, Paths: []string{"."}, Loaders: list})
	if diff := cmp.Diff([]string{"p.yaml:p"}, got.Containers); diff != "" {
		t.Error(diff)
	}
	if len(got.Problems) != 2 || !strings.HasPrefix(got.Problems[0], "error: x.yaml: dsnlint failed") || !strings.HasPrefix(got.Problems[1], "error: y.yaml: dsnlint failed") {
		t.Errorf("got %v", got.Problems)
	}
}
