package changes

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/derekg1729/dsnlint/pkg/internal/gitrepo"
)

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
	at, err := gitrepo.Locate(dir)
	if err != nil {
		return Paths{}
	}
	for dir != at.Root {
		dir = filepath.Dir(dir)
		p.Above = append(p.Above, dir)
	}
	own, common := at.Own, at.Common
	objects := filepath.Join(common, "objects")
	if !exists(filepath.Join(own, "HEAD")) || !exists(objects) || !exists(filepath.Join(common, "refs")) {
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
