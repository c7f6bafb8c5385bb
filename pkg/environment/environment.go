// Package environment checks the variables of a process, or those of an env file,
// against the contract, outside of manifests: in CI before a deployment, and at the
// start of a container. It puts the variables into the normal form, so that the rules
// judge them like those of any container, and adds what only values can tell: a DSN
// that is missing, empty or not a DSN, or that has no username.
package environment

import (
	"errors"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/derekg1729/dsnlint/pkg/contract"
	"github.com/derekg1729/dsnlint/pkg/internal/envfile"
	"github.com/derekg1729/dsnlint/pkg/internal/interp"
	"github.com/derekg1729/dsnlint/pkg/manifest"
	"github.com/derekg1729/dsnlint/pkg/rules"
)

// Dialect is that of the containers this package makes.
var Dialect = &manifest.Dialect{Name: "environment"}

// Variables are named values and the places they are given at.
type Variables struct {
	// file is empty for the environment of a process.
	file   string
	values map[string]manifest.Value
	lines  map[string]int
}

// FromProcess takes variables in the form NAME=VALUE, as os.Environ gives them.
func FromProcess(environ []string) *Variables {
	v := &Variables{values: map[string]manifest.Value{}}
	for _, entry := range environ {
		if name, value, ok := strings.Cut(entry, "="); ok && name != "" {
			v.values[name] = manifest.Known(value)
		}
	}
	return v
}

// maxValues bounds the values of an env file taken together. A single one is
// bounded by the interpolation: with A=$B$B, B=$C$C and so on, forty lines are
// more than any memory holds.
const maxValues = 16 << 20

// FromFile reads an env file in Compose's dotenv syntax. The file alone counts:
// a variable that it mentions and does not set is empty. The error is a
// [*manifest.Problem].
func FromFile(name string, data []byte) (*Variables, error) {
	v := &Variables{file: name, values: map[string]manifest.Value{}, lines: map[string]int{}}
	lookup := func(name string) (string, bool) { return v.values[name].Reveal() }
	entries, err := envfile.Parse(name, data)
	if broken := (*envfile.Error)(nil); errors.As(err, &broken) {
		return nil, v.invalid(broken.Position.Line, err)
	}
	size := 0
	for _, entry := range entries {
		if entry.Inherited {
			continue
		}
		value := entry.Text
		if !entry.Literal {
			template, err := interp.Parse(value)
			if err != nil || template.Unmet(lookup) {
				return nil, v.invalid(entry.Position.Line, err)
			}
			value, _, err = template.Eval(lookup)
			switch {
			case errors.Is(err, interp.ErrTooLong):
				return nil, v.outgrown(entry.Position.Line)
			case err != nil:
				return nil, v.invalid(entry.Position.Line, err)
			}
		}
		if size += len(value); size > maxValues {
			return nil, v.outgrown(entry.Position.Line)
		}
		v.values[entry.Name], v.lines[entry.Name] = manifest.Known(value), entry.Position.Line
	}
	return v, nil
}

func (v *Variables) invalid(line int, cause error) *manifest.Problem {
	return &manifest.Problem{
		Severity: manifest.Error,
		Position: manifest.Position{File: v.file, Line: line},
		Message:  manifest.Say("invalid env file: expected NAME=VALUE on each line, with quotes closed and $ references complete"),
		Hint:     manifest.Say("enclose values that hold a $ or a quote in single quotes"),
		Cause:    cause,
	}
}

func (v *Variables) outgrown(line int) *manifest.Problem {
	return &manifest.Problem{
		Severity: manifest.Error,
		Position: manifest.Position{File: v.file, Line: line},
		Message:  manifest.Say("the values of variables that refer to one another grow too long: more than 1 MiB for one or %s MiB in all", manifest.Number(maxValues>>20)),
		Hint:     manifest.Say("write the value out, or refer to fewer variables"),
	}
}

// reveal returns the text of a variable that is set and not empty.
func (v *Variables) reveal(name string) (text string, ok bool) {
	text, _ = v.values[name].Reveal()
	return text, strings.TrimSpace(text) != ""
}

func (v *Variables) position(name string) manifest.Position {
	return manifest.Position{File: v.file, Line: v.lines[name]}
}

func (v *Variables) origin() manifest.Text {
	if v.file == "" {
		return manifest.Say("environment of the process")
	}
	return manifest.Say("env file")
}

// container is the normal form of the variables. Their values are seen through
// references, since they come from outside: as literal text they would be in
// a manifest.
func (v *Variables) container(role contract.Role, name string) manifest.Container {
	id := path.Join("process", name, name)
	c := manifest.Container{
		Dialect:       Dialect,
		ID:            id,
		QualifiedName: id,

		Project:   manifest.Project{Source: v.file},
		Workload:  manifest.Workload{Kind: "process", Name: name},
		Name:      name,
		Position:  manifest.Position{File: v.file},
		RoleNames: []string{name},
		RoleLabel: string(role),
		// The process that is checked does not say whether it runs again.
		RunsOnce: true,
	}
	env := map[string]manifest.EnvVar{}
	for name, value := range v.values {
		text, _ := value.Reveal()
		env[name] = manifest.EnvVar{
			Name:       name,
			Value:      value,
			Expr:       manifest.Expr{{Ref: &manifest.Ref{Name: name, Kind: manifest.RefVariable, Value: manifest.Literal(text)}}},
			Provenance: []manifest.Step{{Position: v.position(name), Text: manifest.Say("%s in the %s", manifest.Name(name), v.origin())}},
		}
	}
	c.Deliveries = manifest.Deliveries(env, nil)
	return c
}

// CheckProcess judges variables as those that a container of this role and name
// has received. The findings come in a fixed order and hold no value.
func CheckProcess(c *contract.Contract, v *Variables, role contract.Role, name string) []rules.Finding {
	container := v.container(role, name)
	check := checker{contract: c, variables: v, container: &container, role: role}
	row, _ := c.RowOf(&container)
	for _, alternatives := range row.Requires {
		check.required(strings.Split(alternatives, "|"))
	}
	for _, name := range []string{c.Secrets.AppDSN, c.Secrets.ServiceDSN} {
		check.dsn(name)
	}
	check.apply(rules.All)
	// That a DSN lacks is said more strictly above: nothing is unknown of the values
	// that a process has.
	check.findings = slices.DeleteFunc(check.findings, func(f rules.Finding) bool {
		return f.Rule.ID == containerEnvContract && f.Variable == ""
	})
	return check.findings
}

// CheckDSNs judges the DSNs that a lane deploys with: those of the two runtime
// roles, and for the provisioner also the superuser's. Nothing else in v is
// looked at, since the job that deploys may well hold credentials of both lanes.
func CheckDSNs(c *contract.Contract, v *Variables, lane contract.Role) []rules.Finding {
	names := []string{c.Secrets.AppDSN, c.Secrets.ServiceDSN}
	if lane == contract.Provisioner {
		names = append(names, c.Secrets.RootDSN)
	}
	own := *v
	own.values = maps.Clone(v.values)
	maps.DeleteFunc(own.values, func(name string, _ manifest.Value) bool { return !slices.Contains(names, name) })
	container := own.container(lane, "environment")
	check := checker{contract: c, variables: &own, container: &container, role: lane}
	for _, name := range names {
		check.required([]string{name})
		check.dsn(name)
	}
	check.apply([]*rules.Rule{rules.Lookup(rules.All, roleIsolation)})
	return check.findings
}
