package report

import (
	"bytes"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/derekg1729/dsnlint/pkg/contract"
	"github.com/derekg1729/dsnlint/pkg/findings"
	"github.com/derekg1729/dsnlint/pkg/internal/source"
	"github.com/derekg1729/dsnlint/pkg/manifest"
	"github.com/derekg1729/dsnlint/pkg/rules"
)

var update = flag.Bool("update", false, "regenerate the golden files")

// golden holds output against a file of testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s differs (-want +got):\n%s", file, diff)
	}
}

// Three languages, two of them named for how they write a reference.
var (
	braces = &manifest.Dialect{
		Name: "compose", Keys: []string{"command", "restart"}, Values: []string{"always"},
		Mention: func(name, withDefault string) string {
			if withDefault != "" {
				name += ":-" + withDefault
			}
			return "${" + name + "}"
		},
	}
	parentheses = &manifest.Dialect{
		Name: "kubernetes", Keys: []string{"envFrom", "name", "secretRef"},
		Mention: func(name, _ string) string { return "$(" + name + ")" },
	}
	assigned = &manifest.Dialect{Name: "assigned", Keys: []string{"Key", "kind", "to"}, Values: []string{"plain"}}
)

var (
	ruleA = &rules.Rule{
		ID: "RUNTIME_DSN_ONLY", Level: contract.LevelError, SecuritySeverity: 8.5,
		Summary: "A runtime container receives a database variable other than its DSNs.",
		Why:     "Runtime containers receive `DATABASE_URL` and nothing else.",
		Fix:     "Remove the entry.",
		Examples: []rules.Example{{
			Title: "Compose",
			Bad:   "services:\n  app:\n    environment:\n      APP_DB_PASSWORD: ${APP_DB_PASSWORD}\n",
			Good:  "services:\n  app:\n    environment:\n      DATABASE_URL: ${DATABASE_URL}\n",
		}},
	}
	ruleB = &rules.Rule{
		ID: "PROVISIONING_TRUST_BOUNDARY", Level: contract.LevelError, SecuritySeverity: 9.1,
		Summary: "A provisioning credential reaches a container outside the provisioning lane.",
		Why:     "It is a hard boundary.",
		Fix:     "Move it to the provisioner.",
	}
	ruleC = &rules.Rule{
		ID: "PROVISIONING_RUNS_ONCE", Level: contract.LevelWarning,
		Summary: "The provisioner is not a run-once step.",
		Why:     "It would provision again and again.",
		Fix:     "Set restart to no.",
	}
	ruleD = &rules.Rule{
		ID: "OPAQUE_SECRET_IMPORT", Level: contract.LevelNote, SecuritySeverity: 2,
		Summary: "A container imports a whole Secret whose keys are not known.",
		Why:     "Nobody can tell what is in it.",
		Fix:     "Declare its keys.",
	}
	someRules = []*rules.Rule{ruleA, ruleB, ruleC, ruleD}
)

// someFiles hold hunter2 wherever a value can be.
var someFiles = map[string]string{
	"deploy/compose.yml": `services:
  app:
    environment:
      POSTGRES_ROOT_PASSWORD: hunter2
  litellm:
    environment:
	  - DATABASE_URL=postgres://root:hunter2@postgres/x?sslmode=${SSL:-hunter2}
  db-provision:
    restart: always
`,
	"k8s/a b/ünit.yaml": `spec:
  containers:
    - name: worker
      envFrom: [{secretRef: {name: operator-env-secrets}}, {secretRef: {name: hunter2}}]
`,
	".env": "LITELLM_DATABASE_URL=postgres://root:${POSTGRES_ROOT_PASSWORD}@postgres/x\n",
}

func sourceOf(files map[string]string) func(string) ([]byte, error) {
	return func(name string) ([]byte, error) {
		if text, ok := files[name]; ok {
			return []byte(text), nil
		}
		return nil, fs.ErrNotExist
	}
}

func at(file string, line, column, endColumn int) manifest.Position {
	return manifest.Position{File: file, Line: line, Column: column, EndLine: line, EndColumn: endColumn}
}

func composeContainer(name string) *manifest.Container {
	return &manifest.Container{
		Dialect: braces, ID: "service/" + name, QualifiedName: "compose/cogni/" + name,
		Project:  manifest.Project{Name: "cogni", Source: "deploy/compose.yml"},
		Workload: manifest.Workload{Kind: "service", Name: name},
		Name:     name,
		Kind:     manifest.KindService,
	}
}

