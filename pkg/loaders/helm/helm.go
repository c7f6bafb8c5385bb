// Package helm renders charts with Helm's own engine, and makes containers of
// what comes out. Nothing is downloaded and no cluster is asked: lookup returns
// nothing, and a dependency that is not vendored is reported.
//
// A chart is written by anybody: what it renders is counted and bounded, is the
// same on every run, and a part that is broken is left out with a problem.
//
// See https://helm.sh/docs/topics/charts/.
package helm

import (
	"bytes"
	"context"
	"errors"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v4"

	"github.com/derekg1729/dsnlint/pkg/internal/source"
	"github.com/derekg1729/dsnlint/pkg/loaders/engine"
	"github.com/derekg1729/dsnlint/pkg/loaders/kubernetes"
	"github.com/derekg1729/dsnlint/pkg/manifest"
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
	// Runner runs the engine; nil for this process, in which the engine's own
	// limits hold and no others.
	Runner engine.Runner
	// Run is what the chart shares with the others of a run; nil for a chart that
	// is alone.
	Run *Run
}

const (
	// maxVariants is how many of its files of values a chart is rendered with.
	maxVariants = 20
	// maxRendered is how many nodes of YAML all renderings of a chart may make.
	maxRendered = 200_000
)

// Load renders the chart of a directory, and makes its containers.
func Load(ctx context.Context, tree *source.Tree, dir string, opts Options) ([]manifest.Container, []*manifest.Problem) {
	sets, problems := render(ctx, tree, dir, opts)
	containers, found := kubernetes.Containers(tree, sets...)
	return containers, append(problems, found...)
}

// render renders the chart of a directory: once with its own values and those of
// the options, and once more for each file of values that lies in it: see
// [valuesFiles]. A template that does not render is a problem of this template alone. A
// chart that wants values to be given need not render without those of such a file.
func render(ctx context.Context, tree *source.Tree, dir string, opts Options) ([]*kubernetes.Set, []*manifest.Problem) {
	if opts.Runner == nil {
		opts.Runner = engine.InProcess{EngineName: Engine}
	}
	if opts.Run == nil {
		opts.Run = NewRun([]string{dir})
	}
	c := &openChart{tree: tree, dir: dir, opts: opts, roots: map[string]*yaml.Node{}}
	turn := opts.Run.charts[dir]
	defer func() { turn.finish(c.cost) }()
	switch admitted, err := opts.Run.admit(ctx, turn); {
	case err != nil:
		return nil, nil
	case !admitted && opts.Run.first(turn):
		return nil, []*manifest.Problem{c.notAdmitted(opts.Run.left(turn), turn.index)}
	case !admitted:
		return nil, nil
	}
	r := &reader{tree: tree, dir: dir, left: maxChart, unpacked: maxChart}
	err := r.read()
	c.cost = int(maxChart-r.unpacked)/unpackedPerWork - freeWork - min(byteWork*r.size, maxFreeWork)
	if err != nil {
		return nil, append(r.problems, c.problem("Chart.yaml",
			manifest.Say("the chart is larger than %s MiB or %s files, the most that is read", manifest.Number(maxChart>>20), manifest.Number(maxChartFiles))))
	}
	c.files, c.values, c.linked = r.files, r.values, r.linked
	sets := c.load(ctx)
	return sets, append(r.problems, c.problems...)
}

// notAdmitted reports the charts from this one on, which are not rendered, at the
// first of them.
func (c *openChart) notAdmitted(charts, before int) *manifest.Problem {
	p := c.problem("Chart.yaml", manifest.Say("%s charts, this one and those after it, were not rendered: the %s before them take more than a run may spend",
		manifest.Number(charts), manifest.Number(before)))
	p.Hint = manifest.Say("lint them in a run of their own, or exclude those that take so much")
	return p
}

// openChart is a chart as it was read.
type openChart struct {
	tree  *source.Tree
	dir   string
	opts  Options
	files []sourceFile
	// linked are the charts in it that lie elsewhere in the tree.
	linked []linkedChart
	// values are the files of values that the repository holds for the chart.
	values []ValuesFile
	// name is that of the chart, which is the release's as well.
	name     string
	problems []*manifest.Problem
	// roots are the files of the chart that were parsed for their places: other charts
	// may ask for these as well.
	rootsMu sync.Mutex
	roots   map[string]*yaml.Node
	// cost is what the chart costs the run, and rendered counts the nodes of the
	// YAML that it renders.
	cost, rendered int
}

