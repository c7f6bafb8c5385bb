package command

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/derekg1729/dsnlint/pkg/internal/testtree"
)

// dsnlint runs the command in a directory with the given files.
func dsnlint(t *testing.T, files map[string]string, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	dir := t.TempDir()
	testtree.Write(t, dir, files)
	t.Chdir(dir)
	var out, errs bytes.Buffer
	code = run(context.Background(), append([]string{"dsnlint"}, args...), streams{in: strings.NewReader(stdin), out: &out, err: &errs})
	for _, printed := range []string{out.String(), errs.String()} {
		if strings.Contains(printed, "hunter2") {
			t.Errorf("a secret's value was printed by dsnlint %s", strings.Join(args, " "))
		}
	}
	return code, out.String(), errs.String()
}

const (
	clean = "services:\n  web:\n    image: example/web\n"
	leak  = "services:\n  web:\n    image: example/web\n    environment:\n      X: ${POSTGRES_ROOT_PASSWORD}\n"
	env   = "POSTGRES_ROOT_PASSWORD=hunter2\n"
	note  = `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web"},"spec":{"containers":[{"name":"web","image":"x","envFrom":[{"secretRef":{"name":"s"}}]}]}}`
)

func TestExitCodes(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		args  []string
		want  int
		says  string
	}{
		"clean":                {map[string]string{"compose.yaml": clean}, []string{"."}, 0, "no findings"},
		"no path":              {map[string]string{"compose.yaml": clean}, nil, 0, "no findings"},
		"out of time":          {map[string]string{"compose.yaml": clean}, []string{"--timeout", "1ns", "."}, 2, "did not finish in time"},
		"leak":                 {map[string]string{"compose.yaml": leak, ".env": env}, []string{"."}, 1, "PROVISIONING_TRUST_BOUNDARY"},
		"pattern":              {map[string]string{"a/b/compose.yaml": leak}, []string{"a/..."}, 1, "a/b/compose.yaml:5:7"},
		"flag behind path":     {map[string]string{"compose.yaml": leak}, []string{"compose.yaml", "--fail-on", "never"}, 0, "error"},
		"flag with equals":     {map[string]string{"compose.yaml": leak}, []string{"compose.yaml", "--fail-on=never"}, 0, "error"},
		"unknown role":         {map[string]string{"compose.yaml": clean + "    labels: {dsnlint.dev/role: runtim}\n"}, []string{"."}, 2, "compose.yaml:4:"},
		"flags of a command":   {nil, []string{"contract", ".", "--format", "yaml"}, 0, "denylist"},
		"note":                 {map[string]string{"pod.json": note}, []string{"."}, 0, "OPAQUE_SECRET_IMPORT"},
		"fail on note":         {map[string]string{"pod.json": note}, []string{"--fail-on", "note", "."}, 1, "OPAQUE_SECRET_IMPORT"},
		"suppressed":           {map[string]string{"compose.yaml": strings.Replace(leak, "\n      X:", "\n      # dsnlint:ignore PROVISIONING_TRUST_BOUNDARY until the proxy goes\n      X:", 1)}, []string{"."}, 0, "suppressed: 1"},
		"broken YAML":          {map[string]string{"compose.yaml": "services: [\n", "b/compose.yaml": leak}, []string{"."}, 2, "PROVISIONING_TRUST_BOUNDARY"},
		"no manifest":          {map[string]string{"readme.txt": "x"}, []string{"."}, 2, "found no"},
		"absent":               {nil, []string{"absent.yaml"}, 2, "absent.yaml"},
		"named, no manifest":   {map[string]string{"ci.yml": "on: push\n"}, []string{"ci.yml"}, 2, "ci.yml: error: not a "},
		"outside the root":     {map[string]string{"compose.yaml": "services:\n  web:\n    image: x\n    extends: {file: ../../../../../etc/passwd, service: x}\n"}, []string{"."}, 2, "compose.yaml:4:21"},
		"not followed":         {map[string]string{"compose.yaml": "services:\n  web:\n    image: x\n    env_file: a.env\n"}, []string{"."}, 0, "compose.yaml:4:15"},
		"not followed, strict": {map[string]string{"compose.yaml": "services:\n  web:\n    image: x\n    env_file: a.env\n"}, []string{"--strict", "."}, 2, "compose.yaml:4:15"},
		"misspelt attribute":   {map[string]string{"stack.yml": leak + "  web2:\n    image: x\n    enviroment: {A: b}\n"}, []string{"."}, 2, "PROVISIONING_TRUST_BOUNDARY"},
		"bad contract":         {map[string]string{"compose.yaml": leak, ".dsnlint.yaml": "roels: {}\n"}, []string{"."}, 2, ".dsnlint.yaml:1:1"},
		"contract turns off":   {map[string]string{"compose.yaml": leak, ".dsnlint.yaml": "rules: {PROVISIONING_TRUST_BOUNDARY: \"off\"}\n"}, []string{"."}, 0, "no findings"},
		"contract is named":    {map[string]string{"compose.yaml": leak, "c.yaml": "secrets: {provisioning: [NONE]}\n"}, []string{"--contract", "c.yaml", "compose.yaml"}, 0, "no findings"},
		"unknown rule":         {nil, []string{"explain", "RUNTIME_DSN_ONYL"}, 2, ""},
		"explain":              {nil, []string{"explain", "RUNTIME_DSN_ONLY"}, 0, "```yaml"},
		"rules":                {nil, []string{"rules"}, 0, "ROLE_ISOLATION"},
		"schema":               {nil, []string{"schema"}, 0, "$schema"},
		"contract":             {nil, []string{"contract"}, 0, "db-provision"},
		"contract as YAML":     {nil, []string{"contract", "--format", "yaml"}, 0, "denylist"},
		"environment refused":  {map[string]string{"a.env": "DATABASE_URL=postgres://postgres:hunter2@h/d\nDATABASE_SERVICE_URL=postgres://s:hunter2@h/d\n"}, []string{"dsn", "--env-file", "a.env"}, 1, "ROLE_ISOLATION"},
		"environment fine":     {map[string]string{"a.env": "DATABASE_URL=postgres://a:hunter2@h/d\nDATABASE_SERVICE_URL=postgres://s:hunter2@h/d\n"}, []string{"dsn", "--env-file", "a.env"}, 0, "no findings"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("GITHUB_ACTIONS", "")
			code, out, errs := dsnlint(t, c.files, "", c.args...)
			if code != c.want || !strings.Contains(out, c.says) {
				t.Errorf("got exit code %d, want %d with %q in:\n%s%s", code, c.want, c.says, out, errs)
			}
		})
	}
}

