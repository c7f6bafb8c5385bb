package rules

import (
	"testing"

	"github.com/derekg1729/dsnlint/pkg/manifest"
)

func TestLiteralCredential(t *testing.T) {
	web := func(parts ...manifest.Part) []manifest.Container {
		return []manifest.Container{container("web", env(2, "X", parts...))}
	}
	literal := text("postgres://a:hunter2@db/app")
	found := []string{"web X f.yaml:2:5"}
	testRule(t, literalCredential, []ruleTest{
		{name: "in a manifest", containers: web(literal), want: found},
		{name: "with a user from elsewhere", containers: web(text("postgres://"), ref("U"), text(":hunter2@db")), want: found},
		{name: "as a default", containers: web(or("D", literal)), want: found},
		{name: "in a text around it", containers: web(text("run --dsn "), literal), want: found},
		{name: "in another manifest", containers: web(defined("D", "config.yml", literal)), want: found},
		{name: "two references away", containers: web(defined("D", "a.env", defined("E", "values.json", literal))), want: found},
		{name: "behind the default of a reference", containers: web(or("D", defined("E", "t.tpl", literal))), want: found},
		{name: "as an argument", containers: []manifest.Container{container("app", by(manifest.ChannelArgument, 2, "command", literal))}, want: []string{"app command f.yaml:2:5"}},
		{name: "as a label", containers: []manifest.Container{container("postgres", by(manifest.ChannelMetadata, 2, "note", literal))}, want: []string{"postgres note f.yaml:2:5"}},
		{name: "as a build argument", containers: one(container("app", by(manifest.ChannelBuild, 2, "D", literal))), want: []string{"app D f.yaml:2:5"}},
		{name: "as a file", containers: one(container("app", by(manifest.ChannelFile, 2, "/etc/dsn", literal))), want: []string{"app /etc/dsn f.yaml:2:5"}},
		{name: "keywords", containers: web(text("host=db user=a password=hunter2")), want: found},

		{name: "in an env file", containers: []manifest.Container{container("web", moved(env(2, "X", literal), "a.env"))}},
		{name: "defined in an env file", containers: web(defined("D", "a.env", literal))},
		{name: "default in an env file", containers: []manifest.Container{container("web", moved(env(2, "X", or("D", literal)), "a.env"))}},
		{name: "password of a reference", containers: web(text("postgres://a:"), ref("P"), text("@db"))},
		{name: "password partly of a reference", containers: web(text("postgres://a:x"), ref("P"), text("@db"))},
		{name: "no password", containers: web(text("postgres://a@db"))},
		{name: "empty password", containers: web(text("postgres://a:@db"))},
		{name: "angle brackets", containers: web(text("postgres://a:<password>@db"))},
		{name: "braces", containers: web(text("postgres://a:{{password}}@db"))},
		{name: "a variable of the shell", containers: web(text("postgres://a:$PASSWORD@db"))},
		{name: "a variable of a pipeline", containers: web(text("postgres://a:((password))@db"))},
		{name: "something to replace", containers: web(text("postgres://a:__PASSWORD__@db"))},
		{name: "something to change", containers: web(text("postgres://a:CHANGE_ME@db")), want: found},
		{name: "in a unit", containers: one(container("web", moved(env(2, "X", literal), "web.container"))), want: []string{"web X web.container:2:5"}},
		{name: "asterisks", containers: web(text("postgres://a:***@db"))},
		{name: "no DSN", containers: web(text("hunter2"))},
		{name: "nothing known", containers: web()},
	})
}

// TestWayToALiteral checks that the provenance leads to where the password is.
func TestWayToALiteral(t *testing.T) {
	inner := defined("E", "values.json", text("postgres://a:hunter2@db/app"))
	found := runOne(t, literalCredential, container("web", env(2, "X", defined("D", "a.env", inner))))
	if len(found) != 1 {
		t.Fatalf("found %v", rows(found))
	}
	var files []string
	for _, step := range found[0].Provenance[0] {
		files = append(files, step.Position.File)
	}
	if len(files) != 3 || files[0] != "f.yaml" || files[1] != "a.env" || files[2] != "values.json" {
		t.Errorf("the way leads through %v", files)
	}
}
