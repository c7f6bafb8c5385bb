package linter_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/derekg1729/dsnlint/"

// imports returns what each package of the module imports of it, tests aside.
func imports(t *testing.T) map[string][]string {
	t.Helper()
	root := filepath.Join("..", "..")
	all := map[string][]string{}
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (strings.HasPrefix(entry.Name(), ".") && name != root && entry.Name() != ".." || entry.Name() == "testdata"):
			return fs.SkipDir
		case entry.IsDir() || filepath.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, filepath.Dir(name))
		if err != nil {
			return err
		}
		pkg := filepath.ToSlash(rel)
		all[pkg] = append(all[pkg], "")
		for _, spec := range file.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			if own, ok := strings.CutPrefix(imported, module); ok {
				all[pkg] = append(all[pkg], own)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestImports holds the plan of the house: data flows from the loaders to the report,
// nobody imports what comes after it, and nobody but the list of loaders and a
// dialect's own kin knows a dialect.
func TestImports(t *testing.T) {
	// kin may know another dialect, since what they render is of it.
	kin := map[string]string{"pkg/loaders/helm": "pkg/loaders/kubernetes", "pkg/loaders/kustomize": "pkg/loaders/kubernetes"}
	// rooms are in the order in which data flows; one imports only those before it.
	rooms := []string{
		"pkg/manifest", "pkg/dsn", "pkg/internal", "pkg/contract", "pkg/loaders", "pkg/rules", "pkg/findings", "pkg/environment",
		"pkg/fix", "pkg/report", "pkg/linter", "pkg/confine", "pkg/command", "cmd",
	}
	room := func(pkg string) int {
		return slices.IndexFunc(rooms, func(room string) bool { return pkg == room || strings.HasPrefix(pkg, room+"/") })
	}
	isDialect := func(pkg string) bool { return path.Dir(pkg) == "pkg/loaders" && pkg != "pkg/loaders/engine" }
	all := imports(t)
	if len(all) < len(rooms) {
		t.Fatalf("found %d packages", len(all))
	}
	for pkg, imported := range all {
		if room(pkg) < 0 && pkg != ".ci/hostile" {
			t.Errorf("%s is in no room of the house", pkg)
		}
		for _, other := range imported {
			switch {
			case other == "":
			case isDialect(other) && pkg != "pkg/linter" && kin[pkg] != other:
				t.Errorf("%s imports the dialect %s", pkg, other)
			case room(other) > room(pkg):
				t.Errorf("%s imports %s, which comes after it", pkg, other)
			case strings.HasPrefix(pkg, "pkg/loaders") && slices.Contains([]string{"pkg/contract", "pkg/rules"}, other):
				t.Errorf("%s knows %s", pkg, other)
			}
		}
	}
}
