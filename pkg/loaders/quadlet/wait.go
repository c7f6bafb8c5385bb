package quadlet

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// tie is what one container's unit says about another's.
type tie struct {
	// after says that it starts later, and needs that it starts only if the other did.
	after, needs bool
	position     manifest.Position
}

// dependencies are the keys of [Unit], and whether they order units or need them. The
// order is that in which they are the place of a dependency.
var dependencies = []struct {
	key          string
	after, needs bool
}{
	{"After", true, false},
	{"Requires", false, true}, {"Requisite", false, true}, {"BindsTo", false, true},
	{"Wants", false, false},
}

// ties are what the units say about each other: of the first the second.
type ties map[*builder]map[*builder]*tie

func (all ties) say(from, to *builder, after, needs bool, at manifest.Position) {
	if to == nil || from == nil || from == to {
		return
	}
	if all[from] == nil {
		all[from] = map[*builder]*tie{}
	}
	t := all[from][to]
	if t == nil {
		t = &tie{position: at}
		all[from][to] = t
	}
	t.after, t.needs = t.after || after, t.needs || needs
}

// finder returns what finds a container by the name of its unit or service, of which
// a template has any number.
func finder(builders []*builder) func(name string) *builder {
	units := map[string]*builder{}
	for _, b := range builders {
		units[b.unit.name+containerExt] = b
		service, ok := b.unit.plain(containerSection, "ServiceName")
		if !ok {
			service.content = b.unit.name
		}
		units[service.content+".service"] = b
	}
	return func(name string) *builder {
		template, instance, ok := strings.Cut(name, "@")
		if b := units[name]; b != nil || !ok {
			return b
		}
		return units[template+"@"+path.Ext(instance)]
	}
}

// wait works out which containers wait for which. A unit is only waited for to its end
// where it is of Type=oneshot: any other has started when its container runs. And only
// what is needed must have ended well.
func (s *set) wait(builders []*builder) {
	all, find := ties{}, finder(builders)
	for _, b := range builders {
		for _, d := range dependencies {
			for _, w := range s.words(b.unit.all(unitSection, d.key)) {
				all.say(b, find(w.text), d.after, d.needs, w.position())
			}
		}
	}
	for _, b := range builders {
		for _, w := range s.words(b.unit.all(unitSection, "Before")) {
			all.say(find(w.text), b, true, false, w.position())
		}
		for _, w := range s.words(b.unit.all(installSection, "RequiredBy")) {
			all.say(find(w.text), b, false, true, w.position())
		}
	}
	for from, to := range all {
		for b, t := range to {
			kind, _ := b.unit.plain(serviceSection, "Type")
			from.WaitsFor = append(from.WaitsFor, manifest.Dependency{
				Name: b.Name, Completed: t.after && t.needs && kind.content == "oneshot", Position: t.position,
			})
		}
		slices.SortFunc(from.WaitsFor, func(a, b manifest.Dependency) int {
			return cmp.Or(a.Position.Compare(b.Position), cmp.Compare(a.Name, b.Name))
		})
	}
}

// join makes a project of each pod. One that waits for containers beside it, or that
// they wait for, belongs to the project of the directory, as they do.
func join(builders []*builder) {
	podOf := map[string]string{}
	for _, b := range builders {
		podOf[b.Name] = b.podName
	}
	tied := map[string]bool{}
	for _, b := range builders {
		for _, d := range b.WaitsFor {
			if other := podOf[d.Name]; other != b.podName {
				tied[other], tied[b.podName] = true, true
			}
		}
	}
	for _, b := range builders {
		if b.podName != "" && !tied[b.podName] {
			b.Project.Name = b.podName
		}
	}
}
