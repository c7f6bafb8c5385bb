package changes

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-git/go-billy/v5/osfs"
	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/config"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/storage/filesystem"
	"github.com/go-git/go-git/v5/storage/filesystem/dotgit"
)

// openRepository opens the repository whose working tree holds a folder, and
// gives the root of that tree. It reads neither the configuration of the user or
// the system nor the environment, and git.Open never fetches.
func openRepository(dir string) (repository *git.Repository, root string, err error) {
	root, own, err := findGit(dir)
	if err != nil {
		return nil, "", err
	}
	common, err := commonDirectory(own)
	if err != nil {
		return nil, "", err
	}
	files := dotgit.NewRepositoryFilesystem(osfs.New(own), osfs.New(common))
	// A clone that borrows objects names their folder by an absolute path.
	options := filesystem.Options{AlternatesFS: osfs.New(string(filepath.Separator))}
	objects := filesystem.NewStorageWithOptions(files, cache.NewObjectLRUDefault(), options)
	repository, err = git.Open(storage{objects}, osfs.New(root))
	return repository, root, err
}

// findGit finds the working tree that a folder lies in, and the folder that git
// keeps for this very tree: .git itself, or for a linked working tree or a
// submodule what the file .git names.
func findGit(dir string) (root, own string, err error) {
	for root = dir; ; root = filepath.Dir(root) {
		own = filepath.Join(root, git.GitDirName)
		info, err := os.Stat(own)
		switch {
		case err == nil && info.IsDir():
			return root, own, nil
		case err == nil:
			own, err = pointer(own, "gitdir: ")
			return root, own, err
		case !errors.Is(err, fs.ErrNotExist):
			return "", "", err
		case root == filepath.Dir(root):
			return "", "", git.ErrRepositoryNotExists
		}
	}
}

// commonDirectory returns the directory that a linked working tree shares with
// the others of its repository; for all other trees it is their own.
func commonDirectory(own string) (string, error) {
	common, err := pointer(filepath.Join(own, "commondir"), "")
	if errors.Is(err, fs.ErrNotExist) {
		return own, nil
	}
	return common, err
}

// Paths are what this package reads of a repository.
type Paths struct {
	// Git lists git's own directories, of which everything is read: that of the
	// working tree, the one it shares with other working trees, and those that
	// objects are borrowed from.
	Git []string
	// Above lists the directories above the given one that belong to the working
	// tree. They are opened, and only the .gitignore is read.
	Above []string
}

// PathsOf returns the paths of the repository that a directory lies in. It does
// not follow a .git that leads to anything but a git directory: that could be
// any directory of this machine.
func PathsOf(dir string) (p Paths) {
	root, own, err := findGit(dir)
	if err != nil {
		return Paths{}
	}
	for dir != root {
		dir = filepath.Dir(dir)
		p.Above = append(p.Above, dir)
	}
	common, err := commonDirectory(own)
	objects := filepath.Join(common, "objects")
	if err != nil || !exists(filepath.Join(own, "HEAD")) || !exists(objects) || !exists(filepath.Join(common, "refs")) {
		return p
	}
	p.Git = append(p.Git, own)
	if common != own {
		p.Git = append(p.Git, common)
	}
	p.Git = append(p.Git, alternates(objects, maxAlternates)...)
	return p
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// maxAlternates is how far git follows alternates of alternates.
const maxAlternates = 5

// alternates returns the directories that a directory of objects borrows from.
func alternates(objects string, depth int) []string {
	data, err := os.ReadFile(filepath.Join(objects, "info", "alternates"))
	if err != nil || depth == 0 {
		return nil
	}
	var dirs []string
	for line := range strings.Lines(string(data)) {
		name := strings.TrimSpace(line)
		if name == "" || name[0] == '#' {
			continue
		}
		if !filepath.IsAbs(name) {
			name = filepath.Join(objects, name)
		}
		dirs = append(append(dirs, name), alternates(name, depth-1)...)
	}
	return dirs
}

// pointer reads a file of git's that names a folder, relative to its own.
func pointer(file, prefix string) (string, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	name, ok := strings.CutPrefix(strings.TrimSpace(string(data)), prefix)
	if !ok || name == "" {
		return "", fmt.Errorf("the file %s names no folder", filepath.Base(file))
	}
	if filepath.IsAbs(name) {
		return filepath.Clean(name), nil
	}
	return filepath.Join(filepath.Dir(file), name), nil
}

// storage reads repositories with extensions that go-git knows nothing of and
// that have no bearing on reading.
type storage struct{ *filesystem.Storage }

// harmless are these extensions; see
// https://git-scm.com/docs/git-config#Documentation/git-config.txt-extensions.
var harmless = []string{"partialclone", "preciousobjects", "relativeworktrees", "worktreeconfig"}

// Config gives the repository's configuration without them.
func (s storage) Config() (*config.Config, error) {
	c, err := s.Storage.Config()
	if err != nil || !c.Raw.HasSection("extensions") {
		return c, err
	}
	section := c.Raw.Section("extensions")
	for _, option := range slices.Clone(section.Options) {
		if slices.Contains(harmless, strings.ToLower(option.Key)) {
			section.RemoveOption(option.Key)
		}
	}
	return c, nil
}

// resolve gives the commit that a revision names.
func resolve(r *git.Repository, revision string) (commit *object.Commit, err error) {
	defer func() {
		// go-git goes on from no commit at all where a revision begins with ~ or ^.
		if recover() != nil {
			commit, err = nil, plumbing.ErrReferenceNotFound
		}
	}()
	hash, err := r.ResolveRevision(plumbing.Revision(revision))
	if err != nil {
		return nil, err
	}
	return r.CommitObject(*hash)
}