func someReport() *Report {
	app, litellm, provision := composeContainer("app"), composeContainer("litellm"), composeContainer("db-provision")
	worker := &manifest.Container{
		Dialect: parentheses, ID: "prod/Deployment/scheduler-worker/worker", QualifiedName: "prod/Deployment/scheduler-worker/worker",
		Project:  manifest.Project{Name: "prod", Source: "k8s"},
		Workload: manifest.Workload{Kind: "Deployment", Name: "scheduler-worker"},
		Name:     "worker",
		Kind:     manifest.KindContainer,
	}
	password := at("deploy/compose.yml", 4, 7, 29)
	leaked := func(rule *rules.Rule, message manifest.Text) rules.Finding {
		return rules.Finding{
			Rule: rule, Level: rule.Level, Container: app, Role: contract.Runtime,
			Channel: manifest.ChannelEnv, Variable: "POSTGRES_ROOT_PASSWORD", Secrets: []string{"POSTGRES_ROOT_PASSWORD"},
			Message: message, Fix: manifest.Say("remove it"), Position: password,
			Provenance: [][]manifest.Step{{{Position: password, Text: manifest.Say("environment of app")}}},
		}
	}
	dsn := at("deploy/compose.yml", 7, 6, 77)
	imported := at("k8s/a b/ünit.yaml", 4, 17, 57)
	r := &Report{
		Rules:   someRules,
		Version: "1.2.3",
		Files:   14,
		Scope:   Scope{Containers: map[contract.Role]int{contract.Runtime: 9, contract.Provisioner: 2, contract.Other: 103}, Excluded: 4, Ignored: 1, RoleLabels: 1},
		Source:  sourceOf(someFiles),
		Findings: []rules.Finding{
			leaked(ruleA, manifest.Say("runtime container app receives POSTGRES_ROOT_PASSWORD in its environment; a runtime container gets its DSNs only")),
			leaked(ruleB, manifest.Say("POSTGRES_ROOT_PASSWORD crosses into runtime container app in its environment")),
			{
				Rule: ruleB, Level: contract.LevelError, Container: litellm, Role: contract.Other,
				Channel: manifest.ChannelEnv, Variable: "DATABASE_URL", Secrets: []string{"POSTGRES_ROOT_USER", "POSTGRES_ROOT_PASSWORD"},
				Expr: manifest.Expr{
					{Literal: manifest.Known("postgres://root:hunter2@postgres/x?sslmode=")},
					{Ref: &manifest.Ref{Name: "SSL", Kind: manifest.RefVariable, Default: manifest.Literal("hunter2")}},
				},
				Message: manifest.Say("POSTGRES_ROOT_USER and POSTGRES_ROOT_PASSWORD reach container litellm inside the value of DATABASE_URL"),
				Fix:     manifest.Say("give it a DSN of its own"), Position: dsn,
				Provenance: [][]manifest.Step{
					{{Position: dsn, Text: manifest.Say("environment of litellm")}, {Text: manifest.Say("${POSTGRES_ROOT_USER} from the environment")}},
					{{Position: dsn, Text: manifest.Say("environment of litellm")}, {Position: at(".env", 1, 1, 21), Text: manifest.Say("LITELLM_DATABASE_URL [in .env] is built from POSTGRES_ROOT_PASSWORD")}},
				},
			},
			{
				Rule: ruleC, Level: contract.LevelWarning, Container: provision, Role: contract.Provisioner,
				Message: manifest.Say("provisioner container db-provision restarts"), Fix: manifest.Say(`set restart: "no"`),
				Position: at("deploy/compose.yml", 9, 5, 12),
			},
			{
				Rule: ruleD, Level: contract.LevelNote, Container: worker, Role: contract.Runtime,
				Channel: manifest.ChannelEnv, Variable: "Secret/operator-env-secrets",
				Message: manifest.Say("runtime container worker imports the Secret operator-env-secrets whole"), Fix: manifest.Say("declare its keys"),
				Position:   imported,
				Provenance: [][]manifest.Step{{{Position: imported, Text: manifest.Say("envFrom Secret operator-env-secrets")}}},
				Overlays:   []string{"k8s/overlays/prod", "k8s/overlays/staging"},
			},
		},
		Problems: []*manifest.Problem{
			{Severity: manifest.Error, Position: manifest.Position{File: "broken.yaml", Line: 3, Column: 1}, Message: manifest.Say("expected a mapping, found a list"), Hint: manifest.Say("write KEY: VALUE")},
			{Severity: manifest.Notice, Position: at("deploy/compose.yml", 1, 1, 9), Message: manifest.Say("not followed: a remote include")},
		},
		ExitCode: 2,
	}
	for i := range r.Findings {
		r.Findings[i].NamePosition = r.Findings[i].Position
	}
	findings.Locate(r.Findings, func(name string) *source.Index { return source.NewIndex([]byte(someFiles[name])) })
	return r
}

