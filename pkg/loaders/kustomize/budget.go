package kustomize

import (
	"regexp"

	"go.yaml.in/yaml/v4"

	"github.com/derekg1729/dsnlint/pkg/internal/source"
)

// What a kustomization may cost is counted before it is rendered, so that the
// verdict is the same on every machine. The engine's time is linear in the nodes
// that it renders, for each kustomization on their way, and quadratic in the
// objects, in the keys of a mapping and in the patches of an object. A unit of
// work is about a microsecond.
const (
	// maxFolders is how many kustomizations one run reads.
	maxFolders = 5000
	// maxWork is what one kustomization may cost with all that it uses, and
	// maxTotalWork what all of a run may.
	maxWork      = 3_000_000
	maxTotalWork = 60_000_000
	// maxNodes and maxInput are how much may go into one, in nodes and bytes, and
	// maxOutput how many bytes may come out.
	maxNodes  = 150_000
	maxInput  = 16 << 20
	maxOutput = 16 << 20

	// instanceWork is that of a kustomization, nodeWork that of a node in it, and
	// patchWork that of applying a patch once.
	instanceWork = 500
	nodeWork     = 20
	patchWork    = 200
	// keyPairs and nodePairs are how many comparisons of keys, and of nodes with
	// those of a patch, count one.
	keyPairs  = 75
	nodePairs = 10
)

// limit keeps sums and products of counts from overflowing.
const limit = 1 << 40

func plus(a, b int) int { return min(a+b, limit) }

func times(a, b int) int {
	if a != 0 && b > limit/a {
		return limit
	}
	return a * b
}

// objectID is what tells an object from others.
type objectID struct{ kind, name string }

// size is how much goes into a kustomization by itself, and with all that it uses.
type size struct {
	// nodes and bytes are those of everything, of which those of objects are
	// rendered.
	nodes, bytes int
	objects      map[objectID]int
	count        int
	// largest is how many nodes the largest object has.
	largest int
	// patches is how many patches an object may have met.
	patches int
	// copies is how many times a patch may double an object.
	copies int
	// work is the sum of what does not depend on what is used.
	work int
	// instances is how many kustomizations are rendered, each as often as it is
	// used.
	instances int
}

// objectSize measures the objects of a file.
func objectSize(docs []*yaml.Node, length int) size {
	s := size{bytes: length, objects: map[objectID]int{}}
	for _, object := range flatten(docs) {
		nodes := nodesOf(object)
		s.nodes += nodes
		s.largest = max(s.largest, nodes)
		s.work = plus(s.work, keyWork(object))
		s.objects[idOf(object)]++
		s.count++
	}
	return s
}

func idOf(object *yaml.Node) objectID {
	return objectID{value(object, "kind"), value(mapping(object, "metadata"), "name")}
}

// nodesOf counts the nodes of a tree with its aliases written out; the parser has
// seen to it that this ends.
func nodesOf(node *yaml.Node) int {
	node = source.Resolve(node)
	n := 1
	for _, child := range node.Content {
		n += nodesOf(child)
	}
	return n
}

// keyWork is what the keys of the mappings in a tree cost: the engine compares each
// with all others of its mapping.
func keyWork(node *yaml.Node) int {
	node = source.Resolve(node)
	work := 0
	if node.Kind == yaml.MappingNode {
		keys := len(node.Content) / 2
		work = times(keys, keys) / keyPairs
	}
	for _, child := range node.Content {
		work = plus(work, keyWork(child))
	}
	return work
}

// add adds what a kustomization uses or holds.
func (s *size) add(other size) {
	if s.objects == nil {
		s.objects = map[objectID]int{}
	}
	for id, n := range other.objects {
		s.objects[id] = plus(s.objects[id], n)
	}
	s.nodes, s.bytes, s.count = plus(s.nodes, other.nodes), plus(s.bytes, other.bytes), plus(s.count, other.count)
	s.largest, s.patches = max(s.largest, other.largest), max(s.patches, other.patches)
	s.copies, s.work, s.instances = max(s.copies, other.copies), plus(s.work, other.work), plus(s.instances, other.instances)
}

// addText adds a text that is no object.
func (s *size) addText(docs []*yaml.Node, length int) {
	for _, doc := range docs {
		s.nodes = plus(s.nodes, nodesOf(doc))
	}
	s.bytes = plus(s.bytes, length)
}

// generate adds a generated object.
func (s *size) generate(kind, name string, keys, length int) {
	nodes := 8 + 2*keys
	s.add(size{nodes: nodes, largest: nodes, bytes: length, count: 1, work: times(keys, keys) / keyPairs, objects: map[objectID]int{{kind, name}: 1}})
}

// close completes the size of a kustomization, whose own text has a length, with all
// that it uses.
func (s *size) close(k *kustomization, length int) {
	s.addText([]*yaml.Node{k.root}, length)
	for _, used := range k.uses {
		s.add(used.size)
	}
	s.instances = plus(s.instances, 1)
	s.work = plus(s.work, instanceWork)
	s.work = plus(s.work, times(s.nodes, nodeWork))
	s.work = plus(s.work, times(s.count, s.count)*3/2)
	s.patches += len(k.patches)
	for _, p := range k.patches {
		if s.work = plus(s.work, len(s.objects)); s.work > maxWork {
			break
		}
		applied := p.applications(s)
		touched := min(times(applied, s.largest), s.nodes)
		s.work = plus(s.work, times(applied, patchWork+8*(2*p.nodes+8*s.patches)))
		s.work = plus(s.work, plus(8*touched, times(touched, p.nodes)/nodePairs))
		s.nodes = plus(s.nodes, times(applied, p.nodes))
		s.largest = plus(s.largest, p.nodes)
		s.bytes = plus(s.bytes, times(applied, p.bytes))
		s.copies += p.copies
	}
	s.bytes = plus(s.bytes, times(s.count, labelBytes(k)))
	s.work = plus(s.work, times(s.count, len(k.spec.Replacements)))
}

// labelBytes is how much is added to every object.
func labelBytes(k *kustomization) int {
	n := len(k.spec.NamePrefix) + len(k.spec.NameSuffix) + len(k.spec.Namespace)
	for key, value := range k.spec.CommonAnnotations {
		n += len(key) + len(value)
	}
	for _, label := range k.spec.Labels {
		for key, value := range label.Pairs {
			n += len(key) + len(value)
		}
	}
	return n
}

// applications bounds how many objects a patch is applied to.
func (p *patch) applications(s *size) int {
	if p.target == nil {
		return len(p.docs)
	}
	n := 0
	if name := p.target.Name; name != "" && regexp.QuoteMeta(name) == name {
		for id, count := range s.objects {
			if id.name == name && p.kind.matches(id.kind) {
				n = plus(n, count)
			}
		}
		return max(n, 1)
	}
	for id, count := range s.objects {
		if p.kind.matches(id.kind) {
			n = plus(n, count)
		}
	}
	return n
}

// tooLarge reports whether a kustomization costs more than it may.
func (s *size) tooLarge() bool {
	if s.copies > 0 {
		grown := limit
		if s.copies < 30 {
			grown = times(s.nodes, 1<<s.copies)
		}
		if grown > maxNodes {
			return true
		}
	}
	return s.work > maxWork || s.nodes > maxNodes || s.bytes > maxInput
}
