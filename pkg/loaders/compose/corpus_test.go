package compose_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/dotenv"
	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/sirupsen/logrus"

	"github.com/derekg1729/dsnlint/pkg/internal/source/sourcetest"
	"github.com/derekg1729/dsnlint/pkg/loaders/compose"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

const corpusDir = "../../../../shared/corpus"

// corpus lists the Compose files of the corpus, relative to it.
func corpus(t *testing.T) []string {
	t.Helper()
	if _, err := os.Stat(corpusDir); err != nil {
		t.Skip("the corpus is not here")
	}
	var files []string
	err := fs.WalkDir(os.DirFS(corpusDir), ".", func(name string, d fs.DirEntry, err error) error {
		if ok, _ := path.Match("*compose*.y*ml", d.Name()); ok || d.Name() == "compose.yaml" {
			files = append(files, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 40 {
		t.Fatalf("got %d Compose files in the corpus, want 40 at least", len(files))
	}
	return files
}

func TestCorpusLoads(t *testing.T) {
	files := corpus(t)
	tree := sourcetest.Open(t, corpusDir)
	for _, file := range files {
		containers, problems := compose.Load(context.Background(), tree, []string{file}, compose.Options{})
		for _, p := range problems {
			if p.Severity == manifest.Error {
				t.Errorf("%s: %v", file, p)
			}
		}
		if len(containers) == 0 {
			t.Errorf("%s: no containers", file)
		}
		checkContainers(t, containers)
	}
}

func TestCorpusEqualsComposeGo(t *testing.T) {
	files := corpus(t)
	for _, file := range files {
		differential(t, corpusDir, []string{file})
	}
}

// checkContainers asserts what holds of every container.
func checkContainers(t *testing.T, containers []manifest.Container) {
	t.Helper()
	for _, c := range containers {
		if c.Position.Line == 0 {
			t.Errorf("service %s has no position", c.Name)
		}
		for _, d := range c.Deliveries {
			if d.Position().Line == 0 {
				t.Errorf("%s %s of service %s has no position", d.Channel, d.Name, c.Name)
			}
			if d.Channel == manifest.ChannelEnv && d.Position() == c.Position {
				t.Errorf("variable %s of service %s has the service's position", d.Name, c.Name)
			}
			value, known := d.Expr.Eval().Reveal()
			if has, ok := d.Value.Reveal(); known != ok || value != has {
				t.Errorf("%s %s of service %s: its expression does not give its value", d.Channel, d.Name, c.Name)
			}
		}
	}
}

var (
	mention  = regexp.MustCompile(`\$\{?([A-Za-z_][A-Za-z0-9_]*)`)
	required = regexp.MustCompile(`\$\{?([A-Za-z_][A-Za-z0-9_]*):?\?`)
)

// differential holds the loader against compose-go used plainly: once with the
// variables that it insists on, and once with every variable that is mentioned
// anywhere.
func differential(t *testing.T, dir string, files []string) {
	t.Helper()
	var text strings.Builder
	err := filepath.WalkDir(filepath.Join(dir, path.Dir(files[0])), func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			data, _ := os.ReadFile(name)
			text.Write(data)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	var refusals []error
	for _, pattern := range []*regexp.Regexp{required, mention} {
		environ := map[string]string{}
		for _, m := range pattern.FindAllStringSubmatch(text.String(), -1) {
			// A number passes where Compose wants one.
			environ[m[1]] = "8080"
		}
		if err := compare(t, dir, files, environ); err != nil {
			refusals = append(refusals, err)
		}
	}
	if len(refusals) == 2 {
		t.Errorf("%v: nothing was compared, since compose-go refuses it: %v", files, refusals)
	}
}

// compare returns the reason for which compose-go refuses the project, if it does.
func compare(t *testing.T, dir string, files []string, environ map[string]string) error {
	t.Helper()
	want, idle, err := plainly(dir, files, environ)
	if err != nil {
		return err
	}
	containers, _ := compose.Load(context.Background(), sourcetest.Open(t, dir), files, compose.Options{Environ: environ})
	checkContainers(t, containers)
	got := map[string]map[string]string{}
	for _, c := range containers {
		got[c.Name] = map[string]string{}
		for _, v := range c.EnvMap() {
			got[c.Name][v.Name] = blankExpr(v.Expr)
		}
	}
	for name := range idle {
		if got[name] == nil {
			delete(want, name)
		}
	}
	if names := slices.Sorted(maps.Keys(got)); !slices.Equal(names, slices.Sorted(maps.Keys(want))) {
		t.Errorf("%v: got the services %v, compose-go has %v", files, names, slices.Sorted(maps.Keys(want)))
	}
	for service, env := range want {
		for name, value := range env {
			if v, ok := got[service][name]; !ok {
				t.Errorf("%v: variable %s of service %s is missing", files, name, service)
			} else if v != value {
				t.Errorf("%v: variable %s of service %s: got %q, compose-go has %q", files, name, service, v, value)
			}
		}
		for name := range got[service] {
			if _, ok := env[name]; !ok {
				t.Errorf("%v: variable %s of service %s is not in compose-go's env map", files, name, service)
			}
		}
	}
	return nil
}

// blankExpr is what Compose makes of a value where no unset variable is known.
func blankExpr(e manifest.Expr) string {
	var b strings.Builder
	for _, part := range e {
		text, known := part.Literal.Reveal()
		switch {
		case part.Ref != nil && part.Ref.Value != nil:
			text = blankExpr(part.Ref.Value)
			if text == "" {
				text = blankExpr(part.Ref.Default)
			}
		case part.Ref != nil:
			text = blankExpr(part.Ref.Default)
		case !known:
			// The word before it stands for a variable that is not set.
			return ""
		}
		b.WriteString(text)
	}
	return b.String()
}

// plainly loads a project as Compose does. The idle services are those that Compose
// refuses to run, as they have neither an image nor a build.
func plainly(dir string, files []string, environ map[string]string) (all map[string]map[string]string, idle map[string]bool, err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("compose-go panics")
		}
	}()
	logrus.SetOutput(io.Discard)
	abs, err := filepath.Abs(filepath.Join(dir, path.Dir(files[0])))
	if err != nil {
		return nil, nil, err
	}
	env := types.Mapping(maps.Clone(environ))
	if dotEnv := filepath.Join(abs, ".env"); isFile(dotEnv) {
		given, err := dotenv.GetEnvFromFile(env, []string{dotEnv})
		if err != nil {
			return nil, nil, err
		}
		env.Merge(given)
	}
	details := types.ConfigDetails{WorkingDir: abs, Environment: env}
	for _, file := range files {
		details.ConfigFiles = append(details.ConfigFiles, types.ConfigFile{Filename: filepath.Join(dir, file)})
	}
	project, err := loader.LoadWithContext(context.Background(), details, func(o *loader.Options) {
		o.SetProjectName(loader.NormalizeProjectName(filepath.Base(abs)), false)
		o.Profiles = []string{"*"}
		o.SkipConsistencyCheck = true
	})
	if err != nil {
		return nil, nil, err
	}
	all, idle = map[string]map[string]string{}, map[string]bool{}
	// compose-go resolves the env files of services only.
	services := project.AllServices()
	for name, job := range project.AllJobs() {
		services[name] = types.ServiceConfig{Name: name, ContainerSpec: job.ContainerSpec, WorkloadSpec: job.WorkloadSpec}
	}
	project, err = types.Project{Environment: env, Services: services}.WithServicesEnvironmentResolved(false)
	if err != nil {
		return nil, nil, err
	}
	for name, service := range project.Services {
		all[name] = map[string]string{}
		if service.Image == "" && service.Build == nil && service.Provider == nil {
			idle[name] = true
		}
		for key, value := range service.Environment {
			// One that is handed through and not set is compared as blank.
			all[name][key] = ""
			if value != nil {
				all[name][key] = *value
			}
		}
	}
	return all, idle, nil
}

func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular()
}

func TestCorpusFindings(t *testing.T) {
	corpus(t)
	const file = "cogni/infra/compose/runtime/docker-compose.yml"
	containers, _ := compose.Load(context.Background(), sourcetest.Open(t, corpusDir), []string{file}, compose.Options{})
	for _, want := range []struct {
		service, variable string
		line, column      int
		refs              []string
	}{
		{"litellm", "LITELLM_DATABASE_URL", 172, 9, []string{"POSTGRES_ROOT_USER", "POSTGRES_ROOT_PASSWORD"}},
		{"db-backup", "POSTGRES_ROOT_USER", 348, 7, []string{"POSTGRES_ROOT_USER"}},
		{"db-backup", "POSTGRES_ROOT_PASSWORD", 349, 7, []string{"POSTGRES_ROOT_PASSWORD"}},
	} {
		i := slices.IndexFunc(containers, func(c manifest.Container) bool { return c.Name == want.service })
		if i < 0 {
			t.Fatalf("no service %s", want.service)
		}
		v, _ := containers[i].Env(want.variable)
		if p := v.Position(); p.File != file || p.Line != want.line || p.Column != want.column {
			t.Errorf("%s of %s: got %v, want line %d", want.variable, want.service, p, want.line)
		}
		var refs []string
		for ref := range v.Expr.Refs() {
			refs = append(refs, ref.Name)
		}
		if !slices.Equal(refs, want.refs) {
			t.Errorf("%s of %s: got the references %v, want %v", want.variable, want.service, refs, want.refs)
		}
	}
}
