package findings

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"

	"github.com/derekg1729/dsnlint/pkg/internal/source"
	"github.com/derekg1729/dsnlint/pkg/manifest"
	"github.com/derekg1729/dsnlint/pkg/rules"
)

// Tool is the product's name in every report; a baseline goes by it.
const Tool = "dsnlint"

// Baseline is how often each finding was there, by its fingerprint without the
// number that tells equal findings apart.
type Baseline map[string]int

// sarifLog is the part of a SARIF file that a baseline is made of.
type sarifLog struct {
	Version string `json:"version"`
	Runs    []struct {
		Tool struct {
			Driver struct {
				Name string `json:"name"`
			} `json:"driver"`
		} `json:"tool"`
		Results []sarifResult `json:"results"`
	} `json:"runs"`
}

type sarifResult struct {
	PartialFingerprints map[string]string `json:"partialFingerprints"`
	BaselineState       string            `json:"baselineState"`
	Suppressions        []json.RawMessage `json:"suppressions"`
}

// ReadBaseline makes a Baseline of a SARIF file with the given name and content. What a
// comment in the source accepted is no part of it: without the comment it is a
// new finding. The error is a [*manifest.Problem].
func ReadBaseline(name string, data []byte) (Baseline, error) {
	fail := func(line, column int, message manifest.Text, cause error) (Baseline, error) {
		return nil, &manifest.Problem{
			Severity: manifest.Error,
			Position: manifest.Position{File: name, Line: line, Column: column},
			Message:  message,
			Hint:     manifest.Say("regenerate the baseline with dsnlint baseline"),
			Cause:    cause,
		}
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	var l sarifLog
	if err := json.Unmarshal(data, &l); err != nil {
		line, column := jsonPlace(data, err)
		return fail(line, column, manifest.Say("not a SARIF file written by dsnlint"), err)
	}
	b, ours := Baseline{}, false
	for _, run := range l.Runs {
		if run.Tool.Driver.Name != Tool {
			continue
		}
		ours = true
		for i, r := range run.Results {
			if r.BaselineState == "absent" || len(r.Suppressions) > 0 {
				continue
			}
			fingerprint, ok := r.PartialFingerprints[FingerprintKey]
			if !ok {
				return fail(0, 0, manifest.Say("result %s has no fingerprint %s: another version of dsnlint wrote it", manifest.Number(i+1), manifest.Name(FingerprintKey)), nil)
			}
			b[withoutOrder(fingerprint)]++
		}
	}
	if l.Version != "2.1.0" || !ours {
		return fail(0, 0, manifest.Say("expected SARIF 2.1.0 written by dsnlint, with at least one run"), nil)
	}
	return b, nil
}

// jsonPlace returns the line and column of a JSON error, or zeros.
func jsonPlace(data []byte, err error) (line, column int) {
	offset := int64(0)
	if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) {
		offset = syntax.Offset
	} else if kind := (*json.UnmarshalTypeError)(nil); errors.As(err, &kind) {
		offset = kind.Offset
	}
	if offset == 0 {
		return 0, 0
	}
	// The offset is that behind the character that is wrong.
	return source.NewIndex(data).Place(min(int(offset), len(data)) - 1)
}

// withoutOrder is a fingerprint without the number of its order among equal ones.
func withoutOrder(fingerprint string) string {
	base, _, _ := strings.Cut(fingerprint, ":")
	return base
}

// Mark sets Known on the findings that the baseline has. Of equal findings it
// marks as many as were there, the first ones; it passes over the suppressed,
// which need no other excuse.
func (b Baseline) Mark(findings []rules.Finding) {
	met := map[string]int{}
	for i, fingerprint := range Fingerprints(findings) {
		if findings[i].Suppression != nil {
			continue
		}
		base := withoutOrder(fingerprint)
		met[base]++
		findings[i].Known = met[base] <= b[base]
	}
}

// Added counts the findings that the baseline accepts and an earlier one did not.
// Line is the first line of data, which the baseline was read from, that has one.
func (b Baseline) Added(earlier Baseline, data []byte) (added, line int) {
	for fingerprint, n := range b {
		if n <= earlier[fingerprint] {
			continue
		}
		added += n - earlier[fingerprint]
		if at := bytes.Index(data, []byte(fingerprint)); at >= 0 {
			own := bytes.Count(data[:at], []byte("\n")) + 1
			if line == 0 || own < line {
				line = own
			}
		}
	}
	return added, line
}
