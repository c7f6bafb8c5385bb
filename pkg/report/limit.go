package report

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"slices"

	"github.com/derekg1729/dsnlint/pkg/contract"
	"github.com/derekg1729/dsnlint/pkg/manifest"
	"github.com/derekg1729/dsnlint/pkg/rules"
)

// shown is what a format prints of a report: no more than its limit, the most
// severe of it, in the order of the report.
type shown struct {
	report *Report
	// entries and problems say how many of each level are printed.
	entries, problems map[contract.Level]int
	// counts are the entries of each level, printed or not.
	counts map[contract.Level]int
	// omittedEntries and omittedProblems are not printed.
	omittedEntries, omittedProblems int
}

// limited applies Report.Max to the entries and to the problems.
func limited(r *Report) *shown {
	s := &shown{report: r, counts: map[contract.Level]int{}}
	for b := range blocks(r.Findings) {
		s.counts[b.level()]++
	}
	problems := map[contract.Level]int{}
	for _, p := range r.Problems {
		problems[levelOf(p)]++
	}
	s.entries, s.omittedEntries = share(s.counts, r.Max)
	s.problems, s.omittedProblems = share(problems, r.Max)
	return s
}

// share returns each level its part of a limit, the most severe first; a limit of
// zero means no limit.
func share(counts map[contract.Level]int, limit int) (shares map[contract.Level]int, omitted int) {
	shares = map[contract.Level]int{}
	left := limit
	for _, level := range contract.Levels {
		n := counts[level]
		if limit > 0 {
			n = min(n, left)
			left -= n
		}
		shares[level] = n
		omitted += counts[level] - n
	}
	return shares, omitted
}

// eachEntry yields the entries that are printed.
func (s *shown) eachEntry() iter.Seq[block] {
	return func(yield func(block) bool) {
		left := maps.Clone(s.entries)
		for b := range blocks(s.report.Findings) {
			if left[b.level()]--; left[b.level()] >= 0 && !yield(b) {
				return
			}
		}
	}
}

// eachProblem yields the problems that are printed.
func (s *shown) eachProblem() iter.Seq[*manifest.Problem] {
	return func(yield func(*manifest.Problem) bool) {
		left := maps.Clone(s.problems)
		for _, p := range s.report.Problems {
			if left[levelOf(p)]--; left[levelOf(p)] >= 0 && !yield(p) {
				return
			}
		}
	}
}

// mostSevere lists the findings that are left of a limit, in their order: the
// active ones first, and the most severe of them. A limit of zero means no limit.
func mostSevere(findings []rules.Finding, limit int) (kept []int, omitted int) {
	kept = make([]int, len(findings))
	for i := range kept {
		kept[i] = i
	}
	if limit <= 0 || len(kept) <= limit {
		return kept, 0
	}
	slices.SortStableFunc(kept, func(a, b int) int {
		return cmp.Or(
			cmp.Compare(bit(!findings[a].Active()), bit(!findings[b].Active())),
			compareLevels(findings[a].Level, findings[b].Level),
		)
	})
	omitted = len(kept) - limit
	kept = kept[:limit]
	slices.Sort(kept)
	return kept, omitted
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// omission says what is not printed; empty where nothing is missing.
func (s *shown) omission() string {
	switch {
	case s.omittedEntries > 0 && s.omittedProblems > 0:
		return fmt.Sprintf("%s and %s not shown (--max 0 shows all)", more(s.omittedEntries, "finding"), more(s.omittedProblems, "input problem"))
	case s.omittedEntries > 0:
		return fmt.Sprintf("%s not shown (--max 0 shows all)", more(s.omittedEntries, "finding"))
	case s.omittedProblems > 0:
		return fmt.Sprintf("%s not shown (--max 0 shows all)", more(s.omittedProblems, "input problem"))
	}
	return ""
}

func more(n int, word string) string {
	if n == 1 {
		return "1 more " + word
	}
	return fmt.Sprintf("%d more %ss", n, word)
}
