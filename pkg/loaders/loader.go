package loaders

import (
	"bytes"
	"context"
	"path"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/derekg1729/dsnlint/pkg/internal/source"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// Loader is all that is known of one dialect. Its methods are called from one
// goroutine, but for Recognizes and Suspects, which are called from several.
type Loader interface {
	// Dialect is the language.
	Dialect() *manifest.Dialect
	// Claims reports whether a walk looks into files of this base name for the
	// dialect. Parts are the names beside it that belong to such a file and that no
	// loader is to look into by themselves.
	Claims(base string) (claimed bool, parts []string)
	// Recognizes reports whether a file is of the dialect.
	Recognizes(f *File) bool
	// Suspects reports whether a file that cannot be read to its end or parsed is
	// meant for the dialect, by its name and by what it begins with.
	Suspects(name string, beginning []byte) bool
	// Projects groups the files of the dialect, which come in the order of their
	// names, into what is loaded together.
	Projects(files []*File) []Project
}

// Project is what is deployed together, and loaded in one go.
type Project struct {
	// Name is the file or directory that the project is known by.
	Name string
	// Tree is the project's own view, which records what it was asked for.
	Tree *source.Tree
	// Uses reports whether a file of another loader is part of the project: where a
	// walk found it, it is not a manifest of its own. Nil for a project that has no
	// such files.
	Uses func(file string) bool
	// Prepare does what Load needs to be done for all projects first: it is called for
	// each before Load is called for any, in their order, and at the same time as that
	// of other projects. Nil for a project that needs nothing of others, and brings
	// them nothing.
	Prepare func(ctx context.Context)
	// Load makes the containers. What cannot be loaded is told by the problems, and
	// hides nothing else. It may be called at the same time as that of other projects.
	Load func(ctx context.Context) ([]manifest.Container, []*manifest.Problem)
}

// File is a file that may be a manifest.
type File struct {
	// Name is its path in the tree, and Target the one that it has without links.
	Name, Target string
	// Named is set where the user named it, rather than a directory above it.
	Named bool
	// Tree is what the file is read from.
	Tree *source.Tree

	// claims are the loaders that are asked about it.
	claims []Loader
	loader Loader
	// problem is why it is not loaded, or not all of it.
	problem *manifest.Problem
}

func (f *File) isOf(l Loader) bool { return f.loader.Dialect() == l.Dialect() }

// Data returns the content of the file; none where it cannot be read.
func (f *File) Data() []byte {
	data, err := f.Tree.Read(f.Name)
	if err != nil {
		return nil
	}
	return data
}

// YAML returns the documents of the file that can be parsed. What is wrong with the
// others is told where the file is loaded, or found to be of no dialect.
func (f *File) YAML() []*yaml.Node {
	docs, _ := f.Tree.YAML(f.Name)
	return docs
}

// Distinct returns the names of files without those that are found a second time
// through a link.
func Distinct(files []*File) []string {
	var names []string
	seen := map[string]bool{}
	for _, f := range files {
		if !seen[f.Target] {
			seen[f.Target] = true
			names = append(names, f.Name)
		}
	}
	return names
}

// IsYAML reports whether a file is named as YAML and JSON files are.
func IsYAML(base string) bool {
	switch strings.ToLower(path.Ext(base)) {
	case ".yaml", ".yml", ".json":
		return true
	}
	return false
}

// WithoutNUL makes the Latin letters of UTF-16 legible.
func WithoutNUL(data []byte) []byte {
	if !bytes.ContainsRune(data, 0) {
		return data
	}
	return bytes.ReplaceAll(data, []byte{0}, nil)
}
