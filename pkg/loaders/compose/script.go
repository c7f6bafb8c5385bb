package compose

import (
	"io/fs"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/mattn/go-shellwords"
	"go.yaml.in/yaml/v4"

	"github.com/derekg1729/dsnlint/pkg/manifest"
)

const (
	// maxScript is the most that is read of a script, and maxScripts how many
	// of a mounted folder.
	maxScript  = 256 << 10
	maxScripts = 100
)

// scripts finds the shell scripts that a service runs or mounts: the text
// behind sh -c, and files below the root.
func (b *builder) scripts(s *types.ServiceConfig) {
	words := append(b.words("entrypoint", s.Entrypoint), b.words("command", s.Command)...)
	for i, w := range words {
		if isShell(w.text) {
			if script := inline(words[i+1:]); script != nil {
				b.inlineScript(script)
			}
		}
	}
	seen := map[string]bool{}
	for _, v := range s.Volumes {
		for _, file := range b.mounted(v, words) {
			if !seen[file] {
				seen[file] = true
				b.scriptFile(file)
			}
		}
	}
}

// word is one word of a command line.
type word struct {
	field, text string
	origin      *origin
}

// words gives the words of a command, splitting one that is a single text.
func (b *builder) words(field string, command []string) []word {
	var words []word
	for _, token := range command {
		o := b.p.tokens.origin(token)
		if o == nil {
			continue
		}
		split := []string{o.text}
		if o.form == line {
			split, _ = shellwords.Parse(o.text)
		}
		for _, text := range split {
			words = append(words, word{field, text, o})
		}
	}
	return words
}

func isShell(s string) bool {
	return slices.Contains([]string{"sh", "bash", "ash", "dash", "ksh", "zsh"}, path.Base(s))
}

// inline finds the script among the words behind a shell: the one behind a flag
// with a c, as in -c or -euc.
func inline(words []word) *word {
	for i, w := range words {
		if !strings.HasPrefix(w.text, "-") {
			return nil
		}
		if !strings.HasPrefix(w.text, "--") && strings.Contains(w.text, "c") && i+1 < len(words) {
			return &words[i+1]
		}
	}
	return nil
}

func (b *builder) inlineScript(w *word) {
	script := manifest.Script{Name: w.field, Text: manifest.Known(w.text), Position: w.origin.unit.position(w.origin.at)}
	if position, ok := b.p.literalStart(w.origin); ok && w.text == w.origin.text {
		script.Position, script.Exact = position, true
	}
	b.Scripts = append(b.Scripts, script)
}

// literalStart is the place of the first character of a literal block. The
// lines of its text are those of the file as long as no variable brings in one
// more.
func (p *project) literalStart(o *origin) (manifest.Position, bool) {
	if o.value.Style&yaml.LiteralStyle == 0 || strings.Count(o.text, "\n") != strings.Count(o.value.Value, "\n") {
		return manifest.Position{}, false
	}
	data, err := p.tree.Read(o.unit.file)
	if err != nil {
		return manifest.Position{}, false
	}
	rest := data
	for range o.value.Line {
		_, after, ok := strings.Cut(string(rest), "\n")
		if !ok {
			return manifest.Position{}, false
		}
		rest = []byte(after)
	}
	return manifest.Position{
		File: o.unit.file, Line: o.value.Line + 1,
		Column: 1 + indentation(string(rest)) - indentation(o.value.Value),
	}, true
}

// indentation is that of the first line that is not blank.
func indentation(text string) int {
	for line := range strings.Lines(text) {
		if trimmed := strings.TrimLeft(line, " "); strings.TrimSpace(trimmed) != "" {
			return len(line) - len(trimmed)
		}
	}
	return 0
}

// mounted gives the script files of a bind mount, relative to the root: those
// that are named like one, and those that the command line runs.
func (b *builder) mounted(v types.ServiceVolumeConfig, words []word) []string {
	if v.Type != types.VolumeTypeBind {
		return nil
	}
	source, err := b.p.tree.Join(b.p.dir, v.Source, b.Position)
	if err != nil {
		// Mounting what is outside the root is common, and nothing is read there.
		return nil
	}
	var files []string
	run := func(target string) bool {
		return slices.ContainsFunc(words, func(w word) bool { return w.text == target })
	}
	info, err := fs.Stat(b.p.tree.FS(), source)
	switch {
	case err != nil:
	case !info.IsDir():
		if isScriptName(source) || run(v.Target) {
			files = append(files, source)
		}
	default:
		entries, _ := fs.ReadDir(b.p.tree.FS(), source)
		for _, entry := range entries {
			name := entry.Name()
			if len(files) < maxScripts && !entry.IsDir() && (isScriptName(name) || run(path.Join(v.Target, name))) {
				files = append(files, path.Join(source, name))
			}
		}
	}
	return files
}

func isScriptName(name string) bool {
	return slices.Contains([]string{".sh", ".bash"}, path.Ext(name))
}

// scriptFile reads a script; what is none, or is not there, is no problem of
// the manifest's.
func (b *builder) scriptFile(name string) {
	data, err := b.p.tree.Read(name)
	if err != nil || len(data) > maxScript || !utf8.Valid(data) {
		return
	}
	b.Scripts = append(b.Scripts, manifest.Script{
		Name: name, Text: manifest.Known(string(data)),
		Position: manifest.Position{File: name, Line: 1, Column: 1}, Exact: true,
	})
}
