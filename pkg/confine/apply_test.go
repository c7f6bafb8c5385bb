package confine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/derekg1729/dsnlint/pkg/internal/atomicfile"
	"github.com/derekg1729/dsnlint/pkg/loaders/engine"
)

// attempts is what a child is told, as JSON in [attemptsVariable].
type attempts struct {
	Root, Outside, Scratch, Output, Address string
	Named                                   string
}

// result is what a child says of one attempt.
type result struct {
	Allowed bool
	Error   string
}

// attempt confines this process and tries what a library might do.
func attempt() int {
	var a attempts
	if err := json.Unmarshal([]byte(os.Getenv(attemptsVariable)), &a); err != nil {
		return 1
	}
	status, err := Apply(Policy{Read: []string{a.Root, a.Named}, Scratch: a.Scratch, Outputs: []string{a.Output}})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	results := map[string]result{}
	try := func(name string, f func() error) {
		err := f()
		results[name] = result{Allowed: err == nil, Error: fmt.Sprint(err)}
	}
	read := func(name string) func() error {
		return func() error { _, err := os.ReadFile(name); return err }
	}
	write := func(name string) func() error {
		return func() error { return os.WriteFile(name, []byte("x"), 0o600) }
	}
	dial := func(network string) func() error {
		return func() error {
			conn, err := net.DialTimeout(network, a.Address, time.Second)
			if err == nil {
				_, err = conn.Write([]byte("x"))
			}
			return err
		}
	}
	try("read below the root", read(filepath.Join(a.Root, "file")))
	try("list the root", func() error { _, err := os.ReadDir(a.Root); return err })
	try("read a named file", read(a.Named))
	try("read beside a named file", read(filepath.Join(filepath.Dir(a.Named), "beside")))
	try("read outside", read(filepath.Join(a.Outside, "file")))
	try("read through a link", read(filepath.Join(a.Root, "link")))
	try("list outside", func() error { _, err := os.ReadDir(a.Outside); return err })
	try("read the environment", read("/proc/self/environ"))
	try("write below the root", write(filepath.Join(a.Root, "new")))
	try("write outside", write(filepath.Join(a.Outside, "new")))
	try("write to scratch", write(filepath.Join(a.Scratch, "new")))
	try("make directories in scratch", func() error { return os.MkdirAll(filepath.Join(a.Scratch, "a/b"), 0o700) })
	try("remove from scratch", func() error { return os.RemoveAll(filepath.Join(a.Scratch, "a")) })
	try("replace an output", func() error { return atomicfile.Write(a.Output, []byte("x")) })
	try("connect by TCP", dial("tcp"))
	try("send by UDP", dial("udp"))
	try("listen", func() error { _, err := net.Listen("tcp", "127.0.0.1:0"); return err })
	try("look up a name", func() error {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_, err := (&net.Resolver{PreferGo: true}).LookupHost(ctx, "example.invalid")
		// Without a server to ask the answer must not come from one.
		if dns := (*net.DNSError)(nil); errors.As(err, &dns) && dns.IsNotFound {
			return nil
		}
		return err
	})
	try("execute another program", func() error { return exec.Command("/bin/true").Run() })
	try("execute a program of the root", func() error { return exec.Command(filepath.Join(a.Root, "program")).Run() })
	try("run a worker", func() error {
		w := NewWorker(Limits{Workers: 1})
		defer w.Close()
		output, err := w.Run(context.Background(), "echo", []byte("x"))
		if err == nil && string(output) != "x" {
			return engine.ErrCrash
		}
		return err
	})
	try("read in a worker", func() error {
		w := NewWorker(Limits{Workers: 1})
		defer w.Close()
		output, err := w.Run(context.Background(), "read", []byte(filepath.Join(a.Root, "file")))
		if err == nil && string(output) != "read" {
			return fs.ErrPermission
		}
		return err
	})
	// Last, since nothing can be tried in it any more.
	try("remove scratch", func() error {
		(&Scratch{a.Scratch}).Remove()
		if _, err := os.Lstat(a.Scratch); err == nil {
			return fs.ErrExist
		}
		return nil
	})
	if err := json.NewEncoder(os.Stdout).Encode(struct {
		Status  Status
		Results map[string]result
	}{status, results}); err != nil {
		return 1
	}
	return 0
}

// TestApply confines a child, since there is no way back.
func TestApply(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux confines a process")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	dir := t.TempDir()
	a := attempts{
		Root: filepath.Join(dir, "root"), Outside: filepath.Join(dir, "outside"), Scratch: filepath.Join(dir, "scratch"),
		Output: filepath.Join(dir, "output", "report"), Named: filepath.Join(dir, "named", "file"), Address: listener.Addr().String(),
	}
	for _, name := range []string{a.Root, a.Outside, a.Scratch, filepath.Dir(a.Output), filepath.Dir(a.Named)} {
		if err := os.Mkdir(name, 0o700); err != nil {
			t.Fatal(err)
		}
		for _, file := range []string{"file", "beside"} {
			if err := os.WriteFile(filepath.Join(name, file), []byte("x"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := os.WriteFile(filepath.Join(a.Root, "program"), []byte("#!/bin/true\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(a.Outside, "file"), filepath.Join(a.Root, "link")); err != nil {
		t.Fatal(err)
	}
	told, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), attemptsVariable+"="+string(told))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Status  Status
		Results map[string]result
	}
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	t.Log(got.Status.Lines())
	files, network := got.Status.Landlock > 0, got.Status.Seccomp
	for name, want := range map[string]bool{
		"read below the root":           true,
		"list the root":                 true,
		"read a named file":             true,
		"write to scratch":              true,
		"make directories in scratch":   true,
		"remove from scratch":           true,
		"remove scratch":                true,
		"replace an output":             true,
		"run a worker":                  true,
		"read beside a named file":      !files,
		"read outside":                  !files,
		"read through a link":           !files,
		"list outside":                  !files,
		"read the environment":          !files,
		"write below the root":          !files,
		"write outside":                 !files,
		"execute another program":       !files,
		"execute a program of the root": !files,
		"read in a worker":              !files,
		"connect by TCP":                !network,
		"send by UDP":                   !network,
		"listen":                        !network,
		"look up a name":                !network,
	} {
		r, ok := got.Results[name]
		if !ok || r.Allowed != want {
			t.Errorf("%s: allowed %v, want %v (%s)", name, r.Allowed, want, r.Error)
		}
	}
	if len(got.Results) != 23 {
		t.Errorf("%d attempts, want 23", len(got.Results))
	}
}
