package compose

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"github.com/derekg1729/dsnlint/pkg/internal/interp"
	"github.com/derekg1729/dsnlint/pkg/internal/source"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// renderer writes a unit again for compose-go: the same document, with aliases
// and merge keys expanded, tokens in the place of texts, what is included and
// extended named by the paths of checked files, and without what Compose would
// stumble over only because a variable has no value here.
type renderer struct {
	p *project
	u *unit
}

// place is where in a unit the renderer is.
type place struct {
	ref
	attr string
	via  []*yaml.Node
}

func (at place) in(attr string) place {
	if at.attr != "" {
		attr = at.attr + "." + attr
	}
	at.attr = attr
	return at
}

func (at place) through(via []*yaml.Node) place {
	at.via = slices.Concat(at.via, via)
	return at
}

// shape writes the value of one attribute; nil where there is nothing to write.
type shape func(r *renderer, at place, node *yaml.Node) *part

// render returns the documents of a unit.
func (p *project) render(u *unit) []*part {
	r := &renderer{p, u}
	var documents []*part
	for _, root := range u.documents {
		document := r.tagged(place{ref: ref{unit: u}}, root, func(at place, root *yaml.Node) *part {
			return r.document(at, root)
		})
		if document != nil {
			document.at = root
			documents = append(documents, document)
		}
	}
	return documents
}

func (r *renderer) document(at place, root *yaml.Node) *part {
	return r.mapping(at, root, func(at place, key string, e entry) *part {
		switch {
		case key == "version", strings.HasPrefix(key, "x-"):
			// Both have no effect; a fragment counts where it is aliased in.
			return nil
		case r.u.kind == baseUnit && key != "services":
			return nil
		}
		switch key {
		case "include":
			return r.includes(root)
		case "services", "jobs":
			return r.tagged(at, e.value, func(at place, node *yaml.Node) *part {
				return r.services(at, key, node)
			})
		case "secrets", "configs":
			return r.tagged(at, e.value, func(at place, node *yaml.Node) *part {
				return r.definitions(at, key, node)
			})
		case "networks", "volumes", "models":
			return r.tagged(at, e.value, func(at place, node *yaml.Node) *part {
				return r.mapping(at, node, func(at place, _ string, e entry) *part {
					return externalName(nested(nil)(r, at, e.value))
				})
			})
		case "name":
			return optional(r, at, e.value)
		}
		return r.plain(at, e.value)
	})
}

// includes names the files of each include item by their paths for compose-go.
// Their variables are already looked up, so that no .env is to be read.
func (r *renderer) includes(root *yaml.Node) *part {
	if len(r.u.included[root]) == 0 {
		return nil
	}
	items := sequenceOf()
	for _, group := range r.u.included[root] {
		paths := sequenceOf()
		for _, included := range group {
			paths.items = append(paths.items, r.text(included.path))
		}
		item := mappingOf(
			field{name: "path", value: paths},
			field{name: "project_directory", value: r.text(r.p.tree.Abs(group[0].dir))},
			field{name: "env_file", value: sequenceOf(r.text("/dev/null"))},
		)
		item.units = group
		items.items = append(items.items, item)
	}
	return items
}

func (r *renderer) services(at place, section string, node *yaml.Node) *part {
	return r.mapping(at, node, func(at place, name string, e entry) *part {
		if r.u.kind == baseUnit && !r.u.wanted[name] {
			return nil
		}
		at = place{ref: ref{r.u, section, name}, via: at.via}
		return r.tagged(at, e.value, func(at place, node *yaml.Node) *part {
			service := r.marked(at, e.key, node, serviceShape)
			service.base = r.p.bases[name]
			return service
		})
	})
}

