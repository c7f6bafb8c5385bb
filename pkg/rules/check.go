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

// identity is what makes two findings the same.
type identity struct {
	rule      *Rule
	project   manifest.Project
	container string
	position  manifest.Position
	channel   manifest.Channel
	variable  string
	message   manifest.Text
}

// inProject is the identity of a finding among those of its project, with overlays and
// without. An overlay may say more of a container, and a finding on that as a whole is
// then placed there.
func inProject(f Finding) identity {
	id := identity{f.Rule, f.Container.Project, f.Container.ID, f.Position, f.Channel, f.Variable, f.Message}
	if f.Variable == "" {
		id.position = manifest.Position{}
	}
	return id
}

// inOverlays is the identity of a finding among those of several overlays, which may
// rename the workload, but neither the container nor the entry.
func inOverlays(f Finding) identity {
	return identity{f.Rule, manifest.Project{}, f.Container.Name, f.Position, f.Channel, f.Variable, f.Message}
}

// merge joins what is one and the same finding seen through several overlays. What is
// found without the overlay too is not a finding of its own.
func merge(findings []Finding) []Finding {
	if !slices.ContainsFunc(findings, func(f Finding) bool { return len(f.Overlays) > 0 }) {
		return findings
	}
	bare := map[identity]bool{}
	for _, f := range findings {
		if len(f.Overlays) == 0 {
			bare[inProject(f)] = true
		}
	}
	at := map[identity]int{}
	merged := findings[:0]
	for _, f := range findings {
		if len(f.Overlays) > 0 && bare[inProject(f)] {
			continue
		}
		i, seen := at[inOverlays(f)]
		if !seen || len(f.Overlays) == 0 {
			at[inOverlays(f)] = len(merged)
			merged = append(merged, f)
			continue
		}
		overlays := slices.Concat(merged[i].Overlays, f.Overlays)
		slices.Sort(overlays)
		merged[i].Overlays = slices.Compact(overlays)
	}
	return merged
}
