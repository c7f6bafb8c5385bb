package report

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"io"
	"iter"

	"github.com/derekg1729/dsnlint/pkg/contract"
	"github.com/derekg1729/dsnlint/pkg/findings"
	"github.com/derekg1729/dsnlint/pkg/manifest"
	"github.com/derekg1729/dsnlint/pkg/rules"
)

// jsonVersion is raised when a field goes or changes its meaning. A field that
// is added leaves it as it is.
const jsonVersion = 1

// JSONReport is the document that [JSON] writes. Every list is present even
// where it is empty, and a text that is not known is empty.
type JSONReport struct {
	// Version is that of this format: 1.
	Version  int           `json:"version"`
	Tool     JSONTool      `json:"tool"`
	Findings []JSONFinding `json:"findings"`
	Problems []JSONProblem `json:"problems"`
	Summary  JSONSummary   `json:"summary"`
}

// JSONTool names the program that wrote the document.
type JSONTool struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// JSONFinding is one broken rule on one entry of one container.
type JSONFinding struct {
	Rule    string         `json:"rule"`
	Level   contract.Level `json:"level"`
	Message string         `json:"message"`
	Fix     string         `json:"fix"`
	// Fingerprint identifies the finding across runs; see [Fingerprints].
	Fingerprint string           `json:"fingerprint"`
	Container   JSONContainer    `json:"container"`
	Channel     manifest.Channel `json:"channel"`
	Variable    string           `json:"variable"`
	Secrets     []string         `json:"secrets"`
	Position    JSONPosition     `json:"position"`
	Provenance  []JSONPath       `json:"provenance"`
	// Overlays are the rendered roots that show the finding.
	Overlays []string `json:"overlays"`
	// Suppression is null unless a comment accepts the finding.
	Suppression *JSONSuppression `json:"suppression"`
	// Known tells that the baseline has the finding already.
	Known bool `json:"known"`
}

// JSONSuppression is the comment that accepts a finding.
type JSONSuppression struct {
	Reason   string       `json:"reason"`
	Position JSONPosition `json:"position"`
}

// JSONContainer is the container of a finding.
type JSONContainer struct {
	Name string `json:"name"`
	// QualifiedName is compose/PROJECT/SERVICE or NAMESPACE/KIND/NAME/CONTAINER,
	// and file/PATH where a file that belongs to no container is judged.
	QualifiedName string        `json:"qualifiedName"`
	Dialect       string        `json:"dialect"`
	Kind          manifest.Kind `json:"kind"`
	// Project is the Compose project's name or the Kubernetes namespace.
	Project  string        `json:"project"`
	Workload JSONWorkload  `json:"workload"`
	Role     contract.Role `json:"role"`
}

// JSONWorkload is the object that a container belongs to.
type JSONWorkload struct {
	Kind string `json:"kind"`
	Name string `json:"name"`
}

// JSONPosition is a place in a file. Lines and columns count from 1, columns in
// Unicode code points; the end is the place just behind the last character.
// Zero means unknown.
type JSONPosition struct {
	File      string `json:"file"`
	Line      int    `json:"line"`
	Column    int    `json:"column"`
	EndLine   int    `json:"endLine"`
	EndColumn int    `json:"endColumn"`
}

// JSONPath leads from the entry back to where one secret comes from.
type JSONPath struct {
	// Secret is empty for a finding that is about none.
	Secret string     `json:"secret"`
	Steps  []JSONStep `json:"steps"`
}

// JSONStep is one link of a path.
type JSONStep struct {
	Text     string       `json:"text"`
	Position JSONPosition `json:"position"`
}

// JSONProblem is an input, or a part of one, that was not checked.
type JSONProblem struct {
	// Severity is error, or notice for what is left out on purpose.
	Severity manifest.Severity `json:"severity"`
	Message  string            `json:"message"`
	Hint     string            `json:"hint"`
	Position JSONPosition      `json:"position"`
}

// JSONSummary counts the findings by level that are neither suppressed nor
// known, then these, the problems of severity error, and the files that were
// read.
type JSONSummary struct {
	Errors     int `json:"errors"`
	Warnings   int `json:"warnings"`
	Notes      int `json:"notes"`
	Suppressed int `json:"suppressed"`
	// Known counts what only the baseline excuses.
	Known    int `json:"known"`
	Problems int `json:"problems"`
	Files    int `json:"files"`
	// Omitted counts what the lists leave out, since they have a limit.
	Omitted  JSONOmitted `json:"omitted"`
	ExitCode int         `json:"exitCode"`
	JSONScope
}

// JSONOmitted counts the findings and problems that are not in the document.
type JSONOmitted struct {
	Findings int `json:"findings"`
	Problems int `json:"problems"`
}

// JSONScope is what was judged, and what was taken away from it; see [Scope].
type JSONScope struct {
	Containers JSONContainers `json:"containers"`
	// Excluded and Ignored count files; more reports that there are more of them.
	Excluded     int      `json:"excluded"`
	Ignored      int      `json:"ignored"`
	More         bool     `json:"more"`
	RoleLabels   int      `json:"roleLabels"`
	RulesOff     []string `json:"rulesOff"`
	RulesLowered []string `json:"rulesLowered"`
}

