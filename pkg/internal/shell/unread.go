package shell

import (
	"errors"

	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// Unread reports a script that cannot be read to its end; nil where it can.
func Unread(file, text string, severity manifest.Severity) *manifest.Problem {
	_, _, err := read(text)
	if err == nil {
		return nil
	}
	problem := &manifest.Problem{Severity: severity, Position: manifest.Position{File: file}, Cause: err}
	var broken *SyntaxError
	switch {
	case errors.As(err, &broken):
		problem.Position.Line, problem.Position.Column = broken.Line, broken.Column
		problem.Message = manifest.Say("cannot parse the script; what follows is not checked")
		problem.Hint = manifest.Say("expected a script of the shell that its first line names")
	case errors.Is(err, ErrTooBig):
		problem.Message = manifest.Say("the script is larger than %s KiB, the most that is read of one; it is not checked", manifest.Number(maxScript>>10))
		problem.Hint = manifest.Say("split it")
	case errors.Is(err, ErrNesting):
		problem.Message = manifest.Say("the script nests parentheses or braces more than %s levels deep; it is not checked", manifest.Number(maxNesting))
	default:
		problem.Message = manifest.Say("the script is not written for a shell; it is not checked")
	}
	return problem
}

// IsShell reports whether the first line of a script, if it names a program, names a
// shell.
func IsShell(text string) bool {
	interpreter := interpreterOf(text)
	return interpreter == "" || variantsOf(interpreter) != nil
}
