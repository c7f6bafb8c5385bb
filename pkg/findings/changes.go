package findings

import (
	"errors"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/derekg1729/dsnlint/pkg/internal/gitignore"
	"github.com/derekg1729/dsnlint/pkg/internal/gitrepo"
	"github.com/derekg1729/dsnlint/pkg/internal/linediff"
	"github.com/derekg1729/dsnlint/pkg/internal/source"
	"github.com/derekg1729/dsnlint/pkg/manifest"
	"github.com/derekg1729/dsnlint/pkg/rules"
)

// Changes is what differs between a commit and the working tree. Files are compared
// when they are asked for. It is not safe for concurrent use.
type Changes struct {
	git  *gitrepo.Repository
	tree *source.Tree
	// base is the commit to compare with.
	base *gitrepo.Snapshot
	// prefix leads from the working tree's root to the directory that paths are
	// relative to.
	prefix string

	// reading is held while a restored file is read, which may be in any goroutine.
	reading sync.Mutex

	files map[string]changedFile
	// index is nil until it is asked for, and patterns are those of each
	// directory's .gitignore.
	index    *gitrepo.Index
	patterns map[string]gitignore.Rules
	problems []*manifest.Problem
}

// changedFile is a file of the working tree, with the lines that are new or changed.
type changedFile struct {
	changed bool
	lines   []string
	// fresh has an element for each line; it is nil where all lines are new.
	fresh []bool
}

// ChangesSince compares the working tree that holds the directory root with the commit
// where its history parted from ref's, as a pull request does: what was
// committed to ref since then counts for nothing. Ref is a branch, a tag, a
// commit, or a revision such as HEAD~1 or origin/main. Paths that Changes are
// asked for are relative to root.
//
// The error is a [*manifest.Problem].
func ChangesSince(root, ref string) (*Changes, error) {
	abs, err := filepath.Abs(root)
	if err != nil {
		return nil, problem(manifest.Say("cannot find the root directory"), manifest.Text{}, err)
	}
	if abs, err = filepath.EvalSymlinks(abs); err != nil {
		return nil, problem(manifest.Say("cannot find the root directory"), manifest.Text{}, err)
	}
	location, err := gitrepo.Locate(abs)
	var repository *gitrepo.Repository
	if err == nil {
		repository, err = gitrepo.Open(location.Root)
	}
	switch {
	case errors.Is(err, gitrepo.ErrNone):
		return nil, problem(manifest.Say("the root directory is not in a git repository, so its changes are unknown"), manifest.Say("run dsnlint inside a clone, or without --changed-since"), err)
	case err != nil:
		return nil, problem(manifest.Say("cannot read the git repository"), manifest.Text{}, err)
	}
	c := &Changes{git: repository, files: map[string]changedFile{}, patterns: map[string]gitignore.Rules{}}
	if c.base, err = c.baseTree(ref); err != nil {
		return nil, err
	}
	if c.tree, err = source.Open(location.Root); err != nil {
		return nil, problem(manifest.Say("cannot open the repository's root directory"), manifest.Text{}, err)
	}
	prefix, err := filepath.Rel(location.Root, abs)
	if err != nil {
		return nil, problem(manifest.Say("cannot find the root directory in its repository"), manifest.Text{}, err)
	}
	c.prefix = filepath.ToSlash(prefix)
	return c, nil
}

// baseTree finds the commit to compare with.
func (c *Changes) baseTree(ref string) (*gitrepo.Snapshot, error) {
	other, err := c.git.Commit(ref)
	if err != nil {
		hint := gitrepo.Unshallow
		if remote := "origin/" + ref; hasCommit(c.git, remote) {
			hint = manifest.Say("there is %s", manifest.Name(remote))
		}
		return nil, problem(manifest.Say("found no commit %s in this clone", manifest.Name(ref)), hint, err)
	}
	head, err := c.git.Commit("HEAD")
	if err != nil {
		return nil, problem(manifest.Say("the repository has no commit yet"), manifest.Text{}, err)
	}
	base, cut := mergeBase(c.git, head, other)
	switch {
	case base != nil:
	case cut:
		base = other
		c.problems = append(c.problems, &manifest.Problem{
			Severity: manifest.Notice,
			Message:  manifest.Say("this clone lacks the commit where HEAD diverged from %s, so files are compared with %s itself", manifest.Name(ref), manifest.Name(ref)),
			Hint:     gitrepo.Unshallow,
		})
	default:
		return nil, problem(manifest.Say("HEAD and %s have no commit in common", manifest.Name(ref)), manifest.Say("name a branch that HEAD is based on"), nil)
	}
	snapshot, err := c.git.Snapshot(base)
	if err != nil {
		return nil, problem(manifest.Say("this clone lacks the files of %s", manifest.Name(ref)), gitrepo.Unshallow, err)
	}
	return snapshot, nil
}

