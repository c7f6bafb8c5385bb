package fix_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/derekg1729/dsnlint/pkg/contract"
	"github.com/derekg1729/dsnlint/pkg/fix"
	"github.com/derekg1729/dsnlint/pkg/manifest"
	"github.com/derekg1729/dsnlint/pkg/rules"
)

const file = "deploy/manifest.yaml"

// input is a file with a container in it, and what reaches that container.
type input struct {
	text      string
	dialect   *manifest.Dialect
	container string
	// own is where the container stands: the text from there on.
	own string
	// entries are the variables that reach it, and where each stands.
	entries []delivered
}

type delivered struct {
	variable string
	at       string
	channel  manifest.Channel
	// via is where a later step of the provenance stands, if any.
	via string
}

func env(variable, at string) delivered {
	return delivered{variable: variable, at: at, channel: manifest.ChannelEnv}
}

// position is that of a part of the text, which is there once.
func position(t *testing.T, text, part string) manifest.Position {
	t.Helper()
	if strings.Count(text, part) != 1 {
		t.Fatalf("%q stands %d times in the text", part, strings.Count(text, part))
	}
	before, _, _ := strings.Cut(text, part)
	line := before[strings.LastIndexByte(before, '\n')+1:]
	return manifest.Position{File: file, Line: strings.Count(before, "\n") + 1, Column: utf8.RuneCountInString(line) + 1}
}

// build makes the container.
func (in input) build(t *testing.T) []manifest.Container {
	t.Helper()
	c := manifest.Container{
		Dialect: in.dialect, Name: in.container, RoleNames: []string{in.container}, RoleLabel: "runtime",
		Position: position(t, in.text, in.own),
	}
	vars, rest := map[string]manifest.EnvVar{}, []manifest.Delivery(nil)
	for _, e := range in.entries {
		v := manifest.EnvVar{Name: e.variable, Provenance: []manifest.Step{{Position: position(t, in.text, e.at)}}}
		v.Expr = manifest.Expr{{Ref: &manifest.Ref{Name: e.variable, Kind: manifest.RefVariable}}}
		if e.via != "" {
			v.Provenance = append(v.Provenance, manifest.Step{Position: position(t, in.text, e.via)})
		}
		if e.channel == manifest.ChannelEnv {
			vars[e.variable] = v
			continue
		}
		rest = append(rest, manifest.Delivery{Channel: e.channel, EnvVar: v})
	}
	c.Deliveries = manifest.Deliveries(vars, rest)
	return []manifest.Container{c}
}

func read(text string) func(string) ([]byte, error) {
	return func(name string) ([]byte, error) {
		if name != file {
			return nil, errors.New("no such file")
		}
		return []byte(text), nil
	}
}

// check gives the findings that are about removable entries.
func check(containers []manifest.Container) []rules.Finding {
	return slices.DeleteFunc(rules.Check(contract.Builtin(), containers, rules.All), func(f rules.Finding) bool {
		return f.Rule.ID != "RUNTIME_DSN_ONLY"
	})
}

func (in input) plan(t *testing.T) ([]fix.Edit, []fix.Refusal) {
	t.Helper()
	containers := in.build(t)
	return fix.New(rules.Check(contract.Builtin(), containers, rules.All), containers, read(in.text)).Plan()
}

func compose(text string, entries ...delivered) input {
	return input{text: text, dialect: &manifest.Dialect{Name: "compose"}, container: "app", own: "app:\n", entries: entries}
}

func kubernetes(text string, entries ...delivered) input {
	return input{text: text, dialect: &manifest.Dialect{Name: "kubernetes"}, container: "app", own: "name: app\n", entries: entries}
}

var (
	rootPassword = "POSTGRES_ROOT_PASSWORD"
	appPassword  = "APP_DB_PASSWORD"
)

