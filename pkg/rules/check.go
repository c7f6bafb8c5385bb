package rules

import (
	"cmp"
	"slices"
	"strings"

	"github.com/derekg1729/dsnlint/pkg/contract"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// Check judges containers by a contract and rules. Findings come in the order of
// their positions, and the same finding reached through several overlays is one that
// names them all.
func Check(c *contract.Contract, containers []manifest.Container, rules []*Rule) []Finding {
	subjects := make([]Subject, len(containers))
	for i := range containers {
		subjects[i] = Subject{Container: &containers[i], Role: c.RoleOf(&containers[i])}
	}
	var findings []Finding
	reach, literals := newReach(c), newLiterals()
	for _, rule := range rules {
		level := rule.LevelIn(c)
		if level == contract.LevelOff || rule.Check == nil {
			continue
		}
		rule.Check(&Pass{Contract: c, Subjects: subjects, rule: rule, level: level, reach: reach, literals: literals, findings: &findings})
	}
	Sort(findings)
	return merge(findings)
}

// Sort puts findings into the order of their positions, then of what they are
// about, then of their rules: the built-in ones, then others by id.
func Sort(findings []Finding) {
	order := make(map[*Rule]int, len(All))
	for i, rule := range All {
		order[rule] = i - len(All)
	}
	slices.SortStableFunc(findings, func(a, b Finding) int {
		return cmp.Or(
			a.Position.Compare(b.Position),
			strings.Compare(a.Container.QualifiedName, b.Container.QualifiedName),
			strings.Compare(string(a.Channel), string(b.Channel)),
			strings.Compare(a.Variable, b.Variable),
			cmp.Compare(order[a.Rule], order[b.Rule]),
			strings.Compare(a.Rule.ID, b.Rule.ID),
		)
	})
}

// bareKey is what a finding without overlays shares with the one that an overlay on the
// very same project shows again.
type bareKey struct {
	rule      *Rule
	project   manifest.Project
	container string
	position  manifest.Position
	channel   manifest.Channel
	variable  string
	message   manifest.Text
}

func bareKeyOf(f Finding) bareKey {
	k := bareKey{f.Rule, f.Container.Project, f.Container.ID, f.Position, f.Channel, f.Variable, f.Message}
	if f.Variable == "" {
		// The overlay may say more of the container, which is then placed there.
		k.position = manifest.Position{}
	}
	return k
}

// merge joins what is one and the same finding seen through several overlays.
// An overlay may rename the workload, but neither the container nor the entry. What is
// found without the overlay too is no finding of its own.
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
	at, bare := map[key]int{}, map[bareKey]bool{}
	for _, f := range findings {
		if len(f.Overlays) == 0 {
			bare[bareKeyOf(f)] = true
		}
	}
	merged := findings[:0]
	for _, f := range findings {
		if len(f.Overlays) > 0 && bare[bareKeyOf(f)] {
			continue
		}
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
