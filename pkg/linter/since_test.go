package linter_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/derekg1729/dsnlint/pkg/linter"
)

// TestChangedSince checks for each kind of change that what it causes is reported, also
// where it only takes away what kept a finding off, and that nothing else is.
func TestChangedSince(t *testing.T) {
	const (
		leak  = "      POSTGRES_ROOT_PASSWORD: ${P}\n"
		tool  = "services:\n  tool:\n    image: x\n"
		pod   = "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n    - name: web\n      image: x\n"
		env   = "    environment:\n"
		found = "PROVISIONING_TRUST_BOUNDARY tool POSTGRES_ROOT_PASSWORD "
		inPod = "PROVISIONING_TRUST_BOUNDARY web POSTGRES_ROOT_PASSWORD "
	)
	type files = map[string]string
	for name, test := range map[string]struct {
		// base has what does not change; before and now are laid over it, and a file
		// without text is removed.
		base, before, now files
		want              []string
	}{
		"an entry": {
			before: files{"compose.yaml": tool},
			now:    files{"compose.yaml": tool + env + leak}, want: []string{found + "compose.yaml:5:7"},
		},
		"a new file": {
			base: files{"compose.yaml": tool},
			now:  files{"b/compose.yaml": tool + env + leak}, want: []string{found + "b/compose.yaml:5:7"},
		},
		"an entry that masks": {
			base:   files{"a.env": "POSTGRES_ROOT_PASSWORD=${P}\nX=${POSTGRES_ROOT_PASSWORD}\n", "b.env": "Y=1\n"},
			before: files{"compose.yaml": tool + "    env_file: [a.env]\n" + env + "      X: x\n"},
			now:    files{"compose.yaml": tool + "    env_file: [a.env]\n" + env + "      Z: x\n"},
			want:   []string{"PROVISIONING_TRUST_BOUNDARY tool X a.env:2:1"},
		},
		"an env file that masks is empty": {
			base:   files{"compose.yaml": tool + "    env_file: [a.env, b.env]\n", "a.env": "P=${POSTGRES_ROOT_PASSWORD}\n"},
			before: files{"b.env": "P=x\n"}, now: files{"b.env": "\n"},
			want: []string{"PROVISIONING_TRUST_BOUNDARY tool P a.env:1:1"},
		},
		"an env file that masks is gone": {
			base:   files{"compose.yaml": tool + "    env_file: [a.env, b.env]\n", "a.env": "P=${POSTGRES_ROOT_PASSWORD}\n"},
			before: files{"b.env": "P=x\n"}, now: files{"b.env": ""},
			want: []string{"PROVISIONING_TRUST_BOUNDARY tool P a.env:1:1", "notice compose.yaml:4:23"},
		},
		"the order of env files": {
			base:   files{"a.env": "P=${POSTGRES_ROOT_PASSWORD}\n", "b.env": "P=x\n"},
			before: files{"compose.yaml": tool + "    env_file:\n      - a.env\n      - b.env\n"},
			now:    files{"compose.yaml": tool + "    env_file:\n      - b.env\n      - a.env\n"},
			want:   []string{"PROVISIONING_TRUST_BOUNDARY tool P a.env:1:1"},
		},
		"a variable of .env": {
			base:   files{"compose.yaml": tool + env + "      X: ${HOP:-${POSTGRES_ROOT_PASSWORD}}\n"},
			before: files{".env": "HOP=x\n"}, now: files{".env": "OTHER=x\n"},
			want: []string{"PROVISIONING_TRUST_BOUNDARY tool X compose.yaml:5:7"},
		},
		".env is gone": {
			base:   files{"compose.yaml": tool + env + "      X: ${HOP:-${POSTGRES_ROOT_PASSWORD}}\n"},
			before: files{".env": "HOP=x\n"}, now: files{".env": ""},
			want: []string{"PROVISIONING_TRUST_BOUNDARY tool X compose.yaml:5:7"},
		},
		"a reset": {
			base:   files{"compose.yaml": tool + env + leak},
			before: files{"compose.override.yaml": "services:\n  tool:\n    environment: !reset {}\n"},
			now:    files{"compose.override.yaml": "services:\n  tool:\n    restart: always\n"},
			want:   []string{found + "compose.yaml:5:7"},
		},
		"an override is gone": {
			base:   files{"compose.yaml": tool + env + leak},
			before: files{"compose.override.yaml": "services:\n  tool:\n    environment: !reset {}\n"},
			now:    files{"compose.override.yaml": ""},
			want:   []string{found + "compose.yaml:5:7"},
		},
		"an image": {
			before: files{"compose.yaml": "services:\n  tool:\n    image: postgres:16\n" + env + leak},
			now:    files{"compose.yaml": tool + env + leak}, want: []string{found + "compose.yaml:5:7"},
		},
		"a role label": {
			before: files{"compose.yaml": tool + "    labels: {dsnlint.dev/role: database}\n" + env + leak},
			now:    files{"compose.yaml": tool + env + leak}, want: []string{found + "compose.yaml:5:7"},
		},
		"the name of a service": {
			before: files{"compose.yaml": "services:\n  postgres:\n    image: x\n" + env + leak},
			now:    files{"compose.yaml": tool + env + leak}, want: []string{found + "compose.yaml:5:7"},
		},
		"a suppression": {
			before: files{"compose.yaml": tool + env + "      # dsnlint:ignore PROVISIONING_TRUST_BOUNDARY for a reason\n" + leak},
			now:    files{"compose.yaml": tool + env + leak}, want: []string{found + "compose.yaml:5:7"},
		},
		"an extended service": {
			base:   files{"compose.yaml": "services:\n  tool:\n    image: x\n    extends: {file: b.yaml, service: b}\n"},
			before: files{"b.yaml": "services:\n  b:\n    image: x\n"},
			now:    files{"b.yaml": "services:\n  b:\n    image: x\n" + env + leak}, want: []string{found + "b.yaml:5:7"},
		},
		"an include": {
			base:   files{"b.yml": tool + env + leak + "x-a: b\n"},
			before: files{"compose.yaml": "include: [b.yml]\nservices:\n  a: {image: x}\n"},
			now:    files{"compose.yaml": "include: [b.yml]\nservices:\n  b: {image: x}\n"},
		},
		"a healthcheck is no longer disabled": {
			base:   files{"compose.yaml": tool + "    healthcheck:\n      test: [CMD, psql, '${DATABASE_ROOT_URL}']\n"},
			before: files{"compose.override.yaml": "services:\n  tool:\n    healthcheck: {disable: true}\n"},
			now:    files{"compose.override.yaml": "services:\n  tool:\n    restart: always\n"},
			want:   []string{"PROVISIONING_TRUST_BOUNDARY tool healthcheck compose.yaml:5:25"},
		},
		"a layer": {
			base: files{"compose.yaml": tool},
			now:  files{"compose.prod.yaml": "services:\n  tool:\n" + env + leak}, want: []string{found + "compose.prod.yaml:4:7"},
		},
		"a patch that deletes": {
			base:   files{"base/kustomization.yaml": "resources: [p.yaml]\n", "base/p.yaml": pod + "      env:\n        - name: POSTGRES_ROOT_PASSWORD\n          value: x\n"},
			before: files{"prod/kustomization.yaml": "resources: [../base]\npatches:\n  - path: d.yaml\n", "prod/d.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n    - name: web\n      env: [{name: POSTGRES_ROOT_PASSWORD, $patch: delete}]\n"},
			now:    files{"prod/kustomization.yaml": "resources: [../base]\n", "prod/d.yaml": ""},
			want:   []string{inPod + "base/p.yaml:9:11"},
		},
		"a value of a chart": {
			base:   files{"c/Chart.yaml": "apiVersion: v2\nname: c\nversion: 1.0.0\n", "c/templates/p.yaml": pod + "{{- if .Values.show }}\n      env:\n        - {name: POSTGRES_ROOT_PASSWORD, value: x}\n{{- end }}\n"},
			before: files{"c/values.yaml": "show: false\n"}, now: files{"c/values.yaml": "show: true\n"},
			want: []string{inPod + "c/templates/p.yaml:10:11"},
		},
		"the keys of a Secret": {
			base:   files{"p.yaml": pod + "      envFrom:\n        - secretRef: {name: s}\n"},
			before: files{"s.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {A: x}\n"},
			now:    files{"s.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {POSTGRES_ROOT_PASSWORD: x}\n"},
			want:   []string{inPod + "p.yaml:9:11"},
		},
		"a Secret is gone": {
			base:   files{"p.yaml": pod + "      envFrom:\n        - secretRef: {name: s}\n"},
			before: files{"s.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {A: x}\n"},
			now:    files{"s.yaml": ""},
			want:   []string{"OPAQUE_SECRET_IMPORT web default/Secret/s p.yaml:9:11"},
		},
		"a drop-in of a unit": {
			base:   files{"tool.container": "[Container]\nImage=x\nEnvironment=POSTGRES_ROOT_PASSWORD=x\n"},
			before: files{"tool.container.d/a.conf": "[Container]\nEnvironment=\n"}, now: files{"tool.container.d/a.conf": ""},
			want: []string{found + "tool.container:3:13"},
		},

		"a comment": {
			before: files{"compose.yaml": tool + env + leak},
			now:    files{"compose.yaml": "# new\n" + tool + env + leak},
		},
		"another service": {
			before: files{"compose.yaml": tool + env + leak + "  a: {image: x}\n"},
			now:    files{"compose.yaml": tool + env + leak + "  a: {image: x}\n  b: {image: y}\n"},
		},
		"another file": {
			base:   files{"compose.yaml": tool + env + leak},
			before: files{"a.env": "A=1\n"}, now: files{"a.env": "A=2\n"},
		},
		"what git ignores": {
			base: files{".gitignore": ".env\n", "compose.yaml": tool + env + "      X: ${HOP:-${POSTGRES_ROOT_PASSWORD}}\n"},
			now:  files{".env": "OTHER=x\n"},
		},
		"a finding goes": {
			before: files{"compose.yaml": tool + env + leak}, now: files{"compose.yaml": tool},
		},
	} {
		t.Run(name, func(t *testing.T) {
			committedFiles := maps.Clone(test.before)
			if committedFiles == nil {
				committedFiles = files{}
			}
			maps.Copy(committedFiles, test.base)
			dir := committed(t, committedFiles)
			change(t, dir, test.now)
			r := run(t, linter.Options{Paths: []string{dir}, Root: dir, ChangedSince: "HEAD"})
			var got []string
			for _, row := range describe(r) {
				if !strings.HasPrefix(row, "GATE_WEAKENED") {
					got = append(got, row)
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("findings differ (-want +got):\n%s", diff)
			}
		})
	}
}
