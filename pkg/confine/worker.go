package confine

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/derekg1729/dsnlint/pkg/loaders/engine"
)

// Worker is an [engine.Runner] that runs engines in processes of this executable,
// which [Serve] must be the main function of when the first argument is
// [Argument]. A process is started when there is a job for it, and is started
// again after one that had to be ended.
type Worker struct {
	limits Limits
	// slots has an element for each process that may run; it is nil where none
	// was started.
	slots chan *process
	// alone is held for a job that gets the memory of all.
	alone sync.Mutex

	mu sync.Mutex
	// total is the CPU time of all jobs, killed of those that were ended.
	total, killed time.Duration
}

// NewWorker returns a worker that has no process yet.
func NewWorker(limits Limits) *Worker {
	limits = limits.withDefaults()
	w := &Worker{limits: limits, slots: make(chan *process, limits.Workers)}
	for range limits.Workers {
		w.slots <- nil
	}
	return w
}

// Line describes the limits for people to read.
func (w *Worker) Line() string {
	memory := "watched"
	if hardMemoryLimit {
		memory = "watched, and limited by the system"
	}
	return fmt.Sprintf("charts and overlays: rendered in other processes, at most %d, within %d MiB (%s) and %v of CPU time each, %v altogether",
		w.limits.Workers, w.limits.Memory>>20, memory, w.limits.Time, w.limits.Total)
}

// Run implements [engine.Runner]. It waits for a process that is free. A job that
// needs more memory than a process' share is run again with all of it, when no
// other process is there.
func (w *Worker) Run(ctx context.Context, name string, input []byte) ([]byte, error) {
	p, err := w.take(ctx)
	if err != nil {
		return nil, err
	}
	output, p, err := w.run(ctx, p, w.limits.share(), name, input)
	w.slots <- p
	if !errors.Is(err, engine.ErrMemory) || w.limits.Workers == 1 {
		return output, err
	}
	return w.runAlone(ctx, name, input)
}

func (w *Worker) runAlone(ctx context.Context, name string, input []byte) ([]byte, error) {
	w.alone.Lock() // Two that take what is free would wait for each other.
	defer w.alone.Unlock()
	taken := 0
	defer func() {
		for range taken {
			w.slots <- nil
		}
	}()
	for ; taken < w.limits.Workers; taken++ {
		p, err := w.take(ctx)
		if err != nil {
			return nil, err
		}
		if p != nil {
			p.end()
		}
	}
	output, p, err := w.run(ctx, nil, w.limits, name, input)
	if p != nil {
		p.end()
	}
	return output, err
}

// take waits for a process, which is nil where none was started.
func (w *Worker) take(ctx context.Context) (*process, error) {
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case p, open := <-w.slots:
		if !open {
			return nil, engine.ErrCrash
		}
		return p, nil
	}
}

// run runs a job in a process, which is started where it is nil, and returns it
// or nil where it is gone.
func (w *Worker) run(ctx context.Context, p *process, limits Limits, name string, input []byte) ([]byte, *process, error) {
	if w.exhausted() {
		return nil, p, engine.ErrTotal
	}
	if p == nil {
		var err error
		if p, err = start(limits); err != nil {
			return nil, nil, engine.ErrCrash
		}
	}
	output, cpu, err := p.run(ctx, limits, name, input)
	ended := p.ended()
	w.spend(cpu, ended)
	if ended {
		p = nil
	}
	return output, p, err
}

func (w *Worker) exhausted() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.total >= w.limits.Total || w.killed >= w.limits.Killed
}

func (w *Worker) spend(cpu time.Duration, killed bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.total += cpu
	if killed {
		w.killed += cpu
	}
}

// Close waits for the jobs that run and ends the processes. A job after
// that is an [engine.ErrCrash].
func (w *Worker) Close() {
	for range cap(w.slots) {
		if p := <-w.slots; p != nil {
			p.end()
		}
	}
	close(w.slots)
}

