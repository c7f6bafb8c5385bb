package confine

import "fmt"

// Policy lists the files that a confined process has. Beyond it the process has
// its own executable, to start a [Worker], and what the Go runtime reads. Paths
// that do not exist are left out.
//
// Landlock knows no exceptions below a directory, and restricts neither the
// metadata of files (stat, chmod) nor what was opened before.
type Policy struct {
	// Read lists files, and directories with all that is below them, that can be
	// read.
	Read []string
	// List lists directories whose files can be seen but not read. The way to a
	// file leads through its directory where that is opened first, as [os.Root]
	// does.
	List []string
	// Write lists directories below which files can be read, created, changed and
	// removed.
	Write []string
	// Scratch is like Write, and empty for none. The process can remove the
	// directory itself at the end, for which it gets the right to remove empty
	// directories beside it.
	Scratch string
	// Outputs lists files that will be replaced. Their directories become
	// writable, since a file is replaced by renaming another over it; what is not
	// a regular file, such as a named pipe, is written in place.
	Outputs []string
}

// Status reports what confines the process. Its zero value is that of a process
// that is not confined.
type Status struct {
	// Landlock is the version of the kernel's Landlock ABI that is in force, 0
	// for none.
	Landlock int
	// Seccomp reports whether sockets are refused.
	Seccomp bool
}

// Lines returns the status for people to read.
func (s Status) Lines() []string {
	files := "files: not confined by the system (needs Linux 5.13 with Landlock)"
	if s.Landlock > 0 {
		files = fmt.Sprintf("files: confined by Landlock ABI %d", s.Landlock)
	}
	network := "network: not confined by the system (needs Linux 3.17 with seccomp)"
	switch {
	case s.Seccomp:
		network = "network: no sockets, by seccomp"
	case s.Landlock >= firstWithTCP:
		network = "network: no TCP, by Landlock"
	}
	return []string{files, network}
}

// firstWithTCP is the first version of Landlock that restricts TCP.
const firstWithTCP = 4