func hasCommit(r *gitrepo.Repository, revision string) bool {
	_, err := r.Commit(revision)
	return err == nil
}

func problem(message, hint manifest.Text, cause error) *manifest.Problem {
	return &manifest.Problem{Severity: manifest.Error, Message: message, Hint: hint, Cause: cause}
}

// Close releases the working tree.
func (c *Changes) Close() error { return c.tree.Close() }

// Problems are notices of what could not be compared. What could not be is
// taken for changed, since a finding too many is better than one too few.
func (c *Changes) Problems() []*manifest.Problem { return c.problems }

// Touches reports whether a change bears on a finding: whether one of the lines
// that it names is new or changed. These are its own, those of every step of its
// provenance, those of the container's key and of the label that gives its role,
// and where the finding is about the container as a whole, all of the
// container's. A line beside one that was deleted counts as changed, since what
// was there may have kept the finding away.
func (c *Changes) Touches(f *rules.Finding) bool {
	if c.touches(f.Position) {
		return true
	}
	for _, path := range f.Provenance {
		if slices.ContainsFunc(path, func(step manifest.Step) bool {
			// What is left out of a long way may have changed.
			return step.Omitted > 0 || c.touches(step.Position)
		}) {
			return true
		}
	}
	own := f.Container.Position
	if own.Line > 0 && f.Variable == "" {
		own.EndLine = blockEnd(c.file(own.File).lines, own)
	}
	return own.Line > 0 && c.touches(own) || c.touches(f.Container.RoleLabelPosition)
}

// Changed reports whether a file is new, changed or gone. A file outside of the
// repository, and one that git ignores, has no history and is none of these.
func (c *Changes) Changed(name string) bool { return c.file(name).changed }

// Before returns a file as it was in the commit; the error is [fs.ErrNotExist]
// where there was none.
func (c *Changes) Before(name string) ([]byte, error) { return c.base.Read(path.Join(c.prefix, name)) }

// Restore gives a tree of the same directory the files that are gone since the commit,
// and hides those that are new.
func (c *Changes) Restore(tree *source.Tree) error {
	names, err := c.base.Files(c.prefix)
	if err != nil {
		return problem(manifest.Say("this clone lacks some directories of the earlier version, so what a change takes away is not known"), manifest.Say("clone without a filter such as tree:0"), err)
	}
	known := make(map[string]bool, len(names))
	for _, name := range names {
		known[name] = true
		if _, err := fs.Lstat(tree.FS(), name); errors.Is(err, fs.ErrNotExist) {
			// There may be many, and few of them are asked for.
			tree.OverlayLater(name, func() ([]byte, error) {
				c.reading.Lock()
				defer c.reading.Unlock()
				return c.Before(name)
			})
		}
	}
	index, err := c.git.Index()
	if err != nil {
		return problem(manifest.Say("cannot read the git repository"), manifest.Text{}, err)
	}
	for _, name := range index.Below(c.prefix) {
		if name, err = filepath.Rel(filepath.FromSlash(c.prefix), filepath.FromSlash(name)); err == nil && !known[filepath.ToSlash(name)] {
			tree.Hide(filepath.ToSlash(name))
		}
	}
	return nil
}

// RestoreFiles gives the tree the earlier content of those of the files that changed, and
// reports whether any did.
func (c *Changes) RestoreFiles(tree *source.Tree, names []string) bool {
	restored := false
	for _, name := range names {
		if c.Changed(name) {
			c.restore(tree, name)
			restored = true
		}
	}
	return restored
}

func (c *Changes) restore(tree *source.Tree, name string) {
	switch data, err := c.Before(name); {
	case err == nil:
		tree.Overlay(name, data)
	case errors.Is(err, fs.ErrNotExist):
		tree.Hide(name)
	}
}

// touches reports whether a place is new or changed. Of a place without a line it
// is only known whether its file is.
func (c *Changes) touches(p manifest.Position) bool {
	if p.File == "" {
		return false
	}
	f := c.file(p.File)
	if !f.changed || p.Line == 0 || f.fresh == nil {
		return f.changed
	}
	for line := p.Line; line <= max(p.Line, p.EndLine) && line <= len(f.fresh); line++ {
		if f.fresh[line-1] {
			return true
		}
	}
	return false
}

