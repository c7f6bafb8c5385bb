// Package kubernetes makes containers of Kubernetes objects. What a container
// receives is worked out as kubelet does it; the ConfigMaps and Secrets it refers
// to are looked for in the same set of objects. Nothing is asked of a cluster.
//
// Kustomize overlays and Helm charts come here too, once they are rendered: an
// [Object] says where each of its nodes was written.
//
// See https://kubernetes.io/docs/reference/kubernetes-api/.
package kubernetes

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/derekg1729/dsnlint/pkg/internal/source"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// Options are what a set of objects is loaded with.
type Options struct {
	// Declared are the keys of Secrets whose keys are in no manifest.
	Declared []manifest.DeclaredSecret
	// Cluster has the sets that a run applies beside this one; nil for a set that is
	// alone.
	Cluster *Cluster
}

// IsManifest reports whether a document is a Kubernetes object or a list of them.
func IsManifest(doc *yaml.Node) bool {
	root := content(doc)
	return scalar(root, "apiVersion") != "" && scalar(root, "kind") != ""
}

// Read reads files, relative to the root, as one set: any object may refer to
// any other. A document that is broken or no object hides no other.
func Read(ctx context.Context, tree *source.Tree, files []string, opts Options) *Set {
	var objects []Object
	var problems []*manifest.Problem
	for _, file := range files {
		if ctx.Err() != nil {
			break
		}
		data, err := tree.ReadAs(file, source.YAML)
		if p := (*manifest.Problem)(nil); errors.As(err, &p) {
			problems = append(problems, p)
			continue
		}
		docs, broken := tree.Documents(file)
		problems = append(problems, broken...)
		// A template engine may bring more into a list than the file shows.
		isTemplate := bytes.Contains(data, []byte("{{"))
		own := func(*yaml.Node) bool { return !isTemplate }
		for _, doc := range docs {
			if IsManifest(doc) {
				objects = append(objects, Object{Node: content(doc), File: file, Index: tree.Index(file), Own: own})
			}
		}
	}
	set := NewSet(objects, opts)
	set.loader.problems = append(problems, set.loader.problems...)
	return set
}

// Set are objects that are applied together.
type Set struct {
	loader  loader
	objects []Object
}

// NewSet takes note of what objects may refer to, in the set and in the cluster.
func NewSet(objects []Object, opts Options) *Set {
	s := &Set{loader: loader{
		declared: opts.Declared, cluster: opts.Cluster,
		keys: keyStore{}, classes: map[string][]*fileClass{}, imports: map[wholeImport][]manifest.EnvVar{}, left: maxWork,
	}}
	s.loader.set = s
	s.objects = s.loader.flatten(objects)
	for i := range s.objects {
		s.loader.collect(&s.objects[i])
	}
	if opts.Cluster != nil {
		opts.Cluster.add(s)
	}
	return s
}

// Containers makes the containers of sets. Both containers and problems come in the
// order of the objects. What was taken of other sets is read through the tree, which
// thereby knows that the project depends on it.
func Containers(tree *source.Tree, sets ...*Set) ([]manifest.Container, []*manifest.Problem) {
	var containers []manifest.Container
	var problems []*manifest.Problem
	for _, s := range sets {
		for i := range s.objects {
			containers = append(containers, s.loader.workload(&s.objects[i])...)
		}
		problems = append(problems, s.loader.problems...)
		for file := range s.loader.foreign {
			_, _ = tree.Read(file) // it was read before
		}
	}
	return containers, problems
}

// maxWork bounds what a set of objects can cost, whatever its aliases and
// references multiply. A node that is decoded counts one; a cluster of a thousand
// workloads stays below a million.
const maxWork = 4_000_000

// objectWork is what an object counts by itself.
const objectWork = 16

// loader is one set of objects at work.
type loader struct {
	declared []manifest.DeclaredSecret
	keys     keyStore
	classes  map[string][]*fileClass
	imports  map[wholeImport][]manifest.EnvVar
	problems []*manifest.Problem
	set      *Set
	cluster  *Cluster
	// foreign are the files of other sets that were used.
	foreign map[string]bool
	// left is what may still be spent of maxWork.
	left int
}

func (l *loader) report(p *manifest.Problem) { l.problems = append(l.problems, p) }

// spend accounts for work on an object and reports whether it may go on. Where the
// last of it is spent, a problem says so once.
func (l *loader) spend(o *Object, work int) bool {
	if l.left <= 0 {
		return false
	}
	if l.left -= work; l.left <= 0 {
		l.report(&manifest.Problem{
			Severity: manifest.Error,
			Position: at(o).position(),
			Message:  manifest.Say("with all aliases and references followed the manifests hold more than can be checked; this object and those behind it are left out"),
			Hint:     manifest.Say("check the directories one by one"),
		})
		return false
	}
	return true
}

// collect takes note of what other objects may refer to.
func (l *loader) collect(o *Object) {
	if l.left <= 0 {
		return
	}
	if collect := makers[o.groupKind()]; collect != nil {
		collect(l, o)
	}
}

// workload makes the containers of an object, if it is of a kind that has any.
func (l *loader) workload(o *Object) []manifest.Container {
	kind, ok := workloadKinds[o.groupKind()]
	if !ok || l.left <= 0 {
		return nil
	}
	var containers []manifest.Container
	pods := kind.pods(l, o)
	l.danglingRoles(at(o, "metadata"), pods...)
	for _, p := range pods {
		if p.metadata.node != at(o, "metadata").node {
			l.danglingRoles(p.metadata, p)
		}
		for i := range p.containers {
			if container, ok := l.container(p, &p.containers[i]); ok {
				containers = append(containers, container)
			}
		}
	}
	return containers
}

// danglingRoles reports role annotations and labels for a container that no pod has.
func (l *loader) danglingRoles(metadata place, pods ...*pod) {
	for _, field := range []string{"annotations", "labels"} {
		for _, entry := range metadata.field(field).entries() {
			name, ok := strings.CutPrefix(entry.name(), manifest.RoleKey+".")
			if !ok || slices.ContainsFunc(pods, func(p *pod) bool {
				return slices.ContainsFunc(p.containers, func(c podContainer) bool { return c.Name == name })
			}) {
				continue
			}
			l.report(&manifest.Problem{
				Severity: manifest.Error, Position: entry.position(),
				Message: manifest.Say("dsnlint.dev/role is set for a container that does not exist in this workload"),
				Hint:    manifest.Say("expected dsnlint.dev/role.CONTAINER with the name of one of its containers"),
			})
		}
	}
}

// flatten takes lists apart: v1 List and the typed lists that kubectl prints,
// whose items need not name their kind.
func (l *loader) flatten(objects []Object) []Object {
	var flat []Object
	for _, o := range objects {
		if !l.spend(&o, objectWork) {
			break
		}
		kind, isList := strings.CutSuffix(o.kind(), "List")
		items := at(&o, "items")
		if !isList || items.node == nil || items.node.Kind != yaml.SequenceNode {
			flat = append(flat, o)
			continue
		}
		members := make([]Object, 0, len(items.node.Content))
		for _, item := range items.items() {
			member := o
			member.Node = item.node
			if kind != "" {
				member.listKind, member.listVersion = kind, o.apiVersion()
			}
			members = append(members, member)
		}
		flat = append(flat, l.flatten(members)...)
	}
	return flat
}
