package report

import (
	"math/rand"
	"strings"
	"testing"

	"github.com/derekg1729/dsnlint/pkg/findings"
	"github.com/derekg1729/dsnlint/pkg/internal/source"
	"github.com/derekg1729/dsnlint/pkg/manifest"
	"github.com/derekg1729/dsnlint/pkg/rules"
)

// onLine places a finding in a file of one line, with its name where the line has it.
func onLine(line string, f rules.Finding) (rules.Finding, *source.Index) {
	index := source.NewIndex([]byte(line))
	if at := strings.Index(line, f.Variable); at >= 0 {
		f.NamePosition.File = f.Position.File
		f.NamePosition.Line, f.NamePosition.Column = index.Place(at)
	}
	all := []rules.Finding{f}
	findings.Locate(all, func(string) *source.Index { return index })
	return all[0], index
}

func TestLines(t *testing.T) {
	known := manifest.Expr{{Literal: manifest.Known("hunter2")}}
	ref := manifest.Expr{{Ref: &manifest.Ref{Name: "A", Kind: manifest.RefVariable}}}
	for _, test := range []struct {
		line     string
		dialect  *manifest.Dialect
		expr     manifest.Expr
		position manifest.Position
		shown    string
		mark     string
	}{
		{"X: hunter2", braces, known, at("f", 1, 1, 2), "X: ***", "^"},
		{"X: hunter2", braces, known, at("f", 1, 1, 11), "X: ***", "^~~~~~"},
		{`    "X": hunter2 # hunter2`, braces, known, at("f", 1, 5, 8), "    X: ***", "    ^"},
		{"X: hunter2", braces, known, manifest.Position{File: "f", Line: 1, Column: 1, EndLine: 2, EndColumn: 3}, "X: ***", "^~~~~~"},
		{"X: hunter2", braces, known, manifest.Position{File: "f", Line: 1}, "X: ***", ""},
		{"Key=X=hunter2", assigned, known, at("f", 1, 5, 14), "Key=X=***", "    ^~~~~"},
		{`Key="X=hunter2"`, assigned, known, at("f", 1, 5, 16), "Key=X=***", "    ^~~~~"},
		{"Key=B=hunter2 X=hunter2", assigned, known, at("f", 1, 15, 24), "*** X=***", "    ^~~~~"},
		{"Key=B=hunter2 X", assigned, ref, at("f", 1, 15, 16), "*** X", "    ^"},
		{"Key=A,kind=plain,to=X", assigned, ref, at("f", 1, 5, 22), "Key=A,kind=plain,to=X", "    ^~~~~~~~~~~~~~~~~"},
		{"Key=hunter2,kind=plain,to=X", assigned, nil, at("f", 1, 5, 28), "Key=*** X", "    ^~~~~"},
		{"Key=hunter2 $A", assigned, ref, at("f", 1, 13, 15), "Key=${A}", "    ^~~~"},
		{"Key=plain", assigned, nil, at("f", 1, 1, 10), "Key=plain", "^~~~~~~~~"},
		{"hunter2=plain", assigned, nil, at("f", 1, 1, 14), "", ""},
		{"X: $A", braces, ref, at("f", 1, 1, 2), "X: ${A}", "^"},
		{"\t- X=hunter2", braces, known, at("f", 1, 4, 13), "    - X=***", "      ^~~~~"},
		{`  - "X=hunter2"`, braces, known, at("f", 1, 5, 16), "  - X=***", "    ^~~~~"},
		{"  - X", braces, ref, at("f", 1, 5, 6), "  - X", "    ^"},
		{"export X=hunter2", braces, known, at("f", 1, 8, 9), "X=***", "^"},
		{"  - name: X", parentheses, ref, at("f", 1, 5, 12), "  - name: X", "    ^~~~~~~"},
		{"  - {name: X, value: hunter2}", parentheses, known, at("f", 1, 5, 29), "  - name: X", "    ^~~~~~~"},
		{"  environment: {B: hunter2, X: hunter2}", braces, known, at("f", 1, 29, 30), "  *** X: ***", "      ^"},
		{"  hunter2: hunter2", braces, known, at("f", 1, 3, 10), "", ""},
		{"  - hunter2", braces, known, at("f", 1, 5, 12), "  - ***", "    ^~~"},
		{"  - secretRef: {name: hunter2}", parentheses, nil, at("f", 1, 5, 30), "  - secretRef: ***", "    ^~~~~~~~~~~~~~"},
		{"  - secretRef:", parentheses, nil, at("f", 1, 5, 15), "  - secretRef:", "    ^~~~~~~~~"},
		{"  restart: always", braces, nil, at("f", 1, 3, 10), "  restart: always", "  ^~~~~~~"},
		{"  command: hunter2", braces, known, at("f", 1, 3, 10), "  command: ***", "  ^~~~~~~"},
		{"  app:", braces, nil, at("f", 1, 3, 6), "  app:", "  ^~~"},
		{strings.Repeat(" ", 100) + "X: a", braces, known, at("f", 1, 101, 102), "", ""},
	} {
		f, index := onLine(test.line, rules.Finding{
			Variable: "X", Expr: test.expr, Position: test.position, Container: &manifest.Container{Name: "app", Dialect: test.dialect},
		})
		l, ok := lineOf(&f, index)
		mark := ""
		if ok {
			mark = l.mark(test.position)
		}
		if l.text() != test.shown || mark != test.mark {
			t.Errorf("%q at %s gives\n%s\n%s\nwant\n%s\n%s", test.line, test.position, l.text(), mark, test.shown, test.mark)
		}
	}
}

