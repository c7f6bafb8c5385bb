package kustomize

import (
	"context"
	"slices"

	"github.com/derekg1729/dsnlint/pkg/loaders"
	"github.com/derekg1729/dsnlint/pkg/loaders/engine"
	"github.com/derekg1729/dsnlint/pkg/loaders/kubernetes"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// Dialect is that of kustomizations themselves; what they render is of
// [kubernetes.Dialect].
var Dialect = &manifest.Dialect{Name: "kustomize", Title: manifest.Say("kustomization")}

// Loader implements [loaders.Loader].
type Loader struct{ Options Options }

// Dialect implements [loaders.Loader].
func (Loader) Dialect() *manifest.Dialect { return Dialect }

// Claims implements [loaders.Loader].
func (Loader) Claims(base string) (claimed bool, parts []string) {
	return slices.Contains(fileNames, base), nil
}

// Recognizes reports whether a file has the name of a kustomization, unless it is an
// object of another API, such as one for Flux.
func (Loader) Recognizes(f *loaders.File) bool {
	return isKustomization(f.Name) && !slices.ContainsFunc(f.YAML(), isOfAnotherAPI)
}

// Suspects implements [loaders.Loader].
func (Loader) Suspects(name string, _ []byte) bool { return isKustomization(name) }

// Projects makes one project of all kustomizations, since any may use any other. It
// follows them to the files that they use, which is needed to load them too.
func (l Loader) Projects(files []*loaders.File) []loaders.Project {
	view, names := files[0].Tree.View(), loaders.Distinct(files)
	s := newScan(view, names)
	r := &loader{scan: s, opts: l.Options, shown: map[string]bool{}}
	return []loaders.Project{{
		Name: names[0], Tree: view,
		Uses:    func(file string) bool { return s.parts[file] },
		Prepare: r.prepare,
		Load:    r.containers,
	}}
}

// prepare renders each of the kustomizations that no other of them uses. One that
// does not render is a problem, and hides no other; its objects are checked as
// they are written.
func (l *loader) prepare(ctx context.Context) {
	if l.opts.Runner == nil {
		l.opts.Runner = engine.InProcess{EngineName: Engine}
	}
	for _, k := range l.order {
		if !k.used && ctx.Err() == nil {
			l.load(ctx, k)
		}
	}
	l.plain(ctx)
}

// containers makes those of all that was rendered.
func (l *loader) containers(context.Context) ([]manifest.Container, []*manifest.Problem) {
	containers, problems := kubernetes.Containers(l.tree, l.sets...)
	return containers, append(l.problems, problems...)
}
