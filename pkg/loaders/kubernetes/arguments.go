package kubernetes

import (
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// arguments delivers the texts of all commands that run in the container, and
// the headers of requests to it. kubelet expands $(NAME) in command and args with
// the whole environment, in the commands of probes with the entries of env only,
// and elsewhere not at all.
func (b *builder) arguments() {
	c := b.c
	command := b.list("command", c.place.field("command"), b.lookup)
	args := b.list("args", c.place.field("args"), b.lookup)
	b.shellScript(append(command, args...))
	if c.script.exists() {
		b.out.Scripts = append(b.out.Scripts, b.script("script", c.script, manifest.Known(c.script.text())))
	}
	static := b.static()
	for _, probe := range []string{"livenessProbe", "readinessProbe", "startupProbe"} {
		b.handler(probe, c.place.field(probe), static)
	}
	for _, hook := range []string{"postStart", "preStop"} {
		b.handler(hook, c.place.field("lifecycle", hook), literally)
	}
}

// literally expands nothing.
func literally(string) *manifest.Ref { return nil }

func (b *builder) handler(name string, where place, resolve func(string) *manifest.Ref) {
	b.shellScript(b.list(name, where.field("exec", "command"), resolve))
	for _, header := range where.field("httpGet", "httpHeaders").items() {
		value := header.field("value")
		b.argument(name, header, manifest.Literal(value.text()))
	}
}

// argument delivers one text of a field.
func (b *builder) argument(field string, where place, expr manifest.Expr) {
	if b.spend(b.object, variableWork) {
		b.deliver(manifest.ChannelArgument, manifest.EnvVar{
			Name: field, Value: b.eval(expr), Expr: expr,
			Provenance: where.steps(manifest.Say("%s of container %s", manifest.Name(field), manifest.Name(b.c.Name))),
		})
	}
}

// word is one text of a command.
type word struct {
	field string
	place place
}

func (b *builder) list(field string, list place, resolve func(string) *manifest.Ref) []word {
	var words []word
	for _, item := range list.items() {
		b.argument(field, item, expand(item.text(), resolve))
		words = append(words, word{field, item})
	}
	return words
}

var shells = []string{"sh", "bash", "ash", "dash", "zsh", "ksh"}

// shellScript notes the script of sh -c SCRIPT, whatever runs the shell.
func (b *builder) shellScript(words []word) {
	isShell := func(w word) bool { return slices.Contains(shells, path.Base(w.place.text())) }
	shell := slices.IndexFunc(words, isShell)
	if shell < 0 {
		return
	}
	takesScript, takesOption := false, false
	for _, w := range words[shell+1:] {
		text := w.place.text()
		switch {
		case takesOption:
			takesOption = false
		case strings.HasPrefix(text, "--"):
		case strings.HasPrefix(text, "-"):
			takesScript = takesScript || strings.Contains(text, "c")
			takesOption = strings.HasSuffix(text, "o") // as in -euo pipefail
		default:
			if takesScript {
				b.out.Scripts = append(b.out.Scripts, b.script(w.field, w.place, manifest.Known(text)))
			}
			return
		}
	}
}

// mountedScript notes a file of a ConfigMap that is a shell script.
func (b *builder) mountedScript(target string, file volumeFile, value manifest.Value) {
	text, known := value.Reveal()
	if known && file.value.place.exists() && (path.Ext(file.path) == ".sh" || runsInShell(text)) {
		b.out.Scripts = append(b.out.Scripts, b.script(target, file.value.place, value))
	}
}

// runsInShell tells whether a script names a shell in its first line.
func runsInShell(text string) bool {
	first, _, _ := strings.Cut(text, "\n")
	interpreter, ok := strings.CutPrefix(first, "#!")
	return ok && slices.ContainsFunc(strings.Fields(interpreter), func(w string) bool {
		return slices.Contains(shells, path.Base(w))
	})
}

// script says where a script begins. That is exact for a literal block and for a
// text on one line that stands in the file as it is.
func (b *builder) script(name string, where place, text manifest.Value) manifest.Script {
	s := manifest.Script{Name: name, Text: text, Position: where.valuePosition()}
	plain, _ := text.Reveal()
	first, _, multiline := strings.Cut(plain, "\n")
	line, column := s.Position.Line, s.Position.Column
	literal := where.node.Style&yaml.LiteralStyle != 0
	switch {
	case multiline && !literal:
		return s
	case literal:
		line++
		column = 0
	case where.node.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0:
		column++
	}
	written := where.object.line(line)
	if column == 0 {
		column = len(written) - len(strings.TrimLeft(written, " ")) + 1
	}
	if rest := from(written, column); first != "" && strings.HasPrefix(rest, first) {
		s.Exact = true
		s.Position.Line, s.Position.Column, s.Position.EndLine, s.Position.EndColumn = line, column, 0, 0
	}
	return s
}

// from is a line from a column on, counted in code points.
func from(line string, column int) string {
	for range column - 1 {
		if line == "" {
			return ""
		}
		_, size := utf8.DecodeRuneInString(line)
		line = line[size:]
	}
	return line
}

// labels delivers the labels and annotations of the pod.
func (b *builder) labels() {
	for _, field := range []string{"labels", "annotations"} {
		for _, entry := range b.metadata.field(field).entries() {
			if !b.spend(b.object, variableWork) {
				return
			}
			expr := manifest.Literal(entry.text())
			b.deliver(manifest.ChannelMetadata, manifest.EnvVar{
				Name: entry.name(), Value: b.eval(expr), Expr: expr,
				Provenance: append(entry.steps(manifest.Say("%s of the pod", manifest.Name(field))), entry.origin()...),
			})
		}
	}
}
