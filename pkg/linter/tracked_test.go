package linter

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5"
	"github.com/google/go-cmp/cmp"

	"github.com/derekg1729/dsnlint/pkg/internal/source"
	"github.com/derekg1729/dsnlint/pkg/internal/testtree"
	"github.com/derekg1729/dsnlint/pkg/loaders"
)

// TestTracked checks that what git tracks is loaded whatever .gitignore says, in
// real repositories.
func TestTracked(t *testing.T) {
	chart := map[string]string{
		"out/chart/Chart.yaml": "apiVersion: v2\nname: c\nversion: 1.0.0\n", "out/chart/templates/p.yaml": pod1("chart"),
	}
	with := func(files map[string]string, more map[string]string) map[string]string {
		for name, text := range more {
			files[name] = text
		}
		return files
	}
	for name, test := range map[string]struct {
		files map[string]string
		// tracked are added to the index, and root is the directory that is linted.
		tracked []string
		root    string
		opts    loaders.Options
		spoil   func(t *testing.T, dir string)

		containers, problems []string
		leftOut              loaders.LeftOut
	}{
		"a file that a glob names": {
			files:   map[string]string{".gitignore": "*.local.yaml\n", "a.local.yaml": pod1("a"), "b.local.yaml": pod1("b"), "c.yaml": pod1("c")},
			tracked: []string{"a.local.yaml"}, containers: []string{"a.local.yaml:a", "c.yaml:c"}, leftOut: loaders.LeftOut{Ignored: 1},
		},
		"a directory that is named": {
			files:   map[string]string{".gitignore": "k8s/\n", "k8s/x/a.yaml": pod1("a"), "k8s/x/b.yaml": pod1("b"), "k8s/y/c.yaml": pod1("c"), "d.yaml": pod1("d")},
			tracked: []string{"k8s/x/a.yaml"}, containers: []string{"d.yaml:d", "k8s/x/a.yaml:a"}, leftOut: loaders.LeftOut{Ignored: 2},
		},
		"a name that only begins like a directory": {
			files:   map[string]string{".gitignore": "k8s\n", "k8s-x/a.yaml": pod1("a"), "k8s/b.yaml": pod1("b")},
			tracked: []string{"k8s-x/a.yaml"}, containers: []string{"k8s-x/a.yaml:a"}, leftOut: loaders.LeftOut{Ignored: 1},
		},
		"a chart in such a directory": {
			files:   with(map[string]string{".gitignore": "out\n", "a.yaml": pod1("a")}, chart),
			tracked: []string{"out/chart/Chart.yaml", "out/chart/templates/p.yaml"}, containers: []string{"out/chart/templates/p.yaml:chart", "a.yaml:a"},
		},
		"a chart that git does not track beside a file that it does": {
			files:   with(map[string]string{".gitignore": "out\n", "out/chart/p.yaml": pod1("p")}, chart),
			tracked: []string{"out/chart/p.yaml"}, containers: []string{"out/chart/p.yaml:p"}, leftOut: loaders.LeftOut{Ignored: 2},
		},
		"only what looks like a manifest is counted": {
			files:      map[string]string{".gitignore": "out\n", "out/a.json": "{}", "out/b.txt": pod1("b"), "out/node_modules/c.yaml": pod1("c"), "out/d.yaml": pod1("d"), "e.yaml": pod1("e")},
			containers: []string{"e.yaml:e"}, leftOut: loaders.LeftOut{Ignored: 1},
		},
		"exclude counts whether or not git tracks it": {
			files: map[string]string{"k8s/a.yaml": pod1("a"), "k8s/b.yaml": pod1("b"), "c.yaml": pod1("c")}, tracked: []string{"k8s/a.yaml"},
			opts: loaders.Options{Exclude: []string{"k8s/**"}, ExcludeBase: "."}, containers: []string{"c.yaml:c"}, leftOut: loaders.LeftOut{Excluded: 2},
		},
		"a root below the repository's": {
			files: map[string]string{"sub/.gitignore": "*.yaml\n", "sub/a.yaml": pod1("a"), "sub/b.yaml": pod1("b"), "sub/c.json": "{}"}, root: "sub",
			tracked: []string{"sub/a.yaml"}, containers: []string{"a.yaml:a"}, leftOut: loaders.LeftOut{Ignored: 1},
		},
		"no index": {
			files: map[string]string{".gitignore": "a.yaml\n", "a.yaml": pod1("a"), "b.yaml": pod1("b")}, tracked: []string{"a.yaml"},
			spoil:      func(t *testing.T, dir string) { check(t, os.Remove(filepath.Join(dir, ".git/index"))) },
			containers: []string{"b.yaml:b"}, leftOut: loaders.LeftOut{Ignored: 1},
		},
		"a broken index": {
			files: map[string]string{".gitignore": "a.yaml\n", "a.yaml": pod1("a"), "b.yaml": pod1("b")}, tracked: []string{"a.yaml"},
			spoil:      func(t *testing.T, dir string) { check(t, os.Truncate(filepath.Join(dir, ".git/index"), 40)) },
			containers: []string{"b.yaml:b"}, problems: []string{"notice: cannot read git's index"}, leftOut: loaders.LeftOut{Ignored: 1},
		},
		"an index that is a directory": {
			files: map[string]string{".gitignore": "a.yaml\n", "a.yaml": pod1("a"), "b.yaml": pod1("b")},
			spoil: func(t *testing.T, dir string) {
				check(t, os.RemoveAll(filepath.Join(dir, ".git/index")))
				check(t, os.Mkdir(filepath.Join(dir, ".git/index"), 0o755))
			},
			containers: []string{"b.yaml:b"}, problems: []string{"notice: cannot read git's index"}, leftOut: loaders.LeftOut{Ignored: 1},
		},
		"a broken index that nobody asks for": {
			files: map[string]string{".gitignore": "*.log\nnode_modules\n", "x.log": "", "b.yaml": pod1("b"), "node_modules/a.yaml": pod1("a")}, tracked: []string{"b.yaml"},
			spoil:      func(t *testing.T, dir string) { check(t, os.Truncate(filepath.Join(dir, ".git/index"), 40)) },
			containers: []string{"b.yaml:b"},
		},
		"a .git directory that is empty": {
			files: map[string]string{".gitignore": "a.yaml\n", "a.yaml": pod1("a"), "b.yaml": pod1("b")},
			spoil: func(t *testing.T, dir string) {
				check(t, os.RemoveAll(filepath.Join(dir, ".git")))
				check(t, os.Mkdir(filepath.Join(dir, ".git"), 0o755))
			},
			containers: []string{"b.yaml:b"}, leftOut: loaders.LeftOut{Ignored: 1},
		},
		"a .git file that leads nowhere": {
			files: map[string]string{".gitignore": "a.yaml\n", "a.yaml": pod1("a"), "b.yaml": pod1("b")},
			spoil: func(t *testing.T, dir string) {
				check(t, os.RemoveAll(filepath.Join(dir, ".git")))
				check(t, os.WriteFile(filepath.Join(dir, ".git"), []byte("gitdir: ../nowhere\n"), 0o600))
			},
			containers: []string{"b.yaml:b"}, leftOut: loaders.LeftOut{Ignored: 1},
		},
		"a .git file that names nothing": {
			files: map[string]string{".gitignore": "a.yaml\n", "a.yaml": pod1("a"), "b.yaml": pod1("b")},
			spoil: func(t *testing.T, dir string) {
				check(t, os.RemoveAll(filepath.Join(dir, ".git")))
				check(t, os.WriteFile(filepath.Join(dir, ".git"), nil, 0o600))
			},
			containers: []string{"b.yaml:b"}, problems: []string{"notice: cannot read git's index"}, leftOut: loaders.LeftOut{Ignored: 1},
		},
		"a .git file that leads to another place": {
			files: map[string]string{".gitignore": "a.yaml\n", "a.yaml": pod1("a"), "b.yaml": pod1("b")}, tracked: []string{"a.yaml"},
			spoil: func(t *testing.T, dir string) {
				elsewhere := filepath.Join(t.TempDir(), "git")
				check(t, os.Rename(filepath.Join(dir, ".git"), elsewhere))
				check(t, os.WriteFile(filepath.Join(dir, ".git"), []byte("gitdir: "+elsewhere+"\n"), 0o600))
			},
			containers: []string{"a.yaml:a", "b.yaml:b"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir, err := filepath.EvalSymlinks(t.TempDir())
			check(t, err)
			repository, err := git.PlainInit(dir, false)
			check(t, err)
			testtree.Write(t, dir, test.files)
			worktree, err := repository.Worktree()
			check(t, err)
			for _, file := range test.tracked {
				check(t, worktree.AddWithOptions(&git.AddOptions{Path: file, SkipStatus: true}))
			}
			if test.spoil != nil {
				test.spoil(t, dir)
			}
			opts := test.opts
			opts.Tree, err = source.Open(filepath.Join(dir, test.root))
			check(t, err)
			t.Cleanup(func() { _ = opts.Tree.Close() })
			opts.Paths = []string{opts.Tree.Dir()}
			got := load(t, opts)
			if diff := cmp.Diff(test.containers, got.Containers); diff != "" {
				t.Error(diff)
			}
			if len(got.Problems) != len(test.problems) {
				t.Errorf("problems %v, want %v", got.Problems, test.problems)
			}
			for i, want := range test.problems {
				if i < len(got.Problems) && !strings.HasPrefix(got.Problems[i], want) {
					t.Errorf("problem %q, want %q", got.Problems[i], want)
				}
			}
			if left := loadAll(t.Context(), opts).LeftOut; left != test.leftOut {
				t.Errorf("left out %+v, want %+v", left, test.leftOut)
			}
		})
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
