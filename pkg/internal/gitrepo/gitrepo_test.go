package gitrepo

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing/object"
)

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func put(t *testing.T, dir, name, text string) {
	t.Helper()
	file := filepath.Join(dir, filepath.FromSlash(name))
	check(t, os.MkdirAll(filepath.Dir(file), 0o755))
	check(t, os.WriteFile(file, []byte(text), 0o600))
}

// committed makes a repository with one commit of a few files.
func committed(t *testing.T) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	check(t, err)
	repository, err := git.PlainInit(dir, false)
	check(t, err)
	put(t, dir, "a.yaml", "a")
	put(t, dir, "sub/deep/b.yaml", "b")
	for link, target := range map[string]string{
		"link.yaml": "sub/deep/b.yaml", "dir": "sub/deep", "out.yaml": "../../x", "abs.yaml": "/etc/passwd", "loop": "loop", "dangling": "none",
	} {
		check(t, os.Symlink(target, filepath.Join(dir, link)))
	}
	worktree, err := repository.Worktree()
	check(t, err)
	check(t, worktree.AddWithOptions(&git.AddOptions{All: true}))
	_, err = worktree.Commit("c", &git.CommitOptions{Author: &object.Signature{Name: "n", Email: "e", When: time.Unix(1, 0)}})
	check(t, err)
	return dir
}

func TestRead(t *testing.T) {
	dir := committed(t)
	put(t, dir, "a.yaml", "changed")
	for _, test := range []struct {
		from, name, want string
		missing          bool
	}{
		{".", "a.yaml", "a", false},
		{".", "link.yaml", "b", false},
		{".", "dir/b.yaml", "b", false},
		{"sub/deep", "b.yaml", "b", false},
		{"sub", "../a.yaml", "a", false},
		{".", "none.yaml", "", true},
		{".", "sub", "", true},
		{".", "a.yaml/x", "", true},
		{".", "loop", "", true},
		{".", "dangling", "", true},
		{".", "out.yaml", "", false},
		{".", "abs.yaml", "", false},
		{".", "../a.yaml", "", false},
	} {
		repository, err := Open(filepath.Join(dir, test.from))
		check(t, err)
		commit, err := repository.Commit("HEAD")
		check(t, err)
		snapshot, err := repository.Snapshot(commit)
		check(t, err)
		data, err := snapshot.Read(test.name)
		if string(data) != test.want || (err != nil) != (test.want == "") || errors.Is(err, fs.ErrNotExist) != test.missing {
			t.Errorf("%s from %s: %q, error %v", test.name, test.from, data, err)
		}
	}
}

