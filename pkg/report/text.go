package report

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/width"

	"github.com/derekg1729/dsnlint/pkg/contract"
	"github.com/derekg1729/dsnlint/pkg/internal/source"
	"github.com/derekg1729/dsnlint/pkg/manifest"
	"github.com/derekg1729/dsnlint/pkg/rules"
)

// TextOptions says how the text format looks.
type TextOptions struct {
	// Color makes use of ANSI colours.
	Color bool
}

// Text writes a report for people: a block for each entry with its source line,
// redacted, the way the secret takes, and the fix; then the problems, and a
// summary in the last line.
func Text(w io.Writer, r *Report, opts TextOptions) error {
	buffered := bufio.NewWriter(w)
	t := &textWriter{Writer: buffered, report: r, color: opts.Color}
	s := limited(r)
	for b := range s.eachEntry() {
		t.block(b)
	}
	for p := range s.eachProblem() {
		t.problem(p)
	}
	t.printf("%s\n", summary(s))
	if omission := s.omission(); omission != "" {
		t.printf("%s\n", omission)
	}
	// The buffer keeps the first error, and nothing is written after it.
	return buffered.Flush()
}

type textWriter struct {
	*bufio.Writer
	report *Report
	color  bool

	// file is the last source file, since the findings of one file come together, and
	// index is nil where it cannot be read.
	file  string
	index *source.Index
}

func (t *textWriter) printf(format string, args ...any) {
	_, _ = fmt.Fprintf(t.Writer, format, args...)
}

// The ANSI styles.
const (
	styleReset = "\x1b[0m"
	styleBold  = "\x1b[1m"
	styleDim   = "\x1b[2m"
	styleCaret = "\x1b[1;32m"
)

var styleOfLevel = map[contract.Level]string{
	contract.LevelError:   "\x1b[1;31m",
	contract.LevelWarning: "\x1b[1;33m",
	contract.LevelNote:    "\x1b[1;36m",
}

func (t *textWriter) style(style, s string) string {
	if !t.color {
		return s
	}
	return style + s + styleReset
}

func (t *textWriter) head(p manifest.Position, level contract.Level, message, suffix string) {
	if !p.IsZero() {
		t.printf("%s: ", t.style(styleBold, manifest.Clean(p.String())))
	}
	t.printf("%s: %s%s\n", t.style(styleOfLevel[level], string(level)), t.style(styleBold, manifest.Clean(message)), suffix)
}

func (t *textWriter) detail(label, text string) {
	t.printf("  %s %s\n", t.style(styleDim, label+":"), manifest.Clean(text))
}

func (t *textWriter) block(b block) {
	first := b[0]
	t.head(first.Position, b.level(), first.Message.String(), " "+t.style(styleDim, "["+b.ruleIDs()+"]"))
	t.source(b)
	for _, message := range b.each(func(f *rules.Finding) string { return f.Message.String() })[1:] {
		t.detail("also", message)
	}
	if first.Container.Kind != manifest.KindFile {
		t.detail("in", whereabouts(first))
	}
	t.provenance(b)
	for _, fix := range b.each(func(f *rules.Finding) string { return f.Fix.String() }) {
		t.detail("fix", fix)
	}
	if overlays := b.overlays(); len(overlays) > 0 {
		t.detail("overlays", strings.Join(overlays, ", "))
	}
	t.printf("\n")
}

// whereabouts names the container, its role and lane, and the channel.
func whereabouts(f *rules.Finding) string {
	text := fmt.Sprintf("%s %s, role %s", f.Container.Kind, name(f.Container.QualifiedName), f.Role)
	if lane := lane(f.Role); lane != "" {
		text += ", " + lane
	}
	if f.Channel != "" {
		text += fmt.Sprintf(", channel %s", f.Channel)
	}
	return text
}

// provenance writes the way of each secret, and the steps of those that come the
// same way once.
func (t *textWriter) provenance(b block) {
	type way struct {
		steps  string
		chains []string
	}
	var ways []way
	for _, f := range b {
		for i, path := range f.Provenance {
			secret := secretAt(f, i)
			if secret == "" && len(path) < 2 {
				// It says no more than the position of the entry does.
				continue
			}
			var steps strings.Builder
			for _, step := range path {
				_, _ = fmt.Fprintf(&steps, "       %s\n", manifest.Clean(stepText(step)))
			}
			n := slices.IndexFunc(ways, func(w way) bool { return w.steps == steps.String() })
			if n < 0 {
				n = len(ways)
				ways = append(ways, way{steps: steps.String()})
			}
			chain := strings.Join(chain(f, secret), " ← ")
			if !slices.Contains(ways[n].chains, chain) {
				ways[n].chains = append(ways[n].chains, chain)
			}
		}
	}
	for _, w := range ways {
		for _, chain := range w.chains {
			t.detail("via", chain)
		}
		t.printf("%s", w.steps)
	}
}

func stepText(step manifest.Step) string {
	if step.Position.IsZero() {
		return step.Text.String()
	}
	return step.Position.String() + ": " + step.Text.String()
}

func (t *textWriter) problem(p *manifest.Problem) {
	t.head(p.Position, levelOf(p), p.Message.String(), "")
	if !p.Hint.IsZero() {
		t.detail("fix", p.Hint.String())
	}
	t.printf("\n")
}

// source shows the line of an entry, redacted, with a mark under the entry.
func (t *textWriter) source(b block) {
	p := b[0].Position
	if t.report.Source == nil {
		return
	}
	if t.file != p.File {
		t.file, t.index = p.File, nil
		if data, err := t.report.Source(p.File); err == nil {
			t.index = source.NewIndex(data)
		}
	}
	if t.index == nil {
		return
	}
	l, ok := lineOf(b[0], t.index)
	if !ok {
		return
	}
	number := fmt.Sprint(p.Line)
	gutter := strings.Repeat(" ", len(number))
	t.printf(" %s %s\n", t.style(styleDim, number+" |"), l.text())
	if mark := l.mark(p); mark != "" {
		t.printf(" %s %s\n", t.style(styleDim, gutter+" |"), t.style(styleCaret, mark))
	}
}

// tab is what a tab is shown as, so that the mark stands right under any
// setting of the terminal.
const tab = "    "

// mark underlines the entry as far as a position covers it: its name, or all of
// it.
func (l shownLine) mark(p manifest.Position) string {
	if p.Column < 1 {
		return ""
	}
	covered := l.name
	// Quotes around the name are not shown.
	if p.EndLine > p.Line || p.EndColumn-p.Column > len([]rune(l.name))+len(`""`) {
		covered = l.entry
	}
	return strings.Repeat(" ", cells(l.before)) + "^" + strings.Repeat("~", max(cells(covered)-1, 0))
}

// cells counts the columns of a terminal that a text takes.
func cells(s string) int {
	n := 0
	for _, c := range s {
		kind := width.LookupRune(c).Kind()
		switch {
		case unicode.In(c, unicode.Mn, unicode.Me):
		case kind == width.EastAsianWide, kind == width.EastAsianFullwidth:
			n += 2
		default:
			n++
		}
	}
	return n
}
