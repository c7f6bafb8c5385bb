package rules

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/derekg1729/dsnlint/pkg/contract"
	"github.com/derekg1729/dsnlint/pkg/dsn"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

var roleIsolation = &Rule{
	ID:      "ROLE_ISOLATION",
	Level:   contract.LevelError,
	Summary: "Two of the contract's DSNs have the same username, or a DSN of a runtime container has a superuser's.",
	Why: "`DATABASE_URL` is subject to row-level security and `DATABASE_SERVICE_URL` bypasses it. " +
		"With one username for both, every query bypasses it; with `postgres`, `root`, `admin` or `superuser` the runtime has the database's own administrator.",
	Fix:              "Give each DSN a role of its own that the provisioner creates.",
	SecuritySeverity: 8.0,
	Check: func(p *Pass) {
		lanes := p.lanes()
		for _, s := range p.Subjects {
			if s.Role == contract.Database {
				continue
			}
			own := p.ownDSNs(s)
			for _, h := range own {
				p.denied(s, manifest.Delivery{Channel: manifest.ChannelEnv, EnvVar: h.v}, h.users)
			}
			if s.Role == contract.Runtime {
				p.othersDenied(s)
			}
			if len(own) == 2 && own[0].meets(own[1]) {
				p.same(own[1], own[0])
				continue
			}
			if s.Role == contract.Runtime || s.Role == contract.Provisioner {
				p.acrossContainers(own, lanes[s.Project])
			}
		}
	},
}

// heldDSN is a DSN of the contract in a container.
type heldDSN struct {
	s     Subject
	v     manifest.EnvVar
	users users
	// is names the DSN of the contract that it is.
	is string
}

// ownDSNs are the DSN of the application and that of the service in a container, as the
// variables are called.
func (p *Pass) ownDSNs(s Subject) []heldDSN {
	var own []heldDSN
	for _, name := range slices.Compact([]string{p.Contract.Secrets.AppDSN, p.Contract.Secrets.ServiceDSN}) {
		v, ok := s.Env(name)
		if !ok {
			continue
		}
		h := heldDSN{s: s, v: v, users: usersOf(v.Expr), is: cmp.Or(p.stands(v), name)}
		if row, ok := p.Contract.RowOf(s.Container); ok && p.stands(v) == "" && len(row.Holds) == 1 {
			h.is = row.Holds[0]
		}
		own = append(own, h)
	}
	return own
}

// meets reports whether two DSNs are known to have the same username, or are the same.
func (h heldDSN) meets(other heldDSN) bool {
	if dsn.Same(h.v.Expr, other.v.Expr) && !isBlank(h.v.Expr) {
		return true
	}
	for username := range h.users {
		if other.users[username] {
			return true
		}
	}
	return false
}

// lane holds the first container of a project that has a username, for the DSN of the
// application in the runtime and for the superuser's in the provisioner.
type lane struct{ app, root map[user]heldDSN }

func (p *Pass) lanes() map[manifest.Project]lane {
	lanes := map[manifest.Project]lane{}
	for _, s := range p.Subjects {
		l, ok := lanes[s.Project]
		if !ok {
			l = lane{map[user]heldDSN{}, map[user]heldDSN{}}
			lanes[s.Project] = l
		}
		add := func(to map[user]heldDSN, h heldDSN) {
			for username := range h.users {
				_, known := to[username]
				if !known && (!username.text || !p.Contract.IsDenied(username.name)) { // one that is denied is reported as such
					to[username] = h
				}
			}
		}
		switch s.Role {
		case contract.Runtime:
			for _, h := range p.ownDSNs(s) {
				if h.is == p.Contract.Secrets.AppDSN {
					add(l.app, h)
				}
			}
		case contract.Provisioner:
			if v, ok := s.Env(p.Contract.Secrets.RootDSN); ok {
				add(l.root, heldDSN{s: s, v: v, users: usersOf(v.Expr)})
			}
		case contract.Database, contract.Other:
		}
	}
	return lanes
}

