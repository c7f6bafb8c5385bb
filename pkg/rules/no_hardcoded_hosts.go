package rules

import (
	"fmt"

	"github.com/derekg1729/dsnlint/pkg/contract"
	"github.com/derekg1729/dsnlint/pkg/dsn"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

var noHardcodedHosts = &Rule{
	ID:      "NO_HARDCODED_HOSTS",
	Level:   contract.LevelWarning,
	Summary: "A host or port of the database is written out in a DSN, a command or a script.",
	Why: "The provisioner and the CI scripts must run against any database: the one in the stack, a managed one, the one of a test. " +
		"Host and port are parsed from a DSN at run time or come through a variable of their own (`DB_HOST: postgres` in the provisioning lane is how it should be done). " +
		"A literal, and also a default such as `${DB_HOST:-postgres}`, silently points the wrong environment at the wrong database.",
	Fix:              "Pass the whole DSN through a variable, or take host and port from variables of their own without a default.",
	SecuritySeverity: 2.0,
	Examples: []Example{
		{
			Dialect: manifest.Compose,
			Bad: `services:
  scheduler-worker:
    image: example/worker
    environment:
      DATABASE_URL: postgresql://${SERVICE_USER}:${SERVICE_PASSWORD}@postgres:5432/app
`,
			Good: `services:
  scheduler-worker:
    image: example/worker
    environment:
      DATABASE_URL: ${DATABASE_SERVICE_URL}
`,
		},
		{
			Dialect: manifest.Kubernetes,
			Bad: `apiVersion: v1
kind: Pod
metadata:
  name: migrate
spec:
  containers:
    - name: migrate
      image: example/app
      env:
        - name: MIGRATE_PASSWORD
          valueFrom: {secretKeyRef: {name: database, key: MIGRATE_PASSWORD}}
        - name: DATABASE_URL
          value: postgresql://migrate:$(MIGRATE_PASSWORD)@postgres:5432/app
`,
			Good: `apiVersion: v1
kind: Pod
metadata:
  name: migrate
spec:
  containers:
    - name: migrate
      image: example/app
      env:
        - name: DATABASE_URL
          valueFrom: {secretKeyRef: {name: database, key: DATABASE_URL}}
`,
		},
	},
	check: func(p *pass) {
		for _, s := range p.subjects {
			if s.role != contract.Provisioner && s.role != contract.Runtime {
				continue
			}
			for _, d := range s.Deliveries() {
				if what := literalHost(d); what != "" {
					p.report(s, deliver(d, nil,
						fmt.Sprintf("%s receives a DSN with a literal %s %s", s.title(), what, place(d)),
						"pass the whole DSN through a variable, or take host and port from variables of their own"))
				}
			}
		}
	},
}

// literalHost says which of host and port of a DSN in a delivery is literal text
// of the manifest, a default included; it is empty where neither is.
func literalHost(d manifest.Delivery) string {
	if !inManifest(d.Position()) {
		return ""
	}
	host, port := false, false
	for _, parsed := range dsn.ParseExpr(d.Expr) {
		for _, h := range parsed.Hosts {
			host = host || isWritten(h.Name)
			port = port || isWritten(h.Port)
		}
	}
	switch {
	case host && port:
		return "host and port"
	case host:
		return "host"
	case port:
		return "port"
	}
	return ""
}

func isWritten(e manifest.Expr) bool {
	text, known := dsn.Written(e)
	return known && text != ""
}
