package source_test

import (
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"github.com/derekg1729/dsnlint/pkg/internal/source"
)

func TestYAMLComments(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"behind a value":           {"a: b # one\n", []string{" one"}},
		"on a line of its own":     {"# one\na:\n  # two\n  - b\n", []string{" one", " two"}},
		"behind a key":             {"a: # one\n  b: c\n", []string{" one"}},
		"no blank before":          {"a: b#no\n", nil},
		"in double quotes":         {"a: \"b # no\\\" # no\" # one\n", []string{" one"}},
		"in single quotes":         {"a: 'it''s # no' # one\n", []string{" one"}},
		"in quotes of many lines":  {"a: \"b\n  # no\n  c\" # one\n", []string{" one"}},
		"a quote in a plain text":  {"a: it's # one\nb: c's # two\n", []string{" one", " two"}},
		"in a block scalar":        {"a: |\n  # no\n\n  b # no\n# one\nb: >-\n    # no\n  # two\n", []string{" one", " two"}},
		"behind a block header":    {"a: |- # one\n  # no\n", []string{" one"}},
		"in a list's block":        {"- |\n # no\n- a: |\n    # no\n  b: c # one\n", []string{" one"}},
		"in a block with a digit":  {"a:\n  - |2\n      # no\n    # no\n  # one\n", []string{" one"}},
		"below a key in quotes":    {"\"a\": |\n # no\n# one\n", []string{" one"}},
		"in a block of a document": {"--- |\n # no\n--- # one\na: b\n", []string{" one"}},
		"in flow":                  {"a: [b, # one\n  'c # no', d#no] # two\n", []string{" one", " two"}},
		"JSON":                     {"{\"a\":\"b # no\",\"c\":[\"# no\"]}\n", nil},
		"goes on":                  {"a: b\n  \"c # one\n  | # two\nd: e # three\n", []string{" one", " two", " three"}},
		"a tag and an anchor":      {"a: !!str &x \"# no\" # one\nb: *x # two\n", []string{" one", " two"}},
		"Windows":                  {"a: b # one\r\n", []string{" one"}},
		"a byte order mark":        {"\ufeff# one\na: b\n", []string{" one"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, c := range source.YAML.Comments(c.text) {
				got = append(got, c.Text)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// FuzzYAMLComments holds the scanner against the YAML library: to empty a comment
// changes no value.
func FuzzYAMLComments(f *testing.F) {
	for _, seed := range []string{
		"a: b # c\n", "a: |\n  # b\n# c\n", "a: 'b # c' # d\n", "a: \"b\n # c\" # d\n", "[a, # b\n c]\n", "- - a: |2\n      # b\n    # c\n",
		"a: b\n  \"c # d\n", "a: >+1\n  # b\n # c\n", "? |\n # a\n: # b\n  # c\n", "--- |\n# a\n...\n# b\n", "&a a: |\n # b\n", "a: &x\n  |\n  # b\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		// Other line breaks than those of editors are the library's alone.
		if strings.ContainsAny(text, "\r\u0085\u2028\u2029\x00") {
			return
		}
		before, err := source.ParseYAML("f.yaml", []byte(text))
		if err != nil {
			return
		}
		var b strings.Builder
		end := 0
		for _, c := range source.YAML.Comments(text) {
			b.WriteString(text[end:c.Start] + "#")
			end = c.End
		}
		cut := []byte(b.String() + text[end:])
		after, err := source.ParseYAML("f.yaml", cut)
		if err != nil {
			t.Fatalf("%q is no YAML without its comments", text)
		}
		if !slices.Equal(values(before), values(after)) {
			t.Errorf("%q has other values without its comments", text)
		}
	})
}

// values lists the kinds and values of all nodes.
func values(docs []*yaml.Node) []string {
	var all []string
	for _, doc := range docs {
		all = append(all, string(rune('0'+doc.Kind))+doc.Value)
		all = append(all, values(doc.Content)...)
	}
	return all
}
