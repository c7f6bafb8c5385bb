package compose_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/derekg1729/dsnlint/pkg/internal/source/sourcetest"
	"github.com/derekg1729/dsnlint/pkg/loaders/compose"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// FuzzLoad loads any project of a base, an override and a .env: what is loaded
// has its places, and where Compose takes the project too, the env maps are the
// same.
func FuzzLoad(f *testing.F) {
	for name := range projectFiles(f) {
		read := func(file string) string {
			data, _ := os.ReadFile(filepath.Join("testdata", name, file))
			return string(data)
		}
		f.Add(read("compose.yaml"), read("compose.override.yaml"), read(".env"))
	}
	f.Add("services: {a: &a {environment: {<<: &b {X: $Y}, Z: !reset }}, b: *a}", "services: {a: {environment: !override [X=$$]}}", "Y=1")
	f.Fuzz(func(t *testing.T, base, override, env string) {
		if strings.Contains(base+override+env, "/dev/") {
			t.Skip("compose-go would read devices")
		}
		dir := t.TempDir()
		var files []string
		for name, text := range map[string]string{".env": env, "compose.yaml": base, "compose.override.yaml": override} {
			if name == "compose.override.yaml" && text == "" {
				continue
			}
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		files = append(files, "compose.yaml")
		if override != "" {
			files = append(files, "compose.override.yaml")
		}
		containers, problems := compose.Load(context.Background(), sourcetest.Open(t, dir), files, compose.Options{})
		checkContainers(t, containers)
		for _, p := range problems {
			if p.Severity == manifest.Error {
				return
			}
		}
		_ = compare(t, dir, files, nil)
	})
}
