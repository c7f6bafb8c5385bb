package linter_test

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/derekg1729/dsnlint/pkg/manifest"
	"github.com/derekg1729/dsnlint/pkg/report"
)

// start is how a container is started, as both dialects can say it.
type start struct {
	name string
	// entrypoint and command are the words, which Kubernetes calls command and args.
	entrypoint, command []string
	// line is the same command as one text, which Compose alone takes.
	line string
	// env is a variable of each name with a text. In all texts <NAME> is a reference of
	// the dialect; the container is then handed that variable too, since Kubernetes
	// knows no others.
	env map[string]string
	// configs and secrets are mounted files by their paths.
	configs, secrets map[string]string
	// hosts are the literal hosts and ports that a provisioner is told of: what the
	// manifest has at the place of each finding.
	hosts []string
}

// starts are the forms. A script's text is the same in both but for the dollar signs,
// which Compose wants doubled.
var starts = []start{
	{name: "nothing"},
	{name: "plain argv", command: []string{"psql", "-h", "postgres"}, line: "psql -h postgres", hosts: []string{"postgres"}},
	{name: "argv in two fields", entrypoint: []string{"psql"}, command: []string{"-h", "postgres", "--port=5432"}, hosts: []string{"postgres", "--port=5432"}},
	{name: "one text in argv", command: []string{"psql -h postgres"}, hosts: []string{"psql"}},
	{name: "a host without a client", command: []string{"migrator", "--db-host", "postgres"}, hosts: []string{"postgres"}},
	{name: "a DSN in argv", command: []string{"migrator", "postgres://u@postgres:5432/app"}, hosts: []string{"postgres://u@postgres:5432/app"}},
	{name: "a database and user of that name", command: []string{"psql", "-U", "postgres", "-d", "postgres"}},
	{name: "a server", command: []string{"postgres", "-c", "port=5432"}},
	{name: "a message", command: []string{"echo", "postgres:5432"}},
	{name: "sh -c", command: []string{"sh", "-c", "psql -h postgres"}, line: "sh -c 'psql -h postgres'", hosts: []string{"postgres"}},
	{name: "sh -c in two fields", entrypoint: []string{"/bin/sh", "-c"}, command: []string{"psql -h postgres"}, hosts: []string{"postgres"}},
	{name: "sh -c, the shell alone in a field", entrypoint: []string{"sh"}, command: []string{"-c", "psql -h postgres"}, hosts: []string{"postgres"}},
	{name: "bash -ec", command: []string{"bash", "-ec", "psql -p 5432 -h postgres"}, line: `bash -ec "psql -p 5432 -h postgres"`, hosts: []string{"5432", "postgres"}},
	{name: "sh -euxo pipefail -c", command: []string{"/bin/sh", "-euxo", "pipefail", "-c", "psql -h postgres"}, hosts: []string{"postgres"}},
	{name: "bash -o pipefail -ec", command: []string{"bash", "-o", "pipefail", "-ec", "psql -h postgres"}, hosts: []string{"postgres"}},
	{name: "sh -c --", command: []string{"sh", "-c", "--", "psql -h postgres"}, hosts: []string{"postgres"}},
	{name: "options behind -c", command: []string{"sh", "-c", "-e", "psql -h postgres"}, hosts: []string{"postgres"}},
	{name: "bash --login -c", command: []string{"bash", "--login", "-c", "psql -h postgres"}, hosts: []string{"postgres"}},
	{name: "env sh -c", command: []string{"env", "X=Y", "sh", "-c", "psql -h postgres"}, line: `env X=Y sh -c "psql -h postgres"`, hosts: []string{"postgres"}},
	{name: "a host for env and in the script", command: []string{"env", "PGHOST=postgres", "sh", "-c", "nc -z postgres 5432"}, hosts: []string{"PGHOST=postgres", "postgres", "5432"}},
	{name: "the path of a shell for env", command: []string{"/usr/bin/env", "SHELL=/bin/bash", "bash", "-c", "psql -h postgres"}, hosts: []string{"postgres"}},
	{name: "exec in the script", command: []string{"sh", "-c", "exec psql -h postgres"}, hosts: []string{"postgres"}},
	{name: "tini", entrypoint: []string{"/sbin/tini", "--"}, command: []string{"sh", "-c", "psql -h postgres"}, hosts: []string{"postgres"}},
	{name: "timeout", command: []string{"timeout", "30", "sh", "-c", "until nc -z postgres 5432; do sleep 1; done"}, hosts: []string{"postgres", "5432"}},
	{name: "wait-for before the shell", command: []string{"wait-for-it", "postgres:5432", "--", "sh", "-c", "psql -h postgres"}, hosts: []string{"postgres:5432", "postgres"}},
	{name: "su -c", command: []string{"su", "postgres", "-c", "psql -h postgres"}, hosts: []string{"postgres"}},
	{name: "arguments of the script", command: []string{"sh", "-c", `exec "$@"`, "--", "psql", "-h", "postgres"}, hosts: []string{"postgres"}},
	{name: "two shells", command: []string{"sh", "-c", "nc -z postgres 80", "--", "sh", "-c", "psql -h db"}, hosts: []string{"postgres", "db"}},
	{name: "a shell in the script", command: []string{"sh", "-c", `bash -c "psql -h postgres"`}, hosts: []string{"postgres"}},
	{name: "a DSN in the script", command: []string{"sh", "-c", "psql postgres://u@postgres:5432/app"}, hosts: []string{"postgres://u@postgres:5432/app"}},
	{name: "a literal block", command: []string{"sh", "-ec", "# psql -h postgres\nset -u\nif true; then\n  psql -h postgres\nfi\n"}, hosts: []string{"postgres"}},
	{name: "a variable of the shell", command: []string{"sh", "-c", `psql -h "$DB_HOST"`}},
	{name: "a variable of the shell before a host", command: []string{"sh", "-c", `psql -U "$DB_USER" -h postgres`}, hosts: []string{"postgres"}},
	{name: "a default of the shell", command: []string{"sh", "-c", `psql -h "${DB_HOST:-postgres}"`}, hosts: []string{"postgres"}},
	{name: "a variable without a shell", command: []string{"psql", "-h", "$DB_HOST"}},
	{name: "a variable of the dialect", command: []string{"psql", "-h", "<DB_HOST>"}, env: map[string]string{"DB_HOST": "postgres"}},
	{name: "a variable of the dialect in a script", command: []string{"sh", "-c", "psql -h <DB_HOST>"}, env: map[string]string{"DB_HOST": "postgres"}},
	{name: "a shell without a script", command: []string{"sh", "/run.sh", "-c", "psql -h postgres"}},
	{name: "another interpreter", command: []string{"python3", "-c", "connect('postgres', 5432)"}},
	{name: "a credential in argv", command: []string{"run", "--dsn", "<DATABASE_ROOT_URL>"}},
	{name: "a credential in a script", command: []string{"sh", "-c", "run <POSTGRES_ROOT_PASSWORD>"}},
	{name: "a DSN in the environment", env: map[string]string{"DATABASE_URL": "postgresql://<APP_USER>:<APP_PASSWORD>@postgres:5432/app"}},
	{name: "a literal password in the environment", env: map[string]string{"DATABASE_URL": "postgresql://postgres:hunter2@<HOST>/app"}},
	{name: "a host of its own in the environment", env: map[string]string{"DB_HOST": "postgres", "DB_PORT": "5432"}},
	{name: "a script in a config", configs: map[string]string{"/init/run.sh": "set -e\npsql -h postgres\n"}, hosts: []string{"postgres"}},
	{name: "a script by its first line", configs: map[string]string{"/init/run": "#!/bin/bash\npsql -h postgres\n"}, hosts: []string{"postgres"}},
	{name: "a script that is run", command: []string{"sh", "/init/run"}, configs: map[string]string{"/init/run": "psql -h postgres\n"}, hosts: []string{"postgres"}},
	{name: "a script of another language", configs: map[string]string{"/init/run": "#!/usr/bin/env python3\npsql -h postgres\n"}},
	{name: "a config that is not a script", configs: map[string]string{"/init/notes": "psql -h postgres\n"}},
	{name: "a file of another kind for a client", command: []string{"psql", "-f", "/init/run.sql"}, configs: map[string]string{"/init/run.sql": "-- postgres:5432\nselect 1;\n"}},
	{name: "a secret", secrets: map[string]string{"/run/secrets/run.sh": "psql -h postgres\n"}},
	{name: "a credential in a secret", secrets: map[string]string{"/run/secrets/postgres_root_password": "placeholder"}},
}

