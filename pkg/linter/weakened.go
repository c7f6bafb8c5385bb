package linter

import (
	"errors"
	"io/fs"
	"path/filepath"

	"github.com/derekg1729/dsnlint/pkg/contract"
	"github.com/derekg1729/dsnlint/pkg/findings"
	"github.com/derekg1729/dsnlint/pkg/manifest"
	"github.com/derekg1729/dsnlint/pkg/rules"
)

// gate compares what decides over findings with what did before a change.
type gate struct {
	base *revision
	set  *findings.Changes
	opts Options
	// contract is that of the base: a change that switches the rule off must not
	// get around it.
	contract *contract.Contract
	findings []rules.Finding
	problems []*manifest.Problem
}

// weakened reports what a change weakens of the gate that it has to pass. No
// comment and no baseline accepts such a finding, since these may be part of the
// change.
func weakened(base *revision, set *findings.Changes, opts Options, containers []manifest.Container) ([]rules.Finding, []*manifest.Problem) {
	g := &gate{base: base, set: set, opts: opts}
	name, data, problem := base.contractFile(opts)
	if problem != nil {
		return nil, []*manifest.Problem{problem}
	}
	was, _, problems := parseContract(name, data, opts)
	if was == nil {
		// The change fixes it, or the run has ended with the same problems.
		return nil, asNotices(problems)
	}
	g.contract = was
	g.contracts(was, name)
	g.roleLabels(containers)
	g.suppressions()
	g.baseline()
	return g.findings, g.problems
}

func asNotices(problems []*manifest.Problem) []*manifest.Problem {
	notices := make([]*manifest.Problem, len(problems))
	for i, p := range problems {
		notice := *p
		notice.Severity = manifest.Notice
		notices[i] = &notice
	}
	return notices
}

func (g *gate) report(at manifest.Position, message manifest.Text) {
	g.findings = append(g.findings, rules.GateWeakened(g.contract, at, message)...)
}

func (g *gate) contracts(was *contract.Contract, wasName string) {
	name, data, err := contractFile(g.base.tree, g.opts)
	if err != nil {
		g.problems = append(g.problems, asNotices([]*manifest.Problem{manifest.AsProblem(err, "")})...)
		return
	}
	is, _, problems := parseContract(name, data, g.opts)
	if is == nil {
		// Only with --policy-from does a run get here.
		g.problems = append(g.problems, asNotices(problems)...)
		return
	}
	levels := map[string]contract.Level{}
	for _, rule := range g.opts.rules() {
		levels[rule.ID] = rule.Level
	}
	for _, w := range contract.Weakened(was, is, rules.IDs(g.opts.rules()), levels) {
		at := manifest.Position{File: wasName}
		if name != "" {
			at = w.Position(name, data)
		}
		g.report(at, w.Message)
	}
}

func (g *gate) roleLabels(containers []manifest.Container) {
	seen := map[manifest.Position]bool{}
	for i := range containers {
		c := &containers[i]
		if !isRole(c.RoleLabel) || seen[c.RoleLabelPosition] {
			continue
		}
		changed := g.set.Changed(c.RoleLabelPosition.File) || g.set.Changed(c.Position.File)
		if changed && !g.base.hasRoleLabel(c) {
			seen[c.RoleLabelPosition] = true
			g.report(c.RoleLabelPosition, manifest.Say("the label dsnlint.dev/role that decides the role of container %s is new or changed", manifest.Name(c.Name)))
		}
	}
}

func (g *gate) suppressions() {
	for _, file := range g.base.tree.Files() {
		data, err := g.base.tree.Read(file)
		if err != nil || !g.set.Changed(file) {
			continue
		}
		for _, c := range findings.AddedComments(g.opts.rules(), g.base.tree, file, data, g.base.read) {
			g.report(c.Position, manifest.Say("a new dsnlint:ignore comment for %s", manifest.Join(manifest.Names(c.Rules), ", ")))
		}
	}
}

func (g *gate) baseline() {
	if g.opts.Baseline == "" {
		return
	}
	name, ok := g.base.inTree(g.opts.Baseline)
	if !ok || !g.set.Changed(name) {
		return
	}
	data, err := ReadNamed(g.opts.Baseline)
	if err != nil {
		return // said where the baseline is read
	}
	is, err := findings.ReadBaseline(filepath.ToSlash(g.opts.Baseline), data)
	if err != nil {
		return
	}
	var was findings.Baseline
	switch before, err := g.base.read(name); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		g.problems = append(g.problems, g.base.unreadable(name, err))
		return
	default:
		// One that cannot be read accepted nothing.
		was, _ = findings.ReadBaseline(name, before)
	}
	if added, line := is.Added(was, data); added > 0 {
		g.report(manifest.Position{File: name, Line: line}, manifest.Say("the baseline accepts %s more findings than it did", manifest.Number(added)))
	}
}
