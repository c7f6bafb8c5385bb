// Package report writes what a run of dsnlint found: as text for people, as
// SARIF for code scanning, as JSON for programs, and as workflow commands for
// GitHub Actions. All formats are written from the same [Report], in the same
// order on every run, and none of them shows a value.
package report

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/derekg1729/dsnlint/pkg/contract"
	"github.com/derekg1729/dsnlint/pkg/fix"
	"github.com/derekg1729/dsnlint/pkg/manifest"
	"github.com/derekg1729/dsnlint/pkg/rules"
)

// Report is the outcome of one run.
type Report struct {
	// Rules are all rules, whether or not they found anything.
	Rules []*rules.Rule
	// Findings come sorted, and merged over overlays.
	Findings []rules.Finding
	// Problems are the inputs, or parts of them, that were not checked.
	Problems []*manifest.Problem
	// Version is that of the tool.
	Version string
	// Files is the number of files that were read.
	Files int
	// Scope is what was judged, and what was taken away from it.
	Scope Scope
	// Source returns the content of a file of the tree; nil where there is none.
	// Only the text format asks for it, and shows it redacted.
	Source func(file string) ([]byte, error)
	// Fixes returns the replacements in one file that fix a finding, where that can
	// be done safely; nil where none can. What they insert is no value.
	Fixes func(f *rules.Finding) []fix.Replacement
	// ExitCode is what the process is about to end with.
	ExitCode int
	// Max is how many entries, and how many problems, the formats text, json and
	// github print, the most severe ones; all where it is zero. It changes neither
	// the counts nor what a run ends with.
	Max int
	// MaxResults is how many results the format sarif holds, within the limits of
	// GitHub; zero for no limit but these.
	MaxResults int
	// Category tells this run from other runs over the same commit, as with one
	// run for each directory; it may be empty.
	Category string
}

// block is what several rules say of one entry of one container, the most severe
// first. It has at least one finding.
type block []*rules.Finding

// blocks yields the findings of each entry together, which come one after the
// other as findings are sorted. What a person has accepted, or the baseline has
// already, is left out.
func blocks(findings []rules.Finding) iter.Seq[block] {
	return func(yield func(block) bool) {
		var b block
		flush := func() bool {
			if len(b) == 0 {
				return true
			}
			slices.SortStableFunc(b, func(x, y *rules.Finding) int { return compareLevels(x.Level, y.Level) })
			return yield(b)
		}
		for i := range findings {
			f := &findings[i]
			if !f.Active() {
				continue
			}
			if len(b) > 0 && !sameEntry(b[0], f) {
				if !flush() {
					return
				}
				b = nil
			}
			b = append(b, f)
		}
		flush()
	}
}

// sameEntry reports whether two findings are about one entry of one container.
func sameEntry(f, g *rules.Finding) bool {
	return f.Position == g.Position && f.Channel == g.Channel && f.Variable == g.Variable &&
		(f.Container == g.Container || f.Container.QualifiedName == g.Container.QualifiedName)
}

func (b block) level() contract.Level { return b[0].Level }

func (b block) ruleIDs() string {
	return strings.Join(b.each(func(f *rules.Finding) string { return f.Rule.ID }), ", ")
}

// each lists what the findings of the block say, without repetition.
func (b block) each(say func(*rules.Finding) string) []string {
	var all []string
	for _, f := range b {
		if s := say(f); s != "" && !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return all
}

// overlays lists the rendered roots that show the entry.
func (b block) overlays() []string {
	var all []string
	for _, f := range b {
		all = append(all, f.Overlays...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// failures counts the problems that kept something from being checked.
func (r *Report) failures() int {
	n := 0
	for _, p := range r.Problems {
		if p.Severity == manifest.Error {
			n++
		}
	}
	return n
}

// count counts the findings that a predicate holds for.
func (r *Report) count(is func(*rules.Finding) bool) int {
	n := 0
	for i := range r.Findings {
		if is(&r.Findings[i]) {
			n++
		}
	}
	return n
}

func (r *Report) active(level contract.Level) int {
	return r.count(func(f *rules.Finding) bool { return f.Active() && f.Level == level })
}

func (r *Report) suppressed() int {
	return r.count(func(f *rules.Finding) bool { return f.Suppression != nil })
}

// known counts the findings that only the baseline excuses.
func (r *Report) known() int {
	return r.count(func(f *rules.Finding) bool { return f.Known && f.Suppression == nil })
}

func compareLevels(a, b contract.Level) int {
	return cmp.Compare(slices.Index(contract.Levels, a), slices.Index(contract.Levels, b))
}

// levelOf returns the level at which a problem is shown among findings.
func levelOf(p *manifest.Problem) contract.Level {
	if p.Severity == manifest.Error {
		return contract.LevelError
	}
	return contract.LevelNote
}

// lane names the lane of the contract document that a role is in; empty for none.
func lane(role contract.Role) string {
	switch role {
	case contract.Provisioner:
		return "provisioning lane"
	case contract.Runtime:
		return "runtime lane"
	case contract.Database, contract.Other:
	}
	return ""
}

// chain names the stations of a secret on its way, the container first.
func chain(f *rules.Finding, secret string) []string {
	stations := []string{name(f.Container.Name)}
	if f.Variable != "" {
		stations = append(stations, name(f.Variable))
	}
	if secret != "" && secret != f.Variable {
		stations = append(stations, "${"+name(secret)+"}")
	}
	return stations
}

// secretAt returns the secret that the i-th path of a provenance leads to; empty
// for a finding that is about none.
func secretAt(f *rules.Finding, i int) string {
	if i < len(f.Secrets) {
		return f.Secrets[i]
	}
	return ""
}

// name is the name as it is shown; see [manifest.Name].
func name(s string) string { return manifest.Name(s).String() }

func namesOf(list []string) []string {
	if list == nil {
		return nil
	}
	names := make([]string, len(list))
	for i, s := range list {
		names[i] = name(s)
	}
	return names
}

func plural(n int, word string) string {
	if n == 1 {
		return fmt.Sprintf("%d %s", n, word)
	}
	return fmt.Sprintf("%d %ss", n, word)
}
