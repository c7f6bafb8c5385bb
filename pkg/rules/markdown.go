package rules

import (
	"fmt"
	"io"
	"strings"
)

// WriteMarkdown writes the documentation of rules: why, how to fix a finding,
// and the bad and the good examples.
func WriteMarkdown(w io.Writer, list []*Rule) error {
	for i, rule := range list {
		if i > 0 {
			if _, err := fmt.Fprintln(w); err != nil {
				return err
			}
		}
		if _, err := fmt.Fprintf(w, "### %s\n\n%s Level: %s.\n\n%s", rule.ID, rule.Summary, rule.Level, rule.Help()); err != nil {
			return err
		}
	}
	return nil
}

// Help returns the body of a rule's documentation in Markdown, without heading.
func (r *Rule) Help() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n**Fix.** %s\n", r.Why, r.Fix)
	for _, example := range r.Examples {
		fmt.Fprintf(&b, "\nBad (%s):\n\n```yaml\n%s```\n\nGood:\n\n```yaml\n%s```\n", example.Title, example.Bad, example.Good)
	}
	return b.String()
}
