package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/derekg1729/dsnlint/pkg/contract"
	"github.com/derekg1729/dsnlint/pkg/findings"
	"github.com/derekg1729/dsnlint/pkg/internal/workflow"
	"github.com/derekg1729/dsnlint/pkg/manifest"
	"github.com/derekg1729/dsnlint/pkg/rules"
)

// GitHub writes workflow commands, which GitHub Actions turns into annotations:
// one for each entry that has findings, one for each problem, and one that sums
// up. See
// https://docs.github.com/actions/reference/workflow-commands-for-github-actions.
func GitHub(w io.Writer, r *Report) error {
	buffered := bufio.NewWriter(w)
	s := limited(r)
	for b := range s.eachEntry() {
		lines := b.each(func(f *rules.Finding) string { return f.Message.String() })
		for _, fix := range b.each(func(f *rules.Finding) string { return f.Fix.String() }) {
			lines = append(lines, "fix: "+fix)
		}
		_, _ = fmt.Fprintln(buffered, command(b.level(), b[0].Position, b.ruleIDs(), lines))
	}
	for p := range s.eachProblem() {
		lines := []string{p.Message.String()}
		if !p.Hint.IsZero() {
			lines = append(lines, "fix: "+p.Hint.String())
		}
		_, _ = fmt.Fprintln(buffered, command(levelOf(p), p.Position, findings.Tool, lines))
	}
	_, _ = fmt.Fprintln(buffered, command(contract.LevelNote, manifest.Position{}, findings.Tool, []string{summary(s)}))
	if omission := s.omission(); omission != "" {
		_, _ = fmt.Fprintln(buffered, command(contract.LevelNote, manifest.Position{}, findings.Tool, []string{omission}))
	}
	// The buffer keeps the first error, and nothing is written after it.
	return buffered.Flush()
}

var commandOf = map[contract.Level]string{
	contract.LevelError:   "error",
	contract.LevelWarning: "warning",
	contract.LevelNote:    "notice",
}

// command makes one workflow command. A command ends with its line, so nothing
// in it may break the line; else a manifest could give commands of its own.
func command(level contract.Level, p manifest.Position, title string, lines []string) string {
	var properties []string
	add := func(key, value string) {
		properties = append(properties, key+"="+workflow.EscapeProperty(manifest.Clean(value)))
	}
	number := func(key string, n int) {
		if n > 0 {
			add(key, fmt.Sprint(n))
		}
	}
	if p.File != "" {
		add("file", p.File)
		number("line", p.Line)
		number("endLine", p.EndLine)
		number("col", p.Column)
	}
	add("title", title)
	for i, line := range lines {
		lines[i] = manifest.Clean(line)
	}
	return fmt.Sprintf("::%s %s::%s", commandOf[level], strings.Join(properties, ","), workflow.EscapeData(strings.Join(lines, "\n")))
}