// marked writes a mapping with a stand-in of its own.
func (r *renderer) marked(at place, key, node *yaml.Node, shapeOf func(string) shape) *part {
	if node.Kind != yaml.MappingNode {
		return r.bare(at, node)
	}
	marked := r.mapping(at, node, func(at place, name string, e entry) *part {
		if strings.HasPrefix(name, "x-") {
			return nil
		}
		return shapeOf(name)(r, at.in(name), e.value)
	})
	mark := r.mark(&origin{ref: at.ref, attr: at.attr, at: key, value: node, via: at.via})
	marked.entries = append([]field{mark}, marked.entries...)
	return marked
}

func (r *renderer) mark(o *origin) field {
	return field{name: originKey, value: r.standIn(o)}
}

func (r *renderer) standIn(o *origin) *part { return textOf(r.p.tokens.standIn(o)) }

func serviceShape(name string) shape {
	switch name {
	case "environment", "labels", "annotations":
		return pairs
	case "command", "entrypoint", "image", "restart":
		return opaque
	case "secrets", "configs":
		return mounts
	case "env_file":
		return envFiles
	case "label_file":
		return labelFiles
	case "extends":
		return extends
	case "depends_on":
		return dependencies
	case "healthcheck":
		return nested(map[string]shape{"test": opaque})
	case "deploy":
		return nested(map[string]shape{
			"labels":         pairs,
			"restart_policy": nested(map[string]shape{"condition": opaque}),
		})
	case "build":
		return nested(map[string]shape{
			"args": pairs, "labels": pairs, "secrets": mounts, "dockerfile_inline": opaque, "context": text,
		})
	case "post_start", "pre_stop":
		return each(func(name string) shape {
			switch name {
			case "command":
				return opaque
			case "environment":
				return pairs
			}
			return optional
		})
	case "pre_start":
		return each(serviceShape)
	case "ports":
		return ports
	case "develop":
		// compose-go would follow the links of the directories that it watches.
		return none
	}
	return optional
}

func none(*renderer, place, *yaml.Node) *part { return nil }

// text is a shape for a text that may be blank.
func text(r *renderer, at place, node *yaml.Node) *part { return r.plain(at, node) }

// optional is the shape of what tells nothing of what a container receives. It
// is left out where a variable in it has no value, so that compose-go does not
// fail on the blank; of a list, only the items are.
func optional(r *renderer, at place, node *yaml.Node) *part {
	return r.tagged(at, node, func(at place, node *yaml.Node) *part {
		if !r.missing(node) {
			return r.bare(at, node)
		}
		if node.Kind != yaml.SequenceNode {
			return nil
		}
		list := sequenceOf()
		for _, item := range node.Content {
			if !r.missing(item) {
				list.add(item, r.plain(at, item))
			}
		}
		return list.unlessEmpty()
	})
}

// maxPorts is how many ports one entry may publish to be looked at. compose-go
// makes an entry for each, and no port says what a container receives.
const maxPorts = 1000

var portRange = regexp.MustCompile(`(\d+)-(\d+)`)

// ports is the shape of ports: optional, without long ranges.
func ports(r *renderer, at place, node *yaml.Node) *part {
	return r.tagged(at, node, func(at place, node *yaml.Node) *part {
		if node.Kind != yaml.SequenceNode {
			return optional(r, at, node)
		}
		short := *node
		short.Content = slices.DeleteFunc(slices.Clone(node.Content), func(item *yaml.Node) bool {
			for _, m := range portRange.FindAllStringSubmatch(r.p.text(r.u, item), -1) {
				first, _ := strconv.Atoi(m[1])
				last, _ := strconv.Atoi(m[2])
				if last-first >= maxPorts {
					return true
				}
			}
			return false
		})
		return optional(r, at, &short)
	})
}

// missing reports whether a variable without a value leaves a blank in a node.
func (r *renderer) missing(node *yaml.Node) bool {
	switch node = source.Resolve(node); node.Kind {
	case yaml.ScalarNode:
		return r.p.eval(r.u, node).missing
	case yaml.MappingNode:
		for _, e := range flatten(node) {
			if r.missing(e.value) {
				return true
			}
		}
	case yaml.SequenceNode:
		return slices.ContainsFunc(node.Content, r.missing)
	default:
		// Nothing else is left once aliases are resolved.
	}
	return false
}

