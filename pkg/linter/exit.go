package linter

import (
	"fmt"
	"slices"

	"github.com/derekg1729/dsnlint/pkg/contract"
	"github.com/derekg1729/dsnlint/pkg/manifest"
	"github.com/derekg1729/dsnlint/pkg/report"
)

// FailOn is the least level of a finding that fails the run.
type FailOn string

// FailOnNever lets no finding fail the run.
const FailOnNever FailOn = "never"

// ParseFailOn reads a level, or "never".
func ParseFailOn(s string) (FailOn, error) {
	if f := FailOn(s); f == FailOnNever || slices.Contains(contract.Levels, contract.Level(f)) {
		return f, nil
	}
	return "", fmt.Errorf("--fail-on %s: expected error, warning, note or never", s)
}

// ExitCode is 2 where an input could not be read or is invalid, or with strict where
// something was not followed, else 1 where a finding is at or above the level, else 0.
func ExitCode(r *report.Report, failOn FailOn, strict bool) int {
	isError := func(p *manifest.Problem) bool { return strict || p.Severity == manifest.Error }
	if slices.ContainsFunc(r.Problems, isError) {
		return 2
	}
	for _, f := range r.Findings {
		if !f.Active() {
			continue
		}
		if at := slices.Index(contract.Levels, f.Level); at >= 0 && at <= slices.Index(contract.Levels, contract.Level(failOn)) {
			return 1
		}
	}
	return 0
}