// TestDialectsAgree checks that the same container gives the same findings in whatever
// dialect it is written: rule, container, variable and message, and in a provisioner
// the place of each literal host.
func TestDialectsAgree(t *testing.T) {
	for _, s := range starts {
		for _, container := range []string{"db-provision", "app", "proxy"} {
			t.Run(s.name+"/"+container, func(t *testing.T) {
				compose, kubernetes := s.lint(t, container, s.compose(container)), s.lint(t, container, s.kube(container))
				if diff := cmp.Diff(compose.rows, composeFields(kubernetes.rows)); diff != "" {
					t.Errorf("the dialects differ (-Compose +Kubernetes):\n%s", diff)
				}
				if container != "db-provision" {
					return
				}
				if diff := cmp.Diff(s.hosts, compose.hosts); diff != "" {
					t.Errorf("hosts differ in Compose (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(s.hosts, kubernetes.hosts); diff != "" {
					t.Errorf("hosts differ in Kubernetes (-want +got):\n%s", diff)
				}
			})
			if s.line != "" {
				t.Run(s.name+" as a line/"+container, func(t *testing.T) {
					asLine := s
					asLine.command = nil
					words := s.lint(t, container, s.compose(container))
					if diff := cmp.Diff(words.rows, asLine.lint(t, container, asLine.compose(container)).rows); diff != "" {
						t.Errorf("words and line differ (-words +line):\n%s", diff)
					}
				})
			}
		}
	}
}

// seen is what a manifest gives.
type seen struct{ rows, hosts []string }

func (s start) lint(t *testing.T, container, text string) seen {
	t.Helper()
	r := lintText(t, text)
	for _, p := range r.Problems {
		t.Errorf("%s\n%s", p.Position, text)
	}
	return look(r, container, text)
}

func look(r *report.Report, container, text string) seen {
	var got seen
	lines := strings.Split(text, "\n")
	for _, f := range r.Findings {
		if f.Container.Name != container {
			continue
		}
		got.rows = append(got.rows, fmt.Sprintf("%s %s: %s", f.Rule.ID, f.Variable, f.Message))
		if f.Rule.ID == "NO_HARDCODED_HOSTS" && f.Channel == manifest.ChannelArgument {
			line := []rune(lines[f.Position.Line-1])
			got.hosts = append(got.hosts, wordAt.FindString(string(line[f.Position.Column-1:])))
		}
	}
	slices.Sort(got.rows)
	return got
}

// wordAt is the first word of a text, without a quote before it.
var wordAt = regexp.MustCompile(`[^\s"',;}]+`)

var kubernetesField = regexp.MustCompile(`\b(?:command|args)\b`)

// composeFields calls the fields of Kubernetes as Compose calls them.
func composeFields(rows []string) []string {
	var renamed []string
	for _, row := range rows {
		renamed = append(renamed, kubernetesField.ReplaceAllStringFunc(row, func(field string) string {
			return map[string]string{"command": "entrypoint", "args": "command"}[field]
		}))
	}
	slices.Sort(renamed)
	return renamed
}

// manifestText writes a manifest line by line.
type manifestText struct{ strings.Builder }

func (m *manifestText) add(format string, args ...any) { _, _ = fmt.Fprintf(m, format+"\n", args...) }

// scalar adds a text behind a prefix: a literal block where it has lines.
func (m *manifestText) scalar(indent, prefix, text string) {
	if !strings.Contains(text, "\n") {
		m.add("%s%s'%s'", indent, prefix, strings.ReplaceAll(text, "'", "''"))
		return
	}
	m.add("%s%s|", indent, prefix)
	for line := range strings.Lines(text) {
		m.add("%s    %s", indent, strings.TrimRight(line, "\n"))
	}
}

var reference = regexp.MustCompile(`<([A-Z_]+)>`)

// passed are the variables that are referred to and not given.
func (s start) passed() []string {
	var names []string
	for _, text := range slices.Concat(s.entrypoint, s.command, slices.Collect(maps.Values(s.env))) {
		for _, m := range reference.FindAllStringSubmatch(text, -1) {
			if _, given := s.env[m[1]]; !given && !slices.Contains(names, m[1]) {
				names = append(names, m[1])
			}
		}
	}
	slices.Sort(names)
	return names
}

// compose writes the container as a service.
func (s start) compose(name string) string {
	text := func(text string) string {
		return reference.ReplaceAllString(strings.ReplaceAll(text, "$", "$$"), "$${$1}")
	}
	var m manifestText
	m.add("services:\n  %s:\n    image: example/image\n    restart: \"no\"", name)
	for _, field := range []struct {
		name  string
		words []string
	}{{"entrypoint", s.entrypoint}, {"command", s.command}} {
		if len(field.words) > 0 {
			m.add("    %s:", field.name)
		}
		for _, word := range field.words {
			m.scalar("      ", "- ", text(word))
		}
	}
	if s.command == nil && s.line != "" {
		m.scalar("    ", "command: ", text(s.line))
	}
	if len(s.env)+len(s.passed()) > 0 {
		m.add("    environment:")
	}
	for _, name := range s.passed() {
		m.add("      %s: ${%[1]s}", name)
	}
	for _, name := range slices.Sorted(maps.Keys(s.env)) {
		m.scalar("      ", name+": ", text(s.env[name]))
	}
	for section, files := range map[string]map[string]string{"configs": s.configs, "secrets": s.secrets} {
		for target := range files {
			m.add("    %s:\n      - source: file\n        target: %s", section, target)
		}
	}
	for _, content := range s.configs {
		m.add("configs:\n  file:")
		m.scalar("    ", "content: ", text(content))
	}
	if len(s.secrets) > 0 {
		m.add("secrets:\n  file:\n    external: true")
	}
	return m.String()
}

// kube writes the container as that of a Job.
func (s start) kube(name string) string {
	text := func(text string) string { return reference.ReplaceAllString(text, "$$($1)") }
	var m manifestText
	m.add("apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: job\nspec:\n  template:\n    spec:\n      restartPolicy: Never")
	m.add("      containers:\n        - name: %s\n          image: example/image", name)
	for _, field := range []struct {
		name  string
		words []string
	}{{"command", s.entrypoint}, {"args", s.command}} {
		if len(field.words) > 0 {
			m.add("          %s:", field.name)
		}
		for _, word := range field.words {
			m.scalar("            ", "- ", text(word))
		}
	}
	if len(s.env)+len(s.passed()) > 0 {
		m.add("          env:")
	}
	for _, name := range s.passed() {
		m.add("            - name: %s\n              valueFrom: {secretKeyRef: {name: given, key: %[1]s}}", name)
	}
	for _, name := range slices.Sorted(maps.Keys(s.env)) {
		m.add("            - name: %s", name)
		m.scalar("              ", "value: ", text(s.env[name]))
	}
	for _, files := range []map[string]string{s.configs, s.secrets} {
		for target := range files {
			m.add("          volumeMounts: [{name: files, mountPath: %s, subPath: %s}]", target, path.Base(target))
		}
	}
	if len(s.configs) > 0 {
		m.add("      volumes: [{name: files, configMap: {name: files}}]")
	}
	if len(s.secrets) > 0 {
		m.add("      volumes: [{name: files, secret: {secretName: files}}]")
	}
	for target, content := range s.configs {
		m.add("---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: files\ndata:")
		m.scalar("  ", path.Base(target)+": ", text(content))
	}
	for target, content := range s.secrets {
		m.add("---\napiVersion: v1\nkind: Secret\nmetadata:\n  name: files\nstringData:")
		m.scalar("  ", path.Base(target)+": ", text(content))
	}
	return m.String()
}
