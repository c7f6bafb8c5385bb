package report

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/derekg1729/dsnlint/pkg/contract"
	"github.com/derekg1729/dsnlint/pkg/findings"
	"github.com/derekg1729/dsnlint/pkg/manifest"
	"github.com/derekg1729/dsnlint/pkg/rules"
)

// homepage is where the product is documented.
const homepage = "https://github.com/derekg1729/dsnlint"

// RulesDocument is the file of the repository with a heading for each rule.
const RulesDocument = "docs/rules.md"

// sourceRoot is the base of all paths: the repository's root.
const sourceRoot = "%SRCROOT%"

// sarifLimits is how much a SARIF file may hold.
type sarifLimits struct {
	results int
	// steps is how many steps of provenance the file holds, which keeps the
	// memory that it takes to write it within bounds.
	steps               int
	locations           int
	threadFlowLocations int
	gzipBytes           int
}

// gitHubLimits are those beyond which GitHub refuses a file; see
// https://docs.github.com/code-security/reference/code-scanning/sarif-files/troubleshoot-sarif-uploads/results-exceed-limit.
var gitHubLimits = sarifLimits{results: 25_000, steps: 100_000, locations: 1_000, threadFlowLocations: 10_000, gzipBytes: 10_000_000}

// SARIF writes a report as SARIF 2.1.0, for code scanning. It keeps within
// GitHub's limits: the most severe findings stay, and a notification says how
// many do not. It holds no content of a file.
func SARIF(w io.Writer, r *Report) error { return writeSARIF(w, r, gitHubLimits) }

func writeSARIF(w io.Writer, r *Report, limits sarifLimits) error {
	for results := limits.most(r); ; results = results * 3 / 4 {
		var content bytes.Buffer
		encoder := json.NewEncoder(&content)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", " ")
		builder := sarifBuilder{report: r, limits: limits}
		if err := encoder.Encode(builder.log(results)); err != nil {
			return err
		}
		fits, err := fitsGzipped(content.Bytes(), limits.gzipBytes)
		if err != nil {
			return err
		}
		if fits || results == 0 {
			_, err := w.Write(content.Bytes())
			return err
		}
	}
}

// most is how many findings of a report the file holds at most, not counting
// what they take once compressed.
func (l sarifLimits) most(r *Report) int {
	most := min(len(r.Findings), l.results)
	if r.MaxResults > 0 {
		most = min(most, r.MaxResults)
	}
	longest := func(most int) (steps int) {
		kept, _ := mostSevere(r.Findings, most)
		for _, i := range kept {
			for _, path := range r.Findings[i].Provenance {
				steps += len(path)
			}
		}
		return steps
	}
	for l.steps > 0 && most > 1 && longest(most) > l.steps {
		most /= 2
	}
	return most
}

// fitsGzipped reports whether data takes no more than limit bytes once compressed.
func fitsGzipped(data []byte, limit int) (bool, error) {
	// Compression never adds more than some bytes, so most reports need none.
	if len(data) < limit/2 {
		return true, nil
	}
	var size byteCounter
	compressor := gzip.NewWriter(&size)
	if _, err := compressor.Write(data); err != nil {
		return false, err
	}
	if err := compressor.Close(); err != nil {
		return false, err
	}
	return int(size) <= limit, nil
}

type byteCounter int

func (c *byteCounter) Write(p []byte) (int, error) {
	*c += byteCounter(len(p))
	return len(p), nil
}

// sarifBuilder makes one log, and counts what its limits cut.
type sarifBuilder struct {
	report *Report
	limits sarifLimits

	cutLocations, cutFlows int
}

func (s *sarifBuilder) log(results int) sarifLog {
	r := s.report
	run := sarifRun{
		Tool: sarifTool{Driver: sarifDriver{
			Name:           findings.Tool,
			Version:        numericVersion(r.Version),
			InformationURI: homepage,
			Rules:          make([]sarifRule, len(r.Rules)),
		}},
		OriginalURIBaseIDs: map[string]sarifArtifactLocation{
			sourceRoot: {Description: &sarifMessage{Text: "The root directory of the repository."}},
		},
		ColumnKind: "unicodeCodePoints",
		Results:    s.results(results),
	}
	if semanticVersion.MatchString(r.Version) {
		run.Tool.Driver.SemanticVersion = strings.TrimPrefix(r.Version, "v")
	}
	for i, rule := range r.Rules {
		run.Tool.Driver.Rules[i] = sarifRuleOf(rule)
	}
	if r.Category != "" {
		// What stands before the last slash names the category, and what stands
		// behind it the single run.
		run.AutomationDetails = &sarifAutomation{ID: strings.TrimSuffix(r.Category, "/") + "/"}
	}
	run.Invocations = []sarifInvocation{{
		ExecutionSuccessful:        r.failures() == 0,
		ExitCode:                   r.ExitCode,
		ToolExecutionNotifications: append(s.cuts(results), notifications(r.Problems)...),
		Properties:                 sarifScope{Files: r.Files, Suppressed: r.suppressed(), Known: r.known(), JSONScope: jsonScope(&r.Scope)},
	}}
	return sarifLog{Schema: sarifSchema, Version: sarifVersion, Runs: []sarifRun{run}}
}

