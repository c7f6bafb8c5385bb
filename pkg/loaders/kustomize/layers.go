package kustomize

import (
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
	"sigs.k8s.io/kustomize/api/resource"

	"github.com/derekg1729/dsnlint/pkg/manifest"
	"github.com/derekg1729/dsnlint/pkg/source"
)

// layers are the texts that a rendered object was made from, the last one to be
// applied first.
type layers struct {
	list []layer
	// names are the object's name without what prefixes and suffixes added.
	names []string
	// fallback is the place of what is in no layer: the object's own.
	fallback manifest.Position
}

// layer is a piece of an object, as it is written.
type layer struct {
	file string
	// under is where in the object the piece belongs.
	under []step
	node  *yaml.Node
	// shift moves positions in an inline patch to those in the kustomization.
	shift func(manifest.Position) manifest.Position
}

// step is one step of a path into an object: a key, or an item of a list, by its
// name where it has one.
type step struct {
	key   string
	name  string
	index int
	// node is the rendered item.
	node *yaml.Node
}

func (s *scan) layers(k *kustomization, kind, name string, origin *resource.Origin) *layers {
	l := &layers{fallback: manifest.Position{File: k.file, Line: 1, Column: 1}}
	base, file := s.base(k, kind, name, origin)
	if base != nil {
		_, meta := source.Lookup(base, "metadata")
		if _, n := source.Lookup(meta, "name"); n != nil {
			l.names = append(l.names, n.Value)
		}
		l.fallback = source.NodePosition(file, base)
	}
	target := target{kind: kind, names: append([]string{name}, l.names...)}
	s.patches(k, target, l, map[*kustomization]bool{})
	if base != nil {
		l.list = append(l.list, layer{file: file, node: base})
	}
	return l
}

// base finds the object that a rendered one comes from: in the file that it
// originates in, or the generator's entry.
func (s *scan) base(k *kustomization, kind, name string, origin *resource.Origin) (*yaml.Node, string) {
	if origin == nil {
		return nil, ""
	}
	if origin.ConfiguredIn != "" {
		file := path.Join(k.dir, origin.ConfiguredIn)
		if used := s.folders[path.Dir(file)]; used != nil {
			return generator(used, kind, name), used.file
		}
		return nil, ""
	}
	file := path.Join(k.dir, origin.Path)
	var best *yaml.Node
	longest := -1
	for _, object := range flatten(s.docs[file]) {
		_, meta := source.Lookup(object, "metadata")
		_, own := source.Lookup(meta, "name")
		_, ownKind := source.Lookup(object, "kind")
		if own != nil && ownKind != nil && ownKind.Value == kind && strings.Contains(name, own.Value) && len(own.Value) > longest {
			best, longest = object, len(own.Value)
		}
	}
	return best, file
}

// flatten takes lists apart.
func flatten(docs []*yaml.Node) []*yaml.Node {
	var objects []*yaml.Node
	for _, doc := range docs {
		_, items := source.Lookup(doc, "items")
		if items = source.Resolve(items); items != nil && items.Kind == yaml.SequenceNode {
			objects = append(objects, items.Content...)
			continue
		}
		objects = append(objects, doc)
	}
	return objects
}

// generator finds the entry of a generator; its name is a part of the rendered
// one, which has prefix, suffix and hash.
func generator(k *kustomization, kind, name string) *yaml.Node {
	field := "configMapGenerator"
	if kind == "Secret" {
		field = "secretGenerator"
	}
	_, list := source.Lookup(k.root, field)
	if list = source.Resolve(list); list == nil {
		return nil
	}
	for _, item := range list.Content {
		if _, own := source.Lookup(item, "name"); own != nil && strings.Contains(name, own.Value) {
			return source.Resolve(item)
		}
	}
	return nil
}

// target is the object that a patch may be meant for.
type target struct {
	kind  string
	names []string
}

func (t target) is(kind, name string) bool {
	return matches(kind, t.kind) && slices.ContainsFunc(t.names, func(own string) bool { return matches(name, own) })
}

// matches compares as kustomize's selectors do: by an anchored expression; an
// empty one matches all.
func matches(pattern, text string) bool {
	if pattern == "" || pattern == text {
		return true
	}
	re, err := regexp.Compile("^(?:" + pattern + ")$")
	return err == nil && re.MatchString(text)
}

