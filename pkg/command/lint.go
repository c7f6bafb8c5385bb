package command

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/derekg1729/dsnlint/pkg/contract"
	"github.com/derekg1729/dsnlint/pkg/linter"
	"github.com/derekg1729/dsnlint/pkg/report"
)

func lintFlags() []cli.Flag {
	return slices.Concat(contractFlags(), reportFlags(), []cli.Flag{
		timeoutFlag(),
		&cli.StringSliceFlag{Name: "env-file", Usage: "let Compose files take variables from `FILE` instead of .env; may be given several times"},
		&cli.BoolFlag{Name: "use-environment", Usage: "let Compose files take variables from the environment of this process"},
		&cli.StringSliceFlag{Name: "helm-values", Usage: "render charts with the values of `FILE` in addition to their own; may be given several times"},
		&cli.StringFlag{Name: "baseline", Usage: "ignore findings already recorded in `FILE` (SARIF)"},
		&cli.StringFlag{Name: "changed-since", Usage: "report only findings caused by changes since the git `REF`"},
		&cli.StringFlag{Name: "policy-from", Usage: "take the contract, the baseline, suppressions and role labels from the git `REF`, so that a change cannot loosen its own gate"},
		&cli.StringFlag{Name: "stdin-filename", Usage: "`NAME` of what is read from standard input", Value: "stdin.yaml"},
	})
}

// timeoutFlag bounds a run by the clock. What bounds single projects comes long
// before it, and does not depend on the machine.
func timeoutFlag() cli.Flag {
	return &cli.DurationFlag{Name: "timeout", Usage: "stop after this `DURATION` and report what was not checked", Value: 5 * time.Minute}
}

// reportFlags say where findings go and when they fail the run.
func reportFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringSliceFlag{Name: "format", Usage: "write a report as `FORMAT` (text, sarif, json or github) or FORMAT=FILE; may be given several times", Value: cli.NewStringSlice("text")},
		&cli.StringFlag{Name: "fail-on", Usage: "exit with 1 on findings of this `LEVEL` or above: error, warning, note or never", Value: string(contract.LevelError)},
		&cli.BoolFlag{Name: "strict", Usage: "exit with 2 also where something was not followed, as an env file that does not exist"},
		&cli.IntFlag{Name: "max", Usage: "print at most `N` findings and N problems, the most severe ones; 0 prints all. Exit code and counts stay the same. A SARIF report is cut only where this is given", Value: defaultMax},
		&cli.StringFlag{Name: "color", Usage: "colour the text report: auto, always or never", Value: string(report.ColorAuto)},
	}
}

// defaultMax is how many findings are printed: more than a person reads, and few
// enough for the log of a CI job.
const defaultMax = 1000

// destination is what reportFlags say.
type destination struct {
	// max is what formats print at most, and maxResults what SARIF holds; zero
	// for all.
	max, maxResults int
	outputs         []report.Output
	color           report.ColorMode
	failOn          linter.FailOn
	// strict makes notices count.
	strict bool
}

func destinationOf(c *cli.Context) (d destination, err error) {
	if d.failOn, err = linter.ParseFailOn(c.String("fail-on")); err != nil {
		return d, err
	}
	if d.outputs, err = report.ParseOutputs(c.StringSlice("format")); err != nil {
		return d, err
	}
	if d.max = c.Int("max"); d.max < 0 {
		return d, fmt.Errorf("--max %d: expected a number of findings, or 0 for all", d.max)
	}
	d.strict = c.Bool("strict")
	if c.IsSet("max") {
		d.maxResults = d.max
	}
	d.color, err = report.ParseColorMode(c.String("color"))
	return d, err
}

// write writes the report and ends the command with its exit code.
func (d destination) write(r *report.Report, std streams) error {
	r.ExitCode = linter.ExitCode(r, d.failOn, d.strict)
	r.Max, r.MaxResults = d.max, d.maxResults
	if err := report.Write(d.outputs, r, std.out, d.color, os.LookupEnv); err != nil {
		return err
	}
	return exit(r.ExitCode)
}

// contractFlags choose the contract; they are those of every command that has
// one.
func contractFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "contract", Usage: "read the contract from `FILE` instead of the nearest .dsnlint.yaml"},
		&cli.StringFlag{Name: "root", Usage: "use `DIR` as the repository's root; nothing outside it is read"},
		&cli.StringFlag{Name: "phase", Usage: "override the contract's `PHASE`: p0 or p1"},
	}
}

func lint(c *cli.Context, std streams) error {
	to, err := destinationOf(c)
	if err != nil {
		return err
	}
	opts, err := linterOptions(c)
	if err != nil {
		return err
	}
	opts.Stdin = std.in
	opts.StdinFilename = c.String("stdin-filename")
	opts.EnvFiles = c.StringSlice("env-file")
	opts.HelmValues = c.StringSlice("helm-values")
	opts.Baseline = c.String("baseline")
	opts.ChangedSince = c.String("changed-since")
	opts.PolicyFrom = c.String("policy-from")
	if c.Bool("use-environment") {
		opts.Environ = os.Environ()
	}
	if err := std.sandbox.enter(&opts, access{outputs: to.outputs}); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(c.Context, c.Duration("timeout"))
	defer cancel()
	r, err := linter.Run(ctx, opts)
	if err != nil {
		return err
	}
	return to.write(r, std)
}

func linterOptions(c *cli.Context) (linter.Options, error) {
	phase := contract.Phase(c.String("phase"))
	switch phase {
	case "", contract.P0, contract.P1:
	default:
		return linter.Options{}, fmt.Errorf("--phase %s: expected %s or %s", phase, contract.P0, contract.P1)
	}
	paths := c.Args().Slice()
	if len(paths) == 0 {
		paths = []string{"."}
	}
	return linter.Options{
		Paths:    paths,
		Root:     c.String("root"),
		Contract: c.String("contract"),
		Phase:    phase,
		Version:  version(),
	}, nil
}
