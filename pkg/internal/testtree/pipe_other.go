//go:build !unix

package testtree

import "testing"

// Pipe makes a named pipe. It skips the test on a system that has none.
func Pipe(t testing.TB, _ string) {
	t.Helper()
	t.Skip("this system has no named pipes in directories")
}
