package command

import (
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/derekg1729/dsnlint/pkg/contract"
	"github.com/derekg1729/dsnlint/pkg/internal/suggest"
	"github.com/derekg1729/dsnlint/pkg/linter"
	"github.com/derekg1729/dsnlint/pkg/report"
	"github.com/derekg1729/dsnlint/pkg/rules"
)

func rulesCommand() *cli.Command {
	return &cli.Command{
		Name:         "rules",
		Usage:        "list the rules",
		OnUsageError: usageError,
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "markdown", Usage: "print the whole documentation of every rule as Markdown"},
		},
		Action: func(c *cli.Context) error {
			if c.Bool("markdown") {
				return rules.WriteMarkdown(c.App.Writer, rules.All)
			}
			for _, rule := range rules.All {
				if _, err := fmt.Fprintf(c.App.Writer, "%-31s %-8s %s\n", rule.ID, rule.Level, rule.Summary); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

func explainCommand() *cli.Command {
	return &cli.Command{
		Name:         "explain",
		Usage:        "say what a rule is for, with a bad and a good example",
		ArgsUsage:    "RULE",
		OnUsageError: usageError,
		Action: func(c *cli.Context) error {
			if c.NArg() != 1 {
				return errors.New("explain takes one rule (see dsnlint rules)")
			}
			rule := rules.Lookup(rules.All, c.Args().First())
			if rule == nil {
				return fmt.Errorf("unknown rule %q; %s", c.Args().First(), suggest.Hint(c.Args().First(), rules.IDs(rules.All)))
			}
			return rules.WriteMarkdown(c.App.Writer, []*rules.Rule{rule})
		},
	}
}

func schemaCommand() *cli.Command {
	return &cli.Command{
		Name:         "schema",
		Usage:        "print the JSON schema of .dsnlint.yaml",
		OnUsageError: usageError,
		Action: func(c *cli.Context) error {
			schema, err := contract.Schema(rules.IDs(rules.All))
			if err != nil {
				return err
			}
			_, err = c.App.Writer.Write(schema)
			return err
		},
	}
}

func contractCommand(std streams) *cli.Command {
	return &cli.Command{
		Name:         "contract",
		Usage:        "print the effective contract",
		ArgsUsage:    "[PATH]",
		OnUsageError: usageError,
		Flags: append(contractFlags(),
			&cli.StringFlag{Name: "format", Usage: "print it as a `FORMAT`: table or yaml", Value: "table"}),
		Action: func(c *cli.Context) error {
			opts, err := linterOptions(c)
			if err != nil {
				return err
			}
			if err := std.sandbox.enter(&opts, access{}); err != nil {
				return err
			}
			effective, problems, err := linter.Contract(opts)
			if err != nil {
				return err
			}
			if len(problems) > 0 {
				r := &report.Report{Problems: problems}
				if err := report.Text(c.App.ErrWriter, r, report.TextOptions{}); err != nil {
					return err
				}
				return exit(exitFailure)
			}
			switch format := c.String("format"); format {
			case "yaml":
				text, err := effective.YAML()
				if err != nil {
					return err
				}
				_, err = c.App.Writer.Write(text)
				return err
			case "table":
				return contract.WriteTable(c.App.Writer, effective)
			default:
				return fmt.Errorf("--format %s: expected table or yaml", format)
			}
		},
	}
}
