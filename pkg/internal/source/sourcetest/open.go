// Package sourcetest opens trees for tests.
package sourcetest

import (
	"testing"

	"github.com/derekg1729/dsnlint/pkg/internal/source"
)

// Open opens the tree of a directory until the test ends.
func Open(t testing.TB, dir string) *source.Tree {
	t.Helper()
	tree, err := source.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tree.Close() })
	return tree
}
