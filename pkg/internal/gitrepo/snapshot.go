package gitrepo

import (
	"errors"
	"io"
	"io/fs"
	"path"
	"path/filepath"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"

	"github.com/derekg1729/dsnlint/pkg/internal/source"
)

// Snapshot is the files of a commit.
type Snapshot struct {
	repository *Repository
	tree       *object.Tree
}

// Snapshot returns the files of a commit.
func (r *Repository) Snapshot(commit *object.Commit) (s *Snapshot, err error) {
	defer recoverTo(&err)
	tree, err := commit.Tree()
	if err != nil {
		return nil, err
	}
	return &Snapshot{repository: r, tree: tree}, nil
}

// Errors of Read.
var (
	errLarge   = errors.New("the file is too large")
	errOutside = errors.New("a symbolic link leads out of the repository")
)

// Read returns a file of the commit, following the symbolic links in it. The
// error is [fs.ErrNotExist] where the commit has no such file; any other says that
// it has one whose content is not known, as in a partial clone.
func (s *Snapshot) Read(name string) (data []byte, err error) {
	defer recoverTo(&err)
	const mostLinks = 40
	name = path.Join(s.repository.prefix, name)
	for range mostLinks {
		if !filepath.IsLocal(filepath.FromSlash(name)) {
			return nil, errOutside
		}
		entry, rest, err := s.find(name)
		if err != nil {
			return nil, err
		}
		if entry.Mode != filemode.Symlink {
			if rest != "" || !entry.Mode.IsFile() {
				return nil, fs.ErrNotExist
			}
			return s.blob(entry)
		}
		target, err := s.blob(entry)
		if err != nil {
			return nil, err
		}
		if path.IsAbs(string(target)) {
			return nil, errOutside
		}
		at := strings.TrimSuffix(strings.TrimSuffix(name, rest), "/")
		name = path.Join(path.Dir(at), string(target), rest)
	}
	return nil, fs.ErrNotExist
}

// Files lists the files of the commit below a directory, in no order. The error says
// that some of its directories are not known, as in a partial clone.
func (s *Snapshot) Files(dir string) (files []string, err error) {
	defer recoverTo(&err)
	root := s.tree
	if dir = path.Join(s.repository.prefix, dir); dir != "." {
		if root, err = s.tree.Tree(dir); errors.Is(err, object.ErrDirectoryNotFound) {
			return nil, nil
		} else if err != nil {
			return nil, err
		}
	}
	walker := object.NewTreeWalker(root, true, nil)
	defer walker.Close()
	for {
		name, entry, err := walker.Next()
		switch {
		case errors.Is(err, io.EOF):
			return files, nil
		case err != nil:
			return nil, err
		case entry.Mode.IsFile():
			files = append(files, name)
		}
	}
}

// find returns the entry of a path, or the first one on it that is not a
// directory with what is left of the path.
func (s *Snapshot) find(name string) (entry *object.TreeEntry, rest string, err error) {
	tree := s.tree
	for rest = name; ; {
		var base string
		base, rest, _ = strings.Cut(rest, "/")
		if entry = entryOf(tree, base); entry == nil {
			return nil, "", fs.ErrNotExist
		}
		if rest == "" || entry.Mode != filemode.Dir {
			return entry, rest, nil
		}
		if tree, err = s.repository.TreeObject(entry.Hash); err != nil {
			return nil, "", err
		}
	}
}

func entryOf(tree *object.Tree, base string) *object.TreeEntry {
	for i := range tree.Entries {
		if tree.Entries[i].Name == base {
			return &tree.Entries[i]
		}
	}
	return nil
}

func (s *Snapshot) blob(entry *object.TreeEntry) ([]byte, error) {
	blob, err := s.repository.BlobObject(entry.Hash)
	if err != nil {
		return nil, err
	}
	if blob.Size > source.MaxFileSize {
		return nil, errLarge
	}
	reader, err := blob.Reader()
	if err != nil {
		return nil, err
	}
	defer func() { _ = reader.Close() }()
	return io.ReadAll(io.LimitReader(reader, source.MaxFileSize+1))
}
