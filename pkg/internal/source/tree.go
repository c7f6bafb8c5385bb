// Package source reads files below one root directory and nothing else, and turns
// YAML into nodes that still know their place. What it refuses, it refuses with
// a [manifest.Problem] that names the file and, where there is one, the line.
package source

import (
	"cmp"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"

	"go.yaml.in/yaml/v4"

	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// MaxFileSize is the most that is read of one file, in bytes. etcd takes no
// object larger than 1.5 MiB, and the largest bundles of objects in common use
// stay below 5 MiB.
const MaxFileSize = 10 << 20

// Tree gives access to the files below one directory, the repository's root. No
// path and no symbolic link leads out of it. Each file is read once, and parsed
// once. It is safe for concurrent use.
type Tree struct {
	*store
	// inputs records what this view of the tree was asked for; nil for none.
	inputs *Inputs
}

// store is what all views of a tree share.
type store struct {
	dir  string
	root *os.Root

	mu    sync.Mutex
	files map[string]*file
	// overlays are the names of the overlaid files.
	overlays []string
	// syntaxes are what files are read as, by name.
	syntaxes map[string][]*Syntax
	// kept counts the nodes that are kept parsed.
	kept int
}

// file is a file that was asked for.
type file struct {
	mu   sync.Mutex
	read bool
	data []byte
	err  error
	// overlaid is set where data, or that there is no file, takes the place of what is
	// on disk.
	overlaid bool
	// later reads an overlaid file when it is asked for; nil for one whose data is here.
	later func() ([]byte, error)

	// index is nil until it is asked for.
	index *Index

	parsed bool
	docs   []*yaml.Node
	broken error
}

// Open makes a Tree of a directory.
func Open(dir string) (*Tree, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	// The operating system's own idea of the directory is what paths in it are
	// compared with.
	if abs, err = filepath.EvalSymlinks(abs); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(abs)
	if err != nil {
		return nil, err
	}
	return &Tree{store: &store{dir: abs, root: root, files: map[string]*file{}, syntaxes: map[string][]*Syntax{}}}, nil
}

// View returns the same tree with a record of its own of what it is asked for.
func (t *Tree) View() *Tree { return &Tree{store: t.store, inputs: newInputs()} }

// Inputs returns what the view was asked for so far; nil for a tree that is not a
// view.
func (t *Tree) Inputs() *Inputs { return t.inputs }

// Close releases the directory.
func (t *Tree) Close() error { return t.root.Close() }

// Dir is the absolute path of the root directory.
func (t *Tree) Dir() string { return t.dir }

// Abs is the absolute path of a file of the tree.
func (t *Tree) Abs(name string) string { return filepath.Join(t.dir, filepath.FromSlash(name)) }

// Overlay makes the tree give data for a file, whether or not it exists.
func (t *Tree) Overlay(name string, data []byte) { t.overlay(name, &file{read: true, data: data}) }

// OverlayLater is like Overlay for a file that is read once it is asked for, if it is.
// Calls of read may come from several goroutines.
func (t *Tree) OverlayLater(name string, read func() ([]byte, error)) {
	t.overlay(name, &file{later: read})
}

// Hide makes the tree give a file for one that does not exist.
func (t *Tree) Hide(name string) {
	t.overlay(name, &file{read: true, err: openProblem(path.Clean(name), fs.ErrNotExist)})
}

func (t *Tree) overlay(name string, f *file) {
	t.mu.Lock()
	defer t.mu.Unlock()
	name = path.Clean(name)
	f.overlaid = true
	t.files[name] = f
	if !slices.Contains(t.overlays, name) {
		t.overlays = append(t.overlays, name)
	}
}

// Asked lists the files that were asked for, whether or not there are any.
func (t *Tree) Asked() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Sorted(maps.Keys(t.files))
}