func (c *openChart) load(ctx context.Context) []*kubernetes.Set {
	var sets []*kubernetes.Set
	// failed are the templates that do not render with the chart's own values;
	// they may with those of a file of values.
	var failed []failure
	rendered := map[string]bool{}
	variants := c.variants()
	// The first rendering may take all that one may; the others share twice that.
	work := maxChartWork
	for i := 0; i < len(variants) && ctx.Err() == nil; i++ {
		v := variants[i]
		if i == 1 {
			work = min(maxChartWork, 2*maxChartWork/(len(variants)-1))
		}
		out, ok := c.render(ctx, v, work)
		if !ok {
			break
		}
		if out.Library {
			return nil
		}
		if i == 0 {
			failed = out.Failures
			needing := 0
			if len(out.Missing) > 0 {
				failed = slices.DeleteFunc(slices.Clone(failed), failure.mayBeOfMissing)
				needing = len(out.Failures) - len(failed)
			}
			c.missing(out.Missing, needing)
		} else {
			for _, f := range out.Failures {
				if (f.At != "" || f.File == "") && (len(out.Missing) == 0 || !f.mayBeOfMissing()) {
					// It may be meant for another chart, or want others beside it.
					c.problems = append(c.problems, c.failure(f).AsNotice())
				}
			}
		}
		sets = append(sets, kubernetes.NewSet(c.objects(v, out.Templates, rendered, i > 0), c.opts.Kubernetes))
		if i < len(variants)-1 && (c.rendered > maxRendered || slices.ContainsFunc(out.Failures, failure.overBudget)) {
			c.problems = append(c.problems, c.notRendered(variants[i+1]))
			break
		}
	}
	for _, f := range failed {
		p := c.failure(f)
		if rendered[f.File] {
			p.Severity = manifest.Notice
		}
		c.problems = append(c.problems, p)
	}
	return sets
}

// render renders one variant; false where the engine ended without an answer,
// which the next variant would not change.
func (c *openChart) render(ctx context.Context, v variant, work int) (response, bool) {
	req := request{Files: c.files, Work: work}
	for _, file := range v.files {
		if _, err := source.ParseYAML(file.Name, file.Data); err != nil {
			if p := (*manifest.Problem)(nil); errors.As(err, &p) {
				if file.Name == v.overlay {
					p = p.AsNotice() // it may be a text of another tool
				}
				c.problems = append(c.problems, p)
			}
			continue
		}
		req.Values = append(req.Values, file.Data)
	}
	output, err := c.opts.Runner.Run(ctx, EngineName, encode(req))
	var out response
	if err == nil {
		err = decode(output, &out)
	}
	if err != nil {
		// What others have used up is not this chart's cost.
		if !errors.Is(err, engine.ErrTotal) {
			c.cost += endedWork
		}
		if ctx.Err() == nil {
			c.problems = append(c.problems, c.problem("Chart.yaml", ended(err)))
		}
		return out, false
	}
	c.cost += out.Work
	c.name = out.Name
	return out, true
}

// ended says why the engine ended without an answer.
func ended(err error) manifest.Text {
	switch {
	case errors.Is(err, engine.ErrTime):
		return manifest.Say("the chart takes too long to render")
	case errors.Is(err, engine.ErrMemory):
		return manifest.Say("the chart takes too much memory to render")
	case errors.Is(err, engine.ErrTotal):
		return manifest.Say("the chart was not rendered: earlier charts took too long")
	}
	return manifest.Say("the engine crashes on the chart")
}

// file is the file of the tree that a file of the chart is.
func (c *openChart) file(rel string) string {
	// What is linked in a linked chart comes after that.
	for _, l := range slices.Backward(c.linked) {
		if inner, ok := strings.CutPrefix(rel, l.rel+"/"); ok {
			return path.Join(l.dir, inner)
		}
	}
	return path.Join(c.dir, rel)
}

func (c *openChart) problem(rel string, message manifest.Text) *manifest.Problem {
	return &manifest.Problem{
		Severity: manifest.Error,
		Position: manifest.Position{File: c.file(rel), Line: 1, Column: 1},
		Message:  message,
	}
}

// reasons say what is wrong with a part of a chart. Engines quote values in their
// errors, so that nothing of these is shown.
var reasons = map[cause]manifest.Text{
	unknownCause:      manifest.Say("a template fails"),
	overWork:          manifest.Say("a template takes too much work to render"),
	overText:          manifest.Say("a template produces a text that is too long"),
	overNodes:         manifest.Say("a template produces a value that is too large"),
	cyclic:            manifest.Say("a template produces a value that contains itself"),
	tooDeep:           manifest.Say("a template is nested too deeply"),
	reserved:          manifest.Say("a template calls a function that is reserved for dsnlint"),
	notMetadata:       manifest.Say("Chart.yaml is missing or not valid"),
	notChart:          manifest.Say("not a chart: Chart.yaml is missing"),
	notValues:         manifest.Say("its values are not valid"),
	manyCharts:        manifest.Say("its dependencies and their values are too many"),
	unsetValue:        manifest.Say("a template uses a value that is not set"),
	requiredValue:     manifest.Say("a template asks for a value that is not given (required or fail)"),
	undefinedTemplate: manifest.Say("a template includes an undefined template"),
	invalidTemplate:   manifest.Say("a template is not valid"),
	manyFailures:      manifest.Say("more than %s templates fail", manifest.Number(maxFailures)),
	brokenYAML:        manifest.Say("a file is not valid YAML"),
}

