package source

import (
	"strings"
	"testing"
)

func TestParseDocuments(t *testing.T) {
	const text = `%YAML 1.2
---
# only a comment
---
a: |
  ---
  text
--- # second
b: [
---
c: 1
c: 2
---
---
d: hunter2
...
---
{"e": 1}
`
	docs, problems := ParseDocuments("f.yaml", []byte(text))
	var got []string
	for _, doc := range docs {
		key := doc.Content[0].Content[0]
		got = append(got, key.Value)
		if line := strings.Split(text, "\n")[key.Line-1]; !strings.Contains(line, key.Value) {
			t.Errorf("key %s is in line %d: %q", key.Value, key.Line, line)
		}
	}
	if strings.Join(got, " ") != "a d e" {
		t.Errorf("got documents %v, want a d e", got)
	}
	if len(problems) != 2 || problems[0].Position.Line < 9 || problems[0].Position.Line > 10 || problems[1].Position.Line != 12 {
		t.Errorf("got problems %v", problems)
	}
}

func FuzzParseDocuments(f *testing.F) {
	f.Add([]byte("a: 1\n---\nb: [\n---\nc: 1\n"))
	f.Add([]byte("\n---\n---x\n--- |\n  x\n...\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		docs, problems := ParseDocuments("f", data)
		lines := strings.Count(string(data), "\n") + strings.Count(string(data), "\r") + 2
		for _, doc := range docs {
			if doc.Line < 1 || doc.Line > lines {
				t.Fatalf("a document in line %d of %d", doc.Line, lines)
			}
		}
		for _, p := range problems {
			if p.Position.File != "f" {
				t.Fatal("a problem without its file")
			}
		}
	})
}
