// Package engine is how loaders run engines that cannot be stopped from inside,
// such as those of Helm and Kustomize: an engine is a function from bytes to
// bytes, and a [Runner] decides where it runs. A program that hands over no
// Runner has them run in its own process, where only the limits hold that an
// engine counts itself; the command runs them in a process that it can end.
package engine

import (
	"context"
	"errors"
)

// Func is an engine. It reads nothing but its input, keeps no state, and returns
// what went wrong as part of its output.
type Func func(ctx context.Context, input []byte) (output []byte)

// Runner runs engines. It is safe for concurrent use.
type Runner interface {
	// Run runs the engine of a name. The error is one of [ErrTime], [ErrMemory],
	// [ErrCrash] and [ErrTotal], or that of ctx: the engine itself has none.
	Run(ctx context.Context, name string, input []byte) (output []byte, err error)
}

// The errors of a [Runner].
var (
	// ErrTime means that the engine took more CPU time than it may.
	ErrTime = errors.New("the engine took too long")
	// ErrMemory means that the engine took more memory than it may.
	ErrMemory = errors.New("the engine took too much memory")
	// ErrCrash means that the engine ended without an output.
	ErrCrash = errors.New("the engine failed")
	// ErrTotal means that the engine was not run: those before it have used up
	// what a run may spend.
	ErrTotal = errors.New("the engines took too long altogether")
)

// InProcess runs engines in this process. Nothing stops an engine there but its
// own limits; one that panics is an [ErrCrash].
type InProcess map[string]Func

// Run implements [Runner].
func (p InProcess) Run(ctx context.Context, name string, input []byte) (output []byte, err error) {
	defer func() {
		if recover() != nil {
			output, err = nil, ErrCrash
		}
	}()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return p[name](ctx, input), nil
}
