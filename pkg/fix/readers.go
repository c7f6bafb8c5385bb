package fix

import (
	"regexp"
	"slices"

	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// mention is a variable as a shell reads it, or what else expands a text in the
// container.
var mention = regexp.MustCompile(`\$[({]?([A-Za-z_][A-Za-z0-9_]*)`)

// readers are the places where the variables of a container are read: two of each
// variable at most, since the question is whether there is one beside a given place.
type readers map[string][]manifest.Position

// reads reports whether anything in a container but the entry at a place reads a
// variable.
func (f *Fixer) reads(c *manifest.Container, variable string, at manifest.Position) bool {
	known, ok := f.readers[c]
	if !ok {
		known = readersOf(c)
		f.readers[c] = known
	}
	return slices.ContainsFunc(known[variable], func(p manifest.Position) bool { return p != at })
}

// readersOf looks through the scripts of a container and all values that reach it,
// with what they are built from.
func readersOf(c *manifest.Container) readers {
	r := readers{}
	for _, script := range c.Scripts {
		r.text(manifest.Expr{{Literal: script.Text}}, place(script.Position))
	}
	visited := map[*manifest.Ref][]manifest.Position{}
	for _, d := range c.Deliveries {
		at := place(d.Position())
		r.text(d.Expr, at)
		done := func(ref *manifest.Ref) bool {
			var fresh bool
			visited[ref], fresh = add(visited[ref], at)
			return !fresh
		}
		for ref := range d.Expr.Origins(done) {
			if ref.Kind == manifest.RefEnv {
				r[ref.Name], _ = add(r[ref.Name], at)
			}
			r.text(ref.Value, at)
			r.text(ref.Default, at)
		}
	}
	return r
}

// text adds what the literal text of a value mentions.
func (r readers) text(e manifest.Expr, at manifest.Position) {
	for _, part := range e {
		text, _ := part.Literal.Reveal()
		for _, m := range mention.FindAllStringSubmatch(text, -1) {
			r[m[1]], _ = add(r[m[1]], at)
		}
	}
}

func add(to []manifest.Position, at manifest.Position) (all []manifest.Position, fresh bool) {
	if len(to) == 2 || slices.Contains(to, at) {
		return to, false
	}
	return append(to, at), true
}
