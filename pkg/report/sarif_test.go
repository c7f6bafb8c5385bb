package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/derekg1729/dsnlint/pkg/contract"
	"github.com/derekg1729/dsnlint/pkg/manifest"
	"github.com/derekg1729/dsnlint/pkg/rules"
)

// sarifRunOf writes a report within limits and reads it back.
func sarifRunOf(t *testing.T, r *Report, limits sarifLimits) sarifRun {
	t.Helper()
	var content bytes.Buffer
	if err := writeSARIF(&content, r, limits); err != nil {
		t.Fatal(err)
	}
	var log sarifLog
	decoder := json.NewDecoder(bytes.NewReader(content.Bytes()))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&log); err != nil {
		t.Fatal(err)
	}
	return log.Runs[0]
}

func notes(run sarifRun) string {
	var all strings.Builder
	for _, n := range run.Invocations[0].ToolExecutionNotifications {
		all.WriteString(n.Message.Text + "\n")
	}
	return all.String()
}

// manyFindings makes findings of which each fifth is an error; every one has its
// own variable.
func manyFindings(n int) *Report {
	r := &Report{Rules: someRules, Version: "1.0.0"}
	for i := range n {
		rule := ruleD
		if i%5 == 0 {
			rule = ruleA
		}
		r.Findings = append(r.Findings, rules.Finding{
			Rule: rule, Level: rule.Level, Container: composeContainer(fmt.Sprintf("s%d", i)), Role: contract.Runtime,
			Channel: manifest.ChannelEnv, Variable: fmt.Sprintf("V%d", i), Message: manifest.Say("m"), Position: at("f.yml", i+1, 1, 2),
		})
	}
	return r
}

func TestResultLimit(t *testing.T) {
	r := manyFindings(26_000)
	run := sarifRunOf(t, r, gitHubLimits)
	if len(run.Results) != 25_000 {
		t.Fatalf("%d results", len(run.Results))
	}
	errors, line := 0, 0
	for _, result := range run.Results {
		if result.Level == "error" {
			errors++
		}
		next := result.Locations[0].PhysicalLocation.Region.StartLine
		if next <= line {
			t.Fatalf("line %d comes after %d", next, line)
		}
		line = next
	}
	if errors != 5_200 {
		t.Errorf("%d of 5200 errors are kept", errors)
	}
	if !strings.Contains(notes(run), "1000 of 26000 findings are left out") {
		t.Errorf("the cut is not said: %s", notes(run))
	}
	limits := gitHubLimits
	limits.results = 10
	run = sarifRunOf(t, manyFindings(10), limits)
	if len(run.Results) != 10 || notes(run) != "" {
		t.Errorf("%d results, and: %s", len(run.Results), notes(run))
	}
}

func TestCutKeepsWhatStillAsksForWork(t *testing.T) {
	r := manyFindings(10)
	for i := range 9 {
		r.Findings[i].Known = true
	}
	run := sarifRunOf(t, r, sarifLimits{results: 1, locations: 10, threadFlowLocations: 10, gzipBytes: 1 << 20})
	if got := run.Results[0].Properties.Variable; got != "V9" {
		t.Errorf("%s is kept", got)
	}
}

func TestByteLimit(t *testing.T) {
	r := manyFindings(2_000)
	random := rand.New(rand.NewSource(1))
	for i := range r.Findings {
		noise := make([]byte, 400)
		for k := range noise {
			noise[k] = byte('a' + random.Intn(26))
		}
		r.Findings[i].Message = manifest.Say("%s", manifest.Name(noise))
	}
	const limit = 200_000
	var content bytes.Buffer
	limits := gitHubLimits
	limits.gzipBytes = limit
	if err := writeSARIF(&content, r, limits); err != nil {
		t.Fatal(err)
	}
	if fits, err := fitsGzipped(content.Bytes(), limit); err != nil || !fits {
		t.Errorf("the log is too large: %v", err)
	}
	run := sarifRunOf(t, r, limits)
	if len(run.Results) < 200 || len(run.Results) >= 2_000 {
		t.Errorf("%d results are kept", len(run.Results))
	}
	want := fmt.Sprintf("%d of 2000 findings are left out", 2_000-len(run.Results))
	if !strings.Contains(notes(run), want) {
		t.Errorf("the cut is not said: %s", notes(run))
	}
}

func TestLocationLimits(t *testing.T) {
	r := manyFindings(1)
	entry := r.Findings[0].Position
	for p := range 6 {
		path := make([]manifest.Step, 1, 2_001)
		path[0] = manifest.Step{Position: entry, Text: manifest.Say("entry")}
		for i := range 2_000 {
			path = append(path, manifest.Step{Position: at(fmt.Sprintf("%d.env", p), i+1, 1, 2), Text: manifest.Say("step %s", manifest.Number(i))})
		}
		r.Findings[0].Secrets = append(r.Findings[0].Secrets, fmt.Sprintf("S%d", p))
		r.Findings[0].Provenance = append(r.Findings[0].Provenance, path)
	}
	run := sarifRunOf(t, r, gitHubLimits)
	result := run.Results[0]
	if n := len(result.Locations) + len(result.RelatedLocations); n != 1_000 {
		t.Errorf("%d locations", n)
	}
	total := 0
	for _, flow := range result.CodeFlows[0].ThreadFlows {
		total += len(flow.Locations)
		last := flow.Locations[len(flow.Locations)-1].Location.PhysicalLocation
		if last.ArtifactLocation.URI != entry.File {
			t.Errorf("the path of %s ends at %s", flow.ID, last.ArtifactLocation.URI)
		}
	}
	if total > 10_000 || len(result.CodeFlows[0].ThreadFlows) != 4 {
		t.Errorf("%d paths with %d locations", len(result.CodeFlows[0].ThreadFlows), total)
	}
	if said := notes(run); !strings.Contains(said, "11001 steps") || !strings.Contains(said, "2 paths") {
		t.Errorf("the cuts are not said: %s", said)
	}
	if len(result.Message.Text) > 10_000 {
		t.Errorf("the message has %d bytes", len(result.Message.Text))
	}
	checkLinks(t, result)
}

