package findings

import (
	"bytes"
	"regexp"
	"slices"
	"strings"

	"github.com/derekg1729/dsnlint/pkg/contract"
	"github.com/derekg1729/dsnlint/pkg/internal/outline"
	"github.com/derekg1729/dsnlint/pkg/internal/source"
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
	used   []string
	// key identifies the line whose findings it accepts, and added is set where
	// the base has no such comment.
	key   outline.Key
	added bool
}

var comment = regexp.MustCompile(`(^|\s)(#\s*dsnlint:ignore(?:\s+(\S+))?(?:\s+(\S.*?))?)\s*$`)

// Base is the revision whose comments count.
type Base struct {
	// Name is how the revision is shown.
	Name string
	// Read returns a file of the revision.
	Read func(file string) ([]byte, error)
}

// Suppress marks the findings that a comment in one of the files accepts. It
// returns them, sorted, with what is wrong with the comments themselves: one that names
// no rule, one that is not known, or no reason is an INVALID_SUPPRESSION and accepts
// nothing, and one that suppresses nothing is an UNUSED_SUPPRESSION.
//
// With a base, a comment that is not in it accepts nothing either; the finding
// says so. See [AddedComments].
func Suppress(
	c *contract.Contract, known []*rules.Rule,
	findings []rules.Finding, files []string, read func(string) ([]byte, error), base *Base,
) []rules.Finding {
	at := byLine(findings)
	var wrong []rules.Finding
	for _, file := range files {
		data, err := read(file)
		if err != nil {
			continue // the loader that read the file has said so
		}
		container := manifest.File(file)
		directives := parseComments(file, data)
		if base != nil {
			markAdded(directives, file, base.Read)
		}
		// There may be hundreds of thousands.
		wrong = slices.Grow(wrong, len(directives))
		for _, d := range directives {
			if message := d.invalid(known); !message.IsZero() {
				wrong = append(wrong, rules.InvalidSuppression(c, container, d.position, message)...)
				continue
			}
			d.accept(at, base)
			for _, rule := range d.rules {
				if !slices.Contains(d.used, rule) {
					wrong = append(wrong, rules.UnusedSuppression(c, container, d.position, rule)...)
				}
			}
		}
	}
	findings = slices.Concat(findings, wrong)
	rules.Sort(findings)
	return findings
}

// fileLine is a line of a file.
type fileLine struct {
	file string
	line int
}

// byLine holds the findings by the line that they are on.
func byLine(findings []rules.Finding) map[fileLine][]*rules.Finding {
	at := map[fileLine][]*rules.Finding{}
	for i := range findings {
		f := &findings[i]
		p := fileLine{f.Position.File, f.Position.Line}
		at[p] = append(at[p], f)
	}
	return at
}

// parseComments finds the directives of a file.
func parseComments(file string, data []byte) []directive {
	if !bytes.Contains(data, []byte("dsnlint:ignore")) {
		return nil
	}
	var found []directive
	text := outline.Of(data)
	index := source.NewIndex(data)
	lines := bytes.Split(data, []byte("\n"))
	below := belowComments(lines)
	next := 0
	for i, line := range lines {
		start := next
		next += len(line) + len("\n")
		if !bytes.Contains(line, []byte("dsnlint:ignore")) {
			continue
		}
		m := comment.FindSubmatchIndex(line)
		if m == nil {
			continue
		}
		d := directive{position: index.Range(file, start+m[4], start+m[5]), line: i + 1}
		if m[6] >= 0 {
			d.rules = strings.Split(string(line[m[6]:m[7]]), ",")
		}
		if m[8] >= 0 {
			d.reason = string(line[m[8]:m[9]])
		}
		if len(bytes.TrimSpace(line[:m[4]])) == 0 {
			d.line = below[i] + 1
		}
		d.key = text.Key(d.line)
		found = append(found, d)
	}
	return found
}

// belowComments holds, for every line, the index of the next line that is not a
// comment.
func belowComments(lines [][]byte) []int {
	below := make([]int, len(lines))
	next := len(lines)
	for i, line := range slices.Backward(lines) {
		below[i] = next
		if !bytes.HasPrefix(bytes.TrimSpace(line), []byte("#")) {
			next = i
		}
	}
	return below
}

func (d *directive) invalid(known []*rules.Rule) manifest.Text {
	if len(d.rules) == 0 {
		return manifest.Say("does not name a rule")
	}
	for _, rule := range d.rules {
		if rules.Lookup(known, rule) == nil {
			return manifest.Say("names an unknown rule")
		}
	}
	if d.reason == "" {
		return manifest.Say("does not give a reason")
	}
	return manifest.Text{}
}

// accept marks the findings on the line of the directive.
func (d *directive) accept(at map[fileLine][]*rules.Finding, base *Base) {
	for _, f := range at[fileLine{d.position.File, d.line}] {
		if !slices.Contains(d.rules, f.Rule.ID) {
			continue
		}
		d.used = append(d.used, f.Rule.ID)
		switch {
		case f.Suppression != nil:
		case d.added:
			f.Message = manifest.Say("%s (the dsnlint:ignore comment is not in %s and does not count)", f.Message, manifest.Name(base.Name))
		default:
			f.Suppression = &rules.Suppression{Reason: manifest.Prose(d.reason), Position: d.position}
		}
	}
}

// commentIdentity is what makes two comments of one file the same.
type commentIdentity struct {
	rules, reason string
	line          outline.Key
}

func (d *directive) identity() commentIdentity {
	return commentIdentity{strings.Join(d.rules, ","), d.reason, d.key}
}

// markAdded marks the comments that the base does not have. Of equal comments it
// has as many as were there.
func markAdded(directives []directive, file string, base func(string) ([]byte, error)) {
	had := map[commentIdentity]int{}
	if len(directives) > 0 {
		if data, err := base(file); err == nil { // else it had none
			for _, d := range parseComments(file, data) {
				had[d.identity()]++
			}
		}
	}
	for i := range directives {
		d := &directives[i]
		had[d.identity()]--
		d.added = had[d.identity()] < 0
	}
}

// Comment is a comment that accepts findings of some rules.
type Comment struct {
	Position manifest.Position
	Rules    []string
}

// AddedComments lists the comments of a file that its base does not have: there is no
// comment with the same rules and reason for the same line, which may have moved
// but still says the same and is enclosed by the same lines.
func AddedComments(known []*rules.Rule, file string, data []byte, base func(file string) ([]byte, error)) []Comment {
	directives := parseComments(file, data)
	markAdded(directives, file, base)
	var added []Comment
	for _, d := range directives {
		if message := d.invalid(known); d.added && message.IsZero() {
			added = append(added, Comment{d.position, d.rules})
		}
	}
	return added
}