// Files lists the files that Read has been asked for and could read, in order.
func (t *Tree) Files() []string {
	t.mu.Lock()
	files := maps.Clone(t.files)
	t.mu.Unlock()
	var names []string
	for name, f := range files {
		f.mu.Lock()
		if f.read && f.err == nil {
			names = append(names, name)
		}
		f.mu.Unlock()
	}
	slices.Sort(names)
	return names
}

// Rel turns a path as the operating system writes it, absolute or relative to
// the working directory, into one relative to the root.
func (t *Tree) Rel(name string) (string, error) {
	abs, err := filepath.Abs(name)
	if err != nil {
		return "", err
	}
	rel, err := filepath.Rel(t.dir, abs)
	if err == nil && !filepath.IsLocal(rel) {
		// The path may go by another name of the root, through a link above it.
		if resolved, rerr := filepath.EvalSymlinks(abs); rerr == nil {
			rel, err = filepath.Rel(t.dir, resolved)
		}
	}
	if err != nil || !filepath.IsLocal(rel) {
		return "", outside(manifest.Position{File: filepath.ToSlash(name)})
	}
	return filepath.ToSlash(rel), nil
}

// Join resolves a path that is at pos in a manifest, relative to the directory
// dir of the tree, and makes it relative to the root. A path that leaves the
// root is a Problem at pos.
func (t *Tree) Join(dir, name string, pos manifest.Position) (string, error) {
	slashed := filepath.ToSlash(name)
	if path.IsAbs(slashed) || filepath.IsAbs(name) {
		rel, err := filepath.Rel(t.dir, filepath.FromSlash(slashed))
		if err != nil || !filepath.IsLocal(rel) {
			return "", outside(pos)
		}
		return filepath.ToSlash(rel), nil
	}
	joined := path.Join(dir, slashed)
	if !filepath.IsLocal(filepath.FromSlash(joined)) {
		return "", outside(pos)
	}
	return joined, nil
}

func outside(pos manifest.Position) *manifest.Problem {
	return &manifest.Problem{
		Severity: manifest.Error,
		Position: pos,
		Message:  manifest.Say("the path is outside the root directory; nothing outside it is read"),
		Hint:     manifest.Say("name a file below the root, or choose a wider one with --root"),
		Cause:    fs.ErrPermission,
	}
}

// Read returns the content of a regular file of the tree. The error is a
// [*manifest.Problem] that satisfies errors.Is for [fs.ErrNotExist] where there
// is no such file.
func (t *Tree) Read(name string) ([]byte, error) {
	name = path.Clean(name)
	f := t.open(name)
	defer f.mu.Unlock()
	t.inputs.read(name, f.err)
	return f.data, f.err
}

// open returns a file that has been read, locked.
func (t *Tree) open(name string) *file {
	t.mu.Lock()
	f, ok := t.files[name]
	if !ok {
		f = &file{}
		t.files[name] = f
	}
	t.mu.Unlock()
	f.mu.Lock()
	if !f.read {
		if f.later == nil {
			f.data, f.err = t.load(name)
		} else if data, err := f.later(); err != nil {
			f.err = openProblem(name, err)
		} else {
			f.data = data
		}
		f.read = true
	}
	return f
}

