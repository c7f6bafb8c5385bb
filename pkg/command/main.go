// Package command is the dsnlint command: its flags, its exit codes and how the
// packages are put together. The mains below cmd do nothing but call [Main].
package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"

	"github.com/sirupsen/logrus"
	"github.com/urfave/cli/v2"

	"github.com/derekg1729/dsnlint/pkg/confine"
	"github.com/derekg1729/dsnlint/pkg/linter"
)

// The exit codes.
const (
	exitFindings = 1
	exitFailure  = 2
)

// quiet discards what libraries log of their own accord: they quote what they
// stumble over. The loggers belong to the process, so that this is for the command
// to do and not for a package.
func quiet() {
	log.SetOutput(io.Discard)
	logrus.SetOutput(io.Discard)
	slog.SetDefault(slog.New(slog.DiscardHandler))
}

// softMemory is where the garbage collector begins to work rather than let the
// process grow, in bytes.
const softMemory = 350 << 20

// Main runs the command of this process and returns its exit code: 0 for nothing at
// or above --fail-on, 1 for findings, 2 where the tool could not do its job.
func Main() int {
	quiet()
	debug.SetMemoryLimit(softMemory)
	if len(os.Args) > 1 && os.Args[1] == confine.Argument {
		return confine.Serve(linter.Engines())
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second signal ends the process at once.
	context.AfterFunc(ctx, stop)
	box := newSandbox()
	defer box.close()
	return run(ctx, os.Args, streams{in: os.Stdin, out: os.Stdout, err: os.Stderr, sandbox: box})
}

// streams are where the command reads from and writes to, and what confines it.
type streams struct {
	in       io.Reader
	out, err io.Writer
	// sandbox is nil where the process is not the command's own, as in tests.
	sandbox *sandbox
}

// run is the whole command; it gives the exit code.
func run(ctx context.Context, args []string, std streams) int {
	app := newApp(std)
	err := app.RunContext(ctx, permute(app, args))
	if err == nil {
		return 0
	}
	if code := (exitCode)(0); errors.As(err, &code) {
		return int(code)
	}
	if errors.Is(err, context.Canceled) {
		err = errors.New("interrupted")
	}
	_, _ = fmt.Fprintf(std.err, "dsnlint: %v\n", err)
	return exitFailure
}

// exitCode ends the command when all there is to say has been said.
type exitCode int

func (c exitCode) Error() string { return fmt.Sprintf("exit code %d", int(c)) }

// exit ends the command with a code.
func exit(code int) error {
	if code == 0 {
		return nil
	}
	return exitCode(code)
}

func newApp(std streams) *cli.App {
	return &cli.App{
		Name:      "dsnlint",
		Usage:     "check Compose files and Kubernetes manifests against a database contract",
		UsageText: "dsnlint [options] PATH...\n   dsnlint COMMAND [options]",
		Description: "PATH is a file, a directory, a pattern such as deploy/..., or - for standard input.\n" +
			"Without a path the working directory is linted.\n\n" +
			"Exit codes: 0 nothing at or above --fail-on; 1 findings; 2 dsnlint could not do its job.",
		Version:                   version(),
		Reader:                    std.in,
		Writer:                    std.out,
		ErrWriter:                 std.err,
		HideHelpCommand:           true,
		DisableSliceFlagSeparator: true,
		Flags:                     lintFlags(),
		Action:                    func(c *cli.Context) error { return lint(c, std) },
		Commands: []*cli.Command{
			rulesCommand(),
			explainCommand(),
			schemaCommand(),
			contractCommand(std),
			fixCommand(std),
			baselineCommand(std),
			dsnCommand(std),
			envCommand(std),
			versionCommand(std),
		},
		OnUsageError:   usageError,
		ExitErrHandler: func(*cli.Context, error) {},
	}
}

// usageError says what is wrong with the command line, without the whole help.
func usageError(_ *cli.Context, err error, _ bool) error {
	return fmt.Errorf("%w (see dsnlint --help)", err)
}

// permute moves options in front of the paths, since the flag package stops at
// the first word that is no option and people write dsnlint PATH --format json.
// Everything behind -- stays as it is.
func permute(app *cli.App, args []string) []string {
	flags, rest := optionsFirst(app.Flags, args[1:], func(word string) bool { return app.Command(word) != nil })
	if len(rest) > 0 && app.Command(rest[0]) != nil {
		command := app.Command(rest[0])
		own, paths := optionsFirst(command.Flags, rest[1:], func(string) bool { return false })
		return slices.Concat(args[:1], flags, rest[:1], own, paths)
	}
	return slices.Concat(args[:1], flags, rest)
}

// optionsFirst parts the options of a command line, with their values, from the
// other words. These come with -- in front of them, unless the first one ends the
// options.
func optionsFirst(known []cli.Flag, args []string, ends func(word string) bool) (flags, rest []string) {
	for i := 0; i < len(args); i++ {
		arg := args[i]
		switch {
		case arg == "--":
			return flags, slices.Concat([]string{"--"}, rest, args[i+1:])
		case len(rest) == 0 && ends(arg):
			return flags, args[i:]
		case len(arg) < 2 || arg[0] != '-':
			rest = append(rest, arg)
		default:
			flags = append(flags, arg)
			if takesValue(known, arg) && i+1 < len(args) {
				i++
				flags = append(flags, args[i])
			}
		}
	}
	if len(rest) > 0 {
		rest = append([]string{"--"}, rest...)
	}
	return flags, rest
}

// takesValue reports whether the word behind an option belongs to it.
func takesValue(flags []cli.Flag, arg string) bool {
	name := strings.TrimLeft(arg, "-")
	for _, flag := range flags {
		if _, isBool := flag.(*cli.BoolFlag); !isBool && slices.Contains(flag.Names(), name) {
			return true
		}
	}
	return false
}
