package command

import (
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/derekg1729/dsnlint/pkg/contract"
	"github.com/derekg1729/dsnlint/pkg/environment"
	"github.com/derekg1729/dsnlint/pkg/linter"
	"github.com/derekg1729/dsnlint/pkg/report"
	"github.com/derekg1729/dsnlint/pkg/rules"
)

func dsnCommand(std streams) *cli.Command {
	return &cli.Command{
		Name:  "dsn",
		Usage: "check the DSNs of a lane before a deploy",
		Description: "Reads the contract's DSNs from the environment of this process or from --env-file. Fails if one is\n" +
			"missing, empty or not a DSN, has no username or one from the denylist, or if two have the same username.",
		OnUsageError: usageError,
		Flags: slices.Concat(contractFlags(), reportFlags(), []cli.Flag{
			&cli.StringFlag{Name: "lane", Usage: "check the DSNs of the `LANE`: runtime or provisioner, which has the superuser's too", Value: string(contract.Runtime)},
			&cli.StringFlag{Name: "env-file", Usage: "read the variables from `FILE`"},
		}),
		Action: func(c *cli.Context) error {
			lane, err := role("--lane", c.String("lane"), contract.Runtime, contract.Provisioner)
			if err != nil {
				return err
			}
			variables := func() (*environment.Variables, error) { return variablesOf(c.String("env-file")) }
			return checkProcess(c, std, variables, func(effective *contract.Contract, v *environment.Variables) []rules.Finding {
				return environment.CheckDSNs(effective, v, lane)
			})
		},
	}
}

func envCommand(std streams) *cli.Command {
	return &cli.Command{
		Name:      "env",
		Usage:     "check the environment of this process against the contract",
		ArgsUsage: "[-- COMMAND ARGS...]",
		Description: "With a command, dsnlint replaces itself with it if the check passes, so that it can be\n" +
			"the entrypoint of a container.",
		OnUsageError: usageError,
		Flags: slices.Concat(contractFlags(), reportFlags(), []cli.Flag{
			&cli.StringFlag{Name: "role", Usage: "check it as that of a container with this `ROLE`: runtime, provisioner, database or other", Value: string(contract.Runtime)},
			&cli.StringFlag{Name: "container", Usage: "`NAME` of the container, which chooses its row of the contract"},
		}),
		Action: func(c *cli.Context) error {
			as, err := role("--role", c.String("role"), contract.Roles...)
			if err != nil {
				return err
			}
			variables := func() (*environment.Variables, error) { return variablesOf("") }
			err = checkProcess(c, std, variables, func(effective *contract.Contract, v *environment.Variables) []rules.Finding {
				return environment.CheckProcess(effective, v, as, c.String("container"))
			})
			if err != nil || c.NArg() == 0 {
				return err
			}
			return become(c.Args().Slice())
		},
	}
}

func role(flag, given string, allowed ...contract.Role) (contract.Role, error) {
	if r := contract.Role(given); slices.Contains(allowed, r) {
		return r, nil
	}
	return "", fmt.Errorf("%s %s: expected one of %v", flag, given, allowed)
}

// checkProcess judges variables and reports what it finds. With a command to
// become, nothing is printed of a clean environment: the output is the command's.
// Nor is the process confined then, since the command would be as well; there is
// no way back.
func checkProcess(
	c *cli.Context, std streams,
	read func() (*environment.Variables, error),
	check func(*contract.Contract, *environment.Variables) []rules.Finding,
) error {
	to, err := destinationOf(c)
	if err != nil {
		return err
	}
	opts, err := linterOptions(c)
	if err != nil {
		return err
	}
	opts.Paths = []string{"."}
	if c.NArg() == 0 {
		if err := std.sandbox.enter(&opts, access{read: []string{c.String("env-file")}, outputs: to.outputs}); err != nil {
			return err
		}
	}
	effective, problems, err := linter.Contract(opts)
	if err != nil {
		return err
	}
	r := &report.Report{Rules: rules.All, Problems: problems, Version: version()}
	if len(problems) == 0 {
		variables, err := read()
		if err != nil {
			return err
		}
		if os.Getenv("GITHUB_ACTIONS") == "true" {
			if err := mask(to, std, environment.Masks(effective, variables)); err != nil {
				return err
			}
		}
		r.Findings = check(effective, variables)
	}
	if c.NArg() > 0 && linter.ExitCode(r, to.failOn, to.strict) == 0 {
		return nil
	}
	return to.write(r, std)
}

// mask has GitHub hide the texts before anything else is printed. A report for a
// program stays whole: the runner reads standard error too.
func mask(to destination, std streams, texts []string) error {
	out := std.out
	if slices.ContainsFunc(to.outputs, func(o report.Output) bool { return o.File == "" && (o.Format == "json" || o.Format == "sarif") }) {
		out = std.err
	}
	_, err := io.WriteString(out, environment.MaskCommands(texts))
	return err
}

// variablesOf reads an env file, or takes the environment of the process.
func variablesOf(name string) (*environment.Variables, error) {
	if name == "" {
		return environment.FromProcess(os.Environ()), nil
	}
	data, err := linter.ReadNamed(name)
	if err != nil {
		return nil, err
	}
	return environment.FromFile(name, data)
}
