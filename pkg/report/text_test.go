package report

import (
	"math/rand"
	"strings"
	"testing"

	"github.com/derekg1729/dsnlint/pkg/manifest"
	"github.com/derekg1729/dsnlint/pkg/rules"
)

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
		f := rules.Finding{Variable: "X", Expr: test.expr, Position: test.position, Container: &manifest.Container{Name: "app", Dialect: test.dialect}}
		l, ok := entryLine(&f, test.line)
		if !ok {
			l, ok = fieldLine(test.dialect, &f, test.line)
		}
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
		line := []string{"  X: %s", "  - X=%s", "  - name: X # %s", "  - %s", "  command: [%s]", "  %s: X", `  "X": "%s"`}[random.Intn(7)]
		line = strings.ReplaceAll(line, "%s", text)
		dialect := []*manifest.Dialect{braces, parentheses}[random.Intn(2)]
		f := rules.Finding{Variable: "X", Expr: expr, Position: at("f", 1, random.Intn(8), 30), Container: &manifest.Container{Name: "app", Dialect: dialect}}
		shown := Lines("f", []rules.Finding{f})(1, line)
		entry, _ := entryLine(&f, line)
		field, _ := fieldLine(dialect, &f, line)
		shown += "\n" + entry.text() + "\n" + field.text()
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
