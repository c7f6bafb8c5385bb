package linter_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/derekg1729/dsnlint/pkg/fix"
	"github.com/derekg1729/dsnlint/pkg/linter"
	"github.com/derekg1729/dsnlint/pkg/manifest"
	"github.com/derekg1729/dsnlint/pkg/report"
)

// The limits of one input. What is larger only makes the fuzzer slow: that large
// inputs stay within bounds is what .ci/hostile proves.
const (
	maxInput = 64 << 10
	maxFiles = 40
)

// FuzzRun lints whole directories in every dialect. An input is a directory as a
// txtar archive; the seed, unless it is zero, chooses mutations that keep it a
// manifest more often than those of the fuzzer do.
func FuzzRun(f *testing.F) {
	corpus := fixtureArchives(f)
	for i, input := range corpus {
		f.Add(input, uint64(0))
		f.Add(input, uint64(i+1))
	}
	f.Fuzz(func(t *testing.T, input []byte, seed uint64) {
		if len(input) > maxInput {
			t.Skip("too large")
		}
		archive := txtar.Parse(input)
		if seed != 0 {
			newMutator(seed, corpus).mutate(archive)
		}
		secret := plant(archive, seed)
		dir := t.TempDir()
		if !unpack(t, dir, archive) {
			t.Skip("holds no files")
		}
		tree := readTree(t, dir)

		r := mustRun(t, dir)
		checkReport(t, r, tree)
		first := renderAll(t, r)
		if second := renderAll(t, mustRun(t, dir)); !bytes.Equal(first, second) {
			t.Errorf("two runs differ:\n%s", firstDifference(first, second))
		}
		checkSecret(t, first, secret)

		fixed, err := linter.Fix(context.Background(), optionsOf(dir))
		if err != nil {
			t.Fatal(err)
		}
		checkSecret(t, renderFixed(fixed), secret)
		// The report is on the changed files.
		for _, file := range fixed.Files {
			tree[file.Name] = file.After
		}
		checkReport(t, fixed.Report, tree)
		checkSecret(t, renderAll(t, fixed.Report), secret)
	})
}

func optionsOf(dir string) linter.Options {
	return linter.Options{Paths: []string{dir}, Root: dir}
}

func mustRun(t *testing.T, dir string) *report.Report {
	t.Helper()
	r, err := linter.Run(context.Background(), optionsOf(dir))
	if err != nil {
		t.Fatal(err)
	}
	r.ExitCode = linter.ExitCode(r, linter.FailOn("error"), false)
	return r
}

// renderers are all formats, in the order of their output.
var renderers = []struct {
	name   string
	render func(io.Writer, *report.Report) error
}{
	{"text", func(w io.Writer, r *report.Report) error { return report.Text(w, r, report.TextOptions{}) }},
	{"json", report.JSON},
	{"sarif", report.SARIF},
	{"github", report.GitHub},
}

// renderAll returns the report in all formats.
func renderAll(t *testing.T, r *report.Report) []byte {
	t.Helper()
	var all bytes.Buffer
	for _, format := range renderers {
		start := all.Len()
		if err := format.render(&all, r); err != nil {
			t.Fatalf("rendering %s: %v", format.name, err)
		}
		if out := all.Bytes()[start:]; (format.name == "json" || format.name == "sarif") && !json.Valid(out) {
			t.Errorf("%s is not valid JSON", format.name)
		}
	}
	return all.Bytes()
}

// renderFixed returns what the command fix shows.
func renderFixed(fixed *linter.Fixed) []byte {
	var all bytes.Buffer
	for _, file := range fixed.Files {
		all.WriteString(fix.Diff(file.Name, file.Before, file.After, func(line string) string { return fixed.Lines.Show(file.Name, line) }))
	}
	for _, refusal := range fixed.Refused {
		_, _ = fmt.Fprintf(&all, "%s\n", refusal.Reason)
	}
	return all.Bytes()
}

// checkReport checks that no loader broke down and that every position is one of
// the tree.
func checkReport(t *testing.T, r *report.Report, tree map[string][]byte) {
	t.Helper()
	for _, p := range r.Problems {
		if strings.Contains(p.Message.String(), "a bug in dsnlint") {
			t.Errorf("%s: a loader panicked", p.Position)
		}
		checkPosition(t, "problem: "+p.Message.String(), p.Position, tree)
	}
	for i := range r.Findings {
		f := &r.Findings[i]
		if f.Position.File == "" {
			t.Errorf("%s on %s has no file", f.Rule.ID, f.Container.Name)
		}
		checkPosition(t, f.Rule.ID, f.Position, tree)
		for _, path := range f.Provenance {
			for _, step := range path {
				checkPosition(t, f.Rule.ID+": step", step.Position, tree)
			}
		}
	}
}

