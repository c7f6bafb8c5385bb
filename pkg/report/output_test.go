package report

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseOutputs(t *testing.T) {
	got, err := ParseOutputs([]string{"text", "sarif=out/./x.sarif", "json=a=b.json"})
	if err != nil {
		t.Fatal(err)
	}
	want := []Output{{"text", ""}, {"sarif", "out/x.sarif"}, {"json", "a=b.json"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got, err := ParseOutputs([]string{"json=-"}); err != nil || got[0].File != "" {
		t.Errorf("json=- gives %v, %v", got, err)
	}
	for _, bad := range [][]string{{"xml"}, {"text="}, {""}, {"text", "json"}, {"text", "json=-"}, {"text=a", "json=./a"}} {
		if _, err := ParseOutputs(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func noEnv(string) (string, bool) { return "", false }

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "out.json")
	link := filepath.Join(dir, "link.txt")
	target := filepath.Join(dir, "target.txt")
	if err := os.WriteFile(target, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("target.txt", link); err != nil {
		t.Fatal(err)
	}
	var stdout bytes.Buffer
	outputs := []Output{{"text", ""}, {"json", file}, {"text", link}, {"json", os.DevNull}}
	if err := Write(outputs, someReport(), &stdout, ColorAuto, noEnv); err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(file); err != nil || string(data) != rendered(t, "json", someReport()) {
		t.Errorf("the file differs from what is rendered: %v", err)
	}
	if data, err := os.ReadFile(target); err != nil || string(data) != stdout.String() {
		t.Errorf("the linked file differs from standard output: %v", err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is gone: %v", err)
	}
	if info, err := os.Stat(os.DevNull); err != nil || info.Mode().IsRegular() {
		t.Fatalf("%s was replaced: %v", os.DevNull, err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm()&0o600 != 0o600 {
		t.Errorf("the file's mode is wrong: %v", err)
	}
}

func TestWriteFailure(t *testing.T) {
	dir := t.TempDir()
	folder := filepath.Join(dir, "directory")
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	good := filepath.Join(dir, "good.txt")
	outputs := []Output{{"text", folder}, {"text", filepath.Join(dir, "missing", "x")}, {"nonsense", filepath.Join(dir, "y")}, {"text", good}}
	err := Write(outputs, someReport(), nil, ColorAuto, noEnv)
	if err == nil || strings.Count(err.Error(), "writing ") != 3 {
		t.Errorf("expected three failures, got: %v", err)
	}
	entries, readErr := os.ReadDir(dir)
	if readErr != nil {
		t.Fatal(readErr)
	}
	left := make([]string, 0, len(entries))
	for _, entry := range entries {
		left = append(left, entry.Name())
	}
	if diff := cmp.Diff([]string{"directory", "good.txt"}, left); diff != "" {
		t.Errorf("files are left:\n%s", diff)
	}
}

// brokenPipe fails after some bytes.
type brokenPipe struct{ left int }

var errBroken = errors.New("broken pipe")

func (w *brokenPipe) Write(p []byte) (int, error) {
	if w.left -= len(p); w.left < 0 {
		return 0, errBroken
	}
	return len(p), nil
}

func TestWriteErrorIsReported(t *testing.T) {
	for _, format := range Formats {
		err := Write([]Output{{format, ""}}, someReport(), &brokenPipe{left: 10}, ColorAuto, noEnv)
		if !errors.Is(err, errBroken) {
			t.Errorf("%s: %v", format, err)
		}
	}
}

func TestColor(t *testing.T) {
	env := func(vars ...string) func(string) (string, bool) {
		return func(name string) (string, bool) {
			for _, v := range vars {
				if key, value, _ := strings.Cut(v, "="); key == name {
					return value, true
				}
			}
			return "", false
		}
	}
	var buffer bytes.Buffer
	if ColorAuto.Enabled(&buffer, env()) || ColorNever.Enabled(&buffer, env()) || !ColorAlways.Enabled(&buffer, env("NO_COLOR=1")) {
		t.Error("the modes are mistaken")
	}
	if mode, err := ParseColorMode("always"); err != nil || mode != ColorAlways {
		t.Error(err)
	}
	if _, err := ParseColorMode("blue"); err == nil {
		t.Error("blue is taken")
	}
	// The master of a pseudo-terminal is a terminal, too.
	terminal, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip("no pseudo-terminal here: ", err)
	}
	defer func() { _ = terminal.Close() }()
	for _, test := range []struct {
		env  []string
		want bool
	}{
		{nil, true},
		{[]string{"NO_COLOR="}, true},
		{[]string{"NO_COLOR=0"}, false},
		{[]string{"TERM=dumb"}, false},
		{[]string{"TERM=xterm"}, true},
	} {
		if got := ColorAuto.Enabled(terminal, env(test.env...)); got != test.want {
			t.Errorf("%q gives %t", test.env, got)
		}
	}
}

func TestColoredTextIsTheSameText(t *testing.T) {
	var colored bytes.Buffer
	if err := Text(&colored, someReport(), TextOptions{Color: true}); err != nil {
		t.Fatal(err)
	}
	plain := colored.String()
	if !strings.Contains(plain, styleCaret) {
		t.Error("there is no colour")
	}
	for _, style := range []string{styleReset, styleBold, styleDim, styleCaret, styleOfLevel["error"], styleOfLevel["warning"], styleOfLevel["note"]} {
		plain = strings.ReplaceAll(plain, style, "")
	}
	if diff := cmp.Diff(rendered(t, "text", someReport()), plain); diff != "" {
		t.Error(diff)
	}
}
