package contract

import (
	"bytes"
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"

	"github.com/derekg1729/dsnlint/pkg/manifest"
)

var ruleIDs = []string{"RUNTIME_DSN_ONLY", "ROLE_ISOLATION", "OPAQUE_SECRET_IMPORT"}

func parse(t *testing.T, text string) *Contract {
	t.Helper()
	c, problems := Parse(".dsnlint.yaml", []byte(text), ruleIDs)
	if len(problems) > 0 {
		t.Fatalf("problems: %v", problems)
	}
	return c
}

func TestBuiltin(t *testing.T) {
	if _, problems := read("builtin.yaml", builtinFile, nil); len(problems) > 0 {
		t.Fatalf("builtin.yaml: %v", problems)
	}
	c := Builtin()
	if c.Version != 1 || c.Phase != P0 || len(c.Containers) != 5 || !slices.Contains(c.Denylist, "superuser") {
		t.Errorf("got %+v", c)
	}
	c.Denylist[0] = "changed"
	if Builtin().Denylist[0] == "changed" {
		t.Error("two calls share a list")
	}
}

func TestParseReplacesKeyByKey(t *testing.T) {
	got := parse(t, `
phase: p1
roles:
  runtime: [web, "worker-*"]
secrets:
  appDSN: APP_URL
containers:
  - name: web
denylist: []
rules:
  ROLE_ISOLATION: warning
  OPAQUE_SECRET_IMPORT: off
opaqueSecrets:
  - {name: app-env, keys: [DATABASE_URL, tls.crt]}
exclude: ["**/testdata/**", "{a,b}/*.yaml", "{a,b,c,d,e,f,g,h,i,j,k,l}/[,}]"]
`)
	want := Builtin()
	want.InForce = true
	want.Phase = P1
	want.Roles.Runtime = []string{"web", "worker-*"}
	want.Secrets.AppDSN = "APP_URL"
	want.Containers = []Row{{Name: "web"}}
	want.Denylist = []string{}
	want.Rules = map[string]Level{"ROLE_ISOLATION": LevelWarning, "OPAQUE_SECRET_IMPORT": LevelOff}
	want.OpaqueSecrets = []OpaqueSecret{{Name: "app-env", Keys: []string{"DATABASE_URL", "tls.crt"}}}
	want.Exclude = []string{"**/testdata/**", "{a,b}/*.yaml", "{a,b,c,d,e,f,g,h,i,j,k,l}/[,}]"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestParseNothing(t *testing.T) {
	for _, text := range []string{"", "# nothing yet\n", "---\n", "{}", "version: 1\n"} {
		want := Builtin()
		want.InForce = true
		if diff := cmp.Diff(want, parse(t, text)); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
}

func TestParseFollowsAliases(t *testing.T) {
	c := parse(t, "roles:\n  runtime: &names [a, b]\n  database: *names\n")
	if !slices.Equal(c.Roles.Database, []string{"a", "b"}) {
		t.Errorf("got %v", c.Roles.Database)
	}
}

// bad holds files that both Parse and the schema refuse.
var bad = []struct {
	text string
	want []string
}{
	{"rolse: {}\n", []string{"1:1: unknown key (did you mean `roles`?)"}},
	{"roles:\n  rutime: [app]\n", []string{"2:3: roles: unknown key (did you mean `runtime`?)"}},
	{"roles:\n  zzz: [app]\n", []string{"2:3: roles: unknown key (expected one of `provisioner`, `runtime`, `database`)"}},
	{"secrets:\n  root_dsn: X\n", []string{"2:3: secrets: unknown key (did you mean `rootDSN`?)"}},
	{"<<: {phase: p1}\n", []string{"1:1: unknown key (expected one of `version`, `phase`, `roles`, `databaseImages`, `secrets`, `containers`, `denylist`, `rules`, `opaqueSecrets`, `exclude`)"}},
	{"- roles\n", []string{"1:1: expected a mapping, found a list"}},
	{"roles\n", []string{"1:1: expected a mapping, found another value"}},
	{"roles: [app]\n", []string{"1:8: roles: expected a mapping, found a list"}},
	{"roles:\n", []string{"1:7: roles: expected a mapping, found nothing (leave the key out to keep the built-in value)"}},
	{"denylist:\n", []string{"1:10: denylist: expected a list, found nothing (write [] for an empty list, or leave the key out to keep the built-in one)"}},
	{"roles:\n  runtime: app\n", []string{"2:12: roles.runtime: expected a list, found another value (write the value in square brackets)"}},
	{"roles:\n  runtime: [app, 7]\n", []string{"2:18: roles.runtime[1]: expected a glob such as `migrate-*`, found another value (write it in quotes)"}},
	{"roles:\n  runtime: [app, {a: b}]\n", []string{"2:18: roles.runtime[1]: expected a glob such as `migrate-*`, found a mapping"}},
	{"roles:\n  runtime: [\"mig[rate\"]\n", []string{"2:13: roles.runtime[0]: expected a glob such as `migrate-*`, found another value"}},
	{"roles:\n  runtime: [\"\"]\n", []string{"2:13: roles.runtime[0]: expected a glob such as `migrate-*`, found another value"}},
	{"databaseImages: [\"postgres:15\"]\n", []string{"1:18: databaseImages[0]: expected a glob over an image without tag and digest, such as `postgis/postgis`, found another value"}},
	{"version: 2\n", []string{"1:10: version: expected `1`, found another value"}},
	{"version: \"1\"\n", []string{"1:10: version: expected `1`, found another value"}},
	{"version: 1.5\n", []string{"1:10: version: expected `1`, found another value"}},
	{"phase: P0\n", []string{"1:8: phase: expected one of `p0`, `p1`, found another value (did you mean `p0`?)"}},
	{"phase: 1\n", []string{"1:8: phase: expected one of `p0`, `p1`, found another value"}},
	{"rules:\n  ROLE_ISOLATOIN: off\n", []string{"2:3: rules: unknown key (did you mean `ROLE_ISOLATION`?)"}},
	{"rules:\n  ROLE_ISOLATION: warn\n", []string{"2:19: rules.ROLE_ISOLATION: expected one of `error`, `warning`, `note`, `off`, found another value"}},
	{"rules:\n  ROLE_ISOLATION: false\n", []string{"2:19: rules.ROLE_ISOLATION: expected one of `error`, `warning`, `note`, `off`, found another value"}},
	{"containers:\n  - requires: [A]\n", []string{"2:5: containers[0]: the key `name` is missing"}},
	{"containers:\n  - name: a\n    requires: [\"A||B\"]\n", []string{"3:16: containers[0].requires[0]: expected a name, or several separated by `|`, found another value"}},
	{"containers:\n  - name: a\n    allows: [\"DB_*\"]\n", []string{"3:14: containers[0].allows[0]: expected a name of letters, digits, `_`, `-` and `.`, found another value"}},
	{"opaqueSecrets: [{namespace: a}]\n", []string{
		"1:17: opaqueSecrets[0]: the key `name` is missing",
		"1:17: opaqueSecrets[0]: the key `keys` is missing",
	}},
	{"secrets: {appDSN: \"\"}\n", []string{"1:19: secrets.appDSN: expected a name of letters, digits, `_`, `-` and `.`, found another value"}},
	{"denylist: [\"\"]\n", []string{"1:12: denylist[0]: expected text that is not empty, found another value"}},
	{"exclude: [\"\"]\n", []string{"1:11: exclude[0]: expected a glob over paths such as `**/testdata/**`, found another value"}},
	{"phase: p2\nexcludes: []\nroles: {runtime: x}\n", []string{
		"1:8: phase: expected one of `p0`, `p1`, found another value",
		"2:1: unknown key (did you mean `exclude`?)",
		"3:18: roles.runtime: expected a list, found another value (write the value in square brackets)",
	}},
}

func TestParseRefuses(t *testing.T) {
	more := slices.Concat(bad, []struct {
		text string
		want []string
	}{
		{"exclude: [\"a/{b\"]\n", []string{"1:11: exclude[0]: expected a glob over paths such as `**/testdata/**`, found another value"}},
		{"exclude: [\"" + strings.Repeat("{a,a}", 40) + "\"]\n", []string{"1:11: exclude[0]: expected a glob over paths such as `**/testdata/**`, found"}},
		{"phase: p0\nphase: p1\n", []string{"2:1: duplicate key (first defined on line 1)"}},
		{"phase: p0\n---\nphase: p1\n", []string{"3:1: a contract file must contain one document (remove the --- above it)"}},
		{"phase: [p0\n", []string{"1:11: invalid YAML: did not find expected ',' or ']' (expected valid YAML)"}},
		{"{[a]: b}\n", []string{"1:2: expected a key, found a list"}},
		{"roles: !custom {}\nphase: !custom p0\n", []string{"2:8: phase: expected one of `p0`, `p1`, found another value"}},
		{"denylist:\n  - " + strings.Repeat("x", 100) + ": 1\n", []string{"2:5: denylist[0]: expected text that is not empty, found a mapping"}},
		{strings.Repeat("x", 100) + ": 1\n", []string{"1:1: unknown key (expected one of"}},
	})
	for _, test := range more {
		c, problems := Parse("c.yaml", []byte(test.text), ruleIDs)
		if c != nil {
			t.Errorf("%q: got a contract", test.text)
		}
		if len(problems) != len(test.want) {
			t.Errorf("%q: got %d problems %v, want %d", test.text, len(problems), problems, len(test.want))
			continue
		}
		for i, p := range problems {
			if p.Severity != manifest.Error || !strings.HasPrefix(p.Error(), "c.yaml:"+test.want[i]) {
				t.Errorf("%q:\n got %s\nwant c.yaml:%s", test.text, p, test.want[i])
			}
		}
	}
}

// TestParseMarks checks that a problem's end is that of the word it is about.
func TestParseMarks(t *testing.T) {
	_, problems := Parse("c.yaml", []byte("roles:\n  rutime: [app]\n"), ruleIDs)
	want := manifest.Position{File: "c.yaml", Line: 2, Column: 3, EndLine: 2, EndColumn: 9}
	if len(problems) != 1 || problems[0].Position != want {
		t.Errorf("got %v", problems)
	}
}

func compileSchema(t testing.TB) *jsonschema.Schema {
	t.Helper()
	data, err := Schema(ruleIDs)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("contract.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("contract.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func accepts(t testing.TB, schema *jsonschema.Schema, text []byte) bool {
	t.Helper()
	var value any
	if err := yaml.Unmarshal(text, &value); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return schema.Validate(value) == nil
}

func TestSchemaAgreesWithParse(t *testing.T) {
	schema := compileSchema(t)
	if !accepts(t, schema, builtinFile) {
		t.Error("the schema refuses builtin.yaml")
	}
	if !accepts(t, schema, []byte("rules: {ROLE_ISOLATION: note}\nopaqueSecrets: [{name: a, keys: []}]\nexclude: [\"**\"]\n")) {
		t.Error("the schema refuses a good file")
	}
	for _, test := range bad {
		if strings.HasPrefix(test.text, "<<") {
			continue // YAML resolves a merge key before the schema sees it.
		}
		if accepts(t, schema, []byte(test.text)) {
			t.Errorf("%q: the schema accepts it", test.text)
		}
	}
}

func TestSchemaDescribesEveryKey(t *testing.T) {
	data, err := Schema(ruleIDs)
	if err != nil {
		t.Fatal(err)
	}
	var root map[string]any
	if err := yaml.Unmarshal(data, &root); err != nil {
		t.Fatal(err)
	}
	if root["$schema"] != "https://json-schema.org/draft/2020-12/schema" {
		t.Errorf("$schema is %v", root["$schema"])
	}
	checkDescribed(t, "", root)
}

func checkDescribed(t *testing.T, at string, s map[string]any) {
	t.Helper()
	if s["type"] == "object" && s["additionalProperties"] != false {
		t.Errorf("%s: other keys are allowed", at)
	}
	if s["format"] != nil {
		t.Errorf("%s: the format %v is unknown to validators", at, s["format"])
	}
	if items, ok := s["items"].(map[string]any); ok {
		checkDescribed(t, at+"[]", items)
	}
	properties, _ := s["properties"].(map[string]any)
	for key, property := range properties {
		property := property.(map[string]any)
		if at != ".rules" && property["description"] == nil {
			t.Errorf("%s.%s has no description", at, key)
		}
		checkDescribed(t, at+"."+key, property)
	}
}

func TestYAMLRoundTrip(t *testing.T) {
	for _, text := range []string{
		"",
		"phase: p1\ndenylist: []\nrules: {ROLE_ISOLATION: off}\n",
		"denylist: [\"1\", \"null\", \"off\", \"~\", \"a: b\", \"# c\", \"- d\", \"two\\nlines\", \" e \", \"é\\u0001\"]\n",
		"containers: []\nroles: {runtime: [\"*\", \"[a-z]*\", \"\\\\*\"]}\nexclude: []\n",
		"opaqueSecrets: [{name: \"1e3\", namespace: \"0x1\", keys: [\"true\", \"1.0\"]}]\n",
	} {
		checkRoundTrip(t, parse(t, text))
	}
	data, err := Builtin().YAML()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(data), "version: 1\nphase: p0\nroles:\n  provisioner:\n    - db-provision\n") {
		t.Errorf("got\n%s", data)
	}
}

func checkRoundTrip(t *testing.T, c *Contract) {
	t.Helper()
	data, err := c.YAML()
	if err != nil {
		t.Fatal(err)
	}
	again, problems := Parse("again.yaml", data, ruleIDs)
	if len(problems) > 0 {
		t.Fatalf("%s\n%v", data, problems)
	}
	if diff := cmp.Diff(c, again); diff != "" {
		t.Errorf("%s\n%s", data, diff)
	}
}

func TestGlobsAreThoseOfPathMatch(t *testing.T) {
	for _, glob := range []string{
		"a", "*", "?", "[a]", "[^a]", "[a-z]", "[a-", "[a", "[]", "[^]", "[]a]", "[-a]", "[a-]", "[a-]]", `[\]]`, `[\-a]`,
		`\`, `a\`, `\*`, `[\`, `[a\`, `[a-\`, "[a][b", "a]", "[a-b-c]", "[^^]", "[^-]", "[^-a]", "[^-a-z]", "[^^-a]", "[a^]", "[a-^]", "[[]", "[a-[]", "a/b", "[/]", "[\n]", "\\\n", "[é-ü]",
	} {
		checkGlob(t, glob)
	}
}

func checkGlob(t *testing.T, glob string) {
	t.Helper()
	_, err := path.Match(glob, "")
	if want := err == nil && glob != ""; formats["glob"].matches(glob) != want {
		t.Errorf("%q: matches is %v, path.Match says %v", glob, !want, err)
	}
}

func FuzzGlob(f *testing.F) {
	f.Add("[a-z]*")
	f.Add(`[^\]-a]\`)
	f.Fuzz(func(t *testing.T, glob string) { checkGlob(t, strings.ToValidUTF8(glob, "")) })
}

func FuzzParse(f *testing.F) {
	f.Add(builtinFile)
	for _, test := range bad {
		f.Add([]byte(test.text))
	}
	schema := compileSchema(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		c, problems := Parse("c.yaml", data, ruleIDs)
		if (c == nil) != (len(problems) > 0) {
			t.Fatalf("contract %v with problems %v", c, problems)
		}
		for _, p := range problems {
			if p.Position.File != "c.yaml" || p.Message.IsZero() || len(p.Error()) > 1000 {
				t.Errorf("problem %q", fmt.Sprint(p))
			}
		}
		if c == nil {
			return
		}
		checkRoundTrip(t, c)
		if out, err := c.YAML(); err != nil || !accepts(t, schema, out) {
			t.Errorf("the schema refuses\n%s", out)
		}
	})
}