var link = regexp.MustCompile(`[^\\]\]\(([0-9]+)\)`)

// checkLinks checks that every link of a message leads to a related location.
func checkLinks(t *testing.T, result sarifResult) {
	t.Helper()
	ids := map[string]bool{}
	for _, location := range result.RelatedLocations {
		ids[fmt.Sprint(location.ID)] = true
	}
	for _, m := range link.FindAllStringSubmatch(result.Message.Text, -1) {
		if !ids[m[1]] {
			t.Errorf("link %s leads nowhere", m[1])
		}
	}
}

func TestSarifResults(t *testing.T) {
	run := sarifRunOf(t, someReport(), gitHubLimits)
	links := 0
	for _, result := range run.Results {
		checkLinks(t, result)
		links += len(link.FindAllString(result.Message.Text, -1))
		if rule := run.Tool.Driver.Rules[*result.RuleIndex]; rule.ID != result.RuleID {
			t.Errorf("index of %s leads to %s", result.RuleID, rule.ID)
		}
		if result.Suppressions != nil || result.BaselineState != "" {
			t.Error("nothing is suppressed or known, and a result says so")
		}
	}
	if links != 1 {
		t.Errorf("%d links", links)
	}
	if uri := run.Results[4].Locations[0].PhysicalLocation.ArtifactLocation.URI; uri != "k8s/a%20b/%C3%BCnit.yaml" {
		t.Errorf("URI %s is not encoded", uri)
	}
	if run.AutomationDetails != nil || run.Invocations[0].ExecutionSuccessful || run.Invocations[0].ExitCode != 2 {
		t.Error("the run's own data are wrong")
	}
	r := someReport()
	r.Category, r.Problems = "deploy", nil
	run = sarifRunOf(t, r, gitHubLimits)
	if run.AutomationDetails.ID != "deploy/" || !run.Invocations[0].ExecutionSuccessful {
		t.Error("the run's own data are wrong")
	}
}

func TestAllResultsOrNoneSayWhetherTheyAreActive(t *testing.T) {
	r := someReport()
	r.Findings[1].Suppression = &rules.Suppression{Reason: "until spring", Position: r.Findings[1].Position}
	r.Findings[2].Known = true
	run := sarifRunOf(t, r, gitHubLimits)
	states := make([]string, len(run.Results))
	for i, result := range run.Results {
		states[i] = fmt.Sprintf("%t %d %s", result.Suppressions != nil, len(result.Suppressions), result.BaselineState)
	}
	want := []string{"true 0 new", "true 1 new", "true 0 unchanged", "true 0 new", "true 0 new"}
	if diff := cmp.Diff(want, states); diff != "" {
		t.Error(diff)
	}
}

func TestVersions(t *testing.T) {
	for version, want := range map[string][2]string{
		"1.2.3":         {"1.2.3", "1.2.3"},
		"v1.2.3-rc.1+x": {"1.2.3-rc.1+x", "1.2.3-rc.1+x"},
		"(devel)":       {"0.0.0", ""},
		"":              {"0.0.0", ""},
		"2024-spring":   {"2024-spring", ""},
		"v01.2.3":       {"01.2.3", ""},
	} {
		run := sarifRunOf(t, &Report{Version: version}, gitHubLimits)
		got := [2]string{run.Tool.Driver.Version, run.Tool.Driver.SemanticVersion}
		if got != want {
			t.Errorf("%q gives %q", version, got)
		}
	}
}

func TestRegion(t *testing.T) {
	for _, test := range []struct {
		position manifest.Position
		want     sarifRegion
	}{
		{manifest.Position{File: "f"}, sarifRegion{StartLine: 1}},
		{manifest.Position{File: "f", Line: 3}, sarifRegion{StartLine: 3}},
		{manifest.Position{File: "f", Line: 3, Column: 4}, sarifRegion{StartLine: 3, StartColumn: 4}},
		{at("f", 3, 4, 9), sarifRegion{3, 4, 3, 9}},
		{at("f", 3, 4, 4), sarifRegion{StartLine: 3, StartColumn: 4}},
		{manifest.Position{File: "f", Line: 3, Column: 4, EndLine: 5, EndColumn: 1}, sarifRegion{3, 4, 5, 1}},
	} {
		if got := *regionOf(test.position); got != test.want {
			t.Errorf("%v gives %v", test.position, got)
		}
	}
}
