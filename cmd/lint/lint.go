package main

import (
	"fmt"
	"os"

	"github.com/urfave/cli/v2"

	"github.com/derekg1729/dsnlint/pkg/contract"
	"github.com/derekg1729/dsnlint/pkg/linter"
	"github.com/derekg1729/dsnlint/pkg/report"
)

func lintFlags() []cli.Flag {
	return append(contractFlags(),
		&cli.StringSliceFlag{Name: "format", Usage: "write a report as `FORMAT` (text, sarif, json or github) or FORMAT=FILE; may be given several times", Value: cli.NewStringSlice("text")},
		&cli.StringFlag{Name: "fail-on", Usage: "exit with 1 on findings of this `LEVEL` or above: error, warning, note or never", Value: string(contract.LevelError)},
		&cli.StringSliceFlag{Name: "env-file", Usage: "let Compose files take variables from `FILE` instead of .env; may be given several times"},
		&cli.BoolFlag{Name: "use-environment", Usage: "let Compose files take variables from the environment of this process"},
		&cli.StringFlag{Name: "stdin-filename", Usage: "`NAME` of what is read from standard input", Value: "stdin.yaml"},
		&cli.StringFlag{Name: "baseline", Usage: "take the findings of the SARIF `FILE` of an earlier run for known"},
		&cli.StringFlag{Name: "changed-since", Usage: "report only findings that a change since the git `REF` bears on"},
		&cli.StringFlag{Name: "color", Usage: "colour the text report: auto, always or never", Value: "auto"},
	)
}

// contractFlags choose the contract; they are those of every command that has
// one.
func contractFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "contract", Usage: "read the contract from `FILE` instead of the nearest .dsnlint.yaml"},
		&cli.StringFlag{Name: "root", Usage: "take `DIR` for the repository's root, outside of which nothing is read"},
		&cli.StringFlag{Name: "phase", Usage: "override the contract's `PHASE`: p0 or p1"},
	}
}

func lint(c *cli.Context, std streams) error {
	opts, err := linterOptions(c)
	if err != nil {
		return err
	}
	opts.Stdin = std.in
	opts.StdinFilename = c.String("stdin-filename")
	opts.Baseline = c.String("baseline")
	opts.ChangedSince = c.String("changed-since")
	opts.EnvFiles = c.StringSlice("env-file")
	if c.Bool("use-environment") {
		opts.Environ = os.Environ()
	}
	failOn, err := linter.ParseFailOn(c.String("fail-on"))
	if err != nil {
		return err
	}
	outputs, err := report.ParseOutputs(c.StringSlice("format"))
	if err != nil {
		return err
	}
	color, err := report.ParseColorMode(c.String("color"))
	if err != nil {
		return err
	}
	r, err := linter.Run(c.Context, opts)
	if err != nil {
		return err
	}
	r.ExitCode = linter.ExitCode(r, failOn)
	if err := report.Write(outputs, r, std.out, color, os.LookupEnv); err != nil {
		return err
	}
	if r.ExitCode != 0 {
		return exitCode(r.ExitCode)
	}
	return nil
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
