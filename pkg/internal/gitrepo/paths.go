package gitrepo

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Paths are what is read of a repository.
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
	at, err := Locate(dir)
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
	p.addAlternates(objects, maxDepth)
	return p
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// maxDepth is how far git follows alternates of alternates, and maxGit how many
// directories are read in all.
const (
	maxDepth = 5
	maxGit   = 100
)

// addAlternates adds the directories that a directory of objects borrows from.
// They are called objects, as git makes them: any other would open a directory of
// this machine that has nothing to do with git.
func (p *Paths) addAlternates(objects string, depth int) {
	data, err := ReadSmall(filepath.Join(objects, "info", "alternates"))
	if err != nil || depth == 0 {
		return
	}
	for line := range strings.Lines(string(data)) {
		name := strings.TrimSpace(line)
		if name == "" || name[0] == '#' || filepath.Base(name) != "objects" || len(p.Git) == maxGit {
			continue
		}
		if !filepath.IsAbs(name) {
			name = filepath.Join(objects, name)
		}
		if !slices.Contains(p.Git, name) {
			p.Git = append(p.Git, name)
			p.addAlternates(name, depth-1)
		}
	}
}