func TestRemoved(t *testing.T) {
	tests := map[string]struct {
		in   input
		want string
	}{
		"an item of a list": {
			compose(`# head
services:
  app:
    environment:
      - DATABASE_URL=${DATABASE_URL}
      # why the superuser
      - POSTGRES_ROOT_PASSWORD=hunter2 # behind

      - OTHER=1 # stays
`, env(rootPassword, "POSTGRES_ROOT_PASSWORD=")),
			`# head
services:
  app:
    environment:
      - DATABASE_URL=${DATABASE_URL}
      # why the superuser

      - OTHER=1 # stays
`,
		},
		"two entries of a mapping, one in quotes": {
			compose(`services:
  app:
    environment:
        "APP_DB_PASSWORD":   "hunter2"
        KEEP:  &keep   'x'
        POSTGRES_ROOT_PASSWORD:
    labels:
      same: *keep
`, env(appPassword, `"APP_DB_PASSWORD"`), env(rootPassword, "POSTGRES_ROOT_PASSWORD:")),
			`services:
  app:
    environment:
        KEEP:  &keep   'x'
    labels:
      same: *keep
`,
		},
		"the last entry of a mapping": {
			compose(`services:
  app:
    environment: # of the app
      # why
      APP_DB_PASSWORD: hunter2
    image: app
`, env(appPassword, "APP_DB_PASSWORD:")),
			`services:
  app:
    environment: {} # of the app
      # why
    image: app
`,
		},
		"all items of a list, without a line's end": {
			input{text: "services:\r\n  app:\r\n    environment:\r\n    - APP_DB_PASSWORD\r\n    - POSTGRES_ROOT_PASSWORD",
				dialect: &manifest.Dialect{Name: "compose"}, container: "app", own: "app:",
				entries: []delivered{env(appPassword, "APP_DB_PASSWORD"), env(rootPassword, "POSTGRES_ROOT_PASSWORD")}},
			"services:\r\n  app:\r\n    environment: []\r\n",
		},
		"a block scalar and the comment behind it": {
			compose(`services:
  app:
    environment:
      APP_DB_PASSWORD: |
        hunter2
        # part of it

      # not part of it
      KEEP: 1
`, env(appPassword, "APP_DB_PASSWORD:")),
			`services:
  app:
    environment:

      # not part of it
      KEEP: 1
`,
		},
		"an empty block scalar": {
			compose(`services:
  app:
    environment:
      APP_DB_PASSWORD: |
      # not part of it
      KEEP: 1
`, env(appPassword, "APP_DB_PASSWORD:")),
			`services:
  app:
    environment:
      # not part of it
      KEEP: 1
`,
		},
		"a value over several lines": {
			compose(`services:
  app:
    environment:
      APP_DB_PASSWORD: "hunter2

        # still
        quoted"
      KEEP: 1
`, env(appPassword, "APP_DB_PASSWORD:")),
			`services:
  app:
    environment:
      KEEP: 1
`,
		},
		"behind signs of more than one byte": {
			compose(`services:
  app:
    labels: {"ä": "ö"}
    environment:
      "KÄSE": "日本"
      APP_DB_PASSWORD: "日本"
`, env(appPassword, "APP_DB_PASSWORD:")),
			`services:
  app:
    labels: {"ä": "ö"}
    environment:
      "KÄSE": "日本"
`,
		},
		"beside a merge key": {
			compose(`x-env: &env
  TZ: UTC
services:
  app:
    environment:
      <<: *env
      APP_DB_PASSWORD: hunter2
`, env(appPassword, "APP_DB_PASSWORD:")),
			`x-env: &env
  TZ: UTC
services:
  app:
    environment:
      <<: *env
`,
		},
		"a build argument and a label": {
			compose(`services:
  app:
    build:
      args:
        DATABASE_ROOT_URL: ${DATABASE_ROOT_URL}
        VERSION: 1
    deploy:
      labels:
        - POSTGRES_ROOT_USER=x
        - a=b
`, delivered{"DATABASE_ROOT_URL", "DATABASE_ROOT_URL:", manifest.ChannelBuild, ""},
				delivered{"POSTGRES_ROOT_USER", "POSTGRES_ROOT_USER=", manifest.ChannelMetadata, ""}),
			`services:
  app:
    build:
      args:
        VERSION: 1
    deploy:
      labels:
        - a=b
`,
		},
		"an override": {
			input{text: `services:
  app:
    environment:
      APP_DB_PASSWORD: hunter2
      A: 1
  base:
    image: where the container's own position is
`, dialect: &manifest.Dialect{Name: "compose"}, container: "app", own: "base:", entries: []delivered{
				{appPassword, "APP_DB_PASSWORD:", manifest.ChannelEnv, "app:\n"},
			}},
			`services:
  app:
    environment:
      A: 1
  base:
    image: where the container's own position is
`,
		},
		"what an override adds to": {
			input{text: `services:
  app:
    environment:
      APP_DB_PASSWORD: hunter2
      A: 1
  override:
    image: where the container's own position is
`, dialect: &manifest.Dialect{Name: "compose"}, container: "app", own: "override:", entries: []delivered{env(appPassword, "APP_DB_PASSWORD:")}},
			`services:
  app:
    environment:
      A: 1
  override:
    image: where the container's own position is
`,
		},
		"items of a Kubernetes container": {
			kubernetes(`---
# nothing
---
kind: ConfigMap
data:
  a: "b"
---
kind: Pod
spec:
  containers:
  - name: app
    env:
    # the DSN
    - name: DATABASE_URL
      value: x
    - name: APP_DB_PASSWORD # needed?
      # from the old chart
      valueFrom:
        secretKeyRef:
          name: db
          key: APP_DB_PASSWORD
      # trailing
    - name: TZ
      value: UTC
    -   value: hunter2
        name: POSTGRES_ROOT_PASSWORD
---
kind: Service
---
`, env(appPassword, "name: APP_DB_PASSWORD"), env(rootPassword, "value: hunter2")),
			`---
# nothing
---
kind: ConfigMap
data:
  a: "b"
---
kind: Pod
spec:
  containers:
  - name: app
    env:
    # the DSN
    - name: DATABASE_URL
      value: x
      # trailing
    - name: TZ
      value: UTC
---
kind: Service
---
`,
		},
		"the only item of a Kubernetes container": {
			kubernetes(`kind: Pod
metadata:
  annotations:
    POSTGRES_ROOT_USER: root
spec:
  initContainers:
    - image: app
      name: app
      env:
        - name: APP_DB_PASSWORD
          value: hunter2
`, env(appPassword, "name: APP_DB_PASSWORD"), delivered{"POSTGRES_ROOT_USER", "POSTGRES_ROOT_USER:", manifest.ChannelMetadata, ""}),
			`kind: Pod
metadata:
  annotations: {}
spec:
  initContainers:
    - image: app
      name: app
      env: []
`,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			edits, refused := test.in.plan(t)
			for _, r := range refused {
				t.Errorf("%s is refused: %s", r.Finding.Variable, r.Reason)
			}
			if diff := cmp.Diff(test.want, string(fix.Apply([]byte(test.in.text), edits))); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	tests := map[string]struct {
		in   input
		want string
	}{
		"an aliased collection": {
			compose(`services:
  app:
    environment: &env
      APP_DB_PASSWORD: hunter2
  other:
    environment: *env
`, env(appPassword, "APP_DB_PASSWORD:")),
			"below an anchor that is used elsewhere",
		},
		"an aliased value": {
			compose(`services:
  app:
    environment:
      APP_DB_PASSWORD: &password hunter2
    labels:
      l: *password
`, env(appPassword, "APP_DB_PASSWORD:")),
			"holds an anchor that is used elsewhere",
		},
		"a fragment": {
			compose(`x-env: &env
  APP_DB_PASSWORD: hunter2
services:
  app:
    environment: *env
`, env(appPassword, "APP_DB_PASSWORD:")),
			"outside the definition of app itself",
		},
		"a base": {
			compose(`services:
  base:
    environment:
      APP_DB_PASSWORD: hunter2
  app:
    extends: base
`, delivered{appPassword, "APP_DB_PASSWORD:", manifest.ChannelEnv, "extends"}),
			"outside the definition of app itself",
		},
		"a base of the same name": {
			input{text: `services:
  app:
    environment:
      APP_DB_PASSWORD: hunter2
  elsewhere:
    extends: app
`, dialect: &manifest.Dialect{Name: "compose"}, container: "app", own: "elsewhere", entries: []delivered{
				{appPassword, "APP_DB_PASSWORD:", manifest.ChannelEnv, "extends"},
			}},
			"outside the definition of app itself",
		},
		"flow style": {
			compose(`services:
  app:
    environment: {KEEP: 1, APP_DB_PASSWORD: hunter2}
`, env(appPassword, "APP_DB_PASSWORD:")),
			"in flow style",
		},
		"an explicit key": {
			compose(`services:
  app:
    environment:
      ? APP_DB_PASSWORD
      : hunter2
`, env(appPassword, "APP_DB_PASSWORD")),
			"the way it is written",
		},
		"a comment that would fall into the scalar above": {
			compose(`services:
  app:
    environment:
      KEEP: |
        text
      APP_DB_PASSWORD: hunter2
        # deep
`, env(appPassword, "APP_DB_PASSWORD:")),
			"the way it is written",
		},
		"what a shell in the container reads": {
			compose(`services:
  app:
    command: psql "password=$${APP_DB_PASSWORD}"
    environment:
      APP_DB_PASSWORD: hunter2
`, env(appPassword, "APP_DB_PASSWORD:")),
			"reads $APP_DB_PASSWORD",
		},
		"what another variable refers to": {
			kubernetes(`kind: Pod
spec:
  containers:
    - name: app
      env:
        - name: APP_DB_PASSWORD
          value: hunter2
        - name: DATABASE_URL
          value: postgresql://app:$(APP_DB_PASSWORD)@db/app
`, env(appPassword, "name: APP_DB_PASSWORD")),
			"reads $APP_DB_PASSWORD",
		},
		"an envFrom item": {
			kubernetes(`kind: Pod
spec:
  containers:
    - name: app
      envFrom:
        - secretRef:
            name: database
`, env(appPassword, "secretRef")),
			"envFrom",
		},
		"a template": {
			kubernetes(`kind: Pod
spec:
  containers:
    - name: app
      image: "{{ .Values.image }}"
      env:
        - name: APP_DB_PASSWORD
          value: hunter2
`, env(appPassword, "name: APP_DB_PASSWORD")),
			"template",
		},
		"a command line": {
			compose(`services:
  app:
    command:
      - hunter2
`, delivered{"DATABASE_ROOT_URL", "hunter2", manifest.ChannelArgument, ""}),
			"it is part of a command line",
		},
		"a file": {
			compose(`services:
  app:
    secrets:
      - postgres_root_password
`, delivered{"postgres_root_password", "postgres_root_password", manifest.ChannelFile, ""}),
			"it is a file",
		},
		"an env file": {
			input{text: "APP_DB_PASSWORD=hunter2\n# app:\n", dialect: &manifest.Dialect{Name: "compose"}, container: "app", own: "app:\n",
				entries: []delivered{env(appPassword, "APP_DB_PASSWORD=")}},
			"not a manifest",
		},
		"a broken file": {
			compose(oneEntry+"---\n[", env(appPassword, "APP_DB_PASSWORD:")),
			"not valid YAML",
		},
		"a wrong position": {
			compose(`services:
  app:
    environment:
      KEEP: 1
      APP_DB_PASSWORD: hunter2
`, env(appPassword, "KEEP:")),
			"not found at its position",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			edits, refused := test.in.plan(t)
			if len(edits) > 0 {
				t.Errorf("the plan has edits: %v", edits)
			}
			if len(refused) == 0 {
				t.Fatal("nothing is refused")
			}
			for _, r := range refused {
				if !strings.Contains(r.Reason.String(), test.want) || strings.Contains(r.Reason.String(), "hunter2") {
					t.Errorf("the reason is %q, want %q in it", r.Reason.String(), test.want)
				}
			}
		})
	}
}

const oneEntry = `services:
  app:
    environment:
      APP_DB_PASSWORD: hunter2
      POSTGRES_ROOT_PASSWORD: hunter2
`

// TestRefusedByOthers has reasons that do not stand in the file.
func TestRefusedByOthers(t *testing.T) {
	in := compose(oneEntry, env(appPassword, "APP_DB_PASSWORD:"))
	reason := func(findings []rules.Finding, containers []manifest.Container) string {
		t.Helper()
		edits, refused := fix.New(findings, containers, read(in.text)).Plan()
		if len(refused) != 1 {
			t.Fatalf("%d refusals and %d edits, want one refusal", len(refused), len(edits))
		}
		return refused[0].Reason.String()
	}
	containers := in.build(t)
	other := containers[0]
	other.Name, other.QualifiedName, other.RoleLabel = "db-provision", "compose/p/db-provision", "provisioner"
	containers = append(containers, other)
	if got := reason(check(containers), containers); !strings.Contains(got, "db-provision as well") {
		t.Errorf("an entry of two containers is refused because %s", got)
	}

	containers = in.build(t)
	findings := check(containers)
	findings[0].Overlays = []string{"a", "b"}
	if got := reason(findings, containers); !strings.Contains(got, "several overlays use it: a, b") {
		t.Errorf("an entry of two overlays is refused because %s", got)
	}

	findings = check(containers)
	findings[0].Secrets = []string{"POSTGRES_ROOT_PASSWORD"}
	if got := reason(findings, containers); !strings.Contains(got, "under a name that is not forbidden") {
		t.Errorf("an entry of another name is refused because %s", got)
	}

	findings = check(containers)
	suppressed := findings[0]
	suppressed.Suppression = &rules.Suppression{Reason: "r"}
	if got := reason(append(findings, suppressed), containers); !strings.Contains(got, "a dsnlint:ignore comment") {
		t.Errorf("an entry that somebody accepted is refused because %s", got)
	}
}

// TestRefusedByScript has a script that reads the variable.
func TestRefusedByScript(t *testing.T) {
	in := compose(oneEntry, env(appPassword, "APP_DB_PASSWORD:"), env(rootPassword, "POSTGRES_ROOT_PASSWORD:"))
	containers := in.build(t)
	containers[0].Scripts = []manifest.Script{{Text: manifest.Known("#!/bin/sh\npsql \"$DATABASE_URL\" -v p=\"${APP_DB_PASSWORD:?}\"\n")}}
	edits, refused := fix.New(check(containers), containers, read(in.text)).Plan()
	if len(edits) != 1 || len(refused) != 1 || !strings.Contains(refused[0].Reason.String(), "reads $APP_DB_PASSWORD") {
		t.Errorf("%d edits and the refusals %v, want one of each", len(edits), refused)
	}
}

func TestPassedOver(t *testing.T) {
	in := compose(oneEntry, env(appPassword, "APP_DB_PASSWORD:"))
	containers := in.build(t)
	findings := check(containers)
	findings[0].Known = true
	edits, refused := fix.New(findings, containers, read(in.text)).Plan()
	if len(edits) > 0 || len(refused) > 0 {
		t.Errorf("a known finding gives %d edits and %d refusals", len(edits), len(refused))
	}
}

// TestEdits removes one of two entries, each by itself.
func TestEdits(t *testing.T) {
	in := compose(oneEntry, env(appPassword, "APP_DB_PASSWORD:"), env(rootPassword, "POSTGRES_ROOT_PASSWORD:"))
	containers := in.build(t)
	findings := check(containers)
	fixer := fix.New(findings, containers, read(in.text))
	for i := range findings {
		f := &findings[i]
		edits := fixer.Edits(f)
		got := fix.Replacements([]byte(in.text), edits)
		want := []fix.Replacement{{Region: manifest.Position{
			File: file, Line: f.Position.Line, Column: 1, EndLine: f.Position.Line + 1, EndColumn: 1,
		}}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s -want +got:\n%s", f.Variable, diff)
		}
	}
}

func TestReplacements(t *testing.T) {
	data := []byte("ä: b\nc: d")
	edits := []fix.Edit{{Start: 3, End: 3, Text: " {}"}, {Start: 6, End: len(data)}}
	want := []fix.Replacement{
		{Region: manifest.Position{Line: 1, Column: 3, EndLine: 1, EndColumn: 3}, Text: " {}"},
		{Region: manifest.Position{Line: 2, Column: 1, EndLine: 2, EndColumn: 5}},
	}
	if diff := cmp.Diff(want, fix.Replacements(data, edits)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestDiff(t *testing.T) {
	before := "1\n2\n3\n4\nkey: hunter2\n5\n6\n7\n8\n9\n10\n11\n12\nlast: hunter2"
	after := "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\nlast:\n"
	show := func(_ int, line string) string { return strings.ReplaceAll(line, "hunter2", "***") }
	want := `--- a/f.yaml
+++ b/f.yaml
@@ -2,7 +2,6 @@
 2
 3
 4
-key: ***
 5
 6
 7
@@ -11,4 +10,4 @@
 10
 11
 12
-last: ***
\ No newline at end of file
+last:
`
	if diff := cmp.Diff(want, fix.Diff("f.yaml", []byte(before), []byte(after), show)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got := fix.Diff("f.yaml", []byte(before), []byte(before), show); got != "" {
		t.Errorf("no change gives %q", got)
	}
	want = "--- a/f\n+++ b/f\n@@ -1,1 +0,0 @@\n-x\n"
	if diff := cmp.Diff(want, fix.Diff("f", []byte("x\n"), nil, show)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