// checkPosition checks that a position lies in its file. One without a line says
// that the place is not known.
func checkPosition(t *testing.T, what string, p manifest.Position, tree map[string][]byte) {
	t.Helper()
	if p.Line == 0 {
		if p.Column != 0 || p.EndLine != 0 {
			t.Errorf("%s: position %+v has a column and no line", what, p)
		}
		return
	}
	data, ok := tree[p.File]
	if !ok {
		t.Errorf("%s: position %s is in no file of the input", what, p)
		return
	}
	if lines := len(lineBreak.FindAll(data, -1)) + 1; p.Line > lines || p.EndLine > lines {
		t.Errorf("%s: position %s (to line %d) is behind the last of %d lines", what, p, p.EndLine, lines)
	}
	if p.EndLine != 0 && (p.EndLine < p.Line || p.EndLine == p.Line && p.EndColumn < p.Column) {
		t.Errorf("%s: position %s ends before it begins, at %d:%d", what, p, p.EndLine, p.EndColumn)
	}
}

// lineBreak matches what YAML takes for the end of a line.
var lineBreak = regexp.MustCompile("\r\n|[\r\n\u0085\u2028\u2029]")

// checkSecret checks that the planted secret is not in what is shown, nor its
// second half, which a redaction up to a separator would leave.
func checkSecret(t *testing.T, shown []byte, secret string) {
	t.Helper()
	// The secret is planted by the test, and what is around it is masked.
	for _, part := range []string{secret, secret[len(secret)/2:]} {
		if bytes.Contains(shown, []byte(part)) {
			t.Errorf("the planted secret is shown:\n%s", around(shown, part))
			return
		}
	}
}

// around returns the lines that hold a text, without it.
func around(shown []byte, text string) string {
	var lines []string
	for line := range strings.Lines(string(shown)) {
		if strings.Contains(line, text) && len(lines) < 3 {
			at := strings.Index(line, text)
			line = line[max(0, at-200):min(len(line), at+len(text)+100)]
			lines = append(lines, strings.ReplaceAll(line, text, "<SECRET>"))
		}
	}
	return strings.Join(lines, "\n")
}

// firstDifference returns the first line in which two outputs differ.
func firstDifference(a, b []byte) string {
	x, y := bytes.Split(a, []byte("\n")), bytes.Split(b, []byte("\n"))
	for i := range min(len(x), len(y)) {
		if !bytes.Equal(x[i], y[i]) {
			return fmt.Sprintf("- %s\n+ %s", x[i], y[i])
		}
	}
	return fmt.Sprintf("%d lines and %d lines", len(x), len(y))
}

// fixtureArchives returns each fixture as an archive, without its findings.
func fixtureArchives(tb testing.TB) [][]byte {
	tb.Helper()
	var all [][]byte
	for _, dir := range fixtureDirs(tb) {
		archive := &txtar.Archive{}
		for name, data := range readTree(tb, dir) {
			if name != "findings.txt" {
				archive.Files = append(archive.Files, txtar.File{Name: name, Data: data})
			}
		}
		if len(archive.Files) == 0 || len(archive.Files) > maxFiles {
			continue
		}
		slices.SortFunc(archive.Files, func(a, b txtar.File) int { return strings.Compare(a.Name, b.Name) })
		if packed := txtar.Format(archive); len(packed) <= maxInput {
			all = append(all, packed)
		}
	}
	return all
}

// readTree returns the files below a directory by their names.
func readTree(tb testing.TB, dir string) map[string][]byte {
	tb.Helper()
	files := map[string][]byte{}
	tree := os.DirFS(dir)
	err := fs.WalkDir(tree, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return nil //nolint:nilerr // dir may be a file, and a fixture may hold a dangling link
		}
		data, err := fs.ReadFile(tree, name)
		files[name] = data
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return files
}

// unpack writes an archive below dir and reports whether it held a file. What has
// no local name, or one that an earlier file is in the way of, is left out.
func unpack(t *testing.T, dir string, archive *txtar.Archive) bool {
	t.Helper()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = root.Close() }()
	written := 0
	for _, file := range archive.Files {
		if !fs.ValidPath(file.Name) || !filepath.IsLocal(file.Name) || written == maxFiles {
			continue
		}
		if err := root.MkdirAll(path.Dir(file.Name), 0o700); err != nil {
			continue
		}
		if err := root.WriteFile(file.Name, file.Data, 0o600); err == nil {
			written++
		}
	}
	return written > 0
}

// secrets are what is planted: one that needs no escape anywhere, and one that
// looks like the end of a URL's user. Neither has the form of a name, since a slip
// may make a name of a value.
var secrets = []string{"Zq9+w!kT7hx4!Vb2", "Zq9+w@h!kT7hx4!b"}