// blockEnd is the last line of what is indented below the key of a service or in
// the item of a container.
func blockEnd(lines []string, p manifest.Position) int {
	if p.Line > len(lines) {
		return p.Line
	}
	indent, last := p.Column-1, p.Line
	if strings.HasPrefix(strings.TrimLeft(lines[p.Line-1], " "), "-") {
		indent-- // the other keys of an item stand as deep as the first
	}
	for n := p.Line; n < len(lines); n++ {
		text := strings.TrimLeft(lines[n], " ")
		if text == "" || text[0] == '#' {
			continue
		}
		if len(lines[n])-len(text) <= indent {
			break
		}
		last = n + 1
	}
	return last
}

func (c *Changes) file(name string) changedFile {
	f, ok := c.files[name]
	if !ok {
		f = c.compare(name)
		c.files[name] = f
	}
	return f
}

// compare compares a file with what it was.
func (c *Changes) compare(name string) changedFile {
	if path.IsAbs(name) || filepath.IsAbs(name) {
		return changedFile{}
	}
	name = path.Join(c.prefix, name)
	if !filepath.IsLocal(filepath.FromSlash(name)) {
		return changedFile{}
	}
	name = c.followLinks(name)
	now, err := c.tree.Read(name)
	missing := errors.Is(err, fs.ErrNotExist)
	if err != nil && !missing {
		return changedFile{changed: true}
	}
	before, err := c.base.Read(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return changedFile{changed: !missing && !c.ignores(name), lines: splitLines(string(now))}
	case err != nil:
		c.problems = append(c.problems, &manifest.Problem{
			Severity: manifest.Notice,
			Position: manifest.Position{File: name},
			Message:  manifest.Say("this clone lacks the earlier version of the file, so all of it counts as changed"),
			Hint:     manifest.Say("clone without a filter such as blob:none"),
			Cause:    err,
		})
		return changedFile{changed: true, lines: splitLines(string(now))}
	case missing:
		return changedFile{changed: true}
	}
	return compareLines(splitLines(string(before)), splitLines(string(now)))
}

// followLinks returns the file that symbolic links lead to, which is the one that
// git keeps the lines of.
func (c *Changes) followLinks(name string) string {
	resolved, err := filepath.EvalSymlinks(c.tree.Abs(name))
	if err != nil {
		return name
	}
	rel, err := c.tree.Rel(resolved)
	if err != nil {
		return name
	}
	return rel
}

// ignores reports whether git leaves out a file that is in no commit. Without
// this every .env of a developer would always count as new.
func (c *Changes) ignores(name string) bool {
	if c.index == nil {
		index, err := c.git.Index()
		if err != nil {
			index = &gitrepo.Index{} // then .gitignore alone decides
		}
		c.index = index
	}
	return !c.index.Has(name) && c.matches(name)
}

// matches goes down to the file: what is in a directory that is left out is left
// out, whatever other patterns say.
func (c *Changes) matches(name string) bool {
	var rules gitignore.Rules
	above := "."
	parts := strings.Split(name, "/")
	for depth, part := range parts {
		rules = append(rules, c.rules(above)...)
		above = path.Join(above, part)
		if rules.Ignores(above, depth+1 < len(parts)) {
			return true
		}
	}
	return false
}

// rules are those of the .gitignore file of one directory.
func (c *Changes) rules(dir string) gitignore.Rules {
	known, ok := c.patterns[dir]
	if !ok {
		if data, err := c.tree.Read(path.Join(dir, ".gitignore")); err == nil {
			known = gitignore.Parse(data, dir)
		}
		c.patterns[dir] = known
	}
	return known
}

// splitLines returns the lines without their ends, which git may have changed at
// checkout.
func splitLines(text string) []string {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	if text = strings.TrimSuffix(text, "\n"); text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

func compareLines(before, now []string) changedFile {
	f := changedFile{lines: now, fresh: make([]bool, len(now))}
	for _, c := range linediff.Compare(before, now) {
		f.changed = true
		start, end := c.ReplStart, c.ReplEnd
		if c.End-c.Start > end-start {
			start, end = max(start-1, 0), min(end+1, len(now))
		}
		for i := start; i < end; i++ {
			f.fresh[i] = true
		}
	}
	return f
}
