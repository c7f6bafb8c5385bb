package quadlet

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// show writes what was parsed as one line for each assignment, header and error.
func show(data string) []string {
	entries, problems := parse("u", []byte(data))
	var lines []string
	for _, e := range entries {
		lines = append(lines, fmt.Sprintf("%d:%d [%s]%s=%s", e.position.Line, e.position.Column, e.section, e.key, e.value.content))
	}
	for _, p := range problems {
		lines = append(lines, fmt.Sprintf("%d:%d invalid", p.Position.Line, p.Position.Column))
	}
	return lines
}

func TestParse(t *testing.T) {
	for name, test := range map[string]struct {
		data string
		want []string
	}{
		"white space":                   {" [A] \n  K  =  v w \n\tL=\r\n", []string{"1:2 [A]=", "2:3 [A]K=v w", "3:2 [A]L="}},
		"comments":                      {"[A]\n#K=v\n  ;K=v\nK=# v\n", []string{"1:1 [A]=", "4:1 [A]K=# v"}},
		"a continued line":              {"[A]\nK=a \\\n  b\\ \nc\nL=x", []string{"1:1 [A]=", "2:1 [A]K=a bc", "5:1 [A]L=x"}},
		"comments in a continued line":  {"[A]\nK=a \\\n# no \\\n\n; no\nb\n", []string{"1:1 [A]=", "2:1 [A]K=a b"}},
		"a continued line at the end":   {"[A]\nK=a \\", []string{"1:1 [A]=", "2:1 [A]K=a "}},
		"a comment after the last line": {"[A]\nK=a \\\n# no", []string{"1:1 [A]=", "2:1 [A]K=a "}},
		"a section twice":               {"[A]\nK=1\n[B]\nK=2\n[A]\nK=3", []string{"1:1 [A]=", "2:1 [A]K=1", "3:1 [B]=", "4:1 [B]K=2", "5:1 [A]=", "6:1 [A]K=3"}},
		"a byte order mark":             {"\ufeff[A]\nK=1", []string{"1:1 [A]=", "2:1 [A]K=1"}},
		"invalid lines":                 {"K=1\n[A]\nword\n=v\n[A\n[]\nK=2", []string{"2:1 [A]=", "7:1 [A]K=2", "1:1 invalid", "3:1 invalid", "4:1 invalid", "5:1 invalid", "6:1 invalid"}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, show(test.data)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWords(t *testing.T) {
	for value, want := range map[string][]string{
		`A=1 B=2`:                     {"3 A=1", "7 B=2"},
		`  "A=1 2"	B='3 4' `:          {"5 A=1 2", "13 B=3 4"},
		`A="1"'2'3`:                   {"3 A=123"},
		`A="it's" B='say "x"'`:        {"3 A=it's", "12 B=say \"x\""},
		`A=\x41\u00e9\U0001f600\101B`: {"3 A=Aé\U0001f600AB"},
		`A=1\s2 B=\"\'\\.`:            {"3 A=1 2", `10 B="'\.`},
		`A="open B=2`:                 {"3 A=open B=2"},
		`A=1\`:                        {"3 A=1"},
		"ä=1 B=2":                     {"3 ä=1", "7 B=2"},
		`"" A=1`:                      {"6 A=1"},
		`A=\d`:                        {`3 A=\d`, "5 bad"},
	} {
		entries, _ := parse("u", []byte("[S]\nK="+value))
		words, bad := entries[1].value.words()
		var got []string
		for _, w := range words {
			got = append(got, fmt.Sprintf("%d %s", w.position().Column, w.text))
		}
		for _, p := range bad {
			got = append(got, fmt.Sprintf("%d bad", p.Column))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", value, diff)
		}
	}
}

func TestExpand(t *testing.T) {
	for text, want := range map[string]string{
		"plain": "plain", "": "", "100%": "100%", "p%40ss%2f": "p%40ss%2f", "%%h": "%h", "%h/x": "<%h>/x", "%C3%A9": "<%C>3<%A>9",
		"$$X": "$X", "$${X}": "${X}", "${X}": "<X>", "a${X}b": "a<X>b", "$X": "<X>", "a$X": "a$X", "$X-": "$X-", "${X:-d}": "", "${X": "${X", "$$": "$",
	} {
		got := ""
		for _, part := range expand(text, func(name string) *manifest.Ref { return &manifest.Ref{Name: name} }) {
			literal, _ := part.Literal.Reveal()
			if part.Ref != nil {
				literal = "<" + part.Ref.Name + ">"
			}
			got += literal
		}
		if got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

// FuzzParse parses any text: each position lies in the file, and what is written as it
// is stands there.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"[Container]\nEnvironment=A=1 \"B=2 3\" \\\n# x\n  C='4'\\\n5\n", "[A]\nK=\\x41 \\", "\ufeff [A]\r\nä = ö ü\n;\n=\n", "[A]\nK=a\\\n\\\nb",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data string) {
		lines := strings.Split(strings.TrimPrefix(data, "\ufeff"), "\n")
		check := func(p manifest.Position) string {
			if p.Line < 1 || p.EndLine > len(lines) || p.EndLine < p.Line || p.Line == p.EndLine && p.EndColumn < p.Column {
				t.Fatalf("position %+v in %d lines", p, len(lines))
			}
			line := []rune(lines[p.Line-1])
			if p.Column < 1 || p.Column > len(line)+1 {
				t.Fatalf("position %+v in a line of %d characters", p, len(line))
			}
			return string(line[p.Column-1:])
		}
		entries, problems := parse("u", []byte(data))
		for _, p := range problems {
			check(p.Position)
		}
		for _, e := range entries {
			if utf8.ValidString(data) && !strings.Contains(data, "\\") && !strings.HasPrefix(check(e.position), e.key) {
				t.Fatalf("key %q is not at %+v", e.key, e.position)
			}
			if e.key == "" {
				continue
			}
			check(e.value.whole())
			words, bad := e.value.words()
			for _, w := range words {
				check(w.position())
				if w.exact && utf8.ValidString(data) && !strings.HasPrefix(check(w.behind(0)), w.text) {
					t.Fatalf("word %q is not at %+v", w.text, w.behind(0))
				}
			}
			for _, p := range bad {
				check(p)
			}
		}
	})
}
