package rules

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"github.com/derekg1729/dsnlint/pkg/contract"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// All lists every rule, in the order in which the findings of one entry are
// shown.
var All = []*Rule{
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
}

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
	for _, rule := range All {
		level := rule.levelIn(c)
		if level == contract.LevelOff {
			continue
		}
		rule.check(&pass{contract: c, subjects: subjects, rule: rule, level: level, findings: &findings})
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
			strings.Compare(a.Container.QualifiedName(), b.Container.QualifiedName()),
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
	at := map[key]int{}
	var merged []Finding
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
	findings *[]Finding
}

// report adds a finding on a container; what is left empty is filled in.
func (p *pass) report(s subject, f Finding) {
	f.Rule, f.Level, f.Container, f.Role, f.Overlays = p.rule, p.level, s.Container, s.role, s.Overlays
	*p.findings = append(*p.findings, f)
}

// deliver makes a finding on something that a container receives.
func deliver(d manifest.Delivery, secrets []secret, message, fix manifest.Text) Finding {
	f := Finding{
		Channel:  d.Channel,
		Variable: d.Shown(),
		Message:  message,
		Fix:      fix,
		Position: d.Position(),
	}
	for _, s := range secrets {
		f.Secrets = append(f.Secrets, s.shown)
		f.Provenance = append(f.Provenance, s.steps)
	}
	if len(secrets) == 0 {
		f.Provenance = [][]manifest.Step{d.Provenance}
	}
	return f
}

// secret is a name of the contract that reaches a container, and the way it
// comes.
type secret struct {
	name string
	// shown is how the name is written where it is interpolated.
	shown string
	steps []manifest.Step
}

// secrets lists the names that a delivery brings and that the predicate knows:
// the delivery's own name and every name its value is built from.
func secrets(d manifest.Delivery, is func(name string) bool) []secret {
	var found []secret
	add := func(kind manifest.RefKind, name, written string, steps []manifest.Step) {
		if kind == manifest.RefFile {
			if !is(fileAsVariable(name)) {
				return
			}
			name = path.Base(name)
			if written != "" {
				written = path.Base(written)
			}
		} else if !is(name) {
			return
		}
		if slices.ContainsFunc(found, func(s secret) bool { return s.name == name }) {
			return
		}
		found = append(found, secret{name: name, shown: cmp.Or(written, name), steps: steps})
	}
	switch d.Channel {
	case manifest.ChannelFile:
		add(manifest.RefFile, d.Name, d.Written, d.Provenance)
	case manifest.ChannelArgument:
		// The name is that of a field, such as command.
	default:
		add(manifest.RefVariable, d.Name, d.Written, d.Provenance)
	}
	for ref, steps := range d.Expr.Refs() {
		add(ref.Kind, ref.Name, ref.Written, slices.Concat(d.Provenance, steps))
	}
	return found
}

// fileAsVariable gives the variable that a file is named after: a secret file
// is conventionally called postgres_root_password or postgres-root-password.txt.
// A certificate is public and named after no credential.
func fileAsVariable(name string) string {
	base := path.Base(name)
	ext := path.Ext(base)
	switch ext {
	case ".crt", ".cer", ".pem":
		return ""
	}
	return strings.ToUpper(strings.ReplaceAll(strings.TrimSuffix(base, ext), "-", "_"))
}

func names(secrets []secret) manifest.Text {
	list := make([]string, len(secrets))
	for i, s := range secrets {
		list[i] = s.shown
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
