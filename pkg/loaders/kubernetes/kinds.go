package kubernetes

import (
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// workloadKind is a kind of object that has containers.
type workloadKind struct {
	// pods reads the pods that an object of the kind makes.
	pods func(l *loader, o *Object) []*pod
}

// workloadKinds are all kinds that have containers, by group and kind. Where the
// pod template stands is the same in all versions of a kind.
var workloadKinds = map[groupKind]workloadKind{
	{"", "Pod"}: typed(func(o *corev1.Pod) *corev1.PodTemplateSpec {
		return &corev1.PodTemplateSpec{ObjectMeta: o.ObjectMeta, Spec: o.Spec}
	}),
	{"", "PodTemplate"}: typed(func(o *corev1.PodTemplate) *corev1.PodTemplateSpec { return &o.Template }, "template"),
	{"", "ReplicationController"}: typed(func(o *corev1.ReplicationController) *corev1.PodTemplateSpec {
		return o.Spec.Template
	}, "spec", "template"),
	{"apps", "Deployment"}:  deployment,
	{"apps", "DaemonSet"}:   daemonSet,
	{"apps", "ReplicaSet"}:  replicaSet,
	{"apps", "StatefulSet"}: typed(func(o *appsv1.StatefulSet) *corev1.PodTemplateSpec { return &o.Spec.Template }, "spec", "template"),
	{"batch", "Job"}:        typed(func(o *batchv1.Job) *corev1.PodTemplateSpec { return &o.Spec.Template }, "spec", "template").once(),
	{"batch", "CronJob"}: typed(func(o *batchv1.CronJob) *corev1.PodTemplateSpec {
		return &o.Spec.JobTemplate.Spec.Template
	}, "spec", "jobTemplate", "spec", "template").again(),

	// The group that the first three had before they came to be in apps.
	{"extensions", "Deployment"}: deployment,
	{"extensions", "DaemonSet"}:  daemonSet,
	{"extensions", "ReplicaSet"}: replicaSet,

	// https://argo-rollouts.readthedocs.io/en/stable/features/specification/
	{"argoproj.io", "Rollout"}: embedded("spec", "template"),
	// https://argo-workflows.readthedocs.io/en/latest/fields/
	{"argoproj.io", "Workflow"}:                argoWorkflow("spec"),
	{"argoproj.io", "WorkflowTemplate"}:        argoWorkflow("spec"),
	{"argoproj.io", "ClusterWorkflowTemplate"}: argoWorkflow("spec"),
	{"argoproj.io", "CronWorkflow"}:            argoWorkflow("spec", "workflowSpec").again(),

	// https://knative.dev/docs/serving/reference/serving-api/
	{"serving.knative.dev", "Service"}:       embedded("spec", "template"),
	{"serving.knative.dev", "Configuration"}: embedded("spec", "template"),
	{"serving.knative.dev", "Revision"}:      embedded(),

	// https://openkruise.io/docs/
	{"apps.kruise.io", "CloneSet"}:     embedded("spec", "template"),
	{"apps.kruise.io", "StatefulSet"}:  embedded("spec", "template"),
	{"apps.kruise.io", "DaemonSet"}:    embedded("spec", "template"),
	{"apps.kruise.io", "BroadcastJob"}: embedded("spec", "template").once(),
	{"apps.kruise.io", "AdvancedCronJob"}: anyOf(
		embedded("spec", "template", "jobTemplate", "spec", "template").again(),
		embedded("spec", "template", "broadcastJobTemplate", "spec", "template").again(),
	),
	{"apps.kruise.io", "UnitedDeployment"}: anyOf(
		embedded("spec", "template", "statefulSetTemplate", "spec", "template"),
		embedded("spec", "template", "advancedStatefulSetTemplate", "spec", "template"),
		embedded("spec", "template", "cloneSetTemplate", "spec", "template"),
		embedded("spec", "template", "deploymentTemplate", "spec", "template"),
	),
	{"apps.kruise.io", "SidecarSet"}: embedded(),

	// https://docs.redhat.com/en/documentation/openshift_container_platform/4.18/html/workloads_apis/deploymentconfig-apps-openshift-io-v1
	{"apps.openshift.io", "DeploymentConfig"}: embedded("spec", "template"),
	// https://keda.sh/docs/latest/reference/scaledjob-spec/
	{"keda.sh", "ScaledJob"}: embedded("spec", "jobTargetRef", "template").again(),
}

var (
	deployment = typed(func(o *appsv1.Deployment) *corev1.PodTemplateSpec { return &o.Spec.Template }, "spec", "template")
	daemonSet  = typed(func(o *appsv1.DaemonSet) *corev1.PodTemplateSpec { return &o.Spec.Template }, "spec", "template")
	replicaSet = typed(func(o *appsv1.ReplicaSet) *corev1.PodTemplateSpec { return &o.Spec.Template }, "spec", "template")
)

// typed is a kind of k8s.io/api, all of which are of version v1: the whole object
// is read strictly. Other versions have other fields.
func typed[T any](template func(*T) *corev1.PodTemplateSpec, path ...string) workloadKind {
	return workloadKind{pods: func(l *loader, o *Object) []*pod {
		object := new(T)
		decoder{loader: l, lenient: o.version() != "v1"}.decode(at(o), object)
		if spec := template(object); spec != nil {
			return []*pod{newPod(at(o, path...), spec)}
		}
		return nil
	}}
}

// embedded is a kind outside k8s.io/api that has a pod template at a path.
func embedded(path ...string) workloadKind {
	return workloadKind{pods: func(l *loader, o *Object) []*pod {
		template := at(o, path...)
		if !template.exists() {
			return nil
		}
		var spec corev1.PodTemplateSpec
		decoder{loader: l, lenient: true}.decode(template, &spec)
		return []*pod{newPod(template, &spec)}
	}}
}

// once makes a kind whose pods run to completion, and again one whose pods do so again
// and again.
func (k workloadKind) once() workloadKind  { return k.running(true) }
func (k workloadKind) again() workloadKind { return k.running(false) }

func (k workloadKind) running(once bool) workloadKind {
	return workloadKind{pods: func(l *loader, o *Object) []*pod {
		pods := k.pods(l, o)
		for _, p := range pods {
			p.once = once
		}
		return pods
	}}
}

// anyOf is a kind that has pod templates at several paths.
func anyOf(kinds ...workloadKind) workloadKind {
	return workloadKind{pods: func(l *loader, o *Object) []*pod {
		var pods []*pod
		for _, kind := range kinds {
			pods = append(pods, kind.pods(l, o)...)
		}
		return pods
	}}
}

// located is a value of an object, with the place it is written.
type located[T any] struct {
	value T
	place place
}

// locate joins the values of a list with their places.
func locate[T any](list place, values []T) []located[T] {
	var found []located[T]
	for i, item := range list.items() {
		if i < len(values) {
			found = append(found, located[T]{values[i], item})
		}
	}
	return found
}

// pod is a pod template in the form that all kinds have in common.
type pod struct {
	object *Object
	// step is the name of the workflow step that the pod is for, or empty.
	step string
	// metadata is that of the pod; restartPolicy is where it says so.
	metadata, restartPolicy place
	serviceAccount          string
	volumes                 []located[corev1.Volume]
	containers              []podContainer
	// once reports whether the pod runs to completion.
	once bool
}

// podContainer is a container of a pod, with the place it is written.
type podContainer struct {
	corev1.Container
	kind  manifest.Kind
	place place
	// script is the one that a workflow step runs in the container.
	script place
	mounts []located[corev1.VolumeMount]
}

func newPod(template place, spec *corev1.PodTemplateSpec) *pod {
	where := template.field("spec")
	ephemeral := make([]corev1.Container, len(spec.Spec.EphemeralContainers))
	for i := range ephemeral {
		ephemeral[i] = corev1.Container(spec.Spec.EphemeralContainers[i].EphemeralContainerCommon)
	}
	return &pod{
		object:         template.object,
		metadata:       template.field("metadata"),
		restartPolicy:  where.field("restartPolicy"),
		serviceAccount: spec.Spec.ServiceAccountName,
		volumes:        locate(where.field("volumes"), spec.Spec.Volumes),
		containers: slices.Concat(
			podContainers(manifest.KindInitContainer, where.field("initContainers"), spec.Spec.InitContainers),
			podContainers(manifest.KindContainer, where.field("containers"), spec.Spec.Containers),
			podContainers(manifest.KindEphemeralContainer, where.field("ephemeralContainers"), ephemeral),
		),
		once: spec.Spec.RestartPolicy == corev1.RestartPolicyNever || spec.Spec.RestartPolicy == corev1.RestartPolicyOnFailure,
	}
}

func podContainers(kind manifest.Kind, list place, containers []corev1.Container) []podContainer {
	var found []podContainer
	for _, c := range locate(list, containers) {
		found = append(found, newContainer(kind, c.place, c.value))
	}
	return found
}

func newContainer(kind manifest.Kind, where place, c corev1.Container) podContainer {
	return podContainer{
		Container: c, kind: kind, place: where,
		script: where.field("source"),
		mounts: locate(where.field("volumeMounts"), c.VolumeMounts),
	}
}
