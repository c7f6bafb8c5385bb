package rules

import (
	"slices"
	"strings"

	"github.com/derekg1729/dsnlint/pkg/contract"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

var containerEnvContract = &Rule{
	ID:      "CONTAINER_ENV_CONTRACT",
	Level:   contract.LevelWarning,
	Summary: "A runtime container lacks a DSN that its row of the contract demands, or holds a database variable that the row does not list.",
	Why: "The contract has a row for each runtime container: `app` gets both DSNs, `migrate` gets `DATABASE_URL`, " +
		"`scheduler-worker` gets the service DSN under either name. A container that lacks one fails at start-up; " +
		"one that holds another database variable has a second, unchecked way to the database.",
	Fix:              "Bring the container's environment in line with its row, or change the row under `containers` in the contract.",
	SecuritySeverity: 3.0,
	Check: func(p *Pass) {
		concerned := concernedProjects(p)
		for _, s := range p.Subjects {
			row, named := p.Contract.RowOf(s.Container)
			if !named || s.Role != contract.Runtime || !p.Contract.InForce && !concerned[s.Project] {
				continue
			}
			if !p.served(s, row) {
				p.lacks(s, row)
			}
			p.unlisted(s, row)
			p.mistaken(s, row)
		}
	},
}

// concernedProjects are those in which some container receives a variable that is the
// contract's alone; everybody has a DSN of the application, and a stranger's app owes us
// nothing.
func concernedProjects(p *Pass) map[manifest.Project]bool {
	own := func(name string) bool { return name == p.Contract.Secrets.ServiceDSN || p.forbidden(name) }
	concerned := map[manifest.Project]bool{}
	for _, s := range p.Subjects {
		if !concerned[s.Project] && p.receives(s, own) {
			concerned[s.Project] = true
		}
	}
	return concerned
}

// served reports whether a container that has its row by its workload's name need
// not have the DSNs itself, since another of the workload has them: a sidecar
// serves no row.
func (p *Pass) served(s Subject, row contract.Row) bool {
	if own, ok := p.Contract.RowOf(&manifest.Container{RoleNames: []string{s.Name}}); ok && own.Name == row.Name {
		return false
	}
	return slices.ContainsFunc(p.Subjects, func(other Subject) bool {
		if other.Project != s.Project || other.Workload != s.Workload || other.Container == s.Container {
			return false
		}
		same, ok := p.Contract.RowOf(other.Container)
		return ok && same.Name == row.Name && (other.MayHoldMore() || len(lacking(other, row)) == 0)
	})
}

// lacking lists what a row requires and a container does not have.
func lacking(s Subject, row contract.Row) []string {
	var lacking []string
	for _, alternatives := range row.Requires {
		has := func(name string) bool { return holds(s, name) }
		if !slices.ContainsFunc(strings.Split(alternatives, "|"), has) {
			lacking = append(lacking, strings.ReplaceAll(alternatives, "|", " or "))
		}
	}
	return lacking
}

// holds reports whether a container has a variable that is not empty, or a file that is
// named after it.
func holds(s Subject, name string) bool {
	if v, ok := s.Env(name); ok {
		return !isBlank(v.Expr)
	}
	return slices.ContainsFunc(s.Deliveries, func(d manifest.Delivery) bool {
		return d.Channel == manifest.ChannelFile && fileAsVariable(d.Name) == name
	})
}

func (p *Pass) lacks(s Subject, row contract.Row) {
	if s.MayHoldMore() {
		return
	}
	missing := lacking(s, row)
	if len(missing) == 0 {
		return
	}
	p.Report(s, at(s.Position, manifest.Say("environment of %s", s.title()), Finding{
		Message: manifest.Say("%s lacks %s", s.title(), enumerate(missing)),
		Fix:     manifest.Say("add it, or change the container's row in the contract"),
	}))
}

func (p *Pass) unlisted(s Subject, row contract.Row) {
	listed := slices.Clone(row.Allows)
	for _, alternatives := range row.Requires {
		listed = append(listed, strings.Split(alternatives, "|")...)
	}
	for _, d := range s.Deliveries {
		// What is forbidden outright is RUNTIME_DSN_ONLY's to say.
		if d.Channel != manifest.ChannelEnv || !p.Contract.IsDatabaseVariable(d.Name) || p.forbidden(d.Name) || slices.Contains(listed, d.Name) {
			continue
		}
		p.Report(s, deliver(d, nil,
			manifest.Say("%s holds the database variable %s, which its row in the contract does not list", s.title(), manifest.Name(d.Shown())),
			manifest.Say("remove it, or add it to allows in the container's row")))
	}
}

// mistaken reports variables whose value is another DSN than the row has there. Two with
// one value are ROLE_ISOLATION's to report.
func (p *Pass) mistaken(s Subject, row contract.Row) {
	dsns := p.Contract.Secrets
	app, _ := s.Env(dsns.AppDSN)
	service, _ := s.Env(dsns.ServiceDSN)
	if p.stands(app) == p.stands(service) && dsns.AppDSN != dsns.ServiceDSN {
		return
	}
	for _, name := range slices.Compact([]string{dsns.AppDSN, dsns.ServiceDSN}) {
		v, held := s.Env(name)
		is := p.stands(v)
		if !held || is == "" || p.forbidden(is) {
			continue
		}
		expected := row.Holds
		if expected == nil {
			expected = []string{name}
		}
		if slices.Contains(expected, is) {
			continue
		}
		p.Report(s, deliver(manifest.Delivery{Channel: manifest.ChannelEnv, EnvVar: v}, nil,
			manifest.Say("%s of %s is the DSN %s; its row in the contract expects %s", manifest.Name(v.Shown()), s.title(), manifest.Name(is), enumerate(expected)),
			manifest.Say("build it from %s, or change holds in the container's row", enumerate(expected))))
	}
}