// semanticVersion is a version by https://semver.org, with the v that Go puts
// before it.
var semanticVersion = regexp.MustCompile(`^v?(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$`)

// numericVersion makes a version begin with a number, so that versions can be
// compared; a build that was given none is before all others.
func numericVersion(version string) string {
	version = strings.TrimPrefix(version, "v")
	if version == "" || version[0] < '0' || version[0] > '9' {
		return "0.0.0"
	}
	return version
}

// problemSeverities are GitHub's words for the levels.
var problemSeverities = map[contract.Level]string{
	contract.LevelError:   "error",
	contract.LevelWarning: "warning",
	contract.LevelNote:    "recommendation",
}

func sarifRuleOf(rule *rules.Rule) sarifRule {
	properties := sarifRuleProperties{
		Precision:       "high",
		ProblemSeverity: problemSeverities[rule.Level],
		Tags:            []string{"configuration", "database"},
	}
	if rule.SecuritySeverity > 0 {
		properties.SecuritySeverity = strconv.FormatFloat(rule.SecuritySeverity, 'f', 1, 64)
		properties.Tags = append(properties.Tags, "security")
	}
	described := sarifRule{
		ID:                   rule.ID,
		Name:                 pascalCase(rule.ID),
		ShortDescription:     sarifMessage{Text: sentence(plain(rule.Summary))},
		FullDescription:      sarifMessage{Text: sentence(plain(rule.Summary)) + " " + sentence(plain(rule.Why)), Markdown: sentence(rule.Summary) + " " + sentence(rule.Why)},
		Help:                 sarifMessage{Text: sentence(plain(rule.Why)) + " Fix: " + sentence(plain(rule.Fix)), Markdown: rule.Help()},
		DefaultConfiguration: sarifConfiguration{Level: string(rule.Level)},
		Properties:           properties,
	}
	if rules.Lookup(rules.All, rule.ID) != nil { // a rule of the caller's own has no page here
		described.HelpURI = homepage + "/blob/main/" + RulesDocument + "#" + strings.ToLower(rule.ID)
	}
	return described
}

func pascalCase(id string) string {
	var b strings.Builder
	for word := range strings.SplitSeq(id, "_") {
		if word != "" {
			b.WriteString(strings.ToUpper(word[:1]) + strings.ToLower(word[1:]))
		}
	}
	return b.String()
}

// plain takes the marks of code out of Markdown.
func plain(markdown string) string { return strings.ReplaceAll(markdown, "`", "") }

// sentence makes a text end with a period.
func sentence(s string) string {
	if s == "" || strings.HasSuffix(s, ".") {
		return s
	}
	return s + "."
}

// results makes the results of the most severe findings, in their order.
func (s *sarifBuilder) results(n int) []sarifResult {
	all := s.report.Findings
	var kept []int
	if n > 0 {
		kept, _ = mostSevere(all, n)
	}
	prints := findings.Fingerprints(all)
	ruleIndex := map[string]int{}
	for i, rule := range s.report.Rules {
		ruleIndex[rule.ID] = i
	}
	suppressed, known := s.report.suppressed() > 0, slices.ContainsFunc(all, func(f rules.Finding) bool { return f.Known })
	results := make([]sarifResult, 0, n)
	for _, i := range kept {
		f := &all[i]
		result := s.result(f, prints[i])
		if index, ok := ruleIndex[f.Rule.ID]; ok {
			result.RuleIndex = &index
		}
		// Either all results of a run have these, or none has.
		if suppressed {
			result.Suppressions = suppressionsOf(f)
		}
		if known {
			result.BaselineState = baselineState(f)
		}
		result.Fixes = s.fixes(f)
		results = append(results, result)
	}
	return results
}

