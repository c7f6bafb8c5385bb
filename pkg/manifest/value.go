package manifest

import (
	"cmp"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"sync/atomic"
	"unique"
)

// Masked is what is shown in place of a value.
const Masked = "***"

// Value is a text that may be a secret. No way of printing it gives the text,
// and most give [Masked]; only Reveal gives the text itself. The zero Value is
// unknown.
type Value struct {
	// text is a handle since fmt calls no method of a Value in an unexported
	// field, but prints what the Value is made of.
	text unique.Handle[string]
}

// Known makes a Value of a text.
func Known(text string) Value { return Value{text: unique.Make(text)} }

// Reveal returns the text and whether it is known. The text must not be
// printed.
func (v Value) Reveal() (text string, known bool) {
	if v == (Value{}) {
		return "", false
	}
	return v.text.Value(), true
}

// String gives [Masked] for a known value and the empty string for an unknown
// one.
func (v Value) String() string {
	if v == (Value{}) {
		return ""
	}
	return Masked
}

// Format masks the value under every verb, %#v and %x included.
func (v Value) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, v.String()) }

// MarshalText masks the value in JSON, YAML and every other text encoding.
func (v Value) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// Equal makes go-cmp compare values without printing them.
func (v Value) Equal(w Value) bool { return v == w }

// Expr is how a value is put together: literal text and references, in order.
// A nil Expr is an unknown value, an empty one the empty string.
type Expr []Part

// Part is a piece of an Expr. It is a reference where Ref is set and literal
// text otherwise.
type Part struct {
	Literal Value
	Ref     *Ref
}

// Literal makes an Expr of literal text. It is never nil.
func Literal(s string) Expr {
	if s == "" {
		return Expr{}
	}
	return Expr{{Literal: Known(s)}}
}

// ExprBuilder puts an Expr together; neighbouring texts become one part. The zero
// value is ready to use.
type ExprBuilder struct {
	expr    Expr
	literal strings.Builder
}

// Text adds literal text.
func (b *ExprBuilder) Text(s string) { b.literal.WriteString(s) }

// Ref adds a reference.
func (b *ExprBuilder) Ref(r *Ref) { b.expr = append(b.Expr(), Part{Ref: r}) }

// Expr returns what was added so far. It is never nil.
func (b *ExprBuilder) Expr() Expr {
	b.expr = append(b.expr, Literal(b.literal.String())...)
	b.literal.Reset()
	if b.expr == nil {
		b.expr = Expr{}
	}
	return b.expr
}

// RefKind tells what sort of name a Ref mentions.
type RefKind string

// The kinds of names.
const (
	// RefVariable is a variable of what surrounds the container: ${NAME} in Compose,
	// or a pass-through.
	RefVariable RefKind = "variable"
	// RefEnv is a variable of the container's own env map: $(NAME) in Kubernetes, and
	// in an env file of Compose the name of one that environment sets.
	RefEnv RefKind = "env"
	// RefSecretKey is a key of a Secret.
	RefSecretKey RefKind = "secret key"
	// RefConfigKey is a key of a ConfigMap.
	RefConfigKey RefKind = "config key"
	// RefFile is the name of a file or of a Compose secret or config; such names
	// are conventionally written in lower case.
	RefFile RefKind = "file"
)

// Ref is a name that a value is built from.
type Ref struct {
	Name string
	// Written is how the name is written where it is interpolated.
	Written string
	Kind    RefKind
	// Object names what Name is a key of, as NAMESPACE/KIND/NAME; it is empty
	// for a variable.
	Object string
	// Value is what the name stands for, where some manifest says it; nil
	// otherwise. A cycle is cut: the Ref that would close it has none.
	Value Expr
	// Default takes the place of the name when it is not set, and is only
	// present where that can happen.
	Default Expr
	// Steps lead from the mention of the name to the place that defines it.
	Steps []Step

	// resolved is what is known of Value once it has been asked for. Value does
	// not change after that.
	resolved atomic.Pointer[resolution]
}

