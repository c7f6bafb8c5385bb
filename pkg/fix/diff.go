package fix

import (
	"fmt"
	"strings"

	"github.com/aymanbagabas/go-udiff/lcs"

	"github.com/derekg1729/dsnlint/pkg/internal/linediff"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// context is how many lines a diff shows around a change.
const context = 3

// Diff is the unified diff of a file, and empty where nothing changes. A removed
// line may hold a secret, and so may the lines around it: every line goes
// through show, which gives it without values.
func Diff(file string, before, after []byte, show func(line string) string) string {
	d := differ{old: splitLines(before), new: splitLines(after), show: show}
	changes := linediff.Compare(d.old, d.new)
	if len(changes) == 0 {
		return ""
	}
	_, _ = fmt.Fprintf(&d.out, "--- a/%[1]s\n+++ b/%[1]s\n", manifest.Clean(file))
	for len(changes) > 0 {
		n := 1
		for n < len(changes) && changes[n].Start-changes[n-1].End <= 2*context {
			n++
		}
		d.hunk(changes[:n])
		changes = changes[n:]
	}
	return d.out.String()
}

// splitLines returns the lines with their ends.
func splitLines(data []byte) []string {
	var lines []string
	for line := range strings.Lines(string(data)) {
		lines = append(lines, line)
	}
	return lines
}

type differ struct {
	old, new []string
	show     func(line string) string
	out      strings.Builder
}

// hunk writes changes that stand close together.
func (d *differ) hunk(changes []lcs.Diff) {
	first, last := changes[0], changes[len(changes)-1]
	lead := min(context, first.Start)
	tail := min(context, len(d.old)-last.End)
	at := first.Start - lead
	_, _ = fmt.Fprintf(&d.out, "@@ -%s +%s @@\n",
		span(at, last.End+tail), span(first.ReplStart-lead, last.ReplEnd+tail))
	for _, c := range changes {
		d.lines(" ", d.old[at:c.Start])
		d.lines("-", d.old[c.Start:c.End])
		d.lines("+", d.new[c.ReplStart:c.ReplEnd])
		at = c.End
	}
	d.lines(" ", d.old[at:last.End+tail])
}

// span is a range of lines as the format has it: an empty one names the line
// before it.
func span(start, end int) string {
	if start == end {
		return fmt.Sprintf("%d,0", start)
	}
	return fmt.Sprintf("%d,%d", start+1, end-start)
}

func (d *differ) lines(mark string, lines []string) {
	for _, line := range lines {
		text := strings.TrimSuffix(line, "\n")
		d.out.WriteString(mark + d.show(strings.TrimSuffix(text, "\r")) + "\n")
		if text == line {
			d.out.WriteString("\\ No newline at end of file\n")
		}
	}
}
