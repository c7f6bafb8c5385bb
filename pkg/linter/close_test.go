package linter_test

import (
	"context"
	"os"
	"runtime"
	"testing"

	"github.com/derekg1729/dsnlint/pkg/internal/testtree"
	"github.com/derekg1729/dsnlint/pkg/linter"
)

// TestClose checks that neither Run nor Fix leaves a file open, and that a report
// can still show the lines of its findings.
func TestClose(t *testing.T) {
	const descriptors = "/proc/self/fd"
	if runtime.GOOS != "linux" {
		t.Skip("counts open files where Linux lists them")
	}
	dir := t.TempDir()
	testtree.Write(t, dir, map[string]string{"compose.yaml": "services:\n  web:\n    image: x\n    environment:\n      A: a\n      POSTGRES_ROOT_PASSWORD: x\n"})
	opened := func() int {
		t.Helper()
		entries, err := os.ReadDir(descriptors)
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	before := opened()
	for range 10 {
		r, err := linter.Run(context.Background(), linter.Options{Paths: []string{dir}, Root: dir})
		if err != nil || len(r.Findings) == 0 {
			t.Fatalf("%d findings, error %v", len(r.Findings), err)
		}
		if _, err := r.Source(r.Findings[0].Position.File); err != nil {
			t.Error(err)
		}
		if len(r.Fixes(&r.Findings[0])) == 0 {
			t.Error("there is no fix")
		}
		if _, err := linter.Fix(context.Background(), linter.Options{Paths: []string{dir}, Root: dir}); err != nil {
			t.Error(err)
		}
	}
	if after := opened(); after > before {
		t.Errorf("%d files are open, were %d", after, before)
	}
}
