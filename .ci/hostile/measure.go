package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// limits end a run that passes one of them.
type limits struct {
	wall   time.Duration
	cpu    time.Duration // zero for none
	memory int64
	output int64
}

// result is what a run took and said.
type result struct {
	wall, cpu time.Duration
	// peak is the most that all processes of the run had in memory together.
	peak   int64
	bytes  int64
	output string
	exit   int
	// stopped is the limit that ended the run; empty if none did.
	stopped string
}

func (r result) exitText() string {
	if r.stopped != "" {
		return "-"
	}
	return strconv.Itoa(r.exit)
}

// pollInterval is short against the time that memory takes to fill.
const pollInterval = 5 * time.Millisecond

// measure runs the binary in a directory. It ends when the binary does, or when
// it has passed a limit.
func measure(binary string, args []string, dir string, limits limits) (result, error) {
	var out capture
	cmd := exec.Command(binary, args...) //nolint:gosec // the binary is named on the command line
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &out, &out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.WaitDelay = time.Second
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return result{}, err
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	var r result
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for {
		select {
		case err := <-done:
			r.wall = time.Since(start)
			if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) && !errors.Is(err, exec.ErrWaitDelay) {
				return result{}, err
			}
			return r.finish(cmd.ProcessState, &out), nil
		case <-ticker.C:
			use := treeUsage(cmd.Process.Pid)
			r.peak = max(r.peak, use.memory)
			if r.stopped == "" {
				if r.stopped = limits.passed(time.Since(start), use, out.size()); r.stopped != "" {
					use.kill()
				}
			}
		}
	}
}

// finish fills in what is only known at the end of a run.
func (r result) finish(state *os.ProcessState, out *capture) result {
	r.exit = state.ExitCode()
	r.cpu = state.UserTime() + state.SystemTime()
	r.bytes, r.output = out.size(), out.text()
	return r
}

// passed names the limit that a run has passed; empty if none.
func (l limits) passed(wall time.Duration, use usage, output int64) string {
	switch {
	case wall > l.wall:
		return fmt.Sprintf("more than %s on the clock", l.wall)
	case l.cpu > 0 && use.cpu > l.cpu:
		return fmt.Sprintf("more than %s of CPU time", l.cpu)
	case use.memory > 2*l.memory: // what is a little more is measured to its end
		return fmt.Sprintf("more than %d MB", 2*l.memory>>20)
	case output > l.output:
		return fmt.Sprintf("more than %d MB of output", l.output>>20)
	}
	return ""
}

// usage is what a process and its descendants use.
type usage struct {
	pids   []int
	memory int64
	cpu    time.Duration
}

func (u usage) kill() {
	for _, pid := range u.pids {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}

// clockTick is the unit of CPU time in /proc, which is the same on every
// architecture that Linux has been ported to since.
const clockTick = time.Second / 100

// treeUsage adds up what a process and its descendants use. One that ends
// meanwhile counts for nothing.
func treeUsage(pid int) usage {
	u := usage{pids: []int{pid}}
	for i := 0; i < len(u.pids); i++ {
		proc := filepath.Join("/proc", strconv.Itoa(u.pids[i]))
		if fields := readFields(filepath.Join(proc, "statm")); len(fields) > 1 {
			pages, _ := strconv.ParseInt(fields[1], 10, 64)
			u.memory += pages * int64(os.Getpagesize())
		}
		// The name of the command, in parentheses, may hold blanks.
		data, _ := os.ReadFile(filepath.Join(proc, "stat"))
		if _, rest, ok := strings.Cut(string(data), ") "); ok {
			for _, field := range strings.Fields(rest)[11:15] { // utime, stime, and those of its ended children
				ticks, _ := strconv.ParseInt(field, 10, 64)
				u.cpu += time.Duration(ticks) * clockTick
			}
		}
		tasks, _ := filepath.Glob(filepath.Join(proc, "task", "*", "children"))
		for _, task := range tasks {
			for _, field := range readFields(task) {
				if child, err := strconv.Atoi(field); err == nil {
					u.pids = append(u.pids, child)
				}
			}
		}
	}
	return u
}

func readFields(file string) []string {
	data, _ := os.ReadFile(file)
	return strings.Fields(string(data))
}

// capture keeps the beginning of what is written to it, and counts the rest.
type capture struct {
	mu    sync.Mutex
	kept  bytes.Buffer
	total int64
}

func (c *capture) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.total += int64(len(p))
	if room := maxOutput - c.kept.Len(); room > 0 {
		c.kept.Write(p[:min(len(p), room)])
	}
	return len(p), nil
}

func (c *capture) size() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.total
}

func (c *capture) text() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.kept.String()
}
