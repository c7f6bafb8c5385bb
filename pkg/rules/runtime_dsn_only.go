package rules

import (
	"github.com/derekg1729/dsnlint/pkg/contract"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

var runtimeDSNOnly = &Rule{
	ID:      "RUNTIME_DSN_ONLY",
	Level:   contract.LevelError,
	Summary: "A runtime container receives a database variable other than its DSNs.",
	Why: "Runtime containers serve traffic and run jobs; they receive `DATABASE_URL` and `DATABASE_SERVICE_URL` and nothing else. " +
		"With a component variable (`APP_DB_*`) a second place decides where the database is, and the two drift apart; " +
		"with a provisioning credential a bug in the application reaches every role and every row.",
	Fix: "Remove the entry, or build the value from the container's own DSN. " +
		"What needs the component variables or the superuser belongs into the provisioner.",
	SecuritySeverity: 8.5,
	Check: func(p *Pass) {
		for _, s := range p.Subjects {
			if s.Role != contract.Runtime {
				continue
			}
			for d, found := range p.received(s, p.forbidden) {
				p.Report(s, deliver(d, found,
					manifest.Say("%s receives %s %s; a runtime container gets its DSNs only", s.title(), names(found), way(d, found)),
					manifest.Say("remove it, or use %s or %s instead", manifest.Name(p.Contract.Secrets.AppDSN), manifest.Name(p.Contract.Secrets.ServiceDSN))))
			}
		}
	},
}

// forbidden reports whether a runtime container may not have a variable.
func (p *Pass) forbidden(name string) bool {
	return p.Contract.IsProvisioning(name) || p.Contract.IsComponent(name)
}
