package compose

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/compose-spec/compose-go/v2/interpolation"
	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/template"
	"github.com/compose-spec/compose-go/v2/tree"
	"github.com/compose-spec/compose-go/v2/types"

	"github.com/derekg1729/dsnlint/pkg/internal/source"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

var (
	errPanic     = errors.New("compose-go panicked")
	errUnchecked = errors.New("a file that was not checked is not read")
)

// merge has compose-go put the project together, without the parts that it does
// not accept; nil where nothing is left.
func (p *project) merge(ctx context.Context) *types.Project {
	defer p.clean()
	if err := p.layOut(); err != nil {
		p.report(&manifest.Problem{
			Severity: manifest.Error, Position: manifest.Position{File: p.main[0].file},
			Message: manifest.Say("cannot write the files of a project to the directory for temporary files"), Cause: err,
		})
		return nil
	}
	if p.tokens.size > maxText {
		p.report(&manifest.Problem{
			Severity: manifest.Error, Position: manifest.Position{File: p.main[0].file},
			Message: manifest.Say("with its aliases expanded the project holds more than %s MiB of text", manifest.Number(maxText>>20)),
		})
		return nil
	}
	if p.isEmpty() {
		p.report(&manifest.Problem{
			Severity: manifest.Error, Position: manifest.Position{File: p.main[0].file},
			Message: manifest.Say("not a valid Compose file: the file is empty; expected services"),
		})
		return nil
	}
	merged, err := p.load(ctx)
	for err != nil && p.validate() && p.mayRetry() {
		merged, err = p.load(ctx)
	}
	if err != nil {
		merged = p.isolate(ctx)
	}
	return merged
}

// isEmpty reports whether no main file has a document with anything in it.
func (p *project) isEmpty() bool {
	for _, u := range p.main {
		for _, root := range u.documents {
			if root = source.Resolve(root); len(root.Content) > 0 || root.ShortTag() != "!!map" && root.ShortTag() != "!!null" {
				return false
			}
		}
	}
	return true
}

// layOut renders every unit. What compose-go insists on reading from a file, it
// gets in a directory of its own.
func (p *project) layOut() error {
	for _, u := range p.opened {
		if u.kind == mainUnit {
			u.path = p.tree.Abs(u.file)
			continue
		}
		if p.scratch == "" {
			scratch, err := makeScratch(p.scratchParent)
			if err != nil {
				return err
			}
			p.scratch = scratch
		}
		u.path = filepath.Join(p.scratch, fmt.Sprintf("%d.yaml", len(p.paths)))
		p.paths[u.path] = u
	}
	for _, u := range p.opened {
		u.rendered = p.render(u)
	}
	return nil
}

// makeScratch makes a directory in parent. Without one it is a directory for
// temporary files, and where the environment names one that cannot be used, one
// that every system has.
func makeScratch(parent string) (scratch string, err error) {
	parents := []string{parent}
	if parent == "" {
		parents = []string{os.TempDir(), "/tmp", "/var/tmp"}
	}
	for _, parent := range parents {
		if scratch, err = os.MkdirTemp(parent, "dsnlint-"); err == nil {
			return scratch, nil
		}
	}
	return "", err
}

func (p *project) clean() {
	if p.scratch != "" {
		_ = os.RemoveAll(p.scratch)
	}
}

// write passes the documents of every unit, without what is left out, to
// compose-go. It returns how many nodes they have.
func (p *project) write() (nodes int, err error) {
	// What a file includes was opened after it.
	for _, u := range slices.Backward(p.opened) {
		u.alive = slices.ContainsFunc(u.rendered, (*part).isAlive)
		if !u.alive && u.kind == includedUnit {
			continue
		}
		var b strings.Builder
		for _, document := range u.rendered {
			if document.off {
				continue
			}
			b.WriteString("---\n")
			nodes += document.write(&b)
			b.WriteString("\n")
		}
		if text := b.String(); u.text == nil || text != string(u.text) {
			u.text = []byte(text)
			if u.kind != mainUnit {
				if err := os.WriteFile(u.path, u.text, 0o600); err != nil {
					return nodes, err
				}
			}
		}
	}
	return nodes, nil
}

// casts turn the text of an attribute into a number or a boolean, as compose-go
// does. It logs the forms of a boolean that YAML 1.2 has dropped, so that it is
// given the others.
var casts = sync.OnceValue(func() map[tree.Path]interpolation.Cast {
	casts := map[tree.Path]interpolation.Cast{}
	for attribute, cast := range loader.ToOptions(&types.ConfigDetails{}, nil).Interpolate.TypeCastMapping {
		casts[attribute] = func(value string) (any, error) {
			switch strings.ToLower(value) {
			case "y", "yes", "on":
				value = "true"
			case "n", "no", "off":
				value = "false"
			}
			return cast(value)
		}
	}
	return casts
})

// nodesOfLoad is what a run of compose-go costs at least, in nodes.
const nodesOfLoad = 10

// load runs compose-go. It panics on some input that its schema lets through.
func (p *project) load(ctx context.Context) (merged *types.Project, err error) {
	defer func() {
		if recover() != nil {
			merged, err = nil, errPanic
		}
	}()
	nodes, err := p.write()
	if err != nil {
		return nil, err
	}
	p.loaded += nodes + nodesOfLoad
	details := types.ConfigDetails{
		WorkingDir: p.tree.Abs(p.dir),
		// An empty map; without one compose-go asks the process's environment.
		Environment: types.Mapping{},
	}
	for _, u := range p.main {
		text := u.text
		if len(text) == 0 {
			text = []byte("---\n{" + lostKey + ": true}\n")
		}
		details.ConfigFiles = append(details.ConfigFiles, types.ConfigFile{Filename: u.path, Content: text})
	}
	return loader.LoadWithContext(ctx, details, func(o *loader.Options) {
		o.SetProjectName(p.name, true)
		o.Profiles = []string{"*"}
		// An override that is linted alone lacks images, and what is not
		// followed lacks services.
		o.SkipConsistencyCheck = true
		// Their files are read through the tree.
		o.SkipResolveEnvironment = true
		o.SkipResolveLabels = true
		o.MaxNodeVisits = 2 * source.MaxNodes
		o.ResourceLoaders = []loader.ResourceLoader{checkedFiles{p}}
		o.Interpolate = &interpolation.Options{
			// Variables are already looked up.
			Substitute:      func(s string, _ template.Mapping) (string, error) { return p.tokens.restore(s), nil },
			LookupValue:     func(string) (string, bool) { return "", false },
			TypeCastMapping: casts(),
		}
	})
}

// checkedFiles hands compose-go the files that were rendered for it, and
// refuses every other.
type checkedFiles struct{ p *project }

// Accept takes every path, so that compose-go reads none by itself.
func (checkedFiles) Accept(string) bool { return true }

// Load returns the path of a rendered file.
func (c checkedFiles) Load(_ context.Context, name string) (string, error) {
	if c.p.paths[name] == nil {
		return "", errUnchecked
	}
	return name, nil
}

// Dir returns the directory that the file's relative paths count from.
func (c checkedFiles) Dir(name string) string {
	if u := c.p.paths[name]; u != nil {
		return c.p.tree.Abs(u.dir)
	}
	return c.p.tree.Abs(c.p.dir)
}
