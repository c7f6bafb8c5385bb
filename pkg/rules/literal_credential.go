package rules

import (
	"path"
	"slices"
	"strings"

	"github.com/derekg1729/dsnlint/pkg/contract"
	"github.com/derekg1729/dsnlint/pkg/dsn"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

var literalCredential = &Rule{
	ID:      "LITERAL_CREDENTIAL",
	Level:   contract.LevelError,
	Summary: "A DSN with a literal password stands in a manifest.",
	Why: "Whoever can read the repository, a backup of it or a build log has the password, and to change it takes a commit. " +
		"Its history keeps the old one for good.",
	Fix:              "Take the DSN, or its password, from a variable or a Secret that is not under version control, and change the password.",
	SecuritySeverity: 8.0,
	Examples: []Example{
		{
			Dialect: manifest.Compose,
			Bad: `services:
  reporting:
    image: example/reporting
    environment:
      REPORTING_DSN: postgresql://reporting:placeholder@db.example.com/reporting
`,
			Good: `services:
  reporting:
    image: example/reporting
    environment:
      REPORTING_DSN: ${REPORTING_DSN}
`,
		},
		{
			Dialect: manifest.Kubernetes,
			Bad: `apiVersion: v1
kind: Pod
metadata:
  name: reporting
spec:
  containers:
    - name: reporting
      image: example/reporting
      env:
        - name: REPORTING_DSN
          value: postgresql://reporting:placeholder@db.example.com/reporting
`,
			Good: `apiVersion: v1
kind: Pod
metadata:
  name: reporting
spec:
  containers:
    - name: reporting
      image: example/reporting
      env:
        - name: REPORTING_DSN
          valueFrom: {secretKeyRef: {name: reporting, key: DSN}}
`,
		},
	},
	check: func(p *pass) {
		for _, s := range p.subjects {
			for _, d := range s.Deliveries() {
				steps, found := literalDSN(d)
				if !found {
					continue
				}
				f := deliver(d, nil,
					manifest.Say("%s receives a DSN with a literal password %s", s.title(), place(d)),
					manifest.Say("take the password from a variable or a Secret that is not under version control, and change it"))
				f.Provenance = [][]manifest.Step{slices.Concat(d.Provenance, steps)}
				p.report(s, f)
			}
		}
	},
}

// literalDSN finds a DSN whose password is literal text of a manifest, in a
// delivery or in what its references stand for. Steps lead from the delivery to
// it.
func literalDSN(d manifest.Delivery) (steps []manifest.Step, found bool) {
	if inManifest(d.Position()) && hasLiteralPassword(d.Expr) {
		return nil, true
	}
	for ref, steps := range d.Expr.Refs() {
		// A default stands where the name is mentioned, a value where the last
		// step leads to.
		mention := steps[:len(steps)-len(ref.Steps)]
		if inManifest(end(d, mention)) && hasLiteralPassword(ref.Default) {
			return mention, true
		}
		if inManifest(end(d, steps)) && hasLiteralPassword(ref.Value) {
			return steps, true
		}
	}
	return nil, false
}

// end gives the place that the steps from a delivery lead to.
func end(d manifest.Delivery, steps []manifest.Step) manifest.Position {
	all := slices.Concat(d.Provenance, steps)
	if len(all) == 0 {
		return manifest.Position{}
	}
	return all[len(all)-1].Position
}

func hasLiteralPassword(e manifest.Expr) bool {
	isRef := func(part manifest.Part) bool { return part.Ref != nil }
	return slices.ContainsFunc(dsn.ParseExpr(e), func(parsed *dsn.Symbolic) bool {
		if slices.ContainsFunc(parsed.Password, isRef) {
			return false
		}
		password, known := parsed.Password.Eval().Reveal()
		return known && password != "" && !isPlaceholder(password)
	})
}

// isPlaceholder tells a password that is there to be filled in from one that
// would be taken for what it is.
func isPlaceholder(password string) bool {
	return strings.HasPrefix(password, "<") && strings.HasSuffix(password, ">") ||
		strings.HasPrefix(password, "{{") && strings.HasSuffix(password, "}}") ||
		strings.Trim(password, "*") == ""
}

// inManifest tells whether a position is in a manifest rather than in an env
// file: there a literal is in its place.
func inManifest(pos manifest.Position) bool {
	switch path.Ext(pos.File) {
	case ".yaml", ".yml", ".json", ".tpl":
		return true
	}
	return false
}

// place says where a container holds what a delivery brings.
func place(d manifest.Delivery) manifest.Text {
	switch d.Channel {
	case manifest.ChannelFile:
		return manifest.Say("in the file %s", manifest.Name(d.Shown()))
	case manifest.ChannelArgument:
		return manifest.Say("in its %s", manifest.Name(d.Shown()))
	case manifest.ChannelBuild:
		return manifest.Say("in the build argument %s", manifest.Name(d.Shown()))
	case manifest.ChannelMetadata:
		return manifest.Say("in the label or annotation %s", manifest.Name(d.Shown()))
	default:
		return manifest.Say("in %s", manifest.Name(d.Shown()))
	}
}
