package command

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/urfave/cli/v2"

	"github.com/derekg1729/dsnlint/pkg/contract"
	"github.com/derekg1729/dsnlint/pkg/fix"
	"github.com/derekg1729/dsnlint/pkg/internal/atomicfile"
	"github.com/derekg1729/dsnlint/pkg/linter"
	"github.com/derekg1729/dsnlint/pkg/manifest"
	"github.com/derekg1729/dsnlint/pkg/report"
)

func fixCommand(std streams) *cli.Command {
	return &cli.Command{
		Name:         "fix",
		Usage:        "remove forbidden entries where that is safe",
		ArgsUsage:    "PATH...",
		OnUsageError: usageError,
		Flags: append(contractFlags(), timeoutFlag(),
			&cli.BoolFlag{Name: "diff", Usage: "show what would change, with values masked, and change nothing"}),
		Action: func(c *cli.Context) error {
			opts, err := linterOptions(c)
			if err != nil {
				return err
			}
			if err := std.sandbox.enter(&opts, access{changes: !c.Bool("diff")}); err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(c.Context, c.Duration("timeout"))
			defer cancel()
			fixed, err := linter.Fix(ctx, opts)
			if err != nil {
				return err
			}
			if err := putFixed(c.App.Writer, fixed, c.Bool("diff")); err != nil {
				return err
			}
			done := "removed"
			if c.Bool("diff") {
				done = "can be removed"
			}
			stay, err := putRefused(c.App.ErrWriter, fixed.Refused)
			if err != nil {
				return err
			}
			if _, err := fmt.Fprintf(c.App.ErrWriter, "%d %s, %d left\n", fixed.Removed, done, stay); err != nil {
				return err
			}
			return exit(linter.ExitCode(fixed.Report, linter.FailOn(contract.LevelError), false))
		},
	}
}

// putRefused says of each entry once why it stays, since two rules may have found it,
// and returns how many these are.
func putRefused(w io.Writer, refused []fix.Refusal) (stay int, err error) {
	said := map[string]bool{}
	for _, r := range refused {
		f := r.Finding
		line := fmt.Sprintf("%s: %s of %s stays: %s\n", manifest.Clean(f.Position.String()), manifest.Name(f.Variable), manifest.Name(f.Container.Name), r.Reason)
		if said[line] {
			continue
		}
		said[line] = true
		if _, err := io.WriteString(w, line); err != nil {
			return 0, err
		}
	}
	return len(said), nil
}

func putFixed(w io.Writer, fixed *linter.Fixed, diff bool) error {
	for _, f := range fixed.Files {
		text := fmt.Sprintf("fixed %s\n", manifest.Clean(f.Name))
		if diff {
			text = fix.Diff(f.Name, f.Before, f.After, func(line string) string { return fixed.Lines.Show(f.Name, line) })
		} else if err := atomicfile.Write(f.Path, f.After); err != nil {
			return err
		}
		if _, err := io.WriteString(w, text); err != nil {
			return err
		}
	}
	return nil
}

func baselineCommand(std streams) *cli.Command {
	return &cli.Command{
		Name:         "baseline",
		Usage:        "write the findings there are to a file, for --baseline to know",
		ArgsUsage:    "PATH...",
		OnUsageError: usageError,
		Flags: append(contractFlags(), timeoutFlag(),
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write to `FILE`, or - for standard output", Value: "dsnlint-baseline.sarif"}),
		Action: func(c *cli.Context) error {
			opts, err := linterOptions(c)
			if err != nil {
				return err
			}
			outputs, err := report.ParseOutputs([]string{"sarif=" + c.String("output")})
			if err != nil {
				return err
			}
			if err := std.sandbox.enter(&opts, access{outputs: outputs}); err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(c.Context, c.Duration("timeout"))
			defer cancel()
			r, err := linter.Run(ctx, opts)
			if err != nil {
				return err
			}
			r.ExitCode = linter.ExitCode(r, linter.FailOnNever, false)
			if r.ExitCode != 0 {
				// A baseline of half the findings would report the other half as new.
				outputs = []report.Output{{Format: "text"}}
			}
			if err := report.Write(outputs, r, c.App.Writer, report.ColorNever, os.LookupEnv); err != nil {
				return err
			}
			return exit(r.ExitCode)
		},
	}
}