// TestBroken has repositories that are broken or strange. None may crash or hang,
// and each gives an error where it cannot be read.
func TestBroken(t *testing.T) {
	objects := func(t *testing.T, dir string, do func(name string)) {
		t.Helper()
		check(t, filepath.WalkDir(filepath.Join(dir, ".git", "objects"), func(name string, entry fs.DirEntry, err error) error {
			if err == nil && !entry.IsDir() {
				check(t, os.Chmod(name, 0o600))
				do(name)
			}
			return err
		}))
	}
	for name, test := range map[string]struct {
		spoil func(t *testing.T, dir string)
		reads bool
	}{
		"nothing": {func(*testing.T, string) {}, true},
		"an empty .git directory": {func(t *testing.T, dir string) {
			check(t, os.RemoveAll(filepath.Join(dir, ".git")))
			check(t, os.Mkdir(filepath.Join(dir, ".git"), 0o755))
		}, false},
		"a .git file that names itself": {func(t *testing.T, dir string) {
			check(t, os.RemoveAll(filepath.Join(dir, ".git")))
			put(t, dir, ".git", "gitdir: .git\n")
		}, false},
		"a .git file that names the root of the file system": {func(t *testing.T, dir string) {
			check(t, os.RemoveAll(filepath.Join(dir, ".git")))
			put(t, dir, ".git", "gitdir: /\n")
		}, false},
		"a large .git file": {func(t *testing.T, dir string) {
			check(t, os.RemoveAll(filepath.Join(dir, ".git")))
			put(t, dir, ".git", "gitdir: "+strings.Repeat("x/", 1<<20))
		}, false},
		"a .git file that leads to another repository": {func(t *testing.T, dir string) {
			elsewhere := filepath.Join(t.TempDir(), "git")
			check(t, os.Rename(filepath.Join(dir, ".git"), elsewhere))
			put(t, dir, ".git", "gitdir: "+elsewhere+"\n")
		}, true},
		"a common directory that does not exist": {func(t *testing.T, dir string) { put(t, dir, ".git/commondir", "../none\n") }, false},
		"an unborn HEAD":                         {func(t *testing.T, dir string) { put(t, dir, ".git/HEAD", "ref: refs/heads/none\n") }, false},
		"a HEAD that names itself":               {func(t *testing.T, dir string) { put(t, dir, ".git/HEAD", "ref: HEAD\n") }, false},
		"an empty HEAD":                          {func(t *testing.T, dir string) { put(t, dir, ".git/HEAD", "") }, false},
		"no object":                              {func(t *testing.T, dir string) { objects(t, dir, func(name string) { check(t, os.Remove(name)) }) }, false},
		"empty objects":                          {func(t *testing.T, dir string) { objects(t, dir, func(name string) { check(t, os.Truncate(name, 0)) }) }, false},
		"broken objects":                         {func(t *testing.T, dir string) { objects(t, dir, func(name string) { check(t, os.Truncate(name, 20)) }) }, false},
		"objects that are not what they are": {func(t *testing.T, dir string) {
			var first []byte
			objects(t, dir, func(name string) {
				if first == nil {
					var err error
					first, err = os.ReadFile(name)
					check(t, err)
				}
				check(t, os.WriteFile(name, first, 0o600))
			})
		}, false},
		"alternates that name themselves": {func(t *testing.T, dir string) {
			put(t, dir, ".git/objects/info/alternates", filepath.Join(dir, ".git", "objects")+"\n")
			objects(t, dir, func(name string) {
				if filepath.Base(name) != "alternates" {
					check(t, os.Remove(name))
				}
			})
		}, false},
		"alternates that do not exist": {func(t *testing.T, dir string) { put(t, dir, ".git/objects/info/alternates", "/none/objects\n") }, true},
		"a broken configuration":       {func(t *testing.T, dir string) { put(t, dir, ".git/config", "[core\n") }, false},
		"another format": {func(t *testing.T, dir string) {
			put(t, dir, ".git/config", "[core]\n\trepositoryformatversion = 1\n[extensions]\n\tobjectformat = sha256\n")
		}, false},
		"a broken pack": {func(t *testing.T, dir string) {
			name := ".git/objects/pack/pack-" + strings.Repeat("a", 40)
			put(t, dir, name+".pack", "PACK")
			put(t, dir, name+".idx", "x")
			objects(t, dir, func(name string) {
				if !strings.HasPrefix(filepath.Base(name), "pack-") {
					check(t, os.Remove(name))
				}
			})
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			dir := committed(t)
			test.spoil(t, dir)
			done := make(chan error, 1)
			go func() {
				done <- func() error {
					repository, err := Open(dir)
					if err != nil {
						return err
					}
					if _, err := repository.Index(); err != nil {
						return err
					}
					commit, err := repository.Commit("HEAD")
					if err != nil {
						return err
					}
					snapshot, err := repository.Snapshot(commit)
					if err != nil {
						return err
					}
					_, err = snapshot.Read("sub/deep/b.yaml")
					return err
				}()
			}()
			select {
			case err := <-done:
				if (err == nil) != test.reads || errors.Is(err, fs.ErrNotExist) && strings.Contains(name, "object") {
					t.Errorf("the error is %v", err)
				}
			case <-time.After(time.Minute):
				t.Fatal("it hangs")
			}
		})
	}
}
