package loaders

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// ignoreRules say what a walk leaves out, the last that matches having its way.
type ignoreRules []ignoreRule

// ignoreRule is one line of a .gitignore file, or one glob of a contract's
// exclude.
type ignoreRule struct {
	// base is the folder whose paths the glob is about.
	base       string
	glob       string
	negated    bool
	folderOnly bool
}

// ignores tells whether a file or folder is left out. What lies below a folder
// that is left out is not asked for.
func (rules ignoreRules) ignores(name string, folder bool) bool {
	for _, rule := range slices.Backward(rules) {
		if rule.matches(name, folder) {
			return !rule.negated
		}
	}
	return false
}

func (r ignoreRule) matches(name string, folder bool) bool {
	if r.folderOnly && !folder {
		return false
	}
	if r.base != "." {
		var below bool
		if name, below = strings.CutPrefix(name, r.base+"/"); !below {
			return false
		}
	}
	return doublestar.MatchUnvalidated(r.glob, name)
}

// parseIgnoreLine reads a line of the .gitignore file in the folder base. A line
// that git cannot make sense of is none.
//
// See https://git-scm.com/docs/gitignore#_pattern_format.
func parseIgnoreLine(line, base string) (ignoreRule, bool) {
	rule := ignoreRule{base: base}
	line = trimSpaces(strings.TrimSuffix(line, "\r"))
	if line == "" || line[0] == '#' {
		return rule, false
	}
	line, rule.negated = strings.CutPrefix(line, "!")
	line, rule.folderOnly = strings.CutSuffix(line, "/")
	anchored := strings.Contains(line, "/")
	line = strings.TrimPrefix(line, "/")
	if !anchored {
		line = "**/" + line
	}
	// Below a folder is not the folder itself.
	if below, ok := strings.CutSuffix(line, "/**"); ok {
		line = below + "/**/*"
	}
	rule.glob = escapeBraces(line)
	return rule, line != "" && doublestar.ValidatePattern(rule.glob)
}

// trimSpaces takes off the spaces at the end of a line but for an escaped one.
func trimSpaces(line string) string {
	trimmed := strings.TrimRight(line, " ")
	if trimmed != line && strings.HasSuffix(trimmed, `\`) {
		trimmed += " "
	}
	return trimmed
}

// escapeBraces escapes what has a meaning in doublestar's globs and none in
// git's.
func escapeBraces(glob string) string {
	var b strings.Builder
	for i := 0; i < len(glob); i++ {
		switch glob[i] {
		case '\\':
			if i+1 < len(glob) {
				b.WriteByte(glob[i])
				i++
			}
		case '{', '}':
			b.WriteByte('\\')
		}
		b.WriteByte(glob[i])
	}
	return b.String()
}

// leftOut is what a walk leaves out.
type leftOut struct {
	git, contract ignoreRules
}

func (l leftOut) has(name string, folder bool) bool {
	return l.git.ignores(name, folder) || l.contract.ignores(name, folder)
}

// leftOutAbove gives the rules that the folders above dir set. A folder that the
// user names is walked even where these rules leave it out; then they say
// nothing about what is in it either.
func (f *finder) leftOutAbove(dir string) leftOut {
	var out leftOut
	for _, glob := range f.opts.Exclude {
		out.contract = append(out.contract, excludeRule(glob, f.opts.ExcludeBase))
	}
	if dir == "." {
		return out
	}
	above := "."
	for part := range strings.SplitSeq(dir, "/") {
		out.git = f.withIgnoreFile(out.git, above)
		above = path.Join(above, part)
		if out.git.ignores(above, true) {
			out.git = nil
		}
		if out.contract.ignores(above, true) {
			out.contract = nil
		}
	}
	return out
}

func excludeRule(glob, base string) ignoreRule {
	glob, folderOnly := strings.CutSuffix(strings.TrimPrefix(glob, "./"), "/")
	return ignoreRule{base: path.Clean(base), glob: glob, folderOnly: folderOnly}
}

// maxIgnoreRules is how many lines of .gitignore files count for one folder. It
// bounds the time that a walk can take; real repositories have some hundred.
const maxIgnoreRules = 10_000

// withIgnoreFile adds the rules of the .gitignore file of a folder, if it has
// one. What it cannot read is not left out but linted, which is the safe side,
// and a notice says so.
func (f *finder) withIgnoreFile(rules ignoreRules, dir string) ignoreRules {
	name := path.Join(dir, ".gitignore")
	data, err := f.tree.Read(name)
	if err != nil {
		if p := asProblem(name, err); !errors.Is(err, fs.ErrNotExist) {
			f.problems = append(f.problems, asNotice(p))
		}
		return rules
	}
	rules = slices.Clone(rules)
	for line := range strings.SplitSeq(string(data), "\n") {
		rule, ok := parseIgnoreLine(line, dir)
		if ok && len(rules) == maxIgnoreRules {
			f.problems = append(f.problems, &manifest.Problem{
				Severity: manifest.Notice,
				Position: manifest.Position{File: name},
				Message:  manifest.Say("only the first %s lines of the .gitignore files count", manifest.Number(maxIgnoreRules)),
			})
			break
		}
		if ok {
			rules = append(rules, rule)
		}
	}
	return rules
}
