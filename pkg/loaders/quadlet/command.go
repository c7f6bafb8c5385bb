package quadlet

import (
	"encoding/json"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/derekg1729/dsnlint/pkg/internal/shell"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// podmanArgs is the key of options that Quadlet hands to Podman as they are.
const podmanArgs = "PodmanArgs"

// optionKeys are the keys that say the same as an option of podman run.
var optionKeys = map[string]string{
	"--env": "Environment", "-e": "Environment", "--env-file": "EnvironmentFile", "--env-host": "EnvironmentHost",
	"--secret": "Secret", "--label": "Label", "-l": "Label", "--annotation": "Annotation",
	"--entrypoint": "Entrypoint", "--health-cmd": "HealthCmd", "--health-startup-cmd": "HealthStartupCmd",
	"--volume": "Volume", "-v": "Volume", "--mount": "Mount",
}

// option is an option of Podman with its value; a word that is none of those known has
// no key.
type option struct {
	key   string
	value word
}

func parseOptions(words []word) []option {
	var options []option
	for i := 0; i < len(words); i++ {
		w := words[i]
		name, _, hasValue := strings.Cut(w.text, "=")
		length := len(name) + 1
		if len(name) > 2 && name[0] == '-' && name[1] != '-' {
			// The value is behind the letter, as in -eNAME=value.
			name, length, hasValue = name[:2], 2, true
		}
		o := option{optionKeys[name], w}
		switch {
		case o.key == "":
		case hasValue:
			o.value = w.from(length)
		case o.key == "EnvironmentHost":
		case i+1 < len(words):
			i++
			o.value = words[i]
		default:
			o.key = ""
		}
		options = append(options, o)
	}
	return options
}

// from is a word without its first bytes. Where these are not written as they are, the
// place remains that of the whole word.
func (w word) from(length int) word {
	if strings.HasPrefix(w.source.content, w.text[:length]) {
		w.source = w.source.from(length)
	}
	w.text = w.text[length:]
	return w
}

// commands delivers what runs in the container, and the options that are not known.
func (b *builder) commands() {
	words := append(b.entrypoint(), b.arguments("Exec")...)
	for i := range b.rest[len(b.rest)-len(words):] {
		b.rest[len(b.rest)-len(words)+i].Command = manifest.CommandWord
	}
	texts := make([]string, len(words))
	for i, w := range words {
		texts[i] = w.text
	}
	for _, i := range shell.Scripts(texts) {
		b.inlineScript(words[i])
	}
	for _, key := range []string{"HealthCmd", "HealthStartupCmd"} {
		if value, ok := b.unit.plain(containerSection, key); ok {
			b.argument(key, keyed{key, word{text: value.content, source: value}, false})
		}
		for _, w := range b.optionsOf(key) {
			b.argument(key, w)
		}
	}
	b.arguments("ReloadCmd")
	for _, w := range b.optionsOf("") {
		b.argument(podmanArgs, w)
	}
	b.mounts(texts)
}

func (b *builder) argument(name string, w keyed) {
	b.deliver(manifest.ChannelArgument, variableOf(name, expand(w.text, b.resolve), b.stepOf(w)))
}

// arguments delivers the words of a key of which the last assignment counts.
func (b *builder) arguments(key string) []keyed {
	e, ok := b.unit.last(containerSection, key)
	if !ok {
		return nil
	}
	var words []keyed
	for _, w := range b.set.words([]entry{e}) {
		words = append(words, keyed{key, w, false})
		b.argument(key, words[len(words)-1])
	}
	return words
}

// entrypoint delivers the entrypoint, which is one word or a list in JSON.
func (b *builder) entrypoint() []keyed {
	const key = "Entrypoint"
	all := b.optionsOf(key)
	if value, ok := b.unit.plain(containerSection, key); ok {
		all = append([]keyed{{key, word{text: value.content, source: value}, false}}, all...)
	}
	if len(all) == 0 || all[len(all)-1].text == "" {
		return nil
	}
	words := all[len(all)-1].items()
	for _, w := range words {
		b.argument(key, w)
	}
	return words
}

// items returns the items of a list in JSON, or the word itself. The place of an item
// with an escape is that of the list.
func (w keyed) items() []keyed {
	var list []string
	if err := json.Unmarshal([]byte(w.text), &list); err != nil {
		return []keyed{w}
	}
	words := make([]keyed, len(list))
	rest := w.source
	for i, item := range list {
		words[i] = keyed{w.key, word{text: item, source: w.source}, w.isOption}
		quoted := `"` + item + `"`
		if at := strings.Index(rest.content, quoted); at >= 0 {
			words[i].source = rest.slice(at, at+len(quoted))
			words[i].exact = len(words[i].source.rest) == 0
			rest = rest.from(at + len(quoted))
		}
	}
	return words
}

// inlineScript notes a word that a shell runs.
func (b *builder) inlineScript(w keyed) {
	script := manifest.Script{
		Name: w.key, Text: manifest.Known(shell.Text(expand(w.text, b.resolve))), Command: true, Position: w.position(),
	}
	if w.exact && isFixed(w.text) {
		script.Position, script.Exact = w.behind(0), true
	}
	b.Scripts = append(b.Scripts, script)
}

const (
	// maxScripts is how many scripts are read of the directories that a container mounts.
	maxScripts = 100
)

// mounts delivers the files that are mounted, those of the pod included, and notes the
// scripts among them: what is named like one, and what the command runs.
func (b *builder) mounts(run []string) {
	volumes := b.optionsOf("Volume")
	add := func(entries []entry) {
		for _, e := range entries {
			volumes = append(volumes, keyed{e.key, word{text: e.value.content, source: e.value}, false})
		}
	}
	add(b.unit.all(containerSection, "Volume"))
	if b.pod != nil {
		add(b.pod.all(podSection, "Volume"))
	}
	m := mounter{b, run, map[string]bool{}}
	for _, w := range volumes {
		if source, rest, ok := strings.Cut(w.text, ":"); ok {
			target, _, _ := strings.Cut(rest, ":")
			m.mount(w, source, target)
		}
	}
	for _, w := range b.listed("Mount") {
		fields := map[string]string{}
		for field := range strings.SplitSeq(w.text, ",") {
			key, value, _ := strings.Cut(field, "=")
			fields[key] = value
		}
		if fields["type"] == "bind" {
			m.mount(w, fields["source"]+fields["src"], fields["target"]+fields["destination"]+fields["dst"])
		}
	}
}

// mounter mounts files into a container that runs a command.
type mounter struct {
	*builder
	run []string
	// read are the scripts that have been read.
	read map[string]bool
}

// isScript reports whether a file is a script by its name and text, or since the command
// names it.
func (m mounter) isScript(file, target, text string) bool {
	return shell.IsScript(file, text, slices.Contains(m.run, target))
}

// mount looks at what is mounted. Mounting what is outside the root is common, and
// nothing is read there; a source without a slash is a volume.
func (m mounter) mount(w keyed, source, target string) {
	if !strings.HasPrefix(source, ".") && !path.IsAbs(source) {
		return
	}
	file, reason := m.path(source, w)
	if !reason.IsZero() {
		return
	}
	info, err := fs.Stat(m.set.tree.FS(), file)
	switch {
	case err != nil:
	case info.IsDir():
		entries, _ := fs.ReadDir(m.set.tree.FS(), file)
		for _, e := range entries {
			if name := e.Name(); len(m.read) < maxScripts && !e.IsDir() && m.isScript(name, path.Join(target, name), "") {
				m.script(path.Join(file, name), path.Join(target, name))
			}
		}
	case !m.script(file, target):
		ref := &manifest.Ref{Name: path.Base(source), Kind: manifest.RefFile}
		m.deliver(manifest.ChannelFile, variableOf(target, manifest.Expr{{Ref: ref}}, m.stepOf(w)))
	}
}

// script reads a file, and notes it and reports true where it is a script. One that
// cannot be read is not a problem of the unit's.
func (m mounter) script(name, target string) bool {
	if m.read[name] {
		return true
	}
	data, err := m.set.tree.Read(name)
	if err != nil || !m.set.spend(len(data), name) || !m.isScript(name, target, string(data)) || !shell.IsShell(string(data)) {
		return false
	}
	if p := shell.Unread(name, string(data), manifest.Notice); p != nil {
		m.set.report(p)
	}
	m.read[name] = true
	m.set.tree.As(name, shell.Script)
	m.Scripts = append(m.Scripts, manifest.ScriptFile(name, data))
	return true
}
