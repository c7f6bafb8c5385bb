package contract

import (
	"errors"
	"io/fs"
	"path"
	"path/filepath"

	"github.com/derekg1729/dsnlint/pkg/internal/source"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// FileNames are the names of a contract file; the first wins.
var FileNames = []string{".dsnlint.yaml", ".dsnlint.yml"}

// Search reads the nearest contract file in the directory dir or above it. Paths
// are relative to the root of what read reads; name is empty where there is no
// contract file, and names the one that cannot be read where there is an error.
func Search(dir string, read func(name string) ([]byte, error)) (name string, data []byte, err error) {
	for dir = path.Clean(dir); ; dir = path.Dir(dir) {
		for _, base := range FileNames {
			name := path.Join(dir, base)
			data, err := read(name)
			if !errors.Is(err, fs.ErrNotExist) {
				return name, data, err
			}
		}
		if dir == "." {
			return "", nil, nil
		}
	}
}

// errDangling is the error for a link to a file that does not exist.
var errDangling = errors.New("the symbolic link leads nowhere")

// Find looks for a contract file in the directory dir of the tree and in those
// above it, up to the tree's root. It returns the path of the nearest relative to
// the root, or "" if there is no such file. One that exists but cannot be read, a
// broken link for example, is a problem: to go on with another contract would
// judge by rules that nobody chose.
func Find(tree *source.Tree, dir string) (string, *manifest.Problem) {
	name, _, err := Search(dir, func(name string) ([]byte, error) {
		data, err := tree.Read(name)
		if errors.Is(err, fs.ErrNotExist) && isLink(tree, name) {
			err = errDangling
		}
		return data, err
	})
	if err != nil {
		return "", unreadable(name, err)
	}
	return name, nil
}

func isLink(tree *source.Tree, name string) bool {
	info, err := fs.Lstat(tree.FS(), filepath.ToSlash(name))
	return err == nil && info.Mode()&fs.ModeSymlink != 0
}

func unreadable(name string, err error) *manifest.Problem {
	problem := &manifest.Problem{
		Severity: manifest.Error,
		Position: manifest.Position{File: name},
		Message:  manifest.Say("cannot read the contract"),
		Cause:    err,
	}
	if errors.Is(err, errDangling) {
		problem.Message = manifest.Say("%s: the symbolic link leads nowhere", problem.Message)
		problem.Hint = manifest.Say("fix or remove the link, or name a contract with --contract")
		return problem
	}
	if p := (*manifest.Problem)(nil); errors.As(err, &p) {
		problem.Message = manifest.Say("%s: %s", problem.Message, p.Message)
		problem.Hint = p.Hint
	}
	return problem
}