// failure makes a problem of what was left out.
func (c *openChart) failure(f failure) *manifest.Problem {
	if f.Cause == brokenYAML {
		if p := c.brokenYAML(f.File); p != nil {
			return p
		}
	}
	message := manifest.Say("the chart does not render: %s", reasons[f.Cause])
	if f.At != "" {
		message = manifest.Say("the template does not render: %s", reasons[f.Cause])
	} else if strings.HasPrefix(f.File, "charts/") {
		message = manifest.Say("the chart is left out: %s", reasons[f.Cause])
	}
	place, known := c.existing(f.At)
	if f.At == "" {
		place, known = c.existing(f.File)
	}
	p := c.problem(place, message)
	p.Hint = manifest.Say("helm template says more; give missing values with --helm-values or in a file values-*.yaml beside values.yaml")
	switch {
	case known && f.Line > 0:
		p.Position.Line, p.Position.Column = f.Line, f.Column
	case place != "Chart.yaml":
		p.Position.Line, p.Position.Column = 0, 0 // an archive or a directory
	}
	return p
}

// mayBeOfMissing reports whether a template fails for want of a dependency.
func (f failure) mayBeOfMissing() bool {
	return f.Cause == undefinedTemplate || f.Cause == unsetValue
}

// existing returns the file of the chart that a part of it lies in: that itself,
// the archive that holds it, or the nearest directory that there is. It reports
// whether it is the part itself.
func (c *openChart) existing(rel string) (place string, same bool) {
	if rel == "" {
		return "Chart.yaml", false
	}
	for place = rel; place != "."; place = path.Dir(place) {
		if isArchive(place) {
			return place, false
		}
		if slices.ContainsFunc(c.files, func(f sourceFile) bool {
			return f.Name == place || strings.HasPrefix(f.Name, place+"/")
		}) {
			break
		}
	}
	// An archive may be further up.
	for up := path.Dir(place); up != "." && up != "/"; up = path.Dir(up) {
		if isArchive(up) {
			place = up
		}
	}
	if place == "." {
		return "Chart.yaml", false
	}
	return place, place == rel
}

// brokenYAML returns what is wrong with a YAML file of the chart; nil where it
// lies in an archive.
func (c *openChart) brokenYAML(rel string) *manifest.Problem {
	place, same := c.existing(rel)
	at := slices.IndexFunc(c.files, func(f sourceFile) bool { return f.Name == place })
	if !same || at < 0 {
		return nil
	}
	_, err := source.ParseYAML(c.file(place), c.files[at].Data)
	p := (*manifest.Problem)(nil)
	errors.As(err, &p)
	return p
}

