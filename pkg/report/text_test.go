package report

import (
	"strings"
	"testing"

	"github.com/derekg1729/dsnlint/pkg/manifest"
)

func TestMark(t *testing.T) {
	tests := []struct {
		line     string
		position manifest.Position
		shown    string
		mark     string
	}{
		{"X: hunter2", at("f", 1, 1, 2), "X: ***", "^"},
		{"X: hunter2", at("f", 1, 4, 11), "X: ***", "   ^~~"},
		{"X: hunter2", at("f", 1, 1, 11), "X: ***", "^~~~~~"},
		{"X: hunter2", manifest.Position{File: "f", Line: 1, Column: 1, EndLine: 2, EndColumn: 3}, "X: ***", "^~~~~~"},
		{"X: hunter2", manifest.Position{File: "f", Line: 1, Column: 1}, "X: ***", "^"},
		{"X: hunter2", manifest.Position{File: "f", Line: 1}, "X: ***", ""},
		{"X: hunter2", at("f", 1, 40, 50), "X: ***", ""},
		{"\t- X=a", at("f", 1, 4, 5), "    - X=***", "      ^"},
		{`{"名": a, X: b}`, at("f", 1, 10, 11), `{"名": ***, X: ***}`, "            ^"},
	}
	n := testNames(manifest.Compose)
	n.variables["名"] = true
	for _, test := range tests {
		shown, mark := render(redact(test.line, n), test.position)
		if shown != test.shown || mark != test.mark {
			t.Errorf("%q at %s gives\n%s\n%s\nwant\n%s\n%s", test.line, test.position, shown, mark, test.shown, test.mark)
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
