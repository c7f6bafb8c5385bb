package compose

import (
	"slices"

	"go.yaml.in/yaml/v4"

	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// reach says of every definition that may go into a service how it gets there,
// from the definition outward.
type reach struct {
	// order lists the definitions, the nearest first.
	order []ref
	steps map[ref][]manifest.Step
}

// reach follows a service from the main files through what they include and
// extend.
func (p *project) reach(section, name string) reach {
	found := reach{steps: map[ref][]manifest.Step{}}
	visit := func(r ref, steps []manifest.Step) {
		if _, ok := found.steps[r]; !ok {
			found.steps[r] = steps
			found.order = append(found.order, r)
		}
	}
	for _, u := range p.main {
		r := ref{u, section, name}
		var steps []manifest.Step
		if u.override {
			position := manifest.Position{File: u.file}
			for _, root := range u.documents {
				if d, ok := r.definition(root); ok {
					position = u.position(d.key)
				}
			}
			steps = []manifest.Step{{
				Position: position, Text: manifest.Say("%s overrides %s", manifest.Path(u.file), manifest.Path(p.main[0].file)),
			}}
		}
		visit(r, steps)
	}
	for next := 0; next < len(found.order); next++ { //nolint:intrange // the list grows
		r := found.order[next]
		steps := found.steps[r]
		for _, e := range p.extended[r] {
			visit(e.base, slices.Concat([]manifest.Step{{
				Position: r.unit.position(e.node),
				Text:     manifest.Say("service %s extends service %s of %s", manifest.Name(r.name), manifest.Name(e.base.name), manifest.Path(e.base.unit.file)),
			}}, steps))
		}
		for _, root := range r.unit.documents {
			for _, group := range r.unit.included[root] {
				for _, included := range group {
					visit(ref{included, r.section, r.name}, slices.Concat(included.trail[:1], steps))
				}
			}
		}
	}
	return found
}

// provenance leads from an entry to the place where the service gets hold of it.
func (r reach) provenance(definition ref, at *yaml.Node, via []*yaml.Node, text manifest.Text) []manifest.Step {
	steps := []manifest.Step{{Position: definition.unit.position(at), Text: text}}
	for _, alias := range slices.Backward(via) {
		steps = append(steps, manifest.Step{
			Position: definition.unit.position(alias), Text: manifest.Say("through an alias"),
		})
	}
	return append(steps, r.steps[definition]...)
}
