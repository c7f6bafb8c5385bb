package compose

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"github.com/compose-spec/compose-go/v2/interpolation"
	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/template"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/sirupsen/logrus"

	"github.com/derekg1729/dsnlint/pkg/manifest"
	"github.com/derekg1729/dsnlint/pkg/source"
)

// compose-go writes its warnings to logrus's one global logger, values
// included, and has no option against it.
var silence = sync.OnceFunc(func() { logrus.SetOutput(io.Discard) })

// merge has compose-go put the project together; nil where it cannot.
func (p *project) merge(ctx context.Context) *types.Project {
	silence()
	scratch, err := p.layOut()
	if scratch != "" {
		defer func() { _ = os.RemoveAll(scratch) }()
	}
	if err != nil {
		p.report(&manifest.Problem{
			Severity: manifest.Error, Position: manifest.Position{File: p.main[0].file},
			Message: manifest.Say("cannot write the files of a project to the folder for temporary files"), Cause: err,
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
	merged, err := p.load(ctx)
	if err != nil {
		p.reportCompose(err)
		return nil
	}
	return merged
}

// layOut renders every unit. What compose-go insists on reading from a file, it
// gets in a folder of its own, whose name is returned.
func (p *project) layOut() (scratch string, err error) {
	for _, u := range p.opened {
		if u.kind == mainUnit {
			u.path = p.tree.Abs(u.file)
			continue
		}
		if scratch == "" {
			if scratch, err = os.MkdirTemp("", "dsnlint-"); err != nil {
				return "", err
			}
		}
		u.path = filepath.Join(scratch, fmt.Sprintf("%d.yaml", len(p.paths)))
		p.paths[u.path] = u
	}
	for _, u := range p.opened {
		text := p.render(u)
		if u.kind == mainUnit {
			u.text = text
		} else if err := os.WriteFile(u.path, text, 0o600); err != nil {
			return scratch, err
		}
	}
	return scratch, nil
}

// load runs compose-go. It panics on some input that its schema lets through.
func (p *project) load(ctx context.Context) (merged *types.Project, err error) {
	defer func() {
		if recover() != nil {
			merged, err = nil, errPanic
		}
	}()
	details := types.ConfigDetails{
		WorkingDir: p.tree.Abs(p.dir),
		// An empty map; without one compose-go asks the process's environment.
		Environment: types.Mapping{},
	}
	for _, u := range p.main {
		details.ConfigFiles = append(details.ConfigFiles, types.ConfigFile{Filename: u.path, Content: u.text})
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
			TypeCastMapping: o.Interpolate.TypeCastMapping,
		}
	})
}

// checkedFiles hands compose-go the files that were rendered for it, and
// refuses every other.
type checkedFiles struct{ p *project }

// Accept takes every path, so that compose-go reads none by itself.
func (checkedFiles) Accept(string) bool { return true }

// Load gives the path of a rendered file.
func (c checkedFiles) Load(_ context.Context, name string) (string, error) {
	if c.p.paths[name] == nil {
		return "", errUnchecked
	}
	return name, nil
}

// Dir gives the folder that the file's relative paths count from.
func (c checkedFiles) Dir(name string) string {
	if u := c.p.paths[name]; u != nil {
		return c.p.tree.Abs(u.dir)
	}
	return c.p.tree.Abs(c.p.dir)
}
