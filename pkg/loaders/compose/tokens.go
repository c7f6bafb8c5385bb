package compose

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// In the text that compose-go gets, each string is a mark and a number. A
// stand-in is kept as it is until the project is merged, and then leads to its
// origin. A numbered text is put back before compose-go looks at it, for the
// attributes that it needs to understand; it keeps every text of a manifest out
// of the files that compose-go reads.
const (
	standIn  = "\x02"
	numbered = "\x01"
)

// originKey is the extension under which a mapping's own stand-in hangs.
const originKey = "x-dsnlint-origin"

// maxText bounds the texts that compose-go gets, with aliases expanded.
const maxText = 64 << 20

// form tells how an entry gives a value.
type form int

const (
	// whole: the template is the value.
	whole form = iota
	// line: the template is a command in one text.
	line
	// pair: the template is NAME=value.
	pair
	// passMap and passList hand a variable through, as NAME: or as - NAME.
	passMap
	passList
)

// origin is where a value is written.
type origin struct {
	ref
	// attr is the attribute, such as environment or build.args.
	attr string
	// at is the node that findings point to: the list item or the map key.
	at *yaml.Node
	// value holds the text.
	value *yaml.Node
	// via are the aliases that lead to the entry, the outermost first.
	via  []*yaml.Node
	form form
	// name is the variable's or label's name, where the entry has one.
	name string
	// written is how the name is written where it is interpolated.
	written string
	// evaluation has what Compose has for the value, with unset variables blank.
	evaluation
}

type tokens struct {
	origins []*origin
	texts   []string
	size    int
}

func (t *tokens) standIn(o *origin) string {
	t.origins = append(t.origins, o)
	return standIn + strconv.Itoa(len(t.origins)-1)
}

func (t *tokens) number(text string) string {
	if strings.HasPrefix(text, "~") {
		// compose-go would ask the process for its home directory. Both are
		// outside the root.
		text = "/" + text
	}
	t.size += len(text)
	t.texts = append(t.texts, text)
	return numbered + strconv.Itoa(len(t.texts)-1)
}

// restore puts a numbered text back.
func (t *tokens) restore(s string) string {
	if number, ok := strings.CutPrefix(s, numbered); ok {
		if i, err := strconv.Atoi(number); err == nil && i < len(t.texts) {
			return t.texts[i]
		}
	}
	return s
}

// origin finds what a stand-in stands for; nil for a string that is none.
// compose-go may have put a directory before it.
func (t *tokens) origin(s string) *origin {
	at := strings.LastIndex(s, standIn)
	if at < 0 {
		return nil
	}
	i, err := strconv.Atoi(s[at+len(standIn):])
	if err != nil || i < 0 || i >= len(t.origins) {
		return nil
	}
	return t.origins[i]
}
