package rules

import (
	"slices"
	"strings"

	"github.com/derekg1729/dsnlint/pkg/contract"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

var authoritativeInputsPerPhase = &Rule{
	ID:      "AUTHORITATIVE_INPUTS_PER_PHASE",
	Level:   contract.LevelError,
	Summary: "The provisioner's inputs are not those of the phase.",
	Why: "In each phase one set of inputs decides what is provisioned. In P0 the provisioner takes `POSTGRES_ROOT_*` and `APP_DB_*`; " +
		"in P1 it takes the three DSNs `DATABASE_ROOT_URL`, `DATABASE_URL` and `DATABASE_SERVICE_URL`, and no component variable is left anywhere. " +
		"With both sets at once nobody knows which one counts.",
	Fix:              "Give the provisioner the inputs of the phase, or set `phase` in the contract (or `--phase`) if the project has moved on.",
	SecuritySeverity: 5.0,
	Check: func(p *Pass) {
		inputs := inputsOf(p.Contract)
		for _, s := range p.Subjects {
			provisioner := s.Role == contract.Provisioner
			foreign := func(name string) bool {
				return inputs.nowhere(name) || provisioner && inputs.notHere(name)
			}
			for d, found := range p.received(s, foreign) {
				p.Report(s, deliver(d, found,
					manifest.Say("%s receives %s %s, which is not an input in phase %s", s.title(), names(found), way(d, found), manifest.Name(p.Contract.Phase)),
					inputs.fix))
			}
			if lacking := inputs.lacking(p, s); provisioner && len(lacking) > 0 {
				p.Report(s, at(s.Position, manifest.Say("inputs of %s", s.title()), Finding{
					Message: manifest.Say("%s lacks %s, which phase %s provisions from", s.title(), enumerate(lacking), manifest.Name(p.Contract.Phase)),
					Fix:     inputs.fix,
				}))
			}
		}
	},
}

// inputs are what a provisioner takes in one phase.
type inputs struct {
	// required holds alternatives by how they are shown; a provisioner needs one
	// name of each.
	required map[string]func(name string) bool
	// notHere are the names that the provisioner must not have, nowhere those
	// that no container may have.
	notHere, nowhere func(name string) bool
	fix              manifest.Text
}

func inputsOf(c *contract.Contract) inputs {
	dsns := c.DSNs()
	// The superuser's parts are the provisioning credentials other than its DSN.
	isPart := func(name string) bool { return c.IsProvisioning(name) && name != c.Secrets.RootDSN }
	parts := slices.DeleteFunc(slices.Clone(c.Secrets.Provisioning), func(glob string) bool { return glob == c.Secrets.RootDSN })
	if c.Phase == contract.P1 {
		in := inputs{
			required: map[string]func(string) bool{},
			notHere:  isPart,
			nowhere:  c.IsComponent,
			fix:      manifest.Say("in phase %s the inputs are %s, and no component variable is left", manifest.Name(c.Phase), enumerate(dsns)),
		}
		for _, dsn := range dsns {
			in.required[dsn] = func(name string) bool { return name == dsn }
		}
		return in
	}
	required := map[string]func(string) bool{
		strings.Join(parts, " or "):                isPart,
		strings.Join(c.Secrets.Components, " or "): c.IsComponent,
	}
	delete(required, "") // an empty list demands nothing
	return inputs{
		required: required,
		notHere:  func(name string) bool { return name == c.Secrets.RootDSN },
		nowhere:  func(string) bool { return false },
		fix:      manifest.Say("in phase %s the inputs are %s; set phase: %s in the contract if the provisioner takes DSNs", manifest.Name(c.Phase), enumerate(slices.Concat(parts, c.Secrets.Components)), manifest.Name(contract.P1)),
	}
}

// lacking lists the inputs that do not reach a container, in order. A
// container of which not everything is known is not known to lack anything.
func (in inputs) lacking(p *Pass, s Subject) []string {
	if s.MayHoldMore() {
		return nil
	}
	var lacking []string
	for shown, is := range in.required {
		if !p.receives(s, is) {
			lacking = append(lacking, shown)
		}
	}
	slices.Sort(lacking)
	return lacking
}
