package loaders

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/derekg1729/dsnlint/pkg/internal/gitignore"
	"github.com/derekg1729/dsnlint/pkg/internal/gitrepo"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// leftOut is what a walk leaves out.
type leftOut struct {
	git, contract gitignore.Rules
	// untracked is set below a directory that .gitignore names: there only files
	// that git tracks count.
	untracked bool
	// target is the name without links of the directory that is walked.
	target string
}

// reason says why a walk leaves something out.
type reason int

const (
	notLeftOut reason = iota
	byExclude
	byGitignore
)

// leavesOut reports why a walk leaves out a file or directory. A file that git
// tracks is part of every checkout, whatever .gitignore says: git add -f would
// otherwise hide it from the gate.
func (f *finder) leavesOut(out leftOut, name string, dir bool) reason {
	switch {
	case out.contract.Ignores(name, dir):
		return byExclude
	case (out.untracked || out.git.Ignores(name, dir)) && !f.tracks(name, dir):
		return byGitignore
	}
	return notLeftOut
}

// tracks reports whether git tracks a file, or any file below a directory.
func (f *finder) tracks(name string, dir bool) bool {
	if !f.indexRead {
		f.indexRead = true
		f.readIndex()
	}
	switch {
	case f.index == nil:
		return false
	case dir:
		return f.index.HasBelow(name)
	}
	return f.index.Has(name)
}

// readIndex reads git's index, which only a walk needs that leaves something out.
func (f *finder) readIndex() {
	repository, err := gitrepo.Open(f.tree.Dir())
	if err == nil {
		f.index, err = repository.Index()
	}
	if err != nil && !errors.Is(err, gitrepo.ErrNone) {
		f.problems = append(f.problems, &manifest.Problem{
			Severity: manifest.Notice,
			Message:  manifest.Say("cannot read git's index: what .gitignore names is left out even where git tracks it"),
			Cause:    err,
		})
	}
}

// leftOutAbove returns the rules that the directories above dir set. A directory
// that the user names is walked even where these rules leave it out; then they
// say nothing about what is in it either.
func (f *finder) leftOutAbove(dir string) leftOut {
	var out leftOut
	for _, glob := range f.opts.Exclude {
		out.contract = append(out.contract, gitignore.Glob(glob, f.opts.ExcludeBase))
	}
	if dir == "." {
		return out
	}
	above := "."
	for part := range strings.SplitSeq(dir, "/") {
		out.git = f.withIgnoreFile(out.git, above)
		above = path.Join(above, part)
		if out.git.Ignores(above, true) {
			out.git = nil
		}
		if out.contract.Ignores(above, true) {
			out.contract = nil
		}
	}
	return out
}

// maxIgnoreRules is how many lines of .gitignore files count for one directory.
// It bounds the time that a walk can take; real repositories have some hundred.
const maxIgnoreRules = 10_000

// withIgnoreFile adds the rules of the .gitignore file of a directory, if it has
// one. What it cannot read is not left out but linted, which is the safe side,
// and a notice says so.
func (f *finder) withIgnoreFile(rules gitignore.Rules, dir string) gitignore.Rules {
	name := path.Join(dir, ".gitignore")
	data, err := f.tree.Read(name)
	if err != nil {
		if p := manifest.AsProblem(err, name); !errors.Is(err, fs.ErrNotExist) {
			f.problems = append(f.problems, p.AsNotice())
		}
		return rules
	}
	own := gitignore.Parse(data, dir)
	if rest := maxIgnoreRules - len(rules); len(own) > rest {
		own = own[:rest]
		f.problems = append(f.problems, &manifest.Problem{
			Severity: manifest.Notice,
			Position: manifest.Position{File: name},
			Message:  manifest.Say("only the first %s lines of the .gitignore files count", manifest.Number(maxIgnoreRules)),
		})
	}
	return slices.Concat(rules, own)
}

// LeftOut counts the files that look like manifests and that a walk left out.
type LeftOut struct {
	// Excluded are those that the contract's exclude names, and Ignored those that
	// .gitignore names and git does not track.
	Excluded, Ignored int
	// More reports that there are more than these: counting ends at a bound.
	More bool
}

// The bounds of counting what is left out. An ignored directory may hold whatever
// a build has made.
const (
	maxCountedEntries = 100_000
	maxCountedFiles   = 10_000
)

// count counts what is left out with an entry.
func (f *finder) count(why reason, name string, entry fs.DirEntry) {
	switch {
	case f.ctx.Err() != nil:
	case f.countedEntries >= maxCountedEntries || f.countedFiles >= maxCountedFiles:
		f.leftOut.More = true
	case entry.IsDir():
		if isLeftOut(entry.Name()) || tooDeep(name) {
			return
		}
		entries, err := fs.ReadDir(f.tree.FS(), name)
		if err != nil {
			return // nothing of it was to be read anyway
		}
		f.countedEntries += len(entries)
		for _, below := range entries {
			f.count(why, path.Join(name, below.Name()), below)
		}
	case f.isClaimed(entry.Name()):
		f.countedFiles++
		begin := beginning(f.tree, name)
		if !slices.ContainsFunc(f.claims(entry.Name()), func(l Loader) bool { return l.Suspects(name, begin) }) {
			return
		}
		if why == byExclude {
			f.leftOut.Excluded++
		} else {
			f.leftOut.Ignored++
		}
	}
}
