package contract

import (
	"strings"

	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// Suggest is the hint "did you mean ...?" for a word that is none of those
// known, and empty where it is like none of them.
func Suggest(word string, known []string) manifest.Text {
	if best, ok := nearest(word, known); ok {
		return manifest.Say("did you mean `%s`?", manifest.Name(best))
	}
	return manifest.Text{}
}

func oneOf(words []string) manifest.Text {
	quoted := manifest.Say("`%s`", manifest.Join(manifest.Names(words), "`, `"))
	if len(words) > 1 {
		return manifest.Say("one of %s", quoted)
	}
	return quoted
}

// nearest finds the word that differs the least, in no more than a third of its
// letters. Case does not count, nor does what separates words.
func nearest(word string, known []string) (string, bool) {
	best, least := "", -1
	for _, candidate := range known {
		most := max(1, len(candidate)/3)
		a, b := fold(word), fold(candidate)
		if len(a)-len(b) > most || len(b)-len(a) > most {
			continue
		}
		if d := distance(a, b); d <= most && (d == 0 || 2*d < len(word)) && (least < 0 || d < least) {
			best, least = candidate, d
		}
	}
	return best, least >= 0
}

var separators = strings.NewReplacer("-", "", "_", "", " ", "", ".", "")

func fold(word string) string { return separators.Replace(strings.ToLower(word)) }

// distance counts the letters to insert, remove, replace or swap with their
// neighbour that make b of a (optimal string alignment).
func distance(a, b string) int {
	var before, last []int
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before, last, row = last, row, make([]int, len(b)+1)
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(last[j+1]+1, row[j]+1, last[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
	}
	return row[len(b)]
}