// root returns the mapping that a file of the chart holds, with its places; nil
// where there is none.
func (c *openChart) root(file string) *yaml.Node {
	c.rootsMu.Lock()
	defer c.rootsMu.Unlock()
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

// missing reports the dependencies that are not vendored, and how many templates do not
// render for want of them.
func (c *openChart) missing(dependencies []dependency, needing int) {
	file := path.Join(c.dir, "Chart.yaml")
	for i, d := range dependencies {
		message := manifest.Say("not followed: the chart %s is not in charts/, and is never downloaded", manifest.Name(d.Name))
		if i == 0 && needing > 0 {
			message = manifest.Say("%s; templates that need what is missing, and are not checked: %s", message, manifest.Number(needing))
		}
		c.problems = append(c.problems, &manifest.Problem{
			Severity: manifest.Notice,
			Position: c.dependency(file, d.Index),
			Message:  message,
			Hint:     manifest.Say("vendor it with helm dependency build to have it checked"),
		})
	}
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
	// overlay is the file of values; empty for the chart's own.
	overlay string
}

// variants are the chart's own values, and those of its files of values up to a number.
func (c *openChart) variants() []variant {
	variants := []variant{{files: c.opts.Values}}
	for _, f := range c.values {
		if len(variants) > maxVariants {
			c.problems = append(c.problems, &manifest.Problem{
				Severity: manifest.Notice,
				Position: manifest.Position{File: f.Name},
				Message:  manifest.Say("this file of values and those after it were not looked at: a chart is rendered with %s of them", manifest.Number(maxVariants)),
			})
			break
		}
		variants = append(variants, variant{
			files:   slices.Concat([]ValuesFile{f}, c.opts.Values),
			overlay: f.Name,
		})
	}
	return variants
}

// notRendered reports a variant that is not rendered, with those after it: one
// before it takes more than a chart may.
func (c *openChart) notRendered(v variant) *manifest.Problem {
	return &manifest.Problem{
		Severity: manifest.Error,
		Position: manifest.Position{File: v.overlay},
		Message:  manifest.Say("the chart was not rendered with this file of values and those after it: it takes too much without them"),
	}
}

// objects parses what was rendered. A template that renders to what is not YAML
// is a problem that hides no other. The files of the templates are added to
// rendered where that is asked for.
func (c *openChart) objects(v variant, templates []rendered, seen map[string]bool, note bool) []kubernetes.Object {
	var objects []kubernetes.Object
	for _, t := range templates {
		if note {
			seen[t.File] = true
		}
		if c.rendered > maxRendered {
			break
		}
		made := c.parse(v, t)
		if c.rendered > maxRendered {
			problem := c.problem("Chart.yaml",
				manifest.Say("the chart renders more than %s nodes of YAML: not all of it was checked", manifest.Number(maxRendered)))
			problem.Hint = manifest.Say("give it values that render less, or lint what it renders in parts")
			c.problems = append(c.problems, problem)
		}
		objects = append(objects, made...)
	}
	return objects
}

// names are an object's name without the release and chart in front of it.
func (c *openChart) names(name string) []string {
	var names []string
	for _, prefix := range []string{c.name + "-" + c.name + "-", c.name + "-"} {
		if rest, ok := strings.CutPrefix(name, prefix); ok && rest != "" {
			names = append(names, rest)
		}
	}
	return names
}

// separator is what Helm splits the output of a template at, whatever follows.
var separator = regexp.MustCompile(`(?m)^---[ \t]*`)

// parse parses what one template rendered, each document by itself: a broken one hides
// no other.
func (c *openChart) parse(v variant, r rendered) []kubernetes.Object {
	t := c.template(r)
	var overlays []string
	if v.overlay != "" {
		overlays = []string{v.overlay}
	}
	var objects []kubernetes.Object
	start, above := 0, 0
	for _, sep := range append(separator.FindAllStringIndex(r.Text, -1), []int{len(r.Text), len(r.Text)}) {
		text := r.Text[start:sep[0]]
		for _, doc := range c.documents(t, text, above) {
			n := count(doc)
			c.rendered += n
			c.cost += n * nodeWork
			if c.rendered > maxRendered {
				return nil
			}
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
		above += strings.Count(r.Text[start:sep[1]], "\n")
		start = sep[1]
	}
	return objects
}

// documents parses a part of what a template rendered, which has a number of lines
// above it.
func (c *openChart) documents(t *template, text string, above int) []*yaml.Node {
	docs, duplicates, err := source.ParseLenient(t.file, []byte(text), above)
	var broken *manifest.Problem
	if errors.As(err, &broken) {
		moved := *broken
		moved.Position = t.position(broken.Position.Line, 1, "")
		moved.Message = manifest.Say("what the template renders is %s", broken.Message)
		c.problems = append(c.problems, &moved)
	}
	if len(duplicates) > 0 {
		at := duplicates[0].Position
		c.problems = append(c.problems, &manifest.Problem{
			Severity: manifest.Notice, Position: t.position(at.Line, at.Column, ""),
			Message: manifest.Say("what the template renders has a duplicate key; the last one counts"),
			Hint:    manifest.Say("remove one of them: other tools refuse the object, or take the first"),
		})
	}
	return docs
}

// count counts the nodes of a document.
func count(n *yaml.Node) int {
	total := 1
	for _, inner := range n.Content {
		total += count(inner)
	}
	return total
}

// template returns the file of a template and the lines that its output comes
// from. One in an archive stands for the archive's chart.
func (c *openChart) template(r rendered) *template {
	t := &template{chart: c, file: c.file(r.File), output: strings.Split(r.Text, "\n")}
	data, err := c.tree.Read(t.file)
	if err != nil {
		t.file = path.Join(c.dir, "Chart.yaml")
		return t
	}
	t.source = strings.Split(string(bytes.ReplaceAll(data, []byte("\r"), nil)), "\n")
	t.lines = r.Lines
	return t
}

func firstWord(line string) string {
	word, _, _ := strings.Cut(strings.TrimSpace(line), " ")
	return word
}
