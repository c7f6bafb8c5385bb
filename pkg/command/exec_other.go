//go:build !unix

package command

import "errors"

// become would replace this process with a command, which only Unix can do.
func become([]string) error {
	return errors.New("this system cannot replace a process; run the command yourself after dsnlint env")
}
