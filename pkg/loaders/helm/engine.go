package helm

import (
	"bytes"
	"cmp"
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"text/template/parse"

	"helm.sh/helm/v4/pkg/chart/common"
	commonutil "helm.sh/helm/v4/pkg/chart/common/util"
	"helm.sh/helm/v4/pkg/chart/loader/archive"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	chartutil "helm.sh/helm/v4/pkg/chart/v2/util"
	helmengine "helm.sh/helm/v4/pkg/engine"
	"sigs.k8s.io/yaml"

	"github.com/derekg1729/dsnlint/pkg/internal/source"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// EngineName is the name that a [engine.Runner] knows [Engine] by.
const EngineName = "helm"

// The bounds of a chart, counted over its subcharts, each as often as it is a
// dependency.
const (
	maxCharts      = 500
	maxChartValues = 4_000_000
	// maxActions bounds what the parser makes of the templates.
	maxActions = 600_000
	// maxFailures is how many templates of a chart may fail: each is another
	// rendering.
	maxFailures = 300
)

// request is what the engine is given.
type request struct {
	Files []sourceFile
	// Values are the files of values; a later one wins.
	Values [][]byte
	// Work is the work that all renderings may take.
	Work int
}

// sourceFile is a file of a chart. No file is an archive: the files of an archive
// lie in a directory in its place.
type sourceFile struct {
	Name string
	Data []byte
}

// response is what the engine returns.
type response struct {
	Name      string
	Library   bool
	Templates []rendered
	Failures  []failure
	// Missing are the dependencies that the chart does not hold.
	Missing []dependency
	// Work is what was taken of that of the request.
	Work int
}

// rendered is what a template rendered to.
type rendered struct {
	// File is the template's file in the chart.
	File string
	Text string
	// Lines are those of the file that each line of the text comes from, and zero
	// where that is not known; nil where it is known of none.
	Lines []int
}

// failure is what was left out of a chart, and why.
type failure struct {
	Cause cause
	// File is the file or directory in the chart that was left out; empty for all
	// of it.
	File         string
	At           string
	Line, Column int
}

// dependency is one of the dependencies of Chart.yaml.
type dependency struct {
	Index int
	Name  string
}

func encode(v any) []byte {
	var b bytes.Buffer
	// The types of this file are all that is encoded, and gob knows them.
	if err := gob.NewEncoder(&b).Encode(v); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func decode(data []byte, v any) error { return gob.NewDecoder(bytes.NewReader(data)).Decode(v) }

// Engine is the [engine.Func] that renders a chart with Helm's own engine. What
// it takes and returns is known to this package alone.
func Engine(ctx context.Context, input []byte) []byte {
	var req request
	if err := decode(input, &req); err != nil {
		return nil
	}
	r := &renderer{ctx: ctx, meter: &meter{ctx: ctx, all: req.Work}, sources: map[*common.File]string{}}
	r.run(req)
	r.response.Work = req.Work - r.meter.all
	return encode(r.response)
}

// renderer renders one chart.
type renderer struct {
	ctx      context.Context
	meter    *meter
	response response
	// sources are the files that the templates were read from.
	sources map[*common.File]string
	// templates are the files of the templates, in the order of their names, and
	// size the bytes of the files that templates may read.
	templates []*templateFile
	size      int
	// actions is about what the parser makes of all templates.
	actions int
}

// templateFile is a file of templates.
type templateFile struct {
	file *common.File
	// source is its name in the chart, names those that the engine has for it.
	source string
	names  []string
	base   string
	data   []byte
	// dead says that it is left out, and mute that it only defines templates for
	// others.
	dead, mute bool
	counted    *instrumented
}

func (r *renderer) fail(f failure) { r.response.Failures = append(r.response.Failures, f) }

func (r *renderer) run(req request) {
	c := r.assemble("", req.Files)
	if c == nil {
		return
	}
	r.response.Name = c.Name()
	r.missing(c)
	if r.response.Library = c.Metadata.Type == "library"; r.response.Library {
		return
	}
	values, ok := r.values(c, req.Values)
	if !ok {
		return
	}
	r.collect(c)
	plain := r.render(c, values, false)
	var judged []int
	for i, t := range r.templates {
		if !t.mute && !t.dead {
			judged = append(judged, i)
		}
	}
	failures := len(r.response.Failures)
	// The second time the templates carry marks that tell where each line comes
	// from. Where marks change what is rendered, there are no lines.
	marked := r.render(c, values, true)
	r.response.Failures = r.response.Failures[:failures]
	for _, i := range judged {
		t := r.templates[i]
		for _, name := range t.names {
			if text, ok := plain[name]; ok {
				r.response.Templates = append(r.response.Templates, rendered{File: t.source, Text: text, Lines: linesOf(text, marked[name], i)})
			}
		}
	}
}

// parts are the files of a chart, by what they are for.
type parts struct {
	own          []*archive.BufferedFile
	requirements []byte
	subcharts    map[string][]sourceFile
}

// sortOut sorts the files of a chart. It is false for a chart whose own file is
// broken.
func (r *renderer) sortOut(dir string, files []sourceFile) (parts, bool) {
	p := parts{subcharts: map[string][]sourceFile{}}
	ok := true
	for _, f := range files {
		name := path.Join(dir, f.Name)
		switch {
		case f.Name == "Chart.yaml" || f.Name == "values.yaml" || f.Name == "requirements.yaml":
			if _, err := source.ParseYAML(name, f.Data); err != nil {
				r.fail(failure{Cause: brokenYAML, File: name})
				ok = ok && f.Name != "Chart.yaml"
				continue
			}
		case f.Name == "Chart.lock" || f.Name == "requirements.lock" || f.Name == "values.schema.json":
			continue // nothing that renders needs them
		case strings.HasPrefix(f.Name, "charts/"):
			rest := strings.TrimPrefix(f.Name, "charts/")
			sub, inner, found := strings.Cut(rest, "/")
			if found && strings.IndexAny(sub, "_.") != 0 {
				p.subcharts[sub] = append(p.subcharts[sub], sourceFile{inner, f.Data})
			}
			continue
		}
		if f.Name == "requirements.yaml" {
			p.requirements = f.Data
			continue
		}
		p.own = append(p.own, &archive.BufferedFile{Name: f.Name, Data: f.Data})
		if !strings.HasPrefix(f.Name, "templates/") {
			r.size += len(f.Data)
		}
	}
	return p, ok
}

// assemble makes a chart of files, and of each subchart that is one: what is
// broken is left out. The result is nil where the chart itself is.
func (r *renderer) assemble(dir string, files []sourceFile) *chart.Chart {
	p, ok := r.sortOut(dir, files)
	if !ok {
		return nil
	}
	c, err := loader.LoadFiles(p.own)
	if err == nil && p.requirements != nil {
		// The engine would take them as well, and say so in a log.
		err = yaml.Unmarshal(p.requirements, c.Metadata)
		if err == nil && c.Metadata.APIVersion == chart.APIVersionV1 {
			c.Files = append(c.Files, &common.File{Name: "requirements.yaml", Data: p.requirements})
		}
	}
	switch {
	case err != nil && c.Metadata == nil && dir != "":
		r.fail(failure{Cause: notChart, File: dir})
		return nil
	case err != nil:
		r.fail(failure{Cause: notMetadata, File: path.Join(dir, "Chart.yaml")})
		return nil
	}
	for _, t := range c.Templates {
		r.sources[t] = path.Join(dir, t.Name)
	}
	for _, name := range slices.Sorted(maps.Keys(p.subcharts)) {
		if sub := r.assemble(path.Join(dir, "charts", name), p.subcharts[name]); sub != nil {
			c.AddDependency(sub)
		}
	}
	return c
}

// missing lists the dependencies that are not vendored.
func (r *renderer) missing(c *chart.Chart) {
	vendored := map[string]bool{}
	for _, dependency := range c.Dependencies() {
		vendored[dependency.Name()] = true
	}
	for i, d := range c.Metadata.Dependencies {
		if d != nil && !vendored[d.Name] {
			r.response.Missing = append(r.response.Missing, dependency{i, d.Name})
		}
	}
}

// hidden stands for a value while the engine merges the values of charts: it
// writes what it cannot merge to the log of the program.
type hidden int

func (hidden) String() string { return manifest.Masked }

// vault keeps the values that hidden ones stand for.
type vault []any

// hide returns a value without what is in it but tables and truths, which decide
// on dependencies.
func (v *vault) hide(value any) any {
	switch value := value.(type) {
	case nil, bool:
		return value
	case map[string]any:
		table := make(map[string]any, len(value))
		for key, item := range value {
			table[key] = v.hide(item)
		}
		return table
	}
	*v = append(*v, value)
	return hidden(len(*v) - 1)
}

// show returns a copy of a value with what was hidden.
func (v vault) show(value any) any {
	switch value := value.(type) {
	case hidden:
		return v.show(v[value])
	case common.Values:
		return v.show(map[string]any(value))
	case map[string]any:
		table := make(map[string]any, len(value))
		for key, item := range value {
			table[key] = v.show(item)
		}
		return table
	case []any:
		list := make([]any, len(value))
		for i, item := range value {
			list[i] = v.show(item)
		}
		return list
	}
	return value
}

// values merges the values of the chart with those given, and takes the charts
// out that these switch off. The result makes the values of one rendering, which
// changes them.
func (r *renderer) values(c *chart.Chart, given [][]byte) (func() common.Values, bool) {
	if !bounded(c) {
		r.fail(failure{Cause: manyCharts, File: "Chart.yaml"})
		alone(c)
		if !bounded(c) {
			return nil, false
		}
	}
	v := &vault{}
	v.hideAll(c)
	values := common.Values{}
	for _, data := range given {
		read, err := common.ReadValues(data)
		if err != nil {
			r.fail(failure{Cause: notValues})
			return nil, false
		}
		table, _ := v.hide(map[string]any(read)).(map[string]any)
		values = commonutil.CoalesceTables(table, values)
	}
	if err := chartutil.ProcessDependencies(c, values); err != nil {
		r.fail(failure{Cause: notValues})
		return nil, false
	}
	release := common.ReleaseOptions{Name: c.Name(), Namespace: "default", Revision: 1, IsInstall: true}
	all, err := commonutil.ToRenderValuesWithSchemaValidation(c, values, release, nil, true)
	if err != nil {
		r.fail(failure{Cause: notValues})
		return nil, false
	}
	return func() common.Values {
		fresh := maps.Clone(all)
		// The engine takes tables of this type for values alone.
		table, _ := v.show(all["Values"]).(map[string]any)
		fresh["Values"] = common.Values(table)
		r.meter.all -= nodes(table) / 4 // the copy
		return fresh
	}, true
}

// alone takes the dependencies off a chart.
func alone(c *chart.Chart) {
	c.SetDependencies()
	c.Metadata.Dependencies = nil
}

func (v *vault) hideAll(c *chart.Chart) {
	c.Values, _ = v.hide(c.Values).(map[string]any)
	for _, sub := range c.Dependencies() {
		v.hideAll(sub)
	}
}

// bounded reports whether a chart with all its dependencies is small enough to be
// put together: each is copied once for each name it goes by, and its values once
// more for each import.
func bounded(c *chart.Chart) bool {
	var count func(c *chart.Chart, depth int) (charts, values int)
	count = func(c *chart.Chart, depth int) (charts, values int) {
		charts, values = 1, (1+nodes(c.Values))*(depth+1)
		for _, sub := range c.Dependencies() {
			copies := 0
			for _, d := range c.Metadata.Dependencies {
				if d != nil && d.Name == sub.Name() {
					copies += 1 + len(d.ImportValues)
				}
			}
			subCharts, subValues := count(sub, depth+1)
			charts += max(1, copies) * subCharts
			values += max(1, copies) * subValues
			if charts > maxCharts || values > maxChartValues {
				return maxCharts + 1, values
			}
		}
		return charts, values
	}
	charts, values := count(c, 0)
	if charts > maxCharts || values > maxChartValues || nodes(c.Values)*charts > maxChartValues {
		return false
	}
	return importsAreShort(c)
}

// importsAreShort reports whether the paths of imported values are: each dot in
// one is a table in a table.
func importsAreShort(c *chart.Chart) bool {
	for _, d := range c.Metadata.Dependencies {
		if d != nil && len(fmt.Sprint(d.ImportValues...)) > 64<<10 {
			return false
		}
		if d != nil && slices.ContainsFunc(d.ImportValues, func(v any) bool { return strings.Count(fmt.Sprint(v), ".") > 100 }) {
			return false
		}
	}
	return !slices.ContainsFunc(c.Dependencies(), func(sub *chart.Chart) bool { return !importsAreShort(sub) })
}

// nodes counts the tables and values of a table.
func nodes(v any) int {
	total := 1
	switch v := v.(type) {
	case map[string]any:
		for _, item := range v {
			total += nodes(item)
		}
	case []any:
		for _, item := range v {
			total += nodes(item)
		}
	}
	return total
}

// collect lists the files of the templates with all names that the engine has for
// them.
func (r *renderer) collect(c *chart.Chart) {
	byFile := map[*common.File]*templateFile{}
	var visit func(c *chart.Chart)
	visit = func(c *chart.Chart) {
		for _, f := range c.Templates {
			t := byFile[f]
			if t == nil {
				base := path.Base(f.Name)
				t = &templateFile{file: f, source: r.sources[f], base: f.Name, data: f.Data,
					mute: strings.HasPrefix(base, "_") || base == "NOTES.txt"}
				byFile[f] = t
				r.templates = append(r.templates, t)
			}
			t.names = append(t.names, path.Join(c.ChartFullPath(), f.Name))
		}
		for _, sub := range c.Dependencies() {
			visit(sub)
		}
	}
	visit(c)
	slices.SortFunc(r.templates, func(a, b *templateFile) int { return cmp.Compare(a.source, b.source) })
	for _, t := range r.templates {
		slices.Sort(t.names)
	}
}

// mutedName is a name for the file of a template that is not rendered for itself.
func mutedName(name string) string {
	dir, base := path.Split(name)
	if strings.HasPrefix(base, "_") {
		return name
	}
	return dir + "_" + ownPrefix + base
}

// render renders all templates, with or without marks. One that fails is left
// out, and the rest rendered again.
func (r *renderer) render(c *chart.Chart, values func() common.Values, marks bool) map[string]string {
	r.prepare(marks)
	for range maxFailures {
		// Parsing is not the work of any template.
		r.meter.all -= r.actions / 8
		for _, t := range r.templates {
			t.file.Name, t.file.Data = t.base, nil
			if t.mute {
				t.file.Name = mutedName(t.base)
			}
			if !t.dead {
				t.file.Data = []byte(t.counted.text)
			}
		}
		r.meter.start()
		engine := helmengine.Engine{CustomTemplateFuncs: r.meter.functions()}
		out, err := engine.RenderWithContext(r.ctx, c, values())
		if err == nil {
			for _, t := range r.templates {
				for _, name := range t.names {
					if len(out[name]) > maxText {
						delete(out, name)
						t.mute = true
						r.fail(failure{Cause: overText, File: t.source, At: t.source, Line: 1, Column: 1})
					}
				}
			}
			return out
		}
		if !r.leaveOut(err) {
			return nil
		}
	}
	r.fail(failure{Cause: manyFailures})
	return nil
}

// prepare makes the templates count their work, and leaves out those that cannot.
func (r *renderer) prepare(marks bool) {
	r.actions = 0
	for i, t := range r.templates {
		if t.dead {
			continue
		}
		counted, err := instrument(string(t.data), i, r.size, templateDepth, marks && !t.mute)
		f := failure{File: t.source, At: t.source, Line: 1, Column: 1}
		switch {
		case errors.Is(err, errOwnName):
			f.Cause = reserved
		case err != nil:
			f.Cause = tooDeep
		case r.actions+counted.nodes*len(t.names) > maxActions:
			f.Cause = overText
		default:
			if f.Line = invalid(t.data); f.Line > 0 {
				f.Cause = invalidTemplate
			}
		}
		if f.Cause != unknownCause {
			r.fail(f)
			t.dead = true
			continue
		}
		t.counted = counted
		r.actions += counted.nodes * len(t.names)
	}
}

// treeName is a name that no template has.
const treeName = ownPrefix + "tree"

// invalid returns the line that keeps a template from being parsed; 0 where
// nothing does. A function that nobody knows is left to the engine.
func invalid(data []byte) int {
	tree := parse.New(treeName)
	tree.Mode = parse.SkipFuncCheck
	_, err := tree.Parse(string(data), "", "", map[string]*parse.Tree{})
	if err == nil {
		return 0
	}
	line, _ := leadingNumber(strings.TrimPrefix(err.Error(), "template: "+treeName+":"))
	return max(1, line)
}

// leaveOut takes the template out that an error of the engine is about, and
// reports whether there is another to render.
func (r *renderer) leaveOut(err error) bool {
	why := r.meter.cause
	if why == unknownCause {
		why = causeOf(err.Error())
	}
	if why == canceled || r.ctx.Err() != nil {
		return false
	}
	f := failure{Cause: why, Column: 1}
	at := r.place(err.Error(), &f)
	failed := at
	if r.meter.file >= 0 {
		failed = r.templates[r.meter.file]
		failed.mute = true
	} else if failed != nil {
		failed.dead = true // it does not parse
	}
	if failed == nil {
		r.fail(f)
		return false
	}
	f.File = failed.source
	if at == nil {
		f.At, f.Line = failed.source, 1
	}
	r.fail(f)
	return r.meter.all > 0
}

// place finds the template that an error of the engine names first, and the place
// in it.
func (r *renderer) place(text string, f *failure) *templateFile {
	var found *templateFile
	first := len(text)
	for _, t := range r.templates {
		for _, name := range append(slices.Clone(t.names), path.Join(path.Dir(t.names[0]), path.Base(mutedName(t.base)))) {
			at := strings.Index(text, name+":")
			if at < 0 || at >= first {
				continue
			}
			line, rest := leadingNumber(text[at+len(name)+1:])
			if line <= 0 || line > bytes.Count(t.data, []byte("\n"))+1 {
				continue
			}
			column := -1
			if strings.HasPrefix(rest, ":") {
				column, _ = leadingNumber(rest[1:])
			}
			found, first = t, at
			f.At = t.source
			f.Line, f.Column = t.counted.place(line, column)
		}
	}
	return found
}

// leadingNumber returns the number that a text begins with, -1 where it does not,
// and the rest.
func leadingNumber(s string) (int, string) {
	end := 0
	for end < len(s) && end < 9 && s[end] >= '0' && s[end] <= '9' {
		end++
	}
	n, err := strconv.Atoi(s[:end])
	if err != nil {
		return -1, s
	}
	return n, s[end:]
}

// causeOf tells the kind of an error of the engine by what its text holds.
func causeOf(text string) cause {
	for _, kind := range []struct {
		sign  string
		cause cause
	}{
		{"parse error at", invalidTemplate},
		{"nil pointer evaluating", unsetValue},
		{"map has no entry for key", unsetValue},
		{"execution error at", requiredValue},
		{"no template", undefinedTemplate},
		{"cannot parse template", invalidTemplate},
	} {
		if strings.Contains(text, kind.sign) {
			return kind.cause
		}
	}
	return unknownCause
}
