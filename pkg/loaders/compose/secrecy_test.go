package compose_test

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/derekg1729/dsnlint/pkg/contract"
	"github.com/derekg1729/dsnlint/pkg/internal/source/sourcetest"
	"github.com/derekg1729/dsnlint/pkg/loaders/compose"
	"github.com/derekg1729/dsnlint/pkg/manifest"
	"github.com/derekg1729/dsnlint/pkg/rules"
)

// places are projects that hold the text SECRET in a place where it is shown if
// anything there is, most of them in .env and used by its name.
var places = map[string]string{
	"env_file":              "services:\n  app: {image: x, env_file: ['${S}.env']}\n",
	"label_file":            "services:\n  app: {image: x, label_file: ['${S}.env']}\n",
	"extended file":         "services:\n  app: {image: x, extends: {file: '${S}.yaml', service: x}}\n",
	"extended service":      "services:\n  app: {image: x, extends: '${S}'}\n",
	"include":               "include: ['${S}.yaml', 'u:${S}@host:x', '../../${S}', '~/${S}', 'https://${S}/x']\nservices: {app: {image: x}}\n",
	"project directory":     "include: [{path: b.yaml, project_directory: '${S}', env_file: '${S}'}]\nservices: {app: {image: x}}\n",
	"name in a list":        "services:\n  app: {image: x, environment: ['POSTGRES_ROOT_${S}=x', 'APP_DB_X:SECRET', 'APP_DB_Y SECRET', 'APP_DB_${S}']}\n",
	"name in a mapping":     "services:\n  app: {image: x, environment: {'APP_DB_X:SECRET': , 'APP_DB_Y SECRET': 1}}\n",
	"name and value in one": "services:\n  app: {image: x, environment: ['${PAIR}SECRET', '${PAIR}']}\n",
	"build argument":        "services:\n  app: {image: x, build: {context: '${S}', args: ['APP_DB_X:SECRET', 'APP_DB_${S}=1']}}\n",
	"label":                 "services:\n  app: {image: x, labels: ['APP_DB_X:SECRET', 'APP_DB_${S}=1'], annotations: {'APP_DB_X:SECRET': 1}}\n",
	"label of deploy":       "services:\n  app: {image: x, deploy: {labels: ['APP_DB_X:SECRET', 'APP_DB_${S}=1']}}\n",
	"secret's target":       "services:\n  app: {image: x, secrets: [{source: s, target: 'app_db_${S}'}, 'app_db_${S}']}\nsecrets: {s: {environment: 'APP_DB_${S}'}}\n",
	"secret's file":         "services:\n  app: {image: x, secrets: [s], configs: [c]}\nsecrets: {s: {file: 'app_db_${S}'}}\nconfigs: {c: {name: 'app_db_${S}', external: true}}\n",
	"old external name":     "services:\n  app: {image: x, secrets: [s]}\nsecrets: {s: {external: {name: 'app_db_${S}'}}}\n",
	"env file's names":      "services:\n  app: {image: x, env_file: bad.env}\n",
	"project":               "name: 'p${S}'\nservices:\n  app: {image: x, environment: [APP_DB_X]}\n",
	"project by variable":   "services:\n  app: {image: '${COMPOSE_PROJECT_NAME}', environment: [APP_DB_X]}\n",
	"wrong types":           "services:\n  app: {image: x, environment: {APP_DB_X: {SECRET: SECRET}}, ports: [SECRET, {SECRET: SECRET}], SECRET: 1, privileged: SECRET, mem_limit: '${S}'}\n",
	"unknown sections":      "SECRET: 1\nservices: {app: {image: x, logging: {options: {SECRET: [SECRET]}}}}\nnetworks: {n: {driver_opts: {SECRET: {}}}}\n",
	"names of sections":     "services: {'SECRET x': {image: x}, app: {image: x}}\nvolumes: {'SECRET:x': {}}\n",
	"dependencies":          "services: {app: {image: x, depends_on: ['${S}', '${S}x']}}\n",
	"role":                  "services: {app: {image: x, labels: {dsnlint.dev/role: '${S}'}}}\n",
	"script":                "services: {app: {image: x, volumes: ['./${S}.sh:/${S}.sh'], command: 'sh /${S}.sh ${'}}\n",
}

