package linter

import (
	"errors"
	"io/fs"
	"path"
	"path/filepath"
	"regexp"
	"slices"

	"github.com/derekg1729/dsnlint/pkg/contract"
	"github.com/derekg1729/dsnlint/pkg/findings"
	"github.com/derekg1729/dsnlint/pkg/internal/gitrepo"
	"github.com/derekg1729/dsnlint/pkg/internal/outline"
	"github.com/derekg1729/dsnlint/pkg/internal/source"
	"github.com/derekg1729/dsnlint/pkg/manifest"
	"github.com/derekg1729/dsnlint/pkg/rules"
)

// revision is the files of a commit that the policy is taken from, or compared
// with: the contract, the baseline, suppressions and role labels.
type revision struct {
	// name is how it is shown.
	name string
	tree *source.Tree
	// read returns a file of the commit, and fs.ErrNotExist where it has none. Names
	// are relative to the root of the tree; one that leads above it stays inside
	// the repository.
	read func(name string) ([]byte, error)

	outlines map[string]*outline.Outline
}

// openRevision opens the commit of a git revision.
func openRevision(tree *source.Tree, name string) (*revision, error) {
	fail := func(message, hint manifest.Text, cause error) (*revision, error) {
		return nil, &manifest.Problem{Severity: manifest.Error, Message: message, Hint: hint, Cause: cause}
	}
	repository, err := gitrepo.Open(tree.Dir())
	switch {
	case errors.Is(err, gitrepo.ErrNone):
		return fail(manifest.Say("the root directory is not in a git repository, so there is no policy to take from %s", manifest.Name(name)),
			manifest.Say("run dsnlint inside a clone, or without --policy-from"), err)
	case err != nil:
		return fail(manifest.Say("cannot read the git repository"), manifest.Text{}, err)
	}
	commit, err := repository.Commit(name)
	if err != nil {
		return fail(manifest.Say("found no commit %s in this clone", manifest.Name(name)), gitrepo.Unshallow, err)
	}
	snapshot, err := repository.Snapshot(commit)
	if err != nil {
		return fail(manifest.Say("this clone lacks the files of %s", manifest.Name(name)), gitrepo.Unshallow, err)
	}
	return &revision{name: name, tree: tree, read: snapshot.Read}, nil
}

// unreadable is the problem of a file that the commit has and the clone does not.
func (r *revision) unreadable(name string, cause error) *manifest.Problem {
	return &manifest.Problem{
		Severity: manifest.Error,
		Position: manifest.Position{File: name},
		Message:  manifest.Say("cannot read what the file is in %s", manifest.Name(r.name)),
		Hint:     gitrepo.Unshallow,
		Cause:    cause,
	}
}

// inTree returns a file that the user named as the revision names it. One that
// is outside the repository is not part of a change.
func (r *revision) inTree(file string) (name string, ok bool) {
	abs, err := filepath.Abs(file)
	if err != nil {
		return "", false
	}
	candidates := []string{abs}
	if dir, err := filepath.EvalSymlinks(filepath.Dir(abs)); err == nil {
		// The path may go by another name of the root, through a link above it.
		candidates = append(candidates, filepath.Join(dir, filepath.Base(abs)))
	}
	at, err := gitrepo.Locate(r.tree.Dir())
	if err != nil {
		return "", false
	}
	for _, candidate := range candidates {
		inside, err := filepath.Rel(at.Root, candidate)
		if err != nil || !filepath.IsLocal(inside) {
			continue
		}
		if rel, err := filepath.Rel(r.tree.Dir(), candidate); err == nil {
			return filepath.ToSlash(rel), true
		}
	}
	return "", false
}

// contractFile returns the contract file of the revision: the one that the options
// name, where it lies in the repository, or the one nearest to the first path.
// Name is empty where the revision has none.
func (r *revision) contractFile(opts Options) (name string, data []byte, problem *manifest.Problem) {
	if opts.Contract != "" {
		name, ok := r.inTree(opts.Contract)
		if !ok {
			name, data, err := contractFile(r.tree, opts)
			if err != nil {
				return "", nil, manifest.AsProblem(err, "")
			}
			return name, data, nil
		}
		data, err := r.read(name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return "", nil, nil
		case err != nil:
			return "", nil, r.unreadable(name, err)
		}
		return name, data, nil
	}
	dir, err := contractDir(r.tree, opts)
	if err != nil {
		return "", nil, manifest.AsProblem(err, "")
	}
	if name, data, err = contract.Search(dir, r.read); err != nil {
		return "", nil, r.unreadable(name, err)
	}
	return name, data, nil
}

