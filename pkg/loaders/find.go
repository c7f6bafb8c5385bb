package loaders

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/derekg1729/dsnlint/pkg/internal/gitrepo"
	"github.com/derekg1729/dsnlint/pkg/internal/source"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// stdinName is how standard input is called where the user gives it no name.
const stdinName = "stdin"

// search is what the paths stand for.
type search struct {
	// files are the manifests, in the order of their names.
	files    []*File
	problems []*manifest.Problem
	leftOut  LeftOut
}

// projects groups the files of each loader in turn. A file that a project of another
// loader uses is no manifest of its own, unless the user named it.
func (s *search) projects(loaders []Loader) []Project {
	var projects []Project
	for _, l := range loaders {
		own := slices.DeleteFunc(slices.Clone(s.files), func(f *File) bool { return !f.isOf(l) })
		if len(own) == 0 {
			continue
		}
		var grouped []Project
		if problem := guard(own[0].Name, func() { grouped = l.Projects(own) }); problem != nil {
			s.problems = append(s.problems, problem)
		}
		projects = append(projects, grouped...)
		users := slices.DeleteFunc(slices.Clone(grouped), func(p Project) bool { return p.Uses == nil })
		s.files = slices.DeleteFunc(s.files, func(f *File) bool {
			return !f.isOf(l) && !f.Named && slices.ContainsFunc(users, func(p Project) bool { return p.Uses(f.Name) })
		})
	}
	return projects
}

// finder collects what may be a manifest.
type finder struct {
	ctx   context.Context
	opts  Options
	tree  *source.Tree
	files map[string]*File
	// visited are the directories that were walked, by name.
	visited  map[string]bool
	problems []*manifest.Problem

	// index is what git tracks; nil until it is asked for, and where git tracks
	// nothing.
	index     *gitrepo.Index
	indexRead bool

	leftOut                      LeftOut
	countedEntries, countedFiles int
}

// input is one path of the user's, as it is in the tree.
type input struct {
	name      string
	directory bool
}

func find(ctx context.Context, opts Options) *search {
	f := &finder{
		ctx: ctx, opts: opts, tree: opts.Tree,
		files: map[string]*File{}, visited: map[string]bool{},
	}
	var inputs []input
	for _, name := range opts.Paths {
		if in, ok := f.input(name); ok && !slices.Contains(inputs, in) {
			inputs = append(inputs, in)
		}
	}
	for _, in := range inputs {
		if in.directory {
			f.walk(in.name, f.leftOutAbove(in.name))
		} else {
			f.add(in.name, f.target(in.name), true)
		}
	}
	return f.finish(inputs)
}

// finish tells the kind of each file, and which input stands for nothing.
func (f *finder) finish(inputs []input) *search {
	found := &search{leftOut: f.leftOut}
	files := make([]*File, 0, len(f.files))
	for _, name := range slices.Sorted(maps.Keys(f.files)) {
		files = append(files, f.files[name])
	}
	forEach(len(files), func(i int) {
		if f.ctx.Err() == nil {
			files[i].classify(f.opts.Loaders)
		}
	})
	var known []string
	for _, file := range files {
		if file.problem != nil {
			f.problems = append(f.problems, file.problem)
		}
		if file.loader != nil {
			found.files = append(found.files, file)
		}
		if file.loader != nil || file.problem != nil && file.problem.Severity == manifest.Error {
			known = append(known, file.Name)
		}
	}
	for _, in := range inputs {
		if in.directory && f.ctx.Err() == nil && !slices.ContainsFunc(known, in.holds) {
			f.fail(in.name, manifest.Say("found no %s in this directory", titles(f.opts.Loaders)),
				manifest.Say("a walk skips hidden directories, node_modules, vendor, what the contract's exclude names, and what .gitignore names unless git tracks it"))
		}
	}
	found.problems = f.problems
	return found
}

// holds reports whether a file or directory is the input or lies below it.
func (in input) holds(name string) bool {
	return in.name == "." || name == in.name || strings.HasPrefix(name, in.name+"/")
}

func (f *finder) fail(name string, message, hint manifest.Text) {
	f.problems = append(f.problems, &manifest.Problem{
		Severity: manifest.Error, Position: manifest.Position{File: name}, Message: message, Hint: hint,
	})
}

func (f *finder) failWith(err error) {
	if p := (*manifest.Problem)(nil); errors.As(err, &p) {
		f.problems = append(f.problems, p)
	}
}

// input resolves a path of the user's.
func (f *finder) input(name string) (input, bool) {
	if name == "-" {
		return f.stdin()
	}
	pattern, isPattern := cutDots(name)
	rel, err := f.tree.Rel(pattern)
	if err != nil {
		f.failWith(err)
		return input{}, false
	}
	info, err := fs.Stat(f.tree.FS(), rel)
	directory := err == nil && info.IsDir()
	if isPattern && err == nil && !directory {
		f.fail(rel, manifest.Say("expected a directory before ..., found a file"), manifest.Say("name the file without the dots"))
		return input{}, false
	}
	// What is not a directory is read as a file, and reading says what is wrong.
	return input{name: rel, directory: directory}, true
}

// cutDots takes the ... off a pattern.
func cutDots(name string) (directory string, isPattern bool) {
	directory, isPattern = strings.CutSuffix(filepath.ToSlash(name), "...")
	if !isPattern || directory != "" && !strings.HasSuffix(directory, "/") {
		return name, false
	}
	if directory == "" {
		directory = "."
	}
	return filepath.FromSlash(directory), true
}

