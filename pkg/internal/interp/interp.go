// Package interp reads Compose's interpolation syntax: $NAME, ${NAME}, the
// forms with :- - :? ? :+ + and a word, and $$ for a dollar sign. It takes a
// text for exactly what compose-go's template package takes it for, oddities
// included, but tells the parts of a text rather than only its value, and it
// never fails on a variable that is not set.
//
// See https://docs.docker.com/reference/compose-file/interpolation/.
package interp

import (
	"errors"
	"slices"
	"strings"
	"unicode/utf8"
)

// Op is what stands between a variable's name and the word behind it.
type Op string

// The operators. The zero Op is that of ${NAME} and $NAME.
const (
	DefaultIfEmpty  Op = ":-"
	DefaultIfUnset  Op = "-"
	RequireNonEmpty Op = ":?"
	RequireSet      Op = "?"
	InsteadIfFull   Op = ":+"
	InsteadIfSet    Op = "+"
)

// Segment is a piece of a Template: a variable where Name is set, and literal
// text otherwise.
type Segment struct {
	Text string
	Name string
	Op   Op
	// Word is what is behind Op. The message of :? and ? is not part of any
	// value and is left out.
	Word Template
	// wordErr is what is wrong with Word. It matters only where the word is
	// used, as compose-go reads it no sooner.
	wordErr error
}

// Template is a parsed text.
type Template []Segment

// Errors of this package. None holds any of the text.
var (
	ErrInvalid = errors.New("invalid interpolation: expected ${NAME}, $NAME, or $$ for a dollar sign")
	ErrTooDeep = errors.New("invalid interpolation: defaults are nested too deeply")
	ErrTooLong = errors.New("the interpolated value is longer than 1 MiB")
)

const (
	// maxDepth bounds recursion, and with it the time that a text can cost.
	maxDepth = 64
	// maxLength bounds what Eval puts together.
	maxLength = 1 << 20
)

// Parse reads a text. It takes time linear in the text's length.
func Parse(text string) (Template, error) { return parse(text, 0) }

func parse(text string, depth int) (Template, error) {
	if depth > maxDepth {
		return nil, ErrTooDeep
	}
	p := parser{text: text, depth: depth, braceLine: -1}
	for p.pos < len(text) {
		if err := p.segment(); err != nil {
			return nil, err
		}
	}
	p.flush()
	return p.template, nil
}

type parser struct {
	text     string
	pos      int
	depth    int
	literal  strings.Builder
	template Template

	// braceLine is the end of the line whose last closing brace is lastBrace.
	braceLine, lastBrace int
}

func (p *parser) flush() {
	if p.literal.Len() > 0 {
		p.template = append(p.template, Segment{Text: p.literal.String()})
		p.literal.Reset()
	}
}

func (p *parser) variable(s Segment) {
	p.flush()
	p.template = append(p.template, s)
}

func (p *parser) segment() error {
	dollar := strings.IndexByte(p.text[p.pos:], '$')
	if dollar < 0 {
		p.literal.WriteString(p.text[p.pos:])
		p.pos = len(p.text)
		return nil
	}
	p.literal.WriteString(p.text[p.pos : p.pos+dollar])
	p.pos += dollar
	rest := p.text[p.pos+1:]
	switch {
	case strings.HasPrefix(rest, "$"):
		p.literal.WriteByte('$')
		p.pos += 2
	case strings.HasPrefix(rest, "{"):
		return p.braced()
	default:
		name := nameLength(rest)
		if name == 0 {
			p.literal.WriteByte('$')
			p.pos++
			return nil
		}
		p.variable(Segment{Name: rest[:name]})
		p.pos += 1 + name
	}
	return nil
}

// braced reads ${...}.
func (p *parser) braced() error {
	start := p.pos + 2
	end := start + nameLength(p.text[start:])
	if end == start || end == len(p.text) {
		return ErrInvalid
	}
	name := p.text[start:end]
	if p.text[end] == '}' {
		p.variable(Segment{Name: name})
		p.pos = end + 1
		return nil
	}
	op := operator(p.text[end:])
	if op == "" {
		return ErrInvalid
	}
	word := end + len(op)
	last := p.lastBraceOfLine(word)
	if last < word {
		return ErrInvalid
	}
	closing := closingBrace(p.text[p.pos : last+1])
	if closing < 0 {
		closing = last
	} else {
		closing += p.pos
	}
	segment := Segment{Name: name, Op: op}
	if op != RequireNonEmpty && op != RequireSet {
		segment.Word, segment.wordErr = parse(p.text[word:closing], p.depth+1)
		if errors.Is(segment.wordErr, ErrTooDeep) {
			return ErrTooDeep
		}
	}
	p.variable(segment)
	p.pos = closing + 1
	return nil
}

