package confine

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func exists(name string) bool {
	_, err := os.Lstat(name)
	return !errors.Is(err, fs.ErrNotExist)
}

// endedProcess returns the number of a process that has ended.
func endedProcess(t *testing.T) int {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "-test.run", "^$")
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.Pid()
}

func TestScratch(t *testing.T) {
	place := t.TempDir()
	for _, name := range []string{"TMPDIR", "TMP", "TEMP"} {
		t.Setenv(name, place)
	}
	left := filepath.Join(place, scratchPrefix(endedProcess(t))+"1")
	used := filepath.Join(place, scratchPrefix(os.Getppid())+"1")
	foreign := filepath.Join(place, scratchName+"x-1-1")
	for _, dir := range []string{left, used, foreign} {
		if err := os.MkdirAll(filepath.Join(dir, "a"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	s, err := NewScratch()
	if err != nil {
		t.Fatal(err)
	}
	if exists(left) || !exists(used) || !exists(foreign) {
		t.Errorf("left by an ended process: %v, in use: %v, of other processes: %v; want false, true, true",
			exists(left), exists(used), exists(foreign))
	}
	if filepath.Dir(s.Dir()) != place || !exists(s.Dir()) {
		t.Errorf("the directory is %s", s.Dir())
	}
	s.Remove()
	if exists(s.Dir()) {
		t.Error("the directory is still there")
	}
}

func TestScratchFallsBack(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows does without TMP where it is unusable")
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", file)
	s, err := NewScratch()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Remove()
	if strings.HasPrefix(s.Dir(), file) || !exists(s.Dir()) {
		t.Errorf("the directory is %s", s.Dir())
	}
}
