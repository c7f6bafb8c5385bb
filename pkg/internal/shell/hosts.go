// Package shell finds literal hosts and ports of the database in shell scripts.
//
// It would rather miss one than cry wolf: a word counts only where the script
// uses it as a host or a port, that is as an option or argument of a program
// that connects, in a DSN, in a variable that is named after a host or port, or
// as such a variable's default. Comments, here-documents that are fed to a
// database client, messages, user and database names, images, container names
// and published ports are none. Neither is the loopback address: it says where
// the script runs rather than where the database is.
package shell

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"mvdan.cc/sh/v3/syntax"

	"github.com/derekg1729/dsnlint/pkg/internal/source"
)

// Kind tells what a Hit is.
type Kind string

// The kinds of hits.
const (
	Host Kind = "host"
	Port Kind = "port"
	// DSN is a DSN with a literal host or port.
	DSN Kind = "dsn"
)

// Hit is a literal host or port.
type Hit struct {
	Kind Kind
	// Line and Column are where the literal begins in the script. They count
	// from 1, and Column counts code points.
	Line, Column int
	// Literal is the host, the port, or of a DSN both as HOST:PORT. It is never
	// a password.
	Literal string
	// Inner reports whether the literal is in a script within the script, such as that
	// of sh -c.
	Inner bool
}

// DefaultPort is the port of the database where no client says so.
const DefaultPort = "5432"

// The limits that keep the parser from exhausting time and stack: it descends
// for each level of nesting.
const (
	maxScript  = 128 << 10
	maxNesting = 1000
)

// What keeps a text from being read. None of them holds a part of it.
var (
	ErrNoShell = errors.New("is a script of another language than the shell")
	ErrTooBig  = fmt.Errorf("is larger than the %d KiB that are read of a shell script", maxScript>>10)
	ErrNesting = fmt.Errorf("nests parentheses or braces more than %d levels deep", maxNesting)
)

// SyntaxError says where a script stops being one. It holds no part of it.
type SyntaxError struct{ Line, Column int }

// Error returns the place.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("cannot be parsed as a shell script beyond line %d, column %d", e.Line, e.Column)
}

// Hosts returns the literal hosts and ports in a script, in order. isHost tells
// whether a word is a name of the database's host; where a script uses a word as
// the host of a Postgres client, it counts whatever it is. Of a script that
// cannot be parsed to its end, the hits before that place come with a
// [SyntaxError].
func Hosts(text string, isHost func(word string) bool) ([]Hit, error) {
	stmts, legible, err := read(text)
	f := &finder{isHost: isHost, found: map[int]raw{}, inner: map[int]bool{}, uses: map[string]use{}}
	f.collect(scope{script: script{text: legible}}, stmts)
	f.statements(scope{script: script{text: legible}}, stmts)
	return f.place(text), err
}

// read parses a script. What it is read as has as many bytes, and a letter for each that
// is not UTF-8.
func read(text string) (stmts []*syntax.Stmt, legible string, err error) {
	variants := variantsOf(cmp.Or(interpreterOf(text), "bash"))
	switch {
	case variants == nil:
		return nil, text, ErrNoShell
	case len(text) > maxScript:
		return nil, text, ErrTooBig
	case nesting(text) > maxNesting:
		return nil, text, ErrNesting
	}
	legible = text
	if !utf8.ValidString(text) {
		bytes := []byte(text)
		for i := 0; i < len(bytes); {
			r, size := utf8.DecodeRune(bytes[i:])
			if r == utf8.RuneError && size == 1 {
				bytes[i] = '_'
			}
			i += size
		}
		legible = string(bytes)
	}
	stmts, failure := parse(legible, variants)
	if failure != nil {
		return stmts, legible, syntaxError(text, *failure)
	}
	return stmts, legible, nil
}

// nesting bounds how deep parentheses and braces nest. Quoted ones count too; an
// unbalanced one that they hide takes bytes, and these are few.
func nesting(text string) int {
	depth, deepest := 0, 0
	for i := range len(text) {
		switch text[i] {
		case '(', '{':
			depth++
			deepest = max(deepest, depth)
		case ')', '}':
			depth = max(0, depth-1)
		}
	}
	return deepest
}

// parse returns the statements of a script; if no dialect takes all of it, those
// before the error of the dialect that gets furthest, and where that is.
func parse(text string, variants []syntax.LangVariant) ([]*syntax.Stmt, *syntax.Pos) {
	var best []*syntax.Stmt
	var furthest *syntax.Pos
	for _, variant := range variants {
		var stmts []*syntax.Stmt
		var failure *syntax.Pos
		for stmt, err := range syntax.NewParser(syntax.Variant(variant)).StmtsSeq(strings.NewReader(text)) {
			// The iterator may go on after an error, but takes no break there.
			switch {
			case err != nil && failure == nil:
				pos := positionOf(err)
				failure = &pos
			case failure == nil:
				stmts = append(stmts, stmt)
			}
		}
		if failure == nil {
			return stmts, nil
		}
		if furthest == nil || failure.Offset() > furthest.Offset() {
			best, furthest = stmts, failure
		}
	}
	return best, furthest
}

