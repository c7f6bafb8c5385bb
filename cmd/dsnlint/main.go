// Command dsnlint checks Compose files and Kubernetes manifests against a database
// contract.
package main

import (
	"os"

	"github.com/derekg1729/dsnlint/pkg/command"
)

func main() { os.Exit(command.Main()) }
