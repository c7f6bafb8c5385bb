package command

import (
	"bytes"
	"context"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/derekg1729/dsnlint/pkg/contract"
	"github.com/derekg1729/dsnlint/pkg/rules"
)

var update = flag.Bool("update", false, "write the generated parts of README.md")

const readme = "../../README.md"

// TestReadme holds the generated parts of README.md against what they are
// generated from. With -update it writes them.
func TestReadme(t *testing.T) {
	data, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	for _, part := range []struct{ name, want string }{
		{"output", fence("text", "$ dsnlint fixtures/readme-example\n"+example(t))},
		{"contract", fence("yaml", builtinContract(t))},
		{"lanes", fence("text", laneTable(t))},
		{"rules", "\n" + ruleDocs(t)},
	} {
		before, got, after := cut(t, text, part.name)
		if got == part.want {
			continue
		}
		if !*update {
			t.Errorf("the part %q of README.md is out of date; run go test ./pkg/command -update", part.name)
			continue
		}
		text = before + part.want + after
	}
	if *update {
		if err := os.WriteFile(readme, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func cut(t *testing.T, text, name string) (before, part, after string) {
	t.Helper()
	start, end := "<!-- "+name+" -->\n", "<!-- /"+name+" -->\n"
	before, rest, ok := strings.Cut(text, start)
	part, after, closed := strings.Cut(rest, end)
	if !ok || !closed {
		t.Fatalf("README.md has no part %q", name)
	}
	return before + start, part, end + after
}

func fence(language, text string) string { return "```" + language + "\n" + text + "```\n" }

func example(t *testing.T) string {
	t.Helper()
	t.Chdir("../..")
	var out, errs bytes.Buffer
	code := run(context.Background(), []string{"dsnlint", "fixtures/readme-example"}, streams{out: &out, err: &errs})
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
