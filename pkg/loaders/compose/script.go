package compose

import (
	"io/fs"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/mattn/go-shellwords"

	"github.com/derekg1729/dsnlint/pkg/internal/shell"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

const (
	// maxScript is the most that is read of a script, and maxScripts how many
	// of a mounted directory, in which maxEntries are looked at.
	maxScript  = 256 << 10
	maxScripts = 100
	maxEntries = 2000
)

// word is one word of a command.
type word struct {
	field  string
	origin *origin
	// whole is the text that the word is split from, and index which one it is.
	whole string
	index int
	// text is the word as a part of a script.
	text string
}

// split returns the words that a text of a command makes.
func split(o *origin, text string) []string {
	if o.form != line {
		return []string{text}
	}
	words, err := shellwords.Parse(text)
	if err != nil {
		return nil
	}
	return words
}

// commandLine delivers the words that the container starts with, and notes the scripts
// among them.
func (b *builder) commandLine(s *types.ServiceConfig) {
	words := append(b.words("entrypoint", s.Entrypoint), b.words("command", s.Command)...)
	texts := make([]string, len(words))
	for i, w := range words {
		texts[i] = w.text
	}
	var line *origin
	var place manifest.Position
	for _, i := range shell.Scripts(texts) {
		w := words[i]
		script := manifest.Script{Name: w.field, Text: manifest.Known(w.text), Position: place}
		// To look for each script of a line would take quadratic time.
		if w.origin != line {
			line, place = w.origin, w.origin.unit.position(w.origin.at)
			script = b.inlineScript(w)
		}
		script.Command = true
		b.Scripts = append(b.Scripts, script)
	}
}

// words delivers a field of the command line and returns its words.
func (b *builder) words(field string, command []string) []word {
	var words []word
	for _, token := range command {
		o := b.p.tokens.origin(token)
		if o == nil {
			continue
		}
		b.entry(manifest.ChannelArgument, field, token, field)
		delivered := &b.rest[len(b.rest)-1]
		delivered.Command = manifest.CommandWord
		if o.form == line {
			delivered.Command = manifest.CommandLine
		}
		whole := shell.Text(delivered.Expr)
		for i, text := range split(o, whole) {
			words = append(words, word{field, o, whole, i, text})
		}
		for _, text := range split(o, o.text) {
			b.runs[text] = true
		}
	}
	return words
}

// inlineScript makes a script of a word. The place of one that is split from a line is
// known where all of it is on one line as it is written.
func (b *builder) inlineScript(w word) manifest.Script {
	script := b.script(w.field, w.origin, w.whole)
	if w.origin.form != line {
		return script
	}
	script.Text = manifest.Known(w.text)
	start := w.start()
	if !script.Exact || script.Doubled != nil || start < 0 || strings.Contains(w.whole[:start]+w.text, "\n") {
		script.Exact, script.Doubled, script.Position = false, nil, w.origin.unit.position(w.origin.at)
		return script
	}
	script.Position.Column += utf8.RuneCountInString(w.whole[:start])
	return script
}

// start returns where the word begins in the line that it is split from, or -1 where it
// is not there as it is. What is before it and what begins with it are split again,
// since the same text may also be a part of another word.
func (w word) start() int {
	start := strings.Index(w.whole, w.text)
	if start <= 0 {
		return -1
	}
	begin := start
	if quote := w.whole[start-1]; quote == '"' || quote == '\'' {
		begin--
	}
	before, rest := split(w.origin, w.whole[:begin]), split(w.origin, w.whole[begin:])
	if len(before) != w.index || len(rest) == 0 || rest[0] != w.text || strings.TrimRight(w.whole[:begin], " ") == w.whole[:begin] {
		return -1
	}
	return start
}

// script makes a script of the text of a scalar: as it is written where its place is
// known, so that a variable is one whatever it stands for, and else as it is given.
func (b *builder) script(name string, o *origin, text string) manifest.Script {
	script := manifest.Script{Name: name, Text: manifest.Known(text), Position: o.unit.position(o.at)}
	if start, ok := b.p.tree.Index(o.unit.file).TextStart(o.value, o.unit.position(o.value)); ok {
		written, doubled := unescaped(o.value.Value)
		script.Text, script.Doubled, script.Exact, script.Position = manifest.Known(written), doubled, true, start
	}
	return script
}

// unescaped returns a text with one dollar sign for two, and the columns of these in
// each line; nil where there are none.
func unescaped(text string) (plain string, doubled [][]int) {
	if !strings.Contains(text, "$$") {
		return text, nil
	}
	lines := strings.Split(text, "\n")
	doubled = make([][]int, len(lines))
	for i, line := range lines {
		parts := strings.Split(line, "$$")
		column := 0
		for _, part := range parts[:len(parts)-1] {
			column += utf8.RuneCountInString(part) + 1
			doubled[i] = append(doubled[i], column)
		}
		lines[i] = strings.Join(parts, "$")
	}
	return strings.Join(lines, "\n"), doubled
}

// mountedScripts finds the shell scripts that a service mounts: those of its bind
// mounts that are below the root, and of its configs.
func (b *builder) mountedScripts(s *types.ServiceConfig) {
	seen := map[string]bool{}
	add := func(file, target string) {
		if !seen[file] {
			seen[file] = true
			b.scriptFile(file, target)
		}
	}
	for _, v := range s.Volumes {
		if v.Type == types.VolumeTypeBind {
			// Mounting what is outside the root is common, and nothing is read there.
			if file, err := b.p.tree.Join(b.p.dir, v.Source, b.Position); err == nil {
				b.bindMount(file, v.Target, add)
			}
		}
	}
	for _, m := range mountsOf(&s.ContainerSpec) {
		if m.section != "configs" {
			continue
		}
		target, config := m.name(manifest.ChannelFile, nil).name, b.merged.Configs[m.Source]
		if o := b.p.tokens.origin(config.Content); o != nil {
			look := lookup(o.unit.scope.get)
			if text := shell.Text(look.expand(o.template)); len(text) <= maxScript && shell.IsScript(target, text, b.runs[target]) {
				b.Scripts = append(b.Scripts, b.script(target, o, text))
			}
		} else if o := b.p.tokens.origin(config.File); o != nil {
			if file, err := b.p.tree.Join(o.unit.dir, o.text, o.unit.position(o.at)); err == nil {
				add(file, target)
			}
		}
	}
}

// bindMount adds the file of a mount, or the files of a directory and of those below it
// that are named like scripts or run.
func (b *builder) bindMount(source, target string, add func(file, target string)) {
	info, err := fs.Stat(b.p.tree.FS(), source)
	switch {
	case err != nil:
	case !info.IsDir():
		add(source, target)
	default:
		b.mountedDirectory(source, target, add)
	}
}

// mountedDirectory adds the scripts of a directory. It may hold anything, and is not
// read to its end.
func (b *builder) mountedDirectory(source, target string, add func(file, target string)) {
	entries, scripts := 0, 0
	_ = fs.WalkDir(b.p.tree.FS(), source, func(name string, entry fs.DirEntry, err error) error {
		base := path.Base(name)
		switch entries++; {
		case err != nil: // there is nothing to read in it
			return nil //nolint:nilerr // the others are read
		case entries > maxEntries || scripts >= maxScripts:
			return fs.SkipAll
		case entry.IsDir() && name != source && (strings.HasPrefix(base, ".") || base == "node_modules" || base == "vendor"):
			return fs.SkipDir
		}
		at := path.Join(target, strings.TrimPrefix(name, source))
		if !entry.IsDir() && shell.IsScript(name, "", b.runs[at]) {
			add(name, at)
			scripts++
		}
		return nil
	})
}

// scriptFile reads a script; what is not one, or is not there, is not a problem of the
// manifest's.
func (b *builder) scriptFile(name, target string) {
	data, err := b.p.tree.Read(name)
	if err != nil || !shell.IsScript(name, string(data), b.runs[target]) || !shell.IsShell(string(data)) {
		return
	}
	b.p.report(shell.Unread(name, string(data), manifest.Notice))
	b.p.tree.As(name, shell.Script)
	b.Scripts = append(b.Scripts, manifest.ScriptFile(name, data))
}
