package confine

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/derekg1729/dsnlint/pkg/loaders/engine"
)

func newWorker(t *testing.T, limits Limits) *Worker {
	t.Helper()
	w := NewWorker(limits)
	t.Cleanup(w.Close)
	return w
}

// TestWorkerOutcomes runs an engine that misbehaves and then one that does not:
// what the first did must not be felt by the second.
func TestWorkerOutcomes(t *testing.T) {
	patient := Limits{Time: time.Minute, Wall: time.Minute}
	for name, c := range map[string]struct {
		limits Limits
		want   error
	}{
		"echo":    {patient, nil},
		"panic":   {patient, engine.ErrCrash},
		"exit":    {patient, engine.ErrCrash},
		"recurse": {patient, engine.ErrCrash},
		"absent":  {patient, engine.ErrCrash},
		"loop":    {Limits{Time: 500 * time.Millisecond, Wall: time.Minute}, engine.ErrTime},
		"wait":    {Limits{Wall: time.Second}, engine.ErrTime},
		"grow":    {patient, engine.ErrMemory},
		"huge":    {patient, engine.ErrMemory},
		"flood":   {patient, engine.ErrMemory},
	} {
		t.Run(name, func(t *testing.T) {
			c.limits.Workers, c.limits.Memory, c.limits.Output = 1, 128<<20, 1000
			w := newWorker(t, c.limits)
			if _, err := w.Run(t.Context(), name, nil); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
			output, err := w.Run(t.Context(), "echo", []byte("x"))
			if err != nil || string(output) != "x" {
				t.Errorf("the next job gave %q, %v", output, err)
			}
		})
	}
}

func TestWorkerQueues(t *testing.T) {
	w := newWorker(t, Limits{Workers: 2})
	input := bytes.Repeat([]byte("x"), 1<<20)
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			if output, err := w.Run(t.Context(), "echo", input); err != nil || !bytes.Equal(output, input) {
				t.Errorf("got %d bytes, %v", len(output), err)
			}
		})
	}
	group.Wait()
}

// TestWorkerAlone has jobs at the same time that need more than a share of the
// memory, and some that need more than there is.
func TestWorkerAlone(t *testing.T) {
	w := newWorker(t, Limits{Workers: 2, Memory: 256 << 20, Time: time.Minute, Wall: time.Minute, Killed: time.Hour})
	var group sync.WaitGroup
	for range 2 {
		for name, want := range map[string]error{"large": nil, "grow": engine.ErrMemory, "echo": nil} {
			group.Go(func() {
				if _, err := w.Run(t.Context(), name, nil); !errors.Is(err, want) {
					t.Errorf("%s: got %v, want %v", name, err, want)
				}
			})
		}
	}
	group.Wait()
}

func TestWorkerCancel(t *testing.T) {
	w := newWorker(t, Limits{Workers: 1})
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	// The job waits for ever; only the end of the context ends it.
	if _, err := w.Run(ctx, "wait", nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestWorkerTotal(t *testing.T) {
	t.Run("killed", func(t *testing.T) {
		w := newWorker(t, Limits{Workers: 1, Time: 100 * time.Millisecond, Killed: 250 * time.Millisecond})
		got := map[error]int{}
		for range 10 {
			_, err := w.Run(t.Context(), "loop", nil)
			got[err]++
		}
		if got[engine.ErrTime] < 1 || got[engine.ErrTime] > 3 || got[engine.ErrTime]+got[engine.ErrTotal] != 10 {
			t.Errorf("got %v", got)
		}
	})
	t.Run("answered", func(t *testing.T) {
		w := newWorker(t, Limits{Workers: 1, Total: 250 * time.Millisecond})
		got := map[error]int{}
		for range 10 {
			_, err := w.Run(t.Context(), "burn", nil)
			got[err]++
		}
		if got[nil] != 3 || got[engine.ErrTotal] != 7 {
			t.Errorf("got %v", got)
		}
	})
}

func TestWorkerEnvironment(t *testing.T) {
	t.Setenv("POSTGRES_ROOT_PASSWORD", "x")
	w := newWorker(t, Limits{Workers: 1})
	output, err := w.Run(t.Context(), "environment", nil)
	if err != nil || strings.Contains(string(output), "POSTGRES") || strings.Contains(string(output), "PATH") {
		t.Errorf("a worker has more of the environment than it needs (%v)", err)
	}
}

func TestWorkerClosed(t *testing.T) {
	w := NewWorker(Limits{Workers: 1})
	if _, err := w.Run(t.Context(), "echo", nil); err != nil {
		t.Fatal(err)
	}
	w.Close()
	if _, err := w.Run(t.Context(), "echo", nil); !errors.Is(err, engine.ErrCrash) {
		t.Errorf("got %v", err)
	}
}

// TestServeEndsWithInput closes the input during a job, as the system does when
// the parent is gone.
func TestServeEndsWithInput(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, Limits{}.withDefaults().arguments()...)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := writeFrame(in, requestHeader{Name: 4}, []byte("wait")); err != nil {
		t.Fatal(err)
	}
	time.Sleep(100 * time.Millisecond)
	_ = in.Close()
	timer := time.AfterFunc(5*time.Second, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	if err := cmd.Wait(); err != nil {
		t.Errorf("the worker did not end by itself: %v", err)
	}
}
