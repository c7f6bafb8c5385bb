package command

import (
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/urfave/cli/v2"
)

// stamped is the version that a release build sets with -ldflags -X.
var stamped string

// version is the stamped version, or what the module's build information says.
func version() string {
	if stamped != "" {
		return stamped
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

func versionCommand(std streams) *cli.Command {
	return &cli.Command{
		Name:         "version",
		Usage:        "print the version",
		OnUsageError: usageError,
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "verbose", Usage: "also print how the command is confined on this system"},
		},
		Action: func(c *cli.Context) error {
			lines := []string{"dsnlint " + version()}
			if c.Bool("verbose") {
				more, err := std.sandbox.describe()
				if err != nil {
					return err
				}
				lines = append(lines, more...)
			}
			_, err := fmt.Fprintln(std.out, strings.Join(lines, "\n"))
			return err
		},
	}
}
