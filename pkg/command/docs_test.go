package command

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/invopop/jsonschema"

	"github.com/derekg1729/dsnlint/pkg/contract"
	"github.com/derekg1729/dsnlint/pkg/internal/testtree"
	"github.com/derekg1729/dsnlint/pkg/report"
	"github.com/derekg1729/dsnlint/pkg/rules"
)

var update = flag.Bool("update", false, "write the generated parts of the documentation")

// root is the repository's root.
const root = "../.."

// exampleFixture is what README.md shows the report of.
const exampleFixture = "fixtures/compose/readme-example"

// TestGeneratedDocs compares the generated parts of the documentation with what they
// are generated from. With -update it writes them.
func TestGeneratedDocs(t *testing.T) {
	for _, part := range []struct{ file, name, want string }{
		{"README.md", "output", fence("text", "$ dsnlint "+exampleFixture+"\n"+example(t))},
		{"docs/configuration.md", "contract", fence("yaml", builtinContract(t))},
		{"docs/configuration.md", "keys", keyTable(t)},
		{"docs/environment.md", "lanes", fence("text", laneTable(t))},
		{"docs/rules.md", "rules", "\n" + ruleDocs(t)},
	} {
		name := filepath.Join(root, part.file)
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		before, got, after := cut(t, string(data), part.file, part.name)
		if got == part.want {
			continue
		}
		if !*update {
			t.Errorf("the part %q of %s is out of date; run go test ./pkg/command -update", part.name, part.file)
			continue
		}
		if err := os.WriteFile(name, []byte(before+part.want+after), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func cut(t *testing.T, text, file, name string) (before, part, after string) {
	t.Helper()
	start, end := "<!-- "+name+" -->\n", "<!-- /"+name+" -->\n"
	before, rest, ok := strings.Cut(text, start)
	part, after, closed := strings.Cut(rest, end)
	if !ok || !closed {
		t.Fatalf("%s has no part %q", file, name)
	}
	return before + start, part, end + after
}

// keyTable describes the keys of a contract file, as its schema does.
func keyTable(t *testing.T) string {
	t.Helper()
	text, err := contract.Schema(rules.IDs(rules.All))
	if err != nil {
		t.Fatal(err)
	}
	var schema jsonschema.Schema
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString("\n| key | type | |\n|---|---|---|\n")
	var describe func(s *jsonschema.Schema, at string)
	describe = func(s *jsonschema.Schema, at string) {
		for pair := s.Properties.Oldest(); pair != nil; pair = pair.Next() {
			key, value := at+pair.Key, pair.Value
			if at == "rules." {
				continue // docs/rules.md has them
			}
			kind := value.Type
			switch kind {
			case "object":
				kind = "mapping, merged by key"
			case "array":
				kind = "list, replaced whole"
			}
			description := strings.ReplaceAll(value.Description, "|", "\\|")
			if len(value.Enum) > 0 {
				description += fmt.Sprintf(" One of `%s`.", strings.Trim(strings.ReplaceAll(fmt.Sprint(value.Enum), " ", "`, `"), "[]"))
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", key, kind, description)
			if value.Properties != nil {
				describe(value, key+".")
			}
			if value.Items != nil && value.Items.Properties != nil {
				describe(value.Items, key+"[].")
			}
		}
	}
	describe(&schema, "")
	return b.String() + "\n"
}

func fence(language, text string) string { return "```" + language + "\n" + text + "```\n" }

func example(t *testing.T) string {
	t.Helper()
	t.Chdir(root)
	var out, errs bytes.Buffer
	code := run(context.Background(), []string{"dsnlint", exampleFixture}, streams{out: &out, err: &errs})
	if code != exitFindings {
		t.Fatalf("exit code %d, want %d: %s", code, exitFindings, errs.String())
	}
	t.Chdir("pkg/command")
	return out.String()
}

func builtinContract(t *testing.T) string {
	t.Helper()
	text, err := contract.Builtin().YAML()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func laneTable(t *testing.T) string {
	t.Helper()
	var b bytes.Buffer
	if err := contract.WriteTable(&b, contract.Builtin()); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func ruleDocs(t *testing.T) string {
	t.Helper()
	var b bytes.Buffer
	if err := rules.WriteMarkdown(&b, rules.All); err != nil {
		t.Fatal(err)
	}
	return b.String() + "\n"
}

// documents are the files of the documentation.
func documents(t *testing.T) map[string]string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	top, err := filepath.Glob(filepath.Join(root, "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, name := range append(names, top...) {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.ToSlash(rel)] = string(data)
	}
	return all
}

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.+)$`)
)

// anchors are those that GitHub gives the headings of a text.
func anchors(text string) map[string]bool {
	all := map[string]bool{}
	for _, m := range heading.FindAllStringSubmatch(text, -1) {
		anchor := regexp.MustCompile(`[^\p{L}\p{N}_ -]`).ReplaceAllString(strings.ToLower(m[1]), "")
		all[strings.ReplaceAll(anchor, " ", "-")] = true
	}
	return all
}

// TestLinks checks that what the documentation links to in the repository exists,
// headings included, and so does the place that reports name for each rule.
func TestLinks(t *testing.T) {
	docs := documents(t)
	for file, text := range docs {
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			target, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(target, ":") {
				continue
			}
			name := file
			if target != "" {
				name = path.Join(path.Dir(file), target)
			}
			if _, err := os.Stat(filepath.Join(root, name)); err != nil {
				t.Errorf("%s links to %s, which does not exist", file, m[1])
			}
			if anchor != "" && !anchors(docs[name])[anchor] {
				t.Errorf("%s links to %s, and there is no such heading", file, m[1])
			}
		}
	}
	places := anchors(docs[report.RulesDocument])
	for _, id := range rules.IDs(rules.All) {
		if !places[strings.ToLower(id)] {
			t.Errorf("%s has no heading for %s", report.RulesDocument, id)
		}
	}
}

// reasons are why a command of the documentation is not executed by a test; each is
// visible beside the command.
var reasons = []string{"needs a network", "needs Docker", "needs GitLab", "needs ./server", "runs the tests", "compiles everything again", "compiles everything", "checks the code", "writes the documentation"}

var block = regexp.MustCompile("(?ms)^ *```(?:sh|console)\n(.*?)^ *```")

// TestCommands executes every command of the documentation, in a copy of what a
// reader has at hand, and lists those that it cannot.
func TestCommands(t *testing.T) {
	seen := 0
	for file, text := range documents(t) {
		for _, m := range block.FindAllStringSubmatch(text, -1) {
			script := strings.ReplaceAll(m[1], "\\\n", "")
			for line := range strings.Lines(script) {
				command, comment, _ := strings.Cut(strings.TrimSpace(line), " # ")
				command, comment = strings.TrimSpace(command), strings.TrimSpace(comment)
				if command == "" {
					continue
				}
				seen++
				if slices.Contains(reasons, comment) {
					t.Logf("%s: not executed: %s (%s)", file, command, comment)
					continue
				}
				t.Run(command, func(t *testing.T) { execute(t, file, command) })
			}
		}
	}
	if seen == 0 {
		t.Error("the documentation has no command")
	}
}

// execute runs a command line of the documentation. One of dsnlint is run where there
// is a project to lint, and one of the go command in the repository.
func execute(t *testing.T, file, command string) {
	t.Helper()
	if words := strings.Fields(command); words[0] == "dsnlint" {
		dir := t.TempDir()
		testtree.Write(t, dir, map[string]string{
			"compose.yaml":            "services:\n  app:\n    image: example/app\n    environment:\n      APP_DB_PASSWORD: ${APP_DB_PASSWORD}\n",
			"k8s/pod.yaml":            "apiVersion: v1\nkind: Pod\nmetadata:\n  name: app\nspec:\n  containers:\n    - name: app\n      image: example/app\n",
			"deploy.env":              "DATABASE_URL=postgresql://a:x@h/d\nDATABASE_SERVICE_URL=postgresql://b:x@h/d\n",
			".dsnlint-baseline.sarif": "",
		})
		t.Chdir(dir)
		var out, errs bytes.Buffer
		if slices.Contains(words, ".dsnlint-baseline.sarif") && words[1] != "baseline" {
			run(t.Context(), []string{"dsnlint", "baseline", "-o", ".dsnlint-baseline.sarif", "."}, streams{out: &out, err: &errs})
		}
		input := strings.NewReader("")
		if before, name, ok := strings.Cut(command, " < "); ok {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			words, input = strings.Fields(before), strings.NewReader(string(data))
		}
		if code := run(t.Context(), words, streams{in: input, out: &out, err: &errs}); code > exitFindings {
			t.Errorf("%s: exit code %d: %s", file, code, errs.String())
		}
		return
	}
	if testing.Short() {
		t.Skip("takes the go command")
	}
	cmd := exec.CommandContext(t.Context(), "sh", "-c", strings.ReplaceAll(command, " -o dsnlint", " -o "+filepath.Join(t.TempDir(), "dsnlint")))
	cmd.Dir = root
	output, err := cmd.CombinedOutput()
	// The examples have findings, which go run ends with 1 for.
	if err != nil && (!strings.Contains(command, "fixtures") || !strings.Contains(string(output), " errors, ")) {
		t.Errorf("%s: %v: %s", file, err, output)
	}
}

// TestSecurityNamesWhatThereIs checks that the tests and scripts exist by which
// SECURITY.md says that the promises are tested.
func TestSecurityNamesWhatThereIs(t *testing.T) {
	text, err := os.ReadFile("../../SECURITY.md")
	if err != nil {
		t.Fatal(err)
	}
	var tests strings.Builder
	err = filepath.WalkDir("../..", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(entry.Name(), "_test.go") {
			data, readErr := os.ReadFile(name)
			tests.Write(data)
			err = readErr
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("`((?:Test|Fuzz)[A-Za-z]+|\\.ci/[a-z./]+)`").FindAllStringSubmatch(string(text), -1)
	if len(named) == 0 {
		t.Error("SECURITY.md names no test")
	}
	for _, m := range named {
		_, statErr := os.Stat(filepath.Join("../..", m[1]))
		if !strings.Contains(tests.String(), "func "+m[1]+"(") && statErr != nil {
			t.Errorf("SECURITY.md names %s, which does not exist", m[1])
		}
	}
}
