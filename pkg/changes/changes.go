// Package changes knows which lines of a repository's files are new or changed
// since a commit, and which findings these bear on. It reads the repository in
// process, and never fetches.
package changes

import (
	"errors"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/derekg1729/dsnlint/pkg/internal/gitignore"
	"github.com/derekg1729/dsnlint/pkg/internal/gitrepo"
	"github.com/derekg1729/dsnlint/pkg/internal/linediff"
	"github.com/derekg1729/dsnlint/pkg/internal/source"
	"github.com/derekg1729/dsnlint/pkg/manifest"
	"github.com/derekg1729/dsnlint/pkg/rules"
)

// Set is what differs between a commit and the working tree. Files are compared
// when they are asked for. It is not safe for concurrent use.
type Set struct {
	git  *gitrepo.Repository
	tree *source.Tree
	// base is the commit to compare with.
	base *gitrepo.Snapshot
	// prefix leads from the working tree's root to the folder that paths are
	// relative to.
	prefix string

	files map[string]file
	// index is nil until it is asked for, and patterns are those of each
	// directory's .gitignore.
	index    *gitrepo.Index
	patterns map[string]gitignore.Rules
	problems []*manifest.Problem
}

// file is a file of the working tree, with the lines that are new or changed.
type file struct {
	changed bool
	lines   []string
	// fresh has an element for each line; it is nil where all lines are new.
	fresh []bool
}

// Since compares the working tree that holds the folder root with the commit
// where its history parted from ref's, as a pull request does: what was
// committed to ref since then counts for nothing. Ref is a branch, a tag, a
// commit, or a revision such as HEAD~1 or origin/main. Paths that the Set is
// asked for are relative to root.
//
// The error is a [*manifest.Problem].
func Since(root, ref string) (*Set, error) {
	abs, err := filepath.Abs(root)
	if err != nil {
		return nil, problem(manifest.Say("cannot find the root folder"), manifest.Text{}, err)
	}
	if abs, err = filepath.EvalSymlinks(abs); err != nil {
		return nil, problem(manifest.Say("cannot find the root folder"), manifest.Text{}, err)
	}
	location, err := gitrepo.Locate(abs)
	var repository *gitrepo.Repository
	if err == nil {
		repository, err = gitrepo.Open(location.Root)
	}
	switch {
	case errors.Is(err, gitrepo.ErrNone):
		return nil, problem(manifest.Say("the root folder lies in no git repository, so nothing is known of its changes"), manifest.Say("run dsnlint inside a clone, or without --changed-since"), err)
	case err != nil:
		return nil, problem(manifest.Say("cannot read the git repository"), manifest.Text{}, err)
	}
	s := &Set{git: repository, files: map[string]file{}, patterns: map[string]gitignore.Rules{}}
	if s.base, err = s.baseTree(ref); err != nil {
		return nil, err
	}
	if s.tree, err = source.Open(location.Root); err != nil {
		return nil, problem(manifest.Say("cannot open the repository's root folder"), manifest.Text{}, err)
	}
	prefix, err := filepath.Rel(location.Root, abs)
	if err != nil {
		return nil, problem(manifest.Say("cannot find the root folder in its repository"), manifest.Text{}, err)
	}
	s.prefix = filepath.ToSlash(prefix)
	return s, nil
}

