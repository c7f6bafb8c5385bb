package confine

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/derekg1729/dsnlint/pkg/loaders/engine"
)

// attemptsVariable names the attempts that a child of the tests makes.
const attemptsVariable = "DSNLINT_TEST_ATTEMPTS"

// TestMain lets the test binary be a worker, or a process that confines itself.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == Argument {
		os.Exit(Serve(testEngines))
	}
	if os.Getenv(attemptsVariable) != "" {
		os.Exit(attempt())
	}
	os.Exit(m.Run())
}

var sink any

// touch makes the system give every page of the data.
func touch(data []byte) {
	for i := 0; i < len(data); i += 4096 {
		data[i] = 1
	}
}

// testEngines misbehave in one way each.
var testEngines = map[string]engine.Func{
	"echo": func(_ context.Context, input []byte) []byte { return input },
	"environment": func(context.Context, []byte) []byte {
		return []byte(strings.Join(os.Environ(), "\n"))
	},
	"panic": func(context.Context, []byte) []byte { panic("hunter2") },
	"exit":  func(context.Context, []byte) []byte { os.Exit(0); return nil },
	"loop": func(context.Context, []byte) []byte {
		for i := 0; ; i++ {
			sink = i
		}
	},
	"burn": func(context.Context, []byte) []byte {
		for start := cpuTime(); cpuTime()-start < 100*time.Millisecond; {
		}
		return nil
	},
	"wait": func(context.Context, []byte) []byte { time.Sleep(time.Hour); return nil },
	"grow": func(context.Context, []byte) []byte {
		var kept [][]byte
		for {
			kept = append(kept, make([]byte, 1<<20))
			sink = kept
			touch(kept[len(kept)-1])
		}
	},
	"large": func(context.Context, []byte) []byte {
		data := make([]byte, 150<<20)
		touch(data)
		sink = data
		return nil
	},
	"huge": func(context.Context, []byte) []byte {
		size := 100 << 30
		data := make([]byte, size)
		data[size-1] = 1
		sink = data
		return nil
	},
	"recurse": func(context.Context, []byte) []byte {
		var f func(n int) int
		f = func(n int) int { return f(n+1) + n }
		sink = f(0)
		return nil
	},
	"flood": func(context.Context, []byte) []byte { return make([]byte, 1<<20) },
	"read": func(_ context.Context, input []byte) []byte {
		if _, err := os.ReadFile(string(input)); err != nil {
			return []byte("denied")
		}
		return []byte("read")
	},
	"execute": func(context.Context, []byte) []byte {
		name, err := os.Executable()
		if err == nil {
			err = exec.Command(name, "-test.run", "^$").Run()
		}
		if err != nil {
			return []byte("denied")
		}
		return []byte("executed")
	},
}
