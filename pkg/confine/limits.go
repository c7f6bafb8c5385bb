package confine

import (
	"runtime"
	"time"
)

// Limits bound what engines may spend in a [Worker]. A field that is zero has its
// default. They are a backstop: which job meets a limit of time depends on the
// machine, so engines count their own work first.
type Limits struct {
	// Workers is the number of processes that run at a time; by default one for
	// each processor, and at most 2.
	Workers int
	// Memory is what all processes together may use of the heap and of stacks, in
	// bytes; by default 320 MiB. Each has the same share of it.
	Memory int64
	// Time is the CPU time that a job may take; by default 2.5 s.
	Time time.Duration
	// Wall is the time that a job may take by the clock, for one that waits; by
	// default 20 s.
	Wall time.Duration
	// Total is the CPU time of all jobs; by default two minutes.
	Total time.Duration
	// Killed is the CPU time of all jobs that were ended by force; by default 8 s.
	Killed time.Duration
	// Output is the size of an output, in bytes; by default 64 MiB.
	Output int64
}

// stackLimit is how far one goroutine's stack may grow in a worker, in bytes.
// Endless recursion ends a process at the limit whatever that is; the lower one
// ends it before much memory is used.
const stackLimit = 64 << 20

func (l Limits) withDefaults() Limits {
	if l.Workers == 0 {
		l.Workers = min(2, runtime.NumCPU())
	}
	if l.Memory == 0 {
		l.Memory = 320 << 20
	}
	if l.Output == 0 {
		l.Output = 64 << 20
	}
	for field, value := range map[*time.Duration]time.Duration{
		&l.Time:   2500 * time.Millisecond,
		&l.Wall:   20 * time.Second,
		&l.Total:  2 * time.Minute,
		&l.Killed: 8 * time.Second,
	} {
		if *field == 0 {
			*field = value
		}
	}
	return l
}

// share returns the limits of one process beside others.
func (l Limits) share() Limits {
	l.Memory /= int64(l.Workers)
	return l
}
