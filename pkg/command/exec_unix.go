//go:build unix

package command

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

// become replaces this process with a command; it only returns on failure.
func become(command []string) error {
	name, err := exec.LookPath(command[0])
	if err != nil {
		return fmt.Errorf("cannot run the command: %w", err)
	}
	if err := syscall.Exec(name, command, os.Environ()); err != nil { //nolint:gosec // the command is what the user asks for
		return fmt.Errorf("cannot run %s: %w", name, err)
	}
	return nil
}
