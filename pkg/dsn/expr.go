package dsn

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// Symbolic is a DSN whose parts may still be references. Each part is the
// sub-expression it is made of, with literal text unescaped; it is nil where the
// DSN does not give the part. A part that lies in the known value of a reference
// is that reference with just this piece of its Value, so that text that the
// expression itself holds can be told from text that comes from elsewhere; the
// same goes for Default.
type Symbolic struct {
	Username manifest.Expr
	// Overridden is the username that a parameter takes the place of.
	Overridden manifest.Expr
	// Password is empty but not nil where the DSN gives an empty one.
	Password manifest.Expr
	Hosts    []SymbolicHost
	Database manifest.Expr
}

// SymbolicHost is one of the hosts of a Symbolic.
type SymbolicHost struct{ Name, Port manifest.Expr }

// The limits keep an expression that mentions the same name many times over,
// many hops deep, from growing without bound. A DSN is far below them.
const (
	maxText   = 64 << 10
	maxPieces = 1024
)

// opaque stands for a reference of unknown value while the text is split. It may
// are in any part of a DSN and is confused with no literal, since references
// are told by their place.
const opaque = '~'

// ParseExpr returns the DSNs that an expression holds: the whole of it in either
// form, or those in URI form inside a longer text, such as a command. Known
// values of references are seen through; a reference of unknown value is taken
// for a piece of one part. Where it has a default, the expression is read a
// second time with the default in its place, and a DSN comes twice if that makes
// a difference to how it is split.
func ParseExpr(e manifest.Expr) []*Symbolic {
	plain, ok := flatten(e, false)
	if !ok {
		return nil
	}
	found := plain.parse()
	if defaults, ok := flatten(e, true); ok && defaults.text != plain.text {
		seen := map[string]bool{}
		for _, s := range found {
			seen[s.canonical()] = true
		}
		for _, s := range defaults.parse() {
			if !seen[s.canonical()] {
				found = append(found, s)
			}
		}
	}
	return found
}

// flat is an expression as one text, with the way back.
type flat struct {
	text   string
	pieces []piece
}

// piece is a part of an expression and the stretch of text it makes.
type piece struct {
	Span
	// ref is nil for literal text.
	ref *manifest.Ref
	// inner are the pieces of the reference's value, or of its default; nil for
	// an opaque reference.
	inner     []piece
	byDefault bool
}

type flattener struct {
	text        strings.Builder
	pieces      int
	useDefaults bool
}

func flatten(e manifest.Expr, useDefaults bool) (flat, bool) {
	f := flattener{useDefaults: useDefaults}
	pieces, ok := f.add(e)
	return flat{f.text.String(), pieces}, ok && e != nil
}

func (f *flattener) add(e manifest.Expr) ([]piece, bool) {
	pieces := make([]piece, 0, len(e))
	for _, part := range e {
		if f.pieces++; f.pieces > maxPieces {
			return nil, false
		}
		p := piece{Span: Span{Start: f.text.Len()}, ref: part.Ref}
		ok := true
		if part.Ref == nil {
			text, known := part.Literal.Reveal()
			if ok = known && f.text.Len()+len(text) <= maxText; ok {
				f.text.WriteString(text)
			}
		} else {
			switch source := part.Ref.Source(); {
			case source.Value != nil:
				p.inner, ok = f.add(source.Value)
			case f.useDefaults && source.Default != nil:
				p.byDefault = source == part.Ref
				p.inner, ok = f.add(source.Default)
			default:
				f.text.WriteByte(opaque)
			}
		}
		if !ok {
			return nil, false
		}
		p.End = f.text.Len()
		pieces = append(pieces, p)
	}
	return pieces, true
}

func (f flat) parse() []*Symbolic {
	if l, err := split(f.text); err == nil {
		if l.scheme.empty() && !l.convincing() {
			return nil
		}
		if s := f.symbolic(l, 0); s != nil {
			return []*Symbolic{s}
		}
		return nil
	}
	var found []*Symbolic
	for _, at := range Find(f.text) {
		l, err := split(at.in(f.text))
		if err != nil {
			continue
		}
		if s := f.symbolic(l, at.Start); s != nil {
			found = append(found, s)
		}
	}
	return found
}

// convincing reports whether a text in keyword form is meant for a database: other
// programs too take arguments such as user=x.
func (l *layout) convincing() bool {
	named := 0
	for _, given := range []bool{!l.database.empty(), len(l.hosts) > 0, l.user != nil, len(l.passwords) > 0} {
		if given {
			named++
		}
	}
	return named >= 2
}

// symbolic returns the DSN with a layout that begins at start.
func (f flat) symbolic(l *layout, start int) *Symbolic {
	part := func(sp *Span) manifest.Expr {
		if sp == nil {
			return nil
		}
		return slice(f.pieces, f.text, Span{start + sp.Start, start + sp.End}, l.unescape)
	}
	s := &Symbolic{Username: part(l.user), Overridden: part(l.overridden)}
	if !l.database.empty() {
		s.Database = part(&l.database)
	}
	if n := len(l.passwords); n > 0 {
		s.Password = part(&l.passwords[n-1])
	}
	for _, h := range l.hosts {
		host := SymbolicHost{Name: part(h.name), Port: part(h.port)}
		if port, known := host.Port.Eval().Reveal(); known && !validPort(port) {
			return nil
		}
		s.Hosts = append(s.Hosts, host)
	}
	return s
}

