//go:build unix

package testtree

import (
	"syscall"
	"testing"
)

// Pipe makes a named pipe. It skips the test on a system that has none.
func Pipe(t testing.TB, name string) {
	t.Helper()
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
}
