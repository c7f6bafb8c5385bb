package linter_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/derekg1729/dsnlint/pkg/linter"
	"github.com/derekg1729/dsnlint/pkg/report"
	"github.com/derekg1729/dsnlint/pkg/rules"
)

// TestExamples proves what the documentation of each rule shows: the bad example
// has the finding, and the good one has none at all.
func TestExamples(t *testing.T) {
	for _, rule := range rules.All {
		if len(rule.Examples) == 0 {
			t.Errorf("%s has no example", rule.ID)
		}
		for _, example := range rule.Examples {
			t.Run(rule.ID+"/"+example.Title, func(t *testing.T) {
				lintText := lintText
				if example.Title == rules.ContractChange {
					lintText = lintContract
				}
				bad := lintText(t, example.Bad)
				found := false
				for _, f := range bad.Findings {
					found = found || f.Rule == rule
				}
				if !found {
					t.Errorf("the bad example gives %v", describe(bad))
				}
				if got := describe(lintText(t, example.Good)); len(got) > 0 {
					t.Errorf("the good example gives %v", got)
				}
			})
		}
	}
}

func lintText(t *testing.T, text string) *report.Report {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "manifest.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := linter.Run(context.Background(), linter.Options{Paths: []string{file}, Root: dir})
	if err != nil {
		t.Fatal(err)
	}
	return r
}
