// Package testtree makes the directories that tests read.
package testtree

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Write writes files below a directory, by their paths, and creates the
// directories above them. A path that ends in a slash is a directory, and the
// text "-> x" makes a symbolic link to x, in the place of what is there.
func Write(t testing.TB, dir string, files map[string]string) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := write(filepath.Join(dir, filepath.FromSlash(name)), strings.HasSuffix(name, "/"), files[name]); err != nil {
			t.Fatal(err)
		}
	}
}

func write(at string, isDir bool, text string) error {
	if isDir {
		return os.MkdirAll(at, 0o750)
	}
	if err := os.MkdirAll(filepath.Dir(at), 0o750); err != nil {
		return err
	}
	target, isLink := strings.CutPrefix(text, "-> ")
	if !isLink {
		return os.WriteFile(at, []byte(text), 0o600)
	}
	if err := os.Remove(at); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.Symlink(target, at)
}
