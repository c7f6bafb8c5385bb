package report

import (
	"fmt"
	"strings"

	"github.com/derekg1729/dsnlint/pkg/contract"
)

// Scope is what a run looked at, and what was taken away from it: whoever reads
// "no findings" must be able to see how much that covers.
type Scope struct {
	// Containers counts the containers that were judged, by role; nil where it is
	// not containers that are judged.
	Containers map[contract.Role]int
	// Excluded and Ignored count the files that look like manifests and that a walk
	// left out because of the contract's exclude and because of .gitignore.
	Excluded, Ignored int
	// More reports that more files than these were left out.
	More bool
	// RoleLabels counts the containers whose role a label or annotation decides.
	RoleLabels int
	// RulesOff and RulesLowered are the ids of the rules that the contract switches
	// off or gives a lower level than their own.
	RulesOff, RulesLowered []string
}

// containers says how many containers were judged, and in which roles.
func (s *Scope) containers() string {
	total := 0
	var parts []string
	for _, role := range contract.Roles {
		if n := s.Containers[role]; n > 0 {
			total += n
			parts = append(parts, fmt.Sprintf("%d %s", n, role))
		}
	}
	if total == 0 {
		return "no containers"
	}
	return plural(total, "container") + ": " + strings.Join(parts, ", ")
}

// takenAway lists what was taken away from a run, without what is zero.
func (r *Report) takenAway() []string {
	s := &r.Scope
	var parts, left []string
	if s.Excluded > 0 {
		left = append(left, plural(s.Excluded, "file")+" by exclude")
	}
	if s.Ignored > 0 {
		left = append(left, plural(s.Ignored, "file")+" by .gitignore")
	}
	if s.More {
		left = append(left, "and more")
	}
	add := func(label, text string) {
		if text != "" {
			parts = append(parts, label+": "+text)
		}
	}
	count := func(label string, n int) {
		if n > 0 {
			add(label, fmt.Sprint(n))
		}
	}
	add("left out", strings.Join(left, ", "))
	count("role labels", s.RoleLabels)
	count("suppressed", r.suppressed())
	count("in the baseline", r.known())
	add("rules off", strings.Join(s.RulesOff, ", "))
	add("rules lowered", strings.Join(s.RulesLowered, ", "))
	return parts
}

// scopeText says what was judged and what was taken away from it. A report on the
// variables of a process is about no files.
func (r *Report) scopeText() string {
	text := " in " + plural(r.Files, "file")
	if r.Scope.Containers != nil {
		text += " (" + r.Scope.containers() + ")"
	}
	return strings.Join(append([]string{text}, r.takenAway()...), "; ")
}

// summary counts the blocks of a report: one that names two rules is one.
func summary(s *shown) string {
	r := s.report
	var counts []string
	for _, level := range contract.Levels {
		if n := s.counts[level]; n > 0 {
			counts = append(counts, plural(n, string(level)))
		}
	}
	text := "no findings"
	if len(counts) > 0 {
		text = strings.Join(counts, ", ")
	}
	text += r.scopeText()
	if n := r.failures(); n > 0 {
		text += "; " + plural(n, "input problem") + ": not everything was checked"
	}
	return text
}
