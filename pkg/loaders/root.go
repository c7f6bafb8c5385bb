package loaders

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
)

// FindRoot returns the directory that is the repository's root for these paths, as
// the working directory cwd sees them: the nearest directory at or above each path
// that holds a .git. Without one it is the working directory where that holds
// the path, as many directories above as a relative path has leading .. parts, and
// else the directory of the path itself. Several roots become the directory that
// holds them all.
//
// It is never the root of the file system, for that would open every file to
// the manifests; where nothing else is left there is an error.
func FindRoot(paths []string, cwd string) (string, error) {
	root := ""
	for _, name := range paths {
		own := rootOfPath(name, cwd)
		if root == "" {
			root = own
		}
		root = commonFolder(root, own)
	}
	if root == "" {
		root = rootOfPath(".", cwd)
	}
	if isTop(root) {
		return "", errors.New("the paths have no directory in common but the root of the file system: name one with --root")
	}
	return root, nil
}

func rootOfPath(name, cwd string) string {
	if name == "-" {
		name = "."
	}
	name, _ = cutDots(name)
	abs := filepath.Clean(name)
	if !filepath.IsAbs(abs) {
		abs = filepath.Join(cwd, abs)
	}
	directory := abs
	if info, err := os.Stat(abs); err != nil || !info.IsDir() {
		directory = filepath.Dir(abs)
	}
	if root, ok := repositoryOf(directory); ok {
		return root
	}
	above := cwd
	if !filepath.IsAbs(name) {
		for part := range strings.SplitSeq(filepath.ToSlash(filepath.Clean(name)), "/") {
			if part != ".." {
				break
			}
			above = filepath.Dir(above)
		}
	}
	if isTop(above) || !holds(above, directory) {
		return directory
	}
	return above
}

// repositoryOf finds the nearest directory with a .git, which is a directory, or a
// file in a worktree or submodule.
func repositoryOf(directory string) (string, bool) {
	for ; !isTop(directory); directory = filepath.Dir(directory) {
		if _, err := os.Lstat(filepath.Join(directory, ".git")); err == nil {
			return directory, true
		}
	}
	return "", false
}

func commonFolder(a, b string) string {
	for !holds(a, b) && !isTop(a) {
		a = filepath.Dir(a)
	}
	return a
}

// holds reports whether a directory is the other or lies above it.
func holds(directory, other string) bool {
	rel, err := filepath.Rel(directory, other)
	return err == nil && filepath.IsLocal(rel)
}

func isTop(directory string) bool { return filepath.Dir(directory) == directory }
