// Package compose reads Compose projects. What a service receives is decided by
// compose-go, which merges files, includes, extended services and overrides as
// Compose does; where each value is written, and what it is built from, comes
// from the YAML nodes.
//
// The two meet in tokens. Each file is parsed once, its variables are looked
// up, and compose-go is given the same document with a token in the place of
// every value of interest. It cannot tell a token from a value, so that the
// tokens which are left in the merged project name the very nodes that Compose
// would have used, through any number of files. No secret is in what compose-go
// sees, and it reads no file that was not read through the [source.Tree]
// before.
//
// See https://docs.docker.com/reference/compose-file/.
package compose

import (
	"context"
	"path"

	"github.com/derekg1729/dsnlint/pkg/internal/source"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// EnvFile is a file of variables that the user names for interpolation. Such
// files stand in for the .env beside the first Compose file.
type EnvFile struct {
	// Name is how the file is shown.
	Name string
	Data []byte
}

// Options are what a project is loaded with beside its files.
type Options struct {
	// EnvFiles are read in order; a later one wins.
	EnvFiles []EnvFile
	// Environ holds variables of the process. They win over every env file, as
	// with Compose. Load itself never looks at the process's environment.
	Environ map[string]string
	// Scratch is the directory in which a directory is made for the included and
	// extended files that compose-go insists on reading from a disk, and removed
	// when the project is loaded. They hold no value of a manifest. Without it,
	// one is made where the operating system keeps temporary files.
	Scratch string
}

// Load reads one project. The files are relative to the tree's root, the base
// first and then what overrides it; the first one's directory is the project's.
// The services come first and then the jobs, both by name. What could not be
// read is told by the problems, and the containers are those that could be made
// out all the same.
func Load(ctx context.Context, tree *source.Tree, files []string, opts Options) ([]manifest.Container, []*manifest.Problem) {
	if len(files) == 0 {
		return nil, nil
	}
	p := newProject(tree, files[0])
	p.scratchParent = opts.Scratch
	variables := p.environment(opts)
	for i, file := range files {
		key := unitKey{kind: mainUnit, file: path.Clean(file), dir: p.dir}
		if u := p.open(key, variables, manifest.Position{File: file}, 0); u != nil {
			u.override = i > 0
			p.main = append(p.main, u)
		}
	}
	if len(p.main) == 0 {
		return nil, p.problems
	}
	p.setName(variables)
	variables["COMPOSE_PROJECT_NAME"] = textVariable(p.name)
	for _, u := range p.main {
		p.follow(u)
	}
	merged := p.merge(ctx)
	if merged == nil {
		return nil, p.problems
	}
	return p.containers(merged), p.problems
}
