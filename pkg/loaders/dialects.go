package loaders

import (
	"cmp"
	"context"
	"slices"

	"go.yaml.in/yaml/v4"

	"github.com/derekg1729/dsnlint/pkg/loaders/compose"
	"github.com/derekg1729/dsnlint/pkg/loaders/helm"
	"github.com/derekg1729/dsnlint/pkg/loaders/kubernetes"
	"github.com/derekg1729/dsnlint/pkg/loaders/kustomize"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// dialect is a language that containers are described in. Its projects are
// either folders or made of files.
type dialect struct {
	// noun names a project of the dialect in a message.
	noun manifest.Text
	// marks are the names of files that make a folder a project, and parts the
	// files and folders in it that belong to the project and to no other.
	marks, parts []string
	// is tells whether a document of a file is of the dialect.
	is func(name string, doc *yaml.Node) bool
	// groupsByContent is set where group looks into the files: only of these are the
	// documents kept until then.
	groupsByContent bool
	// group makes projects of all files of the dialect, each a list of files.
	group func(files []*file) [][]string
	// uses lists the files that those of the dialect read, which are no manifests
	// of their own where a walk finds them; nil for a dialect that reads none.
	uses func(opts Options, files []string) map[string]bool
	// load loads a project: its files, or its folder.
	load func(ctx context.Context, opts Options, files []string) ([]manifest.Container, []*manifest.Problem)
}

// dialects are tried in this order on a folder, then on each of its files.
var dialects = []*dialect{
	{
		noun:  manifest.Say("Helm chart"),
		marks: []string{"Chart.yaml"},
		parts: []string{"Chart.yaml", "templates", "charts", "crds", "ci"},
		load: func(ctx context.Context, opts Options, files []string) ([]manifest.Container, []*manifest.Problem) {
			return helm.Load(ctx, opts.Tree, files[0], helm.Options{
				Values: opts.HelmValues, Kubernetes: opts.Kubernetes, Runner: opts.Runner, Run: opts.charts,
			})
		},
	},
	{
		noun:  manifest.Say("kustomization"),
		is:    kustomize.IsKustomization,
		group: allTogether,
		uses: func(opts Options, files []string) map[string]bool {
			return kustomize.Uses(opts.Tree, files)
		},
		load: func(ctx context.Context, opts Options, files []string) ([]manifest.Container, []*manifest.Problem) {
			return kustomize.Load(ctx, opts.Tree, files, kustomize.Options{Kubernetes: opts.Kubernetes, Runner: opts.Runner})
		},
	},
	{
		noun:  manifest.Say("Compose file"),
		is:    compose.IsCompose,
		group: composeProjects, groupsByContent: true,
		load: func(ctx context.Context, opts Options, files []string) ([]manifest.Container, []*manifest.Problem) {
			options := opts.Compose
			options.Scratch = cmp.Or(options.Scratch, opts.Scratch)
			return compose.Load(ctx, opts.Tree, files, options)
		},
	},
	{
		noun:  manifest.Say("Kubernetes manifest"),
		is:    func(_ string, doc *yaml.Node) bool { return kubernetes.IsManifest(doc) },
		group: allTogether,
		load: func(ctx context.Context, opts Options, files []string) ([]manifest.Container, []*manifest.Problem) {
			return kubernetes.Load(ctx, opts.Tree, files, opts.Kubernetes)
		},
	},
}

// fileDialects are those whose projects are made of files.
func fileDialects() []*dialect {
	return slices.DeleteFunc(slices.Clone(dialects), func(d *dialect) bool { return d.is == nil })
}

// nouns names dialects as alternatives.
func nouns(dialects []*dialect) manifest.Text {
	list := make([]manifest.Text, len(dialects))
	for i, d := range dialects {
		list[i] = d.noun
	}
	last := len(list) - 1
	return manifest.Say("%s or %s", manifest.Join(list[:last], ", "), list[last])
}

// project is what is loaded in one go.
type project struct {
	dialect *dialect
	files   []string
}

// claimant is the dialect that takes a folder with files of these names.
func claimant(names []string) *dialect {
	for _, d := range dialects {
		if slices.ContainsFunc(d.marks, func(mark string) bool { return slices.Contains(names, mark) }) {
			return d
		}
	}
	return nil
}

// allTogether makes one project of all files, since any may refer to any other. A
// file that is found under a second name, through a link, is no second
// object.
func allTogether(files []*file) [][]string {
	var names []string
	seen := map[string]bool{}
	for _, f := range files {
		if !seen[f.target] {
			seen[f.target] = true
			names = append(names, f.name)
		}
	}
	if names == nil {
		return nil
	}
	return [][]string{names}
}