// process is one process that runs jobs, one at a time.
type process struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Reader
	stderr head
	// cpu is the CPU time of the jobs that were answered.
	cpu time.Duration
}

func start(limits Limits) (*process, error) {
	name, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &process{cmd: exec.Command(name, limits.arguments()...)} //nolint:gosec,noctx // the process is this executable, and outlives a job
	// The runtime would ask the system for the number of processors again. Two
	// let the watcher run beside the engine.
	p.cmd.Env = append(systemEnvironment(), "GOMAXPROCS="+strconv.Itoa(2), "GOTRACEBACK=none")
	p.cmd.Stderr = &p.stderr
	p.cmd.SysProcAttr = endWithParent()
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.out = bufio.NewReader(out)
	return p, p.cmd.Start()
}

// run runs one job. When it fails because the process had to be ended, or ended
// itself, the process is gone.
func (p *process) run(ctx context.Context, limits Limits, name string, input []byte) (output []byte, cpu time.Duration, err error) {
	if len(input) > math.MaxUint32 {
		return nil, 0, engine.ErrMemory
	}
	job, cancel := context.WithTimeout(ctx, limits.Wall)
	defer cancel()
	stop := context.AfterFunc(job, func() { _ = p.cmd.Process.Kill() })
	header, output, err := p.exchange(limits, name, input)
	if err == nil && stop() {
		p.cpu += time.Duration(header.CPU)
		return output, time.Duration(header.CPU), header.Outcome.err()
	}
	p.end()
	cpu = max(0, p.cmd.ProcessState.UserTime()+p.cmd.ProcessState.SystemTime()-p.cpu)
	switch {
	case ctx.Err() != nil:
		err = ctx.Err()
	case job.Err() != nil:
		err = engine.ErrTime
	default:
		err = p.causeOfDeath()
	}
	return nil, cpu, err
}

func (o outcome) err() error {
	switch o {
	case completed:
		return nil
	case tooLarge:
		return engine.ErrMemory
	default:
		return engine.ErrCrash
	}
}

func (p *process) exchange(limits Limits, name string, input []byte) (header responseHeader, output []byte, err error) {
	request := requestHeader{Name: uint32(len(name)), Input: uint32(len(input))} //nolint:gosec // run bounds them
	if err := writeFrame(p.in, request, []byte(name), input); err != nil {
		return header, nil, err
	}
	if err := binary.Read(p.out, binary.BigEndian, &header); err != nil {
		return header, nil, err
	}
	if int64(header.Output) > limits.Output {
		return header, nil, errors.New("the answer is not one of a worker")
	}
	output, err = readPart(p.out, header.Output)
	return header, output, err
}

// end ends the process and waits for it.
func (p *process) end() {
	_ = p.in.Close()
	// A worker without a job ends with its input; one with a job must not be
	// waited for. Killing what has ended does nothing.
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait() // How it ended says its state.
}

func (p *process) ended() bool { return p.cmd.ProcessState != nil }

// causeOfDeath returns why a process ended that was not killed from here.
func (p *process) causeOfDeath() error {
	switch p.cmd.ProcessState.ExitCode() {
	case exitTime:
		return engine.ErrTime
	case exitMemory:
		return engine.ErrMemory
	}
	// The runtime ends a process that gets no memory with these words.
	if p.stderr.contains("out of memory") || p.stderr.contains("cannot allocate memory") {
		return engine.ErrMemory
	}
	return engine.ErrCrash
}

// head keeps the beginning of what is written to it. It is only looked at, and
// never shown: a message may hold a value.
type head struct{ bytes.Buffer }

func (h *head) Write(data []byte) (int, error) {
	h.Buffer.Write(data[:min(len(data), max(0, 4096-h.Len()))])
	return len(data), nil
}

func (h *head) contains(text string) bool { return strings.Contains(h.String(), text) }
