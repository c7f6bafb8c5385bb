//go:build cgo

package confine

import (
	"github.com/landlock-lsm/go-landlock/landlock"
	ll "github.com/landlock-lsm/go-landlock/landlock/syscall"
)

// threadRules let a worker confine itself further: with cgo, and before Landlock
// ABI 8, landlock lists the threads of the process to restrict each. For the
// first confinement it adds such a rule itself. See
// https://github.com/landlock-lsm/go-landlock/issues/39.
func threadRules() []landlock.Rule {
	return []landlock.Rule{landlock.PathAccess(ll.AccessFSReadDir, "/proc").IgnoreIfMissing()}
}