// TestTwins loads every place with two secrets of one shape: whatever is told
// the one from the other must not be shown.
func TestTwins(t *testing.T) {
	for name, text := range places {
		t.Run(name, func(t *testing.T) {
			var shown [2]string
			for i, secret := range []string{"Zq9xSECRETw7", "Ab3cSECREUd4"} {
				files := map[string]string{
					"compose.yaml": strings.ReplaceAll(text, "SECRET", secret),
					".env":         fmt.Sprintf("S=%[1]s\nPAIR=APP_DB_X=%[1]s\n", secret),
					"b.yaml":       "services: {b: {image: b}}\n",
					"bad.env":      fmt.Sprintf("APP_DB_X[%s]=1\n?%[1]s\n", secret),
				}
				if name == "project by variable" {
					files[".env"] += "COMPOSE_PROJECT_NAME=" + strings.ToLower(secret) + "\n"
				}
				containers, problems := load(t, files, compose.Options{})
				shown[i] = showAll(containers, problems)
				lower := strings.ToLower(shown[i])
				if strings.Contains(lower, strings.ToLower(secret)) {
					t.Errorf("the secret is shown")
				}
			}
			if name == "wrong types" || name == "unknown sections" {
				// The secrets are keys here, whose order is that of the file.
				return
			}
			if shown[0] != shown[1] {
				t.Errorf("two secrets of one shape are told apart: %s", cmp.Diff(shown[0], shown[1]))
			}
		})
	}
}

// showAll writes all that is shown of containers: findings and problems.
func showAll(containers []manifest.Container, problems []*manifest.Problem) string {
	var b strings.Builder
	for _, p := range problems {
		fmt.Fprintf(&b, "%s %v\n", p.Severity, p)
	}
	for _, f := range rules.Check(contract.Builtin(), containers, rules.All) {
		fmt.Fprintf(&b, "%s %s %s %s %s %s %v %s\n", f.Rule.ID, f.Position, f.Container.QualifiedName, f.Channel, f.Variable, f.Message, f.Secrets, f.Fix)
		for _, way := range f.Provenance {
			for _, step := range way {
				fmt.Fprintf(&b, "  %s %s\n", step.Position, step.Text)
			}
		}
	}
	var deliveries []string
	for _, c := range containers {
		for _, d := range c.Deliveries {
			deliveries = append(deliveries, fmt.Sprintf("%s %s %v\n", c.QualifiedName, d.Shown(), d.Provenance))
		}
	}
	// Their order is that of the names themselves; findings have that of places.
	slices.Sort(deliveries)
	return b.String() + strings.Join(deliveries, "")
}

