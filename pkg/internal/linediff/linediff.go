// Package linediff compares two texts line by line.
package linediff

import "github.com/aymanbagabas/go-udiff/lcs"

// Compare returns the differences in order, with as few lines as possible.
//
// The library bounds its time: where some hundred lines differ, all from the first
// that it cannot pass to the last counts as different. Lines that only one of the
// texts has differ in any case and are set aside, so that none count toward this but
// those that were moved or repeated.
func Compare(before, after []string) []lcs.Diff {
	old, oldAt := common(before, after)
	now, nowAt := common(after, before)
	var all []lcs.Diff
	var next lcs.Diff
	until := func(line, other int) {
		next.End, next.ReplEnd = line, other
		if next.Start < next.End || next.ReplStart < next.ReplEnd {
			all = append(all, next)
		}
		next.Start, next.ReplStart = line+1, other+1
	}
	i, j := 0, 0
	for _, d := range append(lcs.DiffLines(old, now), lcs.Diff{Start: len(old)}) {
		for ; i < d.Start; i, j = i+1, j+1 {
			until(oldAt[i], nowAt[j])
		}
		i, j = d.End, d.ReplEnd
	}
	until(len(before), len(after))
	return all
}

// common returns the lines that the other text has too, and their numbers.
func common(lines, other []string) (kept []string, numbers []int) {
	known := make(map[string]bool, len(other))
	for _, line := range other {
		known[line] = true
	}
	for i, line := range lines {
		if known[line] {
			kept, numbers = append(kept, line), append(numbers, i)
		}
	}
	return kept, numbers
}