// Index returns the index of a file that has been read; nil for any other.
func (t *Tree) Index(name string) *Index {
	t.mu.Lock()
	f := t.files[path.Clean(name)]
	t.mu.Unlock()
	if f == nil {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.index == nil && f.read && f.err == nil {
		f.index = NewIndex(f.data)
	}
	return f.index
}

// maxKept bounds how many nodes of parsed files are kept, of some 250 bytes each.
// What is more is parsed again where it is needed again.
const maxKept = 200_000

// YAML returns the documents of a file, as [ParseYAML] does. They belong to all who
// ask for them and must not be changed.
func (t *Tree) YAML(name string) ([]*yaml.Node, error) {
	name = path.Clean(name)
	f := t.open(name)
	defer f.mu.Unlock()
	t.inputs.read(name, f.err)
	if f.err != nil || f.parsed {
		return f.docs, cmp.Or(f.err, f.broken)
	}
	docs, nodes, err := parseYAML(name, f.data, 0, nil)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.kept+nodes <= maxKept {
		t.kept += nodes
		f.parsed, f.docs, f.broken = true, docs, err
	}
	return docs, err
}

// Documents returns the documents of a file that stand for themselves, as
// [ParseDocuments] does. They must not be changed.
func (t *Tree) Documents(name string) ([]*yaml.Node, []*manifest.Problem) {
	docs, err := t.YAML(name)
	if err == nil {
		return slices.DeleteFunc(slices.Clone(docs), isEmpty), nil
	}
	data, err := t.Read(name)
	if p := (*manifest.Problem)(nil); errors.As(err, &p) {
		return nil, []*manifest.Problem{p}
	}
	return ParseDocuments(name, data)
}

func (t *store) load(name string) ([]byte, error) {
	if !filepath.IsLocal(filepath.FromSlash(name)) {
		return nil, outside(manifest.Position{File: name})
	}
	// Without O_NONBLOCK, opening a FIFO waits for a writer that may never come.
	f, err := t.root.OpenFile(filepath.FromSlash(name), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, openProblem(name, err)
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, openProblem(name, err)
	}
	if !info.Mode().IsRegular() {
		return nil, unreadable(name, manifest.Say("expected a regular file, found %s", kindOf(info.Mode())), manifest.Text{}, nil)
	}
	data, err := io.ReadAll(io.LimitReader(f, MaxFileSize+1))
	if err != nil {
		return nil, openProblem(name, err)
	}
	if len(data) > MaxFileSize {
		return nil, unreadable(name, manifest.Say("the file is larger than %s MiB, the most that is read", manifest.Number(MaxFileSize>>20)),
			manifest.Say("split it, or leave it out with the contract's exclude"), nil)
	}
	return data, nil
}

func openProblem(name string, err error) *manifest.Problem {
	reason := err
	if perr := (*fs.PathError)(nil); errors.As(err, &perr) {
		reason = perr.Err
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return unreadable(name, manifest.Say("the file does not exist"), manifest.Text{}, fs.ErrNotExist)
	case strings.Contains(reason.Error(), "escapes"):
		// os.Root has no exported error for a link that leaves it.
		return unreadable(name, manifest.Say("a symbolic link leads outside the root directory; nothing outside it is read"),
			manifest.Say("link to a file below the root, or choose a wider one with --root"), fs.ErrPermission)
	}
	return unreadable(name, manifest.Say("cannot read the file: %s", SystemReason(reason)), manifest.Text{}, reason)
}

func unreadable(name string, message, hint manifest.Text, cause error) *manifest.Problem {
	return &manifest.Problem{
		Severity: manifest.Error,
		Position: manifest.Position{File: name},
		Message:  message,
		Hint:     hint,
		Cause:    cause,
	}
}

// SystemReason says in our own words what an error of the operating system means.
func SystemReason(err error) manifest.Text {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return manifest.Say("permission denied")
	case errors.Is(err, syscall.ENOTDIR):
		return manifest.Say("a part of its path is a file")
	case errors.Is(err, syscall.ELOOP):
		return manifest.Say("its symbolic links form a cycle")
	case errors.Is(err, syscall.ENAMETOOLONG):
		return manifest.Say("its name is too long")
	case errors.Is(err, syscall.EISDIR):
		return manifest.Say("expected a regular file, found a directory")
	}
	return manifest.Say("the operating system refused it")
}

func kindOf(mode fs.FileMode) manifest.Text {
	switch {
	case mode.IsDir():
		return manifest.Say("a directory")
	case mode&fs.ModeNamedPipe != 0:
		return manifest.Say("a named pipe")
	case mode&fs.ModeSocket != 0:
		return manifest.Say("a socket")
	case mode&fs.ModeDevice != 0:
		return manifest.Say("a device")
	}
	return manifest.Say("something else")
}
