package report

import (
	"regexp"
	"strings"

	"github.com/derekg1729/dsnlint/pkg/dsn"
	"github.com/derekg1729/dsnlint/pkg/internal/source"
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

// maxLine is how many bytes a line may have to be shown. A longer one, such as
// minified JSON, is none for a person to read.
const maxLine = 2000

// lineOf builds the line that a finding is about; not ok where nothing of it is known.
func lineOf(f *rules.Finding, index *source.Index) (shownLine, bool) {
	n := f.Position.Line
	if n < 1 || n > index.Height() || index.Start(n+1)-index.Start(n) > maxLine {
		return shownLine{}, false
	}
	line, start := index.Line(n), index.Start(n)
	at := min(max(f.Position.Bytes.Start-start, 0), len(line))
	value := dsn.Outline(f.Expr, mentionOf(f.Container.Dialect))
	known := newWords(f.Container.Dialect)
	known.say(f)
	if named := f.NamePosition; named.Line == n {
		from, to := named.Bytes.Start-start, named.Bytes.End-start
		if l, ok := known.entry(line[:from], name(f.Variable), line[to:], at, value); ok {
			return l, true
		}
	}
	if l, ok := known.field(line, at, value); ok || f.Expr == nil {
		return l, ok
	}
	before, rest, ok := lead(line)
	if m := fieldForm.FindStringSubmatch(rest); !ok || m != nil && m[2] != "=" {
		return shownLine{}, false
	}
	return shownLine{before: before, entry: value, name: value}, true
}

// words are those that may be shown of a line: the keys and the plain values of a
// language, and among both the names that findings say in their messages.
type words struct{ keys, values map[string]bool }

func newWords(dialect *manifest.Dialect) words {
	w := words{map[string]bool{}, map[string]bool{}}
	if dialect != nil {
		for _, key := range dialect.Keys {
			w.keys[key] = true
		}
		for _, value := range dialect.Values {
			w.values[value] = true
		}
	}
	return w
}

// say adds the names that a finding says.
func (w words) say(f *rules.Finding) {
	said := append([]string{f.Container.Name, f.Container.Workload.Name, f.Variable}, f.Secrets...)
	for _, part := range f.Expr {
		if part.Ref != nil {
			said = append(said, part.Ref.Name)
		}
	}
	for _, word := range said {
		if word != "" && name(word) == word {
			w.keys[word], w.values[word] = true, true
		}
	}
}

// separators are the signs behind a word, as they are shown.
var separators = map[string]string{":": ": ", "=": "=", ",": ","}

// gapWord is a word of a gap, with what is around it.
var gapWord = regexp.MustCompile(`^[\s"'{]*([A-Za-z0-9_.-]+)["']?\s*([:=,])[\s"']*`)

// gap shows the text before a part of a line that is known: its words where all of them
// may be shown, and else nothing of it.
func (w words) gap(text string) string {
	shown := ""
	for text = strings.TrimPrefix(text, "export "); strings.Trim(text, ` "'`) != ""; {
		m := gapWord.FindStringSubmatch(text)
		if m == nil || m[2] == "," && !w.values[m[1]] || m[2] != "," && !w.keys[m[1]] {
			return manifest.Masked + " "
		}
		shown += m[1] + separators[m[2]]
		text = text[len(m[0]):]
	}
	return shown
}

// glue is what ties a name to its value, with the quote of the name, or what ends an
// entry that is a name alone.
var glue = regexp.MustCompile(`^["']?(?:\s*([:=])|[\s,\]}#]|$)`)

// entry builds a line from what is known of the entry on it: the byte where it begins,
// its name with what is before and behind it, and how its value is built.
func (w words) entry(before, name, behind string, at int, value string) (shownLine, bool) {
	at = min(at, len(before))
	lead, rest, ok := lead(before[:at])
	tie := glue.FindStringSubmatch(behind)
	if !ok || tie == nil {
		return shownLine{}, false
	}
	l := shownLine{before: lead + w.gap(rest), name: w.gap(before[at:]) + name}
	l.entry = l.name
	if tie[1] != "" {
		l.entry += separators[tie[1]] + value
	}
	return l, true
}

// fieldForm is a key with its value.
var fieldForm = regexp.MustCompile(`^["']?([A-Za-z0-9_.-]+)["']?(=|:(?:\s+|$))(.*)$`)

// field builds a line of which only its first word is known, which is a key or a name;
// at is the byte where an entry begins. A value is shown where it is one of a few words,
// and else as it is built.
func (w words) field(line string, at int, value string) (shownLine, bool) {
	before, rest, ok := lead(strings.TrimRight(line, " \t"))
	if bare := strings.Trim(rest, `"'`); ok && w.values[bare] {
		return shownLine{before: before, entry: bare, name: bare}, true
	}
	m := fieldForm.FindStringSubmatch(rest)
	if !ok || m == nil || !w.keys[m[1]] {
		return shownLine{}, false
	}
	key, bare := m[1], strings.Trim(m[3], `"'`)
	switch {
	case bare == "":
		return shownLine{before: before, entry: key + strings.TrimSpace(m[2]), name: key}, true
	case w.values[bare]:
		value = bare
	}
	separator := separators[strings.TrimSpace(m[2])]
	if at >= len(line)-len(m[3]) {
		return shownLine{before: before + key + separator, entry: value, name: value}, true
	}
	return shownLine{before: before, entry: key + separator + value, name: key}, true
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

// Lines shows lines of source files without their values: what findings say of the
// entries on them, and keys of a manifest language.
type Lines struct{ files map[string]fileLines }

// fileLines are the lines of a file that findings are about, by their text, and the
// words that may be shown of others.
type fileLines struct {
	shown map[string]string
	words words
}

// Add takes note of the lines that findings are about. An entry is known by the text of
// its line, so that the lines above it may come and go.
func (l *Lines) Add(findings []rules.Finding, index func(file string) *source.Index) {
	if l.files == nil {
		l.files = map[string]fileLines{}
	}
	for i := range findings {
		f := &findings[i]
		x := index(f.Position.File)
		if f.Variable == "" || x == nil {
			continue
		}
		file, ok := l.files[f.Position.File]
		if !ok {
			file = fileLines{map[string]string{}, newWords(f.Container.Dialect)}
			l.files[f.Position.File] = file
		}
		file.words.say(f)
		if line, ok := lineOf(f, x); ok {
			file.shown[x.Line(f.Position.Line)] = line.text()
		}
	}
}

// Show returns what is shown of a line of a file.
func (l *Lines) Show(file, line string) string {
	known := l.files[file]
	if shown, ok := known.shown[line]; ok || strings.TrimSpace(line) == "" {
		return shown
	}
	if made, ok := known.words.field(line, 0, manifest.Masked); ok {
		return made.text()
	}
	return manifest.Masked
}
