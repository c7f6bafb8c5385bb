// Command hostile runs dsnlint over inputs that a stranger may write to stop a
// gate, and checks that each ends in time and in little memory, that what is wrong
// is reported, and that it hides no finding elsewhere.
//
// It makes each input in a temporary directory of its own, and prints what each
// took. It measures through /proc, and so runs on Linux only.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// The limits of one run, on two idle cores.
const (
	maxWall   = 5 * time.Second
	maxMemory = 500 << 20
	// maxOutput is a size that a log still shows.
	maxOutput = 8 << 20
)

// The limits on a machine that does something else besides, where the time on the
// clock says little: of CPU time, twice what two cores spend in maxWall; on the
// clock, what only an endless run takes.
const (
	loadedCPU  = 2 * 2 * maxWall
	loadedWall = 2 * time.Minute
)

func main() {
	strict := flag.Bool("strict", false, "limit the time on the clock, as it holds on two idle cores")
	only := flag.String("run", "", "run only the inputs whose name matches `REGEXP`")
	keep := flag.String("keep", "", "only make the inputs, in the directory `DIR`")
	flag.Usage = func() {
		_, _ = fmt.Fprintf(flag.CommandLine.Output(), "usage: hostile [options] BINARY\n")
		flag.PrintDefaults()
	}
	flag.Parse()
	pattern, err := regexp.Compile(*only)
	if err != nil {
		fatal(err)
	}
	chosen := slices.DeleteFunc(slices.Clone(inputs), func(in input) bool { return !pattern.MatchString(in.name) })
	if *keep != "" {
		for _, in := range chosen {
			if err := in.make(filepath.Join(*keep, in.name)); err != nil {
				fatal(err)
			}
		}
		return
	}
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	binary, err := filepath.Abs(flag.Arg(0))
	if err != nil {
		fatal(err)
	}
	limits := limits{wall: loadedWall, cpu: loadedCPU, memory: maxMemory, output: maxOutput}
	if *strict {
		limits.wall, limits.cpu = maxWall, 0
	}
	if failed := runAll(chosen, binary, limits); failed > 0 {
		fmt.Printf("\n%d of %d hostile inputs failed\n", failed, len(chosen))
		os.Exit(1)
	}
	fmt.Printf("\nall %d hostile inputs hold\n", len(chosen))
}

func fatal(err error) {
	_, _ = fmt.Fprintln(os.Stderr, "hostile:", err)
	os.Exit(2)
}

// runAll runs the inputs one after the other, and returns how many failed.
func runAll(chosen []input, binary string, limits limits) int {
	failed := 0
	fmt.Printf("%-28s %8s %8s %8s %9s %4s\n", "input", "wall", "cpu", "peak", "output", "exit")
	for _, in := range chosen {
		result, err := in.run(binary, limits)
		if err != nil {
			fatal(fmt.Errorf("%s: %w", in.name, err))
		}
		broken := in.broken(result)
		if broken != "" {
			failed++
		}
		fmt.Printf("%-28s %7.2fs %7.2fs %5d MB %6d KB %4s %s\n", in.name, result.wall.Seconds(), result.cpu.Seconds(),
			result.peak>>20, result.bytes>>10, result.exitText(), broken)
	}
	return failed
}

// input is one hostile directory and what dsnlint has to make of it.
type input struct {
	name string
	// build writes the input. Each also gets the canary: a manifest with nothing
	// wrong in it but a finding, which has to be reported.
	build func(d dir)
	// exit is the exit code where only one is right: 2 where something cannot be
	// judged, and 1 where all can. Where it is zero both are, but the one without
	// the finding that the input holds must be 2.
	exit int
	// says is a text that the output must hold.
	says string
	// blind is for inputs that leave nothing to judge anything by.
	blind bool
	// linear is for inputs that are nothing but many files, as a large repository
	// is: each is read, and the limits are those of a loaded machine.
	linear bool
}

// The variables that the findings are about: that of the intact manifest beside
// the input, and that of the input itself, where it holds one.
const (
	canary = "POSTGRES_ROOT_CANARY"
	target = "POSTGRES_ROOT_TARGET"
)

// make writes the input and its canary below a directory. Files are found in the
// order of their names, so that a cut display shows the canary.
func (in input) make(path string) error {
	root := dir{path: path, err: new(error)}
	root.write("canary/pod.yaml", pod("canary", "        - {name: "+canary+", value: x}\n"))
	in.build(root.sub("input"))
	return *root.err
}

func (in input) run(binary string, limits limits) (result, error) {
	path, err := os.MkdirTemp("", "hostile-")
	if err != nil {
		return result{}, err
	}
	defer func() { _ = os.RemoveAll(path) }()
	if err := in.make(path); err != nil {
		return result{}, err
	}
	if in.linear {
		limits.wall, limits.cpu = loadedWall, loadedCPU
	}
	return measure(binary, []string{"--root", ".", "."}, path, limits)
}

// broken says what of a result is not right; empty if nothing is.
func (in input) broken(r result) string {
	var all []string
	add := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	if r.stopped != "" {
		add("stopped: %s", r.stopped)
	}
	if r.peak > maxMemory {
		add("took more than %d MB", maxMemory>>20)
	}
	for _, trace := range []string{"goroutine ", "fatal error:", "panic:", "a bug in dsnlint"} {
		if strings.Contains(r.output, trace) {
			add("crashed (%s)", strings.TrimSpace(trace))
			break
		}
	}
	if r.stopped != "" {
		return strings.Join(all, "; ")
	}
	switch {
	case in.exit != 0 && r.exit != in.exit:
		add("expected exit code %d", in.exit)
	case r.exit != 1 && r.exit != 2:
		add("expected exit code 1 or 2")
	}
	if !in.blind && !strings.Contains(r.output, canary) {
		add("the intact file's finding is missing")
	}
	if in.exit != 2 && r.exit != 2 && !strings.Contains(r.output, target) {
		add("neither the finding nor a problem is reported")
	}
	if r.exit == 2 && !strings.Contains(r.output, "error:") {
		add("exit code 2 without a problem")
	}
	if !strings.Contains(r.output, in.says) {
		add("expected %q in the output", in.says)
	}
	return strings.Join(all, "; ")
}
