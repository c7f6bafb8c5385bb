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

// input is a file, and what of it reaches a container.
type input struct {
	text    string
	entries []delivered
}

// delivered is a variable that reaches the container app, and where its entry is.
type delivered struct {
	variable string
	at       string
	channel  manifest.Channel
	// expr is what its value is built from; nil for a mention of its name.
	expr manifest.Expr
	// shared is set for an entry that is not the container's own.
	shared bool
}

func env(variable, at string) delivered {
	return delivered{variable: variable, at: at, channel: manifest.ChannelEnv}
}

// position is that of a part of the text, which is there once.
func position(t *testing.T, text, part string) manifest.Position {
	t.Helper()
	if strings.Count(text, part) != 1 {
		t.Fatalf("%q is %d times in the text", part, strings.Count(text, part))
	}
	before, _, _ := strings.Cut(text, part)
	line := before[strings.LastIndexByte(before, '\n')+1:]
	return manifest.Position{File: file, Line: strings.Count(before, "\n") + 1, Column: utf8.RuneCountInString(line) + 1}
}

// build makes the container.
func (in input) build(t *testing.T) []manifest.Container {
	t.Helper()
	c := manifest.Container{
		Dialect: &manifest.Dialect{Name: "test"}, Name: "app", RoleNames: []string{"app"}, RoleLabel: "runtime",
		Position: manifest.Position{File: file, Line: 1, Column: 1},
	}
	vars, rest := map[string]manifest.EnvVar{}, []manifest.Delivery(nil)
	for _, e := range in.entries {
		v := manifest.EnvVar{Name: e.variable, Expr: e.expr, Provenance: []manifest.Step{{Position: position(t, in.text, e.at)}}, Own: !e.shared}
		if v.Expr == nil {
			v.Expr = manifest.Expr{{Ref: &manifest.Ref{Name: e.variable, Kind: manifest.RefVariable}}}
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

// check returns the findings that are about removable entries.
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

func of(text string, entries ...delivered) input { return input{text, entries} }

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
			of(`# head
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
			of(`services:
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
			of(`services:
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
			of("services:\r\n  app:\r\n    environment:\r\n    - APP_DB_PASSWORD\r\n    - POSTGRES_ROOT_PASSWORD",
				env(appPassword, "APP_DB_PASSWORD"), env(rootPassword, "POSTGRES_ROOT_PASSWORD")),
			"services:\r\n  app:\r\n    environment: []\r\n",
		},
		"a block scalar and the comment behind it": {
			of(`services:
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
			of(`services:
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
			of(`services:
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
			of(`services:
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
			of(`x-env: &env
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
			of(`services:
  app:
    build:
      args:
        DATABASE_ROOT_URL: ${DATABASE_ROOT_URL}
        VERSION: 1
    deploy:
      labels:
        - POSTGRES_ROOT_USER=x
        - a=b
`, delivered{variable: "DATABASE_ROOT_URL", at: "DATABASE_ROOT_URL:", channel: manifest.ChannelBuild},
				delivered{variable: "POSTGRES_ROOT_USER", at: "POSTGRES_ROOT_USER=", channel: manifest.ChannelMetadata}),
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
		"items of a Kubernetes container": {
			of(`---
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
			of(`kind: Pod
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
`, env(appPassword, "name: APP_DB_PASSWORD"), delivered{variable: "POSTGRES_ROOT_USER", at: "POSTGRES_ROOT_USER:", channel: manifest.ChannelMetadata}),
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
			of(`services:
  app:
    environment: &env
      APP_DB_PASSWORD: hunter2
  other:
    environment: *env
`, env(appPassword, "APP_DB_PASSWORD:")),
			"below an anchor that is used elsewhere",
		},
		"an aliased value": {
			of(`services:
  app:
    environment:
      APP_DB_PASSWORD: &password hunter2
    labels:
      l: *password
`, env(appPassword, "APP_DB_PASSWORD:")),
			"holds an anchor that is used elsewhere",
		},
		"an entry that is not the container's own": {
			of(`x-env: &env
  APP_DB_PASSWORD: hunter2
services:
  app:
    environment: *env
`, delivered{variable: appPassword, at: "APP_DB_PASSWORD:", channel: manifest.ChannelEnv, shared: true}),
			"its entry is shared, inherited or generated",
		},
		"an entry that brings more": {
			of(`containers:
  - name: app
    envFrom:
      - secretRef:
          name: database
`, env(appPassword, "secretRef"), env(rootPassword, "secretRef")),
			"brings more than this",
		},
		"flow style": {
			of(`services:
  app:
    environment: {KEEP: 1, APP_DB_PASSWORD: hunter2}
`, env(appPassword, "APP_DB_PASSWORD:")),
			"in flow style",
		},
		"an explicit key": {
			of(`services:
  app:
    environment:
      ? APP_DB_PASSWORD
      : hunter2
`, env(appPassword, "APP_DB_PASSWORD")),
			"the way it is written",
		},
		"a comment that would fall into the scalar above": {
			of(`services:
  app:
    environment:
      KEEP: |
        text
      APP_DB_PASSWORD: hunter2
        # deep
`, env(appPassword, "APP_DB_PASSWORD:")),
			"the way it is written",
		},
		"a command line": {
			of(`services:
  app:
    command:
      - hunter2
`, delivered{variable: "DATABASE_ROOT_URL", at: "hunter2", channel: manifest.ChannelArgument}),
			"it is part of a command line",
		},
		"a file": {
			of(`services:
  app:
    secrets:
      - postgres_root_password
`, delivered{variable: "postgres_root_password", at: "postgres_root_password", channel: manifest.ChannelFile}),
			"it is a file",
		},
		"an env file": {
			of("APP_DB_PASSWORD=hunter2\n", delivered{variable: appPassword, at: "APP_DB_PASSWORD=", channel: manifest.ChannelEnv, shared: true}),
			"not a manifest",
		},
		"a broken file": {
			of(oneEntry+"---\n[", env(appPassword, "APP_DB_PASSWORD:")),
			"not valid YAML",
		},
		"a wrong position": {
			of(`services:
  app:
    environment:
      KEEP: 1
      APP_DB_PASSWORD: hunter2
`, env(appPassword, "hunter2")),
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

// TestRefusedByOthers has reasons that are not in the file.
func TestRefusedByOthers(t *testing.T) {
	in := of(oneEntry, env(appPassword, "APP_DB_PASSWORD:"))
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

// TestReaders has what else in a container may read a variable.
func TestReaders(t *testing.T) {
	deliver := func(channel manifest.Channel, expr manifest.Expr) func(*manifest.Container) {
		return func(c *manifest.Container) {
			c.Deliveries = append(c.Deliveries, manifest.Delivery{Channel: channel, EnvVar: manifest.EnvVar{
				Name: "X", Expr: expr, Provenance: []manifest.Step{{Position: manifest.Position{File: file, Line: 1, Column: 1}}},
			}})
		}
	}
	variable := func(kind manifest.RefKind) manifest.Expr {
		return manifest.Expr{{Ref: &manifest.Ref{Name: appPassword, Kind: kind}}}
	}
	for name, test := range map[string]struct {
		add   func(*manifest.Container)
		reads bool
	}{
		"a script": {func(c *manifest.Container) {
			c.Scripts = []manifest.Script{{Text: manifest.Known("#!/bin/sh\npsql \"$DATABASE_URL\" -v p=\"${APP_DB_PASSWORD:?}\"\n")}}
		}, true},
		"a command for a shell":        {deliver(manifest.ChannelArgument, manifest.Literal("psql password=$APP_DB_PASSWORD")), true},
		"text that nothing expanded":   {deliver(manifest.ChannelEnv, manifest.Literal("$(APP_DB_PASSWORD)")), true},
		"a longer name":                {deliver(manifest.ChannelArgument, manifest.Literal("$APP_DB_PASSWORD_FILE")), false},
		"the name alone":               {deliver(manifest.ChannelArgument, manifest.Literal("APP_DB_PASSWORD")), false},
		"a value of the container's":   {deliver(manifest.ChannelEnv, variable(manifest.RefEnv)), true},
		"a variable around it":         {deliver(manifest.ChannelEnv, variable(manifest.RefVariable)), false},
		"what a value is built from":   {deliver(manifest.ChannelEnv, manifest.Expr{{Ref: &manifest.Ref{Name: "Y", Value: manifest.Literal("$APP_DB_PASSWORD")}}}), true},
		"what a value is by default":   {deliver(manifest.ChannelEnv, manifest.Expr{{Ref: &manifest.Ref{Name: "Y", Default: variable(manifest.RefEnv)}}}), true},
		"a file that it mounts":        {deliver(manifest.ChannelFile, manifest.Literal("url=${APP_DB_PASSWORD}")), true},
		"nothing but the entry itself": {func(*manifest.Container) {}, false},
	} {
		t.Run(name, func(t *testing.T) {
			in := of(oneEntry, env(appPassword, "APP_DB_PASSWORD:"), env(rootPassword, "POSTGRES_ROOT_PASSWORD:"))
			containers := in.build(t)
			test.add(&containers[0])
			findings := slices.DeleteFunc(check(containers), func(f rules.Finding) bool { return f.Variable == "X" })
			_, refused := fix.New(findings, containers, read(in.text)).Plan()
			reads := len(refused) == 1 && strings.Contains(refused[0].Reason.String(), "reads $APP_DB_PASSWORD")
			if reads != test.reads || !reads && len(refused) > 0 {
				t.Errorf("the refusals are %v, want APP_DB_PASSWORD read: %v", refused, test.reads)
			}
		})
	}
}

func TestPassedOver(t *testing.T) {
	in := of(oneEntry, env(appPassword, "APP_DB_PASSWORD:"))
	containers := in.build(t)
	findings := check(containers)
	findings[0].Known = true
	edits, refused := fix.New(findings, containers, read(in.text)).Plan()
	if len(edits) > 0 || len(refused) > 0 {
		t.Errorf("a known finding gives %d edits and %d refusals", len(edits), len(refused))
	}
}

// TestReplacements removes one of two entries, each by itself.
func TestReplacements(t *testing.T) {
	in := of(oneEntry, env(appPassword, "APP_DB_PASSWORD:"), env(rootPassword, "POSTGRES_ROOT_PASSWORD:"))
	containers := in.build(t)
	findings := check(containers)
	fixer := fix.New(findings, containers, read(in.text))
	for i := range findings {
		f := &findings[i]
		got := fixer.Replacements(f)
		lines := strings.SplitAfter(in.text, "\n")
		start := len(strings.Join(lines[:f.Position.Line-1], ""))
		want := []fix.Replacement{{Region: manifest.Position{
			File: file, Line: f.Position.Line, Column: 1, EndLine: f.Position.Line + 1, EndColumn: 1,
			Bytes: manifest.Span{Start: start, End: start + len(lines[f.Position.Line-1])},
		}}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s -want +got:\n%s", f.Variable, diff)
		}
	}
}

func TestDiff(t *testing.T) {
	before := "1\n2\n3\n4\nkey: hunter2\n5\n6\n7\n8\n9\n10\n11\n12\nlast: hunter2"
	after := "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\nlast:\n"
	show := func(line string) string { return strings.ReplaceAll(line, "hunter2", "***") }
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