// stdin reads standard input into the tree.
func (f *finder) stdin() (input, bool) {
	name := stdinName
	if f.opts.StdinFilename != "" {
		rel, err := f.tree.Rel(f.opts.StdinFilename)
		if err != nil {
			f.failWith(err)
			return input{}, false
		}
		name = rel
	}
	if f.files[name] != nil {
		return input{name: name}, true
	}
	var data []byte
	if f.opts.Stdin != nil {
		var err error
		if data, err = io.ReadAll(io.LimitReader(f.opts.Stdin, source.MaxFileSize+1)); err != nil {
			f.fail(name, manifest.Say("cannot read standard input"), manifest.Text{})
			return input{}, false
		}
	}
	if len(data) > source.MaxFileSize {
		f.fail(name, manifest.Say("standard input is larger than %s MiB, the most that is read", manifest.Number(source.MaxFileSize>>20)), manifest.Text{})
		return input{}, false
	}
	f.tree.Overlay(name, data)
	f.add(name, f.target(name), true)
	return input{name: name}, true
}

func (f *finder) add(name, target string, named bool) {
	entry, ok := f.files[name]
	if !ok {
		entry = &File{Name: name, Target: target, Tree: f.tree}
		entry.claims = f.claims(path.Base(name))
		f.files[name] = entry
	}
	if named {
		entry.Named, entry.claims = true, f.opts.Loaders
	}
}

// claims lists the loaders that a walk asks about files of a name.
func (f *finder) claims(base string) []Loader {
	return slices.DeleteFunc(slices.Clone(f.opts.Loaders), func(l Loader) bool {
		claimed, _ := l.Claims(base)
		return !claimed
	})
}

// isClaimed reports whether a walk looks into files of this name.
func (f *finder) isClaimed(base string) bool {
	return slices.ContainsFunc(f.opts.Loaders, func(l Loader) bool {
		claimed, _ := l.Claims(base)
		return claimed
	})
}

// parts lists the entries of a directory that belong to another of them.
func (f *finder) parts(entries []fs.DirEntry) []string {
	var parts []string
	for _, entry := range entries {
		for _, l := range f.opts.Loaders {
			if claimed, own := l.Claims(entry.Name()); claimed && !entry.IsDir() {
				parts = append(parts, own...)
			}
		}
	}
	return parts
}

// target is the name that a file or directory has without links.
func (f *finder) target(name string) string {
	resolved, err := filepath.EvalSymlinks(f.tree.Abs(name))
	if err != nil {
		return name
	}
	rel, err := filepath.Rel(f.tree.Dir(), resolved)
	if err != nil || !filepath.IsLocal(rel) {
		return name
	}
	return filepath.ToSlash(rel)
}

// maxDepth is how deep directories may be nested. Opening one takes a step for
// each directory above it.
const maxDepth = 256

func tooDeep(dir string) bool { return strings.Count(dir, "/") >= maxDepth }

// walk adds the files of a directory and of those below it. It does not follow
// links to directories, so that it comes to an end.
func (f *finder) walk(dir string, out leftOut) {
	if f.visited[dir] || f.ctx.Err() != nil {
		return
	}
	f.visited[dir] = true
	if tooDeep(dir) {
		f.fail(dir, manifest.Say("nested more than %s directories deep; deeper directories are not read", manifest.Number(maxDepth)), manifest.Text{})
		return
	}
	entries, err := fs.ReadDir(f.tree.FS(), dir)
	if err != nil {
		f.fail(dir, manifest.Say("cannot read the directory: %s", source.SystemReason(err)), manifest.Text{})
		return
	}
	if out.untracked {
		entries = slices.DeleteFunc(entries, func(entry fs.DirEntry) bool { return !f.keepsTracked(dir, entry) })
	}
	out.target = f.target(dir)
	parts := f.parts(entries)
	out.git = f.withIgnoreFile(out.git, dir)
	for _, entry := range entries {
		if !slices.Contains(parts, entry.Name()) {
			f.enter(path.Join(dir, entry.Name()), entry, out)
		}
	}
}

// keepsTracked reports whether git tracks an entry of a directory that .gitignore
// names, and counts it otherwise.
func (f *finder) keepsTracked(dir string, entry fs.DirEntry) bool {
	name := path.Join(dir, entry.Name())
	if f.tracks(name, entry.IsDir()) {
		return true
	}
	f.count(byGitignore, name, entry)
	return false
}

// enter adds a file, or walks a directory, unless it is left out.
func (f *finder) enter(name string, entry fs.DirEntry, out leftOut) {
	if entry.IsDir() && isLeftOut(entry.Name()) || !entry.IsDir() && !f.isClaimed(entry.Name()) {
		return
	}
	if why := f.leavesOut(out, name, entry.IsDir()); why != notLeftOut {
		f.count(why, name, entry)
		return
	}
	if entry.IsDir() {
		out.untracked = out.untracked || out.git.Ignores(name, true)
		f.walk(name, out)
		return
	}
	target := path.Join(out.target, entry.Name())
	if entry.Type()&fs.ModeSymlink != 0 {
		if f.leadsToFolder(name) {
			return
		}
		target = f.target(name)
	}
	f.add(name, target, false)
}

// isLeftOut reports whether a walk leaves out directories of this name.
func isLeftOut(base string) bool {
	return strings.HasPrefix(base, ".") || base == "node_modules" || base == "vendor"
}

func (f *finder) leadsToFolder(name string) bool {
	info, err := fs.Stat(f.tree.FS(), name)
	return err == nil && info.IsDir()
}
