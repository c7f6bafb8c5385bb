package rules

import (
	"iter"

	"github.com/derekg1729/dsnlint/pkg/contract"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// Subject is a container with the role that the contract gives it.
type Subject struct {
	*manifest.Container
	Role contract.Role
}

// title names the container in a message.
func (s Subject) title() manifest.Text {
	role := manifest.Say("%s container", manifest.Name(s.Role))
	if s.Role == contract.Other {
		role = manifest.Say("container")
	}
	if s.Name == "" {
		return manifest.Say("the %s", role)
	}
	return manifest.Say("%s %s", role, manifest.Name(s.Name))
}

// Pass is one rule at work on all containers of a run.
type Pass struct {
	// Contract is what the containers are judged by.
	Contract *contract.Contract
	// Subjects are the containers. What they hold is shared by all rules, and must
	// not be changed.
	Subjects []Subject

	rule     *Rule
	level    contract.Level
	reach    *reach
	literals *literals
	findings *[]Finding
}

// Report adds a finding on a container. It sets the rule, the level, the container,
// its role and overlays; a finding without a position is at the container, and one
// without a provenance has one step, at its position. The rest is the rule's: a
// message and a fix at least, and for a finding on something that the container
// receives its channel, the name as [manifest.EnvVar.Shown] returns it, and its
// position and provenance.
func (p *Pass) Report(s Subject, f Finding) {
	f.Rule, f.Level, f.Container, f.Role, f.Overlays = p.rule, p.level, s.Container, s.Role, s.Overlays
	if f.Position == (manifest.Position{}) {
		f.Position = s.Position
	}
	if len(f.Provenance) == 0 {
		f = at(f.Position, s.title(), f)
	}
	p.reach.shorten(f.Provenance)
	*p.findings = append(*p.findings, f)
}

// received yields what brings a container names that the predicate knows, and these
// names.
func (p *Pass) received(s Subject, is func(name string) bool) iter.Seq2[manifest.Delivery, []secret] {
	return func(yield func(manifest.Delivery, []secret) bool) {
		for _, d := range s.Deliveries {
			if found := p.secrets(d, is); len(found) > 0 && !yield(d, found) {
				return
			}
		}
	}
}

// receives reports whether a container gets a name that the predicate knows.
func (p *Pass) receives(s Subject, is func(name string) bool) bool {
	for range p.received(s, is) {
		return true
	}
	return false
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

		NamePosition: d.NamePosition(),
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

// at places a finding on a container itself.
func at(pos manifest.Position, text manifest.Text, f Finding) Finding {
	f.Position = pos
	f.Provenance = [][]manifest.Step{{{Position: pos, Text: text}}}
	return f
}

// onFile makes a finding that is about no container.
func onFile(c *contract.Contract, rule *Rule, file *manifest.Container, pos manifest.Position, message, fix manifest.Text) []Finding {
	level := rule.LevelIn(c)
	if level == contract.LevelOff {
		return nil
	}
	return []Finding{at(pos, message, Finding{
		Rule: rule, Level: level, Container: file, Role: contract.Other, Message: message, Fix: fix,
	})}
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
	list := make([]manifest.Pattern, len(words))
	for i, word := range words {
		list[i] = manifest.Pattern(word)
	}
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

// place says where a container holds what a delivery brings.
func place(d manifest.Delivery) manifest.Text {
	switch d.Channel {
	case manifest.ChannelFile:
		return manifest.Say("in the file %s", manifest.Name(d.Shown()))
	case manifest.ChannelArgument:
		return manifest.Say("in its %s", manifest.Name(d.Shown()))
	case manifest.ChannelBuild:
		return manifest.Say("in the build argument %s", manifest.Name(d.Shown()))
	case manifest.ChannelMetadata:
		return manifest.Say("in the label or annotation %s", manifest.Name(d.Shown()))
	default:
		return manifest.Say("in %s", manifest.Name(d.Shown()))
	}
}
