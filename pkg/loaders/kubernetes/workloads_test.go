package kubernetes

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	kyaml "sigs.k8s.io/yaml"

	"github.com/derekg1729/dsnlint/pkg/internal/source"
)

// nest puts YAML under a path of keys.
func nest(body string, path ...string) string {
	indent := ""
	var b strings.Builder
	for _, key := range path {
		fmt.Fprintf(&b, "%s%s:\n", indent, key)
		indent += "  "
	}
	for line := range strings.Lines(body) {
		b.WriteString(indent + line)
	}
	return b.String()
}

func TestWorkloadKinds(t *testing.T) {
	const spec = "spec:\n  initContainers: [{name: i}]\n  containers: [{name: c}]\n  ephemeralContainers: [{name: e, targetContainerName: c}]\n"
	for id, want := range map[string]struct {
		path []string
		once bool
	}{
		"v1 Pod":                   {nil, false},
		"v1 PodTemplate":           {[]string{"template"}, false},
		"v1 ReplicationController": {[]string{"spec", "template"}, false},
		"apps/v1 Deployment":       {[]string{"spec", "template"}, false},
		"apps/v1 DaemonSet":        {[]string{"spec", "template"}, false},
		"apps/v1 ReplicaSet":       {[]string{"spec", "template"}, false},
		"apps/v1 StatefulSet":      {[]string{"spec", "template"}, false},
		"batch/v1 Job":             {[]string{"spec", "template"}, true},
		"batch/v1 CronJob":         {[]string{"spec", "jobTemplate", "spec", "template"}, false},

		"extensions/v1beta1 Deployment":            {[]string{"spec", "template"}, false},
		"argoproj.io/v1alpha1 Rollout":             {[]string{"spec", "template"}, false},
		"serving.knative.dev/v1 Service":           {[]string{"spec", "template"}, false},
		"serving.knative.dev/v1 Configuration":     {[]string{"spec", "template"}, false},
		"serving.knative.dev/v1 Revision":          {nil, false},
		"apps.kruise.io/v1alpha1 CloneSet":         {[]string{"spec", "template"}, false},
		"apps.kruise.io/v1beta1 StatefulSet":       {[]string{"spec", "template"}, false},
		"apps.kruise.io/v1alpha1 DaemonSet":        {[]string{"spec", "template"}, false},
		"apps.kruise.io/v1alpha1 BroadcastJob":     {[]string{"spec", "template"}, true},
		"apps.kruise.io/v1alpha1 AdvancedCronJob":  {[]string{"spec", "template", "jobTemplate", "spec", "template"}, false},
		"apps.kruise.io/v1alpha1 UnitedDeployment": {[]string{"spec", "template", "deploymentTemplate", "spec", "template"}, false},
		"apps.kruise.io/v1alpha1 SidecarSet":       {nil, false},
		"apps.openshift.io/v1 DeploymentConfig":    {[]string{"spec", "template"}, false},
		"keda.sh/v1alpha1 ScaledJob":               {[]string{"spec", "jobTargetRef", "template"}, false},
	} {
		t.Run(id, func(t *testing.T) {
			version, kind, _ := strings.Cut(id, " ")
			head := fmt.Sprintf("apiVersion: %s\nkind: %s\nmetadata: {name: w}\n", version, kind)
			containers, problems := load(t, Options{}, "f.yaml", head+nest(spec, want.path...))
			if len(problems) > 0 {
				t.Errorf("got problems %v", problems)
			}
			var got []string
			for _, c := range containers {
				got = append(got, fmt.Sprintf("%s %s %v", c.Name, c.Kind, c.RunsOnce))
			}
			if diff := cmp.Diff([]string{
				"i initContainer true",
				fmt.Sprintf("c container %v", want.once),
				"e ephemeralContainer true",
			}, got); diff != "" {
				t.Errorf("containers differ (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWorkloadKindsThatAreOthers(t *testing.T) {
	for _, text := range []string{
		"apiVersion: batch.volcano.sh/v1alpha1\nkind: Job\nspec: {tasks: [{template: {spec: {containers: [{name: c}]}}}]}\n",
		"apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nspec: {workloadRef: {kind: Deployment, name: d}}\n",
		"apiVersion: v1\nkind: Service\nspec: {selector: {a: b}}\n",
		"apiVersion: v1\nkind: ReplicationController\nspec: {selector: {a: b}}\n",
	} {
		if containers, problems := load(t, Options{}, "f.yaml", text); len(containers)+len(problems) > 0 {
			t.Errorf("%q: got %d containers and %v", text, len(containers), problems)
		}
	}
}

func TestArgoWorkflow(t *testing.T) {
	const templates = `
spec:
  volumes: [{name: v, secret: {secretName: s, items: [{key: K, path: k}]}}]
  templates:
    - name: migrate
      container: {image: i, env: [{name: A, value: a}], volumeMounts: [{name: v, mountPath: /v}]}
      sidecars: [{name: proxy}]
    - name: script
      initContainers: [{name: first}]
      script:
        image: i
        source: |
          echo hi
    - name: set
      containerSet:
        volumeMounts: [{name: v, mountPath: /v}]
        containers: [{name: one}, {name: two}]
    - name: steps
      steps: [[{name: x, template: migrate}]]
`
	for head, path := range map[string][]string{
		"Workflow": nil, "WorkflowTemplate": nil, "ClusterWorkflowTemplate": nil,
		"CronWorkflow": {"spec", "workflowSpec"},
	} {
		t.Run(head, func(t *testing.T) {
			body := strings.TrimLeft(templates, "\n")
			if path != nil {
				_, body, _ = strings.Cut(body, "\n")
				body = nest(strings.ReplaceAll("\n"+body, "\n  ", "\n")[1:], path...)
			}
			containers, problems := load(t, Options{}, "f.yaml",
				"apiVersion: argoproj.io/v1alpha1\nkind: "+head+"\nmetadata: {name: w}\n"+body)
			if len(problems) > 0 {
				t.Errorf("got problems %v", problems)
			}
			once := strconv.FormatBool(head != "CronWorkflow")
			var got []string
			for _, c := range containers {
				got = append(got, fmt.Sprintf("%s %s as %s, once %v, %d variables, %d others, %d scripts",
					c.Kind, c.Name, strings.Join(c.RoleNames, " "), c.RunsOnce, len(c.EnvMap()), len(c.Deliveries)-len(c.EnvMap()), len(c.Scripts)))
			}
			if diff := cmp.Diff([]string{
				"container migrate as migrate w, once " + once + ", 1 variables, 1 others, 0 scripts",
				"container proxy as proxy migrate w, once " + once + ", 0 variables, 0 others, 0 scripts",
				"initContainer first as first script w, once true, 0 variables, 0 others, 0 scripts",
				"container script as script w, once " + once + ", 0 variables, 0 others, 1 scripts",
				"container one as one set w, once " + once + ", 0 variables, 1 others, 0 scripts",
				"container two as two set w, once " + once + ", 0 variables, 1 others, 0 scripts",
			}, got); diff != "" {
				t.Errorf("containers differ (-want +got):\n%s", diff)
			}
		})
	}
}

func TestContainer(t *testing.T) {
	c := one(t, `apiVersion: apps/v1
kind: Deployment
metadata:
  name: worker
  namespace: prod
spec:
  template:
    spec:
      containers:
        - name: main
          image: example/worker:1
          args: [x]
`)
	if c.QualifiedName != "prod/Deployment/worker/main" || c.Project.Source != "." || c.Dialect != Dialect {
		t.Errorf("got %s of %+v", c.QualifiedName, c.Project)
	}
	if c.Image != "example/worker:1" || !c.HasCommand() || c.RunsOnce {
		t.Errorf("got image %s, command %v, once %v", c.Image, c.HasCommand(), c.RunsOnce)
	}
	if got := strings.Join(c.RoleNames, " "); got != "main worker" {
		t.Errorf("got role names %s", got)
	}
}

func TestRoleLabel(t *testing.T) {
	for name, c := range map[string]struct{ workload, template, want string }{
		"none":                         {"{}", "{}", " "},
		"label of the workload":        {"{labels: {dsnlint.dev/role: w}}", "{}", "w 3:46"},
		"annotations go before labels": {"{annotations: {dsnlint.dev/role: a}, labels: {dsnlint.dev/role: w}}", "{}", "a 3:51"},
		"the template goes first":      {"{annotations: {dsnlint.dev/role: a}}", "{labels: {dsnlint.dev/role: t}}", "t 6:25"},
		"one container":                {"{labels: {dsnlint.dev/role.c: o}}", "{annotations: {dsnlint.dev/role: t}}", "o 3:46"},
	} {
		t.Run(name, func(t *testing.T) {
			got := one(t, fmt.Sprintf("apiVersion: apps/v1\nkind: Deployment\nmetadata:                          %s\nspec:\n  template:\n    metadata: %s\n    spec: {containers: [{name: c}]}\n", c.workload, c.template))
			position := ""
			if got.RoleLabel != "" {
				position = fmt.Sprintf("%d:%d", got.RoleLabelPosition.Line, got.RoleLabelPosition.Column)
			}
			if label := got.RoleLabel + " " + position; label != c.want {
				t.Errorf("got %q, want %q", label, c.want)
			}
		})
	}
}

func TestRunsOnce(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want string
	}{
		"a pod": {"kind: Pod\nspec:\n  containers:\n    - name: c\n", "false 4:7"},
		"a pod that is not started again": {
			"kind: Pod\nspec:\n  containers:\n    - name: c\n  restartPolicy: Never\n", "true 5:3",
		},
		"an init container": {"kind: Pod\nspec:\n  initContainers:\n    - name: c\n", "true 4:7"},
		"a sidecar":         {"kind: Pod\nspec:\n  initContainers:\n    - name: c\n      restartPolicy: Always\n", "false 5:7"},
	} {
		t.Run(name, func(t *testing.T) {
			got := one(t, c.text+"apiVersion: v1\nmetadata: {name: p}\n")
			p := got.RestartPosition
			if text := fmt.Sprintf("%v %d:%d", got.RunsOnce, p.Line, p.Column); text != c.want {
				t.Errorf("got %s, want %s", text, c.want)
			}
		})
	}
}

func TestRoleLabelOfNoContainer(t *testing.T) {
	_, problems := load(t, Options{}, "f.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: p, labels: {dsnlint.dev/role.x: other, dsnlint.dev/role.c: other}}\nspec: {containers: [{name: c}]}\n")
	if len(problems) != 1 || problems[0].Position.String() != "f.yaml:3:30" {
		t.Errorf("got %v", problems)
	}
}

// TestDecodeAgrees holds the decoder against sigs.k8s.io/yaml, on what both take.
func TestDecodeAgrees(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		into func() any
	}{
		"Deployment": {`
apiVersion: apps/v1
kind: Deployment
metadata: {name: d, labels: {a: "1", b: 'yes'}, creationTimestamp: null, generation: 0x10}
spec:
  replicas: 3
  paused: on
  strategy: {rollingUpdate: {maxSurge: 25%, maxUnavailable: 1}}
  template:
    spec:
      hostNetwork: no
      containers:
        - name: c
          ports: [{containerPort: 15}, {containerPort: 8_0}]
          resources: {limits: {cpu: 1, memory: 1Gi, x: "2"}}
          livenessProbe: {httpGet: {port: http}, periodSeconds: 1}
          env: [{name: A, value: "1"}, {name: B, value: text}, {name: C, valueFrom: {secretKeyRef: {name: s, key: k, optional: true}}}]
        - <<: {image: i}
          name: d
          env: []
          resources: &r {limits: {cpu: 1}}
        - {name: e, resources: *r}
      ephemeralContainers: [{name: e, image: i, targetContainerName: c}]
      volumes: [{name: v, projected: {sources: [{secret: {name: s}}]}}, {name: w, emptyDir: {sizeLimit: 1M}}]
status: {observedGeneration: 1, conditions: [{type: A, lastUpdateTime: "2024-01-02T03:04:05Z"}]}
`, func() any { return new(appsv1.Deployment) }},
		"Secret": {`
apiVersion: v1
kind: Secret
immutable: true
data: {a: aGk=, b: ""}
stringData: {c: "1"}
`, func() any { return new(corev1.Secret) }},
	} {
		t.Run(name, func(t *testing.T) {
			want, got := c.into(), c.into()
			if err := kyaml.UnmarshalStrict([]byte(c.text), want); err != nil {
				t.Fatal(err)
			}
			docs, problems := source.ParseDocuments("f.yaml", []byte(c.text))
			if len(problems) > 0 || len(docs) != 1 {
				t.Fatalf("got %d documents and %v", len(docs), problems)
			}
			l := loader{left: maxWork}
			decoder{loader: &l}.decode(at(&Object{Node: content(docs[0]), File: "f.yaml"}), got)
			if len(l.problems) > 0 {
				t.Errorf("got problems %v", l.problems)
			}
			if !reflect.DeepEqual(want, got) {
				t.Errorf("the decoders differ (-sigs.k8s.io/yaml +ours):\n%s", cmp.Diff(want, got))
			}
		})
	}
}
