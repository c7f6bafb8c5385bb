package linter

import (
	"github.com/derekg1729/dsnlint/pkg/loaders/engine"
	"github.com/derekg1729/dsnlint/pkg/loaders/helm"
	"github.com/derekg1729/dsnlint/pkg/loaders/kustomize"
)

// Engines returns the engines of all loaders by name, for a process that runs
// nothing else.
func Engines() engine.InProcess {
	return engine.InProcess{helm.EngineName: helm.Engine, kustomize.EngineName: kustomize.Engine}
}
