package rules

import (
	"io/fs"
	"path"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

// TestExampleFiles checks that the files of examples are those that the rules show,
// in pairs.
func TestExampleFiles(t *testing.T) {
	var want []string
	for _, rule := range All {
		for _, example := range rule.Examples {
			if example.Bad == "" || example.Good == "" {
				t.Errorf("%s: the example %s lacks a side", rule.ID, example.Title)
			}
			for _, kind := range exampleKinds {
				if base := path.Join("examples", rule.ID, kind.name); kind.title == example.Title {
					want = append(want, base+".bad.yaml", base+".good.yaml")
				}
			}
		}
	}
	slices.Sort(want)
	got, err := fs.Glob(exampleFiles, "examples/*/*")
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("files differ (-shown +there):\n%s", diff)
	}
}
