package kubernetes

import (
	"cmp"

	corev1 "k8s.io/api/core/v1"

	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// argoSpec is as much of a workflow as makes containers.
type argoSpec struct {
	Volumes   []corev1.Volume `json:"volumes"`
	Templates []argoTemplate  `json:"templates"`
}

// argoTemplate is a step of a workflow, which runs as a pod of its own.
type argoTemplate struct {
	Name         string             `json:"name"`
	Container    *corev1.Container  `json:"container"`
	Script       *corev1.Container  `json:"script"`
	ContainerSet *argoContainerSet  `json:"containerSet"`
	Init         []corev1.Container `json:"initContainers"`
	Sidecars     []corev1.Container `json:"sidecars"`
	Volumes      []corev1.Volume    `json:"volumes"`
}

type argoContainerSet struct {
	VolumeMounts []corev1.VolumeMount `json:"volumeMounts"`
	Containers   []corev1.Container   `json:"containers"`
}

// argoWorkflow is a kind with an Argo workflow at a path.
func argoWorkflow(path ...string) workloadKind {
	return workloadKind{pods: func(l *loader, o *Object) []*pod {
		where := at(o, path...)
		var spec argoSpec
		decoder{loader: l, lenient: true}.decode(where, &spec)
		shared := locate(where.field("volumes"), spec.Volumes)
		var pods []*pod
		for _, template := range locate(where.field("templates"), spec.Templates) {
			p := argoPod(template.place, &template.value)
			p.volumes = append(p.volumes, shared...)
			pods = append(pods, p)
		}
		return pods
	}}
}

// argoPod makes a pod of a step. The container that does the work is called main
// in the cluster, in every step alike, so it goes by the step's name here.
func argoPod(where place, t *argoTemplate) *pod {
	p := &pod{
		object:   where.object,
		step:     t.Name,
		metadata: where.field("metadata"),
		volumes:  locate(where.field("volumes"), t.Volumes),
		once:     true,
	}
	p.containers = podContainers(manifest.KindInitContainer, where.field("initContainers"), t.Init)
	for _, main := range []located[*corev1.Container]{
		{t.Container, where.field("container")},
		{t.Script, where.field("script")},
	} {
		if c := main.value; c != nil {
			c.Name = cmp.Or(c.Name, t.Name)
			p.containers = append(p.containers, newContainer(manifest.KindContainer, main.place, *c))
		}
	}
	if t.ContainerSet != nil {
		set := where.field("containerSet")
		shared := locate(set.field("volumeMounts"), t.ContainerSet.VolumeMounts)
		for _, c := range podContainers(manifest.KindContainer, set.field("containers"), t.ContainerSet.Containers) {
			c.mounts = append(c.mounts, shared...)
			p.containers = append(p.containers, c)
		}
	}
	p.containers = append(p.containers, podContainers(manifest.KindContainer, where.field("sidecars"), t.Sidecars)...)
	return p
}
