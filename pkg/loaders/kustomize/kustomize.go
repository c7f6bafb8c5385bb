// Package kustomize renders overlays in process, with kustomize's own engine, and
// makes containers of what comes out. No command is run, nothing is fetched and
// no plugin is started: the engine works on a copy in memory of just those files
// that were read through the [source.Tree].
//
// What a container receives is what the engine rendered. Where it is written is
// found in the layers that it was made from: the patches, from the root's last to
// the base's first, and then the file that the object comes from.
//
// See https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/.
package kustomize

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/resource"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"

	"github.com/derekg1729/dsnlint/pkg/loaders/kubernetes"
	"github.com/derekg1729/dsnlint/pkg/manifest"
	"github.com/derekg1729/dsnlint/pkg/source"
)

// fileNames are the names of a kustomization file, as kustomize knows them.
var fileNames = []string{"kustomization.yaml", "kustomization.yml", "Kustomization"}

// IsKustomization tells by its name whether a file is a kustomization.
func IsKustomization(name string, _ *yaml.Node) bool {
	return slices.Contains(fileNames, path.Base(name))
}

// Uses lists the files that the kustomizations of these files read, themselves
// included: a walk that finds one of them has found a part and no manifest of its
// own.
func Uses(tree *source.Tree, files []string) map[string]bool {
	s := newScan(tree)
	for _, file := range files {
		s.folder(path.Dir(file), manifest.Position{File: file})
	}
	return s.read
}

// Load renders each of the kustomizations that no other of them uses. One that
// does not render is a problem, and hides no other.
func Load(ctx context.Context, tree *source.Tree, files []string, opts kubernetes.Options) ([]manifest.Container, []*manifest.Problem) {
	s := newScan(tree)
	for _, file := range files {
		s.folder(path.Dir(file), manifest.Position{File: file})
	}
	var containers []manifest.Container
	problems := s.problems
	for _, file := range files {
		dir := path.Dir(file)
		k := s.folders[dir]
		if k == nil || k.used || k.isComponent() || ctx.Err() != nil {
			continue
		}
		found, more := s.render(k, opts)
		containers = append(containers, found...)
		problems = append(problems, more...)
	}
	return containers, problems
}

// render runs the engine on one root.
func (s *scan) render(k *kustomization, opts kubernetes.Options) ([]manifest.Container, []*manifest.Problem) {
	engine := krusty.MakeKustomizer(&krusty.Options{
		LoadRestrictions: types.LoadRestrictionsNone, // the copy in memory holds nothing else
		PluginConfig:     types.DisabledPluginConfig(),
	})
	rendered, err := run(engine, s.memory, inMemory(k.dir))
	if err != nil {
		return nil, []*manifest.Problem{{
			Severity: manifest.Error,
			Position: manifest.Position{File: k.file, Line: 1, Column: 1},
			Message:  manifest.Say("kustomize cannot render this"),
			Hint:     manifest.Say("kubectl kustomize on the folder says more"),
		}}
	}
	var objects []kubernetes.Object
	for _, r := range rendered.Resources() {
		if o, ok := s.object(k, r); ok {
			objects = append(objects, o)
		}
	}
	return kubernetes.Containers(objects, opts)
}

// run keeps a panic of the engine from being more than an error.
func run(engine *krusty.Kustomizer, fs filesys.FileSystem, dir string) (rendered resmap.ResMap, err error) {
	defer func() {
		if recover() != nil {
			err = fmt.Errorf("the engine broke down")
		}
	}()
	return engine.Run(fs, dir)
}

// The annotations that buildMetadata adds.
const (
	originAnnotation    = "config.kubernetes.io/origin"
	transformAnnotation = "alpha.config.kubernetes.io/transformations"
)

// object makes an object of a rendered resource.
func (s *scan) object(k *kustomization, r *resource.Resource) (kubernetes.Object, bool) {
	origin, err := r.GetOrigin()
	if err != nil {
		origin = nil
	}
	text, err := r.AsYAML()
	if err != nil {
		return kubernetes.Object{}, false
	}
	docs, err := source.ParseYAML(k.file, text)
	if err != nil || len(docs) != 1 {
		return kubernetes.Object{}, false
	}
	node := docs[0].Content[0]
	dropAnnotations(node)
	l := s.layers(k, r.GetKind(), r.GetName(), origin)
	places := l.locate(node)
	return kubernetes.Object{
		Node:     node,
		File:     k.file,
		Source:   k.dir,
		Names:    l.names,
		Overlays: []string{k.dir},
		Locate: func(n *yaml.Node) []manifest.Step {
			return []manifest.Step{{Position: places[n]}, {
				Position: manifest.Position{File: k.file, Line: 1, Column: 1}, Text: manifest.Say("rendered by the overlay %s", manifest.Path(k.dir)),
			}}
		},
	}, true
}

func dropAnnotations(node *yaml.Node) {
	_, metadata := source.Lookup(node, "metadata")
	_, annotations := source.Lookup(metadata, "annotations")
	if annotations == nil {
		return
	}
	var kept []*yaml.Node
	for i := 0; i+1 < len(annotations.Content); i += 2 {
		if key := annotations.Content[i].Value; key != originAnnotation && key != transformAnnotation {
			kept = append(kept, annotations.Content[i], annotations.Content[i+1])
		}
	}
	annotations.Content = kept
}

// scrub takes out of an error of the engine every scalar of the files it works
// on that is no name: errors quote what they stumble over.
func (s *scan) scrub(text string) string {
	for _, value := range s.values {
		text = strings.ReplaceAll(text, value, manifest.Masked)
	}
	text, _, _ = strings.Cut(text, "\n")
	return text
}
