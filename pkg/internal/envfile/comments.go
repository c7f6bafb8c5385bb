package envfile

import "github.com/derekg1729/dsnlint/pkg/internal/source"

// Dotenv is the syntax that [Parse] reads, and Raw the one that [ParseRaw] reads.
var (
	Dotenv = &source.Syntax{Comments: func(text string) []source.Comment {
		p := newParser("", []byte(text))
		for p.skipToStatement() {
			if _, err := p.statement(); err != nil {
				break
			}
		}
		return p.comments
	}}
	Raw = &source.Syntax{Comments: func(text string) []source.Comment { return source.LineComments(text, "#") }}
)
