// Package workflow escapes the parts of the workflow commands of GitHub Actions,
// so that no text can end a command or begin another; see
// https://docs.github.com/actions/reference/workflow-commands-for-github-actions.
package workflow

import "strings"

var (
	dataEscapes     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	propertyEscapes = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

// EscapeData escapes the data of a command, which follows the second pair of
// colons.
func EscapeData(s string) string { return dataEscapes.Replace(s) }

// EscapeProperty escapes the value of a property of a command.
func EscapeProperty(s string) string { return propertyEscapes.Replace(s) }