// baseTree finds the commit to compare with.
func (s *Set) baseTree(ref string) (*gitrepo.Snapshot, error) {
	other, err := s.git.Commit(ref)
	if err != nil {
		hint := gitrepo.Unshallow
		if remote := "origin/" + ref; hasCommit(s.git, remote) {
			hint = manifest.Say("there is %s", manifest.Name(remote))
		}
		return nil, problem(manifest.Say("there is no commit %s in this clone", manifest.Name(ref)), hint, err)
	}
	head, err := s.git.Commit("HEAD")
	if err != nil {
		return nil, problem(manifest.Say("the repository has no commit yet"), manifest.Text{}, err)
	}
	base, cut := mergeBase(s.git, head, other)
	switch {
	case base != nil:
	case cut:
		base = other
		s.problems = append(s.problems, &manifest.Problem{
			Severity: manifest.Notice,
			Message:  manifest.Say("this clone does not hold the commit where HEAD parted from %s, so the files are compared with %s itself", manifest.Name(ref), manifest.Name(ref)),
			Hint:     gitrepo.Unshallow,
		})
	default:
		return nil, problem(manifest.Say("HEAD and %s have no commit in common", manifest.Name(ref)), manifest.Say("name a branch that HEAD comes from"), nil)
	}
	snapshot, err := s.git.Snapshot(base)
	if err != nil {
		return nil, problem(manifest.Say("this clone does not hold the files of %s", manifest.Name(ref)), gitrepo.Unshallow, err)
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
func (s *Set) Close() error { return s.tree.Close() }

// Problems are notices of what could not be compared. What could not be is
// taken for changed, since a finding too many is better than one too few.
func (s *Set) Problems() []*manifest.Problem { return s.problems }

// Touches tells whether a change bears on a finding: whether one of the lines
// that it names is new or changed. These are its own, those of every step of its
// provenance, those of the container's key and of the label that gives its role,
// and where the finding is about the container as a whole, all of the
// container's. A line beside one that was deleted counts as changed, since what
// was there may have kept the finding away.
func (s *Set) Touches(f *rules.Finding) bool {
	if s.touches(f.Position) {
		return true
	}
	for _, path := range f.Provenance {
		if slices.ContainsFunc(path, func(step manifest.Step) bool {
			// What is left out of a long way may have changed.
			return step.Omitted > 0 || s.touches(step.Position)
		}) {
			return true
		}
	}
	own := f.Container.Position
	if own.Line > 0 && f.Variable == "" {
		own.EndLine = blockEnd(s.file(own.File).lines, own)
	}
	return own.Line > 0 && s.touches(own) || s.touches(f.Container.RoleLabelPosition)
}

// Changed tells whether a file is new, changed or gone. A file outside of the
// repository, and one that git ignores, has no history and is none of these.
func (s *Set) Changed(name string) bool { return s.file(name).changed }

// Before returns a file as it was in the commit; the error is [fs.ErrNotExist]
// where there was none.
func (s *Set) Before(name string) ([]byte, error) { return s.base.Read(path.Join(s.prefix, name)) }

// touches tells whether a place is new or changed. Of a place without a line it
// is only known whether its file is.
func (s *Set) touches(p manifest.Position) bool {
	if p.File == "" {
		return false
	}
	f := s.file(p.File)
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

func (s *Set) file(name string) file {
	f, ok := s.files[name]
	if !ok {
		f = s.compare(name)
		s.files[name] = f
	}
	return f
}

// compare compares a file with what it was.
func (s *Set) compare(name string) file {
	if path.IsAbs(name) || filepath.IsAbs(name) {
		return file{}
	}
	name = path.Join(s.prefix, name)
	if !filepath.IsLocal(filepath.FromSlash(name)) {
		return file{}
	}
	name = s.followLinks(name)
	now, err := s.tree.Read(name)
	missing := errors.Is(err, fs.ErrNotExist)
	if err != nil && !missing {
		return file{changed: true}
	}
	before, err := s.base.Read(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return file{changed: !missing && !s.ignores(name), lines: splitLines(string(now))}
	case err != nil:
		s.problems = append(s.problems, &manifest.Problem{
			Severity: manifest.Notice,
			Position: manifest.Position{File: name},
			Message:  manifest.Say("this clone does not hold what the file was before, so all of it is taken for changed"),
			Hint:     manifest.Say("clone without a filter such as blob:none"),
			Cause:    err,
		})
		return file{changed: true, lines: splitLines(string(now))}
	case missing:
		return file{changed: true}
	}
	return compareLines(splitLines(string(before)), splitLines(string(now)))
}

// followLinks gives the file that symbolic links lead to, which is the one that
// git keeps the lines of.
func (s *Set) followLinks(name string) string {
	resolved, err := filepath.EvalSymlinks(s.tree.Abs(name))
	if err != nil {
		return name
	}
	rel, err := s.tree.Rel(resolved)
	if err != nil {
		return name
	}
	return rel
}

// ignores reports whether git leaves out a file that is in no commit. Without
// this every .env of a developer would always count as new.
func (s *Set) ignores(name string) bool {
	if s.index == nil {
		index, err := s.git.Index()
		if err != nil {
			index = &gitrepo.Index{} // then .gitignore alone decides
		}
		s.index = index
	}
	return !s.index.Has(name) && s.matches(name)
}

// matches goes down to the file: what is in a directory that is left out is left
// out, whatever other patterns say.
func (s *Set) matches(name string) bool {
	var rules gitignore.Rules
	above := "."
	parts := strings.Split(name, "/")
	for depth, part := range parts {
		rules = append(rules, s.rules(above)...)
		above = path.Join(above, part)
		if rules.Ignores(above, depth+1 < len(parts)) {
			return true
		}
	}
	return false
}

// rules are those of the .gitignore file of one directory.
func (s *Set) rules(dir string) gitignore.Rules {
	known, ok := s.patterns[dir]
	if !ok {
		if data, err := s.tree.Read(path.Join(dir, ".gitignore")); err == nil {
			known = gitignore.Parse(data, dir)
		}
		s.patterns[dir] = known
	}
	return known
}

// splitLines gives the lines without their ends, which git may have changed at
// checkout.
func splitLines(text string) []string {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	if text = strings.TrimSuffix(text, "\n"); text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

func compareLines(before, now []string) file {
	f := file{lines: now, fresh: make([]bool, len(now))}
	for _, c := range linediff.Compare(before, now) {
		f.changed = true
		start, end := c.NewStart, c.NewEnd
		if c.OldEnd-c.OldStart > end-start {
			start, end = max(start-1, 0), min(end+1, len(now))
		}
		for i := start; i < end; i++ {
			f.fresh[i] = true
		}
	}
	return f
}
