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
	// near is set for one that only comes near the form.
	near bool
	// key identifies the line whose findings it accepts, and added is set where
	// the base has no such comment.
	key   outline.Key
	added bool
}

var (
	// form is what a comment says that accepts findings; it may follow another one.
	form = regexp.MustCompile(`^(?:.*\s#)?\s*dsnlint:ignore(?:\s+(\S+))?(?:\s+(\S.*?))?\s*$`)
	// nearForm is what was probably meant to be one.
	nearForm = regexp.MustCompile(`(?i)^[\s#;/*!@-]*(?:dsn[-_ ]?lint|dnslint)(?::\S|\s*[:.=/-]?\s*` +
		`(?:ignore?|ignroe|igonre|ingore|disable|suppress|accept|allow|skip|nolint)(?:-next-line|-line|-file)?(?:[\s:,=]|$))`)
)

// Base is the revision whose comments count.
type Base struct {
	// Name is how the revision is shown.
	Name string
	// Read returns a file of the revision.
	Read func(file string) ([]byte, error)
}

// Suppress marks the findings that a comment in one of the tree's files accepts. It
// returns them, sorted, with what is wrong with the comments themselves: one that names
// no rule, one that is not known, or no reason, or only comes near the form, is an
// INVALID_SUPPRESSION and accepts nothing, and one that suppresses nothing is an
// UNUSED_SUPPRESSION.
//
// With a base, a comment that is not in it accepts nothing either; the finding
// says so. See [AddedComments].
func Suppress(
	c *contract.Contract, known []*rules.Rule,
	findings []rules.Finding, tree *source.Tree, base *Base,
) []rules.Finding {
	at := byLine(findings)
	var wrong []rules.Finding
	for _, file := range tree.Files() {
		data, err := tree.Read(file)
		if err != nil {
			continue // the loader that read the file has said so
		}
		container := manifest.File(file)
		directives := parseComments(tree, file, data)
		if base != nil {
			markAdded(directives, tree, file, base.Read)
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
func parseComments(tree *source.Tree, file string, data []byte) []directive {
	if lower := bytes.ToLower(data); !bytes.Contains(lower, []byte("lint")) {
		return nil
	}
	comments := tree.Comments(file, data)
	if len(comments) == 0 {
		return nil
	}
	var found []directive
	text := outline.Of(data)
	index := source.NewIndex(data)
	below := belowComments(index, comments, data)
	for i, c := range comments {
		said := strings.Join(strings.Fields(c.Text), " ")
		m := form.FindStringSubmatch(said)
		if m == nil && !nearForm.MatchString(said) {
			continue
		}
		d := directive{position: index.Range(file, c.Start, c.End), near: m == nil}
		if m != nil && m[1] != "" {
			d.rules = strings.Split(m[1], ",")
			d.reason = m[2]
		}
		d.line = d.position.Line
		if below[i] > 0 {
			d.line = below[i]
		}
		d.key = text.Key(d.line)
		found = append(found, d)
	}
	return found
}

// isAlone reports whether nothing is beside a comment in its lines.
func isAlone(x *source.Index, c source.Comment, data []byte) bool {
	line, _ := x.Place(c.Start)
	after, _, _ := bytes.Cut(data[c.End:], []byte("\n"))
	return len(bytes.TrimSpace(data[x.Start(line):c.Start])) == 0 && len(bytes.TrimSpace(after)) == 0
}

// belowComments returns for each comment that is alone the number of the next line
// that is not such a comment's, and zero for the others.
func belowComments(x *source.Index, comments []source.Comment, data []byte) []int {
	lineOf := func(at int) int { line, _ := x.Place(at); return line }
	below := make([]int, len(comments))
	for i, c := range slices.Backward(comments) {
		if !isAlone(x, c, data) {
			continue
		}
		below[i] = lineOf(c.End) + 1
		if i+1 < len(comments) && below[i+1] > 0 && lineOf(comments[i+1].Start) == below[i] {
			below[i] = below[i+1]
		}
	}
	return below
}

func (d *directive) invalid(known []*rules.Rule) manifest.Text {
	if d.near {
		return manifest.Say("is not of the form dsnlint:ignore RULE reason")
	}
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
func markAdded(directives []directive, tree *source.Tree, file string, base func(string) ([]byte, error)) {
	had := map[commentIdentity]int{}
	if len(directives) > 0 {
		if data, err := base(file); err == nil { // else it had none
			for _, d := range parseComments(tree, file, data) {
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
func AddedComments(known []*rules.Rule, tree *source.Tree, file string, data []byte, base func(file string) ([]byte, error)) []Comment {
	directives := parseComments(tree, file, data)
	markAdded(directives, tree, file, base)
	var added []Comment
	for _, d := range directives {
		if message := d.invalid(known); d.added && message.IsZero() {
			added = append(added, Comment{d.position, d.rules})
		}
	}
	return added
}
