package rules

import (
	"github.com/derekg1729/dsnlint/pkg/contract"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

var provisioningRunsOnce = &Rule{
	ID:      "PROVISIONING_RUNS_ONCE",
	Level:   contract.LevelWarning,
	Summary: "The provisioner is not a step that runs once, before the runtime containers start.",
	Why: "Provisioning runs once at deploy and is done before the application starts. " +
		"A provisioner that restarts keeps the superuser's credentials alive in a running container, " +
		"and a runtime container that does not wait for its success may meet a database without its roles.",
	Fix:              "Make the provisioner a step that runs once (in Compose `restart: \"no\"`, in Kubernetes a Job or an initContainer, in Quadlet `Type=oneshot`), and let runtime containers start when it is done.",
	SecuritySeverity: 4.0,
	Check: func(p *Pass) {
		type member struct {
			project manifest.Project
			name    string
		}
		provisioners := map[member]bool{}
		for _, s := range p.Subjects {
			if s.Role != contract.Provisioner {
				continue
			}
			provisioners[member{s.Project, s.Name}] = true
			if !s.RunsOnce {
				p.Report(s, at(s.RestartPosition, manifest.Say("%s decides here whether it runs again", s.title()), Finding{
					Message: manifest.Say("%s restarts; provisioning must run once", s.title()),
					Fix:     s.Dialect.RunOnce,
				}))
			}
		}
		for _, s := range p.Subjects {
			if s.Role != contract.Runtime {
				continue
			}
			for _, dependency := range s.WaitsFor {
				if dependency.Completed || !provisioners[member{s.Project, dependency.Name}] {
					continue
				}
				p.Report(s, at(dependency.Position, manifest.Say("%s waits for %s", s.title(), manifest.Name(dependency.Name)), Finding{
					Message: manifest.Say("%s starts before %s is done", s.title(), manifest.Name(dependency.Name)),
					Fix:     s.Dialect.AwaitCompletion,
				}))
			}
		}
	},
}
