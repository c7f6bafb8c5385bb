// Package kustomize renders overlays with kustomize's own engine, and makes
// containers of what comes out. No command is run, nothing is fetched and no
// plugin is started: the engine is given a copy in memory of just those files that
// were read through the [source.Tree], under names of our own. No text of a
// kustomization is ever a location for it.
//
// What a container receives is what the engine rendered. Where it is written is
// found in the layers that it was made from: the patches, from the root's last to
// the base's first, and then the file that the object comes from. What cannot be
// rendered is a problem, and its objects are checked as they are written.
//
// See https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/.
package kustomize

import (
	"bytes"
	"context"
	"encoding/gob"
	"errors"
	"maps"
	"path"
	"slices"

	"go.yaml.in/yaml/v4"

	"github.com/derekg1729/dsnlint/pkg/internal/envfile"
	"github.com/derekg1729/dsnlint/pkg/internal/source"
	"github.com/derekg1729/dsnlint/pkg/loaders/engine"
	"github.com/derekg1729/dsnlint/pkg/loaders/kubernetes"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// fileNames are the names of a kustomization file, as kustomize knows them.
var fileNames = []string{"kustomization.yaml", "kustomization.yml", "Kustomization"}

func isKustomization(name string) bool {
	return slices.Contains(fileNames, path.Base(name))
}

// Options are what kustomizations are loaded with.
type Options struct {
	Kubernetes kubernetes.Options
	// Runner runs [Engine] by its name, [EngineName]; nil runs it in this process.
	Runner engine.Runner
}

// loader is one run over the roots of a scan.
type loader struct {
	*scan
	opts Options
	// sets are the objects of each root, and those that are checked as they are written.
	sets []*kubernetes.Set
	// work is what the roots so far have cost.
	work int
	// shown are the files of objects that a rendered root shows, and failed the
	// roots that do not render.
	shown  map[string]bool
	failed []*kustomization
}

// load renders one root.
func (l *loader) load(ctx context.Context, k *kustomization) {
	objects, problem := l.render(ctx, k)
	if ctx.Err() != nil {
		return
	}
	if problem != nil {
		l.report(problem)
		l.failed = append(l.failed, k)
		return
	}
	for _, part := range subtree(k) {
		for _, file := range part.resources {
			if l.files[file].text != nil {
				l.shown[file] = true
			} else {
				l.failed = append(l.failed, k)
			}
		}
	}
	if k.isComponent() && len(k.patches)+len(k.spec.Replacements) > 0 {
		l.report(&manifest.Problem{Severity: manifest.Notice, Position: k.place(),
			Message: manifest.Say("no kustomization uses this component: what its patches and replacements would change is not checked"),
			Hint:    manifest.Say("give dsnlint the kustomization that uses it")})
	}
	l.sets = append(l.sets, kubernetes.NewSet(objects, l.opts.Kubernetes))
}

// plain checks the objects of the roots that do not render as they are written,
// but for those that another root shows.
func (l *loader) plain(ctx context.Context) {
	files := map[string]bool{}
	for _, k := range l.failed {
		for _, part := range subtree(k) {
			for _, file := range part.resources {
				files[file] = !l.shown[file]
			}
		}
	}
	for _, file := range l.unmet() {
		files[file] = true
	}
	maps.DeleteFunc(files, func(_ string, hidden bool) bool { return !hidden })
	l.sets = append(l.sets, kubernetes.Read(ctx, l.tree, slices.Sorted(maps.Keys(files)), l.opts.Kubernetes))
}

// unmet lists the files of patches that no rendered object is for: to name an
// object's file as such a patch must not keep it from being checked. Where
// something was left out, the patches may be for that.
func (l *loader) unmet() []string {
	met, files := map[string]bool{}, map[string]bool{}
	visit := func(k *kustomization, whole bool) {
		for _, p := range k.patches {
			met[p.file] = met[p.file] || p.met() || !whole
			files[p.file] = p.file != k.file
		}
	}
	for _, k := range l.order {
		if k.used {
			continue
		}
		parts := subtree(k)
		whole := !k.isComponent() && !slices.Contains(l.failed, k) && !slices.ContainsFunc(parts, func(part *kustomization) bool { return part.partial })
		for _, part := range parts {
			visit(part, whole)
		}
	}
	maps.DeleteFunc(files, func(file string, isFile bool) bool { return !isFile || met[file] })
	return slices.Sorted(maps.Keys(files))
}

// render runs the engine on one root.
func (l *loader) render(ctx context.Context, k *kustomization) ([]kubernetes.Object, *manifest.Problem) {
	if k.size.count == 0 {
		return nil, nil // nothing that a patch could be meant for is left
	}
	if k.size.tooLarge() {
		return nil, cannotRender(k, manifest.Say("with all its bases and patches it holds more than can be rendered"))
	}
	// It is rendered once more with marks.
	if l.work = plus(l.work, 2*k.size.work); l.work > maxTotalWork {
		return nil, cannotRender(k, manifest.Say("the kustomizations together hold more than can be rendered"))
	}
	out, err := l.run(ctx, k, nil)
	if err == nil && out.Failure.isOfMissing() {
		out, err = l.withoutMissing(ctx, k, out)
	}
	if err != nil {
		return nil, cannotRender(k, runnerReason(err))
	}
	if out.Failure != rendersFine {
		problem := cannotRender(k, reasons[out.Failure])
		if at, ok := k.culprit(out.Failure); ok {
			problem.Position = at
		}
		if k.isComponent() {
			// It need not make sense without those that use it.
			problem.Severity = manifest.Notice
		}
		return nil, problem
	}
	origins := l.origins(k)
	var objects []kubernetes.Object
	nodes := 0
	for _, o := range out.Objects {
		object, ok := l.object(k, origins, o)
		if !ok {
			return nil, cannotRender(k, reasons[outputTooLarge])
		}
		if nodes += nodesOf(object.Node); nodes > maxNodes {
			return nil, cannotRender(k, reasons[outputTooLarge])
		}
		objects = append(objects, object)
	}
	return objects, nil
}

// run has the engine render a root, but for what is left out of it.
func (l *loader) run(ctx context.Context, k *kustomization, leftOut map[*origin]bool) (response, error) {
	failed := response{Failure: unknownFailure}
	var input bytes.Buffer
	in, err := k.request(leftOut)
	if err != nil || gob.NewEncoder(&input).Encode(in) != nil {
		return failed, nil //nolint:nilerr // it is a failure of this root
	}
	output, err := l.opts.Runner.Run(ctx, EngineName, input.Bytes())
	if err != nil {
		return failed, err
	}
	var out response
	if gob.NewDecoder(bytes.NewReader(output)).Decode(&out) != nil {
		out = failed
	}
	return out, nil
}

// request is what the engine is given of a root.
func (k *kustomization) request(leftOut map[*origin]bool) (request, error) {
	in := request{Files: map[string][]byte{}, Marked: map[string][]byte{}, Dir: k.engineDir()}
	for _, part := range subtree(k) {
		name := func(base string) string { return path.Join(part.engineDir(), base) }
		for base, data := range part.inputs {
			in.Files[name(base)] = data
		}
		for base, data := range part.marked {
			in.Marked[name(base)] = data
		}
		plain, err := part.text(false, leftOut)
		if err != nil {
			return in, err
		}
		marked, err := part.text(true, leftOut)
		if err != nil {
			return in, err
		}
		in.Files[name(fileNames[0])], in.Marked[name(fileNames[0])] = plain, marked
	}
	return in, nil
}

// maxRuns is how often a root is rendered to find what has to be left out.
const maxRuns = 64

// withoutMissing renders a root of which something was not followed without what
// changes objects that went with that. Which entries these are the engine decides:
// those without which it renders are added again, as far as it takes them. Out is what
// it said with all of them.
func (l *loader) withoutMissing(ctx context.Context, k *kustomization, out response) (response, error) {
	var entries []*origin
	partial := false
	for _, part := range subtree(k) {
		partial = partial || part.partial
		for _, p := range part.patches {
			entries = append(entries, p.origins[0])
		}
		for _, g := range part.generated {
			if g.changes() {
				entries = append(entries, g.origin)
			}
		}
		entries = slices.Concat(entries, part.replacements, part.vars)
	}
	if !partial {
		return out, nil
	}
	leftOut, runs := map[*origin]bool{}, 0
	for _, o := range entries {
		leftOut[o] = true
	}
	best := out
	try := func(add []*origin) (bool, error) {
		runs++
		if l.work = plus(l.work, 2*k.size.work); runs > maxRuns || l.work > maxTotalWork {
			return false, nil
		}
		rest := maps.Clone(leftOut)
		for _, o := range add {
			delete(rest, o)
		}
		tried, err := l.run(ctx, k, rest)
		if err != nil || tried.Failure != rendersFine {
			return false, err
		}
		best, leftOut = tried, rest
		return true, nil
	}
	var add func(list []*origin) error
	add = func(list []*origin) error {
		ok, err := try(list)
		if ok || err != nil || len(list) < 2 {
			return err
		}
		half := len(list) / 2
		return errors.Join(add(list[:half]), add(list[half:]))
	}
	if ok, err := try(nil); !ok {
		return out, err
	}
	if err := add(entries); err != nil {
		return out, err
	}
	for _, o := range entries {
		if leftOut[o] {
			l.report(&manifest.Problem{
				Severity: manifest.Notice, Position: o.at,
				Message: manifest.Say("not applied: what this changes was not followed"),
				Hint:    manifest.Say("render the kustomization where everything is at hand, and lint the output"),
			})
		}
	}
	return best, nil
}

func runnerReason(err error) manifest.Text {
	switch {
	case errors.Is(err, engine.ErrTime):
		return manifest.Say("rendering takes too long")
	case errors.Is(err, engine.ErrMemory):
		return manifest.Say("it takes too much memory")
	case errors.Is(err, engine.ErrTotal):
		return manifest.Say("the kustomizations and charts together take too long")
	}
	return manifest.Say("kustomize crashed")
}

func cannotRender(k *kustomization, reason manifest.Text) *manifest.Problem {
	return &manifest.Problem{
		Severity: manifest.Error,
		Position: k.place(),
		Message:  manifest.Say("kustomize cannot render this: %s; its objects are checked as they are written", reason),
		Hint:     manifest.Say("run kubectl kustomize on the directory for the reason"),
	}
}

// culprit finds the entry that keeps the kustomization from being rendered, where
// it can be told: the patch whose target no file of objects has, or the only one
// there is.
func (k *kustomization) culprit(f failure) (manifest.Position, bool) {
	var suspects []manifest.Position
	for _, part := range subtree(k) {
		for _, p := range part.patches {
			if f == patchTargetMissing && p.target == nil && p.misses(&part.size) || f == patchDoesNotApply || f == invalidPatch {
				suspects = append(suspects, p.at)
			}
		}
	}
	if len(suspects) == 0 || len(suspects) > 1 && f != patchTargetMissing {
		return manifest.Position{}, false
	}
	return suspects[0], true
}

// misses reports whether none of the objects is one that a strategic merge is for.
func (p *patch) misses(s *size) bool {
	return slices.ContainsFunc(p.docs, func(doc *yaml.Node) bool {
		return doc.Kind == yaml.MappingNode && s.objects[idOf(doc)] == 0
	})
}

// object makes an object of a rendered resource.
func (l *loader) object(k *kustomization, origins []*origin, o rendered) (kubernetes.Object, bool) {
	node, ok := parsed(k.file, o.YAML)
	if !ok {
		return kubernetes.Object{}, false
	}
	marked, _ := parsed(k.file, o.Marked)
	open := value(mapping(mapping(node, "metadata"), "annotations"), openMark)
	dropAnnotation(node, openMark)
	found := l.layers(origins, marked)
	if found.fallback.IsZero() {
		// Its marks are lost, and any of the patches may have been for it.
		found.fallback = manifest.Position{File: k.file}
		for _, o := range origins {
			o.met = true
		}
	}
	places := found.locate(node, marked)
	return kubernetes.Object{
		Node:     node,
		File:     k.file,
		Source:   k.dir,
		Names:    found.names,
		Overlays: []string{k.dir},
		Open:     openReasons[open],
		Rendered: manifest.Step{Position: k.place(), Text: manifest.Say("rendered by the overlay %s", manifest.Path(k.dir))},
		Locate: func(n *yaml.Node) []manifest.Step {
			at := places[n].position
			return []manifest.Step{{Position: at, EnvFile: l.tree.IsReadAs(at.File, envfile.Raw)}}
		},
		Own: func(n *yaml.Node) bool { return places[n].own },
	}, true
}

// parsed parses an object that was rendered.
func parsed(file string, text []byte) (*yaml.Node, bool) {
	docs, err := source.ParseYAML(file, text)
	if err != nil || len(docs) != 1 {
		return nil, false
	}
	return docs[0].Content[0], true
}

func dropAnnotation(node *yaml.Node, name string) {
	annotations := mapping(mapping(node, "metadata"), "annotations")
	if annotations == nil {
		return
	}
	var kept []*yaml.Node
	for i := 0; i+1 < len(annotations.Content); i += 2 {
		if annotations.Content[i].Value != name {
			kept = append(kept, annotations.Content[i], annotations.Content[i+1])
		}
	}
	annotations.Content = kept
}
