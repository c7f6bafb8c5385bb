package source

import (
	"path"
	"regexp"
	"slices"
	"strings"
)

// Comment is a comment of a file.
type Comment struct {
	// Start and End are the bytes that it takes up, its marks included.
	Start, End int
	// Text is what it says, without its marks.
	Text string
}

// Syntax is what a file is written in, as far as comments go. Syntaxes are compared by
// pointer.
type Syntax struct {
	// Comments finds the comments of a text, in order.
	Comments func(text string) []Comment
}

// As records that a file is read as one of a syntax.
func (t *Tree) As(name string, s *Syntax) {
	name = path.Clean(name)
	t.mu.Lock()
	defer t.mu.Unlock()
	if !slices.Contains(t.syntaxes[name], s) {
		t.syntaxes[name] = append(t.syntaxes[name], s)
	}
}

// IsReadAs reports whether a file is read as one of a syntax.
func (t *Tree) IsReadAs(name string, s *Syntax) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Contains(t.syntaxes[path.Clean(name)], s)
}

// ReadAs returns the content of a file that is read as one of a syntax.
func (t *Tree) ReadAs(name string, s *Syntax) ([]byte, error) {
	t.As(name, s)
	return t.Read(name)
}

// Comments returns the comments of a text that is the content of a file, now or at
// another time. They are those of the syntax that the file is read in: there are none in
// one that is merely handed on, and in one that is read in several syntaxes only those
// that are comments in each.
func (t *Tree) Comments(name string, data []byte) []Comment {
	t.mu.Lock()
	syntaxes := slices.Clone(t.syntaxes[path.Clean(name)])
	t.mu.Unlock()
	var comments []Comment
	for i, s := range syntaxes {
		found := s.Comments(string(data))
		if i == 0 {
			comments = found
			continue
		}
		starts := make(map[int]bool, len(found))
		for _, c := range found {
			starts[c.Start] = true
		}
		comments = slices.DeleteFunc(comments, func(c Comment) bool { return !starts[c.Start] })
	}
	return comments
}

// LineComments finds the lines that begin with one of the marks, white space aside.
func LineComments(text, marks string) []Comment {
	var comments []Comment
	start := 0
	for line := range strings.Lines(text) {
		content := strings.TrimRight(line, "\r\n")
		trimmed := strings.TrimLeft(strings.TrimPrefix(content, byteOrderMark), " \t")
		if trimmed != "" && strings.IndexByte(marks, trimmed[0]) >= 0 {
			end := start + len(content)
			comments = append(comments, Comment{end - len(trimmed), end, trimmed[1:]})
		}
		start += len(line)
	}
	return comments
}

const byteOrderMark = "\ufeff"

// YAML is the syntax of YAML and JSON files.
var YAML = &Syntax{Comments: func(text string) []Comment {
	s := yamlScanner{parent: -1}
	start := 0
	for line := range strings.Lines(text) {
		content := strings.TrimRight(line, "\r\n")
		begin := 0
		if start == 0 && strings.HasPrefix(content, byteOrderMark) {
			begin = len(byteOrderMark)
		}
		if at := s.line(content, begin); at >= 0 {
			s.comments = append(s.comments, Comment{start + at, start + len(content), content[at+1:]})
		}
		start += len(line)
	}
	return s.comments
}}

// yamlScanner finds comments in YAML line by line. The nodes of the YAML library do
// not tell where a comment is, and there are none for a file that cannot be parsed. It
// only has to know where a quoted or a block scalar begins and ends, since a plain one
// ends before a comment.
//
// Where it is wrong about a text that is hardly YAML, it takes a comment for none.
type yamlScanner struct {
	comments []Comment
	// quote is that of the scalar that the line begins in, and flow how many brackets
	// are open.
	quote byte
	flow  int
	// parent is the column of the key or list item that a value belongs to.
	parent int
	// plain is set where the last line ended in a plain scalar, which may go on.
	plain bool
	// block is set within a block scalar, and indent is that of its lines; -1 until the
	// first of them.
	block  bool
	indent int

	// text is the line, and at where the scanner is in it. Node is where the anchor or
	// tag of the next scalar begins, or -1.
	text     string
	at, node int
}

var (
	blockHeader    = regexp.MustCompile(`^[|>](?:[-+]?([1-9])[-+]?|[-+]?)(?:\s+(#.*)|\s*)$`)
	documentMarker = regexp.MustCompile(`^(?:---|\.\.\.)(?: |$)`)
)

