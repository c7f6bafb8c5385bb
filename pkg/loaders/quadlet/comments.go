package quadlet

import "github.com/derekg1729/dsnlint/pkg/internal/source"

// syntax is that of unit files: a line that begins with a mark is a comment, even
// between two lines of one value, and what is behind a value is part of it.
var syntax = &source.Syntax{Comments: func(text string) []source.Comment { return source.LineComments(text, "#;") }}
