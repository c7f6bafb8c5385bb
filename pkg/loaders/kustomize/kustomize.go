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
	opts       Options
	containers []manifest.Container
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
	containers, problems := kubernetes.Containers(objects, l.opts.Kubernetes)
	l.containers = append(l.containers, containers...)
	l.problems = append(l.problems, problems...)
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
	containers, problems := kubernetes.Load(ctx, l.tree, slices.Sorted(maps.Keys(files)), l.opts.Kubernetes)
	l.containers = append(l.containers, containers...)
	l.problems = append(l.problems, problems...)
}

// unmet lists the files of patches that no rendered object is for: to name an
// object's file as such a patch must not keep it from being checked. Where
// something was left out, the patches may be for that.
func (l *loader) unmet() []string {
	met, files := map[string]bool{}, map[string]bool{}
	visit := func(k *kustomization, whole bool) {
		for _, p := range k.patches {
			met[p.file] = met[p.file] || p.met || !whole
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
	if l.work = plus(l.work, k.size.work); l.work > maxTotalWork {
		return nil, cannotRender(k, manifest.Say("the kustomizations together hold more than can be rendered"))
	}
	in := request{Files: map[string][]byte{}, Dir: k.engineDir()}
	for _, part := range subtree(k) {
		for name, data := range part.inputs {
			in.Files[path.Join(part.engineDir(), name)] = data
		}
	}
	var input bytes.Buffer
	if err := gob.NewEncoder(&input).Encode(in); err != nil {
		return nil, cannotRender(k, reasons[unknownFailure])
	}
	output, err := l.opts.Runner.Run(ctx, EngineName, input.Bytes())
	if err != nil {
		return nil, cannotRender(k, runnerReason(err))
	}
	var out response
	if gob.NewDecoder(bytes.NewReader(output)).Decode(&out) != nil {
		out.Failure = unknownFailure
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
	r := l.root(k)
	var objects []kubernetes.Object
	nodes := 0
	for _, o := range out.Objects {
		object, ok := r.object(o)
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
		for i := range part.patches {
			p := &part.patches[i]
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

// originAnnotation is what the engine adds to every object.
const originAnnotation = "config.kubernetes.io/origin"

// object makes an object of a rendered resource.
func (r *root) object(o rendered) (kubernetes.Object, bool) {
	docs, err := source.ParseYAML(r.k.file, o.YAML)
	if err != nil || len(docs) != 1 {
		return kubernetes.Object{}, false
	}
	node := docs[0].Content[0]
	dropAnnotations(node)
	l := r.layers(o)
	places := l.locate(node)
	return kubernetes.Object{
		Node:     node,
		File:     r.k.file,
		Source:   r.k.dir,
		Names:    l.names,
		Overlays: []string{r.k.dir},
		Locate: func(n *yaml.Node) []manifest.Step {
			return []manifest.Step{{Position: places[n].position}, {
				Position: r.k.place(), Text: manifest.Say("rendered by the overlay %s", manifest.Path(r.k.dir)),
			}}
		},
		Own: func(n *yaml.Node) bool { return places[n].own },
	}, true
}

func dropAnnotations(node *yaml.Node) {
	annotations := mapping(mapping(node, "metadata"), "annotations")
	if annotations == nil {
		return
	}
	var kept []*yaml.Node
	for i := 0; i+1 < len(annotations.Content); i += 2 {
		if annotations.Content[i].Value != originAnnotation {
			kept = append(kept, annotations.Content[i], annotations.Content[i+1])
		}
	}
	annotations.Content = kept
}
