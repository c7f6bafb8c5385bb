package findings_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/derekg1729/dsnlint/pkg/contract"
	"github.com/derekg1729/dsnlint/pkg/findings"
	"github.com/derekg1729/dsnlint/pkg/manifest"
	"github.com/derekg1729/dsnlint/pkg/report"
	"github.com/derekg1729/dsnlint/pkg/rules"
)

func finding(variable string, line int) rules.Finding {
	rule := rules.Lookup(rules.All, "RUNTIME_DSN_ONLY")
	at := manifest.Position{File: "compose.yaml", Line: line, Column: 7}
	return rules.Finding{
		Rule: rule, Level: rule.Level, Role: contract.Runtime, Channel: manifest.ChannelEnv,
		Container: &manifest.Container{ID: "service/app", Name: "app", Kind: manifest.KindService},
		Variable:  variable, Secrets: []string{variable}, Message: manifest.Say("m"), Fix: manifest.Say("f"),
		Position: at, Provenance: [][]manifest.Step{{{Position: at, Text: manifest.Say("t")}}},
	}
}

func suppressed(f rules.Finding) rules.Finding {
	f.Suppression = &rules.Suppression{Reason: "r"}
	return f
}

func known(f rules.Finding) rules.Finding {
	f.Known = true
	return f
}

func sarif(t *testing.T, findings ...rules.Finding) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := report.SARIF(&out, &report.Report{Rules: rules.All, Findings: findings}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestMark(t *testing.T) {
	a, b := finding("APP_DB_HOST", 1), finding("APP_DB_PORT", 2)
	tests := map[string]struct {
		before, now []rules.Finding
		known       []bool
	}{
		"nothing was there":              {nil, []rules.Finding{a}, []bool{false}},
		"it was there in another line":   {[]rules.Finding{a}, []rules.Finding{finding("APP_DB_HOST", 9), b}, []bool{true, false}},
		"one more of the same":           {[]rules.Finding{a, a}, []rules.Finding{a, a, a}, []bool{true, true, false}},
		"a comment accepted it":          {[]rules.Finding{suppressed(a)}, []rules.Finding{a}, []bool{false}},
		"a comment accepts one of them":  {[]rules.Finding{a}, []rules.Finding{suppressed(a), a}, []bool{false, true}},
		"a baseline of what it had":      {[]rules.Finding{known(a), b}, []rules.Finding{a, b}, []bool{true, true}},
		"an old mark is taken off again": {[]rules.Finding{b}, []rules.Finding{known(a), b}, []bool{false, true}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			base, err := findings.ReadBaseline("baseline.sarif", sarif(t, test.before...))
			if err != nil {
				t.Fatal(err)
			}
			base.Mark(test.now)
			got := make([]bool, 0, len(test.now))
			for _, f := range test.now {
				got = append(got, f.Known)
			}
			if diff := cmp.Diff(test.known, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestReadPassesOver has runs of other tools and results that are gone.
func TestReadPassesOver(t *testing.T) {
	a, b := finding("APP_DB_HOST", 1), finding("APP_DB_PORT", 2)
	var log map[string]any
	if err := json.Unmarshal(sarif(t, a, b), &log); err != nil {
		t.Fatal(err)
	}
	run := log["runs"].([]any)[0].(map[string]any)
	run["results"].([]any)[0].(map[string]any)["baselineState"] = "absent"
	other := map[string]any{"tool": map[string]any{"driver": map[string]any{"name": "other"}}, "results": []any{map[string]any{}}}
	log["runs"] = []any{other, run}
	data, err := json.Marshal(log)
	if err != nil {
		t.Fatal(err)
	}
	base, err := findings.ReadBaseline("baseline.sarif", append([]byte("\ufeff"), data...))
	if err != nil {
		t.Fatal(err)
	}
	now := []rules.Finding{a, b}
	base.Mark(now)
	if now[0].Known || !now[1].Known {
		t.Errorf("known are %v and %v, want only the second", now[0].Known, now[1].Known)
	}
}

func TestReadRefuses(t *testing.T) {
	old := strings.ReplaceAll(string(sarif(t, finding("APP_DB_HOST", 1))), findings.FingerprintKey, "dsnlint/v0")
	tests := map[string]struct {
		data         string
		want         string
		line, column int
	}{
		"an empty file":          {"", "not a SARIF file", 0, 0},
		"a broken file":          {"{\n \"ä\": hunter2}", "not a SARIF file", 2, 7},
		"a list":                 {"[]", "not a SARIF file", 1, 1},
		"a wrong type":           {"{\n\"version\": {}}", "not a SARIF file", 2, 12},
		"nothing":                {"null", "with at least one run", 0, 0},
		"another tool":           {`{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"x"}}}]}`, "with at least one run", 0, 0},
		"another version":        {`{"version":"2.0.0","runs":[{"tool":{"driver":{"name":"dsnlint"}}}]}`, "SARIF 2.1.0", 0, 0},
		"no fingerprint of ours": {old, "another version of dsnlint wrote it", 0, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := findings.ReadBaseline("baseline.sarif", []byte(test.data))
			problem := (*manifest.Problem)(nil)
			if !errors.As(err, &problem) {
				t.Fatalf("the error is %v, want a problem", err)
			}
			if !strings.Contains(problem.Message.String(), test.want) || strings.Contains(problem.Error(), "hunter2") {
				t.Errorf("the message is %q, want %q in it", problem.Message, test.want)
			}
			want := manifest.Position{File: "baseline.sarif", Line: test.line, Column: test.column}
			if problem.Position != want || problem.Severity != manifest.Error {
				t.Errorf("an %s at %s, want an error at %s", problem.Severity, problem.Position, want)
			}
		})
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"dsnlint"}},"results":[{"partialFingerprints":{"dsnlint/v1":"ab:1"}}]}]}`))
	f.Add([]byte(`{"version":"2.1.0","runs":[{"results":null}]}`))
	f.Add([]byte("[\n1"))
	f.Fuzz(func(t *testing.T, data []byte) {
		base, err := findings.ReadBaseline("baseline.sarif", data)
		if (err == nil) != (base != nil) {
			t.Errorf("a baseline of %d findings and the error %v", len(base), err)
		}
		if problem := (*manifest.Problem)(nil); err != nil && !errors.As(err, &problem) {
			t.Errorf("the error %v is no problem", err)
		}
		base.Mark([]rules.Finding{finding("APP_DB_HOST", 1)})
	})
}
