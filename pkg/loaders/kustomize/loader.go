package kustomize

import (
	"context"
	"slices"

	"github.com/derekg1729/dsnlint/pkg/internal/source"
	"github.com/derekg1729/dsnlint/pkg/loaders"
	"github.com/derekg1729/dsnlint/pkg/loaders/engine"
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

// Recognizes implements [loaders.Loader]: the name decides.
func (Loader) Recognizes(f *loaders.File) bool { return isKustomization(f.Name) }

// Suspects implements [loaders.Loader].
func (Loader) Suspects(name string, _ []byte) bool { return isKustomization(name) }

// Projects makes one project of all kustomizations, since any may use any other.
func (l Loader) Projects(files []*loaders.File) []loaders.Project {
	return []loaders.Project{newProject(files[0].Tree.View(), loaders.Distinct(files), l.Options)}
}

// project is all kustomizations of a run, followed to the files that they use.
type project struct {
	*scan
	opts Options
}

func newProject(tree *source.Tree, files []string, opts Options) *project {
	if opts.Runner == nil {
		opts.Runner = engine.InProcess{EngineName: Engine}
	}
	return &project{newScan(tree, files), opts}
}

// Name implements [loaders.Project].
func (p *project) Name() string { return p.first }

// Uses reports whether a file is a kustomization of the project, or a file of
// objects or a patch that one of them reads.
func (p *project) Uses(file string) bool { return p.parts[file] }

// Inputs implements [loaders.Project].
func (p *project) Inputs() *source.Inputs { return p.tree.Inputs() }

// Load renders each of the kustomizations that no other of them uses. One that
// does not render is a problem, and hides no other; its objects are checked as
// they are written.
func (p *project) Load(ctx context.Context) ([]manifest.Container, []*manifest.Problem) {
	l := loader{scan: p.scan, opts: p.opts, shown: map[string]bool{}}
	for _, k := range l.order {
		if !k.used && ctx.Err() == nil {
			l.load(ctx, k)
		}
	}
	l.plain(ctx)
	return l.containers, l.problems
}
