// Package suggest finds the word that somebody meant who wrote another.
package suggest

import (
	"strings"

	"github.com/hbollon/go-edlib"

	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// maxLetters is how many letters a word may differ in from the one that was meant.
const maxLetters = 2

// Nearest returns the candidate that differs least from a word: in at most two
// letters, where two that changed places count as one, and in no more than a third
// of its own. Of several the first one is returned. Case does not count, nor does
// what separates words.
func Nearest(word string, candidates []string) (nearest string, ok bool) {
	written := fold(word)
	least := maxLetters + 1
	for _, candidate := range candidates {
		meant := fold(candidate)
		most := min(maxLetters, max(1, len(meant)/3))
		if len(written)-len(meant) > most || len(meant)-len(written) > most {
			continue
		}
		if n := edlib.OSADamerauLevenshteinDistance(written, meant); n <= most && n < least && (n == 0 || 2*n < len(written)) {
			nearest, least = candidate, n
		}
	}
	return nearest, least <= maxLetters
}

// Hint is the question whether the nearest candidate was meant; empty where there
// is none.
func Hint(word string, candidates []string) manifest.Text {
	if nearest, ok := Nearest(word, candidates); ok {
		return Question(nearest)
	}
	return manifest.Text{}
}

// Question asks whether a word was meant.
func Question(meant string) manifest.Text {
	return manifest.Say("did you mean `%s`?", manifest.Name(meant))
}

var separators = strings.NewReplacer("-", "", "_", "", " ", "", ".", "")

func fold(word string) string { return separators.Replace(strings.ToLower(word)) }
