// Package linediff compares two texts line by line.
package linediff

import "slices"

// Change says that lines of the old text gave way to lines of the new one. Lines
// count from zero, the end not included; either side may be empty.
type Change struct {
	OldStart, OldEnd int
	NewStart, NewEnd int
}

// maxChanges bounds time and memory: texts that differ in more lines count as
// different from the first of these to the last.
const maxChanges = 2000

// Compare gives the changes in order, with as few lines as possible.
func Compare(before, after []string) []Change {
	start := 0
	for start < min(len(before), len(after)) && before[start] == after[start] {
		start++
	}
	tail := 0
	for tail < min(len(before), len(after))-start && before[len(before)-1-tail] == after[len(after)-1-tail] {
		tail++
	}
	changes := compare(before[start:len(before)-tail], after[start:len(after)-tail])
	for i := range changes {
		changes[i].OldStart += start
		changes[i].OldEnd += start
		changes[i].NewStart += start
		changes[i].NewEnd += start
	}
	return changes
}

// compare is the greedy algorithm of E. Myers, An O(ND) Difference Algorithm
// and Its Variations (1986).
func compare(before, after []string) []Change {
	var rounds []round
	for d := range min(len(before)+len(after), maxChanges) + 1 {
		next := make(round, 2*d+1)
		for k := -d; k <= d; k += 2 {
			x := 0
			if d > 0 {
				_, x = rounds[d-1].step(k)
			}
			for x < len(before) && x-k < len(after) && before[x] == after[x-k] {
				x++
			}
			next[k+d] = int32(x)
			if x == len(before) && x-k == len(after) {
				return changes(rounds, x, x-k)
			}
		}
		rounds = append(rounds, next)
	}
	return []Change{{OldEnd: len(before), NewEnd: len(after)}}
}

// round is how far the comparison has come with d deletions and insertions:
// the old line that is reached on each diagonal k, the old line less the new
// one, stands at k + d.
type round []int32

func (r round) at(k int) int {
	if i := k + len(r)/2; i >= 0 && i < len(r) {
		return int(r[i])
	}
	return -1
}

// step makes one more deletion or insertion to get on the diagonal k. It gives
// the diagonal it comes from, and the old line it arrives at.
func (r round) step(k int) (from, x int) {
	if r.at(k-1) < r.at(k+1) {
		return k + 1, r.at(k + 1)
	}
	return k - 1, r.at(k-1) + 1
}

// changes goes back through the rounds from the end of both texts.
func changes(rounds []round, x, y int) []Change {
	var all []Change
	for _, r := range slices.Backward(rounds) {
		k, _ := r.step(x - y)
		c := Change{OldStart: r.at(k), NewStart: r.at(k) - k}
		c.OldEnd, c.NewEnd = c.OldStart, c.NewStart
		if k < x-y {
			c.OldEnd++
		} else {
			c.NewEnd++
		}
		x, y = c.OldStart, c.NewStart
		if n := len(all); n > 0 && all[n-1].OldStart == c.OldEnd && all[n-1].NewStart == c.NewEnd {
			all[n-1].OldStart, all[n-1].NewStart = c.OldStart, c.NewStart
			continue
		}
		all = append(all, c)
	}
	slices.Reverse(all)
	return all
}