// JSONContainers counts containers by role.
type JSONContainers struct {
	Provisioner int `json:"provisioner"`
	Runtime     int `json:"runtime"`
	Database    int `json:"database"`
	Other       int `json:"other"`
}

// JSON writes a report for programs, as a [JSONReport].
func JSON(w io.Writer, r *Report) error {
	d := jsonDocument{w: bufio.NewWriter(w)}
	d.text("{\n")
	d.field("version", jsonVersion, ",")
	d.field("tool", JSONTool{Name: findings.Tool, Version: r.Version}, ",")

	kept, omitted := mostSevere(r.Findings, r.Max)
	prints := findings.Fingerprints(r.Findings)
	d.list("findings", func(yield func(any) bool) {
		for _, i := range kept {
			if !yield(jsonFinding(&r.Findings[i], prints[i])) {
				return
			}
		}
	})
	problems := limited(r)
	d.list("problems", func(yield func(any) bool) {
		for p := range problems.eachProblem() {
			if !yield(JSONProblem{Severity: p.Severity, Message: p.Message.String(), Hint: p.Hint.String(), Position: jsonPosition(p.Position)}) {
				return
			}
		}
	})
	d.field("summary", JSONSummary{
		Errors:     r.active(contract.LevelError),
		Warnings:   r.active(contract.LevelWarning),
		Notes:      r.active(contract.LevelNote),
		Suppressed: r.suppressed(),
		Known:      r.known(),
		Problems:   r.failures(),
		Files:      r.Files,
		Omitted:    JSONOmitted{Findings: omitted, Problems: problems.omittedProblems},
		ExitCode:   r.ExitCode,
		JSONScope:  jsonScope(&r.Scope),
	}, "")
	d.text("}\n")
	return cmp.Or(d.err, d.w.Flush())
}

// jsonDocument writes a [JSONReport] field by field, so that a long report is
// never in memory as a whole.
type jsonDocument struct {
	w   *bufio.Writer
	err error
}

func (d *jsonDocument) text(s string) { _, _ = d.w.WriteString(s) }

// value writes a value that is indented by prefix but for its first line.
func (d *jsonDocument) value(prefix string, v any) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent(prefix, "  ")
	d.err = cmp.Or(d.err, encoder.Encode(v))
	_, _ = d.w.Write(bytes.TrimSuffix(text.Bytes(), []byte("\n")))
}

func (d *jsonDocument) field(name string, v any, end string) {
	d.text(`  "` + name + `": `)
	d.value("  ", v)
	d.text(end + "\n")
}

func (d *jsonDocument) list(name string, items iter.Seq[any]) {
	d.text(`  "` + name + `": [`)
	separator, closing := "\n    ", ""
	for item := range items {
		d.text(separator)
		d.value("    ", item)
		separator, closing = ",\n    ", "\n  "
	}
	d.text(closing + "],\n")
}

func jsonScope(s *Scope) JSONScope {
	return JSONScope{
		Containers: JSONContainers{
			Provisioner: s.Containers[contract.Provisioner],
			Runtime:     s.Containers[contract.Runtime],
			Database:    s.Containers[contract.Database],
			Other:       s.Containers[contract.Other],
		},
		Excluded:     s.Excluded,
		Ignored:      s.Ignored,
		More:         s.More,
		RoleLabels:   s.RoleLabels,
		RulesOff:     present(s.RulesOff),
		RulesLowered: present(s.RulesLowered),
	}
}

func jsonFinding(f *rules.Finding, fingerprint string) JSONFinding {
	c := f.Container
	var suppression *JSONSuppression
	if s := f.Suppression; s != nil {
		suppression = &JSONSuppression{Reason: s.Reason.String(), Position: jsonPosition(s.Position)}
	}
	return JSONFinding{
		Rule:        f.Rule.ID,
		Level:       f.Level,
		Message:     f.Message.String(),
		Fix:         f.Fix.String(),
		Fingerprint: fingerprint,
		Container: JSONContainer{
			Name:          name(c.Name),
			QualifiedName: name(c.QualifiedName),
			Dialect:       c.DialectName(),
			Kind:          c.Kind,
			Project:       name(c.Project.Name),
			Workload:      JSONWorkload{Kind: name(c.Workload.Kind), Name: name(c.Workload.Name)},
			Role:          f.Role,
		},
		Channel:     f.Channel,
		Variable:    name(f.Variable),
		Secrets:     present(namesOf(f.Secrets)),
		Position:    jsonPosition(f.Position),
		Provenance:  jsonPaths(f),
		Overlays:    present(f.Overlays),
		Suppression: suppression,
		Known:       f.Known,
	}
}

func jsonPosition(p manifest.Position) JSONPosition {
	return JSONPosition{File: p.File, Line: p.Line, Column: p.Column, EndLine: p.EndLine, EndColumn: p.EndColumn}
}

func jsonPaths(f *rules.Finding) []JSONPath {
	paths := make([]JSONPath, len(f.Provenance))
	for i, path := range f.Provenance {
		steps := make([]JSONStep, len(path))
		for k, step := range path {
			steps[k] = JSONStep{Text: step.Text.String(), Position: jsonPosition(step.Position)}
		}
		paths[i] = JSONPath{Secret: name(secretAt(f, i)), Steps: steps}
	}
	return paths
}

// present makes an empty list of none, so that JSON has no null.
func present(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}
