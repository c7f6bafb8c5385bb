package compose

import (
	"bytes"
	"context"
	"regexp"

	"github.com/derekg1729/dsnlint/pkg/loaders"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// Loader implements [loaders.Loader].
type Loader struct{ Options Options }

// Dialect implements [loaders.Loader].
func (Loader) Dialect() *manifest.Dialect { return Dialect }

// Claims implements [loaders.Loader].
func (Loader) Claims(base string) (claimed bool, parts []string) { return loaders.IsYAML(base), nil }

// Recognizes reports whether a document of a file is one of a Compose file. One that
// neither has the name nor the words of one is not parsed, unless it may write them
// with an escape.
func (Loader) Recognizes(f *loaders.File) bool {
	if !isComposeName(f.Name) {
		text := loaders.WithoutNUL(f.Data())
		if !bytes.Contains(text, []byte("services")) && !bytes.Contains(text, []byte("include")) && !bytes.Contains(text, []byte(`\`)) {
			return false
		}
	}
	for _, doc := range f.YAML() {
		if isCompose(f.Name, doc) {
			return true
		}
	}
	return false
}

var composeText = regexp.MustCompile(`(?m)^\x{FEFF}?services[ \t]*:`)

// Suspects implements [loaders.Loader].
func (Loader) Suspects(name string, beginning []byte) bool {
	return isComposeName(name) || composeText.Match(loaders.WithoutNUL(beginning))
}

// Projects makes projects of Compose files. In each directory the first of
// Compose's default files is merged with the first default override, as
// docker compose does without -f. A file that cannot run alone is a layer on the
// nearest default file; every other one is a project of its own.
//
// A file that a project includes is reported with that project, and so is one
// that has nothing but services which others extend; see uncovered.
func (l Loader) Projects(files []*loaders.File) []loaders.Project {
	var projects []loaders.Project
	for _, group := range groups(files) {
		view, names := files[0].Tree.View(), group.names()
		projects = append(projects, loaders.Project{Name: group.files[0].Name, Tree: view, Load: func(ctx context.Context) ([]manifest.Container, []*manifest.Problem) {
			containers, problems := Load(ctx, view, names, l.Options)
			if group.base != "" {
				for i := range containers {
					containers[i].Overlays = names[1:]
				}
			}
			return containers, problems
		}})
	}
	return projects
}
