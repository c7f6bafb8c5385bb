package rules

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"github.com/derekg1729/dsnlint/pkg/contract"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

const (
	// maxSteps is how many steps of one way a finding shows.
	maxSteps = 100
	// maxFindingSteps is how many steps the ways of a finding have together
	// before only the ends of a further one are shown.
	maxFindingSteps = 3 * maxSteps
	// maxSecrets is how many names of one class a finding mentions. Manifests
	// that people write have less than ten.
	maxSecrets = 32
)

// secret is a name of the contract that reaches a container, and the way it
// comes: the steps before the trail, and the trail.
type secret struct {
	name string
	// shown is how the name is written where it is interpolated.
	shown string
	steps []manifest.Step
	trail *manifest.Trail
}

// class is what a name is to the contract.
type class struct {
	provisioning, component bool
	// dsn is the name of one of the contract's DSNs; empty for any other.
	dsn string
}

// mention is a name of the contract as a reference has it.
type mention struct {
	name string
	// shown is how the name is written where it is interpolated.
	shown string
	// asked is the name that the contract is asked about: a file is named after a
	// variable.
	asked string
	class class
}

// hit is a name of the contract that a reference leads to.
type hit struct {
	*mention
	trail *manifest.Trail
}

// reach knows the names of the contract that references lead to. What a
// reference leads to is worked out once for all rules and deliveries, since one
// chain may be delivered from any place along it.
type reach struct {
	contract *contract.Contract
	mentions map[mentioned]*mention
	hits     map[*manifest.Ref][]hit
	// total counts what hits holds, and steps those of all findings.
	total, steps int
}

// mentioned is a name, how it is written where that is not the name itself, and
// whether it is that of a file.
type mentioned struct {
	name, written string
	file          bool
}

// maxHits is how many hits are kept before a reference leads to no more than one
// name of each class.
const maxHits = 1 << 20

func newReach(c *contract.Contract) *reach {
	return &reach{contract: c, mentions: map[mentioned]*mention{}, hits: map[*manifest.Ref][]hit{}}
}

// class returns what a name is to the contract.
func (r *reach) class(name string) class {
	c := class{provisioning: r.contract.IsProvisioning(name), component: r.contract.IsComponent(name)}
	if slices.Contains(r.contract.DSNs(), name) {
		c.dsn = name
	}
	return c
}

// named returns the mention of a name, or nil where the name is not one of the
// contract's.
func (r *reach) named(kind manifest.RefKind, name, written string) *mention {
	key := mentioned{name, written, kind == manifest.RefFile}
	m, known := r.mentions[key]
	if known {
		return m
	}
	m = &mention{name: name, shown: cmp.Or(written, name), asked: name}
	if key.file {
		m.name, m.shown, m.asked = path.Base(name), path.Base(m.shown), fileAsVariable(name)
	}
	if m.class = r.class(m.asked); m.class == (class{}) {
		m = nil
	}
	r.mentions[key] = m
	return m
}

// of lists the names that an expression leads to, in the order in which they are
// mentioned and each once.
func (r *reach) of(e manifest.Expr) []hit {
	for ref := range e.Origins(func(ref *manifest.Ref) bool { _, done := r.hits[ref]; return done }) {
		var found []hit
		if m := r.named(ref.Kind, ref.Name, ref.Written); m != nil {
			found = append(found, hit{m, ref.Via(nil)})
		}
		for _, from := range []manifest.Expr{ref.Value, ref.Default} {
			own := len(found)
			found = r.add(found, from)
			for i := range found[own:] {
				found[own+i].trail = ref.Via(found[own+i].trail)
			}
		}
		r.hits[ref] = found
		r.total += len(found)
	}
	return r.add(nil, e)
}

// add adds to the names that are found those that the references of an
// expression lead to, without repetition and not too many of one class.
func (r *reach) add(found []hit, e manifest.Expr) []hit {
	most := maxSecrets
	if r.total > maxHits {
		most = 1
	}
	for _, part := range e {
		for _, h := range r.hits[part.Ref] {
			same := func(f hit) bool { return f.name == h.name }
			alike := 0
			for _, f := range found {
				if f.class == h.class {
					alike++
				}
			}
			if alike < most && !slices.ContainsFunc(found, same) {
				found = append(found, h)
			}
		}
	}
	return found
}

// secrets lists the names that a delivery brings and that the predicate knows:
// the delivery's own name and every name its value is built from.
func (p *Pass) secrets(d manifest.Delivery, is func(name string) bool) []secret {
	var found []secret
	add := func(h hit) {
		if h.mention != nil && is(h.asked) && !slices.ContainsFunc(found, func(s secret) bool { return s.name == h.name }) {
			found = append(found, secret{name: h.name, shown: h.shown, steps: d.Provenance, trail: h.trail})
		}
	}
	switch d.Channel {
	case manifest.ChannelFile:
		add(hit{mention: p.reach.named(manifest.RefFile, d.Name, d.Written)})
	case manifest.ChannelArgument:
		// The name is that of a field, such as command.
	default:
		add(hit{mention: p.reach.named(manifest.RefVariable, d.Name, d.Written)})
	}
	for _, h := range p.reach.of(d.Expr) {
		add(h)
	}
	return found
}

// maxHops is how far a value is followed to the DSN that it is.
const maxHops = 100

// stands returns the contract's DSN that a value is: the one at the end of the names
// that stand for it and for nothing else. It is empty where that is not known. A key of
// a Secret that is named as the variable tells nothing, since each container may have a
// Secret of its own.
func (p *Pass) stands(v manifest.EnvVar) string {
	is := ""
	for e, hops := v.Expr, 0; len(e) == 1 && e[0].Ref != nil && hops < maxHops; hops++ {
		ref := e[0].Ref
		isKey := ref.Kind == manifest.RefSecretKey || ref.Kind == manifest.RefConfigKey
		if m := p.reach.named(ref.Kind, ref.Name, ref.Written); m != nil && m.class.dsn != "" && (!isKey || m.asked != v.Name) {
			is = m.class.dsn
		}
		e = ref.Value
	}
	return is
}

// ways writes out how secrets come.
func ways(secrets []secret) [][]manifest.Step {
	all := make([][]manifest.Step, 0, len(secrets))
	total := 0
	for _, s := range secrets {
		most := maxSteps
		if total >= maxFindingSteps {
			most = 3
		}
		way := s.trail.Steps(s.steps, most)
		total += len(way)
		all = append(all, way)
	}
	return all
}

const (
	// maxRunSteps is how many steps all findings of a run have together before
	// each way is shortened to fewSteps, which bounds the memory that they take.
	maxRunSteps = 200_000
	fewSteps    = 10
)

// shorten counts the steps of a finding, and shortens its ways where there have
// been too many.
func (r *reach) shorten(ways [][]manifest.Step) {
	for i, way := range ways {
		if r.steps > maxRunSteps {
			ways[i] = (*manifest.Trail)(nil).Steps(way, fewSteps)
		}
		r.steps += len(ways[i])
	}
}

// fileAsVariable returns the variable that a file is named after: a secret file
// is conventionally called postgres_root_password or postgres-root-password.txt.
// A certificate is public and named after no credential.
func fileAsVariable(name string) string {
	base := path.Base(name)
	ext := path.Ext(base)
	switch ext {
	case ".crt", ".cer", ".pem":
		return ""
	}
	return strings.ToUpper(strings.ReplaceAll(strings.TrimSuffix(base, ext), "-", "_"))
}