// WithValue returns a reference that differs from r in its value.
func (r *Ref) WithValue(value Expr) *Ref {
	return &Ref{Name: r.Name, Written: r.Written, Kind: r.Kind, Object: r.Object, Value: value, Default: r.Default, Steps: r.Steps}
}

// WithDefault returns a reference that differs from r in its default.
func (r *Ref) WithDefault(value Expr) *Ref {
	return &Ref{Name: r.Name, Written: r.Written, Kind: r.Kind, Object: r.Object, Value: r.Value, Default: value, Steps: r.Steps}
}

// Refs yields every reference that the value is built from, however many hops
// away: each once, and before those it is itself built from.
func (e Expr) Refs() iter.Seq[*Ref] {
	return func(yield func(*Ref) bool) {
		seen := map[*Ref]bool{}
		ahead := pushRefs(nil, e)
		for len(ahead) > 0 {
			ref := ahead[len(ahead)-1].ref
			ahead = ahead[:len(ahead)-1]
			if seen[ref] {
				continue
			}
			seen[ref] = true
			if !yield(ref) {
				return
			}
			ahead = pushRefs(pushRefs(ahead, ref.Default), ref.Value)
		}
	}
}

// visit is a reference on the stack of a walk. It is open once those that it is
// built from have been put on top of it.
type visit struct {
	ref  *Ref
	open bool
}

// pushRefs puts the references of an expression on a stack, the first one on
// top. A stranger can write chains that are longer than any recursion may go.
func pushRefs(stack []visit, e Expr) []visit {
	for _, part := range slices.Backward(e) {
		if part.Ref != nil {
			stack = append(stack, visit{ref: part.Ref})
		}
	}
	return stack
}

// Origins yields the references that the value is built from, each once and
// after those it is itself built from. Those that done reports are passed over
// together with what they are built from, so that work on many expressions is
// done once for what they share.
func (e Expr) Origins(done func(*Ref) bool) iter.Seq[*Ref] {
	return func(yield func(*Ref) bool) {
		ahead := pushRefs(nil, e)
		if len(ahead) == 0 {
			return
		}
		entered := map[*Ref]bool{}
		for len(ahead) > 0 {
			top := &ahead[len(ahead)-1]
			ref := top.ref
			switch {
			case top.open:
				if !yield(ref) {
					return
				}
				ahead = ahead[:len(ahead)-1]
			case entered[ref] || done(ref):
				ahead = ahead[:len(ahead)-1]
			default:
				entered[ref], top.open = true, true
				ahead = pushRefs(pushRefs(ahead, ref.Default), ref.Value)
			}
		}
	}
}

// Trail leads along references to where a value comes from. Trails that end
// alike share their end, so that a chain of references costs no more than its
// length.
type Trail struct {
	ref  *Ref
	next *Trail
	// length counts the steps, and last is the last of them; nil for none.
	length int
	last   *Step
}

// Via returns the trail that goes along r and then along next, which may be nil.
func (r *Ref) Via(next *Trail) *Trail {
	t := &Trail{ref: r, next: next, length: len(r.Steps)}
	if n := len(r.Steps); n > 0 {
		t.last = &r.Steps[n-1]
	}
	if next != nil {
		t.length += next.length
		t.last = cmp.Or(next.last, t.last)
	}
	return t
}

// Steps returns the steps of the trail behind those that come before it; t may
// be nil. Where there are more than limit steps, the first ones and the last are
// left, with a step between them that says how many are not.
func (t *Trail) Steps(before []Step, limit int) []Step {
	total, last := len(before), (*Step)(nil)
	if t != nil {
		total, last = total+t.length, t.last
	}
	if total <= limit {
		steps := slices.Clip(before)
		for ; t != nil; t = t.next {
			steps = append(steps, t.ref.Steps...)
		}
		return steps
	}
	if last == nil {
		last = &before[len(before)-1]
	}
	first := max(limit-2, 1)
	steps := slices.Clone(before[:min(len(before), first)])
	for ; t != nil && len(steps) < first; t = t.next {
		steps = append(steps, t.ref.Steps[:min(len(t.ref.Steps), first-len(steps))]...)
	}
	omitted := total - len(steps) - 1
	for _, step := range before[min(len(before), first):] {
		// A step that is left out may stand for others.
		omitted += max(step.Omitted-1, 0)
	}
	return append(steps, Step{Text: Say("%s more steps", Number(omitted)), Omitted: omitted}, *last)
}