// fixes returns the change that fixes a finding. Its regions have both ends even
// where they are one: an insertion would otherwise replace the rest of the line.
func (s *sarifBuilder) fixes(f *rules.Finding) []sarifFix {
	if s.report.Fixes == nil || !f.Active() {
		return nil
	}
	replacements := s.report.Fixes(f)
	if len(replacements) == 0 {
		return nil
	}
	change := sarifArtifactChange{ArtifactLocation: artifactLocation(replacements[0].Region.File)}
	for _, r := range replacements {
		replacement := sarifReplacement{DeletedRegion: sarifRegion{
			StartLine: r.Region.Line, StartColumn: r.Region.Column, EndLine: r.Region.EndLine, EndColumn: r.Region.EndColumn,
		}}
		if r.Text != "" {
			replacement.InsertedContent = &sarifContent{Text: r.Text}
		}
		change.Replacements = append(change.Replacements, replacement)
	}
	return []sarifFix{{Description: sarifMessage{Text: "Remove the entry."}, ArtifactChanges: []sarifArtifactChange{change}}}
}

func suppressionsOf(f *rules.Finding) []sarifSuppression {
	if f.Suppression == nil {
		return []sarifSuppression{}
	}
	location := locationOf(f.Suppression.Position)
	return []sarifSuppression{{Kind: "inSource", Justification: f.Suppression.Reason.String(), Location: &location}}
}

func baselineState(f *rules.Finding) string {
	if f.Known {
		return "unchanged"
	}
	return "new"
}

func (s *sarifBuilder) result(f *rules.Finding, fingerprint string) sarifResult {
	location := locationOf(f.Position)
	if f.Container.Kind != manifest.KindFile {
		location.LogicalLocations = []sarifLogicalLocation{{
			Name:               name(f.Container.Name),
			FullyQualifiedName: name(f.Container.QualifiedName),
			Kind:               "resource",
		}}
	}
	related := s.related(f)
	return sarifResult{
		RuleID:              f.Rule.ID,
		Level:               string(f.Level),
		Message:             messageOf(f, related),
		Locations:           []sarifLocation{location},
		RelatedLocations:    related,
		CodeFlows:           s.codeFlows(f),
		PartialFingerprints: map[string]string{findings.FingerprintKey: fingerprint},
		Properties: sarifResultProperties{
			Role:     string(f.Role),
			Channel:  string(f.Channel),
			Variable: name(f.Variable),
			Secrets:  namesOf(f.Secrets),
			Overlays: f.Overlays,
		},
	}
}

// related lists the steps of the provenance that lie elsewhere than the entry,
// each once.
func (s *sarifBuilder) related(f *rules.Finding) []sarifLocation {
	var all []sarifLocation
	seen := map[manifest.Step]bool{}
	for _, path := range f.Provenance {
		for _, step := range path {
			if step.Position.File == "" || step.Position == f.Position || seen[step] {
				continue
			}
			seen[step] = true
			// The entry itself is the first location of the result.
			if len(all)+1 >= s.limits.locations {
				s.cutLocations++
				continue
			}
			location := stepLocation(step)
			location.ID = len(all) + 1
			all = append(all, location)
		}
	}
	return all
}

// maxWords is how many steps a message tells in words.
const maxWords = 20

// messageOf says what is wrong, how the secret gets there, with links to the
// related locations, and what to do about it.
func messageOf(f *rules.Finding, related []sarifLocation) sarifMessage {
	id := map[string]int{}
	for _, location := range related {
		id[stepKey(location)] = location.ID
	}
	parts := []string{sentence(escapeLinks(f.Message.String()))}
	told := map[string]bool{}
	for i, path := range f.Provenance {
		words := make([]string, 0, len(path))
		for _, step := range path {
			text := escapeLinks(step.Text.String())
			if id := id[stepKey(stepLocation(step))]; id > 0 && step.Position != f.Position {
				text = fmt.Sprintf("[%s](%d)", text, id)
			}
			words = append(words, text)
		}
		if len(words) > maxWords {
			words = append(words[:maxWords], fmt.Sprintf("%d more steps", len(path)-maxWords))
		}
		way := sentence("Provenance of " + escapeLinks(cmp.Or(name(secretAt(f, i)), "the entry")) + ": " + strings.Join(words, " ← "))
		// A path of one step is the entry itself.
		if len(path) > 1 && !told[way] && len(told) < maxWords {
			told[way] = true
			parts = append(parts, way)
		}
	}
	if len(f.Overlays) > 0 {
		parts = append(parts, sentence("Seen in "+escapeLinks(strings.Join(f.Overlays, ", "))))
	}
	if !f.Fix.IsZero() {
		parts = append(parts, sentence("Fix: "+escapeLinks(f.Fix.String())))
	}
	return sarifMessage{Text: strings.Join(parts, " ")}
}

