package gitignore

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// cases are .gitignore files with paths, a slash behind directories, and whether
// git ignores them.
var cases = []struct {
	lines string
	paths map[string]bool
}{
	{"a.yaml", map[string]bool{"a.yaml": true, "x/a.yaml": true, "a.yaml/": true, "b.yaml": false, "xa.yaml": false}},
	{"/a.yaml", map[string]bool{"a.yaml": true, "x/a.yaml": false}},
	{"x/a.yaml", map[string]bool{"x/a.yaml": true, "y/x/a.yaml": false}},
	{"out/", map[string]bool{"out/": true, "out": false, "x/out/": true}},
	{"*.yaml", map[string]bool{"a.yaml": true, "x/a.yaml": true, "a.yml": false}},
	{"x/*", map[string]bool{"x/a": true, "x/": false, "x/y/": true}},
	{"x/**", map[string]bool{"x/": false, "x/a": true, "x/y/": true}},
	{"**/x", map[string]bool{"x": true, "y/x": true, "y/z/x": true}},
	{"x/**/y", map[string]bool{"x/y": true, "x/z/y": true, "x/z/z/y": true, "z/x/y": false}},
	{"x/**/", map[string]bool{"x/y/": true, "x/y": false, "x/": false}},
	{"**/", map[string]bool{"x/": true, "x": false}},
	{"/**", map[string]bool{"x": true, "x/": true}},
	{"a**b", map[string]bool{"ab": true, "axxb": true, "x/ab": true}},
	{"x/a**b", map[string]bool{"x/axb": true, "x/a/b": false}},
	{"a?.yaml", map[string]bool{"ab.yaml": true, "a.yaml": false}},
	{"x?y", map[string]bool{"x/y": false, "x-y": true}},
	{"[ab].yaml", map[string]bool{"a.yaml": true, "c.yaml": false}},
	{"[!ab].yaml", map[string]bool{"a.yaml": false, "c.yaml": true}},
	{"[^ab].yaml", map[string]bool{"a.yaml": false, "c.yaml": true}},
	{"[]a]", map[string]bool{"]": true, "a": true, "b": false}},
	{"[!]a]", map[string]bool{"]": false, "a": false, "b": true}},
	{"[a-c]x", map[string]bool{"bx": true, "dx": false}},
	{"[[:digit:]]x", map[string]bool{"1x": true, "ax": false}},
	{"[![:digit:]_]x", map[string]bool{"1x": false, "_x": false, "ax": true}},
	{"[[:upper:][:digit:]]x", map[string]bool{"1x": true, "Ax": true, "ax": false}},
	{"[[]x", map[string]bool{"[x": true, "ax": false}},
	{`[\]]x`, map[string]bool{"]x": true, "ax": false}},
	{"A.yaml", map[string]bool{"A.yaml": true, "a.yaml": false}},
	{"*\n!a.yaml", map[string]bool{"a.yaml": false, "b.yaml": true}},
	{"!a.yaml\na.yaml", map[string]bool{"a.yaml": true}},
	{"\\#a\n\\!b\n#c", map[string]bool{"#a": true, "!b": true, "c": false, "#c": false}},
	{"a  \nb\\ ", map[string]bool{"a": true, "b ": true, "b": false}},
	{" a", map[string]bool{" a": true, "a": false}},
	{"a\t", map[string]bool{"a": false, "a\t": true}},
	{"{a,b}", map[string]bool{"a": false, "{a,b}": true}},
	{"a\r\nb\r\n", map[string]bool{"a": true, "b": true}},
	{"\ufeffa\nb", map[string]bool{"a": true, "b": true}},
	{"[a\nb", map[string]bool{"[a": false, "b": true}},
	{"é.yaml\n[é]x", map[string]bool{"é.yaml": true}},
	{"a\\", map[string]bool{"a": false}},
	{"/", map[string]bool{"a": false, "a/": false}},
	{"!/", map[string]bool{"a": false}},
	{"./a", map[string]bool{"a": false}},
	{"\n \n!\n", map[string]bool{"a": false}},
}

func TestIgnores(t *testing.T) {
	for _, test := range cases {
		rules := Parse([]byte(test.lines), ".")
		for name, want := range test.paths {
			trimmed, dir := strings.CutSuffix(name, "/")
			if got := rules.Ignores(trimmed, dir); got != want {
				t.Errorf("%q: Ignores(%q) is %v", test.lines, name, got)
			}
		}
	}
}

// TestCasesAreGits checks the cases themselves against git.
func TestCasesAreGits(t *testing.T) {
	git, err := exec.LookPath("git")
	if err != nil {
		t.Skip("there is no git to compare with")
	}
	repository := t.TempDir()
	if out, err := exec.Command(git, "init", "-q", repository).CombinedOutput(); err != nil {
		t.Fatalf("git init: %s", out)
	}
	for _, test := range cases {
		for name, want := range test.paths {
			dir, err := os.MkdirTemp(repository, "case")
			if err != nil {
				t.Fatal(err)
			}
			trimmed, isDir := strings.CutSuffix(name, "/")
			file := filepath.Join(dir, filepath.FromSlash(trimmed))
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				t.Fatal(err)
			}
			if isDir {
				err = os.Mkdir(file, 0o755)
			} else {
				err = os.WriteFile(file, nil, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, ".gitignore"), []byte(test.lines), 0o600); err != nil {
				t.Fatal(err)
			}
			command := exec.Command(git, "check-ignore", "-q", "--", trimmed)
			command.Dir = dir
			if got := command.Run() == nil; got != want {
				t.Errorf("%q: git ignores %q: %v", test.lines, name, got)
			}
		}
	}
}

func TestBase(t *testing.T) {
	rules := append(Parse([]byte("/a\nb\n"), "x/y"), Glob("./old/", "x"), Glob("**/{p,q}", "."))
	for name, want := range map[string]bool{
		"x/y/a": true, "x/a": false, "a": false, "x/y/z/b": true, "x/b": false, "xx/y/a": false, "x/old": true, "old": false, "z/q": true, "p": true,
	} {
		if got := rules.Ignores(name, true); got != want {
			t.Errorf("Ignores(%q) is %v", name, got)
		}
	}
}

func FuzzIgnores(f *testing.F) {
	for _, test := range cases {
		for name := range test.paths {
			f.Add(test.lines, name)
		}
	}
	f.Fuzz(func(_ *testing.T, lines, name string) { Parse([]byte(lines), ".").Ignores(name, true) })
}
