// Package helm renders charts in process, with Helm's own engine, and makes
// containers of what comes out. Nothing is downloaded and no cluster is asked:
// lookup gives nothing, and a dependency that is not vendored is reported.
//
// See https://helm.sh/docs/topics/charts/.
package helm

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"log"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"go.yaml.in/yaml/v4"
	"helm.sh/helm/v4/pkg/chart/common"
	commonutil "helm.sh/helm/v4/pkg/chart/common/util"
	"helm.sh/helm/v4/pkg/chart/loader/archive"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	chartutil "helm.sh/helm/v4/pkg/chart/v2/util"
	"helm.sh/helm/v4/pkg/engine"

	"github.com/derekg1729/dsnlint/pkg/loaders/kubernetes"
	"github.com/derekg1729/dsnlint/pkg/manifest"
	"github.com/derekg1729/dsnlint/pkg/source"
)

// ValuesFile is a file of values that the user names.
type ValuesFile struct {
	// Name is how the file is shown.
	Name string
	Data []byte
}

// Options are what a chart is rendered with.
type Options struct {
	// Values are read in order; a later one wins, as with helm -f.
	Values     []ValuesFile
	Kubernetes kubernetes.Options
}

// maxChart bounds what is read of a chart, archives unpacked, in bytes.
const maxChart = 20 << 20

// quiet keeps Helm from logging values that it cannot merge; it has no other way
// to be told.
var quiet = sync.OnceFunc(func() {
	log.SetOutput(io.Discard)
	archive.MaxDecompressedChartSize = maxChart
})

// Load renders the chart of a folder: once with its own values and those of the
// options, and once more for each file ci/*-values.yaml. A template that does not
// render is a problem of this chart alone. A chart that wants values to be given
// need not render without those of a ci file.
func Load(ctx context.Context, tree *source.Tree, dir string, opts Options) ([]manifest.Container, []*manifest.Problem) {
	quiet()
	c, err := open(tree, dir)
	if err != nil {
		return nil, []*manifest.Problem{asProblem(dir, err)}
	}
	if c.chart.Metadata.Type == "library" {
		return nil, nil
	}
	problems := c.missing()
	var containers []manifest.Container
	var unrendered *manifest.Problem
	rendered := false
	for _, v := range c.variants(opts.Values) {
		if ctx.Err() != nil {
			break
		}
		objects, broken, err := c.render(ctx, v)
		if err != nil && v.overlay == "" {
			unrendered = asProblem(dir, err)
			continue
		}
		if err != nil {
			problems = append(problems, asProblem(dir, err))
			continue
		}
		rendered = true
		found, more := kubernetes.Containers(objects, opts.Kubernetes)
		containers = append(containers, found...)
		problems = slices.Concat(problems, broken, more)
	}
	if unrendered != nil {
		if rendered {
			unrendered.Severity = manifest.Notice
		}
		problems = append(problems, unrendered)
	}
	return containers, problems
}

// openChart is a chart as it was read.
type openChart struct {
	tree  *source.Tree
	dir   string
	files []*archive.BufferedFile
	chart *chart.Chart
	// roots are the files of the chart that were parsed for their places.
	roots map[string]*yaml.Node
}

// root gives the mapping that a file of the chart holds, with its places; nil
// where there is none.
func (c *openChart) root(file string) *yaml.Node {
	if root, ok := c.roots[file]; ok {
		return root
	}
	c.roots[file] = nil
	data, err := c.tree.Read(file)
	if err != nil {
		return nil
	}
	if docs, err := source.ParseYAML(file, data); err == nil && len(docs) > 0 && len(docs[0].Content) > 0 {
		c.roots[file] = docs[0].Content[0]
	}
	return c.roots[file]
}

func open(tree *source.Tree, dir string) (*openChart, error) {
	c := &openChart{tree: tree, dir: dir, roots: map[string]*yaml.Node{}}
	total := 0
	err := fs.WalkDir(tree.FS(), dir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel := strings.TrimPrefix(strings.TrimPrefix(name, dir), "/")
		if entry.IsDir() {
			if rel != "" && strings.HasPrefix(entry.Name(), ".") {
				return fs.SkipDir
			}
			return nil
		}
		if info, err := fs.Stat(tree.FS(), name); err == nil && info.IsDir() {
			return nil // a link to a folder, which Helm would follow out of the chart
		}
		data, err := tree.Read(name)
		if err != nil && !isPart(rel) {
			return nil // no template can read it, and none has to
		}
		if err != nil {
			return err
		}
		if total += len(data); total > maxChart {
			return &manifest.Problem{Severity: manifest.Error, Position: manifest.Position{File: path.Join(dir, "Chart.yaml")},
				Message: manifest.Say("the chart is larger than %s MiB, the most that is read", manifest.Number(maxChart>>20))}
		}
		c.files = append(c.files, &archive.BufferedFile{Name: rel, Data: data})
		return nil
	})
	if err != nil {
		return nil, err
	}
	c.chart, err = loader.LoadFiles(c.files)
	return c, err
}

