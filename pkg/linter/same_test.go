package linter_test

import (
	"bytes"
	"context"
	"os"
	"runtime"
	"strconv"
	"testing"

	"github.com/derekg1729/dsnlint/pkg/linter"
	"github.com/derekg1729/dsnlint/pkg/report"
)

// runsOf is how often TestSame lints the fixtures. The order of a map differs from
// one run to the next, and a defect that needs a rare order shows in many runs
// only: .ci/long sets the variable.
func runsOf(t *testing.T) int {
	t.Helper()
	text, ok := os.LookupEnv("DSNLINT_RUNS")
	if !ok {
		return 3
	}
	runs, err := strconv.Atoi(text)
	if err != nil || runs < 2 {
		t.Fatalf("DSNLINT_RUNS=%s: expected a number of runs from 2", text)
	}
	return runs
}

// TestSame checks that every run over the fixtures writes the same bytes in every
// format, whatever number of processors there is: together, in which projects are
// loaded in parallel, and each by itself.
func TestSame(t *testing.T) {
	runs := runsOf(t)
	inputs := map[string]linter.Options{"all": optionsOf(fixtures)}
	for _, dir := range fixtureDirs(t) {
		inputs[dir] = optionsOf(dir)
	}
	processors := []int{1, 2, runtime.GOMAXPROCS(0), 8}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	first := map[string][]byte{}
	for run := range runs {
		runtime.GOMAXPROCS(processors[run%len(processors)])
		for name, opts := range inputs {
			r, err := linter.Run(context.Background(), opts)
			if err != nil {
				t.Fatal(err)
			}
			got := renderAll(t, r)
			if run == 0 {
				first[name] = got
			} else if !bytes.Equal(got, first[name]) {
				t.Errorf("%s: run %d differs:\n%s", name, run+1, firstDifference(first[name], got))
				delete(inputs, name) // once is enough
			}
		}
	}
	t.Logf("%d runs over %d inputs in %d formats", runs, len(inputs), len(report.Formats))
}
