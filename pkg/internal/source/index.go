package source

import (
	"bytes"
	"slices"
	"sort"
	"unicode/utf8"

	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// Index knows where the lines of a file begin and what stands in which column. It is
// the one place where lines and columns are turned into bytes, and the other way
// around: both take the same short time in any file.
type Index struct {
	data []byte
	// starts are where each line begins, and the end of the data. A byte order mark
	// is not part of the first line.
	starts []int
	// runes has for the beginning of each block how many code points come before it.
	runes []int
	// open is set where the last line has no end.
	open bool
	// exact is set where nobody counts the lines of the file in another way.
	exact bool
}

// block is how many bytes are counted through at most.
const block = 256

// NewIndex makes the Index of a file's content.
func NewIndex(data []byte) *Index {
	x := &Index{data: data, starts: []int{0}, exact: utf8.Valid(data) && !hasOtherBreaks(data)}
	if bytes.HasPrefix(data, []byte(byteOrderMark)) {
		x.starts[0] = len(byteOrderMark)
	}
	count := 0
	for i, c := range data {
		if i%block == 0 {
			x.runes = append(x.runes, count)
		}
		if utf8.RuneStart(c) {
			count++
		}
		if c == '\n' {
			x.starts = append(x.starts, i+1)
		}
	}
	x.runes = append(x.runes, count)
	if x.starts[len(x.starts)-1] < len(data) {
		x.starts, x.open = append(x.starts, len(data)), true
	}
	return x
}

// hasOtherBreaks reports whether a file has characters that end a line for YAML, and
// for editors and diffs do not.
func hasOtherBreaks(data []byte) bool {
	return bytes.Count(data, []byte("\r")) != bytes.Count(data, []byte("\r\n")) ||
		slices.ContainsFunc([]string{"\u0085", "\u2028", "\u2029"}, func(s string) bool { return bytes.Contains(data, []byte(s)) })
}

// Height is the number of lines.
func (x *Index) Height() int { return len(x.starts) - 1 }

// Start is the byte at which a line begins, which counts from one; the end of the
// data is where the line behind the last one does.
func (x *Index) Start(line int) int { return x.starts[line-1] }

// Line is a line without its end, and empty for one that is not there.
func (x *Index) Line(line int) string {
	if line < 1 || line > x.Height() {
		return ""
	}
	return string(x.line(line))
}

func (x *Index) line(line int) []byte {
	return bytes.TrimSuffix(bytes.TrimSuffix(x.data[x.starts[line-1]:x.starts[line]], []byte("\n")), []byte("\r"))
}

// Offset is the byte at a line and column; not ok where the file has no such place.
func (x *Index) Offset(line, column int) (at int, ok bool) {
	if line < 1 || line > len(x.starts) || line > x.Height() && x.open || column < 1 {
		return 0, false
	}
	start := x.starts[line-1]
	want := x.before(start) + column - 1
	// The last block with no more code points before it than that has the place in it.
	in := sort.Search(len(x.runes), func(i int) bool { return x.runes[i] > want }) - 1
	count := x.runes[in]
	for at = in * block; at < len(x.data) && (count < want || !utf8.RuneStart(x.data[at])); at++ {
		if utf8.RuneStart(x.data[at]) {
			count++
		}
	}
	end := start
	if line <= x.Height() {
		end += len(x.line(line))
	}
	return at, count == want && at <= end
}

// before counts the code points before a byte.
func (x *Index) before(at int) int {
	count := x.runes[at/block]
	for _, c := range x.data[at-at%block : at] {
		if utf8.RuneStart(c) {
			count++
		}
	}
	return count
}

// Place is the line and column of a byte.
func (x *Index) Place(at int) (line, column int) {
	at = max(at, x.starts[0])
	line = sort.SearchInts(x.starts, at+1)
	if at == len(x.data) && x.open {
		line--
	}
	return line, x.before(at) - x.before(x.starts[line-1]) + 1
}

// Range is the position of the bytes from start to end.
func (x *Index) Range(file string, start, end int) manifest.Position {
	p := manifest.Position{File: file, Bytes: manifest.Span{Start: start, End: end}}
	p.Line, p.Column = x.Place(start)
	p.EndLine, p.EndColumn = x.Place(end)
	return p
}

// Locate adds to a position the bytes that it covers, where the file has it.
func (x *Index) Locate(p manifest.Position) manifest.Position {
	start, ok := x.Offset(p.Line, p.Column)
	if !ok || !x.exact {
		return p
	}
	end, ok := x.Offset(p.EndLine, p.EndColumn)
	if !ok || end < start {
		end, p.EndLine, p.EndColumn = start, 0, 0
	}
	p.Bytes = manifest.Span{Start: start, End: end}
	return p
}

// Find is the position of a text that begins at a place or behind a quote there; zero
// where the file does not have it there.
func (x *Index) Find(p manifest.Position, text string) manifest.Position {
	at, ok := x.Offset(p.Line, p.Column)
	if !ok || text == "" {
		return manifest.Position{}
	}
	if rest := x.data[at:]; len(rest) > 0 && (rest[0] == '"' || rest[0] == '\'') {
		at++
	}
	if !bytes.HasPrefix(x.data[at:], []byte(text)) {
		return manifest.Position{}
	}
	return x.Range(p.File, at, at+len(text))
}
