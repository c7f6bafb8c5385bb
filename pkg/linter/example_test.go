package linter_test

import (
	"context"
	"fmt"
	"log"
	"strings"

	"github.com/derekg1729/dsnlint/pkg/contract"
	"github.com/derekg1729/dsnlint/pkg/linter"
	"github.com/derekg1729/dsnlint/pkg/manifest"
	"github.com/derekg1729/dsnlint/pkg/rules"
)

// Lint a directory by the built-in contract or the contract file in it.
func ExampleRun() {
	report, err := linter.Run(context.Background(), linter.Options{Paths: []string{"testdata/example"}, Root: "testdata/example"})
	if err != nil {
		log.Fatal(err)
	}
	for _, p := range report.Problems {
		fmt.Printf("%s: not checked: %s\n", p.Position, p.Message)
	}
	for _, f := range report.Findings {
		fmt.Printf("%s: %s: %s [%s]\n", f.Position, f.Level, f.Message, f.Rule.ID)
	}
	// Output:
	// compose.yaml:11:7: error: container backup receives POSTGRES_ROOT_PASSWORD inside the value of PGPASSWORD; provisioning credentials stay with the provisioner and the database [PROVISIONING_TRUST_BOUNDARY]
}

// Run a rule of one's own beside the built-in ones.
func ExampleRun_ownRule() {
	noLegacy := &rules.Rule{
		ID:      "NO_LEGACY_VARIABLES",
		Level:   contract.LevelWarning,
		Summary: "A runtime container receives a variable of the old platform.",
		Why:     "Nothing reads variables that begin with `LEGACY_` any more.",
		Fix:     "Remove the variable.",
		Check: func(p *rules.Pass) {
			for _, s := range p.Subjects {
				if s.Role != contract.Runtime {
					continue
				}
				for _, v := range s.EnvMap() {
					if !strings.HasPrefix(v.Name, "LEGACY_") {
						continue
					}
					p.Report(s, rules.Finding{
						Channel:    v.Channel,
						Variable:   v.Shown(),
						Message:    manifest.Say("%s receives %s", manifest.Name(s.Name), manifest.Name(v.Shown())),
						Fix:        manifest.Say("remove it"),
						Position:   v.Position(),
						Provenance: [][]manifest.Step{v.Provenance},
					})
				}
			}
		},
	}
	report, err := linter.Run(context.Background(), linter.Options{
		Paths: []string{"testdata/example"},
		Root:  "testdata/example",
		Rules: []*rules.Rule{noLegacy},
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range report.Findings {
		fmt.Printf("%s: %s: %s\n", f.Position, f.Rule.ID, f.Message)
	}
	// Output:
	// compose.yaml:7:7: NO_LEGACY_VARIABLES: app receives LEGACY_CACHE_URL
	// compose.yaml:11:7: PROVISIONING_TRUST_BOUNDARY: container backup receives POSTGRES_ROOT_PASSWORD inside the value of PGPASSWORD; provisioning credentials stay with the provisioner and the database
}