// TestLinesShowNoSecret draws secrets through the forms that an entry can have,
// and looks for any six characters of them.
func TestLinesShowNoSecret(t *testing.T) {
	const signs = `abcXYZ0189@:/?#%&=+-_.,;$(){}[]"' \!*|<>~`
	random := rand.New(rand.NewSource(1))
	draw := func(n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = signs[random.Intn(len(signs))]
		}
		return string(b)
	}
	for range 20_000 {
		secret := draw(6 + random.Intn(20))
		var expr, text = manifest.Expr{}, ""
		add := func(literal string) {
			expr = append(expr, manifest.Part{Literal: manifest.Known(literal)})
			text += literal
		}
		for _, piece := range []string{"", "postgresql://u:", "postgresql://h:5432/d?password="}[random.Intn(3):][:1] {
			add(piece)
		}
		add(secret)
		if random.Intn(2) == 0 {
			name := "A"
			expr = append(expr, manifest.Part{Ref: &manifest.Ref{Name: name, Default: manifest.Literal(secret)}})
			text += "${A:-" + secret + "}"
		}
		add([]string{"", "@postgres:5432/db", "@h/db?sslmode=disable", " "}[random.Intn(4)])
		line := []string{"Key=X=%s", "Key=%s X", "Key=%s,to=X", "Key=%s", "  X: %s", "  - X=%s", "  - name: X # %s", "  - %s", "  command: [%s]", "  %s: X", `  "X": "%s"`}[random.Intn(11)]
		line = strings.ReplaceAll(line, "%s", text)
		dialect := []*manifest.Dialect{braces, parentheses, assigned}[random.Intn(3)]
		f, index := onLine(line, rules.Finding{Variable: "X", Expr: expr, Position: at("f", 1, random.Intn(8), 30), Container: &manifest.Container{Name: "app", Dialect: dialect}})
		var lines Lines
		lines.Add([]rules.Finding{f}, func(string) *source.Index { return index })
		shown := lines.Show("f", line) + "\n" + lines.Show("f", line+" ")
		for range 2 {
			made, _ := lineOf(&f, index)
			shown += "\n" + made.text()
			f.NamePosition = manifest.Position{}
		}
		for i := range len(secret) - 5 {
			if strings.Contains(shown, secret[i:i+6]) && !strings.Contains("@postgres:5432/db@h/db", secret[i:i+6]) {
				t.Fatalf("%d characters of a secret in case %d are shown", 6, i)
			}
		}
	}
}

func TestSecretsThatComeTheSameWay(t *testing.T) {
	r := someReport()
	f := &r.Findings[2]
	f.Provenance[0] = f.Provenance[1]
	r.Findings, r.Problems = r.Findings[2:3], nil
	golden(t, "sameway.txt", []byte(rendered(t, "text", r)))
}

func TestLinesThatAreNotShown(t *testing.T) {
	r := someReport()
	r.Findings, r.Problems = r.Findings[:1], nil
	for name, source := range map[string]func(string) ([]byte, error){
		"none":     nil,
		"missing":  sourceOf(nil),
		"short":    sourceOf(map[string]string{"deploy/compose.yml": "one line"}),
		"too long": sourceOf(map[string]string{"deploy/compose.yml": "\n\n\n" + strings.Repeat("POSTGRES_ROOT_PASSWORD: hunter2 ", 100)}),
	} {
		r.Source = source
		if text := rendered(t, "text", r); strings.Contains(text, " | ") || !strings.Contains(text, "via: ") {
			t.Errorf("%s: %s", name, text)
		}
	}
}
