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
	return f.tree.root.FS().Open(name)
}

// Stat implements [fs.StatFS].
func (f treeFS) Stat(name string) (fs.FileInfo, error) {
	f.tree.inputs.look(name)
	if data, ok := f.tree.overlaid(name); ok {
		return overlayInfo{name, len(data)}, nil
	}
	return fs.Stat(f.tree.root.FS(), name)
}

// Lstat implements [fs.ReadLinkFS].
func (f treeFS) Lstat(name string) (fs.FileInfo, error) {
	f.tree.inputs.look(name)
	if data, ok := f.tree.overlaid(name); ok {
		return overlayInfo{name, len(data)}, nil
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
	for _, info := range f.tree.overlaidIn(name) {
		base := info.Name()
		at, found := slices.BinarySearchFunc(entries, base, func(e fs.DirEntry, base string) int { return strings.Compare(e.Name(), base) })
		if !found {
			entries = slices.Insert(entries, at, fs.FileInfoToDirEntry(info))
		}
	}
	return entries, nil
}

func (t *store) overlaid(name string) (data []byte, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f, known := t.files[name]
	if !known || !f.overlaid {
		return nil, false
	}
	return f.data, true
}

// overlaidIn returns the overlaid files of a directory.
func (t *store) overlaidIn(dir string) []overlayInfo {
	t.mu.Lock()
	defer t.mu.Unlock()
	var infos []overlayInfo
	for _, name := range t.overlays {
		if path.Dir(name) == dir {
			infos = append(infos, overlayInfo{name, len(t.files[name].data)})
		}
	}
	return infos
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