// isPart tells whether a file of a chart is more than something that templates
// may read.
func isPart(rel string) bool {
	top, _, inFolder := strings.Cut(rel, "/")
	if !inFolder {
		return strings.HasSuffix(top, ".yaml") || strings.HasSuffix(top, ".lock")
	}
	return slices.Contains([]string{"templates", "charts", "crds", "ci"}, top)
}

// asProblem makes a problem of what keeps a chart from being rendered. Helm's
// errors may quote values, so what is taken from them is the place and the kind.
func asProblem(dir string, err error) *manifest.Problem {
	if p := (*manifest.Problem)(nil); errors.As(err, &p) {
		return p
	}
	p := &manifest.Problem{
		Severity: manifest.Error,
		Position: manifest.Position{File: path.Join(dir, "Chart.yaml"), Line: 1, Column: 1},
		Message:  manifest.Say("the chart does not render: %s", reason(err.Error())),
		Hint:     manifest.Say("helm template says more; give missing values with --helm-values or in ci/*-values.yaml"),
	}
	if m := templatePlace.FindStringSubmatch(err.Error()); m != nil {
		p.Position.File = path.Join(dir, m[1])
		p.Position.Line, _ = strconv.Atoi(m[2])
		p.Position.Column = 1
		if column, err := strconv.Atoi(m[3]); err == nil {
			p.Position.Column = column + 1 // the engine counts bytes from 0
		}
	}
	return p
}

// templatePlace finds the place in an error of the engine, behind the name of the
// chart.
var templatePlace = regexp.MustCompile(`[A-Za-z0-9_.-]+/((?:charts/[^\s:()"]+/)?templates/[^\s:()"]+):(\d+)(?::(\d+))?`)

// reason tells the kind of an error.
func reason(text string) manifest.Text {
	for _, kind := range []struct {
		sign string
		says manifest.Text
	}{
		{"nil pointer evaluating", manifest.Say("a template uses a value that is not set")},
		{"map has no entry for key", manifest.Say("a template uses a value that is not set")},
		{"execution error at", manifest.Say("a template asks for a value that is not given (required or fail)")},
		{"no template", manifest.Say("a template includes one that there is not")},
		{"parse error", manifest.Say("a template is not valid")},
		{"Chart.yaml", manifest.Say("Chart.yaml is missing or not valid")},
		{"values", manifest.Say("its values are not valid")},
	} {
		if strings.Contains(text, kind.sign) {
			return kind.says
		}
	}
	return manifest.Say("a template fails")
}

// missing tells which dependencies are not vendored.
func (c *openChart) missing() []*manifest.Problem {
	vendored := map[string]bool{}
	for _, dependency := range c.chart.Dependencies() {
		vendored[dependency.Name()] = true
	}
	file := path.Join(c.dir, "Chart.yaml")
	var problems []*manifest.Problem
	for i, dependency := range c.chart.Metadata.Dependencies {
		if vendored[dependency.Name] {
			continue
		}
		problems = append(problems, &manifest.Problem{
			Severity: manifest.Notice,
			Position: c.dependency(file, i),
			Message:  manifest.Say("not followed: the chart %s is not in charts/, and is never downloaded", manifest.Name(dependency.Name)),
			Hint:     manifest.Say("vendor it with helm dependency build to have it checked"),
		})
	}
	return problems
}

func (c *openChart) dependency(file string, i int) manifest.Position {
	pos := manifest.Position{File: file, Line: 1, Column: 1}
	if _, list := source.Lookup(c.root(file), "dependencies"); list != nil && i < len(list.Content) {
		pos = source.NodePosition(file, list.Content[i])
	}
	return pos
}

// variant is one set of values to render with.
type variant struct {
	files []ValuesFile
	// overlay is the ci file; empty for the chart's own values.
	overlay string
}

func (c *openChart) variants(given []ValuesFile) []variant {
	variants := []variant{{files: given}}
	for _, f := range c.files {
		if ok, _ := path.Match("ci/*-values.yaml", f.Name); ok {
			name := path.Join(c.dir, f.Name)
			variants = append(variants, variant{
				files:   slices.Concat([]ValuesFile{{Name: name, Data: f.Data}}, given),
				overlay: name,
			})
		}
	}
	return variants
}

