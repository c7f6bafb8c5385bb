package kubernetes

import (
	"strings"

	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// Dialect is that of Kubernetes objects; see
// https://kubernetes.io/docs/concepts/overview/working-with-objects/.
var Dialect = &manifest.Dialect{
	Name:  "kubernetes",
	Title: manifest.Say("Kubernetes manifest"),
	Sign:  manifest.Say("a Kubernetes manifest has apiVersion and kind"),
	Keys: strings.Fields(`annotations args command configMap configMapKeyRef configMapRef containers data env envFrom
		ephemeralContainers initContainers items labels lifecycle literals livenessProbe metadata name postStart preStop
		projected readinessProbe restartPolicy secret secretKeyRef secretName secretRef sources spec startupProbe
		stringData template value valueFrom volumeMounts volumes`),
	Values:          strings.Fields(`Always OnFailure Never {} []`),
	RunOnce:         manifest.Say("make it a Job or an initContainer"),
	AwaitCompletion: manifest.Say("make it an initContainer of the same pod"),
	Mention:         func(name, _ string) string { return "$(" + name + ")" },
}
