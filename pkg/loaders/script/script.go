// Package script loads shell scripts that the user names, such as those of a CI. A
// walk takes none: a script that a container runs comes with the container.
package script

import (
	"context"

	"github.com/derekg1729/dsnlint/pkg/internal/shell"
	"github.com/derekg1729/dsnlint/pkg/internal/source"
	"github.com/derekg1729/dsnlint/pkg/loaders"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// Dialect is that of shell scripts.
var Dialect = &manifest.Dialect{Name: "shell", Title: manifest.Say("shell script")}

// Loader implements [loaders.Loader].
type Loader struct{}

// Dialect implements [loaders.Loader].
func (Loader) Dialect() *manifest.Dialect { return Dialect }

// Claims implements [loaders.Loader].
func (Loader) Claims(string) (claimed bool, parts []string) { return false, nil }

// Suspects implements [loaders.Loader].
func (Loader) Suspects(string, []byte) bool { return false }

// Recognizes reports by its name or first line whether a file that the user named is
// a script.
func (Loader) Recognizes(f *loaders.File) bool {
	return f.Named && shell.IsScript(f.Name, string(f.Data()), false)
}

// Projects makes a project of each file.
func (Loader) Projects(files []*loaders.File) []loaders.Project {
	projects := make([]loaders.Project, len(files))
	for i, f := range files {
		view := f.Tree.View()
		projects[i] = loaders.Project{Name: f.Name, Tree: view, Load: func(context.Context) ([]manifest.Container, []*manifest.Problem) {
			return load(view, f.Name)
		}}
	}
	return projects
}

func load(tree *source.Tree, file string) ([]manifest.Container, []*manifest.Problem) {
	data, err := tree.ReadAs(file, shell.Script)
	if err != nil {
		return nil, []*manifest.Problem{manifest.AsProblem(err, file)}
	}
	var problems []*manifest.Problem
	if p := shell.Unread(file, string(data), manifest.Error); p != nil {
		problems = append(problems, p)
	}
	container := manifest.File(file)
	container.Scripts = []manifest.Script{manifest.ScriptFile(file, data)}
	return []manifest.Container{*container}, problems
}
