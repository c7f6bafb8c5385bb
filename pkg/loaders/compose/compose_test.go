package compose_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	logrustest "github.com/sirupsen/logrus/hooks/test"

	"github.com/derekg1729/dsnlint/pkg/internal/source/sourcetest"
	"github.com/derekg1729/dsnlint/pkg/internal/testtree"
	"github.com/derekg1729/dsnlint/pkg/loaders"
	"github.com/derekg1729/dsnlint/pkg/loaders/compose"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// writeFiles lays files out in a directory of their own. A file whose text is
// "FIFO" becomes a named pipe.
func writeFiles(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "root")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	regular := maps.Clone(files)
	for name, text := range files {
		if text == "FIFO" {
			testtree.Pipe(t, filepath.Join(dir, name))
			delete(regular, name)
		}
	}
	testtree.Write(t, dir, regular)
	return dir
}

func load(t *testing.T, files map[string]string, opts compose.Options, names ...string) ([]manifest.Container, []*manifest.Problem) {
	t.Helper()
	if len(names) == 0 {
		names = []string{"compose.yaml"}
	}
	return compose.Load(context.Background(), sourcetest.Open(t, writeFiles(t, files)), names, opts)
}

func env(t *testing.T, containers []manifest.Container, service, name string) manifest.EnvVar {
	t.Helper()
	for _, c := range containers {
		if c.Name == service {
			if v, ok := c.Env(name); ok {
				return v
			}
		}
	}
	t.Fatalf("no variable %s of service %s", name, service)
	return manifest.EnvVar{}
}

// app is a service that every one of the projects below must still give.
const app = "services:\n  app:\n    image: app\n    environment: [KEPT=1]\n"

