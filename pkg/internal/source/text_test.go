package source

import (
	"testing"
)

func TestTextStart(t *testing.T) {
	const unknown = "?"
	for name, test := range map[string]struct {
		in string
		// want is what the file has where the text begins, if that is known.
		want string
	}{
		"plain":               {"a: run it", "run it"},
		"double quotes":       {`a: "run it"`, `run it"`},
		"single quotes":       {`a: 'run it'`, `run it'`},
		"beyond ASCII":        {`{ö: "é run"}`, `é run"}`},
		"literal":             {"a: |\n  run\n    it\n", "run"},
		"literal, CRLF":       {"a: |\r\n  run\r\n  it\r\n", "run"},
		"a blank line first":  {"a: |\n\n  run\n", ""},
		"a level of its own":  {"a: |2\n    run\n  it\n", "  run"},
		"folded":              {"a: >\n  run\n  it\n", unknown},
		"an escape":           {`a: "run\tit"`, unknown},
		"a doubled quote":     {`a: 'it''s'`, unknown},
		"plain on two lines":  {"a: run\n  it", unknown},
		"quoted on two lines": {"a: \"run\n\n  it\"", unknown},
		"nothing":             {"a: ''", unknown},
	} {
		t.Run(name, func(t *testing.T) {
			docs, err := ParseYAML("f.yaml", []byte(test.in))
			if err != nil {
				t.Fatal(err)
			}
			node := docs[0].Content[0].Content[1]
			index := NewIndex([]byte(test.in))
			start, ok := index.TextStart(node, NodePosition("f.yaml", node))
			if ok != (test.want != unknown) {
				t.Fatalf("ok is %v", ok)
			}
			got := ""
			if at, found := index.Offset(start.Line, start.Column); ok && found {
				got = index.Line(start.Line)[at-index.Start(start.Line):]
			}
			if ok && got != test.want {
				t.Errorf("got %s", start)
			}
			if _, ok := (*Index)(nil).TextStart(node, start); ok {
				t.Error("found without a file")
			}
		})
	}
}
