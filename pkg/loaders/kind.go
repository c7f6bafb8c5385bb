package loaders

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"path"
	"regexp"

	"go.yaml.in/yaml/v4"

	"github.com/derekg1729/dsnlint/pkg/internal/source"
	"github.com/derekg1729/dsnlint/pkg/loaders/kustomize"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// classify tells the dialect of a file by its content. What is wrong with a file
// is a problem where the user named the file, or where it may well be a
// manifest. A walk passes over everything else: a folder is full of YAML that is
// none of ours, and some of it is only YAML to the tool that it is for.
func (f *file) classify(tree *source.Tree) {
	problem := guard(f.name, func() {
		data, err := tree.Read(f.name)
		if err != nil {
			f.problem = f.unreadable(tree, err)
			return
		}
		f.read(data)
	})
	if problem != nil {
		f.problem = problem
	}
}

func (f *file) read(data []byte) {
	if f.named && isShellScript(f.name, data) {
		f.dialect = shellScript
		return
	}
	if !f.named && !mayBeManifest(f.name, data) {
		return
	}
	docs, err := source.ParseYAML(f.name, data)
	if f.dialect = dialectOf(f.name, docs); f.dialect != nil && f.dialect.groupsByContent {
		f.docs = docs
	}
	switch {
	case err != nil && (f.named || f.dialect != nil || looksLikeManifest(f.name, data)):
		f.problem = asProblem(f.name, err)
	case err == nil && f.named && f.dialect == nil:
		f.problem = &manifest.Problem{
			Severity: manifest.Error,
			Position: manifest.Position{File: f.name},
			Message:  manifest.Say("not a %s", nouns(fileDialects())),
			Hint:     manifest.Say("a Compose file has services, a Kubernetes manifest has apiVersion and kind"),
		}
	}
}

func dialectOf(name string, docs []*yaml.Node) *dialect {
	for _, d := range fileDialects() {
		for _, doc := range docs {
			if d.is(name, doc) {
				return d
			}
		}
	}
	return nil
}

// unreadable judges a file that cannot be read by its name, and by how it begins
// where that much can be read. Where it cannot be told what a file is, a notice
// says so.
func (f *file) unreadable(tree *source.Tree, err error) *manifest.Problem {
	problem := asProblem(f.name, err)
	begin := beginning(tree, f.name)
	switch {
	case f.named || looksLikeManifest(f.name, begin):
		return problem
	case begin != nil:
		return nil
	}
	return asNotice(problem)
}

// beginning reads the first part of a regular file.
func beginning(tree *source.Tree, name string) []byte {
	const most = 64 << 10
	// Opening anything but a regular file may wait forever.
	if info, err := fs.Stat(tree.FS(), name); err != nil || !info.Mode().IsRegular() {
		return nil
	}
	file, err := tree.FS().Open(name)
	if err != nil {
		return nil
	}
	defer func() { _ = file.Close() }()
	data, err := io.ReadAll(io.LimitReader(file, most))
	if err != nil {
		return nil
	}
	return data
}

// mayBeManifest saves the parsing of files that can be no manifest: one has one
// of these words in it, or writes it with an escape.
func mayBeManifest(name string, data []byte) bool {
	if composeName.MatchString(path.Base(name)) || kustomize.IsKustomization(name, nil) {
		return true
	}
	text := withoutNUL(data)
	for _, word := range []string{"services", "include", "kind", "apiVersion", `\`} {
		if bytes.Contains(text, []byte(word)) {
			return true
		}
	}
	return false
}

var (
	composeName  = regexp.MustCompile(`(?i)(?:^|[-._])compose(?:[-._].*)?\.(?:ya?ml|json)$`)
	manifestText = regexp.MustCompile(`(?m)^\x{FEFF}?(?:services|kind|apiVersion)[ \t]*:|[{,\s]"apiVersion"\s*:`)
)

// looksLikeManifest tells whether a file that does not parse is probably meant
// for a manifest.
func looksLikeManifest(name string, data []byte) bool {
	return composeName.MatchString(path.Base(name)) || manifestText.Match(withoutNUL(data))
}

// withoutNUL makes the Latin letters of UTF-16 legible.
func withoutNUL(data []byte) []byte {
	if !bytes.ContainsRune(data, 0) {
		return data
	}
	return bytes.ReplaceAll(data, []byte{0}, nil)
}

func asProblem(name string, err error) *manifest.Problem {
	if p := (*manifest.Problem)(nil); errors.As(err, &p) {
		return p
	}
	return &manifest.Problem{
		Severity: manifest.Error,
		Position: manifest.Position{File: name},
		Message:  manifest.Say("cannot read the file"),
		Cause:    err,
	}
}

func asNotice(p *manifest.Problem) *manifest.Problem {
	notice := *p
	notice.Severity = manifest.Notice
	return &notice
}
