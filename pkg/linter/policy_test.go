package linter_test

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/google/go-cmp/cmp"

	"github.com/derekg1729/dsnlint/pkg/internal/testtree"
	"github.com/derekg1729/dsnlint/pkg/linter"
	"github.com/derekg1729/dsnlint/pkg/report"
)

// committed makes a repository whose only commit has the files.
func committed(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	repository, err := git.PlainInit(dir, false)
	if err != nil {
		t.Fatal(err)
	}
	testtree.Write(t, dir, files)
	worktree, err := repository.Worktree()
	if err != nil {
		t.Fatal(err)
	}
	for name := range files {
		if err := worktree.AddWithOptions(&git.AddOptions{Path: name, SkipStatus: true}); err != nil {
			t.Fatal(err)
		}
	}
	who := &object.Signature{Name: "n", Email: "e", When: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	if _, err := worktree.Commit("c", &git.CommitOptions{Author: who, AllowEmptyCommits: true}); err != nil {
		t.Fatal(err)
	}
	return dir
}

// change lays the files over those of the repository; one without text is removed.
func change(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	testtree.Write(t, dir, files)
	for name, text := range files {
		if text == "" {
			if err := os.Remove(filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func lintContract(t *testing.T, text string) *report.Report {
	t.Helper()
	dir := committed(t, map[string]string{".dsnlint.yaml": "version: 1\n", "compose.yaml": "services: {web: {image: x}}\n"})
	testtree.Write(t, dir, map[string]string{".dsnlint.yaml": text})
	return run(t, linter.Options{Paths: []string{dir}, Root: dir, ChangedSince: "HEAD"})
}

func run(t *testing.T, opts linter.Options) *report.Report {
	t.Helper()
	r, err := linter.Run(context.Background(), opts)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

const (
	web = `services:
  web:
    image: x
    environment:
      A: a
`
	leak     = "      POSTGRES_ROOT_PASSWORD: ${POSTGRES_ROOT_PASSWORD}\n"
	accepted = "      # dsnlint:ignore PROVISIONING_TRUST_BOUNDARY until the next release\n"
	found    = "PROVISIONING_TRUST_BOUNDARY web POSTGRES_ROOT_PASSWORD compose.yaml:"
	labelled = `services:
  web:
    image: x
    restart: "no"
    labels:
      dsnlint.dev/role: provisioner
    environment:
      POSTGRES_ROOT_PASSWORD: ${POSTGRES_ROOT_PASSWORD}
      APP_DB_PASSWORD: ${APP_DB_PASSWORD}
`
	unlabelled = `services:
  web:
    image: x
    restart: "no"
    environment:
      POSTGRES_ROOT_PASSWORD: ${POSTGRES_ROOT_PASSWORD}
      APP_DB_PASSWORD: ${APP_DB_PASSWORD}
`
	pod = `apiVersion: v1
kind: Pod
metadata:
  name: web
LABELspec:
  restartPolicy: Never
  containers:
    - name: web
      image: x
      env:
        - name: POSTGRES_ROOT_PASSWORD
          valueFrom: {secretKeyRef: {name: r, key: K}}
        - name: APP_DB_PASSWORD
          valueFrom: {secretKeyRef: {name: r, key: L}}
`
	podLabel = "  labels:\n    dsnlint.dev/role: provisioner\n"
)

// TestPolicyFrom has changes that loosen the gate, judged by the policy of the
// commit before.
func TestPolicyFrom(t *testing.T) {
	for name, test := range map[string]struct {
		base, now map[string]string
		opts      func(dir string, o *linter.Options)
		want      []string
	}{
		"exclude is added": {
			base: map[string]string{"compose.yaml": web},
			now:  map[string]string{"compose.yaml": web + leak, ".dsnlint.yaml": "exclude: [compose.yaml]\n"},
			want: []string{found + "6:7"},
		},
		"exclude of the commit holds": {
			base: map[string]string{"compose.yaml": web + leak, ".dsnlint.yaml": "exclude: [old/**]\n", "old/compose.yaml": web + leak},
			now:  map[string]string{".dsnlint.yaml": ""},
			want: []string{found + "6:7"},
		},
		"a rule is switched off in a nearer contract": {
			base: map[string]string{"sub/compose.yaml": web, ".dsnlint.yaml": "version: 1\n"},
			now:  map[string]string{"sub/compose.yaml": web + leak, "sub/.dsnlint.yaml": "rules: {PROVISIONING_TRUST_BOUNDARY: off}\n"},
			opts: func(dir string, o *linter.Options) { o.Paths = []string{filepath.Join(dir, "sub")} },
			want: []string{"PROVISIONING_TRUST_BOUNDARY web POSTGRES_ROOT_PASSWORD sub/compose.yaml:6:7"},
		},
		"the contract is broken": {
			base: map[string]string{"compose.yaml": web + leak},
			now:  map[string]string{".dsnlint.yaml": "rules: [\n"},
			want: []string{found + "6:7"},
		},
		"the contract of the commit is broken": {
			base: map[string]string{"compose.yaml": web + leak, ".dsnlint.yaml": "x: y\n"},
			now:  map[string]string{".dsnlint.yaml": "version: 1\n"},
			want: []string{"error .dsnlint.yaml:1:1"},
		},
		"a named contract": {
			base: map[string]string{"compose.yaml": web + leak, "ci/c.yaml": "version: 1\n"},
			now:  map[string]string{"ci/c.yaml": "rules: {PROVISIONING_TRUST_BOUNDARY: off}\n"},
			opts: func(dir string, o *linter.Options) { o.Contract = filepath.Join(dir, "ci", "c.yaml") },
			want: []string{found + "6:7"},
		},
		"a named contract that is new": {
			base: map[string]string{"compose.yaml": web + leak},
			now:  map[string]string{"c.yaml": "rules: {PROVISIONING_TRUST_BOUNDARY: off}\n"},
			opts: func(dir string, o *linter.Options) { o.Contract = filepath.Join(dir, "c.yaml") },
			want: []string{found + "6:7"},
		},
		"a named contract outside the repository": {
			base: map[string]string{"compose.yaml": web + leak},
			opts: func(_ string, o *linter.Options) {
				o.Contract = filepath.Join(t.TempDir(), "c.yaml")
				if err := os.WriteFile(o.Contract, []byte("rules: {PROVISIONING_TRUST_BOUNDARY: off}\n"), 0o600); err != nil {
					t.Fatal(err)
				}
			},
		},
		"a contract through a link": {
			base: map[string]string{"compose.yaml": web + leak, "ci/c.yaml": "rules: {PROVISIONING_TRUST_BOUNDARY: note}\n", ".dsnlint.yaml": "-> ci/c.yaml"},
			now:  map[string]string{"ci/c.yaml": "rules: {PROVISIONING_TRUST_BOUNDARY: off}\n"},
			want: []string{found + "6:7"},
		},
		"a suppression is added": {
			base: map[string]string{"compose.yaml": web},
			now:  map[string]string{"compose.yaml": web + accepted + leak},
			want: []string{found + "7:7"},
		},
		"a suppression moves": {
			base: map[string]string{"compose.yaml": web + accepted + leak},
			now:  map[string]string{"compose.yaml": "# above\n\n" + web + "      B: b\n" + accepted + leak},
		},
		"a suppression appears twice": {
			base: map[string]string{"compose.yaml": web + accepted + leak},
			now:  map[string]string{"compose.yaml": web + accepted + leak + strings.Replace(strings.TrimPrefix(web, "services:\n"), "web:", "api:", 1) + accepted + leak},
			want: []string{"PROVISIONING_TRUST_BOUNDARY api POSTGRES_ROOT_PASSWORD compose.yaml:13:7"},
		},
		"a suppression goes to another container": {
			base: map[string]string{"compose.yaml": web + accepted + leak},
			now:  map[string]string{"compose.yaml": strings.Replace(web, "web:", "api:", 1) + accepted + leak},
			want: []string{"PROVISIONING_TRUST_BOUNDARY api POSTGRES_ROOT_PASSWORD compose.yaml:7:7"},
		},
		"a suppression goes to another line": {
			base: map[string]string{"compose.yaml": web + accepted + leak},
			now:  map[string]string{"compose.yaml": web + accepted + "      POSTGRES_ROOT_USER: ${POSTGRES_ROOT_USER}\n"},
			want: []string{"PROVISIONING_TRUST_BOUNDARY web POSTGRES_ROOT_USER compose.yaml:7:7"},
		},
		"a suppression names another rule": {
			base: map[string]string{"compose.yaml": web + strings.Replace(accepted, "PROVISIONING_TRUST_BOUNDARY", "ROLE_ISOLATION", 1) + leak},
			now:  map[string]string{"compose.yaml": web + accepted + leak},
			want: []string{found + "7:7"},
		},
		"a role label is added": {
			base: map[string]string{"compose.yaml": unlabelled},
			now:  map[string]string{"compose.yaml": labelled},
			want: []string{found + "8:7", "notice compose.yaml:6:7"},
		},
		"a role label stays": {
			base: map[string]string{"compose.yaml": labelled},
			now:  map[string]string{"compose.yaml": "# above\n" + labelled},
		},
		"a role label changes": {
			base: map[string]string{"compose.yaml": strings.Replace(labelled, "provisioner", "runtime", 1)},
			now:  map[string]string{"compose.yaml": labelled},
			want: []string{found + "8:7", "notice compose.yaml:6:7"},
		},
		"a labelled service gets another name": {
			base: map[string]string{"compose.yaml": strings.Replace(labelled, "web:", "setup:", 1)},
			now:  map[string]string{"compose.yaml": labelled},
			want: []string{found + "8:7", "notice compose.yaml:6:7"},
		},
		"an anchored label is merged": {
			base: map[string]string{"compose.yaml": "x-p: &p\n  labels:\n    dsnlint.dev/role: provisioner\n" + unlabelled},
			now:  map[string]string{"compose.yaml": "x-p: &p\n  labels:\n    dsnlint.dev/role: provisioner\n" + strings.Replace(unlabelled, "    image", "    <<: *p\n    image", 1)},
			want: []string{found + "10:7", "notice compose.yaml:3:5"},
		},
		"an anchored label stays": {
			base: map[string]string{"compose.yaml": "x-p: &p\n  labels:\n    dsnlint.dev/role: provisioner\n" + strings.Replace(unlabelled, "    image", "    <<: *p\n    image", 1)},
		},
		"a role label behind a variable": {
			base: map[string]string{"compose.yaml": strings.Replace(labelled, "provisioner", "${ROLE:-runtime}", 1), ".env": "ROLE=runtime\n"},
			now:  map[string]string{".env": "ROLE=provisioner\n"},
			want: []string{found + "8:7", "notice compose.yaml:6:7"},
		},
		"a pod's label is added": {
			base: map[string]string{"pod.yaml": strings.Replace(pod, "LABEL", "", 1)},
			now:  map[string]string{"pod.yaml": strings.Replace(pod, "LABEL", podLabel, 1)},
			want: []string{"PROVISIONING_TRUST_BOUNDARY web POSTGRES_ROOT_PASSWORD pod.yaml:13:11", "notice pod.yaml:6:5"},
		},
		"a pod's label stays": {
			base: map[string]string{"pod.yaml": strings.Replace(pod, "LABEL", podLabel, 1)},
			now:  map[string]string{"pod.yaml": "# above\n" + strings.Replace(pod, "LABEL", podLabel, 1)},
		},
		"a revision that does not exist": {
			base: map[string]string{"compose.yaml": web + leak},
			opts: func(_ string, o *linter.Options) { o.PolicyFrom = "origin/main" },
			want: []string{"error "},
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := committed(t, test.base)
			change(t, dir, test.now)
			opts := linter.Options{Paths: []string{dir}, Root: dir, PolicyFrom: "HEAD"}
			if test.opts != nil {
				test.opts(dir, &opts)
			}
			if diff := cmp.Diff(test.want, describe(run(t, opts))); diff != "" {
				t.Errorf("findings differ (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPolicyFromSays(t *testing.T) {
	dir := committed(t, map[string]string{"compose.yaml": web})
	change(t, dir, map[string]string{"compose.yaml": web + accepted + leak})
	r := run(t, linter.Options{Paths: []string{dir}, Root: dir, PolicyFrom: "HEAD"})
	if got := r.Findings[0].Message.String(); !strings.HasSuffix(got, "(the dsnlint:ignore comment is not in HEAD and does not count)") {
		t.Errorf("the message is %q", got)
	}
	r = run(t, linter.Options{Paths: []string{dir}, Root: dir, PolicyFrom: "v1"})
	if got := r.Problems[0].Error(); !strings.Contains(got, "fetch-depth: 0") || linter.ExitCode(r, linter.FailOnNever, false) != 2 {
		t.Errorf("the problem is %q", got)
	}
}

func TestPolicyFromBaseline(t *testing.T) {
	write := func(dir, name string) {
		r := run(t, linter.Options{Paths: []string{dir}, Root: dir})
		var out strings.Builder
		if err := report.SARIF(&out, r); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(out.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	source := t.TempDir()
	change(t, source, map[string]string{"compose.yaml": web + leak})
	write(source, "b.sarif")
	known, err := os.ReadFile(filepath.Join(source, "b.sarif"))
	if err != nil {
		t.Fatal(err)
	}
	more := web + leak + "      POSTGRES_ROOT_USER: ${POSTGRES_ROOT_USER}\n"
	second := "PROVISIONING_TRUST_BOUNDARY web POSTGRES_ROOT_USER compose.yaml:7:7"

	dir := committed(t, map[string]string{"compose.yaml": web + leak, "b.sarif": string(known)})
	change(t, dir, map[string]string{"compose.yaml": more})
	write(dir, "b.sarif")
	opts := linter.Options{Paths: []string{dir}, Root: dir, Baseline: filepath.Join(dir, "b.sarif"), PolicyFrom: "HEAD"}
	if diff := cmp.Diff([]string{second}, describe(run(t, opts))); diff != "" {
		t.Errorf("findings differ (-want +got):\n%s", diff)
	}
	opts.PolicyFrom, opts.ChangedSince = "", "HEAD"
	got := describe(run(t, opts))
	if len(got) != 1 || !strings.HasPrefix(got[0], "GATE_WEAKENED b.sarif - b.sarif:") {
		t.Errorf("findings are %v", got)
	}

	dir = committed(t, map[string]string{"compose.yaml": web + leak})
	change(t, dir, map[string]string{"b.sarif": string(known)})
	opts = linter.Options{Paths: []string{dir}, Root: dir, Baseline: filepath.Join(dir, "b.sarif"), PolicyFrom: "HEAD"}
	if diff := cmp.Diff([]string{found + "6:7", "notice "}, describe(run(t, opts))); diff != "" {
		t.Errorf("findings differ (-want +got):\n%s", diff)
	}
}

// TestWeakened has what --changed-since reports of the gate itself.
func TestWeakened(t *testing.T) {
	const rows = "containers:\n  - name: app\n    requires: [DATABASE_URL]\n  - name: web\n    requires: [DATABASE_URL]\n"
	for name, test := range map[string]struct {
		base, now map[string]string
		want      []string
	}{
		"nothing":                {base: map[string]string{".dsnlint.yaml": "exclude: [a]\n"}},
		"exclude":                {map[string]string{".dsnlint.yaml": "exclude: [a]\n"}, map[string]string{".dsnlint.yaml": "exclude: [b, a]\n"}, []string{".dsnlint.yaml:1:11"}},
		"exclude is reordered":   {map[string]string{".dsnlint.yaml": "exclude: [a, b]\n"}, map[string]string{".dsnlint.yaml": "exclude: [b, a]\n"}, nil},
		"a new contract file":    {nil, map[string]string{".dsnlint.yaml": "exclude: [b]\n"}, []string{".dsnlint.yaml:1:11"}},
		"a contract that goes":   {map[string]string{".dsnlint.yaml": "denylist: [sa, postgres, root, admin, superuser]\n"}, map[string]string{".dsnlint.yaml": ""}, []string{".dsnlint.yaml"}},
		"a rule is off":          {nil, map[string]string{".dsnlint.yaml": "rules:\n  ROLE_ISOLATION: off\n"}, []string{".dsnlint.yaml:2:3"}},
		"a rule is lower":        {map[string]string{".dsnlint.yaml": "rules: {ROLE_ISOLATION: warning}\n"}, map[string]string{".dsnlint.yaml": "rules: {ROLE_ISOLATION: note}\n"}, []string{".dsnlint.yaml:1:9"}},
		"a rule is higher":       {nil, map[string]string{".dsnlint.yaml": "rules: {NO_HARDCODED_HOSTS: error}\n"}, nil},
		"a raised level goes":    {map[string]string{".dsnlint.yaml": "rules: {NO_HARDCODED_HOSTS: error}\n"}, map[string]string{".dsnlint.yaml": "version: 1\n"}, []string{".dsnlint.yaml"}},
		"this rule is off":       {nil, map[string]string{".dsnlint.yaml": "rules: {GATE_WEAKENED: off}\n"}, []string{".dsnlint.yaml:1:9"}},
		"provisioning":           {nil, map[string]string{".dsnlint.yaml": "secrets: {provisioning: [DATABASE_ROOT_URL]}\n"}, []string{".dsnlint.yaml:1:11"}},
		"components":             {nil, map[string]string{".dsnlint.yaml": "secrets: {components: []}\n"}, []string{".dsnlint.yaml:1:11"}},
		"denylist":               {nil, map[string]string{".dsnlint.yaml": "denylist: [postgres]\n"}, []string{".dsnlint.yaml:1:1"}},
		"denylist grows":         {nil, map[string]string{".dsnlint.yaml": "denylist: [postgres, root, admin, superuser, sa]\n"}, nil},
		"opaque secrets":         {nil, map[string]string{".dsnlint.yaml": "opaqueSecrets:\n  - {name: s, keys: []}\n"}, []string{".dsnlint.yaml:2:5"}},
		"roles":                  {nil, map[string]string{".dsnlint.yaml": "roles: {provisioner: [db-provision, app], runtime: [migrate]}\n"}, []string{".dsnlint.yaml:1:37", ".dsnlint.yaml:1:43"}},
		"the DSN's name":         {nil, map[string]string{".dsnlint.yaml": "secrets: {appDSN: X}\n"}, []string{".dsnlint.yaml:1:11"}},
		"a row demands less":     {map[string]string{".dsnlint.yaml": rows}, map[string]string{".dsnlint.yaml": strings.Replace(rows, "requires: [DATABASE_URL]", "allows: [DATABASE_URL]", 1)}, []string{".dsnlint.yaml:2:5"}},
		"a row goes":             {map[string]string{".dsnlint.yaml": rows}, map[string]string{".dsnlint.yaml": strings.Replace(rows, "name: web", "name: else", 1)}, []string{".dsnlint.yaml:1:1"}},
		"a row comes before":     {map[string]string{".dsnlint.yaml": rows}, map[string]string{".dsnlint.yaml": strings.Replace(rows, "containers:\n", "containers:\n  - name: a*\n", 1)}, []string{".dsnlint.yaml:2:5"}},
		"a row comes behind":     {map[string]string{".dsnlint.yaml": rows}, map[string]string{".dsnlint.yaml": rows + "  - name: a*\n"}, nil},
		"a role label":           {map[string]string{"compose.yaml": unlabelled}, map[string]string{"compose.yaml": labelled}, []string{"compose.yaml:6:7"}},
		"a role label changes":   {map[string]string{"compose.yaml": strings.Replace(labelled, "provisioner", "runtime", 1)}, map[string]string{"compose.yaml": labelled}, []string{"compose.yaml:6:7"}},
		"another label":          {map[string]string{"compose.yaml": labelled}, map[string]string{"compose.yaml": strings.Replace(labelled, "labels:\n", "labels:\n      a: b\n", 1)}, nil},
		"a suppression":          {map[string]string{"compose.yaml": web + leak}, map[string]string{"compose.yaml": web + accepted + leak}, []string{"compose.yaml:6:7"}},
		"a suppression moves":    {map[string]string{"compose.yaml": web + accepted + leak}, map[string]string{"compose.yaml": "# above\n" + web + accepted + leak}, nil},
		"a suppression of it":    {nil, map[string]string{".dsnlint.yaml": "# dsnlint:ignore GATE_WEAKENED it is fine\nexclude: [b]\n"}, []string{".dsnlint.yaml:1:1", ".dsnlint.yaml:2:11"}},
		"an invalid suppression": {map[string]string{"compose.yaml": web + leak}, map[string]string{"compose.yaml": web + "      # dsnlint:ignore\n" + leak}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			base := map[string]string{"other.yaml": "services: {web: {image: x}}\n"}
			maps.Copy(base, test.base)
			dir := committed(t, base)
			change(t, dir, test.now)
			r := run(t, linter.Options{Paths: []string{dir}, Root: dir, ChangedSince: "HEAD"})
			var got []string
			for _, f := range r.Findings {
				if f.Rule.ID == "GATE_WEAKENED" {
					got = append(got, f.Position.String())
				}
			}
			slices.Sort(got)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("findings differ (-want +got):\n%s", diff)
			}
			for _, p := range r.Problems {
				t.Errorf("problem: %v", p)
			}
		})
	}
}