func TestProblems(t *testing.T) {
	for name, c := range map[string]struct {
		files    map[string]string
		severity manifest.Severity
		at       string
		message  string
		// lost tells that the services cannot be made out.
		lost bool
	}{
		"remote include": {
			files:    map[string]string{"compose.yaml": "include:\n  - https://token:hunter2@example.com/x.git\n" + app},
			severity: manifest.Notice, at: "compose.yaml:2:5", message: "not followed: the included file is a remote resource",
		},
		"remote include, long form": {
			files:    map[string]string{"compose.yaml": "include:\n  - path:\n      - oci://example.com/hunter2\n      - more.yaml\n    project_directory: /etc\n" + app},
			severity: manifest.Notice, at: "compose.yaml:3:9", message: "not followed",
		},
		"remote extends": {
			files:    map[string]string{"compose.yaml": app + "    extends: {file: 'git@example.com:hunter2', service: x}\n"},
			severity: manifest.Notice, at: "compose.yaml:5:21", message: "not followed: the extended file is a remote resource",
		},
		"absent include": {
			files:    map[string]string{"compose.yaml": "include: [absent.yaml]\n" + app},
			severity: manifest.Error, at: "compose.yaml:1:11", message: "cannot read the file that is named here: the file does not exist",
		},
		"absent extends": {
			files:    map[string]string{"compose.yaml": app + "    extends: {file: absent.yaml, service: x}\n"},
			severity: manifest.Error, at: "compose.yaml:5:21", message: "cannot read the file that is named here",
		},
		"absent base": {
			files:    map[string]string{"compose.yaml": app + "    extends: nobody\n"},
			severity: manifest.Error, at: "compose.yaml:5:14", message: "cannot extend the service: compose.yaml has no service of that name",
		},
		"include outside": {
			files:    map[string]string{"compose.yaml": "include: [../../x.yaml]\n" + app},
			severity: manifest.Error, at: "compose.yaml:1:11", message: "outside the root directory",
		},
		"include a pipe": {
			files:    map[string]string{"compose.yaml": "include: [pipe.yaml]\n" + app, "pipe.yaml": "FIFO"},
			severity: manifest.Error, at: "compose.yaml:1:11", message: "a named pipe",
		},
		"broken include": {
			files:    map[string]string{"compose.yaml": "include: [b.yaml]\n" + app, "b.yaml": "a: hunter2\n b: 1\n"},
			severity: manifest.Error, at: "b.yaml:2:3", message: "invalid YAML",
		},
		"include cycle": {
			files: map[string]string{
				"compose.yaml": "include: [b.yaml]\n" + app, "b.yaml": "include: [c.yaml]\nservices: {}\n",
				"c.yaml": "include: [b.yaml]\nservices: {}\n",
			},
			severity: manifest.Error, at: "c.yaml:1:11", message: "include cycle: b.yaml includes c.yaml includes b.yaml",
		},
		"include itself": {
			files:    map[string]string{"compose.yaml": "include: [compose.yaml]\n" + app},
			severity: manifest.Error, at: "compose.yaml:1:11", message: "include cycle: compose.yaml includes compose.yaml",
		},
		"include no list": {
			files:    map[string]string{"compose.yaml": "include: hunter2.yaml\n" + app},
			severity: manifest.Error, at: "compose.yaml:1:10", message: "include must be a list",
		},
		"env file of an include is absent": {
			files: map[string]string{
				"compose.yaml": "include:\n  - path: b.yaml\n    env_file: absent.env\n" + app, "b.yaml": "services: {}\n",
			},
			severity: manifest.Notice, at: "compose.yaml:3:15", message: "the env file does not exist",
		},
		"extends cycle": {
			files:    map[string]string{"compose.yaml": app + "    extends: b\n  b: {image: b, extends: {service: app}}\n"},
			severity: manifest.Error, at: "compose.yaml:6:26", message: "extends cycle: app extends b extends app",
		},
		"extends itself": {
			files:    map[string]string{"compose.yaml": app + "    extends: app\n"},
			severity: manifest.Error, at: "compose.yaml:5:14", message: "extends cycle: app extends app",
		},
		"env file outside": {
			files:    map[string]string{"compose.yaml": app + "    env_file: ../../../etc/passwd\n"},
			severity: manifest.Notice, at: "compose.yaml:5:15", message: "outside the root directory",
		},
		"env file at home": {
			files:    map[string]string{"compose.yaml": app + "    env_file: ~/secrets.env\n"},
			severity: manifest.Notice, at: "compose.yaml:5:15", message: "nothing outside the root directory is read",
		},
		"env file is a pipe": {
			files:    map[string]string{"compose.yaml": app + "    env_file: [p.env]\n", "p.env": "FIFO"},
			severity: manifest.Error, at: "compose.yaml:5:16", message: "a named pipe",
		},
		"env file is absent": {
			files:    map[string]string{"compose.yaml": app + "    env_file: p.env\n"},
			severity: manifest.Notice, at: "compose.yaml:5:15", message: "the env_file does not exist",
		},
		"label file is absent": {
			files:    map[string]string{"compose.yaml": app + "    label_file: [l.env]\n"},
			severity: manifest.Notice, at: "compose.yaml:5:18", message: "the label_file does not exist",
		},
		"env file format": {
			files:    map[string]string{"compose.yaml": app + "    env_file: [{path: p.env, format: hunter2}]\n", "p.env": ""},
			severity: manifest.Error, at: "compose.yaml:5:16", message: "unsupported format",
		},
		"broken env file": {
			files:    map[string]string{"compose.yaml": app + "    env_file: p.env\n", "p.env": "A=1\nB='hunter2\n"},
			severity: manifest.Error, at: "p.env:2:3", message: "the quoted value has no end",
		},
		"broken value in .env": {
			files:    map[string]string{"compose.yaml": app, ".env": "A=1\nPW=hunter2${\n"},
			severity: manifest.Error, at: ".env:2:1", message: "the value of PW: invalid interpolation",
		},
		".env is a pipe": {
			files:    map[string]string{"compose.yaml": app, ".env": "FIFO"},
			severity: manifest.Error, at: ".env", message: "a named pipe",
		},
		"invalid interpolation": {
			files:    map[string]string{"compose.yaml": app + "    command: hunter2 ${\n"},
			severity: manifest.Error, at: "compose.yaml:5:14", message: "invalid interpolation",
		},
		"unknown attribute": {
			files:    map[string]string{"compose.yaml": app + "    environ: {PW: hunter2}\n"},
			severity: manifest.Error, at: "compose.yaml:5:5", message: "services.app has an attribute that Compose does not know",
		},
		"wrong type": {
			files:    map[string]string{"compose.yaml": app + "    ports: hunter2\n"},
			severity: manifest.Error, at: "compose.yaml:5:5", message: "services.app.ports must be of type array",
		},
		"wrong value": {
			files:    map[string]string{"compose.yaml": app + "    mem_limit: hunter2\n"},
			severity: manifest.Error, at: "compose.yaml:5:5", message: "services.app.mem_limit must be a number or a size",
		},
		"wrong cast": {
			files:    map[string]string{"compose.yaml": app + "    privileged: hunter2\n"},
			severity: manifest.Error, at: "compose.yaml:5:5", message: "services.app.privileged must be true or false",
		},
		"wrong port": {
			files:    map[string]string{"compose.yaml": app + "    ports: ['80', 'hunter2:80:80:80']\n"},
			severity: manifest.Error, at: "compose.yaml:5:19", message: "services.app.ports.1 is not a valid port",
		},
		"no mapping": {
			files:    map[string]string{"compose.yaml": "- hunter2\n"},
			severity: manifest.Error, at: "compose.yaml:1:1", message: "must be of type mapping", lost: true,
		},
		"empty": {
			files:    map[string]string{"compose.yaml": ""},
			severity: manifest.Error, at: "compose.yaml", message: "the file is empty", lost: true,
		},
		"absent": {
			severity: manifest.Error, at: "compose.yaml", message: "the file does not exist", lost: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			containers, problems := load(t, c.files, compose.Options{})
			if len(problems) != 1 {
				t.Fatalf("got the problems %v, want one", problems)
			}
			p := problems[0]
			if p.Severity != c.severity || p.Position.String() != c.at || !strings.Contains(p.Message.String(), c.message) {
				t.Errorf("got the %s %v, want a %s at %s with %q", p.Severity, p, c.severity, c.at, c.message)
			}
			if strings.Contains(p.Error(), "hunter2") {
				t.Errorf("the problem shows a value: %v", p)
			}
			if c.lost {
				return
			}
			env(t, containers, "app", "KEPT")
			checkContainers(t, containers)
		})
	}
}