func TestUsageErrors(t *testing.T) {
	for _, args := range [][]string{
		{"--nope"}, {"--format", "xml", "."}, {"--fail-on", "always", "."}, {"--phase", "p2", "."},
		{"--color", "red", "."}, {"explain"}, {"dsn", "--lane", "fast"}, {"env", "--role", "king"},
		{"--format", "json", "--format", "sarif", "."},
	} {
		code, out, errs := dsnlint(t, map[string]string{"compose.yaml": clean}, "", args...)
		if code != exitFailure || out != "" || !strings.HasPrefix(errs, "dsnlint: ") || strings.Count(errs, "\n") > 2 {
			t.Errorf("dsnlint %v: exit code %d, output %q, error %q", args, code, out, errs)
		}
	}
}

func TestStandardInput(t *testing.T) {
	code, out, errs := dsnlint(t, map[string]string{".env": env}, leak, "--stdin-filename", "sub/compose.yaml", "-")
	if code != exitFindings || !strings.HasPrefix(out, "sub/compose.yaml:5:7: error: ") {
		t.Errorf("exit code %d: %s%s", code, out, errs)
	}
}

func TestSeveralFormats(t *testing.T) {
	code, out, _ := dsnlint(t, map[string]string{"compose.yaml": leak, ".env": env}, "",
		"--format", "github", "--format", "json=out.json", "--format", "sarif=out.sarif", ".")
	if code != exitFindings || !strings.HasPrefix(out, "::error file=compose.yaml,line=5,") {
		t.Errorf("exit code %d: %s", code, out)
	}
	for _, file := range []string{"out.json", "out.sarif"} {
		data, err := os.ReadFile(file)
		if err != nil || !json.Valid(data) || bytes.Contains(data, []byte("hunter2")) {
			t.Errorf("%s: %v", file, err)
		}
	}
}

func TestBaseline(t *testing.T) {
	files := map[string]string{"compose.yaml": leak}
	if code, _, errs := dsnlint(t, files, "", "baseline", "-o", "base.sarif", "."); code != 0 {
		t.Fatalf("exit code %d: %s", code, errs)
	}
	base, err := os.ReadFile("base.sarif")
	if err != nil {
		t.Fatal(err)
	}
	// The finding moves down a line and a new one comes.
	files["compose.yaml"] = "# moved\n" + leak + "      Y: ${DATABASE_ROOT_URL}\n"
	files["base.sarif"] = string(base)
	code, out, _ := dsnlint(t, files, "", "--baseline", "base.sarif", "compose.yaml")
	if code != exitFindings || !strings.Contains(out, "in the baseline: 1") || !strings.Contains(out, "compose.yaml:7:7") || strings.Contains(out, "compose.yaml:6:7") {
		t.Errorf("exit code %d: %s", code, out)
	}
}

func TestFix(t *testing.T) {
	text := "services:\n  web:\n    image: example/web\n    environment:\n      A: a # stays\n      POSTGRES_ROOT_PASSWORD: hunter2\n"
	files := map[string]string{"compose.yaml": text}
	code, out, _ := dsnlint(t, files, "", "fix", "--diff", ".")
	if code != 0 || !strings.Contains(out, "-      POSTGRES_ROOT_PASSWORD: ***") {
		t.Errorf("exit code %d: %s", code, out)
	}
	if code, _, errs := dsnlint(t, files, "", "fix", "."); code != 0 {
		t.Errorf("exit code %d: %s", code, errs)
	}
	got, err := os.ReadFile("compose.yaml")
	if want := strings.Replace(text, "      POSTGRES_ROOT_PASSWORD: hunter2\n", "", 1); err != nil || string(got) != want {
		t.Errorf("the file is not what it was without the entry (%v)", err)
	}
}
