package command

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/derekg1729/dsnlint/pkg/confine"
	"github.com/derekg1729/dsnlint/pkg/internal/testtree"
)

// mainVariable makes the test binary the command.
const mainVariable = "DSNLINT_TEST_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(mainVariable) != "" || len(os.Args) > 1 && os.Args[1] == confine.Argument {
		os.Exit(Main())
	}
	os.Exit(m.Run())
}

// command is the command as a process of its own, which confines itself.
func command(t *testing.T, dir string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), mainVariable+"=1", "TMPDIR="+t.TempDir())
	return cmd
}

// TestSandboxAllows runs the command with everything that a command line may name
// in other directories than the root.
func TestSandboxAllows(t *testing.T) {
	dir := t.TempDir()
	root := filepath.Join(dir, "root")
	testtree.Write(t, dir, map[string]string{
		"root/compose.yaml": leak + "      POSTGRES_ROOT_PASSWORD: x\n",
		"contract/c.yaml":   "phase: p1\n",
		"env/e.env":         env,
		"values/v.yaml":     "a: b\n",
		"out/beside":        "",
	})
	named := []string{"--contract", "../contract/c.yaml", "--root", ".", "."}
	baseline := filepath.Join(dir, "out", "base.sarif")
	for _, c := range []struct {
		args []string
		want int
	}{
		{append([]string{"baseline", "-o", baseline}, named...), 0},
		{append([]string{"--env-file", "../env/e.env", "--helm-values", "../values/v.yaml", "--format", "sarif=../out/r.sarif", "--format", "text"}, named...), exitFindings},
		{append([]string{"--baseline", baseline}, named...), 0},
		{append([]string{"fix"}, named...), exitFindings},
		{[]string{"contract", "--contract", "../contract/c.yaml"}, 0},
		{[]string{"version", "--verbose"}, 0},
	} {
		cmd := command(t, root, c.args...)
		out, err := cmd.CombinedOutput()
		if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != c.want {
			t.Errorf("%s: %v, want exit code %d: %s", strings.Join(c.args, " "), err, c.want, out)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "out", "r.sarif")); err != nil {
		t.Error(err)
	}
	if text, err := os.ReadFile(filepath.Join(root, "compose.yaml")); err != nil || string(text) != leak {
		t.Errorf("the file was not fixed (%v)", err)
	}
}

// TestInterrupt sends signals while the command waits for its input: the second
// one must end it.
func TestInterrupt(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a process cannot be sent an interrupt there")
	}
	cmd := command(t, t.TempDir(), "--root", ".", "-")
	var errs bytes.Buffer
	cmd.Stderr = &errs
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = in.Close() }()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait() // an interrupted command fails
	}()
	deadline := time.After(20 * time.Second)
	for {
		select {
		case <-ended:
			return
		case <-deadline:
			_ = cmd.Process.Kill()
			t.Fatalf("the command goes on: %s", errs.String())
		case <-time.After(200 * time.Millisecond):
			_ = cmd.Process.Signal(os.Interrupt)
		}
	}
}
