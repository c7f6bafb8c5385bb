package compose

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"

	"github.com/compose-spec/compose-go/v2/types"
	"go.yaml.in/yaml/v4"

	"github.com/derekg1729/dsnlint/pkg/internal/interp"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// maxRetried bounds how many nodes compose-go is given again, so as to find out
// what it does not accept.
const maxRetried = 40_000

func (p *project) mayRetry() bool { return p.loaded <= p.nodes+maxRetried }

// interpolationReason says what is wrong with a text that is interpolated.
func interpolationReason(err error) manifest.Text {
	switch {
	case errors.Is(err, interp.ErrTooDeep):
		return manifest.Say("invalid interpolation: defaults are nested too deeply")
	case errors.Is(err, interp.ErrTooLong):
		return manifest.Say("the interpolated value is longer than 1 MiB")
	}
	return manifest.Say("invalid interpolation: expected ${NAME}, $NAME, or $$ for a dollar sign")
}

// complaint is what is wrong with a part of a unit.
type complaint struct {
	unit *unit
	part *part
	// where are the names and indexes that lead to the part, and shown those that
	// the problem names.
	where, shown []string
	reason       manifest.Text
}

// complain reports complaints in the order of their places.
func (p *project) complain(complaints []complaint) {
	problems := make([]*manifest.Problem, len(complaints))
	for i, c := range complaints {
		message := manifest.Say("not a valid Compose file: %s", c.reason)
		if where := shownPath(c.shown); !where.IsZero() {
			message = manifest.Say("not a valid Compose file: %s %s", where, c.reason)
		}
		position := manifest.Position{File: p.main[0].file}
		if c.part != nil && c.part.at != nil {
			position = c.unit.position(c.part.at)
		}
		problems[i] = &manifest.Problem{Severity: manifest.Error, Position: position, Message: message}
	}
	slices.SortStableFunc(problems, func(a, b *manifest.Problem) int {
		return cmp.Or(a.Position.Compare(b.Position), cmp.Compare(a.Message.String(), b.Message.String()))
	})
	for _, problem := range problems {
		p.report(problem)
	}
}

// shownPath joins the names that lead to a part, as far as they are names that
// may be shown: those of sections, services, attributes and variables.
func shownPath(where []string) manifest.Text {
	var shown []manifest.Name
	for i, name := range where {
		_, err := strconv.Atoi(name)
		switch {
		case i > 0 && mapNames[where[i-1]]:
			if name = labelName(name); name == "" {
				return manifest.Join(shown, ".")
			}
		case i == 1 || err == nil || attributes().all[name]:
		default:
			return manifest.Join(shown, ".")
		}
		shown = append(shown, manifest.Name(name))
	}
	return manifest.Join(shown, ".")
}

// mapNames are the attributes that map the names of variables and labels.
var mapNames = map[string]bool{"environment": true, "args": true, "labels": true, "annotations": true}

// search finds out which parts of a project compose-go does not accept, by
// leaving them out. It depends on nothing that compose-go says.
type search struct {
	p          *project
	ctx        context.Context //nolint:containedctx // a search is one call
	complaints []complaint
	// usual are the attributes of services that were to blame before, the last
	// one first.
	usual []string
}

// maxExact is how many culprits are looked for within an attribute. There seldom
// are more, and to find each takes some ten runs of compose-go.
const maxExact = 20

// suspect is a part that may be to blame.
type suspect struct {
	unit  *unit
	part  *part
	where []string
}

// isolate loads the project without what compose-go does not accept, which is
// reported; nil if that cannot be found.
func (p *project) isolate(ctx context.Context) *types.Project {
	s := &search{p: p, ctx: ctx}
	complete := s.narrow(p.suspects())
	p.complain(s.complaints)
	if !complete || len(s.complaints) == 0 {
		p.report(&manifest.Problem{
			Severity: manifest.Error, Position: manifest.Position{File: p.main[0].file},
			Message: manifest.Say("not a valid Compose file: Compose does not accept all of it, and what it does not accept was not found"),
			Hint:    manifest.Say("docker compose config says more"),
		})
	}
	merged, err := p.load(ctx)
	if err != nil {
		return nil
	}
	return merged
}

// suspects are the entries of all sections, those of the main files last.
func (p *project) suspects() []suspect {
	var suspects []suspect
	for _, u := range p.order() {
		for _, document := range u.rendered {
			for _, section := range document.entries {
				root := suspect{u, section.value, []string{section.name}}
				switch {
				case document.off || section.value.off || section.name == "include":
				case section.value.kind == yaml.MappingNode:
					suspects = append(suspects, root.children()...)
				default:
					suspects = append(suspects, root)
				}
			}
		}
	}
	return suspects
}

// order lists the units, the main ones last and in their order.
func (p *project) order() []*unit {
	var units []*unit
	for _, u := range p.opened {
		if u.kind != mainUnit {
			units = append(units, u)
		}
	}
	return append(units, p.main...)
}

func (s suspect) children() []suspect {
	var children []suspect
	add := func(name string, child *part) {
		if child.at != nil && !child.off {
			children = append(children, suspect{s.unit, child, append(slices.Clone(s.where), name)})
		}
	}
	for _, e := range s.part.entries {
		add(e.name, e.value)
	}
	for i, item := range s.part.items {
		add(strconv.Itoa(i), item)
	}
	return children
}