// maxValueBytes bounds what Eval puts together; Linux takes no more than 128 KiB
// for one variable (MAX_ARG_STRLEN).
const maxValueBytes = 1 << 20

// resolution is what is known of the value of a reference.
type resolution struct {
	known bool
	// size is the length of a known value.
	size int
	// only is the reference that alone makes the value, beside references that
	// are known to be empty; nil where there is text or another reference.
	only *Ref
}

// resolve finds out whether the value is known, and how long it is, without
// putting it together. What is found out of a reference is kept.
func (e Expr) resolve() resolution {
	for ref := range e.Origins(func(r *Ref) bool { return r.resolved.Load() != nil }) {
		found := ref.Value.sum()
		if found.only != nil && found.only.Default == nil {
			// A chain is followed once.
			if next := found.only.resolved.Load(); next != nil && next.only != nil {
				found.only = next.only
			}
		}
		ref.resolved.Store(&found)
	}
	return e.sum()
}

// sum adds up the parts, whose references are resolved but where a cycle is cut.
func (e Expr) sum() resolution {
	sum := resolution{known: e != nil}
	contents := 0
	for _, part := range e {
		var found resolution
		if part.Ref == nil {
			var text string
			text, found.known = part.Literal.Reveal()
			found.size = len(text)
		} else if known := part.Ref.resolved.Load(); known != nil {
			found = *known
		}
		sum.known = sum.known && found.known && sum.size+found.size <= maxValueBytes
		sum.size = min(sum.size+found.size, maxValueBytes)
		if part.Ref != nil && found.known && found.size == 0 && part.Ref.Default == nil && len(e) > 1 {
			continue
		}
		if contents++; contents == 1 {
			sum.only = part.Ref
		} else {
			sum.only = nil
		}
	}
	return sum
}

// Source returns the reference that r comes down to: where the value of r is
// another reference and nothing else, and so on, it is the last of these. One
// that has a default is not passed over.
func (r *Ref) Source() *Ref {
	_ = Expr{{Ref: r}}.resolve()
	if found := r.resolved.Load(); r.Default == nil && found.only != nil {
		return found.only
	}
	return r
}

// IsKnown reports whether Eval returns a known value.
func (e Expr) IsKnown() bool { return e.resolve().known }

// Eval puts the value together. It is unknown as soon as one of its references
// is, and where it would be longer than a mebibyte.
func (e Expr) Eval() Value {
	if !e.resolve().known {
		return Value{}
	}
	// A reference is put together once: twice as many mentions with every hop
	// would take exponential time, even where they come to nothing.
	type span struct{ start, end int }
	type frame struct {
		ref   *Ref
		start int
		rest  Expr
	}
	var text strings.Builder
	done := map[*Ref]span{}
	frames := []frame{{rest: e}}
	for len(frames) > 0 {
		top := &frames[len(frames)-1]
		if len(top.rest) == 0 {
			if top.ref != nil {
				done[top.ref] = span{top.start, text.Len()}
			}
			frames = frames[:len(frames)-1]
			continue
		}
		part := top.rest[0]
		top.rest = top.rest[1:]
		if part.Ref == nil {
			literal, _ := part.Literal.Reveal()
			text.WriteString(literal)
			continue
		}
		ref := part.Ref
		if found := ref.resolved.Load(); found.size == 0 {
			continue
		}
		if sp, ok := done[ref]; ok {
			text.WriteString(text.String()[sp.start:sp.end])
			continue
		}
		frames = append(frames, frame{ref: ref, start: text.Len(), rest: ref.Source().Value})
	}
	return Known(text.String())
}