// value matches an entry whose name says that it is a secret, and the password of
// a URL.
var value = regexp.MustCompile(`(?i)((?:PASSWORD|PASS|PWD|SECRET|TOKEN)[A-Z0-9_]*["']?(?:=|:[ \t]+)["']?|"?value"?:[ \t]+["']?|[a-z]://[^\s:/@"'{}]*:)([^\s"',{}()\[\]$@&*|>!%#-][^\s"',{}()\[\]$@]*)`)

// plant puts a secret in the place of the values of an archive, contracts
// excepted, and returns it.
func plant(archive *txtar.Archive, seed uint64) string {
	secret := secrets[seed%uint64(len(secrets))]
	for i, file := range archive.Files {
		if !strings.HasPrefix(path.Base(file.Name), ".dsnlint") {
			archive.Files[i].Data = value.ReplaceAll(file.Data, []byte("${1}"+secret))
		}
	}
	return secret
}

// mutator changes archives as its random numbers have it: the same seed makes the
// same changes.
type mutator struct {
	*rand.Rand
	corpus [][]byte
}

func newMutator(seed uint64, corpus [][]byte) *mutator {
	return &mutator{rand.New(rand.NewPCG(seed, 0)), corpus}
}

// mutate makes up to eight changes.
func (m *mutator) mutate(archive *txtar.Archive) {
	for range 1 + m.IntN(8) {
		if len(archive.Files) == 0 {
			return
		}
		file := &archive.Files[m.IntN(len(archive.Files))]
		lines := strings.SplitAfter(string(file.Data), "\n")
		switch m.IntN(12) {
		case 0: // a file of another fixture, which may bring in another dialect
			other := txtar.Parse(m.corpus[m.IntN(len(m.corpus))])
			archive.Files = append(archive.Files, other.Files[m.IntN(len(other.Files))])
			continue
		case 1: // a file less, so that what refers to it refers to nothing
			i := m.IntN(len(archive.Files))
			archive.Files = slices.Delete(archive.Files, i, i+1)
			continue
		case 2: // two documents in one file
			other := txtar.Parse(m.corpus[m.IntN(len(m.corpus))])
			lines = slices.Concat(lines, []string{"---\n", string(other.Files[m.IntN(len(other.Files))].Data)})
		default:
			lines = m.mutateLines(lines)
		}
		file.Data = []byte(strings.Join(lines, ""))
	}
}

// scalars are values with a meaning somewhere, or with a form that a careless
// reader stumbles over.
var scalars = []string{
	"${POSTGRES_ROOT_PASSWORD}", "${A:-${DATABASE_ROOT_URL}}", "$(DATABASE_URL)", "$$X", "${", "$(", "{{ .Values.x }}", "{{",
	"postgresql://root:Zq9@postgres:5432/db", "*a", "&a x", "!reset null", "!override []", "!!binary eA==", "null", "~", "",
	"{}", "[]", "[[]]", "{a: {b: c}}", "true", "0", "-1", "1e309", "0x7fffffffffffffff", "2026-01-01", "|", ">-", "'", `"`,
	`"\u0000"`, "\t", "..", "../..", "/", ".", "a/b", "x: y", "- x", "# c", "<<: *a", "? x", "%YAML 1.2", "\xff", "\u2028",
	"https://example.invalid/x.yaml", "git@example.invalid:o/r", "app", "db-provision", "migrate", "postgres",
}

// mutateLines makes one change to lines, such as a slip of an editor would.
func (m *mutator) mutateLines(lines []string) []string {
	i, j := m.IntN(len(lines)), m.IntN(len(lines))
	switch m.IntN(9) {
	case 0: // delete
		return slices.Delete(lines, i, i+1)
	case 1: // repeat elsewhere
		return slices.Insert(lines, j, lines[i])
	case 2: // repeat as it may be repeated many times
		return slices.Insert(lines, i, slices.Repeat(lines[i:i+1], 1+m.IntN(60))...)
	case 3: // swap
		lines[i], lines[j] = lines[j], lines[i]
	case 4: // move in
		lines[i] = "  " + lines[i]
	case 5: // move out
		lines[i] = strings.TrimPrefix(lines[i], "  ")
	case 6: // another value
		key, _, _ := strings.Cut(lines[i], ":")
		lines[i] = strings.TrimSuffix(key, "\n") + ": " + m.scalar() + "\n"
	case 7: // the value of another line
		key, _, _ := strings.Cut(lines[i], ":")
		_, other, ok := strings.Cut(lines[j], ":")
		if ok {
			lines[i] = strings.TrimSuffix(key, "\n") + ":" + other
		}
	case 8: // another item
		indent := lines[i][:len(lines[i])-len(strings.TrimLeft(lines[i], " "))]
		lines = slices.Insert(lines, i, indent+"- "+m.scalar()+"\n")
	}
	return lines
}

func (m *mutator) scalar() string { return scalars[m.IntN(len(scalars))] }