// patches adds the patches that meet the target, those of the root before those
// of what it uses.
func (s *scan) patches(k *kustomization, t target, l *layers, seen map[*kustomization]bool) {
	if seen[k] {
		return
	}
	seen[k] = true
	for _, field := range []string{"patches", "patchesJson6902", "patchesStrategicMerge"} {
		_, list := source.Lookup(k.root, field)
		if list = source.Resolve(list); list == nil {
			continue
		}
		for i := len(list.Content) - 1; i >= 0; i-- {
			s.patch(k, source.Resolve(list.Content[i]), t, l)
		}
	}
	for i := len(k.uses) - 1; i >= 0; i-- {
		s.patches(k.uses[i], t, l, seen)
	}
}

// patch adds one patch: a file, or text that stands in the kustomization.
func (s *scan) patch(k *kustomization, item *yaml.Node, t target, l *layers) {
	var kind, name string
	text := item
	if item.Kind == yaml.MappingNode {
		_, selector := source.Lookup(item, "target")
		kind, name = value(selector, "kind"), value(selector, "name")
		if selector != nil && !t.is(kind, name) {
			return
		}
		_, text = source.Lookup(item, "patch")
		if file := value(item, "path"); file != "" {
			s.patchDocs(path.Join(k.dir, file), s.docs[path.Join(k.dir, file)], selector != nil, nil, t, l)
			return
		}
	}
	if text = source.Resolve(text); text == nil || text.Kind != yaml.ScalarNode {
		return
	}
	if !strings.Contains(text.Value, "\n") {
		file := path.Join(k.dir, text.Value)
		if docs, ok := s.docs[file]; ok {
			s.patchDocs(file, docs, false, nil, t, l)
			return
		}
	}
	inlined := s.inline(k.file, text)
	s.patchDocs(k.file, inlined.docs, kind != "", inlined.shift, t, l)
}

// inlinePatch is a patch that stands in a kustomization.
type inlinePatch struct {
	docs []*yaml.Node
	// shift moves positions in the patch to those in the kustomization.
	shift func(manifest.Position) manifest.Position
}

// inline parses a patch, once for all objects that it may be meant for. Text that
// is no YAML has no documents.
func (s *scan) inline(file string, text *yaml.Node) inlinePatch {
	if parsed, ok := s.inlined[text]; ok {
		return parsed
	}
	parsed := inlinePatch{shift: s.shift(file, text)}
	if docs, err := source.ParseYAML(file, []byte(text.Value)); err == nil {
		for _, doc := range docs {
			if len(doc.Content) == 1 {
				parsed.docs = append(parsed.docs, source.Resolve(doc.Content[0]))
			}
		}
	}
	s.inlined[text] = parsed
	return parsed
}

func value(mapping *yaml.Node, key string) string {
	_, v := source.Lookup(mapping, key)
	if v = source.Resolve(v); v == nil {
		return ""
	}
	return v.Value
}

// shift moves positions in the text of a block scalar into its file: it begins
// on the line behind the node, indented as its first line is.
func (s *scan) shift(file string, text *yaml.Node) func(manifest.Position) manifest.Position {
	block := text.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0
	indent := 0
	if data, err := s.tree.Read(file); err == nil && block {
		lines := strings.Split(string(data), "\n")
		for i := text.Line; i < len(lines); i++ {
			if trimmed := strings.TrimLeft(lines[i], " "); trimmed != "" {
				indent = len(lines[i]) - len(trimmed)
				break
			}
		}
	}
	return func(p manifest.Position) manifest.Position {
		if !block {
			return source.NodePosition(file, text)
		}
		p.Line, p.Column = p.Line+text.Line, p.Column+indent
		if p.EndLine > 0 {
			p.EndLine, p.EndColumn = p.EndLine+text.Line, p.EndColumn+indent
		}
		return p
	}
}

// patchDocs adds the documents of a patch: JSON 6902 operations, or objects for a
// strategic merge. One without a target says itself what it is for.
func (s *scan) patchDocs(file string, docs []*yaml.Node, targeted bool, shift func(manifest.Position) manifest.Position, t target, l *layers) {
	for _, doc := range docs {
		if doc.Kind == yaml.SequenceNode {
			for i := len(doc.Content) - 1; i >= 0; i-- {
				op := doc.Content[i]
				_, node := source.Lookup(op, "value")
				if pointer := value(op, "path"); node != nil && pointer != "" {
					l.list = append(l.list, layer{file: file, under: pointerSteps(pointer), node: source.Resolve(node), shift: shift})
				}
			}
			continue
		}
		_, meta := source.Lookup(doc, "metadata")
		if targeted || t.is(value(doc, "kind"), value(meta, "name")) {
			l.list = append(l.list, layer{file: file, node: doc, shift: shift})
		}
	}
}

