// Package gitignore matches paths against the patterns of .gitignore files, as
// git does.
//
// go-git has a matcher of its own, which does not know [!a], POSIX classes or
// escapes, and reports a path below an ignored one only in part; this one is
// held against git's own answers.
package gitignore

import (
	"bytes"
	"path"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// Rules are patterns in order; the last one that matches decides.
type Rules []Rule

// Rule is one pattern.
type Rule struct {
	// base is the directory whose paths the glob is about.
	base    string
	glob    string
	negated bool
	dirOnly bool
}

// Ignores reports whether the rules leave out a file or directory. It does not
// ask whether they leave out a directory above it; a walk does not get that far.
func (rules Rules) Ignores(name string, dir bool) bool {
	for _, rule := range slices.Backward(rules) {
		if rule.matches(name, dir) {
			return !rule.negated
		}
	}
	return false
}

func (r Rule) matches(name string, dir bool) bool {
	if r.dirOnly && !dir {
		return false
	}
	if r.base != "." {
		var below bool
		if name, below = strings.CutPrefix(name, r.base+"/"); !below {
			return false
		}
	}
	return doublestar.MatchUnvalidated(r.glob, name)
}

// Glob returns the rule for a doublestar glob over the paths below base.
func Glob(glob, base string) Rule {
	glob, dirOnly := strings.CutSuffix(strings.TrimPrefix(glob, "./"), "/")
	return Rule{base: path.Clean(base), glob: glob, dirOnly: dirOnly}
}

// Parse reads the .gitignore file of the directory base. It leaves out a line
// that git cannot make sense of.
func Parse(data []byte, base string) Rules {
	var rules Rules
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	for line := range strings.SplitSeq(string(data), "\n") {
		if rule, ok := parseLine(line, path.Clean(base)); ok {
			rules = append(rules, rule)
		}
	}
	return rules
}

// parseLine follows https://git-scm.com/docs/gitignore#_pattern_format.
func parseLine(line, base string) (Rule, bool) {
	rule := Rule{base: base}
	line = trimSpaces(strings.TrimSuffix(line, "\r"))
	if line == "" || line[0] == '#' {
		return rule, false
	}
	line, rule.negated = strings.CutPrefix(line, "!")
	line, rule.dirOnly = strings.CutSuffix(line, "/")
	if line == "" {
		return rule, false
	}
	anchored := strings.Contains(line, "/")
	line = strings.TrimPrefix(line, "/")
	if !anchored {
		line = "**/" + line
	}
	// What lies below a directory is not the directory itself.
	if below, ok := strings.CutSuffix(line, "/**"); ok {
		line = below + "/**/*"
	}
	rule.glob = translate(line)
	return rule, line != "" && doublestar.ValidatePattern(rule.glob)
}

// trimSpaces removes the spaces at the end of a line except for an escaped one.
func trimSpaces(line string) string {
	trimmed := strings.TrimRight(line, " ")
	if trimmed != line && strings.HasSuffix(trimmed, `\`) {
		trimmed += " "
	}
	return trimmed
}

// translate makes a doublestar glob of one of git's: it escapes braces, which
// only doublestar gives a meaning, and writes out what only git knows in classes.
func translate(glob string) string {
	var b strings.Builder
	for i := 0; i < len(glob); i++ {
		switch c := glob[i]; c {
		case '\\':
			b.WriteByte(c)
			if i+1 < len(glob) {
				i++
				b.WriteByte(glob[i])
			}
		case '{', '}':
			b.WriteByte('\\')
			b.WriteByte(c)
		case '[':
			class, length := translateClass(glob[i:])
			b.WriteString(class)
			i += length - 1
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// posixClasses are the characters of the classes that git knows by name.
var posixClasses = map[string]string{
	"alnum": "0-9A-Za-z", "alpha": "A-Za-z", "blank": ` \t`, "cntrl": "\x01-\x1f\x7f", "digit": "0-9",
	"graph": "!-~", "lower": "a-z", "print": " -~", "punct": "!-/:-@\\[-`\\{-~", "space": " \t\n\v\f\r",
	"upper": "A-Z", "xdigit": "0-9A-Fa-f",
}

// translateClass makes doublestar's class of the one that a glob begins with, and
// returns how long that one is. A class without an end stays as it is, and so
// makes the glob invalid.
func translateClass(glob string) (class string, length int) {
	var b strings.Builder
	b.WriteByte('[')
	i := 1
	if i < len(glob) && (glob[i] == '!' || glob[i] == '^') {
		b.WriteByte('^')
		i++
	}
	for first := i; i < len(glob); i++ {
		switch c := glob[i]; {
		case c == ']' && i > first:
			return b.String() + "]", i + 1
		case c == ']':
			b.WriteString(`\]`)
		case c == '\\' && i+1 < len(glob):
			i++
			b.WriteString(`\` + glob[i:i+1])
		case strings.HasPrefix(glob[i:], "[:"):
			name, _, closed := strings.Cut(glob[i+2:], ":]")
			set, known := posixClasses[name]
			if !closed || !known {
				b.WriteString(`\[`)
				continue
			}
			b.WriteString(set)
			i += len("[:"+name+":]") - 1
		case c == '[':
			b.WriteString(`\[`)
		default:
			b.WriteByte(c)
		}
	}
	return glob, len(glob)
}