// acrossContainers compares the DSNs of a container with those that others of its
// project have.
func (p *Pass) acrossContainers(own []heldDSN, l lane) {
	for _, h := range own {
		for _, username := range h.users.sorted() {
			if root, ok := l.root[username]; ok {
				p.same(h, root)
				break
			}
			app, ok := l.app[username]
			if ok && h.s.Role == contract.Runtime && h.is == p.Contract.Secrets.ServiceDSN && h.is != app.is {
				p.same(h, app)
				break
			}
		}
	}
}

// same reports a DSN with the username of another.
func (p *Pass) same(h, other heldDSN) {
	whose := manifest.Say("%s and %s of %s have the same username", manifest.Name(other.v.Shown()), manifest.Name(h.v.Shown()), h.s.title())
	if other.s.Container != h.s.Container {
		whose = manifest.Say("%s of %s has the same username as %s of %s",
			manifest.Name(h.v.Shown()), h.s.title(), manifest.Name(other.v.Shown()), other.s.title())
	}
	f := deliver(manifest.Delivery{Channel: manifest.ChannelEnv, EnvVar: h.v}, nil, whose, manifest.Say("give each DSN a role of its own"))
	f.Provenance = append(f.Provenance, slices.Concat(h.v.Provenance[:1], other.v.Provenance))
	p.Report(h.s, f)
}

// denied reports a DSN with a username that the contract denies.
func (p *Pass) denied(s Subject, d manifest.Delivery, u users) {
	for username := range u {
		if username.text && p.Contract.IsDenied(username.name) {
			what := manifest.Say("%s of %s has", manifest.Name(d.Shown()), s.title())
			if d.Channel != manifest.ChannelEnv {
				what = manifest.Say("%s has a DSN %s with", s.title(), place(d))
			}
			p.Report(s, deliver(d, nil, manifest.Say("%s a username from the denylist: a superuser's", what),
				manifest.Say("give the DSN a role that the provisioner creates")))
			return
		}
	}
}

// othersDenied looks at the DSNs that a container has besides those of the contract.
func (p *Pass) othersDenied(s Subject) {
	dsns := p.Contract.DSNs()
	for _, d := range s.Deliveries {
		// What is forbidden outright is RUNTIME_DSN_ONLY's to say.
		if d.Channel == manifest.ChannelEnv && !d.Aside && slices.Contains(dsns, d.Name) || p.forbidden(d.Name) {
			continue
		}
		p.denied(s, d, parsedUsers(d.Expr))
	}
}

// user is a username: its text, or what it is built from. It may be a secret.
type user struct {
	name string
	text bool
}

// users are the usernames that the DSNs of a value may have. A value may hold
// thousands of DSNs, so that they are compared as sets.
type users map[user]bool

func (u users) sorted() []user {
	return slices.SortedFunc(maps.Keys(u), func(a, b user) int { return strings.Compare(a.name, b.name) })
}

// parsedUsers returns the usernames of the DSNs in a value.
func parsedUsers(e manifest.Expr) users {
	u := users{}
	for _, parsed := range dsn.ParseExpr(e) {
		for _, username := range []manifest.Expr{parsed.Username, parsed.Overridden} {
			for _, text := range dsn.Texts(username) {
				u[user{text, true}] = true
			}
			isRef := func(part manifest.Part) bool { return part.Ref != nil }
			if key, known := dsn.Key(username); known && slices.ContainsFunc(username, isRef) {
				u[user{key, false}] = true
			}
		}
	}
	delete(u, user{"", true})
	return u
}

// usersOf returns the usernames of a value that the contract says is a DSN: ParseExpr
// passes over keywords that may be meant for another program, such as user=x alone.
func usersOf(e manifest.Expr) users {
	u := parsedUsers(e)
	for _, text := range dsn.Texts(e) {
		if parsed, err := dsn.Parse(text); err == nil {
			u[user{parsed.Username, true}], u[user{parsed.Overridden, true}] = true, true
		}
	}
	delete(u, user{"", true})
	return u
}

func isBlank(e manifest.Expr) bool {
	text, known := e.Eval().Reveal()
	return known && strings.TrimSpace(text) == ""
}
