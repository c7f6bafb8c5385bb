//go:build unix

package confine

import (
	"time"

	"golang.org/x/sys/unix"
)

// systemEnvironment is what every process needs.
func systemEnvironment() []string { return nil }

// cpuTime returns the CPU time of this process.
func cpuTime() time.Duration {
	var usage unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
