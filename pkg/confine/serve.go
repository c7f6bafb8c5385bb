package confine

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"time"

	"github.com/derekg1729/dsnlint/pkg/loaders/engine"
)

// Argument is the first argument of a worker's process. The main function of an
// executable that has a [Worker] calls [Serve] when it is given.
const Argument = "_engine"

// The exit codes by which a worker says why it ended itself.
const (
	exitTime   = 81
	exitMemory = 82
)

// Serve is the main function of a worker: it confines the process to its input,
// runs engines for the process that started it until that closes the pipe or
// ends, and returns an exit code.
func Serve(engines map[string]engine.Func) int {
	limits, err := parseLimits(os.Args[1:])
	if err != nil {
		return 2
	}
	debug.SetMaxStack(stackLimit)
	// The collector works harder well before the watcher ends the process.
	debug.SetMemoryLimit(limits.Memory / 4 * 3)
	limitMemory(limits.Memory)
	applyWorker()
	s := server{engines: engines, limits: limits, out: bufio.NewWriter(os.Stdout)}
	if err := s.serve(os.Stdin); err != nil {
		return 2
	}
	return 0
}

// arguments are those of a worker, which parseLimits reads.
func (l Limits) arguments() []string {
	args := []string{Argument}
	for _, n := range []int64{l.Memory, int64(l.Time), l.Output} {
		args = append(args, strconv.FormatInt(n, 10))
	}
	return args
}

func parseLimits(args []string) (l Limits, err error) {
	if len(args) != 4 || args[0] != Argument {
		return l, fmt.Errorf("a worker is started by dsnlint itself")
	}
	var numbers [3]int64
	for i := range numbers {
		if numbers[i], err = strconv.ParseInt(args[i+1], 10, 64); err != nil {
			return l, err
		}
	}
	return Limits{Memory: numbers[0], Time: time.Duration(numbers[1]), Output: numbers[2]}, nil
}

type server struct {
	engines map[string]engine.Func
	limits  Limits
	out     *bufio.Writer
}

type request struct {
	name  string
	input []byte
}

// serve runs one request after the other. The parent sends the next one when it
// has the answer, so that the end of the input during a job means that nobody
// waits for it any more.
func (s *server) serve(in io.Reader) error {
	requests := make(chan request)
	ended := make(chan error, 1)
	go func() {
		ended <- readRequests(in, requests)
	}()
	for {
		select {
		case err := <-ended:
			return err
		case r := <-requests:
			done := make(chan error, 1)
			go func() { done <- s.answer(r) }()
			select {
			case err := <-ended:
				return err
			case err := <-done:
				if err != nil {
					return err
				}
			}
		}
	}
}

func readRequests(in io.Reader, requests chan<- request) error {
	for {
		var header requestHeader
		if err := binary.Read(in, binary.BigEndian, &header); err != nil {
			if err == io.EOF { //nolint:errorlint // only a bare EOF is the end between two requests
				return nil
			}
			return err
		}
		name, err := readPart(in, header.Name)
		if err != nil {
			return err
		}
		input, err := readPart(in, header.Input)
		if err != nil {
			return err
		}
		requests <- request{string(name), input}
	}
}

func (s *server) answer(r request) error {
	start := cpuTime()
	stop := s.watch(start)
	output, err := engine.InProcess(s.engines).Run(context.Background(), r.name, r.input)
	stop()
	header := responseHeader{CPU: int64(cpuTime() - start)}
	switch {
	case err != nil:
		header.Outcome, output = panicked, nil
	case int64(len(output)) > min(s.limits.Output, math.MaxUint32):
		header.Outcome, output = tooLarge, nil
	}
	header.Output = uint32(len(output)) //nolint:gosec // bounded above
	if err := writeFrame(s.out, header, output); err != nil {
		return err
	}
	return s.out.Flush()
}

// watchInterval is short: a program can fill some 10 MB in a millisecond.
const watchInterval = 2 * time.Millisecond

// watch ends the process when the job that begins now takes too much.
func (s *server) watch(start time.Duration) (stop func()) {
	ticker := time.NewTicker(watchInterval)
	done := make(chan struct{})
	go func() {
		for {
			select {
			case <-done:
				return
			case <-ticker.C:
				if memoryInUse() > s.limits.Memory {
					os.Exit(exitMemory)
				}
				if cpuTime()-start > s.limits.Time {
					os.Exit(exitTime)
				}
			}
		}
	}()
	return func() {
		ticker.Stop()
		close(done)
	}
}

// memoryInUse returns the bytes that the runtime has from the system.
func memoryInUse() int64 {
	samples := []metrics.Sample{
		{Name: "/memory/classes/total:bytes"},
		{Name: "/memory/classes/heap/released:bytes"},
	}
	metrics.Read(samples)
	return int64(samples[0].Value.Uint64() - samples[1].Value.Uint64()) //nolint:gosec // sizes of memory
}
