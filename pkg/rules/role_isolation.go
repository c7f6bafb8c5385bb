package rules

import (
	"slices"

	"github.com/derekg1729/dsnlint/pkg/contract"
	"github.com/derekg1729/dsnlint/pkg/dsn"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

var roleIsolation = &Rule{
	ID:      "ROLE_ISOLATION",
	Level:   contract.LevelError,
	Summary: "The two DSNs of a container have the same username, or one has a superuser's.",
	Why: "`DATABASE_URL` is subject to row-level security and `DATABASE_SERVICE_URL` bypasses it. " +
		"With one username for both, every query bypasses it; with `postgres`, `root`, `admin` or `superuser` the runtime has the database's own administrator.",
	Fix:              "Give each DSN a role of its own that the provisioner creates.",
	SecuritySeverity: 8.0,
	Check: func(p *Pass) {
		for _, s := range p.Subjects {
			if s.Role == contract.Database {
				continue
			}
			app, hasApp := s.Env(p.Contract.Secrets.AppDSN)
			service, hasService := s.Env(p.Contract.Secrets.ServiceDSN)
			if hasApp {
				p.denied(s, app)
			}
			if hasService {
				p.denied(s, service)
			}
			if hasApp && hasService && sameUser(app.Expr, service.Expr) {
				f := deliver(manifest.Delivery{Channel: manifest.ChannelEnv, EnvVar: service}, nil,
					manifest.Say("%s and %s of %s have the same username", manifest.Name(app.Shown()), manifest.Name(service.Shown()), s.title()),
					manifest.Say("give each DSN a role of its own"))
				f.Provenance = append(f.Provenance, slices.Concat(service.Provenance[:1], app.Provenance))
				p.Report(s, f)
			}
		}
	},
}

func (p *Pass) denied(s Subject, v manifest.EnvVar) {
	for _, parsed := range dsn.ParseExpr(v.Expr) {
		if !slices.ContainsFunc(dsn.Texts(parsed.Username), p.Contract.IsDenied) {
			continue
		}
		p.Report(s, deliver(manifest.Delivery{Channel: manifest.ChannelEnv, EnvVar: v}, nil,
			manifest.Say("%s of %s has a username from the denylist: a superuser's", manifest.Name(v.Shown()), s.title()),
			manifest.Say("give the DSN a role that the provisioner creates")))
		return
	}
}

// sameUser tells whether two DSNs are known to have one username: because they
// are one and the same, because the username is built alike, or by its text.
func sameUser(a, b manifest.Expr) bool {
	if len(a) > 0 && dsn.Same(a, b) {
		return true
	}
	for _, x := range dsn.ParseExpr(a) {
		for _, y := range dsn.ParseExpr(b) {
			if len(x.Username) > 0 && dsn.Same(x.Username, y.Username) || shareText(x.Username, y.Username) {
				return true
			}
		}
	}
	return false
}

func shareText(a, b manifest.Expr) bool {
	texts := dsn.Texts(b)
	return slices.ContainsFunc(dsn.Texts(a), func(text string) bool {
		return text != "" && slices.Contains(texts, text)
	})
}
