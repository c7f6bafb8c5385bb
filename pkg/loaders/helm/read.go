package helm

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/derekg1729/dsnlint/pkg/internal/source"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// The bounds of what is read of a chart, its archives unpacked.
const (
	maxChart      = 20 << 20
	maxChartFiles = 20_000
	// maxArchives bounds how deep archives lie in each other.
	maxArchives = 8
)

var (
	errTooLarge  = errors.New("the chart is larger than what is read of one")
	errNoArchive = errors.New("not an archive of a chart")
)

// reader reads the files of a chart.
type reader struct {
	tree  *source.Tree
	dir   string
	files []sourceFile
	// left is what may still be read, unpacked what may still be unpacked, both in
	// bytes.
	left, unpacked int64
	// size is the sum of the files' sizes as they lie in the tree.
	size int
	// full says that an archive did not fit.
	full     bool
	problems []*manifest.Problem
}

// read reads the files of a chart, with its archives unpacked. What cannot be read
// is a problem, and left out. The error is [errTooLarge].
func (r *reader) read() error {
	return fs.WalkDir(r.tree.FS(), r.dir, func(name string, entry fs.DirEntry, err error) error {
		rel := strings.TrimPrefix(strings.TrimPrefix(name, r.dir), "/")
		if r.dir == "." {
			rel = name
		}
		if err != nil {
			r.problem(name, isPart(rel), manifest.Say("the directory cannot be read"))
			return nil //nolint:nilerr // it is reported, and the others are read
		}
		if entry.IsDir() {
			if rel != "" && rel != "." && strings.HasPrefix(entry.Name(), ".") {
				return fs.SkipDir
			}
			return nil
		}
		if info, err := fs.Stat(r.tree.FS(), name); err == nil && info.IsDir() {
			if isPart(rel + "/") {
				r.problem(name, false, manifest.Say("not followed: a link to a directory"))
			}
			return nil
		}
		return r.file(name, rel)
	})
}

func (r *reader) problem(name string, isError bool, message manifest.Text) {
	p := &manifest.Problem{Severity: manifest.Notice, Position: manifest.Position{File: name}, Message: message}
	if isError {
		p.Severity = manifest.Error
	}
	r.problems = append(r.problems, p)
}

func (r *reader) file(name, rel string) error {
	if rel == "values.schema.json" {
		return nil // a schema says nothing of what a container receives
	}
	inCharts, isCharts := strings.CutPrefix(rel, "charts/")
	if isCharts && !strings.Contains(inCharts, "/") {
		switch ext := path.Ext(rel); {
		case strings.IndexAny(inCharts, "_.") == 0 || ext == ".prov":
			return nil
		case ext != ".tgz":
			if _, err := r.tree.Read(name); err != nil {
				r.unreadable(err, true)
			} else {
				r.problem(name, false, manifest.Say("not a chart: expected a directory or a .tgz archive in charts/"))
			}
			return nil
		}
	}
	data, err := r.tree.Read(name)
	if err != nil {
		r.unreadable(err, isPart(rel))
		return nil
	}
	r.size += len(data)
	if isArchive(rel) {
		switch err := r.unpack(rel, data, 1); {
		case errors.Is(err, errNoArchive):
			r.problem(name, true, manifest.Say("not an archive of a chart; it is left out"))
		case err != nil && !r.full:
			r.full = true
			r.problem(name, true, manifest.Say("the archives of the chart are larger than what is unpacked of them; this one, and those after it that do not fit, are left out"))
		}
		return nil
	}
	return r.add(rel, data)
}

// unreadable takes the problem of a file: an error where the file is a part of the
// chart, else a notice.
func (r *reader) unreadable(err error, isError bool) {
	p := (*manifest.Problem)(nil)
	if !errors.As(err, &p) {
		return // the tree returns no other
	}
	own := *p
	if !isError {
		own.Severity = manifest.Notice
	}
	r.problems = append(r.problems, &own)
}

// add takes a file of the chart.
func (r *reader) add(rel string, data []byte) error {
	if r.left -= int64(len(data)); r.left < 0 || len(r.files) >= maxChartFiles {
		return errTooLarge
	}
	r.files = append(r.files, sourceFile{rel, data})
	return nil
}

// isArchive reports whether a file is the archive of a subchart.
func isArchive(rel string) bool {
	dir, base := path.Split(rel)
	return path.Base(dir) == "charts" && path.Ext(base) == ".tgz" && strings.IndexAny(base, "_.") != 0
}

// unpack takes the files of an archive, and of those in it, as a directory of the
// archive's name. An archive that does not fit leaves nothing behind.
func (r *reader) unpack(rel string, data []byte, depth int) error {
	before := len(r.files)
	err := r.unpackAll(rel, data, depth)
	if err != nil {
		for _, f := range r.files[before:] {
			r.left += int64(len(f.Data))
		}
		r.files = r.files[:before]
	}
	return err
}

func (r *reader) unpackAll(rel string, data []byte, depth int) error {
	if depth > maxArchives {
		return errTooLarge
	}
	unzipped, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return errNoArchive
	}
	// What is counted is the stream, so that headers and what is passed over count
	// as well.
	limited := &io.LimitedReader{R: unzipped, N: min(r.unpacked, r.left) + 1}
	full := limited.N
	defer func() { r.unpacked -= full - limited.N }()
	archive := tar.NewReader(limited)
	entries := 0
	for {
		header, err := archive.Next()
		switch {
		case limited.N <= 0:
			return errTooLarge
		case errors.Is(err, io.EOF) && entries > 0:
			return nil
		case err != nil:
			return errNoArchive
		}
		if entries++; entries > maxChartFiles {
			return errTooLarge
		}
		if header.FileInfo().IsDir() || header.Typeflag == tar.TypeXGlobalHeader || header.Typeflag == tar.TypeXHeader {
			continue
		}
		// The first directory is that of the chart.
		_, inner, ok := strings.Cut(strings.ReplaceAll(header.Name, `\`, "/"), "/")
		inner = path.Clean(inner)
		if !ok || !fs.ValidPath(inner) || inner == "." {
			return errNoArchive
		}
		// A sparse file is larger than its part of the stream.
		content, err := io.ReadAll(io.LimitReader(archive, r.left+1))
		switch {
		case limited.N <= 0 || int64(len(content)) > r.left:
			return errTooLarge
		case err != nil:
			return errNoArchive
		}
		if err := r.unpacks(path.Join(rel, inner), content, depth); err != nil {
			return err
		}
	}
}

// unpacks takes a file of an archive.
func (r *reader) unpacks(rel string, content []byte, depth int) error {
	if !isArchive(rel) {
		return r.add(rel, bytes.TrimPrefix(content, []byte("\xEF\xBB\xBF")))
	}
	return r.unpack(rel, content, depth+1)
}

// isPart reports whether a file of a chart is more than something that templates
// may read.
func isPart(rel string) bool {
	top, _, inDirectory := strings.Cut(rel, "/")
	if !inDirectory {
		return strings.HasSuffix(top, ".yaml")
	}
	return slices.Contains([]string{"templates", "charts", "crds", "ci"}, top)
}
