package confine

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// endWithParent has a process ended when the one that starts it is.
func endWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}

const hardMemoryLimit = !raceDetector

// dataSlack is what RLIMIT_DATA counts besides the memory that is in use: the
// runtime asks for 64 MiB of the heap at a time, and with cgo each thread has a
// stack of 8 MiB.
const dataSlack = 192 << 20

// limitMemory has the kernel refuse memory above the limit, for an allocation
// that the watcher is too slow for. (RLIMIT_AS would count the addresses that the
// runtime only reserves.)
func limitMemory(bytes int64) {
	if !hardMemoryLimit {
		return
	}
	limit := uint64(bytes + dataSlack) //nolint:gosec // it is positive
	// Where it cannot be set the watcher is left.
	_ = unix.Setrlimit(unix.RLIMIT_DATA, &unix.Rlimit{Cur: limit, Max: limit})
}