// slice returns the expression that makes a stretch of the text. It is never nil.
func slice(pieces []piece, text string, sp Span, unescape func(string) (string, error)) manifest.Expr {
	e := manifest.Expr{}
	for _, p := range pieces {
		common := Span{max(p.Start, sp.Start), min(p.End, sp.End)}
		if common.Start >= common.End {
			continue
		}
		switch {
		case p.ref == nil:
			literal := common.in(text)
			// An escape that a reference cuts in two stays as it is.
			if unescaped, err := unescape(literal); err == nil {
				literal = unescaped
			}
			e = append(e, manifest.Part{Literal: manifest.Known(literal)})
		case p.inner == nil:
			e = append(e, manifest.Part{Ref: p.ref})
		default:
			with := p.ref.WithValue
			if p.byDefault {
				with = p.ref.WithDefault
			}
			e = append(e, manifest.Part{Ref: with(slice(p.inner, text, sp, unescape))})
		}
	}
	return e
}

// canonical returns a text that two DSNs share only where each part of one is the [Same]
// as that of the other. It may hold secrets.
func (s *Symbolic) canonical() string {
	parts := []manifest.Expr{s.Username, s.Overridden, s.Password, s.Database}
	for _, h := range s.Hosts {
		parts = append(parts, h.Name, h.Port)
	}
	var all strings.Builder
	for _, part := range parts {
		text, _ := Key(part)
		all.WriteString(text + ",")
	}
	return all.String()
}

// Written returns the text of an expression as it is in the manifest itself:
// literal text, and the defaults of references. It is not known where a
// reference has no default. The text may be a secret.
func Written(e manifest.Expr) (text string, known bool) {
	return eval(e, func(ref *manifest.Ref) manifest.Expr { return ref.Default })
}

// Texts lists the texts that an expression is known to have: with every
// reference set, and with the default in place of those that have one. They may
// be secrets.
func Texts(e manifest.Expr) []string {
	var texts []string
	for _, choose := range []func(*manifest.Ref) manifest.Expr{
		func(ref *manifest.Ref) manifest.Expr { return firstKnown(ref.Value, ref.Default) },
		func(ref *manifest.Ref) manifest.Expr { return firstKnown(ref.Default, ref.Value) },
	} {
		if text, known := eval(e, choose); known && !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
	}
	return texts
}

func firstKnown(a, b manifest.Expr) manifest.Expr {
	if a != nil {
		return a
	}
	return b
}

func eval(e manifest.Expr, choose func(*manifest.Ref) manifest.Expr) (string, bool) {
	f := flattener{}
	known := e != nil && f.choose(e, choose)
	return f.text.String(), known
}

func (f *flattener) choose(e manifest.Expr, choose func(*manifest.Ref) manifest.Expr) bool {
	for _, part := range e {
		if f.pieces++; f.pieces > maxPieces {
			return false
		}
		if part.Ref != nil {
			chosen := choose(part.Ref.Source())
			if chosen == nil || !f.choose(chosen, choose) {
				return false
			}
			continue
		}
		text, known := part.Literal.Reveal()
		if !known || f.text.Len()+len(text) > maxText {
			return false
		}
		f.text.WriteString(text)
	}
	return true
}

// Same reports whether two expressions always have the same text: the same
// literal text and the same names in the same order once known values are seen
// through. A name is the same whatever its default, since a default only counts
// where the name is not set. Nothing is the same as an unknown expression.
func Same(a, b manifest.Expr) bool {
	x, known := Key(a)
	y, alsoKnown := Key(b)
	return known && alsoKnown && x == y
}

// Key returns a text that two expressions share only where they are the [Same]. It may
// hold secrets.
func Key(e manifest.Expr) (text string, known bool) {
	var c canonicalizer
	known = e != nil && c.add(e)
	c.endText()
	return c.out.String(), known
}

type canonicalizer struct {
	out strings.Builder
	// text is what was read since the last name, since it does not matter how text is cut.
	text         strings.Builder
	pieces, size int
}

func (c *canonicalizer) add(e manifest.Expr) bool {
	for _, part := range e {
		if c.pieces++; c.pieces > maxPieces {
			return false
		}
		if part.Ref == nil {
			text, known := part.Literal.Reveal()
			if c.size += len(text); !known || c.size > maxText {
				return false
			}
			c.text.WriteString(text)
			continue
		}
		ref := part.Ref.Source()
		if ref.Value != nil {
			if !c.add(ref.Value) {
				return false
			}
			continue
		}
		c.endText()
		fmt.Fprintf(&c.out, "%q%q%q", ref.Kind, ref.Object, ref.Name)
	}
	return true
}

func (c *canonicalizer) endText() {
	if c.text.Len() > 0 {
		c.out.WriteString(strconv.Quote(c.text.String()))
		c.text.Reset()
	}
}
