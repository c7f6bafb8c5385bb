package rules

import (
	"cmp"
	"fmt"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/derekg1729/dsnlint/pkg/contract"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// ruleTest is a case of a rule: containers, and the findings as CONTAINER VARIABLE
// POSITION, with - for no variable.
type ruleTest struct {
	name       string
	containers []manifest.Container
	want       []string
	// adapt changes the built-in contract; nil for none.
	adapt func(*contract.Contract)
}

// testRule runs one rule alone.
func testRule(t *testing.T, rule *Rule, tests []ruleTest) {
	t.Helper()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := contract.Builtin()
			if test.adapt != nil {
				test.adapt(c)
			}
			found := Check(c, test.containers, []*Rule{rule})
			if diff := gocmp.Diff(test.want, rows(found)); diff != "" {
				t.Errorf("findings differ (-want +got):\n%s", diff)
			}
			for _, f := range found {
				if f.Rule != rule || f.Level != rule.Level {
					t.Errorf("a finding of %s at level %s", f.Rule.ID, f.Level)
				}
				if f.Message.IsZero() || f.Fix.IsZero() || len(f.Provenance) == 0 || f.Provenance[0][0].Position != f.Position {
					t.Errorf("a finding lacks a message or a fix, or its provenance does not begin at its position: %s", f.Message)
				}
			}
		})
	}
}

func rows(findings []Finding) []string {
	var list []string
	for _, f := range findings {
		list = append(list, fmt.Sprintf("%s %s %s", f.Container.Name, cmp.Or(f.Variable, "-"), f.Position))
	}
	return list
}

// container makes a container whose role is that of its name. It is on line 1, and
// does not run again.
func container(name string, deliveries ...manifest.Delivery) manifest.Container {
	env := map[string]manifest.EnvVar{}
	var rest []manifest.Delivery
	for _, d := range deliveries {
		if d.Channel == manifest.ChannelEnv {
			env[d.Name] = d.EnvVar
		} else {
			rest = append(rest, d)
		}
	}
	return manifest.Container{
		Dialect: &manifest.Dialect{RunOnce: manifest.Say("run it once"), AwaitCompletion: manifest.Say("wait for it")},
		Name:    name, RoleNames: []string{name}, QualifiedName: name, Position: line(1), RunsOnce: true,
		Deliveries: manifest.Deliveries(env, rest),
	}
}

func one(c manifest.Container) []manifest.Container { return []manifest.Container{c} }

// with changes a container.
func with(c manifest.Container, change func(*manifest.Container)) manifest.Container {
	change(&c)
	return c
}

// opaque is a container that imports a Secret whose keys are not known.
func opaque(name string, deliveries ...manifest.Delivery) manifest.Container {
	return with(container(name, deliveries...), func(c *manifest.Container) {
		c.Opaque = []manifest.OpaqueImport{{Kind: "Secret", Name: "s", Channel: manifest.ChannelEnv, Provenance: steps(line(9))}}
	})
}

func line(n int) manifest.Position { return manifest.Position{File: "f.yaml", Line: n, Column: 5} }

func steps(positions ...manifest.Position) []manifest.Step {
	var list []manifest.Step
	for _, pos := range positions {
		list = append(list, manifest.Step{Position: pos, Text: manifest.Say("step")})
	}
	return list
}

// env is a variable at a line, of unknown value unless there are parts.
func env(n int, name string, parts ...manifest.Part) manifest.Delivery {
	return by(manifest.ChannelEnv, n, name, parts...)
}

func by(channel manifest.Channel, n int, name string, parts ...manifest.Part) manifest.Delivery {
	return manifest.Delivery{Channel: channel, EnvVar: manifest.EnvVar{Name: name, Expr: parts, Provenance: steps(line(n))}}
}

// moved puts a delivery into another file.
func moved(d manifest.Delivery, file string) manifest.Delivery {
	pos := d.Position()
	pos.File = file
	d.Provenance = fileSteps(pos)
	return d
}

// fileSteps leads to a place in a file, which is an env file where it is named so.
func fileSteps(pos manifest.Position) []manifest.Step {
	all := steps(pos)
	all[0].EnvFile = strings.HasSuffix(pos.File, ".env")
	return all
}

func text(s string) manifest.Part { return manifest.Part{Literal: manifest.Known(s)} }

// ref mentions a variable, which stands for the parts; for something unknown with none.
func ref(name string, parts ...manifest.Part) manifest.Part {
	return manifest.Part{Ref: &manifest.Ref{Name: name, Kind: manifest.RefVariable, Value: parts}}
}

// defined mentions a variable that is defined in a file.
func defined(name, file string, parts ...manifest.Part) manifest.Part {
	part := ref(name, parts...)
	part.Ref.Steps = fileSteps(manifest.Position{File: file, Line: 1, Column: 1})
	return part
}

// or mentions a variable with a default.
func or(name string, parts ...manifest.Part) manifest.Part {
	return manifest.Part{Ref: &manifest.Ref{Name: name, Kind: manifest.RefVariable, Default: parts}}
}

func p1(c *contract.Contract) { c.Phase = contract.P1 }

// runOne runs one rule on one container.
func runOne(t *testing.T, rule *Rule, c manifest.Container) []Finding {
	t.Helper()
	return Check(contract.Builtin(), []manifest.Container{c}, []*Rule{rule})
}

// testOnFile tests a rule on something other than containers, by what makes its
// findings for line 3 of f.yaml: it has the level that the contract gives it, and none
// where that is off.
func testOnFile(t *testing.T, rule *Rule, find func(*contract.Contract) []Finding) {
	t.Helper()
	for level, want := range map[contract.Level][]string{
		"":                 {"f.yaml - f.yaml:3:5"},
		contract.LevelNote: {"f.yaml - f.yaml:3:5"},
		contract.LevelOff:  nil,
	} {
		c := contract.Builtin()
		c.Rules = map[string]contract.Level{rule.ID: level}
		found := find(c)
		if diff := gocmp.Diff(want, rows(found)); diff != "" {
			t.Errorf("level %q: findings differ (-want +got):\n%s", level, diff)
		}
		for _, f := range found {
			if f.Rule != rule || f.Level != cmp.Or(level, rule.Level) || f.Role != contract.Other || f.Message.IsZero() || f.Fix.IsZero() {
				t.Errorf("level %q: a finding of %s at level %s: %s", level, f.Rule.ID, f.Level, f.Message)
			}
		}
	}
	if found := runOne(t, rule, container("web", env(2, "POSTGRES_ROOT_PASSWORD"))); len(found) > 0 {
		t.Errorf("the rule judges containers: %v", rows(found))
	}
}
