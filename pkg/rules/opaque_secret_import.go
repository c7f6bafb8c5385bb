package rules

import (
	"path"

	"github.com/derekg1729/dsnlint/pkg/contract"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

var opaqueSecretImport = &Rule{
	ID:      "OPAQUE_SECRET_IMPORT",
	Level:   contract.LevelNote,
	Summary: "A container imports a whole Secret whose keys no manifest lists.",
	Why: "What such a Secret holds is decided elsewhere, so no reading of the manifests can report whether a forbidden credential comes with it. " +
		"dsnlint says so rather than guess.",
	Fix: "Declare the Secret's keys in the contract under `opaqueSecrets`, or import single keys with `secretKeyRef`.",
	Check: func(p *Pass) {
		for _, s := range p.Subjects {
			for _, o := range s.Opaque {
				if len(o.Provenance) == 0 {
					continue
				}
				p.Report(s, Finding{
					Channel:    o.Channel,
					Variable:   path.Join(o.Namespace, o.Kind, o.Name),
					Message:    manifest.Say("%s imports the %s %s whole, and its keys are not known: %s", s.title(), manifest.Name(o.Kind), manifest.Name(o.Name), o.Reason),
					Fix:        manifest.Say("declare its keys in the contract under opaqueSecrets, or import single keys"),
					Position:   o.Provenance[0].Position,
					Provenance: [][]manifest.Step{o.Provenance},
				})
			}
		}
	},
}