// lastBraceOfLine is the last closing brace of the line that position i is in,
// before i if there is none behind it. compose-go's pattern is greedy, and its
// dot matches no line break.
func (p *parser) lastBraceOfLine(i int) int {
	if i >= p.braceLine {
		p.braceLine = len(p.text)
		if n := strings.IndexByte(p.text[i:], '\n'); n >= 0 {
			p.braceLine = i + n
		}
		p.lastBrace = strings.LastIndexByte(p.text[:p.braceLine], '}')
	}
	return p.lastBrace
}

// closingBrace finds the brace that closes the first one of s, as compose-go
// does: what follows an opening brace directly is not looked at.
func closingBrace(s string) int {
	open := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '}':
			if open--; open == 0 {
				return i
			}
		case '{':
			open++
			i++
		}
	}
	return -1
}

func operator(s string) Op {
	for _, op := range []Op{DefaultIfEmpty, RequireNonEmpty, InsteadIfFull, DefaultIfUnset, RequireSet, InsteadIfSet} {
		if strings.HasPrefix(s, string(op)) {
			return op
		}
	}
	return ""
}

// nameLength is the length of the variable name that s begins with. The two
// letters beyond ASCII are what compose-go's case-insensitive pattern takes for
// an s and a k.
func nameLength(s string) int {
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		letter := r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == 'ſ' || r == '\u212a'
		if !letter && (i == 0 || r < '0' || r > '9') {
			return i
		}
		i += size
	}
	return len(s)
}

// Lookup returns the value of a variable and whether it is set.
type Lookup func(name string) (value string, set bool)

// Eval puts the text together as Compose would. A variable that is not set is
// blank, also where the text requires it; missing reports whether there was one.
func (t Template) Eval(lookup Lookup) (value string, missing bool, err error) {
	e := evaluation{lookup: lookup}
	if err := e.run(t); err != nil {
		return "", e.missing, err
	}
	return e.value.String(), e.missing, nil
}

type evaluation struct {
	lookup  Lookup
	value   strings.Builder
	missing bool
}

func (e *evaluation) run(t Template) error {
	for _, s := range t {
		text := s.Text
		if s.Name != "" {
			value, set := e.lookup(s.Name)
			if s.TakesWord(value, set) {
				if s.wordErr != nil {
					return s.wordErr
				}
				if err := e.run(s.Word); err != nil {
					return err
				}
				continue
			}
			text = value
			switch s.Op {
			case InsteadIfFull, InsteadIfSet:
				text = ""
			case RequireNonEmpty:
				e.missing = e.missing || value == ""
			default:
				e.missing = e.missing || !set
			}
		}
		if e.value.Len()+len(text) > maxLength {
			return ErrTooLong
		}
		e.value.WriteString(text)
	}
	return nil
}

// TakesWord reports whether the segment's word is what its value comes from, for
// a variable of that value.
func (s Segment) TakesWord(value string, set bool) bool {
	switch s.Op {
	case DefaultIfEmpty:
		return value == ""
	case DefaultIfUnset:
		return !set
	case InsteadIfFull:
		return value != ""
	case InsteadIfSet:
		return set
	default:
		return false
	}
}

// Unmet reports whether the text requires a variable, with :? or ?, that is
// empty or not set.
func (t Template) Unmet(lookup Lookup) bool {
	return slices.ContainsFunc(t, func(s Segment) bool {
		if s.Name == "" {
			return false
		}
		value, set := lookup(s.Name)
		switch {
		case s.TakesWord(value, set):
			return s.Word.Unmet(lookup)
		case s.Op == RequireNonEmpty:
			return value == ""
		}
		return s.Op == RequireSet && !set
	})
}
