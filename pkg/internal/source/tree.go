// Package source reads files below one root folder and nothing else, and turns
// YAML into nodes that still know their place. What it refuses, it refuses with
// a [manifest.Problem] that names the file and, where there is one, the line.
package source

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// MaxFileSize is the most that is read of one file, in bytes. etcd takes no
// object larger than 1.5 MiB, and the largest bundles of objects in common use
// stay below 5 MiB.
const MaxFileSize = 10 << 20

// Tree gives access to the files below one folder, the repository's root. No
// path and no symbolic link leads out of it. It is safe for concurrent use.
type Tree struct {
	dir  string
	root *os.Root

	mu    sync.Mutex
	files map[string]file
}

type file struct {
	data []byte
	err  error
}

// Open makes a Tree of the folder dir.
func Open(dir string) (*Tree, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	// The operating system's own idea of the folder is what paths in it are
	// compared with.
	if abs, err = filepath.EvalSymlinks(abs); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(abs)
	if err != nil {
		return nil, err
	}
	return &Tree{dir: abs, root: root, files: map[string]file{}}, nil
}

// Close releases the folder.
func (t *Tree) Close() error { return t.root.Close() }

// Dir is the absolute path of the root folder.
func (t *Tree) Dir() string { return t.dir }

// Abs is the absolute path of a file of the tree.
func (t *Tree) Abs(name string) string { return filepath.Join(t.dir, filepath.FromSlash(name)) }

// FS is the tree as a file system. Unlike Read it sets no limit to a file's
// size or kind.
func (t *Tree) FS() fs.FS { return t.root.FS() }

// Overlay makes Read give data for a file, whether or not it exists.
func (t *Tree) Overlay(name string, data []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.files[path.Clean(name)] = file{data: data}
}

// Files lists the files that Read has been asked for and could read, in order.
func (t *Tree) Files() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var names []string
	for name, f := range t.files {
		if f.err == nil {
			names = append(names, name)
		}
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

// Join resolves a path that stands at pos in a manifest, relative to the folder
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
		Message:  manifest.Say("the path leads out of the root folder, and nothing outside it is read"),
		Hint:     manifest.Say("name a file below the root, or choose a wider one with --root"),
		Cause:    fs.ErrPermission,
	}
}

// Read returns the content of a regular file of the tree. The error is a
// [*manifest.Problem] that satisfies errors.Is for [fs.ErrNotExist] where there
// is no such file.
func (t *Tree) Read(name string) ([]byte, error) {
	name = path.Clean(name)
	t.mu.Lock()
	defer t.mu.Unlock()
	f, ok := t.files[name]
	if !ok {
		f.data, f.err = t.read(name)
		t.files[name] = f
	}
	return f.data, f.err
}

func (t *Tree) read(name string) ([]byte, error) {
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
		return unreadable(name, manifest.Say("there is no such file"), manifest.Text{}, fs.ErrNotExist)
	case strings.Contains(reason.Error(), "escapes"):
		// os.Root has no exported error for a link that leaves it.
		return unreadable(name, manifest.Say("a symbolic link leads out of the root folder, and nothing outside it is read"),
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
		return manifest.Say("expected a regular file, found a folder")
	}
	return manifest.Say("the operating system refuses it")
}

func kindOf(mode fs.FileMode) manifest.Text {
	switch {
	case mode.IsDir():
		return manifest.Say("a folder")
	case mode&fs.ModeNamedPipe != 0:
		return manifest.Say("a named pipe")
	case mode&fs.ModeSocket != 0:
		return manifest.Say("a socket")
	case mode&fs.ModeDevice != 0:
		return manifest.Say("a device")
	}
	return manifest.Say("something else")
}