func TestNothingOutsideTheRootIsRead(t *testing.T) {
	files := map[string]string{"compose.yaml": "include:\n  - path: in.yaml\n    project_directory: ../secret\n  - path: in.yaml\n    env_file: [../secret/x.env]\n" +
		app + "    extends: {file: link.yaml, service: s}\n", "in.yaml": "services: {in: {image: in}}\n"}
	dir := writeFiles(t, files)
	secret := filepath.Join(filepath.Dir(dir), "secret")
	if err := os.Mkdir(secret, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		".env": "A=hunter2\n", "x.env": "A=hunter2\n", "x.yaml": "services: {s: {environment: {A: hunter2}}}\n",
	} {
		if err := os.WriteFile(filepath.Join(secret, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Join(secret, "x.yaml"), filepath.Join(dir, "link.yaml")); err != nil {
		t.Fatal(err)
	}
	containers, problems := compose.Load(context.Background(), sourcetest.Open(t, dir), []string{"compose.yaml"}, compose.Options{})
	if len(problems) != 3 {
		t.Errorf("got %v, want three problems", problems)
	}
	for _, p := range problems {
		if !strings.Contains(p.Message.String(), "root directory") {
			t.Errorf("got %v", p)
		}
	}
	if text := dump(containers, problems); strings.Contains(text, "hunter2") || !strings.Contains(text, "KEPT") {
		t.Errorf("got %s", text)
	}
}

func TestVariables(t *testing.T) {
	files := map[string]string{
		"sub/compose.yaml": "services:\n  app:\n    image: app\n    environment:\n      - A=$A\n      - B\n      - C=$C\n      - P=$COMPOSE_PROJECT_NAME\n",
		"sub/.env":         "A=beside\nC=beside\n",
		".env":             "A=root\nB=root\n",
	}
	value := func(opts compose.Options, name string) string {
		containers, problems := load(t, files, opts, "sub/compose.yaml")
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		v := env(t, containers, "app", name)
		text, known := v.Value.Reveal()
		if !known {
			return "unknown"
		}
		return text
	}
	given := []compose.EnvFile{{Name: "ci.env", Data: []byte("A=ci\nB=ci\n")}, {Name: "more.env", Data: []byte("B=more-$A\n")}}
	process := map[string]string{"A": "process"}
	for _, c := range []struct {
		opts compose.Options
		want [4]string
	}{
		{compose.Options{}, [4]string{"beside", "unknown", "beside", "sub"}},
		{compose.Options{EnvFiles: given}, [4]string{"ci", "more-ci", "unknown", "sub"}},
		{compose.Options{EnvFiles: given, Environ: process}, [4]string{"process", "more-process", "unknown", "sub"}},
	} {
		for i, name := range []string{"A", "B", "C", "P"} {
			if got := value(c.opts, name); got != c.want[i] {
				t.Errorf("%s with %v: got %q, want %q", name, c.opts.Environ, got, c.want[i])
			}
		}
	}
}

func TestProcessEnvironmentIsNotRead(t *testing.T) {
	t.Setenv("FROM_PROCESS", "hunter2")
	containers, _ := load(t, map[string]string{"compose.yaml": app + "      \n    labels: [a=$FROM_PROCESS]\n    env_file: x.env\n",
		"x.env": "FROM_PROCESS\nX=$FROM_PROCESS\n"}, compose.Options{})
	if text := dump(containers, nil); strings.Contains(text, "hunter2") {
		t.Errorf("got %s", text)
	}
}

func TestOverlay(t *testing.T) {
	dir := writeFiles(t, map[string]string{"sub/.env": "A=1\n"})
	tree := sourcetest.Open(t, dir)
	tree.Overlay("sub/compose.yaml", []byte("services: {app: {image: app, environment: [A=$A]}}\n"))
	containers, problems := compose.Load(context.Background(), tree, []string{"sub/compose.yaml"}, compose.Options{})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if text, _ := env(t, containers, "app", "A").Value.Reveal(); text != "1" {
		t.Errorf("got %q", text)
	}
}

func TestBombs(t *testing.T) {
	var laughs, empty strings.Builder
	laughs.WriteString("L0=ha\n")
	empty.WriteString("E0=\n")
	for i := 1; i < 100; i++ {
		fmt.Fprintf(&laughs, "L%d=$L%d$L%d\n", i, i-1, i-1)
		fmt.Fprintf(&empty, "E%d=$E%d$E%d\n", i, i-1, i-1)
	}
	var aliases strings.Builder
	aliases.WriteString("x-text: &t " + strings.Repeat("x", 1<<20) + "\nservices:\n  app:\n    image: app\n    dns_search:\n")
	aliases.WriteString(strings.Repeat("      - *t\n", 1000))
	var readers strings.Builder
	readers.WriteString("services:\n")
	for i := range 200 {
		fmt.Fprintf(&readers, "  s%d: {image: x, env_file: big.env}\n", i)
	}
	big := strings.Repeat("A="+strings.Repeat("1", 1022)+"\n", 1<<10)
	var many strings.Builder
	for range 2000 {
		many.WriteString("---\nx-a: &a [1, 2, 3, 4, 5, 6, 7, 8, 9]\nx-b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a]\nx-c: [*b, *b]\n")
	}
	var chain, backward strings.Builder
	chain.WriteString("services:\n  s0: {image: x}\n")
	backward.WriteString("services:\n  s1000: {image: x}\n")
	for i := 1; i < 1000; i++ {
		fmt.Fprintf(&chain, "  s%d: {extends: s%d}\n", i, i-1)
		fmt.Fprintf(&backward, "  s%d: {extends: s%d}\n", i, i+1)
	}
	for name, c := range map[string]struct {
		files   map[string]string
		message string
	}{
		"laughs":  {map[string]string{"compose.yaml": app + "    env_file: .env\n", ".env": laughs.String()}, "longer than 1 MiB"},
		"empty":   {map[string]string{"compose.yaml": app + "    env_file: .env\n", ".env": empty.String()}, ""},
		"aliases": {map[string]string{"compose.yaml": aliases.String()}, "more than 64 MiB of text"},
		"many":    {map[string]string{"compose.yaml": many.String()}, "more than 60000 nodes"},
		"readers": {map[string]string{"compose.yaml": readers.String(), "big.env": big}, "more than 16 MiB of env files"},
		"back":    {map[string]string{"compose.yaml": backward.String()}, "extend each other in a row"},
		"chain":   {map[string]string{"compose.yaml": chain.String()}, "extend each other in a row"},
	} {
		t.Run(name, func(t *testing.T) {
			containers, problems := load(t, c.files, compose.Options{})
			found := c.message == ""
			for _, p := range problems {
				found = found || strings.Contains(p.Message.String(), c.message)
			}
			if !found {
				t.Errorf("got %v, want %q", problems, c.message)
			}
			checkContainers(t, containers)
		})
	}
}

func TestNothingIsLeftBehindOrLogged(t *testing.T) {
	scratch := t.TempDir()
	t.Setenv("TMPDIR", scratch)
	t.Setenv("HOME", "")
	logged := logrustest.NewGlobal()
	containers, problems := load(t, map[string]string{
		"compose.yaml": "version: '3'\ninclude: [b.yaml]\n" + app + "    privileged: 'yes'\n    volumes: ['~/x:/x']\n    secrets: [s]\n    extends: {file: c.yaml, service: c}\n",
		"b.yaml":       "services: {b: {image: $UNSET}}\nsecrets: {s: {external: {name: old}}}\nvolumes: {v: {external: {name: old}}}\n", "c.yaml": "services: {c: {image: c}}\n",
	}, compose.Options{})
	if len(containers) != 2 || len(problems) > 0 {
		t.Fatalf("got %d containers and %v", len(containers), problems)
	}
	left, err := os.ReadDir(scratch)
	if err != nil || len(left) > 0 {
		t.Errorf("got %v, %v, want no files", left, err)
	}
	for _, entry := range logged.AllEntries() {
		t.Errorf("compose-go logs %q", entry.Message)
	}
}

func TestRecognizes(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       bool
	}{
		{"stack.yml", app, true},
		{"stack.yml", "services: {app: {build: ., x-note: 1}}", true},
		{"stack.yml", "include: [a.yaml]", true},
		{"stack.yml", "services: {}", false},
		{"compose.yaml", "services: {}", true},
		{"docker-compose.prod.yml", "services: {app: {environ: {}}}", true},
		{"compose.override.yaml", "networks: {a: {}}", true},
		{"compose.yaml", "service: {app: {}}\nservices: {}", true},
		{"compose.yaml", "apiVersion: v1\nkind: ConfigMap", false},
		{"values.yaml", "networks: {a: {}}", false},
		{"services.yaml", "services: {_defaults: {autowire: true}}", false},
		{"services.yaml", "services: {App: {class: X}}", false},
		{"services.yaml", "services: [a, b]", false},
		{"ci.yml", "on: push\njobs: {a: {services: {postgres: {image: x}}}}", false},
		{"compose.yaml", "[1, 2]", false},
		{"composer.yaml", "services: {}", false},
		{"compose.yaml", "text", false},
	} {
		dir := t.TempDir()
		testtree.Write(t, dir, map[string]string{c.name: c.text})
		file := &loaders.File{Name: c.name, Tree: sourcetest.Open(t, dir)}
		if got := (compose.Loader{}).Recognizes(file); got != c.want {
			t.Errorf("%s with %q: got %v, want %v", c.name, c.text, got, c.want)
		}
	}
}
