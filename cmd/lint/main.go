// Command lint is dsnlint under the name of its directory.
package main

import (
	"os"

	"github.com/derekg1729/dsnlint/pkg/command"
)

func main() { os.Exit(command.Main()) }
