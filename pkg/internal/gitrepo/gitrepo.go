// Package gitrepo reads a git repository in process: what git tracks, and files
// as they were in a commit. It reads neither the configuration of the user or the
// system nor the environment, runs nothing and never fetches.
package gitrepo

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/go-git/go-billy/v5/osfs"
	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/config"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/storage/filesystem"
	"github.com/go-git/go-git/v5/storage/filesystem/dotgit"

	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// ErrNone is the error for a directory that lies in no repository.
var ErrNone = git.ErrRepositoryNotExists

// Unshallow is the hint where a part of the history is missing.
var Unshallow = manifest.Say("fetch the whole history: fetch-depth: 0 with actions/checkout, GIT_DEPTH: 0 in GitLab, git fetch --unshallow by hand")

// errBroken is the error for a repository that go-git fails on.
var errBroken = errors.New("the repository is broken")

// Repository is a git repository as a directory in its working tree sees it.
// Names of files are relative to that directory. It is not safe for concurrent
// use.
type Repository struct {
	*git.Repository
	// prefix leads from the root of the working tree to the directory, with forward
	// slashes.
	prefix string
}

// Open opens the repository whose working tree holds a directory.
func Open(dir string) (r *Repository, err error) {
	defer recoverTo(&err)
	at, err := Locate(dir)
	if err != nil {
		return nil, err
	}
	own, common := at.Own, at.Common
	for _, name := range []string{
		filepath.Join(own, "HEAD"), filepath.Join(own, "index"), filepath.Join(common, "config"), filepath.Join(common, "packed-refs"),
		filepath.Join(common, "shallow"), filepath.Join(common, "objects", "info", "alternates"),
	} {
		// go-git would wait for whoever writes to a named pipe.
		if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
			return nil, errBroken
		}
	}
	visits := 0
	if err := checkAlternates(filepath.Join(common, "objects"), nil, &visits); err != nil {
		return nil, err
	}
	files := dotgit.NewRepositoryFilesystem(osfs.New(own), osfs.New(common))
	// A clone that borrows objects names their directory by an absolute path.
	options := filesystem.Options{AlternatesFS: osfs.New(string(filepath.Separator))}
	objects := filesystem.NewStorageWithOptions(files, cache.NewObjectLRUDefault(), options)
	opened, err := git.Open(storage{objects}, osfs.New(at.Root))
	if err != nil {
		return nil, err
	}
	prefix, err := filepath.Rel(at.Root, dir)
	if err != nil {
		return nil, err
	}
	return &Repository{Repository: opened, prefix: filepath.ToSlash(prefix)}, nil
}

// Location is where a repository is.
type Location struct {
	// Root is the root of the working tree.
	Root string
	// Own is the directory that git keeps for this very tree, and Common the one
	// that it shares with other working trees; for most they are one.
	Own, Common string
}

// Locate finds the repository whose working tree holds a directory.
func Locate(dir string) (Location, error) {
	root, own, err := find(dir)
	if err != nil {
		return Location{}, err
	}
	common, err := pointer(filepath.Join(own, "commondir"), "")
	switch {
	case errors.Is(err, fs.ErrNotExist):
		common = own
	case err != nil:
		return Location{}, err
	}
	return Location{root, own, common}, nil
}

// recoverTo makes an error of a panic. go-git panics on some revisions and on
// some objects that are not what their name says.
func recoverTo(err *error) {
	if recover() != nil {
		*err = errBroken
	}
}

// find finds the working tree that a directory lies in, and the directory that
// git keeps for this very tree: .git itself, or for a linked working tree or a
// submodule what the file .git names.
func find(dir string) (root, own string, err error) {
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
			return "", "", ErrNone
		}
	}
}

// pointer reads a file of git's that names a directory, relative to its own.
func pointer(name, prefix string) (string, error) {
	data, err := ReadSmall(name)
	if err != nil {
		return "", err
	}
	dir, ok := strings.CutPrefix(strings.TrimSpace(string(data)), prefix)
	if !ok || dir == "" {
		return "", fmt.Errorf("the file %s names no directory", filepath.Base(name))
	}
	if filepath.IsAbs(dir) {
		return filepath.Clean(dir), nil
	}
	return filepath.Join(filepath.Dir(name), dir), nil
}

// ReadSmall reads one of the files that git keeps short: a regular file, and of one
// that is longer the beginning.
func ReadSmall(name string) ([]byte, error) {
	// Without O_NONBLOCK, opening a named pipe waits for whoever writes to it.
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errBroken
	}
	const most = 64 << 10
	return io.ReadAll(io.LimitReader(f, most))
}

// checkAlternates fails where directories of objects borrow from each other in a
// cycle, in which go-git would look for an object forever. Above are those on the
// way to this one. A relative name is tried as git takes it and as go-git does.
func checkAlternates(objects string, above []string, visits *int) error {
	const mostDeep, most = 5, 100
	if resolved, err := filepath.EvalSymlinks(objects); err == nil {
		objects = resolved
	}
	*visits++
	if slices.Contains(above, objects) || len(above) > mostDeep || *visits > most {
		return errBroken
	}
	data, err := ReadSmall(filepath.Join(objects, "info", "alternates"))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return nil
	}
	if err != nil {
		return err
	}
	above = append(slices.Clone(above), objects)
	for line := range strings.Lines(string(data)) {
		name := strings.TrimRight(line, "\r\n")
		if name == "" {
			continue
		}
		candidates := []string{name}
		if !filepath.IsAbs(name) {
			candidates = []string{filepath.Join(objects, name), filepath.Join(filepath.Dir(objects), name), filepath.Join(string(filepath.Separator), name)}
		}
		for _, candidate := range candidates {
			if err := checkAlternates(candidate, above, visits); err != nil {
				return err
			}
		}
	}
	return nil
}

// storage reads repositories with extensions that go-git does not know and that
// have no bearing on reading.
type storage struct{ *filesystem.Storage }

// harmless are these extensions; see
// https://git-scm.com/docs/git-config#Documentation/git-config.txt-extensions.
var harmless = []string{"partialclone", "preciousobjects", "relativeworktrees", "worktreeconfig"}

// Config returns the repository's configuration without them.
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

// Commit returns the commit that a revision names, such as a branch, a tag, a
// commit's hash, HEAD~1 or origin/main.
func (r *Repository) Commit(revision string) (commit *object.Commit, err error) {
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