// passes reports whether compose-go accepts what is not left out.
func (s *search) passes() bool {
	_, err := s.p.load(s.ctx)
	return err == nil
}

// turn leaves suspects out, or in.
func turn(suspects []suspect, off bool) {
	for _, suspect := range suspects {
		suspect.part.off = off
	}
}

// narrow leaves out those of the suspects that compose-go does not accept. It
// reports whether it came to an end; if not, all that was not tried is left out.
func (s *search) narrow(suspects []suspect) bool {
	turn(suspects, true)
	if !s.alone(suspects) {
		return false
	}
	suspects = slices.DeleteFunc(suspects, func(suspect suspect) bool { return suspect.part.broken })
	return s.together(suspects)
}

// alone tries suspects, which are left out, without the others, and marks the
// culprits as broken. It reports whether it came to an end.
func (s *search) alone(suspects []suspect) bool {
	if len(suspects) == 0 {
		return true
	}
	if !s.p.mayRetry() {
		return false
	}
	turn(suspects, false)
	passes := s.passes()
	turn(suspects, true)
	switch {
	case passes:
		return true
	case len(suspects) > 1:
		middle := len(suspects) / 2
		// What passes in two halves may yet fail as a whole.
		return s.alone(suspects[:middle]) && s.alone(suspects[middle:])
	}
	s.blame(suspects[0])
	suspects[0].part.off = true
	return true
}

// blame leaves out the culprit, or what is the matter with it.
func (s *search) blame(culprit suspect) {
	culprit.part.off = false
	if len(culprit.where) > 2 && len(s.complaints) >= maxExact || !s.within(culprit) {
		culprit.part.off, culprit.part.broken = true, true
		s.complaints = append(s.complaints, complaint{culprit.unit, culprit.part, culprit.where, culprit.where, reasonFor(culprit.where)})
		if len(culprit.where) > 2 && !slices.Contains(s.usual, culprit.where[2]) {
			s.usual = append([]string{culprit.where[2]}, s.usual...)
			s.usual = s.usual[:min(len(s.usual), 3)]
		}
	}
}

// together leaves out those of the suspects that compose-go does not accept
// together with those before them.
func (s *search) together(suspects []suspect) bool {
	for len(suspects) > 0 {
		turn(suspects, false)
		if s.passes() {
			return true
		}
		// With the good ones it passes or is somebody else's fault, with the bad
		// one it fails.
		good, bad := 0, len(suspects)
		for bad-good > 1 {
			middle := (good + bad) / 2
			turn(suspects[good:middle], false)
			turn(suspects[middle:], true)
			if !s.p.mayRetry() {
				turn(suspects[good:], true)
				return false
			}
			if s.passes() {
				good = middle
			} else {
				bad = middle
			}
		}
		turn(suspects[:bad], false)
		turn(suspects[bad:], true)
		s.blame(s.base(suspects[:bad]))
		suspects = suspects[bad:]
		if !s.p.mayRetry() {
			turn(suspects, true)
			return false
		}
	}
	return true
}

// base is the last of the suspects, which fails with those before it, or the one
// among these that it extends from another file: that is read for it only.
func (s *search) base(suspects []suspect) suspect {
	last := suspects[len(suspects)-1]
	before := slices.DeleteFunc(slices.Clone(suspects), func(s suspect) bool { return s.unit.kind != baseUnit })
	defer turn(before, false)
	for _, base := range before {
		if !s.p.mayRetry() {
			return last
		}
		base.part.off = true
		if s.passes() {
			return base
		}
		base.part.off = false
	}
	return last
}

// within looks for the culprit in a part. It reports whether the part without
// it is accepted.
func (s *search) within(whole suspect) bool {
	children := whole.children()
	if len(children) == 0 {
		return false
	}
	if len(whole.where) == 2 {
		for _, child := range children {
			if !slices.Contains(s.usual, child.where[2]) || !s.p.mayRetry() {
				continue
			}
			child.part.off = true
			if s.passes() {
				s.blame(child)
				return true
			}
			child.part.off = false
		}
	}
	turn(children, true)
	accepted := s.p.mayRetry() && s.passes()
	if !accepted {
		turn(children, false)
		return false
	}
	_ = s.narrow(children)
	return true
}

// expected says what the values of attributes look like that have a syntax of
// their own.
var expected = map[string]manifest.Text{
	"ports":             manifest.Say("is not a valid port; expected one such as 8080:80"),
	"volumes":           manifest.Say("is not a valid volume; expected one such as data:/var/lib/data"),
	"mem_limit":         manifest.Say("must be a number or a size, such as 512m"),
	"mem_reservation":   manifest.Say("must be a number or a size, such as 512m"),
	"memswap_limit":     manifest.Say("must be a number or a size, such as 512m"),
	"shm_size":          manifest.Say("must be a number or a size, such as 512m"),
	"interval":          manifest.Say("must be a duration, such as 10s"),
	"timeout":           manifest.Say("must be a duration, such as 10s"),
	"start_period":      manifest.Say("must be a duration, such as 10s"),
	"start_interval":    manifest.Say("must be a duration, such as 10s"),
	"stop_grace_period": manifest.Say("must be a duration, such as 10s"),
}

func reasonFor(where []string) manifest.Text {
	for i := len(where) - 1; i > 1; i-- {
		if reason, ok := expected[where[i]]; ok {
			return reason
		}
	}
	return manifest.Say("is not accepted by Compose")
}
