package gitrepo

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestPathsOf lays out repositories and compares the directories that the command
// may read of them; a path is relative to the repository.
func TestPathsOf(t *testing.T) {
	const head = "ref: refs/heads/main\n"
	repository := map[string]string{".git/HEAD": head, ".git/objects/info/x": "", ".git/refs/x": ""}
	cases := map[string]struct {
		files map[string]string
		dir   string
		want  []string
	}{
		"plain":         {repository, ".", []string{".git"}},
		"a directory":   {with(repository, "a/b/x", ""), "a/b", []string{".git"}},
		"none":          {map[string]string{"x": ""}, ".", nil},
		"a file":        {with(repository, "w/.git", "gitdir: ../.git\n"), "w", []string{".git"}},
		"elsewhere":     {map[string]string{".git": "gitdir: other\n", "other/secret": "x"}, ".", nil},
		"no git at all": {map[string]string{".git": "gitdir: /\n"}, ".", nil},
		"a worktree": {with(repository, ".git/worktrees/w/HEAD", head, ".git/worktrees/w/commondir", "../..\n", "w/.git", "gitdir: ../.git/worktrees/w\n"),
			"w", []string{".git/worktrees/w", ".git"}},
		"alternates": {with(repository, ".git/objects/info/alternates", "../../lent/objects\n# a comment\n", "lent/objects/info/alternates", "../../far/objects\n", "far/objects/x", ""),
			".", []string{".git", "lent/objects", "far/objects"}},
		"alternates in a cycle":       {with(repository, ".git/objects/info/alternates", ".\n../objects\n"), ".", []string{".git", ".git/objects"}},
		"alternates that are not git": {with(repository, ".git/objects/info/alternates", "/\n/etc\n"), ".", []string{".git"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			root, err := filepath.EvalSymlinks(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			for file, content := range c.files {
				path := filepath.Join(root, filepath.FromSlash(file))
				if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			var got []string
			for _, dir := range PathsOf(filepath.Join(root, filepath.FromSlash(c.dir))).Git {
				rel, err := filepath.Rel(root, dir)
				if err != nil || strings.HasPrefix(rel, "..") {
					rel = dir
				}
				got = append(got, filepath.ToSlash(rel))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func with(files map[string]string, more ...string) map[string]string {
	all := map[string]string{}
	for name, content := range files {
		all[name] = content
	}
	for i := 0; i < len(more); i += 2 {
		all[more[i]] = more[i+1]
	}
	return all
}
