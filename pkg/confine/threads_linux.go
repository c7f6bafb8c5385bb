//go:build !cgo

package confine

import "github.com/landlock-lsm/go-landlock/landlock"

// threadRules are those that landlock itself needs: without cgo, none.
func threadRules() []landlock.Rule { return nil }
