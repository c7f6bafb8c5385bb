// Package envfile reads .env files and env files in Compose's dotenv syntax and
// tells where each name stands. It takes a file for exactly what compose-go's
// dotenv package takes it for, oddities included: quotes, export, comments
// behind a value, values over several lines, NAME: value, and a bare NAME that
// is handed through from outside.
//
// See https://docs.docker.com/reference/compose-file/services/#env_file-format.
package envfile

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"github.com/derekg1729/dsnlint/pkg/internal/source"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// Entry is one assignment.
type Entry struct {
	Name string
	// Position is that of the name.
	Position manifest.Position
	// Inherited tells that the file gives no value, only the name of a variable
	// to hand through.
	Inherited bool
	// Text is the value, without quotes and escapes. Unless Literal is set, it
	// is still to be interpolated.
	Text    string
	Literal bool
}

// Error is what is wrong with a file and where. It quotes nothing of the file.
type Error struct {
	Position manifest.Position
	Message  manifest.Text
}

func (e *Error) Error() string {
	return fmt.Sprintf("line %d, column %d: %s", e.Position.Line, e.Position.Column, e.Message)
}

// Parse reads a file. With an [*Error] come the entries before it.
func Parse(file string, data []byte) ([]Entry, error) {
	p := newParser(file, data)
	var entries []Entry
	for p.skipToStatement() {
		entry, err := p.statement()
		if err != nil {
			return entries, err
		}
		entries = append(entries, entry)
	}
	return entries, nil
}

// ParseRaw reads a file of format raw: NAME=value lines whose values are taken
// as they stand, quotes and dollar signs included.
func ParseRaw(file string, data []byte) ([]Entry, error) {
	var entries []Entry
	index := source.NewIndex(data)
	for n := range index.Height() {
		line := index.Line(n + 1)
		trimmed := strings.TrimLeft(line, " \t")
		if trimmed == "" || trimmed[0] == '#' {
			continue
		}
		name, value, ok := strings.Cut(trimmed, "=")
		start := index.Start(n+1) + len(line) - len(trimmed)
		entry := Entry{
			Name: name, Position: index.Range(file, start, start+len(name)),
			Inherited: !ok, Text: value, Literal: true,
		}
		switch {
		case name == "":
			return entries, &Error{entry.Position, manifest.Say("expected a variable's name before the =")}
		case strings.ContainsAny(name, " \t"):
			return entries, &Error{entry.Position, manifest.Say("a variable's name cannot contain white space")}
		}
		entries = append(entries, entry)
	}
	return entries, nil
}

type parser struct {
	file  string
	text  string
	pos   int
	index *source.Index
	// comments are those that were passed.
	comments []source.Comment
}

func newParser(file string, data []byte) *parser {
	p := &parser{file: file, text: string(data), index: source.NewIndex(data)}
	p.pos = p.index.Start(1)
	return p
}

// comment takes what is between two positions, the first of which is that of its mark,
// for a comment.
func (p *parser) comment(start, end int) {
	text := strings.TrimSuffix(p.text[start:end], "\r")
	p.comments = append(p.comments, source.Comment{Start: start, End: start + len(text), Text: text[1:]})
}

func (p *parser) rest() string { return p.text[p.pos:] }

func (p *parser) fail(pos int, message manifest.Text) *Error {
	return &Error{p.index.Range(p.file, pos, pos), message}
}

// skipToStatement passes white space and comments, and reports whether
// something follows.
func (p *parser) skipToStatement() bool {
	for {
		p.skip(unicode.IsSpace)
		if !strings.HasPrefix(p.rest(), "#") {
			return p.pos < len(p.text)
		}
		start := p.pos
		p.skip(func(r rune) bool { return r != '\n' })
		p.comment(start, p.pos)
	}
}

func (p *parser) skip(what func(rune) bool) {
	p.pos = len(p.text) - len(strings.TrimLeftFunc(p.rest(), what))
}

var export = regexp.MustCompile(`^export\s`)

func (p *parser) statement() (Entry, error) {
	if export.MatchString(p.rest()) {
		p.pos += len("export")
		p.skip(isBlank)
	}
	start := p.pos
	end, separator, err := p.nameEnd()
	if err != nil {
		return Entry{}, err
	}
	entry := Entry{Inherited: separator == '\n'}
	if separator != 0 {
		entry.Name = strings.TrimRightFunc(p.text[start:end], unicode.IsSpace)
		p.pos = end + 1
	}
	if strings.Contains(entry.Name, " ") {
		return Entry{}, p.fail(start, manifest.Say("a variable's name cannot contain a space; expected NAME=value"))
	}
	entry.Position = p.index.Range(p.file, start, start+len(entry.Name))
	p.skip(isBlank)
	if entry.Inherited {
		return entry, nil
	}
	entry.Text, entry.Literal, err = p.value()
	return entry, err
}

// nameEnd finds the separator behind a name. There is none, and the separator
// is zero, where the file ends before one; dotenv takes all that is left for
// the value of a variable without a name.
func (p *parser) nameEnd() (end int, separator rune, err error) {
	for i, r := range p.rest() {
		switch {
		case r == '=' || r == ':' || r == '\n':
			return p.pos + i, r, nil
		case isBlank(r), strings.ContainsRune("_.-[]", r), unicode.IsLetter(r), unicode.IsNumber(r):
		default:
			return 0, 0, p.fail(p.pos+i, manifest.Say("unexpected character in a variable's name; expected NAME=value"))
		}
	}
	if p.pos == len(p.text) {
		return 0, 0, p.fail(p.pos, manifest.Say("expected a variable's name"))
	}
	return p.pos, 0, nil
}

func (p *parser) value() (text string, literal bool, err error) {
	rest := p.rest()
	if rest != "" && (rest[0] == '"' || rest[0] == '\'') {
		return p.quoted(rest[0])
	}
	line, _, _ := strings.Cut(rest, "\n")
	text, _, commented := strings.Cut(line, " #")
	if commented {
		p.comment(p.pos+len(text)+1, p.pos+len(line))
	}
	p.pos = min(p.pos+len(line)+1, len(p.text))
	return strings.TrimRightFunc(text, unicode.IsSpace), false, nil
}

// quoted reads a value in quotes. A backslash before the quote is dropped, and
// any other is kept for the escapes of double quotes.
func (p *parser) quoted(quote byte) (text string, literal bool, err error) {
	var value strings.Builder
	rest := p.rest()
	escaped := false
	for i := 1; i < len(rest); i++ {
		c := rest[i]
		if c == quote && !escaped {
			p.pos += i + 1
			if quote == '"' {
				return unescape(value.String()), false, nil
			}
			return value.String(), true, nil
		}
		if c == '\\' && !escaped {
			escaped = true
			continue
		}
		if escaped && c != quote {
			value.WriteByte('\\')
		}
		escaped = false
		value.WriteByte(c)
	}
	return "", false, p.fail(p.pos, manifest.Say("the quoted value has no end"))
}

var escape = regexp.MustCompile(`\\(?:[abcfnrtv$"\\]|0\d{0,3})`)

func unescape(s string) string {
	return escape.ReplaceAllStringFunc(s, func(sequence string) string {
		if sequence == `\$` {
			return "$$"
		}
		if octal, ok := strings.CutPrefix(sequence, `\0`); ok {
			sequence = `\` + octal
		}
		r, _, _, err := strconv.UnquoteChar(sequence, '"')
		if err != nil {
			return sequence
		}
		return string(r)
	})
}

// isBlank is the white space that may stand within a line, as dotenv has it.
func isBlank(r rune) bool { return r != '\n' && unicode.IsSpace(r) && r < 0x100 }
