package helm

import (
	"context"
	"path"

	"github.com/derekg1729/dsnlint/pkg/loaders"
	"github.com/derekg1729/dsnlint/pkg/loaders/kubernetes"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// Dialect is that of charts themselves; what they render is of
// [kubernetes.Dialect].
var Dialect = &manifest.Dialect{Name: "helm", Title: manifest.Say("Helm chart")}

// chartFile makes a directory a chart.
const chartFile = "Chart.yaml"

// Loader implements [loaders.Loader].
type Loader struct{ Options Options }

// Dialect implements [loaders.Loader].
func (Loader) Dialect() *manifest.Dialect { return Dialect }

// Claims implements [loaders.Loader]. The templates of a chart are no manifests, and
// neither is what lies beside them.
func (Loader) Claims(base string) (claimed bool, parts []string) {
	return base == chartFile, []string{"templates", "charts", "crds", "ci", "files"}
}

// Recognizes implements [loaders.Loader]: the name decides.
func (Loader) Recognizes(f *loaders.File) bool { return path.Base(f.Name) == chartFile }

// Suspects implements [loaders.Loader].
func (Loader) Suspects(name string, _ []byte) bool { return path.Base(name) == chartFile }

// Projects makes a project of each chart.
func (l Loader) Projects(files []*loaders.File) []loaders.Project {
	var dirs []string
	for _, name := range loaders.Distinct(files) {
		dirs = append(dirs, path.Dir(name))
	}
	opts := l.Options
	opts.Run = NewRun(dirs)
	projects := make([]loaders.Project, len(dirs))
	for i, dir := range dirs {
		view := files[0].Tree.View()
		var sets []*kubernetes.Set
		var problems []*manifest.Problem
		projects[i] = loaders.Project{
			Name: dir, Tree: view,
			Prepare: func(ctx context.Context) { sets, problems = render(ctx, view, dir, opts) },
			Load: func(context.Context) ([]manifest.Container, []*manifest.Problem) {
				containers, found := kubernetes.Containers(view, sets...)
				return containers, append(problems, found...)
			},
		}
	}
	return projects
}