func positionOf(err error) syntax.Pos {
	var parseError syntax.ParseError
	var langError syntax.LangError
	switch {
	case errors.As(err, &parseError):
		return parseError.Pos
	case errors.As(err, &langError):
		return langError.Pos
	}
	return syntax.NewPos(0, 1, 1)
}

func syntaxError(text string, pos syntax.Pos) *SyntaxError {
	line, column := source.NewIndex([]byte(text)).Place(min(int(pos.Offset()), len(text)))
	return &SyntaxError{line, column}
}

// raw is a hit at a byte of the script.
type raw struct {
	kind    Kind
	literal string
	// end is the last byte of a DSN.
	end int
}

func (f *finder) place(text string) []Hit {
	if len(f.found) == 0 {
		return nil
	}
	hits := make([]Hit, 0, len(f.found))
	index := source.NewIndex([]byte(text))
	// What is in a DSN that is reported is reported.
	starts := slices.Sorted(maps.Keys(f.found))
	end := -1
	for _, offset := range starts {
		r := f.found[offset]
		if offset <= end {
			continue
		}
		if r.kind == DSN {
			end = r.end
		}
		line, column := index.Place(offset)
		hits = append(hits, Hit{Kind: r.kind, Line: line, Column: column, Literal: r.literal, Inner: f.inner[offset]})
	}
	slices.SortFunc(hits, func(a, b Hit) int { return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column)) })
	return hits
}

// script is a script, or one inside a script: each of its bytes has a place in
// the outermost one.
type script struct {
	text string
	// offsets is nil for the outermost script.
	offsets []int
}

// offset returns the place of byte i in the outermost script.
func (s script) offset(i int) int {
	if s.offsets == nil {
		return i
	}
	return s.offsets[min(i, len(s.offsets)-1)]
}

// unknown is in a flat word for what only running the script would tell.
const unknown = '\x00'

// flat is a word without its quotes, with the default in place of a variable
// that has one.
type flat struct {
	text    []byte
	offsets []int
}

func (w *flat) add(c byte, offset int) {
	w.text = append(w.text, c)
	w.offsets = append(w.offsets, offset)
}

// from returns the word without its first n bytes.
func (w flat) from(n int) flat { return flat{w.text[n:], w.offsets[n:]} }

// known returns the text where all of it is known and there is some.
func (w flat) known() (string, bool) {
	return string(w.text), len(w.text) > 0 && bytes.IndexByte(w.text, unknown) < 0
}

func (s script) flatten(word *syntax.Word) flat {
	var w flat
	if word != nil {
		s.addParts(&w, word.Parts, "")
	}
	return w
}

// addParts adds word parts; a backslash escapes the bytes in escaped, or any if
// that is empty.
func (s script) addParts(w *flat, parts []syntax.WordPart, escaped string) {
	for _, part := range parts {
		switch part := part.(type) {
		case *syntax.Lit:
			s.addLiteral(w, part, escaped)
		case *syntax.SglQuoted:
			start := int(part.Right.Offset()) - len(part.Value)
			for i := range len(part.Value) {
				w.add(part.Value[i], s.offset(start+i))
			}
		case *syntax.DblQuoted:
			s.addParts(w, part.Parts, "\"$`\\\n")
		case *syntax.ParamExp:
			if def := defaultOf(part); def != nil {
				s.addParts(w, def.Parts, escaped)
				continue
			}
			w.add(unknown, s.offset(int(part.Pos().Offset())))
		default:
			w.add(unknown, s.offset(int(part.Pos().Offset())))
		}
	}
}

// addLiteral reads a literal from the script, since the parser leaves out the
// line breaks that a backslash hides.
func (s script) addLiteral(w *flat, lit *syntax.Lit, escaped string) {
	start, end := int(lit.Pos().Offset()), int(lit.End().Offset())
	for i := start; i < end; i++ {
		if c := s.text[i]; c == '\\' && i+1 < end && (escaped == "" || strings.IndexByte(escaped, s.text[i+1]) >= 0) {
			if i++; s.text[i] == '\n' {
				continue
			}
		}
		if strings.HasPrefix(s.text[i:], "\r\n") {
			continue
		}
		w.add(s.text[i], s.offset(i))
	}
}

// defaultOf returns the word that replaces a variable that is not set.
func defaultOf(exp *syntax.ParamExp) *syntax.Word {
	defaults := []syntax.ParExpOperator{syntax.DefaultUnset, syntax.DefaultUnsetOrNull, syntax.AssignUnset, syntax.AssignUnsetOrNull}
	if exp.Exp == nil || exp.Param == nil || !slices.Contains(defaults, exp.Exp.Op) {
		return nil
	}
	return exp.Exp.Word
}

// nested returns a word as a script of its own, such as sh -c takes it.
func (w flat) nested() script {
	var text bytes.Buffer
	var offsets []int
	for i, c := range w.text {
		if c == unknown {
			text.WriteString(Variable)
			offsets = append(offsets, slices.Repeat([]int{w.offsets[i]}, len(Variable))...)
			continue
		}
		text.WriteByte(c)
		offsets = append(offsets, w.offsets[i])
	}
	return script{text.String(), append(offsets, 0)}
}

// program returns the name of the program that a word runs.
func (w flat) program() string {
	text, ok := w.known()
	if !ok {
		return ""
	}
	return path.Base(text)
}
