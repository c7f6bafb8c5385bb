package linter

import (
	"github.com/derekg1729/dsnlint/pkg/loaders"
	"github.com/derekg1729/dsnlint/pkg/loaders/compose"
	"github.com/derekg1729/dsnlint/pkg/loaders/engine"
	"github.com/derekg1729/dsnlint/pkg/loaders/helm"
	"github.com/derekg1729/dsnlint/pkg/loaders/kubernetes"
	"github.com/derekg1729/dsnlint/pkg/loaders/kustomize"
	"github.com/derekg1729/dsnlint/pkg/loaders/quadlet"
	"github.com/derekg1729/dsnlint/pkg/loaders/script"
)

// dialects is the list of all loaders. The first that recognizes a file takes it, so
// that those which go by a name come before those which go by the content.
func dialects(objects kubernetes.Options, values []helm.ValuesFile, project compose.Options, runner engine.Runner) []loaders.Loader {
	return []loaders.Loader{
		script.Loader{},
		quadlet.Loader{},
		helm.Loader{Options: helm.Options{Values: values, Kubernetes: objects, Runner: runner}},
		kustomize.Loader{Options: kustomize.Options{Kubernetes: objects, Runner: runner}},
		compose.Loader{Options: project},
		kubernetes.Loader{Options: objects},
	}
}

// Engines returns the engines of all loaders by name, for a process that runs
// nothing else.
func Engines() engine.InProcess {
	return engine.InProcess{helm.EngineName: helm.Engine, kustomize.EngineName: kustomize.Engine}
}