// nested is the shape of a mapping some of whose attributes have a shape.
func nested(shapes map[string]shape) shape {
	return func(r *renderer, at place, node *yaml.Node) *part {
		return r.tagged(at, node, func(at place, node *yaml.Node) *part {
			if node.Kind != yaml.MappingNode {
				return r.bare(at, node)
			}
			return r.mapping(at, node, func(at place, name string, e entry) *part {
				if strings.HasPrefix(name, "x-") {
					return nil
				}
				if shape := shapes[name]; shape != nil {
					return shape(r, at.in(name), e.value)
				}
				return optional(r, at.in(name), e.value)
			})
		})
	}
}

// each is the shape of a list of mappings.
func each(shapeOf func(string) shape) shape {
	return func(r *renderer, at place, node *yaml.Node) *part {
		return r.items(at, node, func(at place, item *yaml.Node) *part {
			return r.marked(at, item, item, shapeOf)
		})
	}
}

// items writes a list, through aliases and tags.
func (r *renderer) items(at place, node *yaml.Node, write func(place, *yaml.Node) *part) *part {
	return r.tagged(at, node, func(at place, node *yaml.Node) *part {
		return r.sequence(at, node, write)
	})
}

// sequence writes a list; anything else is left to compose-go's validation.
func (r *renderer) sequence(at place, node *yaml.Node, write func(place, *yaml.Node) *part) *part {
	if node.Kind != yaml.SequenceNode {
		return r.bare(at, node)
	}
	list := sequenceOf()
	for _, item := range node.Content {
		list.add(item, r.tagged(at, item, write))
	}
	if len(node.Content) == 0 {
		return list
	}
	return list.unlessEmpty()
}

// opaque is the shape of a text, or a list of texts, that compose-go need not
// understand.
func opaque(r *renderer, at place, node *yaml.Node) *part {
	return r.tagged(at, node, func(at place, node *yaml.Node) *part {
		if node.Kind == yaml.SequenceNode {
			return r.sequence(at, node, func(at place, item *yaml.Node) *part {
				return r.opaqueText(at, item, whole)
			})
		}
		return r.opaqueText(at, node, line)
	})
}

func (r *renderer) opaqueText(at place, node *yaml.Node, form form) *part {
	if !isText(node) {
		return r.bare(at, node)
	}
	e := r.p.eval(r.u, node)
	return r.standIn(&origin{
		ref: at.ref, attr: at.attr, at: node, value: node, via: at.via, form: form, evaluation: e,
	})
}

// pairs is the shape of names with values, as a mapping or as a list.
func pairs(r *renderer, at place, node *yaml.Node) *part {
	return r.tagged(at, node, func(at place, node *yaml.Node) *part {
		switch node.Kind {
		case yaml.MappingNode:
			return r.mapping(at, node, func(at place, name string, e entry) *part {
				return r.tagged(at, e.value, func(at place, node *yaml.Node) *part {
					return r.mapPair(at, name, e.key, node)
				})
			})
		case yaml.SequenceNode:
			return r.sequence(at, node, r.listPair)
		default:
			return r.bare(at, node)
		}
	})
}

func (r *renderer) mapPair(at place, name string, key, node *yaml.Node) *part {
	if node.Kind != yaml.ScalarNode {
		return r.bare(at, node)
	}
	o := &origin{ref: at.ref, attr: at.attr, at: key, value: node, via: at.via, name: name}
	switch {
	case isText(node):
		o.evaluation = r.p.eval(r.u, node)
	case node.ShortTag() == "!!null":
		o.form = passMap
	default:
		var value any
		if node.Decode(&value) != nil {
			return r.bare(at, node)
		}
		o.text = fmt.Sprint(value)
		o.template = interp.Template{{Text: o.text}}
	}
	return r.standIn(o)
}