func rendered(t *testing.T, format string, r *Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := (Output{Format: format}).render(&b, r, TextOptions{}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestGolden(t *testing.T) {
	for format, file := range map[string]string{"text": "report.txt", "sarif": "report.sarif", "json": "report.json", "github": "report.github"} {
		t.Run(format, func(t *testing.T) {
			got := rendered(t, format, someReport())
			golden(t, file, []byte(got))
			if again := rendered(t, format, someReport()); again != got {
				t.Error("the second run differs from the first")
			}
			if strings.Contains(got, "hunter") {
				t.Error("a value is shown")
			}
		})
	}
}

func TestEmptyReport(t *testing.T) {
	for _, format := range Formats {
		golden(t, "empty."+format, []byte(rendered(t, format, &Report{Rules: someRules[2:3], Version: "dev", Files: 1})))
	}
}

func TestInactiveFindings(t *testing.T) {
	r := someReport()
	r.Findings = r.Findings[:3]
	r.Problems = nil
	r.Findings[0].Suppression = &rules.Suppression{Reason: "until spring", Position: at("deploy/compose.yml", 3, 5, 20)}
	r.Findings[0].Known = true
	r.Findings[2].Known = true
	for format, file := range map[string]string{"text": "inactive.txt", "sarif": "inactive.sarif", "json": "inactive.json", "github": "inactive.github"} {
		golden(t, file, []byte(rendered(t, format, r)))
	}
}

func TestFingerprints(t *testing.T) {
	before := someReport().Findings
	moved := someReport().Findings
	for i := range moved {
		moved[i].Position.Line += 7
		moved[i].Position.Column = 1
		moved[i].Message = manifest.Say("other words")
	}
	prints := findings.Fingerprints(before)
	if diff := cmp.Diff(prints, findings.Fingerprints(moved)); diff != "" {
		t.Errorf("moving lines changes fingerprints:\n%s", diff)
	}
	seen := map[string]bool{}
	for _, fingerprint := range findings.Fingerprints(slices.Concat(before, before)) {
		if seen[fingerprint] {
			t.Errorf("%s comes twice", fingerprint)
		}
		seen[fingerprint] = true
	}
	for name, change := range map[string]func(*rules.Finding){
		"rule":      func(f *rules.Finding) { f.Rule = ruleC },
		"file":      func(f *rules.Finding) { f.Position.File = "other.yml" },
		"container": func(f *rules.Finding) { f.Container = composeContainer("other") },
		"channel":   func(f *rules.Finding) { f.Channel = manifest.ChannelBuild },
		"variable":  func(f *rules.Finding) { f.Variable = "OTHER" },
		"secrets":   func(f *rules.Finding) { f.Secrets = []string{"OTHER"} },
	} {
		changed := someReport().Findings[:1]
		change(&changed[0])
		if findings.Fingerprints(changed)[0] == prints[0] {
			t.Errorf("another %s gives the same fingerprint", name)
		}
	}
}

func TestNamesCannotControlTheTerminal(t *testing.T) {
	r := someReport()
	r.Findings[0].Message = manifest.Say("evil %s", manifest.Path("\x1b[2J\nname \u202e"))
	r.Findings[0].Position.File = "a\x1b]0;x\x07.yml"
	r.Problems[0].Message = manifest.Say("%s", manifest.Path("\rgone"))
	for _, c := range rendered(t, "text", r) {
		if c != '\n' && manifest.Clean(string(c)) != string(c) {
			t.Errorf("%U is printed", c)
		}
	}
}

// TestSummary checks the last line: what is zero is not printed.
func TestSummary(t *testing.T) {
	counted := map[contract.Role]int{contract.Runtime: 1, contract.Other: 2}
	accepted := rules.Finding{Rule: ruleA, Level: contract.LevelError, Container: manifest.File("a"), Suppression: &rules.Suppression{}}
	known := rules.Finding{Rule: ruleA, Level: contract.LevelError, Container: manifest.File("b"), Known: true}
	for _, test := range []struct {
		report Report
		want   string
	}{
		{Report{}, "no findings in 0 files"},
		{Report{Files: 1, Scope: Scope{Containers: map[contract.Role]int{}}}, "no findings in 1 file (no containers)"},
		{Report{Files: 1, Scope: Scope{Containers: counted}}, "no findings in 1 file (3 containers: 1 runtime, 2 other)"},
		{
			Report{
				Files: 2, Findings: []rules.Finding{accepted, known},
				Scope: Scope{Containers: counted, Excluded: 4, Ignored: 1, RoleLabels: 1, RulesOff: []string{"A"}, RulesLowered: []string{"B", "C"}},
			},
			"no findings in 2 files (3 containers: 1 runtime, 2 other); left out: 4 files by exclude, 1 file by .gitignore; role labels: 1; " +
				"suppressed: 1; in the baseline: 1; rules off: A; rules lowered: B, C",
		},
		{
			Report{Files: 2, Scope: Scope{Containers: counted, Ignored: 10_000, More: true}, Problems: []*manifest.Problem{{Severity: manifest.Error}}},
			"no findings in 2 files (3 containers: 1 runtime, 2 other); left out: 10000 files by .gitignore, and more; 1 input problem: not everything was checked",
		},
	} {
		if got := summary(limited(&test.report)); got != test.want {
			t.Errorf("got  %s\nwant %s", got, test.want)
		}
	}
}