// render gives the objects of one variant. A template that renders to what is no
// YAML is a problem that hides no other.
func (c *openChart) render(ctx context.Context, v variant) (objects []kubernetes.Object, broken []*manifest.Problem, err error) {
	plain, err := c.output(ctx, v, func(_ string, data []byte) []byte { return data })
	if err != nil {
		return nil, nil, err
	}
	// The second time the templates carry marks that tell where each line comes
	// from. Where marks change what is rendered, there are no lines.
	marked, err := c.output(ctx, v, mark)
	if err != nil {
		marked = nil
	}
	for _, name := range slices.Sorted(maps.Keys(plain)) {
		if base := path.Base(name); strings.HasPrefix(base, "_") || base == "NOTES.txt" {
			continue
		}
		made, problem := c.objects(v, name, plain[name], marked[name])
		if problem != nil {
			broken = append(broken, problem)
		}
		objects = append(objects, made...)
	}
	return objects, broken, nil
}

// output renders all templates after edit has seen them. The chart is loaded
// anew, since rendering changes it.
func (c *openChart) output(ctx context.Context, v variant, edit func(name string, data []byte) []byte) (out map[string]string, err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("the engine broke down")
		}
	}()
	loaded, err := loader.LoadFiles(c.files)
	if err != nil {
		return nil, err
	}
	values := common.Values{}
	for _, file := range v.files {
		read, err := common.ReadValues(file.Data)
		if err != nil {
			return nil, &manifest.Problem{Severity: manifest.Error, Position: manifest.Position{File: file.Name, Line: 1, Column: 1},
				Message: manifest.Say("the file is not valid YAML of values")}
		}
		values = commonutil.CoalesceTables(read, values)
	}
	if err := chartutil.ProcessDependencies(loaded, values); err != nil {
		return nil, err
	}
	release := common.ReleaseOptions{Name: loaded.Name(), Namespace: "default", Revision: 1, IsInstall: true}
	all, err := commonutil.ToRenderValuesWithSchemaValidation(loaded, values, release, nil, true)
	if err != nil {
		return nil, err
	}
	editTemplates(loaded, edit)
	return engine.Engine{}.RenderWithContext(ctx, loaded, all)
}

func editTemplates(c *chart.Chart, edit func(name string, data []byte) []byte) {
	for i, template := range c.Templates {
		c.Templates[i] = &common.File{Name: template.Name, Data: edit(template.Name, template.Data)}
	}
	for _, dependency := range c.Dependencies() {
		editTemplates(dependency, edit)
	}
}

// names are an object's name without the release and chart in front of it.
func (c *openChart) names(name string) []string {
	release := c.chart.Name()
	var names []string
	for _, prefix := range []string{release + "-" + release + "-", release + "-"} {
		if rest, ok := strings.CutPrefix(name, prefix); ok && rest != "" {
			names = append(names, rest)
		}
	}
	return names
}

// objects parses what one template gave; the documents before a broken one count.
func (c *openChart) objects(v variant, name, plain, marked string) ([]kubernetes.Object, *manifest.Problem) {
	// The engine names a template after its chart first.
	_, rel, _ := strings.Cut(name, "/")
	t := c.template(rel, plain, marked)
	docs, err := source.ParseYAML(t.file, []byte(plain))
	var problem *manifest.Problem
	if p := (*manifest.Problem)(nil); errors.As(err, &p) {
		moved := *p
		moved.Position = t.position(p.Position.Line, 1, "")
		moved.Message = manifest.Say("what the template renders is %s", p.Message)
		problem = &moved
	}
	var overlays []string
	if v.overlay != "" {
		overlays = []string{v.overlay}
	}
	var objects []kubernetes.Object
	for _, doc := range docs {
		if !kubernetes.IsManifest(doc) {
			continue
		}
		node := source.Resolve(doc.Content[0])
		_, metadata := source.Lookup(node, "metadata")
		_, own := source.Lookup(metadata, "name")
		o := kubernetes.Object{
			Node: node, File: t.file, Source: c.dir, Overlays: overlays,
			Locate: t.locate,
		}
		if own != nil {
			o.Names = c.names(own.Value)
		}
		objects = append(objects, o)
	}
	return objects, problem
}

// template gives the file that a template stands in and the lines that its output
// comes from. One in an archive stands for the archive's chart.
func (c *openChart) template(rel, plain, marked string) *template {
	t := &template{chart: c, file: path.Join(c.dir, rel), output: strings.Split(plain, "\n")}
	data, err := c.tree.Read(t.file)
	if err != nil {
		t.file = path.Join(c.dir, "Chart.yaml")
		return t
	}
	t.source = strings.Split(string(bytes.ReplaceAll(data, []byte("\r"), nil)), "\n")
	t.lines = linesOf(t.source, t.output, marked)
	return t
}

func firstWord(line string) string {
	word, _, _ := strings.Cut(strings.TrimSpace(line), " ")
	return word
}
