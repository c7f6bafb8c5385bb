package shell

import (
	"cmp"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	files "github.com/derekg1729/dsnlint/pkg/internal/source"
)

// Script is the syntax of shell scripts.
var Script = &files.Syntax{Comments: comments}

// comments finds the comments of a script, up to where it cannot be parsed.
func comments(text string) []files.Comment {
	variants := variantsOf(cmp.Or(interpreterOf(text), "bash"))
	if len(variants) == 0 || len(text) > maxScript || nesting(text) > maxNesting {
		return nil
	}
	file, err := syntax.NewParser(syntax.KeepComments(true), syntax.Variant(variants[0])).Parse(strings.NewReader(text), "")
	if file == nil && err != nil {
		return nil
	}
	var found []files.Comment
	syntax.Walk(file, func(node syntax.Node) bool {
		if c, ok := node.(*syntax.Comment); ok {
			found = append(found, files.Comment{Start: int(c.Pos().Offset()), End: int(c.End().Offset()), Text: c.Text})
		}
		return true
	})
	slices.SortFunc(found, func(a, b files.Comment) int { return cmp.Compare(a.Start, b.Start) })
	return slices.CompactFunc(found, func(a, b files.Comment) bool { return a.Start == b.Start })
}
