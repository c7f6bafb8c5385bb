package linter_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/derekg1729/dsnlint/pkg/internal/testtree"
	"github.com/derekg1729/dsnlint/pkg/linter"
)

// TestOverlays checks that unsaved buffers are linted in place of what is on disk:
// one that changes a file, one that is not saved yet, and one that a manifest names.
func TestOverlays(t *testing.T) {
	dir := t.TempDir()
	service := func(name, rest string) string { return "services:\n  " + name + ":\n    image: example/app\n" + rest }
	testtree.Write(t, dir, map[string]string{
		"compose.yaml":   service("web", "    environment:\n      POSTGRES_ROOT_PASSWORD: ${P}\n"),
		"b/compose.yaml": service("web", "    env_file: web.env\n"),
		"b/web.env":      "A=1\n",
		"c/readme.md":    "",
	})
	r, err := linter.Run(context.Background(), linter.Options{Root: dir, Paths: []string{dir}, Overlays: map[string][]byte{
		filepath.Join(dir, "compose.yaml"):      []byte(service("web", "")),
		filepath.Join(dir, "b", "web.env"):      []byte("A=1\nPOSTGRES_ROOT_USER=x\n"),
		filepath.Join(dir, "c", "compose.yaml"): []byte(service("web", "    environment:\n      POSTGRES_ROOT_URL: ${P}\n")),
	}})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"PROVISIONING_TRUST_BOUNDARY web POSTGRES_ROOT_URL c/compose.yaml:5:7",
		"PROVISIONING_TRUST_BOUNDARY web POSTGRES_ROOT_USER b/web.env:2:1",
	}
	if diff := cmp.Diff(want, describe(r)); diff != "" {
		t.Errorf("findings differ (-want +got):\n%s", diff)
	}
	outside := map[string][]byte{filepath.Join(dir, "..", "x.yaml"): nil}
	if _, err := linter.Run(context.Background(), linter.Options{Root: dir, Paths: []string{dir}, Overlays: outside}); err == nil {
		t.Error("an overlay outside the root is no error")
	}
}
