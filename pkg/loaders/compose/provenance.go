package compose

import (
	"cmp"
	"slices"

	"go.yaml.in/yaml/v4"

	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// reach says of every definition that may go into a service how it gets there.
type reach struct {
	// order lists the definitions, the nearest first.
	order []ref
	ways  map[ref]*way
}

// way leads from a definition outward, one step at a time. A step is shared by
// all ways that take it.
type way struct {
	step manifest.Step
	next *way
}

// steps lists the steps of a way.
func (w *way) steps() []manifest.Step {
	var steps []manifest.Step
	for ; w != nil; w = w.next {
		steps = append(steps, w.step)
	}
	return steps
}

// reach follows a service from the main files through what they include and
// extend.
func (p *project) reach(section, name string) reach {
	found := reach{ways: map[ref]*way{}}
	visit := func(r ref, w *way) {
		if _, ok := found.ways[r]; !ok {
			found.ways[r] = w
			found.order = append(found.order, r)
		}
	}
	// from visits a definition and those of its name in what its file includes.
	from := func(r ref, w *way) {
		visit(r, w)
		below := p.below(r.unit)
		for _, u := range p.defining(r, below) {
			visit(ref{u, r.section, r.name}, below.way(u, w))
		}
	}
	for _, u := range p.main {
		r := ref{u, section, name}
		var w *way
		if u.override {
			position := manifest.Position{File: u.file}
			for _, root := range u.documents {
				if d, ok := r.definition(root); ok {
					position = u.position(d.key)
				}
			}
			w = &way{step: manifest.Step{
				Position: position, Text: manifest.Say("%s overrides %s", manifest.Path(u.file), manifest.Path(p.main[0].file)),
			}}
		}
		from(r, w)
	}
	for next := 0; next < len(found.order); next++ { //nolint:intrange // the list grows
		r := found.order[next]
		for _, e := range p.extended[r] {
			from(e.base, &way{manifest.Step{
				Position: r.unit.position(e.node),
				Text:     manifest.Say("service %s extends service %s of %s", manifest.Name(r.name), manifest.Name(e.base.name), manifest.Path(e.base.unit.file)),
			}, found.ways[r]})
		}
	}
	return found
}

// below are the units that a unit includes, however many files away.
type below struct {
	rank   map[*unit]int
	parent map[*unit]*unit
}

// below finds them, the nearest first.
func (p *project) below(top *unit) below {
	if known, ok := p.included[top]; ok {
		return known
	}
	b := below{map[*unit]int{}, map[*unit]*unit{}}
	queue := []*unit{top}
	for next := 0; next < len(queue); next++ { // the list grows
		u := queue[next]
		for _, root := range u.documents {
			for _, group := range u.included[root] {
				for _, included := range group {
					if _, ok := b.rank[included]; !ok && included != top {
						b.rank[included], b.parent[included] = next, u
						queue = append(queue, included)
					}
				}
			}
		}
	}
	for rank, u := range queue[1:] {
		b.rank[u] = rank
	}
	p.included[top] = b
	return b
}

// way leads from a unit to the top.
func (b below) way(u *unit, top *way) *way {
	parent, ok := b.parent[u]
	if !ok {
		return top
	}
	return &way{u.step, b.way(parent, top)}
}

// definer is what a unit is found by that defines something.
type definer struct{ section, name string }

// defining lists the units of those below that define an entry of the same name.
func (p *project) defining(r ref, b below) []*unit {
	if p.definers == nil {
		p.definers = map[definer][]*unit{}
		for _, u := range p.opened {
			for _, root := range u.documents {
				for _, section := range []string{"services", "jobs", "secrets", "configs"} {
					for name := range u.section(root, section) {
						key := definer{section, name}
						p.definers[key] = append(p.definers[key], u)
					}
				}
			}
		}
	}
	var units []*unit
	for _, u := range p.definers[definer{r.section, r.name}] {
		if _, ok := b.rank[u]; ok {
			units = append(units, u)
		}
	}
	slices.SortStableFunc(units, func(v, w *unit) int { return cmp.Compare(b.rank[v], b.rank[w]) })
	return slices.Compact(units)
}

// provenance leads from an entry to the place where the service gets hold of it.
func (r reach) provenance(definition ref, at *yaml.Node, via []*yaml.Node, text manifest.Text) []manifest.Step {
	steps := []manifest.Step{{Position: definition.unit.position(at), Text: text}}
	for _, alias := range slices.Backward(via) {
		steps = append(steps, manifest.Step{
			Position: definition.unit.position(alias), Text: manifest.Say("through an alias"),
		})
	}
	return append(steps, r.ways[definition].steps()...)
}
