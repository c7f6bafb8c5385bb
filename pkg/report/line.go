package report

import (
	"regexp"
	"slices"
	"strings"

	"github.com/derekg1729/dsnlint/pkg/dsn"
	"github.com/derekg1729/dsnlint/pkg/manifest"
	"github.com/derekg1729/dsnlint/pkg/rules"
)

// shownLine is a line of a source file as it is shown: made of the languages' own
// words and of what the normal form knows of the entry. The line itself only
// says in which form the entry is written; no text is taken from it.
type shownLine struct {
	// before is what leads to the entry: an indentation, and the dash of a list.
	before string
	// entry is the entry, and name the part of it that names it.
	entry, name string
}

// text is the whole line.
func (l shownLine) text() string { return l.before + l.entry }

// maxIndent is how far a line is indented at most; one that is deeper is not
// written by a person.
const maxIndent = 80

// entryLine builds the line of the entry that a finding is about; not ok where
// the line has no entry that is known.
func entryLine(f *rules.Finding, line string) (shownLine, bool) {
	before, rest, ok := lead(line)
	if !ok {
		return shownLine{}, false
	}
	written := rest
	if column := f.Position.Column; column > 1 {
		// In flow style the entry does not begin the line.
		if from := runesFrom(line, column); from != "" && from != rest && !strings.HasSuffix(before, "- ") && !strings.HasPrefix(rest, "export ") {
			before, written = before+manifest.Masked+" ", from
		}
	}
	l := shownLine{before: before, name: name(f.Variable)}
	written = strings.TrimPrefix(written, "export ")
	value := dsn.Outline(f.Expr, mentionOf(f.Container.Dialect))
	switch formOf(written, f.Variable) {
	case keyForm:
		l.entry = l.name + ": " + value
	case pairForm:
		l.entry = l.name + "=" + value
	case aloneForm:
		l.entry = l.name
	case nameForm:
		l.entry, l.name = "name: "+l.name, "name: "+l.name
	default:
		return shownLine{}, false
	}
	return l, true
}

// form is how an entry is written.
type form int

const (
	unknownForm form = iota
	// keyForm is NAME: value.
	keyForm
	// pairForm is NAME=value.
	pairForm
	// aloneForm is NAME.
	aloneForm
	// nameForm is name: NAME.
	nameForm
)

// formOf finds out how an entry of this name is written.
func formOf(written, name string) form {
	if name == "" {
		return unknownForm
	}
	quoted := strings.TrimLeft(written, `"'`)
	if after, ok := strings.CutPrefix(quoted, name); ok {
		switch after = strings.TrimLeft(after, `"' `); {
		case after == "" || after[0] == ',' || after[0] == ']' || after[0] == '}' || after[0] == '#':
			return aloneForm
		case after[0] == ':':
			return keyForm
		case after[0] == '=':
			return pairForm
		}
		return unknownForm
	}
	key, ok := strings.CutPrefix(strings.TrimLeft(strings.TrimPrefix(quoted, "{"), `"' `), "name")
	if key = strings.TrimLeft(key, `"' `); ok && strings.HasPrefix(key, ":") && strings.HasPrefix(strings.TrimLeft(key[1:], `"' `), name) {
		return nameForm
	}
	return unknownForm
}

// mentionOf writes a reference as a dialect does; one that has no references of its
// own has those of the shell.
func mentionOf(dialect *manifest.Dialect) func(name, withDefault string) string {
	mention := func(name, _ string) string { return "${" + name + "}" }
	if dialect != nil && dialect.Mention != nil {
		mention = dialect.Mention
	}
	return func(variable, withDefault string) string {
		return mention(name(variable), withDefault)
	}
}

// lead is the indentation of a line with the dash of a list, if it has one, and
// the rest of the line.
func lead(line string) (before, rest string, ok bool) {
	rest = strings.TrimLeft(line, " \t")
	before = strings.ReplaceAll(line[:len(line)-len(rest)], "\t", tab)
	if len(before) > maxIndent {
		return "", "", false
	}
	for {
		item, found := strings.CutPrefix(rest, "-")
		if !found || item != "" && item[0] != ' ' {
			return before, rest, true
		}
		before += "- "
		rest = strings.TrimLeft(item, " ")
		if len(before) > maxIndent {
			return "", "", false
		}
	}
}