func (r *renderer) listPair(at place, node *yaml.Node) *part {
	if !isText(node) {
		return r.bare(at, node)
	}
	e := r.p.eval(r.u, node)
	name, text, ok := strings.Cut(e.text, "=")
	o := &origin{
		ref: at.ref, attr: at.attr, at: node, value: node, via: at.via,
		form: pair, name: name, written: writtenName(e.template, r.u.scope), evaluation: e,
	}
	o.text = text
	if !ok {
		o.form = passList
	}
	return textOf(name + "=" + r.p.tokens.standIn(o))
}

// mounts is the shape of secrets and configs. The short form is written as the
// long one, which has room for a stand-in.
func mounts(r *renderer, at place, node *yaml.Node) *part {
	return r.items(at, node, func(at place, item *yaml.Node) *part {
		if isText(item) {
			mark := r.mark(&origin{ref: at.ref, attr: at.attr, at: item, value: item, via: at.via})
			return mappingOf(mark, field{name: "source", value: r.text(r.p.eval(r.u, item).text)})
		}
		return r.marked(at, item, item, func(string) shape { return text })
	})
}

// dependencies is the shape of depends_on, which is always written in its long
// form.
func dependencies(r *renderer, at place, node *yaml.Node) *part {
	return r.tagged(at, node, func(at place, node *yaml.Node) *part {
		switch node.Kind {
		case yaml.MappingNode:
			return r.mapping(at, node, func(at place, _ string, e entry) *part {
				return r.tagged(at, e.value, func(at place, node *yaml.Node) *part {
					return r.marked(at, e.key, node, func(string) shape { return optional })
				})
			})
		case yaml.SequenceNode:
			return r.shortDependencies(at, node)
		default:
			return r.bare(at, node)
		}
	})
}

func (r *renderer) shortDependencies(at place, node *yaml.Node) *part {
	entries := mappingOf()
	seen := map[string]bool{}
	for _, item := range node.Content {
		resolved := source.Resolve(item)
		if !isText(resolved) {
			return r.bare(at, node)
		}
		name := r.p.eval(r.u, resolved).text
		if name == "" || seen[name] {
			continue
		}
		seen[name] = true
		mark := r.mark(&origin{ref: at.ref, attr: at.attr, at: item, value: item, via: at.via})
		entries.entries = append(entries.entries, field{name: name, value: mappingOf(
			field{name: "condition", value: textOf("service_started")}, field{name: "required", value: plainOf("true")}, mark,
		)})
		entries.entries[len(entries.entries)-1].value.at = item
	}
	return entries
}

// extends names the extended file by its path for compose-go.
func extends(r *renderer, at place, node *yaml.Node) *part {
	return r.tagged(at, node, func(_ place, node *yaml.Node) *part {
		e := r.u.extends[node]
		if e == nil {
			return nil
		}
		base := mappingOf(field{name: "service", value: r.text(e.base.name)})
		if e.file {
			base.entries = append(base.entries, field{name: "file", value: r.text(e.base.unit.path)})
		}
		return base
	})
}

// fileItem is an item of env_file or label_file whose file was read.
type fileItem struct {
	fileKey
	format string
	at     *yaml.Node
	via    []*yaml.Node
}

// fileKey is a file and the definition that names it.
type fileKey struct {
	ref
	attr string
	// file is relative to the root.
	file string
}

// The attributes that name files.
const (
	envFileAttr   = "env_file"
	labelFileAttr = "label_file"
)

