// Package quadlet reads units of Podman Quadlet: .container files with the .pod files
// that they name, and the drop-ins of both.
//
// Quadlet makes a service of each container, with one line ExecStart=podman run ...
// What is in Environment=, Secret=, Exec= and all other keys of [Container] is a word
// of that line, and so systemd replaces in it, whatever key it comes from, the
// specifiers (%h, and %% by %), ${NAME} and $$, and $NAME where that is a word of its
// own. The variables are not the container's: they are those of the service, from
// Environment= in [Service] and from the manager. A container thus receives a
// credential of [Service] only where a key of [Container] mentions it, or with
// EnvironmentHost=. In a word such as "psql $NAME" the dollar sign stays, and a shell
// in the container finds what the container has. Within [Service] itself nothing but
// specifiers is replaced.
//
// Podman lets the variables of a later source win: EnvironmentHost=, then each
// EnvironmentFile=, Environment=, and Secret= with type=env. PodmanArgs= come behind
// the other keys of their kind.
package quadlet

import (
	"context"
	"io/fs"
	"path"
	"regexp"

	"github.com/derekg1729/dsnlint/pkg/internal/envfile"
	"github.com/derekg1729/dsnlint/pkg/internal/source"
	"github.com/derekg1729/dsnlint/pkg/loaders"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

const (
	containerExt = ".container"
	podExt       = ".pod"
)

// Loader implements [loaders.Loader].
type Loader struct{}

// Dialect implements [loaders.Loader].
func (Loader) Dialect() *manifest.Dialect { return Dialect }

// Claims implements [loaders.Loader]. A drop-in is read with the units that it is for.
func (Loader) Claims(base string) (claimed bool, parts []string) {
	ext := path.Ext(base)
	return ext == containerExt || ext == podExt, nil
}

// header is the beginning of a section that a unit may have. Perl's documentation is in
// .pod files too.
var header = regexp.MustCompile(`(?m)^[ \t]*\[(?:Container|Pod|Unit|Service|Install|Quadlet)\]`)

// Recognizes reports whether a file is named as a unit and has a section of one.
func (l Loader) Recognizes(f *loaders.File) bool { return l.isUnit(f.Name, f.Data()) }

// Suspects implements [loaders.Loader].
func (l Loader) Suspects(name string, beginning []byte) bool {
	return l.isUnit(name, beginning) || beginning == nil && path.Ext(name) == containerExt
}

func (l Loader) isUnit(name string, data []byte) bool {
	claimed, _ := l.Claims(path.Base(name))
	return claimed && header.Match(loaders.WithoutNUL(data))
}

// Projects makes a project of each directory: units refer to each other by their
// names.
func (Loader) Projects(files []*loaders.File) []loaders.Project {
	var all []*project
	byDir := map[string]*project{}
	for _, name := range loaders.Distinct(files) {
		dir := path.Dir(name)
		p, ok := byDir[dir]
		if !ok {
			p = &project{tree: files[0].Tree.View(), dir: dir}
			byDir[dir] = p
			all = append(all, p)
		}
		p.files = append(p.files, path.Base(name))
	}
	projects := make([]loaders.Project, len(all))
	for i, p := range all {
		projects[i] = loaders.Project{Name: p.name(), Tree: p.tree, Load: p.load}
	}
	return projects
}

// project is the units of a directory.
type project struct {
	tree  *source.Tree
	dir   string
	files []string
}

func (p *project) name() string { return path.Join(p.dir, p.files[0]) }

func (p *project) load(ctx context.Context) ([]manifest.Container, []*manifest.Problem) {
	s := &set{
		tree: p.tree, dir: p.dir, left: maxWork,
		beside: map[string]bool{}, parsed: map[string][]entry{}, envFiles: map[string][]envfile.Entry{}, units: map[string]*unit{},
	}
	entries, err := fs.ReadDir(p.tree.FS(), p.dir)
	if err != nil {
		s.report(manifest.AsProblem(err, p.name()))
	}
	for _, e := range entries {
		s.beside[e.Name()] = true
	}
	for _, base := range p.files {
		s.beside[base] = true // standard input may go by a name that no file has
	}
	var builders []*builder
	for _, base := range p.files {
		// A pod is read for the errors in it, though no container may name it.
		u := s.unit(base)
		if path.Ext(base) != containerExt || ctx.Err() != nil || s.left <= 0 {
			continue
		}
		// Where the last work is spent, part of the container may be missing.
		if b := s.container(u); s.left > 0 {
			builders = append(builders, b)
		}
	}
	s.wait(builders)
	join(builders)
	containers := make([]manifest.Container, len(builders))
	for i, b := range builders {
		containers[i] = *b.Container
	}
	return containers, s.problems
}
