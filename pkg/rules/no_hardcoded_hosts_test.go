package rules

import (
	"testing"

	"github.com/derekg1729/dsnlint/pkg/contract"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

func TestNoHardcodedHosts(t *testing.T) {
	dsn := func(name string, parts ...manifest.Part) []manifest.Container {
		return []manifest.Container{container(name, env(2, "X", parts...))}
	}
	script := func(name, text string, change func(*manifest.Container)) []manifest.Container {
		return []manifest.Container{with(container(name), func(c *manifest.Container) {
			c.Scripts = []manifest.Script{{Name: "run.sh", Text: manifest.Known(text), Position: line(7), Exact: true}}
			if change != nil {
				change(c)
			}
		})}
	}
	part := func(of manifest.CommandPart, n int, parts ...manifest.Part) manifest.Delivery {
		d := by(manifest.ChannelArgument, n, "command", parts...)
		d.Command = of
		return d
	}
	command := func(name string, words ...string) []manifest.Container {
		var deliveries []manifest.Delivery
		for i, word := range words {
			deliveries = append(deliveries, part(manifest.CommandWord, i+2, text(word)))
		}
		return one(container(name, deliveries...))
	}
	commandLine := func(parts ...manifest.Part) []manifest.Container {
		return one(container("db-provision", part(manifest.CommandLine, 2, parts...)))
	}
	credentials := []manifest.Part{text("postgres://"), ref("U"), text(":"), ref("P"), text("@")}
	testRule(t, noHardcodedHosts, []ruleTest{
		{name: "host and port", containers: dsn("app", append(credentials, text("db:5432/app"))...), want: []string{"app X f.yaml:2:5"}},
		{name: "host", containers: dsn("app", append(credentials, text("db:"), ref("PORT"), text("/app"))...), want: []string{"app X f.yaml:2:5"}},
		{name: "port", containers: dsn("app", append(credentials, ref("HOST"), text(":5432/app"))...), want: []string{"app X f.yaml:2:5"}},
		{name: "default", containers: dsn("app", append(credentials, or("HOST", text("db")), text("/app"))...), want: []string{"app X f.yaml:2:5"}},
		{name: "provisioner", containers: dsn("db-provision", text("postgres://a@db/app")), want: []string{"db-provision X f.yaml:2:5"}},
		{name: "host of a reference", containers: dsn("app", append(credentials, ref("HOST"), text("/app"))...)},
		{name: "known host of a reference", containers: dsn("app", append(credentials, ref("HOST", text("db")), text("/app"))...)},
		{name: "host in a variable of its own", containers: dsn("db-provision", text("postgres"))},
		{name: "no host", containers: dsn("app", append(credentials, text("/app"))...)},
		{name: "env file", containers: []manifest.Container{container("app", moved(env(2, "X", text("postgres://a@db:5432/app")), "a.env"))}},
		{name: "other container", containers: dsn("web", text("postgres://a@db:5432/app"))},
		{name: "database", containers: dsn("postgres", text("postgres://a@db:5432/app"))},

		{name: "word of a command", containers: command("db-provision", "psql", "-h", "postgres", "-p", "5432"), want: []string{"db-provision command f.yaml:4:5", "db-provision command f.yaml:6:5"}},
		{name: "DSN in a command, once", containers: command("db-provision", "psql", "postgres://a@db/app"), want: []string{"db-provision command f.yaml:3:5"}},
		{name: "two in one line are one finding", containers: commandLine(text("psql -h postgres -p 5432")), want: []string{"db-provision command f.yaml:2:5"}},
		{name: "default in a command", containers: commandLine(text("psql -h "), or("H", text("postgres"))), want: []string{"db-provision command f.yaml:2:5"}},
		{name: "variable in a command", containers: commandLine(text("psql -h "), ref("H"))},
		{name: "default as a word", containers: one(container("db-provision", part(manifest.CommandWord, 2, text("psql")), part(manifest.CommandWord, 3, text("-h")), part(manifest.CommandWord, 4, or("H", text("postgres"))))),
			want: []string{"db-provision command f.yaml:4:5"}},
		{name: "variable as a word", containers: one(container("db-provision", part(manifest.CommandWord, 2, text("psql")), part(manifest.CommandWord, 3, text("-h")), part(manifest.CommandWord, 4, ref("H"))))},
		{name: "script in a command is found as a script", containers: one(with(command("db-provision", "sh", "-c", "psql -h postgres")[0], func(c *manifest.Container) {
			c.Scripts = []manifest.Script{{Name: "command", Text: manifest.Known("psql -h postgres"), Position: line(7)}}
		})), want: []string{"db-provision command f.yaml:7:5"}},
		{name: "argument that is not of the command line", containers: one(container("db-provision", by(manifest.ChannelArgument, 2, "healthcheck", text("psql -h postgres"))))},
		{name: "DSN in the command of a runtime container", containers: command("app", "psql", "postgres://a@db/app"), want: []string{"app command f.yaml:3:5"}},
		{name: "word of a runtime container's command", containers: command("app", "psql", "-h", "postgres")},

		{name: "script of the provisioner", containers: script("db-provision", "set -e\n  psql -h postgres\n", nil), want: []string{"db-provision run.sh f.yaml:8:15"}},
		{name: "two in one place are one finding", containers: script("db-provision", "psql -h postgres -p 5432\n", func(c *manifest.Container) { c.Scripts[0].Exact = false }), want: []string{"db-provision run.sh f.yaml:7:5"}},
		{name: "database container of the contract", containers: script("db-provision", "nc -z store 80\n", nil), want: []string{"db-provision run.sh f.yaml:7:11"},
			adapt: func(c *contract.Contract) { c.Roles.Database = []string{"store"} }},
		{name: "another container", containers: script("db-provision", "nc -z store 80\n", nil)},
		{name: "script of CI", containers: script("ci.sh", "psql -h postgres\n", func(c *manifest.Container) { c.Kind = manifest.KindFile }), want: []string{"ci.sh run.sh f.yaml:7:13"}},
		{name: "before a syntax error", containers: script("db-provision", "psql -h postgres\nif\n", nil), want: []string{"db-provision run.sh f.yaml:7:13"}},
		{name: "script of a runtime container", containers: script("app", "psql -h postgres\n", nil)},
		{name: "script of unknown text", containers: script("db-provision", "", func(c *manifest.Container) { c.Scripts[0].Text = manifest.Value{} })},
		{name: "script with variables", containers: script("db-provision", "psql -h \"$DB_HOST\"\n", nil)},
	})
}
