package kubernetes

import (
	"bytes"
	"context"
	"regexp"

	"github.com/derekg1729/dsnlint/pkg/loaders"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// Loader implements [loaders.Loader] for files of objects.
type Loader struct{ Options Options }

// Dialect implements [loaders.Loader].
func (Loader) Dialect() *manifest.Dialect { return Dialect }

// Claims implements [loaders.Loader].
func (Loader) Claims(base string) (claimed bool, parts []string) { return loaders.IsYAML(base), nil }

// Recognizes reports whether a file has an object in it. One without the words that
// every object has is not parsed, unless it may write them with an escape.
func (Loader) Recognizes(f *loaders.File) bool {
	text := loaders.WithoutNUL(f.Data())
	if !bytes.Contains(text, []byte("apiVersion")) && !bytes.Contains(text, []byte(`\`)) {
		return false
	}
	for _, doc := range f.YAML() {
		if IsManifest(doc) {
			return true
		}
	}
	return false
}

var objectText = regexp.MustCompile(`(?m)^\x{FEFF}?(?:kind|apiVersion)[ \t]*:|[{,\s]"apiVersion"\s*:`)

// Suspects implements [loaders.Loader].
func (Loader) Suspects(_ string, beginning []byte) bool {
	return objectText.Match(loaders.WithoutNUL(beginning))
}

// Projects makes one project of all files, since any object may refer to any other.
func (l Loader) Projects(files []*loaders.File) []loaders.Project {
	view, names := files[0].Tree.View(), loaders.Distinct(files)
	var set *Set
	return []loaders.Project{{
		Name: names[0], Tree: view,
		Prepare: func(ctx context.Context) { set = Read(ctx, view, names, l.Options) },
		Load: func(context.Context) ([]manifest.Container, []*manifest.Problem) {
			return Containers(view, set)
		},
	}}
}
