package loaders

import (
	"io"
	"io/fs"
	"slices"

	"github.com/derekg1729/dsnlint/pkg/internal/source"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// classify finds the loader of a file. What is wrong with a file is a problem where
// the user named the file, or where it may well be a manifest. A walk passes over
// everything else: a directory is full of files that are none of ours, and some of
// them are only YAML to the tool that they are for.
func (f *File) classify(all []Loader) {
	problem := guard(f.Name, func() {
		for _, l := range f.claims {
			if l.Recognizes(f) {
				f.loader = l
				return
			}
		}
		if _, err := f.Tree.Read(f.Name); err != nil {
			f.problem = f.unreadable(err)
			return
		}
		if !f.Named && !f.isSuspect(f.Data()) {
			return
		}
		switch _, err := f.Tree.YAML(f.Name); {
		case err != nil:
			f.problem = manifest.AsProblem(err, f.Name)
		case f.Named:
			f.problem = &manifest.Problem{
				Severity: manifest.Error,
				Position: manifest.Position{File: f.Name},
				Message:  manifest.Say("not a %s", titles(all)),
				Hint:     signs(all),
			}
		}
	})
	if problem != nil {
		f.problem = problem
	}
}

func (f *File) isSuspect(beginning []byte) bool {
	return slices.ContainsFunc(f.claims, func(l Loader) bool { return l.Suspects(f.Name, beginning) })
}

// unreadable judges a file that cannot be read by its name, and by how it begins
// where that much can be read. Where it cannot be told what a file is, a notice
// says so.
func (f *File) unreadable(err error) *manifest.Problem {
	problem := manifest.AsProblem(err, f.Name)
	begin := beginning(f.Tree, f.Name)
	switch {
	case f.Named || f.isSuspect(begin):
		return problem
	case begin != nil:
		return nil
	}
	return problem.AsNotice()
}

// beginning reads the first part of a regular file.
func beginning(tree *source.Tree, name string) []byte {
	const most = 64 << 10
	// Opening anything but a regular file may wait forever.
	if info, err := fs.Stat(tree.FS(), name); err != nil || !info.Mode().IsRegular() {
		return nil
	}
	file, err := tree.FS().Open(name)
	if err != nil {
		return nil
	}
	defer func() { _ = file.Close() }()
	data, err := io.ReadAll(io.LimitReader(file, most))
	if err != nil {
		return nil
	}
	return data
}

// titles names the dialects as alternatives.
func titles(loaders []Loader) manifest.Text {
	var list []manifest.Text
	for _, l := range loaders {
		list = append(list, l.Dialect().Title)
	}
	last := len(list) - 1
	return manifest.Say("%s or %s", manifest.Join(list[:last], ", "), list[last])
}

// signs says how to tell files of the dialects.
func signs(loaders []Loader) manifest.Text {
	var list []manifest.Text
	for _, l := range loaders {
		if sign := l.Dialect().Sign; !sign.IsZero() {
			list = append(list, sign)
		}
	}
	return manifest.Join(list, ", ")
}
