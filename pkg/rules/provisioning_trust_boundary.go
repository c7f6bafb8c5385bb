package rules

import (
	"github.com/derekg1729/dsnlint/pkg/contract"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

var provisioningTrustBoundary = &Rule{
	ID:      "PROVISIONING_TRUST_BOUNDARY",
	Level:   contract.LevelError,
	Summary: "A provisioning credential reaches a container outside the provisioning lane.",
	Why: "`DATABASE_ROOT_URL` and `POSTGRES_ROOT_*` open the database as its superuser: they create roles, grant privileges and bypass row-level security. " +
		"They belong to the provisioner, which runs once at deploy, and to the database server itself. " +
		"In any other container they turn every bug of that container into full access, whatever the variable is called that carries them.",
	Fix:              "Let the provisioner create a role with just the rights that this container needs, and give the container a DSN of that role.",
	SecuritySeverity: 9.5,
	Check: func(p *Pass) {
		for _, s := range p.Subjects {
			if s.Role == contract.Provisioner || s.Role == contract.Database {
				continue
			}
			for d, found := range p.received(s, p.Contract.IsProvisioning) {
				p.Report(s, deliver(d, found,
					manifest.Say("%s receives %s %s; provisioning credentials stay with the provisioner and the database", s.title(), names(found), way(d, found)),
					manifest.Say("give the container a DSN of a role of its own, created by the provisioner")))
			}
		}
	},
}
