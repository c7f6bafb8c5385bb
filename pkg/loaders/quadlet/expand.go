package quadlet

import (
	"regexp"

	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// expansion matches what systemd replaces in the words of ExecStart=: specifiers,
// ${NAME} and $$. A percent sign before any other character stays, such as that of a
// percent-encoded @ in a DSN; so does $NAME where it is only a part of a word.
// See https://www.freedesktop.org/software/systemd/man/latest/systemd.unit.html#Specifiers.
var expansion = regexp.MustCompile(`%([%aAbBCdDEfgGhHiIjJlLmMnNopPqsStTuUvVwWyY])|\$(\$|\{([^}]*)\})`)

var (
	variable = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	// alone is a word that is replaced by the words of a variable's value.
	alone = regexp.MustCompile(`^\$([A-Za-z_][A-Za-z0-9_]*)$`)
)

// expand returns how a text is built that becomes a word of ExecStart=.
func expand(s string, resolve func(name string) *manifest.Ref) manifest.Expr {
	if m := alone.FindStringSubmatch(s); m != nil {
		return manifest.Expr{{Ref: resolve(m[1])}}
	}
	return replace(s, resolve)
}

// replace replaces specifiers, whose values only systemd knows, and with a resolver
// also what begins with a dollar sign.
func replace(s string, resolve func(name string) *manifest.Ref) manifest.Expr {
	var expr manifest.ExprBuilder
	last := 0
	for _, m := range expansion.FindAllStringSubmatchIndex(s, -1) {
		expr.Text(s[last:m[0]])
		last = m[1]
		switch written := s[m[0]:m[1]]; {
		case written == "%%":
			expr.Text("%")
		case written[0] == '%':
			expr.Ref(&manifest.Ref{Name: written, Kind: manifest.RefVariable})
		case resolve == nil:
			expr.Text(written)
		case written == "$$":
			expr.Text("$")
		case variable.MatchString(s[m[6]:m[7]]):
			expr.Ref(resolve(s[m[6]:m[7]]))
		}
		// systemd knows no default in ${NAME:-x}, and replaces it by nothing.
	}
	expr.Text(s[last:])
	return expr.Expr()
}

// isFixed reports whether systemd replaces nothing in a text, so that it means what
// is written.
func isFixed(s string) bool { return !expansion.MatchString(s) && !alone.MatchString(s) }
