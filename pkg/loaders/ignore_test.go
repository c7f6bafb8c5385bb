package loaders

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// ignoreCases are .gitignore files with paths, a slash behind folders, and
// whether git ignores them.
var ignoreCases = []struct {
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
	{"a?.yaml", map[string]bool{"ab.yaml": true, "a.yaml": false}},
	{"[ab].yaml", map[string]bool{"a.yaml": true, "c.yaml": false}},
	{"[!ab].yaml", map[string]bool{"a.yaml": false, "c.yaml": true}},
	{"*\n!a.yaml", map[string]bool{"a.yaml": false, "b.yaml": true}},
	{"!a.yaml\na.yaml", map[string]bool{"a.yaml": true}},
	{"\\#a\n\\!b\n#c", map[string]bool{"#a": true, "!b": true, "c": false, "#c": false}},
	{"a  \nb\\ ", map[string]bool{"a": true, "b ": true, "b": false}},
	{"{a,b}", map[string]bool{"a": false, "{a,b}": true}},
	{"a\r\nb\r\n", map[string]bool{"a": true, "b": true}},
	{"[a\nb", map[string]bool{"[a": false, "b": true}},
	{"/", map[string]bool{"a": false}},
	{"\n \n!\n", map[string]bool{"a": false}},
}

func TestIgnoreRules(t *testing.T) {
	for _, test := range ignoreCases {
		var rules ignoreRules
		for line := range strings.SplitSeq(test.lines, "\n") {
			if rule, ok := parseIgnoreLine(line, "."); ok {
				rules = append(rules, rule)
			}
		}
		for name, want := range test.paths {
			trimmed, folder := strings.CutSuffix(name, "/")
			if got := rules.ignores(trimmed, folder); got != want {
				t.Errorf("%q: ignores(%q) is %v", test.lines, name, got)
			}
		}
	}
}

// TestIgnoreCasesAreGits holds the cases themselves against git.
func TestIgnoreCasesAreGits(t *testing.T) {
	git, err := exec.LookPath("git")
	if err != nil {
		t.Skip("there is no git to compare with")
	}
	repository := t.TempDir()
	if out, err := exec.Command(git, "init", "-q", repository).CombinedOutput(); err != nil {
		t.Fatalf("git init: %s", out)
	}
	for _, test := range ignoreCases {
		if strings.Contains(test.lines, "\r") {
			continue // git takes a carriage return for a part of the name.
		}
		for name, want := range test.paths {
			dir, err := os.MkdirTemp(repository, "case")
			if err != nil {
				t.Fatal(err)
			}
			write(t, dir, map[string]string{".gitignore": test.lines, name: ""})
			command := exec.Command(git, "check-ignore", "-q", "--", strings.TrimSuffix(name, "/"))
			command.Dir = dir
			if got := command.Run() == nil; got != want {
				t.Errorf("%q: git ignores %q: %v", test.lines, name, got)
			}
		}
	}
}

func FuzzIgnoreLine(f *testing.F) {
	for _, test := range ignoreCases {
		for name := range test.paths {
			f.Add(test.lines, name)
		}
	}
	f.Fuzz(func(_ *testing.T, lines, name string) {
		var rules ignoreRules
		for line := range strings.SplitSeq(lines, "\n") {
			if rule, ok := parseIgnoreLine(line, "."); ok {
				rules = append(rules, rule)
			}
		}
		rules.ignores(name, true)
	})
}
