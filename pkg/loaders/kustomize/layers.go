package kustomize

import (
	"hash/maphash"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
	"sigs.k8s.io/kustomize/api/types"

	"github.com/derekg1729/dsnlint/pkg/internal/source"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// origin is a text that objects are made from: an object of a file, a generator, or
// one document of a patch. The engine is given each under a mark of its own, which
// every object that it went into shows.
type origin struct {
	at manifest.Position
	// mark is the annotation of what it went into.
	mark string
	// name is what a text that makes an object calls it, and empty for a change.
	name string
	// layers are what it writes, the last one to be applied first.
	layers []layer
	// met reports whether it went into an object.
	met bool
}

// layers are the texts that a rendered object was made from, the last one to be
// applied first.
type layers struct {
	*scan
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

// step is one step of a JSON pointer into an object: a key, or the index of an item.
type step struct {
	key   string
	index int
}

// origins lists the texts of a root, the last one to be applied first.
func (s *scan) origins(root *kustomization) []*origin {
	var list []*origin
	seen := map[*kustomization]bool{}
	var collect func(k *kustomization)
	collect = func(k *kustomization) {
		if seen[k] {
			return
		}
		seen[k] = true
		for _, p := range slices.Backward(k.patches) {
			list = append(list, p.origins...)
		}
		for _, g := range slices.Backward(k.generated) {
			list = append(list, g.origin)
		}
		for _, used := range slices.Backward(k.uses) {
			collect(used)
		}
		for _, file := range k.resources {
			list = append(list, s.files[file].origins...)
		}
	}
	collect(root)
	return list
}

// layers returns those that a rendered object shows the marks of.
func (s *scan) layers(origins []*origin, marked *yaml.Node) *layers {
	l := &layers{scan: s}
	shown := mapping(mapping(marked, "metadata"), "annotations")
	for _, o := range origins {
		if mapping(shown, o.mark) == nil {
			continue
		}
		o.met = true
		l.list = append(l.list, o.layers...)
		if o.name != "" {
			l.names, l.fallback = append(l.names, o.name), o.at
		}
	}
	return l
}

// flatten takes lists apart.
func flatten(docs []*yaml.Node) []*yaml.Node {
	var objects []*yaml.Node
	for _, doc := range docs {
		if items := source.Resolve(mapping(doc, "items")); items != nil && items.Kind == yaml.SequenceNode {
			objects = append(objects, items.Content...)
			continue
		}
		objects = append(objects, doc)
	}
	return objects
}

// patch is an entry of a kustomization's patches.
type patch struct {
	at   manifest.Position
	file string
	docs []*yaml.Node
	// shift moves positions in an inline patch to those in the kustomization.
	shift func(manifest.Position) manifest.Position

	target *types.Selector
	kind   pattern
	// nodes and bytes are how much it holds, and copies how many of its operations
	// copy within an object.
	nodes, bytes, copies int

	// origins are its documents. marked is the text of all of them with marks, and
	// input the name of the file that the engine has for it; empty for an inline one.
	origins []*origin
	marked  []byte
	input   string
}

// met reports whether a rendered object was one that it is for.
func (p *patch) met() bool {
	return slices.ContainsFunc(p.origins, func(o *origin) bool { return o.met })
}

// compile completes a patch that was read.
func (p *patch) compile() {
	if p.target != nil {
		p.kind = compile(p.target.Kind)
	}
	for _, doc := range p.docs {
		p.nodes += nodesOf(doc)
		if doc.Kind != yaml.SequenceNode {
			continue
		}
		for _, op := range doc.Content {
			if value(op, "op") == "copy" {
				p.copies++
			}
		}
	}
}

// pattern is a selector's text: an anchored expression, and empty for all.
type pattern struct {
	text string
	re   *regexp.Regexp
	any  bool
}

func compile(text string) pattern {
	p := pattern{text: text, any: text == ""}
	if regexp.QuoteMeta(text) != text {
		if re, err := regexp.Compile("^(?:" + text + ")$"); err == nil {
			p.re = re
		}
	}
	return p
}

func (p pattern) matches(text string) bool {
	return p.any || text == p.text || p.re != nil && p.re.MatchString(text)
}

// layersOf are what a document of a patch writes: an object for a strategic merge, or
// JSON 6902 operations, the last one first.
func (p *patch) layersOf(doc *yaml.Node) []layer {
	if doc.Kind != yaml.SequenceNode {
		return []layer{{file: p.file, node: doc, shift: p.shift}}
	}
	var list []layer
	for _, op := range slices.Backward(doc.Content) {
		node := source.Resolve(mapping(op, "value"))
		if pointer := value(op, "path"); node != nil && pointer != "" {
			list = append(list, layer{file: p.file, under: pointerSteps(pointer), node: node, shift: p.shift})
		}
	}
	return list
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
	block := isBlock(text)
	indent := 0
	if data, err := s.tree.Read(file); err == nil && block {
		indent = indentBehind(data, text.Line)
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

func isBlock(node *yaml.Node) bool { return node.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 }

// indentBehind is the indentation of the first line behind a line that is not
// empty.
func indentBehind(data []byte, line int) int {
	number := 0
	for text := range strings.Lines(string(data)) {
		number++
		if trimmed := strings.TrimLeft(text, " "); number > line && strings.TrimRight(trimmed, "\r\n") != "" {
			return len(text) - len(trimmed)
		}
	}
	return 0
}

// pointerSteps reads a JSON pointer. See https://www.rfc-editor.org/rfc/rfc6901.
func pointerSteps(pointer string) []step {
	var steps []step
	for part := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		part = strings.NewReplacer("~1", "/", "~0", "~").Replace(part)
		index, err := strconv.Atoi(part)
		if err != nil {
			index = 0
		}
		steps = append(steps, step{key: part, index: index})
	}
	return steps
}

// locate returns every node of a rendered object its place. It goes through the
// object, its marked twin and its layers at once, so that it costs what they hold.
func (l *layers) locate(root, marked *yaml.Node) map[*yaml.Node]place {
	above := place{position: l.fallback}
	w := walker{layers: l, places: map[*yaml.Node]place{root: above}, ids: map[*yaml.Node]string{}}
	cursors := make([]cursor, len(l.list))
	for i := range l.list {
		cursors[i] = cursor{layer: i, node: l.list[i].node}
	}
	w.walk(root, marked, cursors, above)
	return w.places
}

// place is where a node of a rendered object is written. It is own where the node is
// an entry or item of an object or of a patch like one.
type place struct {
	position manifest.Position
	own      bool
}

type walker struct {
	*layers
	places map[*yaml.Node]place
	ids    map[*yaml.Node]string
}

// cursor is where in a layer the object's node is.
type cursor struct {
	layer int
	// depth counts the steps of the layer's way into the object that were taken.
	depth int
	node  *yaml.Node
}

// hit is what a layer has at a node of the object. Value is nil where the layer
// only begins below.
type hit struct {
	cursor
	key, value *yaml.Node
}

func (w *walker) walk(node, marked *yaml.Node, cursors []cursor, above place) {
	above.own = false
	switch node.Kind { //nolint:exhaustive // the other kinds hold nothing
	case yaml.MappingNode:
		hits := w.keys(cursors)
		for i := 0; i+1 < len(node.Content); i += 2 {
			key, child := node.Content[i], node.Content[i+1]
			below := hits[key.Value]
			keyPlace, valuePlace := above, above
			if h := decisive(below, child); h != nil {
				keyPlace, valuePlace = w.place(h, h.key, child), w.place(h, h.value, child)
			}
			w.places[key], w.places[child] = keyPlace, valuePlace
			w.walk(child, mapping(marked, key.Value), cursorsOf(below), keyPlace)
		}
	case yaml.SequenceNode:
		items := w.items(cursors)
		counted := slices.ContainsFunc(cursors, w.counts)
		for i, child := range node.Content {
			twin := itemOf(marked, node, i)
			mark := w.item(twin)
			below := items.of(w.id(child), i, mark)
			place := above
			switch h := decisive(below, child); {
			case mark != nil:
				place = mark.place
			case child.Kind == yaml.MappingNode:
				// Its mark is lost, and another item may look the same.
				place.position = manifest.Position{File: above.position.File}
			case h != nil:
				place = w.place(h, h.value, child)
			}
			place.own = place.own && !counted
			w.places[child] = place
			w.walk(child, twin, cursorsOf(below), place)
		}
	}
}

// itemOf returns the item of the marked list that is the n-th of a list; nil where the
// marks have changed the list.
func itemOf(marked, list *yaml.Node, n int) *yaml.Node {
	if marked == nil || marked.Kind != yaml.SequenceNode || len(marked.Content) != len(list.Content) {
		return nil
	}
	return marked.Content[n]
}

// decisive is the hit whose layer wrote what is there: the first with the same
// value, else the first.
func decisive(hits []hit, rendered *yaml.Node) *hit {
	var first *hit
	for i := range hits {
		h := &hits[i]
		switch {
		case h.value == nil:
		case rendered.Kind != yaml.ScalarNode || h.value.Value == rendered.Value:
			return h
		case first == nil:
			first = h
		}
	}
	return first
}

func cursorsOf(hits []hit) []cursor {
	cursors := make([]cursor, len(hits))
	for i, h := range hits {
		cursors[i] = h.cursor
	}
	return cursors
}

// place is that of a node of a layer, which gives rendered.
func (w *walker) place(h *hit, node, rendered *yaml.Node) place {
	l := &w.list[h.layer]
	p := place{position: source.NodePosition(l.file, node)}
	if l.shift != nil {
		p.position = l.shift(p.position)
		return p
	}
	p.own = len(l.under) == 0 && (rendered.Kind != yaml.ScalarNode || h.value.Value == rendered.Value)
	return p
}

// under is the step that a cursor takes next on its layer's way into the object;
// last reports whether the layer's piece is what it leads to.
func (w *walker) under(c cursor) (next step, last, ok bool) {
	steps := w.list[c.layer].under
	if c.depth >= len(steps) {
		return step{}, false, false
	}
	return steps[c.depth], c.depth == len(steps)-1, true
}

// counts reports whether a layer goes on to an item of a list by its index, so that
// the items before it must stay.
func (w *walker) counts(c cursor) bool {
	next, _, ok := w.under(c)
	return ok && next.key != "-"
}

// keys are the hits of the layers in a mapping, by the keys.
func (w *walker) keys(cursors []cursor) map[string][]hit {
	hits := map[string][]hit{}
	for _, c := range cursors {
		next, last, ok := w.under(c)
		switch {
		case ok:
			h := hit{cursor: cursor{c.layer, c.depth + 1, c.node}}
			if last {
				h.key, h.value = c.node, c.node
			}
			hits[next.key] = append(hits[next.key], h)
		case c.node.Kind == yaml.MappingNode:
			for key, value := range uniqueEntries(c.node) {
				value = source.Resolve(value)
				hits[key.Value] = append(hits[key.Value], hit{cursor{c.layer, c.depth, value}, key, value})
			}
		}
	}
	return hits
}

// itemHits are the hits of the layers in a list.
type itemHits struct {
	// byID are those that are told by what they are, and byIndex those whose layer
	// only begins below the item.
	byID    map[string][]hit
	byIndex map[int][]hit
	// byNode are those that a mark leads to.
	byNode map[*yaml.Node]hit
}

func (w *walker) items(cursors []cursor) itemHits {
	items := itemHits{byID: map[string][]hit{}, byIndex: map[int][]hit{}, byNode: map[*yaml.Node]hit{}}
	for _, c := range cursors {
		next, last, ok := w.under(c)
		switch {
		case ok && last:
			// An item that a patch adds moves those behind it, so that it is told by
			// what it is.
			id := w.id(c.node)
			items.byID[id] = append(items.byID[id], hit{cursor{c.layer, c.depth + 1, c.node}, nil, c.node})
		case ok:
			items.byIndex[next.index] = append(items.byIndex[next.index], hit{cursor: cursor{c.layer, c.depth + 1, c.node}})
		case c.node.Kind == yaml.SequenceNode:
			seen := map[string]bool{}
			for _, child := range c.node.Content {
				child = source.Resolve(child)
				h := hit{cursor{c.layer, c.depth, child}, nil, child}
				items.byNode[child] = h
				if id := w.id(child); !seen[id] {
					seen[id] = true
					items.byID[id] = append(items.byID[id], h)
				}
			}
		}
	}
	return items
}

// of are the hits of an item.
func (items *itemHits) of(id string, index int, mark *markedItem) []hit {
	hits := slices.Concat(items.byID[id], items.byIndex[index])
	if mark != nil {
		h, ok := items.byNode[mark.node]
		if ok && !slices.ContainsFunc(hits, func(other hit) bool { return other.node == h.node }) {
			hits = append(hits, h)
		}
	}
	slices.SortStableFunc(hits, func(a, b hit) int { return a.layer - b.layer })
	return hits
}

// id tells items of a list by their name, and where they have none by their
// content.
func (w *walker) id(node *yaml.Node) string {
	if name := value(node, "name"); name != "" {
		return "name " + name
	}
	id, ok := w.ids[node]
	if !ok {
		id = strconv.FormatUint(contentHash(node), 16)
		w.ids[node] = id
	}
	return id
}

var hashSeed = maphash.MakeSeed()

// contentHash is the same for nodes of the same content, in whatever order the
// keys of a mapping are.
func contentHash(node *yaml.Node) uint64 {
	node = source.Resolve(node)
	var h maphash.Hash
	h.SetSeed(hashSeed)
	maphash.WriteComparable(&h, node.Kind)
	_, _ = h.WriteString(node.Value)
	if node.Kind == yaml.MappingNode {
		var sum uint64
		for key, value := range uniqueEntries(node) {
			sum += maphash.String(hashSeed, key.Value) ^ contentHash(value)*0x9e3779b97f4a7c15
		}
		maphash.WriteComparable(&h, sum)
		return h.Sum64()
	}
	for _, child := range node.Content {
		maphash.WriteComparable(&h, contentHash(child))
	}
	return h.Sum64()
}
