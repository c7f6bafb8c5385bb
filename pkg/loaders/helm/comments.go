package helm

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"github.com/derekg1729/dsnlint/pkg/internal/source"
)

// syntaxOf is that of a file of a chart; nil for one that templates may read, whatever
// it is.
func syntaxOf(rel string) *source.Syntax {
	dir := path.Base(path.Dir(rel))
	switch ext := path.Ext(rel); {
	case strings.HasPrefix(rel, "templates/") || strings.Contains(rel, "/templates/"):
		return templateSyntax
	case ext == ".yaml" && isPart(rel) || dir == "crds":
		return source.YAML
	}
	return nil
}

// templateSyntax is that of templates of YAML: a comment is one of the template
// language, or one of the text between its actions.
var templateSyntax = &source.Syntax{Comments: func(text string) []source.Comment {
	var comments []source.Comment
	var plain strings.Builder
	end := 0
	for {
		start := strings.Index(text[end:], "{{")
		if start < 0 {
			break
		}
		start += end
		a, ok := scanAction(text, start)
		if !ok {
			break // the parser says what is wrong
		}
		plain.WriteString(text[end:start] + fill(text, start, a.end))
		end = a.end
		if a.comment {
			_, said, _ := strings.Cut(text[start:end], "/*")
			said, _, _ = strings.Cut(said, "*/")
			comments = append(comments, source.Comment{Start: start, End: end, Text: said})
		}
	}
	plain.WriteString(text[end:])
	comments = append(comments, source.YAML.Comments(plain.String())...)
	slices.SortFunc(comments, func(a, b source.Comment) int { return cmp.Compare(a.Start, b.Start) })
	return comments
}}

// fill takes the place of an action: a word where it is in a line with others, and
// nothing where it has the line to itself. Line breaks stay.
func fill(text string, start, end int) string {
	filler := 'x'
	before := text[strings.LastIndexByte(text[:start], '\n')+1 : start]
	after, _, _ := strings.Cut(text[end:], "\n")
	if strings.TrimSpace(before) == "" && strings.TrimSpace(after) == "" {
		filler = ' '
	}
	filled := []byte(strings.Repeat(string(filler), end-start))
	for i := range filled {
		if text[start+i] == '\n' {
			filled[i] = '\n'
		}
	}
	return string(filled)
}
