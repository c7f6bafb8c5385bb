package compose

import (
	"errors"
	"io/fs"
	"maps"
	"path"
	"slices"

	"github.com/derekg1729/dsnlint/pkg/internal/envfile"
	"github.com/derekg1729/dsnlint/pkg/internal/interp"
	"github.com/derekg1729/dsnlint/pkg/internal/source"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// variable is a name whose value some file or the user gives.
type variable struct {
	// value is what Compose has for it, with unset variables blank.
	value string
	// expr is how it is built. known tells that no variable in it is unset.
	expr  manifest.Expr
	known bool
	// steps lead from a mention of the name to where it is given.
	steps []manifest.Step
	// own reports whether it is one of the container's environment, which its env
	// files may refer to.
	own bool
}

// scope holds the variables that a file is interpolated with.
type scope map[string]*variable

// lookup finds a variable.
type lookup func(name string) (*variable, bool)

func (s scope) get(name string) (*variable, bool) {
	v, ok := s[name]
	return v, ok
}

// or looks in other where the first knows no such variable.
func (l lookup) or(other lookup) lookup {
	return func(name string) (*variable, bool) {
		if v, ok := l(name); ok {
			return v, true
		}
		return other(name)
	}
}

func (l lookup) text(name string) (string, bool) {
	if v, ok := l(name); ok {
		return v.value, true
	}
	return "", false
}

// newVariable makes a variable of an interpolated text.
func newVariable(t interp.Template, look lookup, steps ...manifest.Step) (*variable, error) {
	value, _, err := t.Eval(look.text)
	if err != nil {
		return nil, err
	}
	v := &variable{value: value, expr: look.expand(t), steps: steps}
	v.known = v.expr.IsKnown()
	return v, nil
}

func textVariable(value string, steps ...manifest.Step) *variable {
	return &variable{value: value, expr: manifest.Literal(value), known: true, steps: steps}
}

// ref mentions a name.
func (l lookup) ref(name string) *manifest.Ref {
	ref := &manifest.Ref{Name: name, Kind: manifest.RefVariable}
	if v, ok := l(name); ok {
		ref.Value, ref.Steps = v.expr, v.steps
		if v.own {
			ref.Kind = manifest.RefEnv
		}
	}
	return ref
}

// expand tells what a text is built from. A word that cannot be taken is left
// out, and one that may be taken is followed by a part that is not known.
func (l lookup) expand(t interp.Template) manifest.Expr {
	expr := manifest.Expr{}
	for _, s := range t {
		if s.Name == "" {
			expr = append(expr, manifest.Part{Literal: manifest.Known(s.Text)})
			continue
		}
		expr = append(expr, l.segment(s)...)
	}
	return expr
}

func (l lookup) segment(s interp.Segment) []manifest.Part {
	v, set := l(s.Name)
	ref := manifest.Part{Ref: l.ref(s.Name)}
	// An env file may set a variable to what is itself not known.
	open := !set || !v.known && v.value == ""
	switch s.Op {
	case interp.InsteadIfFull, interp.InsteadIfSet:
		if s.Op == interp.InsteadIfSet {
			open = !set
		}
		word := l.expand(s.Word)
		switch {
		case open && len(word) > 0:
			return append(word, manifest.Part{})
		case open || !s.TakesWord(v.value, true):
			return nil
		}
		return word
	case interp.DefaultIfEmpty, interp.DefaultIfUnset:
		switch {
		case open && (!set || s.Op == interp.DefaultIfEmpty):
			ref.Ref.Default = l.expand(s.Word)
		case s.TakesWord(v.value, true):
			return append([]manifest.Part{ref}, l.expand(s.Word)...)
		}
	default:
		// A required variable is one like any other.
	}
	return []manifest.Part{ref}
}

// assign returns the variables of an env file to vars. A mention of a name is
// looked up in outer first and then among those given so far. It returns the
// entries that give a value, and those that would hand a variable through which
// nobody sets.
func (p *project) assign(vars scope, file string, entries []envfile.Entry, outer lookup) (given, unset []envfile.Entry, problem *manifest.Problem) {
	look := outer.or(vars.get)
	for _, entry := range entries {
		step := stepOf(file, entry)
		if entry.Inherited {
			if v, ok := outer(entry.Name); ok {
				vars[entry.Name] = &variable{
					value: v.value, known: v.known, steps: []manifest.Step{step},
					expr: manifest.Expr{{Ref: outer.ref(entry.Name)}},
				}
				given = append(given, entry)
			} else {
				unset = append(unset, entry)
			}
			continue
		}
		v := textVariable(entry.Text, step)
		if !entry.Literal {
			t, err := interp.Parse(entry.Text)
			if err == nil {
				v, err = newVariable(t, look, step)
			}
			if err == nil && hasVariable(t) && !p.hold(len(v.value), step.Position) {
				v.value, v.known = "", false
			}
			if err != nil {
				problem = &manifest.Problem{
					Severity: manifest.Error,
					Position: step.Position,
					Message:  manifest.Say("the value of %s: %s", manifest.Name(variableName(entry.Name)), interpolationReason(err)),
					Cause:    err,
				}
				continue
			}
		}
		vars[entry.Name] = v
		given = append(given, entry)
	}
	return given, unset, problem
}

// stepOf leads to an entry of an env file.
func stepOf(file string, entry envfile.Entry) manifest.Step {
	return manifest.Step{
		Position: entry.Position,
		Text:     manifest.Say("%s in %s", manifest.Name(variableName(entry.Name)), manifest.Path(file)),
		EnvFile:  true,
	}
}

// envFormat returns what reads a format of env_file.
func envFormat(format string) (read func(string, []byte) ([]envfile.Entry, error), syntax *source.Syntax) {
	if format == "raw" {
		return envfile.ParseRaw, envfile.Raw
	}
	return envfile.Parse, envfile.Dotenv
}

// parseEnvFile reads an env file in one of the formats of env_file.
func parseEnvFile(file string, data []byte, format string) ([]envfile.Entry, *manifest.Problem) {
	read, _ := envFormat(format)
	entries, err := read(file, data)
	if err == nil {
		return entries, nil
	}
	problem := &manifest.Problem{
		Severity: manifest.Error,
		Position: manifest.Position{File: file},
		Message:  manifest.Say("invalid env file"),
		Cause:    err,
	}
	if e := (*envfile.Error)(nil); errors.As(err, &e) {
		problem.Position = e.Position
		problem.Message = manifest.Say("invalid env file: %s", e.Message)
	}
	return entries, problem
}

// environment is the scope of the main files: the variables of the process,
// then the env files that were given or the .env beside the first file.
func (p *project) environment(opts Options) scope {
	process := scope{}
	for _, name := range slices.Sorted(maps.Keys(opts.Environ)) {
		process[name] = textVariable(opts.Environ[name],
			manifest.Step{Text: manifest.Say("%s in the environment of the process", manifest.Name(name))})
	}
	files := opts.EnvFiles
	if len(files) == 0 {
		files = p.dotEnv(p.dir)
	}
	return p.extendScope(process, files)
}

// extendScope adds the variables of env files to those of a scope, which win.
func (p *project) extendScope(parent scope, files []EnvFile) scope {
	own := scope{}
	for _, file := range files {
		if !p.spend(len(file.Data)+costOfVariable*len(parent), file.Name) {
			continue
		}
		entries, problem := parseEnvFile(file.Name, file.Data, "")
		p.report(problem)
		_, _, problem = p.assign(own, file.Name, entries, parent.get)
		p.report(problem)
	}
	maps.Copy(own, parent)
	return own
}

// maxVariables bounds the bytes of env files that are read, counting each
// again for every service and include that reads it. costOfVariable is what a
// variable counts for besides, wherever it is delivered or inherited.
const (
	maxVariables   = 16 << 20
	costOfVariable = 128
)

// spend counts what an env file costs, and reports whether it may be read.
func (p *project) spend(bytes int, file string) bool {
	if p.variables += bytes; p.variables <= maxVariables {
		return true
	}
	p.report(&manifest.Problem{
		Severity: manifest.Error, Position: manifest.Position{File: file},
		Message: manifest.Say("the project's services and includes read more than %s MiB of env files", manifest.Number(maxVariables>>20)),
	})
	return false
}

// dotEnv is the .env of a directory, if there is one. As Compose has it, a directory
// of that name is none.
func (p *project) dotEnv(dir string) []EnvFile {
	name := path.Join(dir, ".env")
	if info, err := fs.Stat(p.tree.FS(), name); err == nil && info.IsDir() {
		return nil
	}
	data, err := p.tree.ReadAs(name, envfile.Dotenv)
	if err != nil {
		p.reportUnlessAbsent(err)
		return nil
	}
	return []EnvFile{{Name: name, Data: data}}
}
