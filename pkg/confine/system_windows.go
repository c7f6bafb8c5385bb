package confine

import (
	"io/fs"
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

// systemEnvironment is what every process needs.
func systemEnvironment() []string { return []string{"SYSTEMROOT=" + os.Getenv("SYSTEMROOT")} }

// endWithParent does nothing here: a worker ends when its input does.
func endWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{HideWindow: true} }

const hardMemoryLimit = true

// limitMemory puts this process into a job object that has a limit: see
// https://learn.microsoft.com/windows/win32/procthread/job-objects. The object
// lives as long as the process, whose handle is never closed. The limit counts
// all memory that is committed, the executable's own included.
func limitMemory(bytes int64) {
	const slack = 64 << 20
	job, err := windows.CreateJobObject(nil, nil)
	if err != nil {
		return // The watcher is left.
	}
	info := windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION{ProcessMemoryLimit: uintptr(bytes + slack)}
	info.BasicLimitInformation.LimitFlags = windows.JOB_OBJECT_LIMIT_PROCESS_MEMORY
	_, err = windows.SetInformationJobObject(job, windows.JobObjectExtendedLimitInformation,
		uintptr(unsafe.Pointer(&info)), uint32(unsafe.Sizeof(info)))
	if err == nil {
		_ = windows.AssignProcessToJobObject(job, windows.CurrentProcess())
	}
}

// cpuTime returns the CPU time of this process.
func cpuTime() time.Duration {
	var creation, exit, kernel, user windows.Filetime
	if err := windows.GetProcessTimes(windows.CurrentProcess(), &creation, &exit, &kernel, &user); err != nil {
		return 0
	}
	// A Filetime counts 100 ns; as a length of time it has no epoch.
	ticks := func(t windows.Filetime) int64 { return int64(t.HighDateTime)<<32 | int64(t.LowDateTime) }
	return time.Duration(100 * (ticks(kernel) + ticks(user)))
}

// systemPlaces are directories for temporary files where TMP is unusable.
var systemPlaces []string

// processNamespace identifies what the numbers of processes belong to.
func processNamespace() string { return "0" }

// isAlive reports whether there is a process of this number.
func isAlive(pid int) bool {
	process, err := os.FindProcess(pid)
	if err == nil {
		_ = process.Release()
	}
	return err == nil
}

// isOwn reports whether a file belongs to the user of this process: the places for
// temporary files are the user's own.
func isOwn(fs.FileInfo) bool { return true }