// suppressions are the comments that count.
func (r *revision) suppressions() *findings.Base {
	if r == nil {
		return nil
	}
	return &findings.Base{Name: r.name, Read: r.read}
}

// baseline reads the baseline file of the revision. One that is not in it is not
// a problem, and accepts nothing.
func (r *revision) baseline(file string) (name string, known findings.Baseline, problem *manifest.Problem) {
	name, ok := r.inTree(file)
	if !ok {
		return "", nil, nil
	}
	data, err := r.read(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return name, nil, nil
	case err != nil:
		return name, nil, r.unreadable(name, err)
	}
	if known, err = findings.ReadBaseline(name, data); err != nil {
		return name, nil, manifest.AsProblem(err, "")
	}
	return name, known, nil
}

// outline returns the lines of a file of the revision; none where it has no such
// file.
func (r *revision) outline(name string) *outline.Outline {
	if known, ok := r.outlines[name]; ok {
		return known
	}
	data, err := r.read(name)
	if err != nil {
		data = nil
	}
	if r.outlines == nil {
		r.outlines = map[string]*outline.Outline{}
	}
	r.outlines[name] = outline.Of(data)
	return r.outlines[name]
}

// hasRoleLabel reports whether the revision sets the container's role by the
// same label. It compares lines: that of the label and that of the container's key
// must be there, under the same lines. A label that lies elsewhere than the
// container, behind an anchor, in an extended service or in an overlay, may have
// been brought to it by a change of the container alone, so that all of the
// container's lines must be there.
func (r *revision) hasRoleLabel(c *manifest.Container) bool {
	label, own := c.RoleLabelPosition, c.Position
	labelNow, ownNow := r.now(label.File), r.now(own.File)
	if !r.outline(label.File).Has(labelNow.Key(label.Line)) || !r.outline(own.File).Has(ownNow.Key(own.Line)) {
		return false
	}
	if c.RoleLabelOwn {
		return true
	}
	was := r.outline(own.File)
	return !slices.ContainsFunc(ownNow.Keys(own.Line), func(key outline.Key) bool { return !was.Has(key) })
}

// now returns the lines of a file as it is.
func (r *revision) now(name string) *outline.Outline {
	data, err := r.tree.Read(name)
	if err != nil {
		data = nil
	}
	return outline.Of(data)
}

// literalLabel matches a label that says its role itself, rather than through a
// variable or an alias that a change may set elsewhere.
var literalLabel = regexp.MustCompile(`dsnlint\.dev/role(?:\.[A-Za-z0-9._-]+)?["']?\s*[:=]\s*["']?([a-z]+)["']?\s*(?:[,}\]#].*)?["']?\s*$`)

func (r *revision) isLiteralLabel(c *manifest.Container) bool {
	line := r.now(c.RoleLabelPosition.File).Line(c.RoleLabelPosition.Line)
	m := literalLabel.FindSubmatch(line)
	return m != nil && string(m[1]) == c.RoleLabel
}

// dropRoleLabels takes away the role labels that the revision does not have, and
// says so.
func (r *revision) dropRoleLabels(containers []manifest.Container) []*manifest.Problem {
	if r == nil {
		return nil
	}
	var problems []*manifest.Problem
	for i := range containers {
		c := &containers[i]
		if !isRole(c.RoleLabel) || r.hasRoleLabel(c) && r.isLiteralLabel(c) {
			continue
		}
		problems = append(problems, &manifest.Problem{
			Severity: manifest.Notice,
			Position: c.RoleLabelPosition,
			Message:  manifest.Say("container %s: label dsnlint.dev/role is not in %s and does not count", manifest.Name(c.Name), manifest.Name(r.name)),
		})
		c.RoleLabel = ""
	}
	return problems
}

// contractDir is the directory that the search for a contract begins in.
func contractDir(tree *source.Tree, opts Options) (string, error) {
	if len(opts.Paths) == 0 {
		return ".", nil
	}
	return directoryOf(tree, opts.Paths[0], opts.StdinFilename)
}

// parseContract makes a contract of a file, or the built-in one where there is no
// file. Base is the directory that its exclude globs start from.
func parseContract(name string, data []byte, opts Options) (c *contract.Contract, base string, problems []*manifest.Problem) {
	if name == "" {
		return contract.Builtin(), "", nil
	}
	if c, problems = contract.Parse(name, data, rules.IDs(opts.rules())); len(problems) > 0 {
		return nil, "", problems
	}
	return c, path.Dir(name), nil
}