// line returns where the comment of a line begins, or -1.
func (s *yamlScanner) line(line string, at int) int {
	s.text, s.at, s.node = line, at, -1
	content := strings.TrimLeft(line[at:], " ")
	indent, blank := len(line)-len(content), strings.TrimSpace(content) == ""
	if s.inBlock(indent, blank) {
		return -1
	}
	if s.flow == 0 && documentMarker.MatchString(line[at:]) {
		s.quote, s.plain, s.parent = 0, false, -1
		s.at += len("---")
	}
	if s.quote != 0 {
		s.quoted()
	}
	if s.plain && !blank {
		s.plain = false
		if content[0] != '#' && (s.flow > 0 || indent > s.parent) {
			s.at = indent
			s.plainScalar()
		}
	}
	for s.at < len(line) {
		switch c := line[s.at]; {
		case isBlank(c):
			s.at++
		case c == '#':
			if s.at == indent || isBlank(line[s.at-1]) {
				return s.at
			}
			return -1
		case s.flow == 0 && (c == '|' || c == '>') && blockHeader.MatchString(line[s.at:]):
			return s.header()
		default:
			s.token(c)
		}
	}
	return -1
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

// inBlock reports whether a line is one of the block scalar.
func (s *yamlScanner) inBlock(indent int, blank bool) bool {
	if s.block && s.indent < 0 && !blank {
		s.indent = max(indent, s.parent+1)
	}
	s.block = s.block && (blank || indent >= s.indent)
	return s.block
}

// token passes an indicator or a scalar that is not a block.
func (s *yamlScanner) token(c byte) {
	spaced := s.at+1 == len(s.text) || isBlank(s.text[s.at+1])
	switch {
	case c == '"' || c == '\'':
		s.quote = c
		start := s.start()
		s.at++
		if s.quoted(); strings.HasPrefix(s.text[s.at:], ":") {
			s.key(start)
		}
	case s.flow == 0 && spaced && strings.IndexByte("-?:", c) >= 0:
		if c != ':' {
			s.parent = s.at
		}
		s.at++
	case strings.IndexByte("[{", c) >= 0:
		s.flow++
		s.at++
	case s.flow > 0 && strings.IndexByte("]},:", c) >= 0:
		if c == ']' || c == '}' {
			s.flow--
		}
		s.at++
	case strings.IndexByte("&!*", c) >= 0:
		s.node = s.start()
		if end := strings.IndexAny(s.text[s.at:], s.ends()+" \t"); end > 0 {
			s.at += end
		} else {
			s.at = len(s.text)
		}
	default:
		s.plainScalar()
	}
}

// ends are the characters that end a plain scalar.
func (s *yamlScanner) ends() string {
	if s.flow > 0 {
		return "[]{},"
	}
	return ""
}

// start returns where the node begins that the scanner is at.
func (s *yamlScanner) start() int {
	if s.node >= 0 {
		return s.node
	}
	return s.at
}

// key passes the colon of a key that begins at a column.
func (s *yamlScanner) key(start int) {
	if s.flow == 0 {
		s.parent = start
	}
	s.at++
}

// header reads the header of a block scalar, and returns where its comment begins.
func (s *yamlScanner) header() int {
	s.block, s.indent = true, -1
	m := blockHeader.FindStringSubmatchIndex(s.text[s.at:])
	if m[2] >= 0 {
		s.indent = max(s.parent, 0) + int(s.text[s.at+m[2]]-'0')
	}
	if m[4] >= 0 {
		return s.at + m[4]
	}
	return -1
}

// quoted passes what is left of a quoted scalar in the line.
func (s *yamlScanner) quoted() {
	s.node = -1
	for ; s.at < len(s.text); s.at++ {
		switch {
		case s.quote == '"' && s.text[s.at] == '\\':
			s.at++
		case s.text[s.at] != s.quote:
		case s.quote == '\'' && strings.HasPrefix(s.text[s.at+1:], "'"):
			s.at++
		default:
			s.quote = 0
			s.at++
			return
		}
	}
	s.at = len(s.text)
}

// plainScalar passes the part of a plain scalar in the line, and the colon behind it
// where it is a key.
func (s *yamlScanner) plainScalar() {
	node := s.start()
	s.node = -1
	for start := s.at; s.at < len(s.text); s.at++ {
		rest := s.text[s.at+1:]
		switch c := s.text[s.at]; {
		case c == '#' && s.at > start && isBlank(s.text[s.at-1]):
			return
		case c == ':' && (rest == "" || strings.IndexByte(s.ends()+" \t", rest[0]) >= 0):
			s.key(node)
			return
		case s.at > start && strings.IndexByte(s.ends(), c) >= 0:
			return
		}
	}
	s.plain = true
}
