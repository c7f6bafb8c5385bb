package changes

import (
	"path"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/format/gitignore"

	"github.com/derekg1729/dsnlint/pkg/source"
)

// ignored knows the files that git leaves out. They are in no commit, so that
// without this every .env of a developer would always count as new.
type ignored struct {
	tree *source.Tree
	// staged are the files that git has all the same.
	staged map[string]bool
	// patterns are those of each folder.
	patterns map[string][]gitignore.Pattern
}

// ignores tells whether git leaves out a file that is in no commit.
func (s *Set) ignores(name string) bool {
	if s.ignored == nil {
		s.ignored = &ignored{tree: s.tree, staged: map[string]bool{}, patterns: map[string][]gitignore.Pattern{}}
		if index, err := s.git.Storer.Index(); err == nil {
			for _, entry := range index.Entries {
				s.ignored.staged[entry.Name] = true
			}
		}
	}
	return !s.ignored.staged[name] && s.ignored.matches(name)
}

// matches goes down to the file: what is in a folder that is left out is left
// out, whatever other patterns say.
func (i *ignored) matches(name string) bool {
	parts := strings.Split(name, "/")
	var patterns []gitignore.Pattern
	for depth := range parts {
		patterns = append(patterns, i.of(parts[:depth])...)
		if gitignore.NewMatcher(patterns).Match(parts[:depth+1], depth+1 < len(parts)) {
			return true
		}
	}
	return false
}

// of gives the patterns of one folder.
func (i *ignored) of(folder []string) []gitignore.Pattern {
	name := path.Join(path.Join(folder...), ".gitignore")
	known, ok := i.patterns[name]
	if ok {
		return known
	}
	data, err := i.tree.Read(name)
	if err == nil {
		for line := range strings.Lines(string(data)) {
			if line = strings.TrimRight(line, "\r\n"); line != "" && line[0] != '#' {
				known = append(known, gitignore.ParsePattern(line, folder))
			}
		}
	}
	i.patterns[name] = known
	return known
}
