package kubernetes

import (
	"slices"

	"github.com/derekg1729/dsnlint/pkg/internal/shell"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// arguments delivers the texts of all commands that run in the container, and
// the headers of requests to it. kubelet expands $(NAME) in command and args with
// the whole environment, in the commands of probes with the entries of env only,
// and elsewhere not at all.
func (b *builder) arguments() {
	c := b.c
	first := len(b.rest)
	b.inlineScripts(append(b.words("command", c.place.field("command"), b.lookup), b.words("args", c.place.field("args"), b.lookup)...), true)
	for i := range b.rest[first:] {
		b.rest[first+i].Command = manifest.CommandWord
	}
	if c.script.exists() {
		script := b.script("script", c.script, manifest.Known(c.script.text()))
		script.Command = true
		b.out.Scripts = append(b.out.Scripts, script)
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
	b.inlineScripts(b.words(name, where.field("exec", "command"), resolve), false)
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

// words delivers a command and returns its words.
func (b *builder) words(field string, list place, resolve func(string) *manifest.Ref) []word {
	var words []word
	for _, item := range list.items() {
		b.argument(field, item, expand(item.text(), resolve))
		words = append(words, word{field, item})
	}
	return words
}

// inlineScripts notes the scripts among the words of a command.
func (b *builder) inlineScripts(words []word, isCommandLine bool) {
	texts := make([]string, len(words))
	for i, w := range words {
		texts[i] = w.place.text()
	}
	for _, i := range shell.Scripts(texts) {
		script := b.script(words[i].field, words[i].place, manifest.Known(texts[i]))
		script.Command = isCommandLine
		b.out.Scripts = append(b.out.Scripts, script)
	}
}

// mountedScript notes a file of a ConfigMap that is a shell script, or is run as one.
func (b *builder) mountedScript(target string, file volumeFile, value manifest.Value) {
	text, known := value.Reveal()
	named := slices.Contains(b.c.Command, target) || slices.Contains(b.c.Args, target)
	if known && file.value.place.exists() && shell.IsScript(file.path, text, named) {
		b.out.Scripts = append(b.out.Scripts, b.script(target, file.value.place, value))
	}
}

// script says where a script begins.
func (b *builder) script(name string, where place, text manifest.Value) manifest.Script {
	s := manifest.Script{Name: name, Text: text, Position: where.valuePosition()}
	s.Position, s.Exact = where.object.Index.TextStart(where.node, s.Position)
	return s
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
				// Other objects select by labels.
				Own: field == "annotations" && entry.own(),
			})
		}
	}
}