// envFiles is the shape of env_file; what is missing is left out.
func envFiles(r *renderer, at place, node *yaml.Node) *part {
	return r.files(at, node, func(at place, item *yaml.Node) *part {
		given, format := item, ""
		if item.Kind == yaml.MappingNode {
			_, given = source.Lookup(item, "path")
			if _, node := source.Lookup(item, "format"); node != nil {
				format = r.p.text(r.u, node)
			}
		}
		if given == nil {
			return r.bare(at, item)
		}
		if format != "" && format != "raw" {
			r.p.failAt(r.u, item, manifest.Say("the only supported format is raw"), manifest.Say("unsupported format of an env file"))
			return nil
		}
		if !r.file(at, envFileAttr, item, given, format) {
			r.p.partial[at.ref] = true
			return nil
		}
		return mappingOf(field{name: "path", value: r.text(r.p.text(r.u, given))})
	})
}

// labelFiles is the shape of label_file; what is missing is left out.
func labelFiles(r *renderer, at place, node *yaml.Node) *part {
	return r.files(at, node, func(at place, item *yaml.Node) *part {
		if !r.file(at, labelFileAttr, item, item, "") {
			return nil
		}
		return r.text(r.p.text(r.u, item))
	})
}

func (r *renderer) files(at place, node *yaml.Node, write func(place, *yaml.Node) *part) *part {
	return r.tagged(at, node, func(at place, node *yaml.Node) *part {
		if isText(node) {
			list := sequenceOf()
			list.add(node, write(at, node))
			return list.unlessEmpty()
		}
		return r.sequence(at, node, func(at place, item *yaml.Node) *part {
			if !isText(item) && item.Kind != yaml.MappingNode {
				return r.bare(at, item)
			}
			return write(at, item)
		})
	})
}

// file checks a file that a service reads its variables or labels from.
func (r *renderer) file(at place, attr string, item, given *yaml.Node, format string) bool {
	found, ok := r.p.envFile(r.u, item, given, manifest.Say("%s", manifest.Name(attr)))
	if !ok {
		r.p.unread[at.ref] = r.p.unread[at.ref] || attr == envFileAttr
		return false
	}
	key := fileKey{at.ref, attr, found.Name}
	r.p.files[key] = &fileItem{fileKey: key, format: format, at: item, via: at.via}
	return true
}

// definitions writes the top-level secrets or configs.
func (r *renderer) definitions(at place, section string, node *yaml.Node) *part {
	return r.mapping(at, node, func(at place, name string, e entry) *part {
		at = place{ref: ref{r.u, section, name}, via: at.via}
		return r.tagged(at, e.value, func(at place, node *yaml.Node) *part {
			return externalName(r.marked(at, e.key, node, definitionShape))
		})
	})
}

func definitionShape(name string) shape {
	switch name {
	case "name", "file", "environment", "content":
		return opaque
	case "external":
		return external
	}
	return optional
}

// external is the shape of a flag whose presence matters more than its value.
func external(r *renderer, at place, node *yaml.Node) *part {
	if source.Resolve(node).Kind == yaml.MappingNode {
		return nested(map[string]shape{"name": opaque})(r, at, node)
	}
	if r.missing(node) {
		return plainOf("true")
	}
	return r.plain(at, node)
}

// externalName turns external: {name: NAME} into external: true and name: NAME,
// since compose-go does the same and logs it.
func externalName(definition *part) *part {
	if definition == nil {
		return nil
	}
	for i, e := range definition.entries {
		if e.name != "external" || e.value.child("name") == nil {
			continue
		}
		name := e.value.child("name")
		external := plainOf("true")
		external.at, external.tag = e.value.at, e.value.tag
		definition.entries[i].value = external
		if definition.child("name") == nil {
			definition.entries = append(definition.entries, field{name: "name", value: name})
		}
		break
	}
	return definition
}

