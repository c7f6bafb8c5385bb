package quadlet

import (
	"sort"
	"strconv"
	"strings"
	"unicode"

	"github.com/derekg1729/dsnlint/pkg/internal/source"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// entry is an assignment of a unit file, or with an empty key the header of a
// section.
type entry struct {
	section, key string
	// position is that of the key, or of the header.
	position manifest.Position
	value    text
}

// text is a part of a logical line that knows where it is in the file.
type text struct {
	file  string
	index *source.Index
	// content has no line breaks: a continued line is one with the next.
	content string
	// start is where the content begins, and rest where it goes on behind each line
	// break in it.
	start piece
	rest  []piece
}

// piece says at which byte of the file the logical line from the byte at on is.
type piece struct{ at, offset int }

// whole is the position of all of the text.
func (t text) whole() manifest.Position {
	end := t.start.offset
	if n := len(t.content); n > 0 {
		// The place behind the last character may be on the next line.
		end = t.place(n-1).offset + 1
	}
	return t.index.Range(t.file, t.start.offset, end)
}

func (t text) place(at int) piece {
	from := t.start
	if i := t.pieceBehind(t.start.at + at); i > 0 {
		from = t.rest[i-1]
	}
	at += t.start.at
	return piece{at, from.offset + at - from.at}
}

// pieceBehind is the index of the first piece that begins behind a byte of the line.
func (t text) pieceBehind(at int) int {
	return sort.Search(len(t.rest), func(i int) bool { return t.rest[i].at > at })
}

// from is the text without what is before a byte.
func (t text) from(start int) text { return t.slice(start, len(t.content)) }

func (t text) slice(start, end int) text {
	cut := text{file: t.file, index: t.index, content: t.content[start:end], start: t.place(start)}
	first := t.pieceBehind(cut.start.at)
	cut.rest = t.rest[first:max(first, t.pieceBehind(t.start.at+end-1))]
	return cut
}

// maxErrors is how many lines of a file are reported as invalid.
const maxErrors = 20

// parse reads a unit file as Quadlet's own parser does: a line that ends in a
// backslash goes on behind the comments and blank lines below it, without the
// white space around. Unlike systemd, nothing takes the backslash's place. Quadlet
// refuses a file with an invalid line; here the others are read all the same.
//
// The parser is a small one of our own, since github.com/coreos/go-systemd has no
// positions, and Podman's is of a module that brings all of Podman with it. It takes
// time in proportion to the file.
func parse(file string, data []byte) ([]entry, []*manifest.Problem) {
	var entries []entry
	var problems []*manifest.Problem
	section := ""
	add := func(t text) {
		e, ok := parseLine(section, t)
		if !ok {
			if len(problems) < maxErrors {
				problems = append(problems, &manifest.Problem{
					Severity: manifest.Error, Position: t.whole(),
					Message: manifest.Say("expected [Section], Key=value or a comment; Podman ignores the whole file"),
				})
			}
			return
		}
		section = e.section
		entries = append(entries, e)
	}
	index := source.NewIndex(data)
	var content strings.Builder
	var pieces []piece
	complete := func() {
		if content.Len() > 0 {
			add(text{file: file, index: index, content: content.String(), start: pieces[0], rest: pieces[1:]})
		}
		content.Reset()
		pieces = nil
	}
	for n := range index.Height() {
		line := index.Line(n + 1)
		trimmed := strings.TrimSpace(line)
		if trimmed == "" || trimmed[0] == '#' || trimmed[0] == ';' {
			continue
		}
		indent := line[:len(line)-len(strings.TrimLeftFunc(line, unicode.IsSpace))]
		part, continued := strings.CutSuffix(trimmed, `\`)
		pieces = append(pieces, piece{content.Len(), index.Start(n+1) + len(indent)})
		content.WriteString(part)
		if !continued {
			complete()
		}
	}
	complete()
	return entries, problems
}

// parseLine reads one logical line of a section.
func parseLine(section string, t text) (entry, bool) {
	if header, ok := strings.CutPrefix(t.content, "["); ok {
		name, rest, closed := strings.Cut(header, "]")
		if closed && name != "" && strings.TrimSpace(rest) == "" {
			return entry{section: name, position: t.whole()}, true
		}
	}
	name, value, ok := strings.Cut(t.content, "=")
	key := strings.TrimRightFunc(name, unicode.IsSpace)
	if !ok || key == "" || section == "" {
		return entry{}, false
	}
	start := len(t.content) - len(strings.TrimLeftFunc(value, unicode.IsSpace))
	return entry{section: section, key: key, position: t.whole(), value: t.from(start)}, true
}

// word is a word of a value, without quotes and escapes.
type word struct {
	text string
	// source is the word as it is written.
	source text
	// exact is set where the text is written as it is, behind at most one quote.
	exact bool
}

func (w word) position() manifest.Position { return w.source.whole() }

// behind is the position of an exact word's text without what is before a byte of it.
func (w word) behind(at int) manifest.Position {
	return w.source.from(strings.LastIndex(w.source.content, w.text) + at).whole()
}

const blanks = " \t\n\r"

// words splits a value as systemd does: quotes may begin anywhere, and hold both
// blanks and C's escapes. bad are the places of escapes that systemd does not know.
func (t text) words() (words []word, bad []manifest.Position) {
	for {
		t = t.from(len(t.content) - len(strings.TrimLeft(t.content, blanks)))
		if t.content == "" {
			return words, bad
		}
		w, wrong := t.word()
		if w.text != "" {
			words = append(words, w)
		}
		for _, at := range wrong {
			bad = append(bad, t.slice(at, at+1).whole())
		}
		t = t.from(len(w.source.content))
	}
}

// word reads the word that the text begins with.
func (t text) word() (w word, bad []int) {
	var b strings.Builder
	quote := byte(0)
	at := 0
	for ; at < len(t.content); at++ {
		c := t.content[at]
		if quote == 0 && strings.IndexByte(blanks, c) >= 0 {
			break
		}
		switch {
		case c == '\\':
			unescaped, length := unescape(t.content[at+1:])
			if length == 0 && at+1 < len(t.content) {
				bad = append(bad, at)
				unescaped = `\`
			}
			b.WriteString(unescaped)
			at += length
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		case c == quote:
			quote = 0
		default:
			b.WriteByte(c)
		}
	}
	w = word{text: b.String(), source: t.slice(0, at)}
	written := w.source.content
	if len(written) > 1 && (written[0] == '"' || written[0] == '\'') && written[len(written)-1] == written[0] {
		written = written[1 : len(written)-1]
	}
	w.exact = written == w.text && len(w.source.rest) == 0
	return w, bad
}

// unescape returns what an escape stands for, and the length of it behind the
// backslash: zero for one that is not known, and for a NUL.
func unescape(s string) (unescaped string, length int) {
	if s == "" {
		return "", 0
	}
	switch s[0] {
	case 's':
		return " ", 1
	case '"', '\'':
		return s[:1], 1
	}
	r, _, rest, err := strconv.UnquoteChar(`\`+s[:min(len(s), len("U00000000"))], 0)
	if err != nil || r == 0 {
		return "", 0
	}
	return string(r), min(len(s), len("U00000000")) - len(rest)
}
