package rules

import (
	"slices"
	"strings"

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
			appUsers, serviceUsers := usersOf(app.Expr), usersOf(service.Expr)
			if hasApp {
				p.denied(s, app, appUsers)
			}
			if hasService {
				p.denied(s, service, serviceUsers)
			}
			same := dsn.Same(app.Expr, service.Expr) && !isBlank(app.Expr) || appUsers.meet(serviceUsers)
			if hasApp && hasService && same {
				f := deliver(manifest.Delivery{Channel: manifest.ChannelEnv, EnvVar: service}, nil,
					manifest.Say("%s and %s of %s have the same username", manifest.Name(app.Shown()), manifest.Name(service.Shown()), s.title()),
					manifest.Say("give each DSN a role of its own"))
				f.Provenance = append(f.Provenance, slices.Concat(service.Provenance[:1], app.Provenance))
				p.Report(s, f)
			}
		}
	},
}

func (p *Pass) denied(s Subject, v manifest.EnvVar, u users) {
	for username := range u.known {
		if p.Contract.IsDenied(username) {
			p.Report(s, deliver(manifest.Delivery{Channel: manifest.ChannelEnv, EnvVar: v}, nil,
				manifest.Say("%s of %s has a username from the denylist: a superuser's", manifest.Name(v.Shown()), s.title()),
				manifest.Say("give the DSN a role that the provisioner creates")))
			return
		}
	}
}

// users are the usernames that the DSNs of a value may have. A value may hold
// thousands of DSNs, so that their texts are compared as sets.
type users struct {
	known map[string]bool
	// built are those that are made of references.
	built []manifest.Expr
}

func usersOf(e manifest.Expr) users {
	u := users{known: map[string]bool{}}
	for _, parsed := range dsn.ParseExpr(e) {
		for _, text := range dsn.Texts(parsed.Username) {
			u.known[text] = true
		}
		if slices.ContainsFunc(parsed.Username, func(part manifest.Part) bool { return part.Ref != nil }) {
			u.built = append(u.built, parsed.Username)
		}
	}
	// ParseExpr passes over keywords that may be meant for another program, such as
	// user=x alone. Here the contract says that the text is a DSN.
	for _, text := range dsn.Texts(e) {
		if parsed, err := dsn.Parse(text); err == nil {
			u.known[parsed.Username] = true
		}
	}
	delete(u.known, "")
	return u
}

// meet reports whether a username is known to be in both: by its text, or because
// it is built alike.
func (u users) meet(others users) bool {
	for username := range u.known {
		if others.known[username] {
			return true
		}
	}
	return slices.ContainsFunc(u.built, func(x manifest.Expr) bool {
		return slices.ContainsFunc(others.built, func(y manifest.Expr) bool { return dsn.Same(x, y) })
	})
}

func isBlank(e manifest.Expr) bool {
	text, known := e.Eval().Reveal()
	return known && strings.TrimSpace(text) == ""
}
