// Package outline identifies the lines of an indented text, such as YAML, by what
// they say and by the lines that enclose them: a line that moves up or down keeps
// its identity, and one that moves under another key does not.
package outline

import (
	"bytes"
	"crypto/sha256"
)

// Key identifies a line. Lines that say the same at the same place have the same
// one; that of a blank line and of a comment is zero.
type Key [sha256.Size]byte

// Outline is the lines of a text.
type Outline struct {
	lines  [][]byte
	keys   []Key
	levels []int
}

// Of returns the outline of a text.
func Of(text []byte) *Outline {
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	o := &Outline{lines: bytes.Split(text, []byte("\n"))}
	type open struct {
		level int
		key   Key
	}
	var enclosing []open
	for i, line := range o.lines {
		line = bytes.TrimSuffix(line, []byte("\r"))
		o.lines[i] = line
		said := bytes.TrimSpace(line)
		if len(said) == 0 || said[0] == '#' {
			o.keys, o.levels = append(o.keys, Key{}), append(o.levels, -1)
			continue
		}
		level := levelOf(line)
		for len(enclosing) > 0 && enclosing[len(enclosing)-1].level >= level {
			enclosing = enclosing[:len(enclosing)-1]
		}
		hash := sha256.New()
		if len(enclosing) > 0 {
			_, _ = hash.Write(enclosing[len(enclosing)-1].key[:])
		}
		_, _ = hash.Write(said)
		key := Key(hash.Sum(nil))
		enclosing = append(enclosing, open{level, key})
		o.keys, o.levels = append(o.keys, key), append(o.levels, level)
	}
	return o
}

// levelOf is how deep a line is indented. The item of a list lies deeper than a
// key that is written in the same column, as YAML has it.
func levelOf(line []byte) int {
	said := bytes.TrimLeft(line, " \t")
	level := 2 * (len(line) - len(said))
	if said[0] == '-' && !bytes.HasPrefix(line, []byte("---")) {
		level++
	}
	return level
}

// Line returns a line, which counts from 1, and nothing if it does not exist.
func (o *Outline) Line(line int) []byte {
	if line < 1 || line > len(o.lines) {
		return nil
	}
	return o.lines[line-1]
}

// Key returns the key of a line, which is zero if it does not exist.
func (o *Outline) Key(line int) Key {
	if line < 1 || line > len(o.keys) {
		return Key{}
	}
	return o.keys[line-1]
}

// Keys lists the keys of a line and of those that it encloses.
func (o *Outline) Keys(line int) []Key {
	var keys []Key
	for at := line; at <= o.End(line); at++ {
		if key := o.Key(at); key != (Key{}) {
			keys = append(keys, key)
		}
	}
	return keys
}

// End returns the last line that a line encloses, which is the line itself where
// it encloses none.
func (o *Outline) End(line int) int {
	if line < 1 || line > len(o.levels) {
		return line
	}
	end := line
	for at := line; at < len(o.levels); at++ {
		switch level := o.levels[at]; {
		case level < 0:
		case level <= o.levels[line-1]:
			return end
		default:
			end = at + 1
		}
	}
	return end
}

// Has reports whether the text has a line of a key.
func (o *Outline) Has(key Key) bool {
	for _, own := range o.keys {
		if own == key && key != (Key{}) {
			return true
		}
	}
	return false
}

// SameDocument reports whether no line of three dashes parts two lines.
func (o *Outline) SameDocument(a, b int) bool {
	for line := min(a, b) + 1; line <= max(a, b); line++ {
		if bytes.HasPrefix(o.Line(line), []byte("---")) {
			return false
		}
	}
	return true
}
