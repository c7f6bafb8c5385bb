package helm

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"

	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/ignore"
	"sigs.k8s.io/yaml"

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
	// values are the files of values, and ignored is what .helmignore names.
	values  []ValuesFile
	ignored *ignore.Rules
	// within is how many charts and links lead to the directory, and linked are the
	// charts that lie elsewhere in the tree.
	within int
	linked []linkedChart
}

// linkedChart is a dependency that lies elsewhere in the tree.
type linkedChart struct {
	// rel is the directory of the chart that it is in, and dir that of the tree.
	rel, dir string
}

// valuesFiles are the files of values beside the chart's own, each of which stands for a
// release of the chart.
var valuesFiles = []string{"values-*.yaml", "values-*.yml", "values/*.yaml", "values/*.yml", "ci/*-values.yaml"}

func isValuesFile(rel string) bool {
	return slices.ContainsFunc(valuesFiles, func(pattern string) bool {
		ok, _ := path.Match(pattern, rel)
		return ok
	})
}

// read reads the files of a chart, with its archives unpacked. What cannot be read
// is a problem, and left out. The error is [errTooLarge].
func (r *reader) read() error {
	r.ignored = r.helmignore()
	if err := r.walk(r.dir); err != nil {
		return err
	}
	return r.dependencies()
}

// dependencies reads the charts that a repository file://... names, unless they are
// vendored: to vendor them is to copy them.
func (r *reader) dependencies() error {
	at := slices.IndexFunc(r.files, func(f sourceFile) bool { return f.Name == chartFile })
	var metadata chart.Metadata
	if at < 0 || yaml.Unmarshal(r.files[at].Data, &metadata) != nil {
		metadata.Dependencies = nil // the engine says what is wrong with it
	}
	for _, d := range metadata.Dependencies {
		if d == nil || !fs.ValidPath(d.Name) || strings.Contains(d.Name, "/") {
			continue
		}
		where, ok := strings.CutPrefix(d.Repository, "file://")
		rel := path.Join("charts", d.Name)
		vendored := slices.ContainsFunc(r.files, func(f sourceFile) bool {
			return strings.HasPrefix(f.Name, rel+"/") || strings.HasPrefix(f.Name, rel+"-")
		})
		if !ok || vendored || r.within >= maxArchives {
			continue
		}
		dir, err := r.tree.Join(r.dir, where, manifest.Position{File: path.Join(r.dir, chartFile)})
		if err != nil || dir == r.dir {
			continue // it is reported as missing
		}
		if _, err := r.tree.Read(path.Join(dir, chartFile)); err != nil {
			continue // as above
		}
		if err := r.link(rel, dir); err != nil {
			return err
		}
	}
	return nil
}

// link reads a chart that lies elsewhere in the tree.
func (r *reader) link(rel, dir string) error {
	inner := &reader{tree: r.tree, dir: dir, left: r.left, unpacked: r.unpacked, within: r.within + 1}
	err := inner.read()
	r.left, r.unpacked, r.size = inner.left, inner.unpacked, r.size+inner.size
	r.problems = append(r.problems, inner.problems...)
	r.linked = append(r.linked, linkedChart{rel, dir})
	for _, l := range inner.linked {
		r.linked = append(r.linked, linkedChart{path.Join(rel, l.rel), l.dir})
	}
	for _, f := range inner.files {
		r.files = append(r.files, sourceFile{path.Join(rel, f.Name), f.Data})
	}
	if len(r.files) > maxChartFiles {
		return errTooLarge
	}
	return err
}

// walk reads the files below a directory.
func (r *reader) walk(dir string) error {
	return fs.WalkDir(r.tree.FS(), dir, func(name string, entry fs.DirEntry, err error) error {
		rel := strings.TrimPrefix(strings.TrimPrefix(name, r.dir), "/")
		if r.dir == "." {
			rel = name
		}
		if err != nil {
			r.problem(name, isPart(rel), manifest.Say("the directory cannot be read"))
			return nil //nolint:nilerr // it is reported, and the others are read
		}
		if rel == "" || rel == "." {
			return nil
		}
		info, err := fs.Stat(r.tree.FS(), name)
		ignored := err == nil && r.ignored.Ignore(rel, info)
		if entry.IsDir() {
			if strings.HasPrefix(entry.Name(), ".") || ignored && !holdsValues(rel) {
				return fs.SkipDir
			}
			return nil
		}
		switch {
		case isValuesFile(rel):
			if data, err := r.tree.Read(name); err == nil {
				r.values = append(r.values, ValuesFile{Name: name, Data: data})
			}
		case ignored || r.isIgnored(path.Dir(rel)):
			return nil
		case err == nil && info.IsDir():
			if name == dir {
				return nil // the link that is being followed
			}
			return r.follow(name, rel)
		}
		return r.file(name, rel)
	})
}

// follow reads the files below a link to a directory, as Helm does, unless that leads
// back to where it came from.
func (r *reader) follow(name, rel string) error {
	at, err := filepath.EvalSymlinks(r.tree.Abs(path.Dir(name)))
	target, err2 := filepath.EvalSymlinks(r.tree.Abs(name))
	inside, err3 := filepath.Rel(target, at)
	if errors.Join(err, err2, err3) != nil || filepath.IsLocal(inside) || r.within >= maxArchives {
		if isPart(rel + "/") {
			r.problem(name, false, manifest.Say("not followed: a link to a directory"))
		}
		return nil
	}
	r.within++
	defer func() { r.within-- }()
	return r.walk(name)
}

// helmignore reads what Helm leaves out of a chart: what the file names, and files in
// templates that are hidden.
func (r *reader) helmignore() *ignore.Rules {
	rules := ignore.Empty()
	name := path.Join(r.dir, ignore.HelmIgnore)
	if data, err := r.tree.Read(name); err == nil {
		if rules, err = ignore.Parse(bytes.NewReader(data)); err != nil {
			r.problem(name, true, manifest.Say("invalid .helmignore: helm does not load the chart"))
		}
	}
	rules.AddDefaults()
	return rules
}

// holdsValues reports whether a directory may hold files of values. They are read even
// where a package of the chart would leave them out.
func holdsValues(dir string) bool {
	return slices.ContainsFunc(valuesFiles, func(pattern string) bool { return path.Dir(pattern) == dir })
}

// isIgnored reports whether a directory that is read all the same is left out.
func (r *reader) isIgnored(dir string) bool {
	info, err := fs.Stat(r.tree.FS(), path.Join(r.dir, dir))
	return err == nil && holdsValues(dir) && r.ignored.Ignore(dir, info)
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
	if s := syntaxOf(rel); s != nil {
		r.tree.As(name, s)
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
