package source

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// FuzzIndex holds offsets against counting through the file, and lines against
// columns both ways.
func FuzzIndex(f *testing.F) {
	for _, text := range []string{
		"", "a", "a\n", "\n\n", "a: b\r\nc: d", "\ufeffä: 1\nb: 2\n", "日本\n\tx", "a\rb\n", "a\u2028b\n",
		strings.Repeat("x", block) + "\ny", strings.Repeat("ä", block) + "x\n" + strings.Repeat("日", block+1),
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) {
			return
		}
		x := NewIndex([]byte(text))
		start := 0
		if strings.HasPrefix(text, "\ufeff") {
			start = len("\ufeff")
		}
		line, column := 1, 1
		for at, r := range text {
			if at < start {
				continue
			}
			if l, c := x.Place(at); l != line || c != column {
				t.Fatalf("%q: byte %d is at %d:%d, want %d:%d", text, at, l, c, line, column)
			}
			if got, ok := x.Offset(line, column); r != '\r' && r != '\n' && (!ok || got != at) {
				t.Fatalf("%q: %d:%d is at %d, %v, want %d", text, line, column, got, ok, at)
			}
			if column++; r == '\n' {
				line, column = line+1, 1
			}
		}
		if l, c := x.Place(len(text)); l != line || c != column {
			t.Fatalf("%q ends at %d:%d, want %d:%d", text, l, c, line, column)
		}
		if _, ok := x.Offset(line+2, 1); ok {
			t.Fatalf("%q has more lines than %d", text, line)
		}
	})
}

func TestLocate(t *testing.T) {
	span := func(start, end int) manifest.Span { return manifest.Span{Start: start, End: end} }
	at := func(line, column, endLine, endColumn int, bytes manifest.Span) manifest.Position {
		return manifest.Position{File: "f", Line: line, Column: column, EndLine: endLine, EndColumn: endColumn, Bytes: bytes}
	}
	for _, test := range []struct {
		name, text string
		in, want   manifest.Position
	}{
		{"one line", "ä: b\nc: d\n", at(2, 4, 2, 5, span(0, 0)), at(2, 4, 2, 5, span(9, 10))},
		{"behind a byte order mark", "\ufeffa: b\n", at(1, 1, 1, 2, span(0, 0)), at(1, 1, 1, 2, span(3, 4))},
		{"no end", "a:\n  b: c\n", at(2, 3, 0, 0, span(0, 0)), at(2, 3, 0, 0, span(5, 5))},
		{"an end that is not there", "a: b\n", at(1, 4, 1, 9, span(0, 0)), at(1, 4, 0, 0, span(3, 3))},
		{"a line that is not there", "a: b\n", at(9, 1, 9, 2, span(0, 0)), at(9, 1, 9, 2, span(0, 0))},
		{"lines that others count in another way", "a\rb: c\n", at(1, 1, 1, 2, span(0, 0)), at(1, 1, 1, 2, span(0, 0))},
	} {
		if got := NewIndex([]byte(test.text)).Locate(test.in); got != test.want {
			t.Errorf("%s: got %+v, want %+v", test.name, got, test.want)
		}
	}
}

func TestFind(t *testing.T) {
	for _, test := range []struct {
		text   string
		column int
		want   string
	}{
		{"NAME: x", 1, "NAME"},
		{`- "NAME=x"`, 3, "NAME"},
		{"- 'NAME': x", 3, "NAME"},
		{"- {{ .name }}: x", 3, ""},
		{"NAME: x", 9, ""},
	} {
		x := NewIndex([]byte(test.text))
		p := x.Find(manifest.Position{File: "f", Line: 1, Column: test.column}, "NAME")
		if got := test.text[p.Bytes.Start:p.Bytes.End]; got != test.want || p != x.Locate(p) {
			t.Errorf("%q: found %q at %+v", test.text, got, p)
		}
	}
}
