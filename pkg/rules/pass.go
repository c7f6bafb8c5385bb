package rules

import (
	"cmp"
	"slices"
	"strings"

	"github.com/derekg1729/dsnlint/pkg/contract"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// All lists every rule, in the order in which the findings of one entry are
// shown.
var All = withExamples(
	runtimeDSNOnly,
	provisioningTrustBoundary,
	roleIsolation,
	authoritativeInputsPerPhase,
	containerEnvContract,
	noHardcodedHosts,
	literalCredential,
	provisioningRunsOnce,
	opaqueSecretImport,
	invalidSuppression,
	unusedSuppression,
	gateWeakened,
)

// IDs lists the ids of all rules.
func IDs() []string {
	ids := make([]string, len(All))
	for i, rule := range All {
		ids[i] = rule.ID
	}
	return ids
}

// Lookup gives the rule of an id, or nil.
func Lookup(id string) *Rule {
	for _, rule := range All {
		if rule.ID == id {
			return rule
		}
	}
	return nil
}

// Check judges containers by a contract. Findings come in the order of their
// positions, and the same finding reached through several overlays is one that
// names them all.
func Check(c *contract.Contract, containers []manifest.Container) []Finding {
	subjects := make([]subject, len(containers))
	for i := range containers {
		subjects[i] = subject{Container: &containers[i], role: c.RoleOf(&containers[i])}
	}
	var findings []Finding
	reach, literals := newReach(c), newLiterals()
	for _, rule := range All {
		level := rule.levelIn(c)
		if level == contract.LevelOff {
			continue
		}
		rule.check(&pass{contract: c, subjects: subjects, rule: rule, level: level, reach: reach, literals: literals, findings: &findings})
	}
	Sort(findings)
	return merge(findings)
}

// levelIn is the level that a contract gives the rule.
func (r *Rule) levelIn(c *contract.Contract) contract.Level {
	return cmp.Or(c.Rules[r.ID], r.Level)
}

// Sort puts findings into the order of their positions, then of what they are
// about.
func Sort(findings []Finding) {
	order := make(map[*Rule]int, len(All))
	for i, rule := range All {
		order[rule] = i
	}
	slices.SortStableFunc(findings, func(a, b Finding) int {
		return cmp.Or(
			a.Position.Compare(b.Position),
			strings.Compare(a.Container.QualifiedName, b.Container.QualifiedName),
			strings.Compare(string(a.Channel), string(b.Channel)),
			strings.Compare(a.Variable, b.Variable),
			cmp.Compare(order[a.Rule], order[b.Rule]),
		)
	})
}

// merge joins what is one and the same finding seen through several overlays.
// An overlay may rename the workload, but neither the container nor the entry.
func merge(findings []Finding) []Finding {
	type key struct {
		rule      *Rule
		position  manifest.Position
		container string
		channel   manifest.Channel
		variable  string
		message   manifest.Text
	}
	if !slices.ContainsFunc(findings, func(f Finding) bool { return len(f.Overlays) > 0 }) {
		return findings
	}
	at := map[key]int{}
	merged := findings[:0]
	for _, f := range findings {
		k := key{f.Rule, f.Position, f.Container.Name, f.Channel, f.Variable, f.Message}
		i, seen := at[k]
		if !seen || len(f.Overlays) == 0 {
			at[k] = len(merged)
			merged = append(merged, f)
			continue
		}
		overlays := slices.Concat(merged[i].Overlays, f.Overlays)
		slices.Sort(overlays)
		merged[i].Overlays = slices.Compact(overlays)
	}
	return merged
}

// subject is a container with its role.
type subject struct {
	*manifest.Container
	role contract.Role
}

// title names the container in a message.
func (s subject) title() manifest.Text {
	if s.role == contract.Other {
		return manifest.Say("container %s", manifest.Name(s.Name))
	}
	return manifest.Say("%s container %s", manifest.Name(s.role), manifest.Name(s.Name))
}

// pass is one rule at work on all containers.
type pass struct {
	contract *contract.Contract
	subjects []subject
	rule     *Rule
	level    contract.Level
	reach    *reach
	literals *literals
	findings *[]Finding
}

// report adds a finding on a container; what is left empty is filled in.
func (p *pass) report(s subject, f Finding) {
	f.Rule, f.Level, f.Container, f.Role, f.Overlays = p.rule, p.level, s.Container, s.role, s.Overlays
	p.reach.shorten(f.Provenance)
	*p.findings = append(*p.findings, f)
}

// deliver makes a finding on something that a container receives.
func deliver(d manifest.Delivery, secrets []secret, message, fix manifest.Text) Finding {
	f := Finding{
		Channel:  d.Channel,
		Variable: d.Shown(),
		Expr:     d.Expr,
		Message:  message,
		Fix:      fix,
		Position: d.Position(),
	}
	for _, s := range secrets {
		f.Secrets = append(f.Secrets, s.shown)
	}
	f.Provenance = ways(secrets)
	if len(secrets) == 0 {
		f.Provenance = [][]manifest.Step{d.Provenance}
	}
	return f
}

func names(secrets []secret) manifest.Text {
	list := make([]string, len(secrets))
	for i, s := range secrets {
		list[i] = s.shown
	}
	if len(list) >= maxSecrets {
		return manifest.Say("%s and others", manifest.Join(manifest.Names(list), ", "))
	}
	return enumerate(list)
}

// enumerate joins words as English does: a, b and c.
func enumerate(words []string) manifest.Text {
	list := manifest.Names(words)
	if len(list) < 2 {
		return manifest.Join(list, "")
	}
	return manifest.Say("%s and %s", manifest.Join(list[:len(list)-1], ", "), list[len(list)-1])
}

// way says how a delivery brings secrets: by name, or inside what.
func way(d manifest.Delivery, found []secret) manifest.Text {
	byName := len(found) == 1 && found[0].name == d.Name
	switch d.Channel {
	case manifest.ChannelFile:
		return manifest.Say("as the file %s", manifest.Name(d.Shown()))
	case manifest.ChannelArgument:
		return manifest.Say("in its %s", manifest.Name(d.Shown()))
	case manifest.ChannelBuild:
		if byName {
			return manifest.Say("as a build argument")
		}
		return manifest.Say("inside the build argument %s", manifest.Name(d.Shown()))
	case manifest.ChannelMetadata:
		return manifest.Say("in its label or annotation %s", manifest.Name(d.Shown()))
	default:
		if byName {
			return manifest.Say("in its environment")
		}
		return manifest.Say("inside the value of %s", manifest.Name(d.Shown()))
	}
}
