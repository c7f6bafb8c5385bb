package linter_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/derekg1729/dsnlint/pkg/internal/testtree"
	"github.com/derekg1729/dsnlint/pkg/linter"
)

// TestFix checks what is removed, and that an entry stays where the files without it
// would be worse.
func TestFix(t *testing.T) {
	for name, test := range map[string]struct {
		files   map[string]string
		want    map[string]string
		refused []string
	}{
		"removes": {
			files: map[string]string{"compose.yaml": `services:
  tool:
    image: example/tool
    environment:
      POSTGRES_ROOT_PASSWORD: ${P}
      X: "1"
`},
			want: map[string]string{"compose.yaml": `services:
  tool:
    image: example/tool
    environment:
      X: "1"
`},
		},
		"an override and what it overrides": {
			files: map[string]string{"compose.yaml": `services:
  tool:
    image: example/tool
    environment:
      POSTGRES_ROOT_PASSWORD: ${P}
      X: "1"
`, "compose.override.yaml": `services:
  tool:
    environment:
      POSTGRES_ROOT_PASSWORD: ${Q}
      Y: "1"
`},
			want: map[string]string{"compose.yaml": `services:
  tool:
    image: example/tool
    environment:
      X: "1"
`, "compose.override.yaml": `services:
  tool:
    environment:
      Y: "1"
`},
		},
		"masks an env file": {
			files: map[string]string{"compose.yaml": `services:
  tool:
    image: example/tool
    env_file: tool.env
    environment:
      POSTGRES_ROOT_PASSWORD: ""
      X: "1"
  other:
    image: example/tool
    environment:
      POSTGRES_ROOT_PASSWORD: ""
      X: "1"
`, "tool.env": "POSTGRES_ROOT_PASSWORD=x\n"},
			want: map[string]string{"compose.yaml": `services:
  tool:
    image: example/tool
    env_file: tool.env
    environment:
      POSTGRES_ROOT_PASSWORD: ""
      X: "1"
  other:
    image: example/tool
    environment:
      X: "1"
`},
			refused: []string{"compose.yaml:6:7 without it there is something else to find at tool.env:1:1"},
		},
		"leaves no DSN": {
			files: map[string]string{"compose.yaml": `services:
  app:
    image: example/app
    environment:
      POSTGRES_ROOT_PASSWORD: ${P}
      X: "1"
  migrate:
    image: example/migrate
    environment:
      POSTGRES_ROOT_PASSWORD: ${P}
      DATABASE_URL: ${DATABASE_URL}
`},
			want: map[string]string{"compose.yaml": `services:
  app:
    image: example/app
    environment:
      POSTGRES_ROOT_PASSWORD: ${P}
      X: "1"
  migrate:
    image: example/migrate
    environment:
      DATABASE_URL: ${DATABASE_URL}
`},
			refused: []string{"compose.yaml:5:7 without it the container has no way to its database; give it DATABASE_URL first"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			testtree.Write(t, dir, test.files)
			fixed, err := linter.Fix(context.Background(), linter.Options{Root: dir, Paths: []string{dir}})
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]string{}
			for _, f := range fixed.Files {
				got[f.Name] = string(f.After)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("files differ (-want +got):\n%s", diff)
			}
			var refused []string
			for _, r := range fixed.Refused {
				if line := r.Finding.Position.String() + " " + r.Reason.String(); len(refused) == 0 || refused[len(refused)-1] != line {
					refused = append(refused, line)
				}
			}
			if diff := cmp.Diff(test.refused, refused); diff != "" {
				t.Errorf("refusals differ (-want +got):\n%s", diff)
			}
		})
	}
}
