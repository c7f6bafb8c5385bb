package linter_test

import (
	"context"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/derekg1729/dsnlint/pkg/contract"
	"github.com/derekg1729/dsnlint/pkg/internal/testtree"
	"github.com/derekg1729/dsnlint/pkg/linter"
	"github.com/derekg1729/dsnlint/pkg/manifest"
	"github.com/derekg1729/dsnlint/pkg/rules"
)

// everyContainer is a rule that reports each container.
func everyContainer(id string) *rules.Rule {
	return &rules.Rule{
		ID: id, Level: contract.LevelWarning, Summary: "A container.", Why: "It is one.", Fix: "Remove it.",
		Check: func(p *rules.Pass) {
			for _, s := range p.Subjects {
				p.Report(s, rules.Finding{Message: manifest.Say("a container"), Fix: manifest.Say("remove it")})
			}
		},
	}
}

// TestOwnRules checks that a rule of the caller's own is listed, set by a contract,
// suppressed and compared since a revision like a built-in one.
func TestOwnRules(t *testing.T) {
	const compose = "services:\n  web: {image: x}\n"
	for _, test := range []struct {
		name, contract, compose string
		want                    []string
		off, lowered            []string
	}{
		{"found", "", compose, []string{"OWN web - compose.yaml:2:3"}, nil, nil},
		{"off in the contract", "rules: {OWN: off}\n", compose, nil, []string{"OWN"}, nil},
		{"lowered in the contract", "rules: {OWN: note}\n", compose, []string{"OWN web - compose.yaml:2:3"}, nil, []string{"OWN"}},
		{"suppressed", "", "services:\n  web: {image: x} # dsnlint:ignore OWN until the next release\n", nil, nil, nil},
		{"suppression that suppresses nothing", "", compose + "x-a: # dsnlint:ignore OWN until the next release\n",
			[]string{"OWN web - compose.yaml:2:3", "UNUSED_SUPPRESSION compose.yaml - compose.yaml:3:6"}, nil, nil},
		{"suppression of a rule that does not run", "", compose + "x-a: # dsnlint:ignore OTHER until the next release\n",
			[]string{"INVALID_SUPPRESSION compose.yaml - compose.yaml:3:6", "OWN web - compose.yaml:2:3"}, nil, nil},
		{"rule in the contract that does not run", "rules: {OTHER: note}\n", compose, []string{"error .dsnlint.yaml:1:9"}, nil, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			testtree.Write(t, dir, map[string]string{".dsnlint.yaml": test.contract, "compose.yaml": test.compose})
			r := run(t, linter.Options{Paths: []string{dir}, Root: dir, Rules: []*rules.Rule{everyContainer("OWN")}})
			if diff := cmp.Diff(test.want, describe(r)); diff != "" {
				t.Errorf("findings differ (-want +got):\n%s", diff)
			}
			if !slices.Equal(r.Scope.RulesOff, test.off) || !slices.Equal(r.Scope.RulesLowered, test.lowered) {
				t.Errorf("off %v, lowered %v", r.Scope.RulesOff, r.Scope.RulesLowered)
			}
			if rules.Lookup(r.Rules, "OWN") == nil || rules.Lookup(r.Rules, "RUNTIME_DSN_ONLY") == nil {
				t.Errorf("the report lists %v", rules.IDs(r.Rules))
			}
		})
	}
}

func TestOwnRulesGuardTheirGate(t *testing.T) {
	dir := committed(t, map[string]string{".dsnlint.yaml": "version: 1\n", "compose.yaml": "services:\n  web: {image: x}\n"})
	testtree.Write(t, dir, map[string]string{
		".dsnlint.yaml": "rules: {OWN: off}\n",
		"compose.yaml":  "services:\n  web: {image: x} # dsnlint:ignore OWN until the next release\n",
	})
	r := run(t, linter.Options{Paths: []string{dir}, Root: dir, ChangedSince: "HEAD", Rules: []*rules.Rule{everyContainer("OWN")}})
	want := []string{
		"GATE_WEAKENED .dsnlint.yaml - .dsnlint.yaml:1:9",
		"GATE_WEAKENED compose.yaml - compose.yaml:2:19",
		"UNUSED_SUPPRESSION compose.yaml - compose.yaml:2:19",
	}
	if diff := cmp.Diff(want, describe(r)); diff != "" {
		t.Errorf("findings differ (-want +got):\n%s", diff)
	}
}

func TestOwnRulesMustBeValid(t *testing.T) {
	opts := linter.Options{Paths: []string{"testdata/example"}, Root: "testdata/example", Rules: []*rules.Rule{everyContainer("not an id")}}
	if _, err := linter.Run(context.Background(), opts); err == nil {
		t.Error("Run takes an invalid rule")
	}
	if _, err := linter.Fix(context.Background(), opts); err == nil {
		t.Error("Fix takes an invalid rule")
	}
	if _, _, err := linter.Contract(opts); err == nil {
		t.Error("Contract takes an invalid rule")
	}
}
