package dsn

import (
	"regexp"
	"strings"

	"github.com/derekg1729/dsnlint/pkg/manifest"
)

const (
	// maxOutline is how many parts of an expression, or bytes of its text, an
	// outline is made of, and maxNested how deep defaults lie in each other.
	maxOutline = 2000
	maxNested  = 8
)

// Outline shows how an expression is built, without any of its text: a reference
// as mention writes its name, with its default if it has one, and all else as
// [manifest.Masked]. Of a DSN whose parts are beyond doubt it shows the scheme,
// the user, hosts, ports and the database as well.
func Outline(e manifest.Expr, mention func(name, withDefault string) string) string {
	return outline(e, mention, maxNested)
}

// standIn takes the place of a reference in the text that is matched. What a
// manifest writes in its place is masked.
const standIn = '\x01'

func outline(e manifest.Expr, mention func(name, withDefault string) string, nested int) string {
	if e == nil || len(e) > maxOutline || nested == 0 {
		return manifest.Masked
	}
	var text strings.Builder
	var refs []string
	for _, part := range e {
		if part.Ref == nil {
			literal, known := part.Literal.Reveal()
			if !known || text.Len()+len(literal) > maxOutline {
				literal = "\x00"
			}
			text.WriteString(strings.ReplaceAll(literal, string(standIn), "\x00"))
			continue
		}
		text.WriteByte(standIn)
		standard := ""
		if part.Ref.Default != nil {
			standard = outline(part.Ref.Default, mention, nested-1)
		}
		refs = append(refs, mention(manifest.Name(part.Ref.Name).String(), standard))
	}
	o := outliner{refs: refs}
	o.write(text.String())
	return o.out.String()
}

type outliner struct {
	out  strings.Builder
	refs []string
	// masked tells that the last thing written was masked text.
	masked bool
}

// plainDSN is a DSN that can be read in one way only. A sign that could belong
// to a password (a second @, or a / ? or # before it) makes it none.
var plainDSN = regexp.MustCompile(`^((?i:` + schemeForm + `)://)` +
	`([\x01A-Za-z0-9_.-]*)(?:(:)([^/?#@\s]*))?(@)` +
	`([\x01A-Za-z0-9_.-]+(?::(?:[0-9]{1,5}|\x01))?(?:,[\x01A-Za-z0-9_.-]+(?::(?:[0-9]{1,5}|\x01))?)*)` +
	`(/[\x01A-Za-z0-9_-]*)?(?:(\?)([^@]*))?$`)

func (o *outliner) write(text string) {
	m := plainDSN.FindStringSubmatch(text)
	if m == nil {
		o.hide(text)
		return
	}
	// Without a password, what stands before the @ may be one.
	user := o.show
	if m[3] == "" {
		user = o.hide
	}
	o.show(m[1])
	user(m[2])
	o.show(m[3])
	o.hide(m[4])
	o.show(m[5])
	o.show(m[6])
	o.show(m[7])
	o.show(m[8])
	o.hide(m[9])
}

// show writes text with its references.
func (o *outliner) show(text string) {
	for _, c := range text {
		if c == standIn {
			o.ref()
			continue
		}
		o.out.WriteRune(c)
		o.masked = false
	}
}

// hide writes the references of a text, and masks what is between them.
func (o *outliner) hide(text string) {
	for _, c := range text {
		switch {
		case c == standIn:
			o.ref()
		case !o.masked:
			o.out.WriteString(manifest.Masked)
			o.masked = true
		}
	}
}

func (o *outliner) ref() {
	o.out.WriteString(o.refs[0])
	o.refs = o.refs[1:]
	o.masked = false
}
