package confine

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	seccomp "github.com/elastic/go-seccomp-bpf"
	"github.com/elastic/go-seccomp-bpf/arch"
	"github.com/landlock-lsm/go-landlock/landlock"
	ll "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/sys/unix"
)

// wanted is the newest version of Landlock whose restrictions were looked at here.
// An older kernel enforces what it knows of them.
var wanted = landlock.V11

// The rights to files. The functions of landlock that come close, such as
// [landlock.RODirs], also give the right to execute, which the repository must
// not have: a change would bring its own programs.
const (
	readFile  = landlock.AccessFSSet(ll.AccessFSReadFile)
	listDir   = landlock.AccessFSSet(ll.AccessFSReadDir)
	readDir   = readFile | ll.AccessFSReadDir
	writeFile = landlock.AccessFSSet(ll.AccessFSReadFile | ll.AccessFSWriteFile | ll.AccessFSTruncate)
	writeDir  = readDir | writeFile | ll.AccessFSMakeReg | ll.AccessFSMakeDir | ll.AccessFSRemoveFile | ll.AccessFSRemoveDir
	execute   = landlock.AccessFSSet(ll.AccessFSReadFile | ll.AccessFSExecute)
)

// runtimeFiles are read by the Go runtime and the standard library. What the
// runtime reads of /proc and /sys/fs/cgroup it opens before main starts.
var runtimeFiles = []string{
	// The size of huge pages, when a process starts.
	"/sys/kernel/mm/transparent_hugepage/hpage_pmd_size",
	// The time zone, when a time is first formatted.
	"/etc/localtime",
	"/usr/share/zoneinfo",
}

// Apply confines this process and all that it starts, for good: there is no way
// back. It must be called before anything is read that others wrote. A kernel
// that lacks Landlock or seccomp is no error; the status reports it.
func Apply(p Policy) (Status, error) {
	rules := append(p.rules(), pathRules(readDir, readFile, runtimeFiles)...)
	// os/exec connects a stream that is not used with it.
	rules = append(rules, landlock.PathAccess(writeFile, os.DevNull).IgnoreIfMissing())
	rules = append(rules, threadRules()...)
	own, err := executableRules()
	if err != nil {
		return Status{}, err
	}
	return apply(append(rules, own...))
}

// applyWorker confines a worker further: an engine reads nothing but its input.
// Where this fails the worker still has the confinement of the process that
// started it.
func applyWorker() { _, _ = apply(nil) }

func apply(rules []landlock.Rule) (status Status, err error) {
	if err := wanted.BestEffort().Restrict(rules...); err != nil {
		return status, fmt.Errorf("cannot confine this process by Landlock: %w", err)
	}
	if version, err := ll.LandlockGetABIVersion(); err == nil {
		status.Landlock = version
	}
	status.Seccomp = refuseSockets()
	return status, nil
}

func (p Policy) rules() []landlock.Rule {
	rules := pathRules(readDir, readFile, p.Read)
	rules = append(rules, pathRules(listDir, readFile, p.List)...)
	rules = append(rules, pathRules(writeDir, writeFile, p.Write)...)
	if p.Scratch != "" {
		rules = append(rules, pathRules(writeDir, writeFile, []string{p.Scratch})...)
		rules = append(rules, pathRules(landlock.AccessFSSet(ll.AccessFSRemoveDir), 0, []string{filepath.Dir(p.Scratch)})...)
	}
	for _, name := range p.Outputs {
		if resolved, err := filepath.EvalSymlinks(name); err == nil {
			name = resolved
		}
		if info, err := os.Stat(name); err != nil || info.Mode().IsRegular() {
			name = filepath.Dir(name)
		}
		rules = append(rules, pathRules(writeDir, writeFile, []string{name})...)
	}
	return rules
}

// pathRules gives rights to directories and to files, whichever a path is.
func pathRules(dir, file landlock.AccessFSSet, paths []string) []landlock.Rule {
	var rules []landlock.Rule
	for _, name := range paths {
		info, err := os.Stat(name)
		if err != nil {
			continue // Whoever reads it finds out, and reports it.
		}
		access := file
		if info.IsDir() {
			access = dir
		}
		rules = append(rules, landlock.PathAccess(access, name).IgnoreIfMissing())
	}
	return rules
}

// refused are the system calls by which a process reaches others: sockets, also
// those that io_uring opens, and the memory or descriptors of another process.
// What a filter cannot see is which file is executed; that is Landlock's part.
var refused = []string{
	"socket", "socketpair", "socketcall", "connect", "bind", "listen", "accept", "accept4",
	"sendto", "sendmsg", "sendmmsg",
	"io_uring_setup", "io_uring_enter", "io_uring_register",
	"ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "pidfd_getfd", "kcmp",
	"bpf", "perf_event_open", "userfaultfd",
	"keyctl", "add_key", "request_key",
	"mount", "umount2", "fsopen", "open_tree", "move_mount", "pivot_root", "chroot", "setns", "unshare",
}

// refuseSockets reports whether the kernel refuses sockets from now on, in all
// threads.
func refuseSockets() bool {
	// no_new_privs is set on the thread that then loads the filter.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	info, err := arch.GetInfo("")
	if err != nil {
		return false
	}
	var names []string
	for _, name := range refused {
		if _, ok := info.SyscallNames[name]; ok {
			names = append(names, name)
		}
	}
	err = seccomp.LoadFilter(seccomp.Filter{
		NoNewPrivs: true,
		Flag:       seccomp.FilterFlagTSync,
		Policy: seccomp.Policy{
			DefaultAction: seccomp.ActionAllow,
			Syscalls:      []seccomp.SyscallGroup{{Action: seccomp.ActionErrno, Names: names}},
		},
	})
	if err != nil {
		return false
	}
	// The library does not look at the number of a thread that could not be
	// synchronized; no filter is in force then. A socket of type 0 cannot be
	// opened anyhow, and a filter refuses it with another error.
	_, err = unix.Socket(unix.AF_INET, 0, 0)
	return errors.Is(err, unix.EPERM)
}
