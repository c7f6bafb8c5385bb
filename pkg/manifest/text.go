package manifest

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// Text is a text that may be shown. It is made of dsnlint's own words and of
// names: nothing else can become one, so that no message can quote a value, an
// engine's error or a field that nobody knows. The zero Text is empty.
type Text struct{ text string }

// words are a message of our own. The type has no name outside this package, so
// that only a constant of the source code can become one.
type words string

// Shown is what a [Text] may hold beside our own words: another Text, a [Name],
// a [Path] or a [Number].
type Shown interface{ shown() string }

// Say returns the message with args in the place of each %s, in order. Nothing
// else in the message has a meaning.
func Say(message words, args ...Shown) Text {
	if len(args) == 0 {
		return Text{string(message)}
	}
	var b strings.Builder
	rest := string(message)
	for _, arg := range args {
		before, after, _ := strings.Cut(rest, "%s")
		b.WriteString(before)
		b.WriteString(arg.shown())
		rest = after
	}
	b.WriteString(rest)
	return Text{b.String()}
}

// Join returns the texts with sep between them.
func Join[T Shown](texts []T, sep words) Text {
	list := make([]string, len(texts))
	for i, t := range texts {
		list[i] = t.shown()
	}
	return Text{strings.Join(list, string(sep))}
}

func (t Text) shown() string { return t.text }

// String returns the text.
func (t Text) String() string { return t.text }

// Equal makes go-cmp compare texts.
func (t Text) Equal(u Text) bool { return t == u }

// IsZero reports whether the text is empty.
func (t Text) IsZero() bool { return t.text == "" }

// MarshalText returns the text for JSON and every other text encoding.
func (t Text) MarshalText() ([]byte, error) { return []byte(t.text), nil }

// Name is what a loader hands over as the name of a service, object, container,
// key or variable, of a field that is known, or of a file in a container. It is
// shown where it also has the form of a name, and is [Masked] otherwise: a value
// that a slip of the pen made a name has that form only by chance.
type Name string

// nameForm is the form of the names of Compose and Kubernetes, of variables, of
// labels with their prefix and of paths in a container. A name that is
// interpolated is shown as it is written.
var nameForm = regexp.MustCompile(`^(?:[A-Za-z0-9_./~-]|\$\{[A-Za-z_][A-Za-z0-9_]*\})+$`)

// maxName is the longest name that is shown, in bytes: that of a container with
// its namespace, kind and workload.
const maxName = 1024

func (n Name) shown() string {
	if n == "" || len(n) <= maxName && nameForm.MatchString(string(n)) {
		return string(n)
	}
	return Masked
}

// String returns the name, or [Masked] where it does not have the form of one.
func (n Name) String() string { return n.shown() }

// variableForm is the form of the name of a variable, and leadingName that of a
// name by convention at the beginning of a text.
var (
	variableForm = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]*$`)
	leadingName  = regexp.MustCompile(`^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+`)
)

// VariableName returns the name that a manifest gives to a variable. A text that
// is not a name is most often a name with its value behind a slip of the pen, as
// in NAME:VALUE: of that the name remains where it is written as such names are by
// convention, and otherwise [Masked], for no part of it is known not to be a value.
func VariableName(text string) string {
	if variableForm.MatchString(text) {
		return text
	}
	if name := leadingName.FindString(text); name != "" && !strings.ContainsAny(text[len(name):len(name)+1], "abcdefghijklmnopqrstuvwxyz-.") {
		return name
	}
	return Masked
}

// Pattern is a glob over names that a contract holds, or several of them as
// alternatives. It is shown where it has the form of one, and is [Masked] otherwise.
type Pattern string

var patternForm = regexp.MustCompile(`^[A-Za-z0-9_.*?{},-]+(?: or [A-Za-z0-9_.*?{},-]+)*$`)

func (p Pattern) shown() string {
	if p == "" || len(p) <= maxName && patternForm.MatchString(string(p)) {
		return string(p)
	}
	return Masked
}

// Names makes names of strings.
func Names(list []string) []Name {
	names := make([]Name, len(list))
	for i, n := range list {
		names[i] = Name(n)
	}
	return names
}

// Path is the path of a file or directory that exists in the tree. It is shown
// as it is, without what would leave its line or steer a terminal.
type Path string

func (p Path) shown() string { return Clean(string(p)) }

// Number is a count.
type Number int

func (n Number) shown() string { return strconv.Itoa(int(n)) }

// Clean makes a text safe to print on a terminal and in one line: control
// characters, and those that turn the direction of writing, are escaped.
func Clean(s string) string {
	unprintable := func(r rune) bool {
		return unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp)
	}
	if !strings.ContainsFunc(s, unprintable) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if unprintable(r) {
			_, _ = fmt.Fprintf(&b, `\u%04x`, r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// Prose is what a person wrote as the reason for a decision. Its plain words,
// numbers, dates and ticket numbers are shown; anything that could be a value is
// [Masked].
type Prose string

// plainWord is a word of prose with the punctuation around it.
var plainWord = regexp.MustCompile(`^[("'\x60]*(?:[\p{L}]+(?:[-_'’/][\p{L}]+)*|#?[0-9]{1,6}|[A-Z]{2,10}-[0-9]{1,6}|[0-9]{4}-[0-9]{2}-[0-9]{2}|[-–—&+=])[.,;:!?)"'\x60]*$`)

func (p Prose) shown() string {
	words := strings.Fields(string(p))
	for i, word := range words {
		if !plainWord.MatchString(word) {
			words[i] = Masked
		}
	}
	return strings.Join(words, " ")
}

// String returns the prose without what could be a value.
func (p Prose) String() string { return p.shown() }
