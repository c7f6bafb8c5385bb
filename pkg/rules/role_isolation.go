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
	for _, username := range usernames(v.Expr) {
		if !slices.ContainsFunc(dsn.Texts(username), p.Contract.IsDenied) {
			continue
		}
		p.Report(s, deliver(manifest.Delivery{Channel: manifest.ChannelEnv, EnvVar: v}, nil,
			manifest.Say("%s of %s has a username from the denylist: a superuser's", manifest.Name(v.Shown()), s.title()),
			manifest.Say("give the DSN a role that the provisioner creates")))
		return
	}
}

// usernames returns those that a DSN may have.
func usernames(e manifest.Expr) []manifest.Expr {
	var found []manifest.Expr
	for _, parsed := range dsn.ParseExpr(e) {
		found = append(found, parsed.Username)
	}
	// ParseExpr passes over keywords that may be meant for another program, such as
	// user=x alone. Here the contract says that the text is a DSN.
	for _, text := range dsn.Texts(e) {
		if parsed, err := dsn.Parse(text); err == nil {
			found = append(found, manifest.Literal(parsed.Username))
		}
	}
	return found
}

// sameUser reports whether two DSNs are known to have one username: because they
// are one and the same and not empty, because the username is built alike, or by its text.
func sameUser(a, b manifest.Expr) bool {
	if dsn.Same(a, b) && !isBlank(a) {
		return true
	}
	for _, x := range usernames(a) {
		for _, y := range usernames(b) {
			if len(x) > 0 && dsn.Same(x, y) || shareText(x, y) {
				return true
			}
		}
	}
	return false
}

func isBlank(e manifest.Expr) bool {
	text, known := e.Eval().Reveal()
	return known && strings.TrimSpace(text) == ""
}

func shareText(a, b manifest.Expr) bool {
	texts := dsn.Texts(b)
	return slices.ContainsFunc(dsn.Texts(a), func(text string) bool {
		return text != "" && slices.Contains(texts, text)
	})
}