// pointerSteps reads a JSON pointer. See https://www.rfc-editor.org/rfc/rfc6901.
func pointerSteps(pointer string) []step {
	var steps []step
	for _, part := range strings.Split(strings.TrimPrefix(pointer, "/"), "/") {
		part = strings.NewReplacer("~1", "/", "~0", "~").Replace(part)
		index, err := strconv.Atoi(part)
		if err != nil {
			index = 0
		}
		steps = append(steps, step{key: part, index: index})
	}
	return steps
}

// locate gives every node of a rendered object its place.
func (l *layers) locate(root *yaml.Node) map[*yaml.Node]manifest.Position {
	places := map[*yaml.Node]manifest.Position{}
	var walk func(node *yaml.Node, at []step, above manifest.Position)
	walk = func(node *yaml.Node, at []step, above manifest.Position) {
		if node.Kind == yaml.MappingNode {
			for i := 0; i+1 < len(node.Content); i += 2 {
				key, child := node.Content[i], node.Content[i+1]
				steps := slices.Concat(at, []step{{key: key.Value}})
				k, v := l.find(steps, child)
				keyPlace, valuePlace := above, above
				if v.Line > 0 {
					keyPlace, valuePlace = k, v
				}
				places[key], places[child] = keyPlace, valuePlace
				walk(child, steps, keyPlace)
			}
			return
		}
		for i, child := range node.Content {
			steps := slices.Concat(at, []step{{name: value(child, "name"), index: i, node: child}})
			_, v := l.find(steps, child)
			if v.Line == 0 {
				v = above
			}
			places[child] = v
			walk(child, steps, v)
		}
	}
	places[root] = l.fallback
	walk(root, nil, l.fallback)
	return places
}

// find looks for a path in the layers. Of several that have it the one counts
// that wrote the value that is there, else the last.
func (l *layers) find(steps []step, rendered *yaml.Node) (key, value manifest.Position) {
	for _, sameValue := range []bool{true, false} {
		for _, layer := range l.list {
			k, v := layer.lookup(steps)
			if v == nil || sameValue && (rendered.Kind == yaml.ScalarNode) && v.Value != rendered.Value {
				continue
			}
			if k == nil {
				k = v
			}
			return layer.position(k), layer.position(v)
		}
	}
	return manifest.Position{}, manifest.Position{}
}

func (l layer) position(node *yaml.Node) manifest.Position {
	p := source.NodePosition(l.file, node)
	if l.shift != nil {
		p = l.shift(p)
	}
	return p
}

// lookup follows a path into the layer.
func (l layer) lookup(steps []step) (key, value *yaml.Node) {
	if len(steps) < len(l.under) {
		return nil, nil
	}
	last := len(l.under) - 1
	for i, under := range l.under {
		isItem := steps[i].key == ""
		switch {
		case !isItem && steps[i].key != under.key:
			return nil, nil
		case isItem && i == last:
			// An item that a patch adds moves those behind it, so that it is told
			// by what it is.
			if !sameItem(l.node, steps[i]) {
				return nil, nil
			}
		case isItem && under.index != steps[i].index:
			return nil, nil
		}
	}
	value = l.node
	for _, s := range steps[len(l.under):] {
		if value = source.Resolve(value); value == nil {
			return nil, nil
		}
		key = nil
		if s.key != "" {
			key, value = source.Lookup(value, s.key)
			continue
		}
		value = item(value, s)
	}
	return key, source.Resolve(value)
}

// item finds an item of a list: the one that is the same, else the one in the same
// place, which a patch has changed.
func item(list *yaml.Node, s step) *yaml.Node {
	if list.Kind != yaml.SequenceNode {
		return nil
	}
	for _, child := range list.Content {
		if child = source.Resolve(child); sameItem(child, s) {
			return child
		}
	}
	if s.name == "" && s.index < len(list.Content) {
		return source.Resolve(list.Content[s.index])
	}
	return nil
}

// sameItem tells items by their name, and where they have none by their content.
func sameItem(node *yaml.Node, s step) bool {
	if name := value(node, "name"); name != "" || s.name != "" {
		return name == s.name
	}
	return s.node != nil && equal(node, s.node)
}

func equal(a, b *yaml.Node) bool {
	a, b = source.Resolve(a), source.Resolve(b)
	if a.Kind != b.Kind || a.Value != b.Value {
		return false
	}
	if a.Kind != yaml.MappingNode {
		return slices.EqualFunc(a.Content, b.Content, equal)
	}
	count := 0
	for key, x := range source.Entries(a) {
		if _, y := source.Lookup(b, key.Value); y == nil || !equal(x, y) {
			return false
		}
		count++
	}
	return 2*count == len(b.Content)
}
