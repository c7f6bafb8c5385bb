package source

import (
	"bytes"
	"errors"
	"slices"

	"go.yaml.in/yaml/v4"

	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// ParseDocuments is [ParseYAML] for a file of documents that stand for
// themselves, such as Kubernetes objects: each is parsed alone, so that a broken
// one hides none of the others. Empty documents are left out.
//
// A line that begins with three dashes separates documents wherever it stands,
// since YAML allows it inside no scalar: https://yaml.org/spec/1.2.2/#914-explicit-documents.
func ParseDocuments(name string, data []byte) ([]*yaml.Node, []*manifest.Problem) {
	var docs []*yaml.Node
	var problems []*manifest.Problem
	line := 0
	for len(data) > 0 {
		chunk := data[:documentEnd(data)]
		data = data[len(chunk):]
		if !blank(chunk) {
			parsed, _, err := parseYAML(name, chunk, line, nil)
			docs = append(docs, slices.DeleteFunc(parsed, isEmpty)...)
			if p := (*manifest.Problem)(nil); errors.As(err, &p) {
				problems = append(problems, p)
			}
		}
		line += bytes.Count(chunk, []byte("\n"))
	}
	return docs, problems
}

func isEmpty(doc *yaml.Node) bool {
	return len(doc.Content) == 0 || doc.Content[0].ShortTag() == "!!null"
}

// documentEnd is where the next document begins: at a separator that is not in
// the first line.
func documentEnd(data []byte) int {
	for at := 0; ; {
		next := bytes.Index(data[at:], []byte("\n---"))
		if next < 0 {
			return len(data)
		}
		at += next + 1
		rest := data[at+3:]
		if len(rest) == 0 || bytes.IndexByte([]byte(" \t\r\n"), rest[0]) >= 0 {
			return at
		}
	}
}

// blank reports whether a text has nothing but comments, directives and markers.
func blank(chunk []byte) bool {
	for line := range bytes.Lines(chunk) {
		line = bytes.TrimSpace(line)
		if len(line) > 0 && line[0] != '#' && line[0] != '%' && !bytes.Equal(line, []byte("---")) && !bytes.Equal(line, []byte("...")) {
			return false
		}
	}
	return true
}

// shift moves a document down by a number of lines.
func shift(node *yaml.Node, lines int) {
	if lines == 0 {
		return
	}
	node.Line += lines
	for _, child := range node.Content {
		shift(child, lines)
	}
}
