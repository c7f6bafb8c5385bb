package quadlet

import (
	"strings"

	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// Dialect is that of Quadlet units; see
// https://docs.podman.io/en/latest/markdown/podman-systemd.unit.5.html.
var Dialect = &manifest.Dialect{
	Name:  "quadlet",
	Title: manifest.Say("Quadlet unit"),
	Sign:  manifest.Say("a Quadlet unit is a .container or .pod file with sections"),
	Keys: strings.Fields(`Annotation Container ContainerName Entrypoint Environment EnvironmentFile EnvironmentHost Exec
		HealthCmd HealthStartupCmd Image Label Mount Pod PodmanArgs ReloadCmd Restart Secret Service Type Unit Volume source
		target type`),
	Values:          strings.Fields(`env no always on-success on-failure oneshot notify true false`),
	RunOnce:         manifest.Say("set Type=oneshot and Restart=no in [Service]"),
	AwaitCompletion: manifest.Say("name its unit in After= and Requires=, and set Type=oneshot in that unit's [Service]"),
	Mention:         func(name, _ string) string { return "${" + name + "}" },
}
