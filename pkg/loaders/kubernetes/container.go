package kubernetes

import (
	"path"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// builder makes one container of a pod.
type builder struct {
	*loader
	*pod
	c   *podContainer
	out *manifest.Container
	// vars is the env map, and rest what else reaches the container.
	vars map[string]manifest.EnvVar
	rest []manifest.Delivery
	// opaquePrefixes are those of the imports into env whose keys are not known.
	opaquePrefixes []string
	// inPaths are the variables that the paths of mounts are built from.
	inPaths map[string]bool
	// mentions are the references to the variables as they are defined by now, so
	// that all mentions of one are the same reference.
	mentions map[string]*manifest.Ref
	// values are those of the variables that the references stand for.
	values map[*manifest.Ref]manifest.Value
}

// container brings a container into its normal form. It is not ok where the work
// on the set has come to its limit, so that part of it may be missing.
func (l *loader) container(p *pod, c *podContainer) (out manifest.Container, ok bool) {
	o := p.object
	project := o.project()
	id := path.Join(project.Name, o.kind(), o.called(), c.Name)
	b := builder{loader: l, pod: p, c: c, vars: map[string]manifest.EnvVar{}, inPaths: map[string]bool{}, mentions: map[string]*manifest.Ref{}, values: map[*manifest.Ref]manifest.Value{}, out: &manifest.Container{
		Dialect:       Dialect,
		ID:            id,
		QualifiedName: id,

		Project:  project,
		Workload: manifest.Workload{Kind: o.kind(), Name: o.called()},
		Name:     c.Name,
		Kind:     c.kind,
		Position: c.place.position(),
		Image:    c.Image,
		Overlays: o.Overlays,
	}}
	b.role()
	b.restart()
	b.env()
	b.files()
	b.arguments()
	b.labels()
	b.out.Deliveries = manifest.Deliveries(b.vars, b.rest)
	for i := range b.out.Deliveries {
		b.out.Deliveries[i].Provenance = distinct(b.out.Deliveries[i].Provenance)
	}
	return *b.out, l.left > 0
}

// distinct returns steps without those that are there already: what one rendering
// shows of several objects came to be in one place.
func distinct(steps []manifest.Step) []manifest.Step {
	var kept []manifest.Step
	for _, s := range steps {
		if !slices.Contains(kept, s) {
			kept = append(kept, s)
		}
	}
	return kept
}

// role returns the names and the label that decide the container's role.
func (b *builder) role() {
	o, name := b.object, b.c.Name
	names := slices.Concat([]string{name}, o.bare(name), []string{b.step, o.called()}, o.bare(o.called()))
	for _, n := range names {
		if n != "" && !slices.Contains(b.out.RoleNames, n) {
			b.out.RoleNames = append(b.out.RoleNames, n)
		}
	}
	for _, key := range []string{manifest.RoleKey + "." + name, manifest.RoleKey} {
		for _, metadata := range []place{b.metadata, at(o, "metadata")} {
			for _, field := range []string{"annotations", "labels"} {
				if entry := metadata.field(field, key); entry.text() != "" {
					b.out.RoleLabel, b.out.RoleLabelPosition = entry.text(), entry.position()
					// What an overlay or an included template adds is in a file of its own.
					file := at(o, "kind").position().File
					b.out.RoleLabelOwn = b.out.Position.File == file && b.out.RoleLabelPosition.File == file
					return
				}
			}
		}
	}
}

// restart reports whether the container runs to completion. The restart policy of
// an init container makes a sidecar of it, which runs as long as the pod.
func (b *builder) restart() {
	b.out.RestartPosition = b.out.Position
	own := b.c.place.field("restartPolicy")
	switch b.c.kind {
	case manifest.KindInitContainer:
		policy := b.c.RestartPolicy
		b.out.RunsOnce = policy == nil || *policy != corev1.ContainerRestartPolicyAlways
		if own.exists() {
			b.out.RestartPosition = own.position()
		}
	case manifest.KindEphemeralContainer:
		b.out.RunsOnce = true
	default:
		b.out.RunsOnce = b.once
		if b.restartPolicy.exists() {
			b.out.RestartPosition = b.restartPolicy.position()
		}
	}
}
