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

	"go.yaml.in/yaml/v4"

	"github.com/derekg1729/dsnlint/pkg/internal/gitrepo"
	"github.com/derekg1729/dsnlint/pkg/internal/source"
	"github.com/derekg1729/dsnlint/pkg/loaders/kustomize"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// stdinName is how standard input is called where the user gives it no name.
const stdinName = "stdin"

// file is a file that may be a manifest.
type file struct {
	// name is its path in the tree, and target the one that it has without
	// links.
	name, target string
	// named tells that the user named it, rather than a folder above it.
	named bool
	// dialect is nil for a file that is no manifest.
	dialect *dialect
	docs    []*yaml.Node
	problem *manifest.Problem
}

// finding is what the paths stand for.
type finding struct {
	// files are the manifests, and folders those that a dialect takes whole,
	// both in the order of their names.
	files    []*file
	folders  []project
	problems []*manifest.Problem
	leftOut  LeftOut
}

// projects are the folders and the files by their dialects.
func (f *finding) projects(opts Options) []project {
	projects := slices.Clone(f.folders)
	for _, d := range append(fileDialects(), shellScript) {
		own := slices.DeleteFunc(slices.Clone(f.files), func(f *file) bool { return f.dialect != d })
		grouped := d.group(own)
		for _, names := range grouped {
			projects = append(projects, project{d, names})
		}
		if d.uses == nil {
			continue
		}
		used := d.uses(opts, slices.Concat(grouped...))
		f.files = slices.DeleteFunc(f.files, func(f *file) bool { return f.dialect != d && !f.named && used[f.name] })
	}
	return projects
}

// dirs are the folders that a dialect takes whole.
func (f *finding) dirs() []string {
	dirs := make([]string, len(f.folders))
	for i, p := range f.folders {
		dirs[i] = p.files[0]
	}
	return dirs
}

// finder collects what may be a manifest.
type finder struct {
	ctx     context.Context
	opts    Options
	tree    *source.Tree
	files   map[string]*file
	folders map[string]*dialect
	// visited are the folders that were walked, by name.
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
	name   string
	folder bool
}

func find(ctx context.Context, opts Options) *finding {
	f := &finder{
		ctx: ctx, opts: opts, tree: opts.Tree,
		files: map[string]*file{}, folders: map[string]*dialect{}, visited: map[string]bool{},
	}
	var inputs []input
	for _, name := range opts.Paths {
		if in, ok := f.input(name); ok && !slices.Contains(inputs, in) {
			inputs = append(inputs, in)
		}
	}
	for _, in := range inputs {
		if in.folder {
			f.walk(in.name, f.leftOutAbove(in.name))
		} else {
			f.add(in.name, f.target(in.name), true)
		}
	}
	return f.finish(inputs)
}

// finish tells the kind of each file, and which input stands for nothing.
func (f *finder) finish(inputs []input) *finding {
	found := &finding{leftOut: f.leftOut}
	files := make([]*file, 0, len(f.files))
	for _, name := range slices.Sorted(maps.Keys(f.files)) {
		files = append(files, f.files[name])
	}
	forEach(len(files), func(i int) {
		if f.ctx.Err() == nil {
			files[i].classify(f.tree)
		}
	})
	var known []string
	for _, file := range files {
		if file.problem != nil {
			f.problems = append(f.problems, file.problem)
		}
		if file.dialect != nil {
			found.files = append(found.files, file)
		}
		if file.dialect != nil || file.problem != nil && file.problem.Severity == manifest.Error {
			known = append(known, file.name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(f.folders)) {
		found.folders = append(found.folders, project{f.folders[name], []string{name}})
		known = append(known, name)
	}
	for _, in := range inputs {
		if in.folder && f.ctx.Err() == nil && !slices.ContainsFunc(known, in.holds) {
			f.fail(in.name, manifest.Say("found no %s in this folder", nouns(dialects)),
				manifest.Say("a walk leaves out hidden directories, node_modules, vendor, what the contract's exclude names, and what .gitignore names unless git tracks it"))
		}
	}
	found.problems = f.problems
	return found
}

// holds tells whether a file or folder is the input or lies below it.
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
	folder := err == nil && info.IsDir()
	if isPattern && err == nil && !folder {
		f.fail(rel, manifest.Say("expected a folder before ..., found a file"), manifest.Say("name the file without the dots"))
		return input{}, false
	}
	// What is no folder is read as a file, and reading says what is wrong.
	return input{name: rel, folder: folder}, true
}

// cutDots takes the ... off a pattern.
func cutDots(name string) (folder string, isPattern bool) {
	folder, isPattern = strings.CutSuffix(filepath.ToSlash(name), "...")
	if !isPattern || folder != "" && !strings.HasSuffix(folder, "/") {
		return name, false
	}
	if folder == "" {
		folder = "."
	}
	return filepath.FromSlash(folder), true
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
		entry = &file{name: name, target: target}
		f.files[name] = entry
	}
	entry.named = entry.named || named
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
		f.fail(dir, manifest.Say("nested more than %s directories deep; what is below is not read", manifest.Number(maxDepth)), manifest.Text{})
		return
	}
	entries, err := fs.ReadDir(f.tree.FS(), dir)
	if err != nil {
		f.fail(dir, manifest.Say("cannot read the folder: %s", source.SystemReason(err)), manifest.Text{})
		return
	}
	if out.untracked {
		entries = slices.DeleteFunc(entries, func(entry fs.DirEntry) bool { return !f.keepsTracked(dir, entry) })
	}
	names := make([]string, len(entries))
	for i, entry := range entries {
		names[i] = entry.Name()
	}
	out.target = f.target(dir)
	var parts []string
	if d := claimant(names); d != nil {
		f.folders[dir] = d
		parts = d.parts
	}
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
	if entry.IsDir() && isLeftOut(entry.Name()) || !entry.IsDir() && !isCandidate(entry.Name()) {
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

// isLeftOut tells whether a walk leaves out folders of this name.
func isLeftOut(base string) bool {
	return strings.HasPrefix(base, ".") || base == "node_modules" || base == "vendor"
}

// isCandidate tells whether a walk looks into files of this name.
func isCandidate(base string) bool {
	switch strings.ToLower(path.Ext(base)) {
	case ".yaml", ".yml", ".json":
		return true
	}
	return kustomize.IsKustomization(base, nil)
}

func (f *finder) leadsToFolder(name string) bool {
	info, err := fs.Stat(f.tree.FS(), name)
	return err == nil && info.IsDir()
}
