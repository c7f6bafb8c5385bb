// Package suppress reads the comments by which people accept a finding:
//
//	# dsnlint:ignore RULE[,RULE] reason
//
// at the end of the finding's line, or on a line of its own above it. The reason
// is required.
package suppress

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/derekg1729/dsnlint/pkg/contract"
	"github.com/derekg1729/dsnlint/pkg/manifest"
	"github.com/derekg1729/dsnlint/pkg/rules"
)

// directive is one comment.
type directive struct {
	position manifest.Position
	// line is the line whose findings it accepts.
	line   int
	rules  []string
	reason string
	used   map[string]bool
}

var comment = regexp.MustCompile(`(^|\s)(#\s*dsnlint:ignore(?:\s+(\S+))?(?:\s+(\S.*?))?)\s*$`)

// Apply marks the findings that a comment in one of the files accepts. It
// returns them with what is wrong with the comments themselves: one that names
// no rule, an unknown one or no reason is an INVALID_SUPPRESSION and accepts
// nothing, and one that meets no finding is an UNUSED_SUPPRESSION.
func Apply(c *contract.Contract, findings []rules.Finding, files []string, read func(string) ([]byte, error)) []rules.Finding {
	findings = slices.Clone(findings)
	var wrong []rules.Finding
	for _, file := range files {
		data, err := read(file)
		if err != nil {
			continue // the loader that read the file has said so
		}
		for _, d := range parse(file, data) {
			if message := d.invalid(); !message.IsZero() {
				wrong = append(wrong, rules.InvalidSuppression(c, d.position, message)...)
				continue
			}
			d.accept(findings)
			for _, rule := range d.rules {
				if !d.used[rule] {
					wrong = append(wrong, rules.UnusedSuppression(c, d.position, rule)...)
				}
			}
		}
	}
	findings = append(findings, wrong...)
	rules.Sort(findings)
	return findings
}

// parse finds the directives of a file.
func parse(file string, data []byte) []directive {
	var found []directive
	lines := bytes.Split(data, []byte("\n"))
	for i, line := range lines {
		if !bytes.Contains(line, []byte("dsnlint:ignore")) {
			continue
		}
		m := comment.FindSubmatchIndex(line)
		if m == nil {
			continue
		}
		start, end := m[4], m[5]
		column := utf8.RuneCount(line[:start]) + 1
		d := directive{
			position: manifest.Position{
				File: file, Line: i + 1, Column: column,
				EndLine: i + 1, EndColumn: column + utf8.RuneCount(line[start:end]),
			},
			line: i + 1,
			used: map[string]bool{},
		}
		if m[6] >= 0 {
			d.rules = strings.Split(string(line[m[6]:m[7]]), ",")
		}
		if m[8] >= 0 {
			d.reason = string(line[m[8]:m[9]])
		}
		if len(bytes.TrimSpace(line[:start])) == 0 {
			d.line = below(lines, i) + 1
		}
		found = append(found, d)
	}
	return found
}

// below gives the index of the next line that is no comment.
func below(lines [][]byte, i int) int {
	for i++; i < len(lines); i++ {
		if !bytes.HasPrefix(bytes.TrimSpace(lines[i]), []byte("#")) {
			break
		}
	}
	return i
}

func (d *directive) invalid() manifest.Text {
	if len(d.rules) == 0 {
		return manifest.Say("names no rule")
	}
	for _, rule := range d.rules {
		if rules.Lookup(rule) == nil {
			return manifest.Say("names an unknown rule")
		}
	}
	if d.reason == "" {
		return manifest.Say("gives no reason")
	}
	return manifest.Text{}
}

func (d *directive) accept(findings []rules.Finding) {
	for i := range findings {
		f := &findings[i]
		if f.Position.File != d.position.File || f.Position.Line != d.line || !slices.Contains(d.rules, f.Rule.ID) {
			continue
		}
		d.used[f.Rule.ID] = true
		if f.Suppression == nil {
			f.Suppression = &rules.Suppression{Reason: manifest.Prose(d.reason), Position: d.position}
		}
	}
}
