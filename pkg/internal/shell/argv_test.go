package shell

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/derekg1729/dsnlint/pkg/manifest"
)

func TestScripts(t *testing.T) {
	for _, test := range []struct {
		// in has a word between each two bars.
		in   string
		want []string
	}{
		{"sh|-c|SCRIPT", []string{"SCRIPT"}},
		{"/bin/bash|-euc|SCRIPT|arg", []string{"SCRIPT"}},
		{"bash|-euo|pipefail|-c|SCRIPT", []string{"SCRIPT"}},
		{"bash|-euxo|pipefail|-O|extglob|-c|SCRIPT", []string{"SCRIPT"}},
		{"bash|-co|pipefail|SCRIPT", []string{"SCRIPT"}},
		{"bash|+o|posix|-c|SCRIPT", []string{"SCRIPT"}},
		{"sh|-c|-e|SCRIPT", []string{"SCRIPT"}},
		{"sh|-c|--|SCRIPT", []string{"SCRIPT"}},
		{"bash|--login|--rcfile|/etc/rc|-c|SCRIPT", []string{"SCRIPT"}},
		{"env|PGHOST=x|SHELL=/bin/bash|sh|-c|SCRIPT", []string{"SCRIPT"}},
		{"timeout|30|exec|zsh|-c|SCRIPT", []string{"SCRIPT"}},
		{"busybox|sh|-c|SCRIPT", []string{"SCRIPT"}},
		{"su|postgres|-c|SCRIPT", []string{"SCRIPT"}},
		{"su|-s|/bin/sh|-c|SCRIPT|postgres", []string{"SCRIPT"}},
		{`sh|-c|exec "$@"|--|sh|-c|SCRIPT`, []string{`exec "$@"`, "SCRIPT"}},
		{"su|-s|/bin/sh|postgres|-c|SCRIPT", []string{"SCRIPT"}},
		{"su|postgres|bash|-c|SCRIPT", []string{"SCRIPT"}},
		{"docker|run|--entrypoint|sh|-v|/a:/b|image|-c|SCRIPT", []string{"SCRIPT"}},
		{"sh|/wait.sh|bash|-c|SCRIPT", []string{"SCRIPT"}},
		{"sh|-o|errexit|-|bash|-c|SCRIPT", []string{"SCRIPT"}},
		{"sh|/run.sh|-c|arg", nil},
		{"sh|--|-c|arg", nil},
		{"sh|-c", nil},
		{"sh|-c|--", nil},
		{"su|postgres|-c", nil},
		{"bash", nil},
		{"node|-c|x", nil},
		{"postgres|-c|port=5433", nil},
		{"psql|-U|sh|-c|select 1", nil},
		{"", nil},
	} {
		words := strings.Split(test.in, "|")
		var got []string
		for _, i := range Scripts(words) {
			got = append(got, words[i])
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s:\n%s", test.in, diff)
		}
	}
}

func TestIsScript(t *testing.T) {
	for _, test := range []struct {
		name, text  string
		named, want bool
	}{
		{"a.sh", "", false, true},
		{"a.bash", "#!/usr/bin/env python3\n", false, true}, // said to be one when it is read
		{"a", "#!/bin/sh", false, true},
		{"a", "#!/usr/bin/env -S zsh -e\n", false, true},
		{"a", "#!/usr/bin/env -S A=b bash\n", false, true},
		{"a", "#! /bin/busybox sh\n", false, true},
		{"a", "#!/usr/bin/env bats\n", false, true},
		{"a", "#!/usr/bin/env python3\nsh\n", false, false},
		{"a", "#!", false, false},
		{"a", "echo\n#!/bin/sh\n", false, false},
		{"a.txt", "sh -c x", false, false},
		{"a", "echo", true, true},
		{"a", "echo", false, false},
		{"a.sql", "select 1", true, false},
		{"a.sql", "#!/bin/sh", true, true},
	} {
		if got := IsScript(test.name, test.text, test.named); got != test.want {
			t.Errorf("%s %q: got %v", test.name, test.text, got)
		}
	}
}

func TestInner(t *testing.T) {
	hits, err := Hosts("PGHOST=postgres sh -c 'psql -h postgres'; psql -h postgres", isHost)
	if err != nil {
		t.Fatal(err)
	}
	var inner []bool
	for _, hit := range hits {
		inner = append(inner, hit.Inner)
	}
	if diff := cmp.Diff([]bool{false, true, false}, inner); diff != "" {
		t.Error(diff)
	}
}

func TestText(t *testing.T) {
	ref := func(name string, value manifest.Expr) manifest.Part {
		return manifest.Part{Ref: &manifest.Ref{Name: name, Default: value}}
	}
	e := manifest.Expr{manifest.Literal("psql -h ")[0], ref("H", nil), manifest.Literal("-")[0], ref("P", manifest.Literal("5432")), {}}
	if got, want := Text(e), "psql -h ${_}-5432${_}"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