// TestBrokenPartsHideNothing breaks a part of a project, and expects the problem
// there and the findings on everything else.
func TestBrokenPartsHideNothing(t *testing.T) {
	const good = "services:\n  web: {image: x, environment: {POSTGRES_ROOT_PASSWORD: x}}\n"
	for name, c := range map[string]struct {
		files map[string]string
		// errors are where the problems are, and found the services with findings.
		errors, found string
	}{
		"attribute": {map[string]string{"compose.yaml": good + "  bad: {image: x, ports: [{}], environment: [POSTGRES_ROOT_PASSWORD]}\n"}, "compose.yaml:3:27", "web bad"},
		"several, in the order of their places": {map[string]string{"compose.yaml": good +
			"  bad: {image: x, ports: [{}, {}], tty: hunter2, init: [1], build: {args: {A: {}, B: {}}}}\n" +
			"  worse: {image: x, ports: ['a:b:c:d'], mem_limit: much}\n"},
			"compose.yaml:3:19 compose.yaml:3:36 compose.yaml:3:50 compose.yaml:3:76 compose.yaml:3:83 " +
				"compose.yaml:4:29 compose.yaml:4:41", "web"},
		"a variable":               {map[string]string{"compose.yaml": good + "  bad: {image: x, environment: {A: {b: c}, POSTGRES_ROOT_USER: x}}\n"}, "compose.yaml:3:33", "web bad"},
		"service":                  {map[string]string{"compose.yaml": good + "  bad: 5\n"}, "compose.yaml:3:3", "web"},
		"service that is a base":   {map[string]string{"compose.yaml": good + "  bad: 5\n  more: {image: x, extends: bad, environment: [POSTGRES_ROOT_USER]}\n"}, "compose.yaml:3:3", "web more"},
		"section":                  {map[string]string{"compose.yaml": good + "networks: 5\n"}, "compose.yaml:3:1", "web"},
		"entry of a section":       {map[string]string{"compose.yaml": good + "secrets: {s: {file: a, environment: b}}\nvolumes: {v: {external: true, driver: x}}\n"}, "compose.yaml:3:11 compose.yaml:4:31", "web"},
		"unknown section":          {map[string]string{"compose.yaml": good + "hunter2: 5\n"}, "compose.yaml:3:1", "web"},
		"unknown base":             {map[string]string{"compose.yaml": good + "  bad: {image: x, extends: none, environment: [POSTGRES_ROOT_USER]}\n"}, "compose.yaml:3:28", "web bad"},
		"broken include":           {map[string]string{"compose.yaml": "include: [b.yaml]\n" + good, "b.yaml": "a: [\n"}, "b.yaml:1:5", "web"},
		"invalid include":          {map[string]string{"compose.yaml": "include: [b.yaml]\n" + good, "b.yaml": "services: {b: {image: x, ports: {}, environment: [POSTGRES_ROOT_USER]}}\n"}, "b.yaml:1:26", "b web"},
		"include of nothing":       {map[string]string{"compose.yaml": "include: [b.yaml]\n" + good, "b.yaml": "- 1\n"}, "b.yaml:1:1", "web"},
		"invalid base":             {map[string]string{"compose.yaml": good + "  b: {extends: {file: b.yaml, service: b}}\n", "b.yaml": "services: {b: {image: x, ports: ['a:b:c:d'], environment: [POSTGRES_ROOT_USER]}}\n"}, "b.yaml:1:34", "b web"},
		"mapping over a list":      {map[string]string{"compose.yaml": good, "over.yaml": "services: {web: {command: {a: b}}}\n"}, "over.yaml:1:18", "web"},
		"override":                 {map[string]string{"compose.yaml": good, "over.yaml": "services: {web: {ports: 5, environment: [POSTGRES_ROOT_USER]}}\n"}, "over.yaml:1:18", "web"},
		"broken override":          {map[string]string{"compose.yaml": good, "over.yaml": "a: [\n"}, "over.yaml:1:5", "web"},
		"key that is not a text":   {map[string]string{"compose.yaml": good + "  5: {image: x}\n"}, "compose.yaml:3:3", "web"},
		"duplicate in two files":   {map[string]string{"compose.yaml": good + "    # two\n", "over.yaml": "services: {web: {ports: ['80:80:80:80']}}\n"}, "over.yaml:1:26", "web"},
		"missing in the long form": {map[string]string{"compose.yaml": good + "  bad: {image: x, volumes: [{source: a}], devices: [{target: b}]}\n"}, "compose.yaml:3:29 compose.yaml:3:53", "web"},
	} {
		t.Run(name, func(t *testing.T) {
			names := []string{"compose.yaml"}
			if c.files["over.yaml"] != "" {
				names = append(names, "over.yaml")
			}
			var last string
			for range 5 {
				containers, problems := load(t, c.files, compose.Options{}, names...)
				var places, found []string
				for _, p := range problems {
					places = append(places, p.Position.String())
					if strings.Contains(p.Error(), "hunter2") {
						t.Errorf("a problem shows what is not known: %v", p)
					}
				}
				for _, f := range rules.Check(contract.Builtin(), containers, rules.All) {
					if n := len(found); n == 0 || found[n-1] != f.Container.Name {
						found = append(found, f.Container.Name)
					}
				}
				if got := strings.Join(places, " "); got != c.errors {
					t.Fatalf("got problems at %s, want %s: %v", got, c.errors, problems)
				}
				if got := strings.Join(found, " "); !sameWords(got, c.found) {
					t.Fatalf("got findings on %s, want %s", got, c.found)
				}
				shown := showAll(containers, problems)
				if last != "" && shown != last {
					t.Fatal("two runs differ")
				}
				last = shown
			}
		})
	}
}

func sameWords(a, b string) bool {
	set := func(s string) map[string]bool {
		words := map[string]bool{}
		for _, w := range strings.Fields(s) {
			words[w] = true
		}
		return words
	}
	return reflect.DeepEqual(set(a), set(b))
}

func TestScratch(t *testing.T) {
	files := map[string]string{"compose.yaml": "include: [b.yaml]\nservices: {a: {image: a}}\n", "b.yaml": "services: {b: {image: b}}\n"}
	tree, scratch := sourcetest.Open(t, writeFiles(t, files)), t.TempDir()
	t.Setenv("TMPDIR", "/nonexistent")
	for _, scratch := range []string{"", scratch} {
		containers, problems := compose.Load(context.Background(), tree, []string{"compose.yaml"}, compose.Options{Scratch: scratch})
		if len(containers) != 2 || len(problems) > 0 {
			t.Errorf("got %d containers and %v", len(containers), problems)
		}
	}
}
