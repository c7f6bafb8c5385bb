package rules

import (
	"regexp"
	"slices"

	"github.com/derekg1729/dsnlint/pkg/contract"
	"github.com/derekg1729/dsnlint/pkg/dsn"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

var literalCredential = &Rule{
	ID:      "LITERAL_CREDENTIAL",
	Level:   contract.LevelError,
	Summary: "A DSN with a literal password is in a manifest.",
	Why: "Whoever can read the repository, a backup of it or a build log has the password, and to change it takes a commit. " +
		"Its history keeps the old one for good.",
	Fix:              "Take the DSN, or its password, from a variable or a Secret that is not under version control, and change the password.",
	SecuritySeverity: 8.0,
	Check: func(p *Pass) {
		for _, s := range p.Subjects {
			for _, d := range s.Deliveries {
				dsn := p.literals.find(d)
				if !dsn.found {
					continue
				}
				f := deliver(d, nil,
					manifest.Say("%s receives a DSN with a literal password %s", s.title(), place(d)),
					manifest.Say("take the password from a variable or a Secret that is not under version control, and change it"))
				f.Provenance = [][]manifest.Step{dsn.trail.Steps(d.Provenance, maxSteps)}
				p.Report(s, f)
			}
		}
	},
}

// literals knows the references whose value, or the value of one that they are
// built from, is a DSN with a literal password in a manifest. It is worked out
// once for each reference, since many deliveries may lead along the same ones.
type literals struct {
	of map[*manifest.Ref]literalOf
}

// literalOf holds the answer for a reference that is mentioned in a manifest and
// for one that is mentioned elsewhere.
type literalOf struct{ inManifest, elsewhere literal }

func (l literalOf) mentioned(inManifest bool) literal {
	if inManifest {
		return l.inManifest
	}
	return l.elsewhere
}

// literal is a DSN with a literal password, and the trail to it from where the
// reference is mentioned; nil where it is at that place itself.
type literal struct {
	found bool
	trail *manifest.Trail
}

func newLiterals() *literals { return &literals{of: map[*manifest.Ref]literalOf{}} }

// find looks for such a DSN in a delivery and in the values of its references.
func (l *literals) find(d manifest.Delivery) literal {
	here := inManifest(d.Provenance)
	if here && hasLiteralPassword(d.Expr) {
		return literal{found: true}
	}
	for ref := range d.Expr.Origins(func(ref *manifest.Ref) bool { _, done := l.of[ref]; return done }) {
		l.of[ref] = literalOf{inManifest: l.judge(ref, true), elsewhere: l.judge(ref, false)}
	}
	return l.first(d.Expr, here)
}

// judge looks at a reference whose own references have been looked at. A default
// is where the name is mentioned, a value where the last step leads to.
func (l *literals) judge(ref *manifest.Ref, mentioned bool) literal {
	if mentioned && hasLiteralPassword(ref.Default) {
		return literal{found: true}
	}
	defined := mentioned
	if len(ref.Steps) > 0 {
		defined = inManifest(ref.Steps)
	}
	if defined && hasLiteralPassword(ref.Value) {
		return literal{found: true, trail: ref.Via(nil)}
	}
	for _, e := range []manifest.Expr{ref.Value, ref.Default} {
		if next := l.first(e, defined); next.found {
			return literal{found: true, trail: ref.Via(next.trail)}
		}
	}
	return literal{}
}

// first is that of the first reference in an expression that has any.
func (l *literals) first(e manifest.Expr, inManifest bool) literal {
	for _, part := range e {
		if next := l.of[part.Ref].mentioned(inManifest); next.found {
			return next
		}
	}
	return literal{}
}

func hasLiteralPassword(e manifest.Expr) bool {
	isRef := func(part manifest.Part) bool { return part.Ref != nil }
	if !slices.ContainsFunc(e, func(part manifest.Part) bool { return !isRef(part) }) {
		return false // its password is a reference's
	}
	return slices.ContainsFunc(dsn.ParseExpr(e), func(parsed *dsn.Symbolic) bool {
		if slices.ContainsFunc(parsed.Password, isRef) {
			return false
		}
		password, known := parsed.Password.Eval().Reveal()
		return known && password != "" && !placeholder.MatchString(password)
	})
}

// placeholder is a password that something fills in later.
var placeholder = regexp.MustCompile(`^(?:<.*>|\*+|\$\$?\w+|\$\$?\{.+\}|\$\(.+\)|\{\{.*\}\}|\(\(.+\)\)|%\w+%|@@.+@@|__\w+__)$`)

// inManifest reports whether what steps lead to is written in a manifest, rather than
// in an env file or in the environment: there a literal is in its place.
func inManifest(steps []manifest.Step) bool {
	return len(steps) > 0 && steps[len(steps)-1].Position.File != "" &&
		!slices.ContainsFunc(steps, func(step manifest.Step) bool { return step.EnvFile })
}
