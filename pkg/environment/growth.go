package environment

import (
	"regexp"
	"strings"
)

// maxValue bounds the values of an env file; Linux takes no more than 128 KiB
// for one variable (MAX_ARG_STRLEN).
const maxValue = 1 << 20

var (
	assignment = regexp.MustCompile(`^\s*(?:export\s+)?([\w.-]+)\s*[=:]`)
	reference  = regexp.MustCompile(`\$\{?([A-Za-z_]\w*)`)
	escape     = regexp.MustCompile(`\\.`)
)

// outgrows tells whether a value of an env file may become longer than maxValue:
// with A=$B$B, B=$C$C and so on, forty lines are more than any memory holds, and
// the parser knows no bound. It adds up what each line can bring to its variable
// and what the names that the line mentions can bring to it. Lines never take
// anything away, since one that seems to set a variable anew may be part of a
// value in quotes.
func outgrows(text string) bool {
	size := map[string]int{}
	// A value in quotes that a line leaves open may take in all lines that
	// follow: opened has the total before it.
	opened := map[string]int{}
	total, name := 0, ""
	for line := range strings.Lines(text) {
		if m := assignment.FindStringSubmatch(line); m != nil {
			name = m[1]
		}
		cost := len(line)
		for _, m := range reference.FindAllStringSubmatch(line, -1) {
			mentioned := size[m[1]]
			if before, ok := opened[m[1]]; ok {
				mentioned = total - before
			}
			if cost += mentioned; cost > maxValue {
				return true
			}
		}
		if _, ok := opened[name]; !ok && leavesOpen(line) {
			opened[name] = total
		}
		size[name] += cost
		total += cost
		if size[name] > maxValue {
			return true
		}
	}
	return false
}

func leavesOpen(line string) bool {
	line = escape.ReplaceAllString(line, "")
	return strings.Count(line, `"`)%2 == 1 || strings.Count(line, "'")%2 == 1
}
