package environment

import (
	"errors"
	"slices"
	"strings"

	"github.com/derekg1729/dsnlint/pkg/contract"
	"github.com/derekg1729/dsnlint/pkg/dsn"
	"github.com/derekg1729/dsnlint/pkg/internal/workflow"
	"github.com/derekg1729/dsnlint/pkg/manifest"
	"github.com/derekg1729/dsnlint/pkg/rules"
)

// The rules that this package's own findings belong to.
const (
	roleIsolation        = "ROLE_ISOLATION"
	containerEnvContract = "CONTAINER_ENV_CONTRACT"
)

// checker gathers findings on one container.
type checker struct {
	contract  *contract.Contract
	variables *Variables
	container *manifest.Container
	role      contract.Role
	findings  []rules.Finding
}

// report adds a finding. A DSN that is not there or cannot be checked is an
// error whatever level its rule has for manifests: it is what these checks are
// for.
func (c *checker) report(id, variable string, message, fix manifest.Text) {
	position, step := c.container.Position, c.variables.origin()
	if v, ok := c.container.Env(variable); ok {
		position, step = v.Position(), v.Provenance[0].Text
	}
	c.findings = append(c.findings, rules.Finding{
		Rule:       rules.Lookup(rules.All, id),
		Level:      contract.LevelError,
		Container:  c.container,
		Role:       c.role,
		Channel:    manifest.ChannelEnv,
		Variable:   variable,
		Message:    message,
		Fix:        fix,
		Position:   position,
		Provenance: [][]manifest.Step{{{Position: position, Text: step}}},
	})
}

// required reports if none of the names is set to something.
func (c *checker) required(names []string) {
	state := manifest.Say("is not set")
	for _, name := range names {
		if _, ok := c.variables.reveal(name); ok {
			return
		}
		if _, set := c.variables.values[name]; set {
			state = manifest.Say("is empty")
		}
	}
	c.report(containerEnvContract, names[0],
		manifest.Say("%s %s in the %s", manifest.Join(manifest.Names(names), " or "), state, c.variables.origin()),
		manifest.Say("set it to the DSN of its own role"))
}

// dsn reports a DSN that cannot be read or names no user.
func (c *checker) dsn(name string) {
	text, ok := c.variables.reveal(name)
	if !ok {
		return
	}
	parsed, err := dsn.Parse(text)
	var broken *dsn.Error
	switch {
	case errors.As(err, &broken):
		c.report(roleIsolation, name, manifest.Say("%s %s", manifest.Name(name), broken.Reason()), manifest.Say("write it as postgresql://USER:PASSWORD@HOST:PORT/DATABASE with user and password percent-encoded"))
	case parsed.Username == "":
		c.report(roleIsolation, name, manifest.Say("%s has no username", manifest.Name(name)), manifest.Say("name the role in the DSN; without one the client takes whatever name it runs under"))
	}
}

// apply adds what rules find, and puts all findings in order.
func (c *checker) apply(list []*rules.Rule) {
	for _, f := range rules.Check(c.contract, []manifest.Container{*c.container}, list) {
		f.Container = c.container
		c.findings = append(c.findings, f)
	}
	rules.Sort(c.findings)
}

// Masks lists the texts that must be hidden before anything is printed: each
// DSN of the contract as a whole, its passwords as written and unescaped, and of
// a DSN that cannot be read all that could be one. A text of several lines comes
// line by line, as GitHub masks lines. None is empty. They are secrets.
func Masks(c *contract.Contract, v *Variables) []string {
	var masks []string
	add := func(text string) {
		for line := range strings.Lines(text) {
			line = strings.Trim(line, "\r\n")
			if strings.TrimSpace(line) != "" && !slices.Contains(masks, line) {
				masks = append(masks, line)
			}
		}
	}
	for _, name := range []string{c.Secrets.AppDSN, c.Secrets.ServiceDSN, c.Secrets.RootDSN} {
		text, ok := v.reveal(name)
		if !ok {
			continue
		}
		add(text)
		passwords := dsn.Hidden(text)
		if parsed, err := dsn.Parse(text); err == nil {
			passwords = parsed.Passwords()
		}
		for _, password := range passwords {
			add(password)
		}
	}
	return masks
}

// MaskCommands returns the workflow commands, one a line, that make GitHub hide
// the texts in the log. They must be the first thing that is printed, and only
// where GitHub reads it: anywhere else they would print the secrets.
func MaskCommands(masks []string) string {
	var b strings.Builder
	for _, mask := range masks {
		b.WriteString("::add-mask::")
		b.WriteString(workflow.EscapeData(mask))
		b.WriteString("\n")
	}
	return b.String()
}