// runesFrom is a line from a column on, which counts code points from one.
func runesFrom(line string, column int) string {
	for i := range line {
		if column--; column == 0 {
			return line[i:]
		}
	}
	return ""
}

// fieldForm is a key with its value.
var fieldForm = regexp.MustCompile(`^["']?([A-Za-z0-9_.-]+)["']?:(?:\s+(.*))?$`)

// fieldLine builds a line that begins with a key of the dialect or with the name of
// the container; f is nil for a line that no finding is about. A value is shown
// where it is one of a few words, or a name that the finding itself says.
func fieldLine(dialect *manifest.Dialect, f *rules.Finding, line string) (shownLine, bool) {
	before, rest, ok := lead(line)
	if !ok {
		return shownLine{}, false
	}
	if dialect == nil {
		dialect = &manifest.Dialect{}
	}
	names := map[string]bool{}
	value := manifest.Masked
	if f != nil {
		names = namesIn(f)
		if f.Expr != nil {
			value = dsn.Outline(f.Expr, mentionOf(f.Container.Dialect))
		}
	}
	rest = strings.TrimRight(rest, " \t")
	if bare := strings.Trim(rest, `"'`); names[bare] && name(bare) == bare {
		return shownLine{before: before, entry: bare, name: bare}, true
	}
	m := fieldForm.FindStringSubmatch(rest)
	switch {
	case m == nil:
		if f == nil || f.Expr == nil {
			return shownLine{}, false
		}
		return shownLine{before: before, entry: value, name: value}, true
	case !slices.Contains(dialect.Keys, m[1]) && !names[m[1]]:
		return shownLine{}, false
	}
	l := shownLine{before: before, entry: m[1] + ":", name: m[1]}
	switch bare := strings.Trim(m[2], `"'`); {
	case m[2] == "":
	case slices.Contains(dialect.Values, bare), names[bare] && name(bare) == bare:
		l.entry += " " + bare
	default:
		l.entry += " " + value
	}
	return l, true
}

// namesIn are the names that a finding says in its message.
func namesIn(f *rules.Finding) map[string]bool {
	names := map[string]bool{f.Container.Name: true, f.Container.Workload.Name: true}
	for _, n := range append([]string{f.Variable}, f.Secrets...) {
		names[n] = true
	}
	for _, part := range f.Expr {
		if part.Ref != nil {
			names[part.Ref.Name] = true
		}
	}
	delete(names, "")
	return names
}

// Lines returns what a diff of a file shows of a line: the entry of a finding
// that is on it, built again, or a key of a manifest language; and else nothing.
// The number is that of the line where the findings were made; zero for a line
// that is new.
func Lines(file string, findings []rules.Finding) func(number int, line string) string {
	// An entry may have been found when lines above it were gone already, so its
	// name counts as well.
	byLine, byName := map[int]*rules.Finding{}, map[string]*rules.Finding{}
	var dialect *manifest.Dialect
	for i := range findings {
		if f := &findings[i]; f.Position.File == file && f.Variable != "" {
			byLine[f.Position.Line], byName[f.Variable] = f, f
			dialect = f.Container.Dialect
		}
	}
	return func(number int, line string) string {
		for _, f := range []*rules.Finding{byLine[number], byName[firstName(line)]} {
			if number == 0 || f == nil {
				continue
			}
			entry := *f
			entry.Position.Column = 0
			if l, ok := entryLine(&entry, line); ok {
				return l.text()
			}
		}
		if strings.TrimSpace(line) == "" {
			return ""
		}
		if l, ok := fieldLine(dialect, nil, line); ok {
			return l.text()
		}
		return manifest.Masked
	}
}

// entryName finds the name that an entry begins with, in any of its forms.
var entryName = regexp.MustCompile(`^[{\s]*(?:["']?name["']?:\s*)?["']?([A-Za-z_][A-Za-z0-9_.-]*)`)

func firstName(line string) string {
	_, rest, _ := lead(line)
	if m := entryName.FindStringSubmatch(rest); m != nil {
		return m[1]
	}
	return ""
}
