package kubernetes

import (
	"cmp"
	"slices"
	"sync"
)

// Cluster has all sets of objects of a run. A namespace has one Secret of a name,
// whichever set brings it. The zero value is ready for use; all sets have to be there
// before containers are made of any.
type Cluster struct {
	mu   sync.Mutex
	sets []*Set
	// keys are those of all sets, and workloads what each set runs.
	index     sync.Once
	keys      map[[2]string][]foreignKeys
	workloads map[*Set]map[workloadID]bool
	// compared are the pairs of sets of which it is known whether both run a workload.
	compared map[[2]*Set]bool
}

// foreignKeys is a ConfigMap or Secret of a set.
type foreignKeys struct {
	*keyObject
	set *Set
}

// workloadID is what tells a workload from others in a cluster.
type workloadID struct {
	groupKind
	namespace, name string
}

func (c *Cluster) add(s *Set) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sets = append(c.sets, s)
}

// build makes the index, in an order that does not depend on which set came first.
func (c *Cluster) build() {
	c.keys, c.workloads = map[[2]string][]foreignKeys{}, map[*Set]map[workloadID]bool{}
	c.compared = map[[2]*Set]bool{}
	for _, s := range c.sets {
		for id, objects := range s.loader.keys {
			for _, object := range objects {
				c.keys[id] = append(c.keys[id], foreignKeys{object, s})
			}
		}
		runs := map[workloadID]bool{}
		for i := range s.objects {
			o := &s.objects[i]
			if _, ok := workloadKinds[o.groupKind()]; ok {
				runs[workloadID{o.groupKind(), o.namespace(), o.name()}] = true
			}
		}
		c.workloads[s] = runs
	}
	for _, objects := range c.keys {
		slices.SortStableFunc(objects, func(a, b foreignKeys) int { return cmp.Compare(a.file, b.file) })
	}
}

// others returns what other sets bring into the namespace of a workload under a name.
// The namespace must be one that both sides chose. Two sets that run the same workload
// are never applied together.
func (c *Cluster) others(o *Object, set *Set, id [2]string) []*keyObject {
	if c == nil || o.namespace() == "" || o.namespace() == defaultNamespace {
		return nil
	}
	c.index.Do(c.build)
	var found []*keyObject
	for _, object := range c.keys[id] {
		if object.set != set && object.namespace == o.namespace() && !c.alternatives(set, object.set) {
			found = append(found, object.keyObject)
		}
	}
	return found
}

// alternatives reports whether two sets run the same workload. A pair is compared once,
// since each may have thousands, and as many references to the other.
func (c *Cluster) alternatives(a, b *Set) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	pair := [2]*Set{a, b}
	both, known := c.compared[pair]
	if known {
		return both
	}
	for id := range c.workloads[a] {
		if both = c.workloads[b][id]; both {
			break
		}
	}
	c.compared[pair] = both
	return both
}