func stepKey(location sarifLocation) string {
	region := sarifRegion{}
	if location.PhysicalLocation.Region != nil {
		region = *location.PhysicalLocation.Region
	}
	return fmt.Sprint(location.PhysicalLocation.ArtifactLocation.URI, region, location.Message.Text)
}

// linkEscapes keeps text from being read as an embedded link.
var linkEscapes = strings.NewReplacer(`\`, `\\`, "[", `\[`, "]", `\]`)

func escapeLinks(s string) string { return linkEscapes.Replace(s) }

// codeFlows leads from where each secret comes from to the container. A path
// that lies in one place is none to follow.
func (s *sarifBuilder) codeFlows(f *rules.Finding) []sarifCodeFlow {
	var flows []sarifThreadFlow
	total := 0
	for i, path := range f.Provenance {
		var locations []sarifThreadFlowLocation
		for _, step := range slices.Backward(path) {
			if step.Position.File != "" {
				locations = append(locations, sarifThreadFlowLocation{Location: stepLocation(step)})
			}
		}
		if len(locations) < 2 {
			continue
		}
		if total += len(locations); total > s.limits.threadFlowLocations {
			s.cutFlows++
			continue
		}
		flows = append(flows, sarifThreadFlow{ID: name(secretAt(f, i)), Locations: locations})
	}
	if len(flows) == 0 {
		return nil
	}
	return []sarifCodeFlow{{ThreadFlows: flows}}
}

// cuts says what the limits left out.
func (s *sarifBuilder) cuts(results int) []sarifNotification {
	var all []sarifNotification
	say := func(n int, what string) {
		if n > 0 {
			all = append(all, sarifNotification{Level: "warning", Message: sarifMessage{Text: fmt.Sprintf("%d %s.", n, what)}})
		}
	}
	findings := len(s.report.Findings)
	say(findings-results, fmt.Sprintf("of %d findings are left out, the least severe ones, to keep within the limits of code scanning and of --max", findings))
	say(s.cutLocations, "steps of provenance are left out of relatedLocations to keep within the limits of code scanning")
	say(s.cutFlows, "paths are left out of codeFlows to keep within the limits of code scanning")
	return all
}

func notifications(problems []*manifest.Problem) []sarifNotification {
	all := make([]sarifNotification, 0, len(problems))
	for _, p := range problems {
		text := sentence(p.Message.String())
		if !p.Hint.IsZero() {
			text += " Fix: " + sentence(p.Hint.String())
		}
		n := sarifNotification{Level: string(levelOf(p)), Message: sarifMessage{Text: escapeLinks(text)}}
		if p.Position.File != "" {
			n.Locations = []sarifLocation{locationOf(p.Position)}
		}
		all = append(all, n)
	}
	return all
}

func stepLocation(step manifest.Step) sarifLocation {
	location := locationOf(step.Position)
	location.Message = &sarifMessage{Text: sentence(escapeLinks(step.Text.String()))}
	return location
}

// locationOf gives no physical location where there is no file, as with a
// variable of the process.
func locationOf(p manifest.Position) sarifLocation {
	if p.File == "" {
		return sarifLocation{}
	}
	return sarifLocation{PhysicalLocation: sarifPhysicalLocation{
		ArtifactLocation: artifactLocation(p.File),
		Region:           regionOf(p),
	}}
}

// artifactLocation names a file of the repository.
func artifactLocation(file string) sarifArtifactLocation {
	return sarifArtifactLocation{URI: (&url.URL{Path: file}).String(), URIBaseID: sourceRoot}
}

// regionOf returns the place in the file, with as much as is known; GitHub wants a
// line in any case.
func regionOf(p manifest.Position) *sarifRegion {
	region := &sarifRegion{StartLine: max(p.Line, 1)}
	if p.Line == 0 || p.Column == 0 {
		return region
	}
	region.StartColumn = p.Column
	if p.EndLine > p.Line || p.EndLine == p.Line && p.EndColumn > p.Column {
		region.EndLine, region.EndColumn = p.EndLine, p.EndColumn
	}
	return region
}