// tagged resolves aliases and sees to the tags by which one file cuts off what
// the files below it give.
//
// See https://docs.docker.com/reference/compose-file/merge/#reset-value.
func (r *renderer) tagged(at place, node *yaml.Node, write func(place, *yaml.Node) *part) *part {
	for node.Kind == yaml.AliasNode {
		at = at.through([]*yaml.Node{node})
		node = node.Alias
	}
	if node.Tag == "!reset" {
		reset := plainOf("null")
		reset.tag = "!reset"
		return reset
	}
	written := write(at, node)
	if written != nil && node.Tag == "!override" {
		written.tag = "!override"
	}
	return written
}

// plain writes a node of which nothing is to be left out.
func (r *renderer) plain(at place, node *yaml.Node) *part { return r.tagged(at, node, r.bare) }

// bare is plain for a node whose aliases and tags are already seen to.
func (r *renderer) bare(at place, node *yaml.Node) *part {
	switch node.Kind {
	case yaml.MappingNode:
		return r.mapping(at, node, func(at place, _ string, e entry) *part { return r.plain(at, e.value) })
	case yaml.SequenceNode:
		list := r.sequence(at, node, r.bare)
		if list == nil {
			return sequenceOf()
		}
		return list
	default:
		return r.scalar(node)
	}
}

func (r *renderer) scalar(node *yaml.Node) *part {
	switch {
	case isText(node):
		return r.text(r.p.eval(r.u, node).text)
	case node.Style&yaml.TaggedStyle != 0:
		return plainOf(node.ShortTag() + " " + quote(node.Value))
	case node.Value == "":
		return plainOf("null")
	}
	return plainOf(node.Value)
}

func (r *renderer) text(s string) *part { return textOf(r.p.tokens.number(s)) }

// entry is an entry of a mapping, its own or merged.
type entry struct {
	key, value *yaml.Node
	// via are the aliases of the merge keys.
	via []*yaml.Node
	// cut tells that a merged entry which this one hides has a tag that cuts.
	cut bool
}

// flatten returns the entries of a mapping with its merge keys, each key once.
func flatten(mapping *yaml.Node) []*entry {
	var all []*entry
	known := map[string]*entry{}
	var add func(mapping *yaml.Node, via []*yaml.Node)
	add = func(mapping *yaml.Node, via []*yaml.Node) {
		for mapping.Kind == yaml.AliasNode {
			via = append(via[:len(via):len(via)], mapping)
			mapping = mapping.Alias
		}
		if mapping.Kind == yaml.SequenceNode {
			for _, item := range mapping.Content {
				add(item, via)
			}
			return
		}
		var merges []*yaml.Node
		for i := 0; i+1 < len(mapping.Content); i += 2 {
			key, value := source.Resolve(mapping.Content[i]), mapping.Content[i+1]
			switch hides := known[key.Value]; {
			case key.ShortTag() == "!!merge":
				merges = append(merges, value)
			case hides != nil:
				tag := source.Resolve(value).Tag
				hides.cut = hides.cut || tag == "!reset" || tag == "!override"
			default:
				known[key.Value] = &entry{key: key, value: value, via: via}
				all = append(all, known[key.Value])
			}
		}
		for _, merge := range merges {
			add(merge, via)
		}
	}
	add(mapping, nil)
	return all
}

// mapping writes a mapping, and leaves out what write has nothing for.
func (r *renderer) mapping(at place, node *yaml.Node, write func(place, string, entry) *part) *part {
	if node.Kind != yaml.MappingNode {
		return r.bare(at, node)
	}
	mapping := mappingOf()
	for _, e := range flatten(node) {
		value := write(at.through(e.via), e.key.Value, *e)
		if value == nil {
			continue
		}
		if e.cut && value.tag == "" {
			value.tag = "!override"
		}
		value.at = e.key
		mapping.entries = append(mapping.entries, field{name: e.key.Value, plain: !isText(e.key), value: value})
	}
	return mapping
}

// quote writes a text in double quotes, in ASCII.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r >= ' ' && r <= '~':
			b.WriteRune(r)
		case r <= 0xffff && r != utf8.RuneError:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
