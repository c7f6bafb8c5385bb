package compose_test

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/dotenv"
	"github.com/google/go-cmp/cmp"

	"github.com/derekg1729/dsnlint/pkg/internal/source/sourcetest"
	"github.com/derekg1729/dsnlint/pkg/loaders/compose"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// projectFiles returns the files of each project in testdata.
func projectFiles(t testing.TB) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	dirs, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range dirs {
		for _, name := range []string{"compose.yaml", "compose.override.yaml"} {
			if isFile(filepath.Join("testdata", dir.Name(), name)) {
				all[dir.Name()] = append(all[dir.Name()], name)
			}
		}
	}
	if len(all) == 0 {
		t.Fatal("no projects in testdata")
	}
	return all
}

// TestGolden compares all that is known of each project in testdata with the
// file want.txt beside it.
func TestGolden(t *testing.T) {
	for name, files := range projectFiles(t) {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join("testdata", name)
			containers, problems := compose.Load(context.Background(), sourcetest.Open(t, dir), files, compose.Options{})
			checkContainers(t, containers)
			got := dump(containers, problems)
			golden := filepath.Join(dir, "want.txt")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTestdataEqualsComposeGo(t *testing.T) {
	// The format is registered by the docker compose command, not by compose-go.
	dotenv.RegisterFormat("raw", func(r io.Reader, _ string, vars map[string]string, _ func(string) (string, bool)) error {
		data, err := io.ReadAll(r)
		for line := range strings.Lines(string(data)) {
			name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
			vars[name] = value
		}
		return err
	})
	for name, files := range projectFiles(t) {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", name))); err != nil {
				t.Fatal(err)
			}
			if name == "unset" {
				// It is there because Compose refuses it.
				if err := compare(t, dir, files, nil); err == nil {
					t.Error("compose-go takes the project")
				}
				return
			}
			differential(t, dir, files)
		})
	}
}

// dump shows everything about containers, values included: those of testdata
// are no secrets.
func dump(containers []manifest.Container, problems []*manifest.Problem) string {
	var b strings.Builder
	for _, p := range problems {
		fmt.Fprintf(&b, "%s: %v\n", p.Severity, p)
	}
	for _, c := range containers {
		fmt.Fprintf(&b, "%s %s image=%q command=%v once=%v", c.QualifiedName, c.Position, c.Image, c.HasCommand(), c.RunsOnce)
		if c.RestartPosition != c.Position {
			fmt.Fprintf(&b, " by %s", c.RestartPosition)
		}
		if c.RoleLabel != "" {
			fmt.Fprintf(&b, " role=%s by %s", c.RoleLabel, c.RoleLabelPosition)
		}
		b.WriteString("\n")
		for _, d := range c.WaitsFor {
			fmt.Fprintf(&b, "  waits for %s completed=%v %s\n", d.Name, d.Completed, d.Position)
		}
		for _, d := range c.Deliveries {
			own := ""
			if d.Own {
				own = " (own)"
			}
			fmt.Fprintf(&b, "  %s %s%s = %s\n", d.Channel, d.Name, own, show(d.Expr))
			for _, s := range d.Provenance {
				fmt.Fprintf(&b, "    %s %s\n", s.Position, s.Text)
			}
			trails(d.Expr, nil, map[*manifest.Ref]bool{}, func(ref *manifest.Ref, steps []manifest.Step) {
				if len(steps) > 0 {
					fmt.Fprintf(&b, "    %s:\n", ref.Name)
				}
				for _, s := range steps {
					fmt.Fprintf(&b, "      %s %s\n", s.Position, s.Text)
				}
			})
		}
		for _, s := range c.Scripts {
			text, _ := s.Text.Reveal()
			fmt.Fprintf(&b, "  script %s %s exact=%v %q\n", s.Name, s.Position, s.Exact, text)
		}
	}
	return b.String()
}

// trails shows every reference of an expression with the steps that lead to it.
func trails(e manifest.Expr, before []manifest.Step, seen map[*manifest.Ref]bool, show func(*manifest.Ref, []manifest.Step)) {
	for _, part := range e {
		if part.Ref == nil || seen[part.Ref] {
			continue
		}
		seen[part.Ref] = true
		steps := slices.Concat(before, part.Ref.Steps)
		show(part.Ref, steps)
		trails(part.Ref.Value, steps, seen, show)
		trails(part.Ref.Default, steps, seen, show)
	}
}

// show writes an expression: {NAME=value|default}, with (own) behind the name of a
// variable of the container itself, and ? for what may be blank.
func show(e manifest.Expr) string {
	var b strings.Builder
	for _, part := range e {
		text, known := part.Literal.Reveal()
		switch {
		case part.Ref != nil:
			b.WriteString("{" + part.Ref.Name)
			if part.Ref.Kind == manifest.RefEnv {
				b.WriteString(" (own)")
			}
			if part.Ref.Value != nil {
				b.WriteString("=" + show(part.Ref.Value))
			}
			if part.Ref.Default != nil {
				b.WriteString("|" + show(part.Ref.Default))
			}
			b.WriteString("}")
		case known:
			b.WriteString(strings.ReplaceAll(text, "\n", `\n`))
		default:
			b.WriteString("?")
		}
	}
	return b.String()
}
