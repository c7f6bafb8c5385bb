package source

import (
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"
)

// FS is the tree as a file system, overlaid files included. Unlike Read it sets no
// limit to a file's size or kind; the content of an overlaid file is Read's alone.
func (t *Tree) FS() fs.FS { return treeFS{t} }

type treeFS struct{ tree *Tree }

var (
	_ fs.ReadDirFS  = treeFS{}
	_ fs.StatFS     = treeFS{}
	_ fs.ReadLinkFS = treeFS{}
)

// Open implements [fs.FS].
func (f treeFS) Open(name string) (fs.File, error) {
	f.tree.inputs.look(name)
	if _, _, err := f.tree.overlaid("open", name); err != nil {
		return nil, err
	}
	return f.tree.root.FS().Open(name)
}

// Stat implements [fs.StatFS].
func (f treeFS) Stat(name string) (fs.FileInfo, error) {
	f.tree.inputs.look(name)
	if info, ok, err := f.tree.overlaid("stat", name); ok || err != nil {
		return info, err
	}
	return fs.Stat(f.tree.root.FS(), name)
}

// Lstat implements [fs.ReadLinkFS].
func (f treeFS) Lstat(name string) (fs.FileInfo, error) {
	f.tree.inputs.look(name)
	if info, ok, err := f.tree.overlaid("lstat", name); ok || err != nil {
		return info, err
	}
	return fs.Lstat(f.tree.root.FS(), name)
}

// ReadLink implements [fs.ReadLinkFS].
func (f treeFS) ReadLink(name string) (string, error) {
	f.tree.inputs.look(name)
	return fs.ReadLink(f.tree.root.FS(), name)
}

// ReadDir implements [fs.ReadDirFS].
func (f treeFS) ReadDir(name string) ([]fs.DirEntry, error) {
	f.tree.inputs.list(name)
	entries, err := fs.ReadDir(f.tree.root.FS(), name)
	if err != nil {
		return entries, err
	}
	for _, file := range f.tree.overlaidIn(name) {
		base := path.Base(file)
		at, found := slices.BinarySearchFunc(entries, base, func(e fs.DirEntry, base string) int { return strings.Compare(e.Name(), base) })
		switch info, _, err := f.tree.overlaid("lstat", file); {
		case err != nil && found:
			entries = slices.Delete(entries, at, at+1)
		case err == nil && !found:
			entries = slices.Insert(entries, at, fs.FileInfoToDirEntry(info))
		}
	}
	return entries, nil
}

// overlaid returns what there is to say of a file that is overlaid, or the error for one
// that is hidden.
func (t *store) overlaid(op, name string) (info fs.FileInfo, ok bool, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f, known := t.files[name]
	switch {
	case !known || !f.overlaid:
		return nil, false, nil
	case f.later != nil:
		return overlayInfo{name, 0}, true, nil // its size is not known yet
	case f.err != nil:
		return nil, false, &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
	}
	return overlayInfo{name, len(f.data)}, true, nil
}

// overlaidIn returns the overlaid files of a directory, hidden ones included.
func (t *store) overlaidIn(dir string) []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(t.overlays), func(name string) bool { return path.Dir(name) != dir })
}

// overlayInfo is what there is to say of an overlaid file.
type overlayInfo struct {
	name string
	size int
}

func (i overlayInfo) Name() string     { return path.Base(i.name) }
func (i overlayInfo) Size() int64      { return int64(i.size) }
func (overlayInfo) Mode() fs.FileMode  { return 0o644 }
func (overlayInfo) ModTime() time.Time { return time.Time{} }
func (overlayInfo) IsDir() bool        { return false }
func (overlayInfo) Sys() any           { return nil }
