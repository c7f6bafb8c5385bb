package manifest

import (
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
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

// RefKind tells what sort of name a Ref mentions.
type RefKind string

// The kinds of names.
const (
	// RefVariable is a variable: ${NAME} in Compose, $(NAME) in Kubernetes, or
	// a pass-through.
	RefVariable RefKind = "variable"
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
	// Default is what stands in for the name when it is not set, and is only
	// present where that can happen.
	Default Expr
	// Steps lead from the mention of the name to the place that defines it.
	Steps []Step
}

// Refs yields every reference that the value is built from, however many hops
// away, with the steps that lead to it. Each reference comes once, and before
// those it is itself built from.
func (e Expr) Refs() iter.Seq2[*Ref, []Step] {
	return func(yield func(*Ref, []Step) bool) {
		seen := map[*Ref]bool{}
		e.walk(nil, seen, yield)
	}
}

// walk visits a shared reference once: with every path to it the walk would be
// exponential in the number of hops.
func (e Expr) walk(trail []Step, seen map[*Ref]bool, yield func(*Ref, []Step) bool) bool {
	for _, part := range e {
		ref := part.Ref
		if ref == nil || seen[ref] {
			continue
		}
		seen[ref] = true
		steps := slices.Concat(trail, ref.Steps)
		if !yield(ref, steps) || !ref.Value.walk(steps, seen, yield) || !ref.Default.walk(steps, seen, yield) {
			return false
		}
	}
	return true
}

// maxValueBytes bounds what Eval puts together; Linux takes no more than 128 KiB
// for one variable (MAX_ARG_STRLEN).
const maxValueBytes = 1 << 20

// Eval puts the value together. It is unknown as soon as one of its references
// is, and where it would be longer than a mebibyte.
func (e Expr) Eval() Value {
	v := evaluation{done: map[*Ref]span{}}
	if !v.add(e) {
		return Value{}
	}
	return Known(v.text.String())
}

// evaluation puts each shared reference together once: twice as many mentions
// with every hop would take exponential time, even where they come to nothing.
type evaluation struct {
	text strings.Builder
	done map[*Ref]span
}

// span is where in the text the value of a reference stands.
type span struct{ start, end int }

func (v *evaluation) add(e Expr) bool {
	if e == nil {
		return false
	}
	for _, part := range e {
		if part.Ref != nil {
			if !v.addRef(part.Ref) {
				return false
			}
			continue
		}
		text, known := part.Literal.Reveal()
		if !known || !v.write(text) {
			return false
		}
	}
	return true
}

func (v *evaluation) addRef(ref *Ref) bool {
	if done, ok := v.done[ref]; ok {
		return v.write(v.text.String()[done.start:done.end])
	}
	start := v.text.Len()
	if !v.add(ref.Value) {
		return false
	}
	v.done[ref] = span{start, v.text.Len()}
	return true
}

func (v *evaluation) write(text string) bool {
	if v.text.Len()+len(text) > maxValueBytes {
		return false
	}
	v.text.WriteString(text)
	return true
}
