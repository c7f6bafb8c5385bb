package findings

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/derekg1729/dsnlint/pkg/contract"
	"github.com/derekg1729/dsnlint/pkg/internal/source"
	"github.com/derekg1729/dsnlint/pkg/manifest"
	"github.com/derekg1729/dsnlint/pkg/rules"
)

func finding(rule string, line int) rules.Finding {
	pos := manifest.Position{File: "f.yaml", Line: line, Column: 5}
	return rules.Finding{Rule: rules.Lookup(rules.All, rule), Container: manifest.File("f.yaml"), Position: pos}
}

// treeOf returns a tree with one file of YAML.
func treeOf(t *testing.T, text string) *source.Tree {
	t.Helper()
	tree, err := source.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tree.Close() })
	tree.Overlay("f.yaml", []byte(text))
	tree.As("f.yaml", source.YAML)
	return tree
}

func TestSuppress(t *testing.T) {
	const boundary, runtime = "PROVISIONING_TRUST_BOUNDARY", "RUNTIME_DSN_ONLY"
	for name, c := range map[string]struct {
		text string
		// want lists rule@line, with ! before an accepted one.
		want []string
	}{
		"same line":     {"a\n  X: 1 # dsnlint:ignore " + boundary + " because\n", []string{"!" + boundary + "@2", runtime + "@2"}},
		"line above":    {"  # dsnlint:ignore " + boundary + " because\n  X: 1\n", []string{"!" + boundary + "@2", runtime + "@2"}},
		"both rules":    {"  # dsnlint:ignore " + boundary + "," + runtime + " because\n  X: 1\n", []string{"!" + boundary + "@2", "!" + runtime + "@2"}},
		"no reason":     {"# dsnlint:ignore " + boundary + "\n  X: 1\n", []string{"INVALID_SUPPRESSION@1", boundary + "@2", runtime + "@2"}},
		"no rule":       {"# dsnlint:ignore\n  X: 1\n", []string{"INVALID_SUPPRESSION@1", boundary + "@2", runtime + "@2"}},
		"unknown rule":  {"# dsnlint:ignore NOPE because\n  X: 1\n", []string{"INVALID_SUPPRESSION@1", boundary + "@2", runtime + "@2"}},
		"not a comment": {"x#dsnlint:ignore " + boundary + " because\n  X: 1\n", []string{boundary + "@2", runtime + "@2"}},
		"in quotes":     {"a:\n  X: '# dsnlint:ignore " + boundary + " because'\n", []string{boundary + "@2", runtime + "@2"}},
		"in a text":     {"a: |\n  # dsnlint:ignore " + boundary + " because\n", []string{boundary + "@2", runtime + "@2"}},
		"behind prose":  {"a\n  X: 1 # see below # dsnlint:ignore " + boundary + " because\n", []string{"!" + boundary + "@2", runtime + "@2"}},
		"prose":         {"# dsnlint ignores hosts; dsnlint: see docs\n  X: 1\n", []string{boundary + "@2", runtime + "@2"}},
		"a blank":       {"# dsnlint: ignore " + boundary + " because\n  X: 1\n", []string{"INVALID_SUPPRESSION@1", boundary + "@2", runtime + "@2"}},
		"a colon":       {"# dsnlint:ignore: " + boundary + " because\n  X: 1\n", []string{"INVALID_SUPPRESSION@1", boundary + "@2", runtime + "@2"}},
		"capitals":      {"# DSNLint:Ignore " + boundary + " because\n  X: 1\n", []string{"INVALID_SUPPRESSION@1", boundary + "@2", runtime + "@2"}},
		"other words":   {"# dsnlint-disable " + boundary + " because\n  X: 1\n", []string{"INVALID_SUPPRESSION@1", boundary + "@2", runtime + "@2"}},
		"two marks":     {"##dsnlint:ignore " + boundary + " because\n  X: 1\n", []string{"INVALID_SUPPRESSION@1", boundary + "@2", runtime + "@2"}},
		"unused":        {"a\nb # dsnlint:ignore OPAQUE_SECRET_IMPORT because\n", []string{boundary + "@2", runtime + "@2", "UNUSED_SUPPRESSION@2"}},
	} {
		t.Run(name, func(t *testing.T) {
			tree := treeOf(t, c.text)
			found := Suppress(contract.Builtin(), rules.All, []rules.Finding{finding(boundary, 2), finding(runtime, 2)}, tree, nil)
			var got []string
			for _, f := range found {
				accepted := ""
				if f.Suppression != nil {
					accepted = "!"
					if f.Suppression.Reason != "because" {
						t.Errorf("reason %q", f.Suppression.Reason)
					}
				}
				got = append(got, fmt.Sprintf("%s%s@%d", accepted, f.Rule.ID, f.Position.Line))
			}
			slices.Sort(got)
			slices.Sort(c.want)
			if strings.Join(got, " ") != strings.Join(c.want, " ") {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestSuppressReachesOverComments(t *testing.T) {
	text := "# dsnlint:ignore RUNTIME_DSN_ONLY because\n# of this\nX: 1\n"
	tree := treeOf(t, text)
	found := Suppress(contract.Builtin(), rules.All, []rules.Finding{finding("RUNTIME_DSN_ONLY", 3)}, tree, nil)
	if len(found) != 1 || found[0].Suppression == nil {
		t.Errorf("got %+v", found)
	}
}

func TestSuppressKeepsToContractLevels(t *testing.T) {
	c := contract.Builtin()
	c.Rules = map[string]contract.Level{"UNUSED_SUPPRESSION": contract.LevelOff}
	tree := treeOf(t, "# dsnlint:ignore RUNTIME_DSN_ONLY because\n")
	if found := Suppress(c, rules.All, nil, tree, nil); len(found) != 0 {
		t.Errorf("got %d findings, want none", len(found))
	}
}
