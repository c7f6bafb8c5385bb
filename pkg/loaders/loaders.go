// Package loaders finds the manifests that paths stand for, and has the loader of
// each dialect turn them into containers. It knows no dialect: what there is to know
// of one is behind the [Loader] interface.
package loaders

import (
	"cmp"
	"context"
	"io"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/derekg1729/dsnlint/pkg/internal/source"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// Options say what to load.
type Options struct {
	// Tree is the repository; nothing outside it is read.
	Tree *source.Tree
	// Paths are files, directories, directories with /... behind them, which means the
	// same, and "-" for standard input, as the operating system writes them. A
	// directory is walked; a file that is named is loaded even where a walk would
	// leave it out.
	Paths []string
	// Stdin is what "-" reads.
	Stdin io.Reader
	// StdinFilename is the name that the content of Stdin goes by; it takes the
	// place of a file of that name.
	StdinFilename string
	// Exclude are globs over paths, relative to the directory ExcludeBase of the
	// tree, that a walk leaves out. Their syntax is that of
	// https://pkg.go.dev/github.com/bmatcuk/doublestar/v4#Match.
	Exclude     []string
	ExcludeBase string

	// Loaders are asked about each file in this order; the first that recognizes it
	// takes it.
	Loaders []Loader
}

// Result is what was loaded. Its order is the same on every run.
type Result struct {
	Containers []manifest.Container
	Problems   []*manifest.Problem
	// Projects are what was loaded in one go, in the order of Containers.
	Projects []Project
	// Files counts the manifests that were found.
	Files int
	// LeftOut counts the files that a walk left out.
	LeftOut LeftOut
}

// Load finds and loads all manifests that the paths stand for. Each path must
// stand for one at least. What cannot be loaded is told by the problems, and
// hides nothing else.
func Load(ctx context.Context, opts Options) Result {
	found := find(ctx, opts)
	searched := ctx.Err() == nil
	projects := found.projects(opts.Loaders)
	loaded := make([]Result, len(projects))
	forEach(len(projects), func(i int) {
		if p := projects[i]; p.Prepare != nil && ctx.Err() == nil {
			loaded[i].attempt(p, func() { p.Prepare(ctx) })
		}
	})
	var reached atomic.Int64
	forEach(len(projects), func(i int) {
		if ctx.Err() != nil {
			return
		}
		loaded[i].load(ctx, projects[i])
		if ctx.Err() == nil {
			reached.Add(1)
		}
	})
	result := Result{Problems: found.problems, Projects: projects, Files: len(found.files), LeftOut: found.leftOut}
	if n := len(projects) - int(reached.Load()); n > 0 || !searched {
		result.Problems = append(result.Problems, outOfTime(searched, n, len(projects)))
	}
	for _, r := range loaded {
		result.Containers = append(result.Containers, r.Containers...)
		result.Problems = append(result.Problems, r.Problems...)
	}
	result.Problems = tidy(result.Problems)
	return result
}

// outOfTime reports what was not done when the context ended: the search for
// manifests, or some of the projects that it found.
func outOfTime(searched bool, unreached, projects int) *manifest.Problem {
	message := manifest.Say("the search for manifests did not finish in time; no manifest was checked")
	if searched {
		message = manifest.Say("the run did not finish in time: %s of %s projects were not fully checked",
			manifest.Number(unreached), manifest.Number(projects))
	}
	return &manifest.Problem{
		Severity: manifest.Error,
		Message:  message,
		Hint:     manifest.Say("lint fewer paths at a time, or allow more time with --timeout"),
	}
}

func (r *Result) load(ctx context.Context, p Project) {
	if len(r.Problems) > 0 {
		return // it could not be prepared
	}
	r.attempt(p, func() { r.Containers, r.Problems = p.Load(ctx) })
}

// attempt does a part of the work on a project.
func (r *Result) attempt(p Project, f func()) {
	if problem := guard(p.Name, f); problem != nil {
		r.Problems = append(r.Problems, problem)
	}
}

// guard turns a panic into a problem of the file: it is a bug in dsnlint, and
// no reason to say nothing about the other files. What it panics with is not
// shown, since it may hold a value.
func guard(name string, f func()) (problem *manifest.Problem) {
	defer func() {
		if recover() != nil {
			problem = &manifest.Problem{
				Severity: manifest.Error,
				Position: manifest.Position{File: name},
				Message:  manifest.Say("dsnlint failed on this file or one loaded with it: this is a bug in dsnlint"),
				Hint:     manifest.Say("report it with a manifest that reproduces it and contains no secret"),
			}
		}
	}()
	f()
	return nil
}

// tidy puts problems in the order of their places, and tells each once: a file
// may be read on behalf of several projects.
func tidy(problems []*manifest.Problem) []*manifest.Problem {
	slices.SortStableFunc(problems, func(a, b *manifest.Problem) int {
		return cmp.Or(a.Position.Compare(b.Position), strings.Compare(a.Error(), b.Error()))
	})
	return slices.CompactFunc(problems, func(a, b *manifest.Problem) bool {
		return a.Severity == b.Severity && a.Error() == b.Error()
	})
}

// forEach calls f for the numbers below n, on as many goroutines as there are
// processors.
func forEach(n int, f func(i int)) {
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i := range n {
		group.Go(func() error {
			f(i)
			return nil
		})
	}
	_ = group.Wait() // f has no error to give.
}
