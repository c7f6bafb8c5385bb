//go:build unix && !linux

package confine

import "syscall"

// endWithParent does nothing here: a worker ends when its input does.
func endWithParent() *syscall.SysProcAttr { return nil }

const hardMemoryLimit = false

// limitMemory does nothing here: no limit of these systems counts what the
// runtime uses, and not what it only reserves.
func limitMemory(int64) {}
