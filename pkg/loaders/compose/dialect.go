package compose

import (
	"regexp"
	"strings"

	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// Dialect is that of Compose files; see
// https://github.com/compose-spec/compose-spec/blob/main/spec.md.
var Dialect = &manifest.Dialect{
	Name:  "compose",
	Title: manifest.Say("Compose file"),
	Sign:  manifest.Say("a Compose file has services"),
	Keys: strings.Fields(`annotations args build command condition configs depends_on entrypoint env_file environment
		healthcheck labels name restart secrets services source test volumes`),
	Values: strings.Fields(`no always on-failure unless-stopped
		service_started service_healthy service_completed_successfully {} []`),
	RunOnce:         manifest.Say(`set restart: "no"`),
	AwaitCompletion: manifest.Say("wait for it with condition: service_completed_successfully"),
	Mention: func(name, withDefault string) string {
		if !conventional.MatchString(name) {
			name = manifest.Masked
		}
		if withDefault != "" {
			return "${" + name + ":-" + withDefault + "}"
		}
		return "${" + name + "}"
	},
}

// conventional is the form of a variable's name by convention. What looks like
// another name may be a part of a value with a dollar sign in it.
var conventional = regexp.MustCompile(`^[A-Z_][A-Z0-9_]*$`)
