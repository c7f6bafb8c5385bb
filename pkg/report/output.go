package report

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/term"

	"github.com/derekg1729/dsnlint/pkg/internal/atomicfile"
)

// Output is one format and the file it goes to.
type Output struct {
	// Format is one of [Formats].
	Format string
	// File is empty for standard output.
	File string
}

// Formats lists the names of the formats.
var Formats = []string{"text", "sarif", "json", "github"}

// ParseOutputs reads values of the form FORMAT or FORMAT=FILE. A file of "-", or
// none, is standard output, which takes one format only.
func ParseOutputs(values []string) ([]Output, error) {
	outputs := make([]Output, 0, len(values))
	for _, value := range values {
		format, file, hasFile := strings.Cut(value, "=")
		switch {
		case !slices.Contains(Formats, format):
			return nil, fmt.Errorf("unknown format %q: expected one of %s", format, strings.Join(Formats, ", "))
		case hasFile && file == "":
			return nil, fmt.Errorf("format %s: expected a file after the =", format)
		case file == "-":
			file = ""
		case hasFile:
			file = filepath.Clean(file)
		}
		for _, other := range outputs {
			if other.File == file {
				return nil, fmt.Errorf("formats %s and %s both go to %s: give one of them a file of its own, as in %s=FILE",
					other.Format, format, destination(file), format)
			}
		}
		outputs = append(outputs, Output{Format: format, File: file})
	}
	return outputs, nil
}

func destination(file string) string {
	if file == "" {
		return "standard output"
	}
	return file
}

// Write writes a report to every output. One that fails keeps none of the
// others from being written. Text in a file has no colours unless they are
// always wanted.
func Write(outputs []Output, r *Report, stdout io.Writer, color ColorMode, env func(string) (string, bool)) error {
	var failed []error
	for _, o := range outputs {
		if err := o.write(r, stdout, color, env); err != nil {
			failed = append(failed, fmt.Errorf("writing %s to %s: %w", o.Format, destination(o.File), err))
		}
	}
	return errors.Join(failed...)
}

func (o Output) write(r *Report, stdout io.Writer, color ColorMode, env func(string) (string, bool)) error {
	if o.File == "" {
		return o.render(stdout, r, TextOptions{Color: color.Enabled(stdout, env)})
	}
	var content bytes.Buffer
	if err := o.render(&content, r, TextOptions{Color: color == ColorAlways}); err != nil {
		return err
	}
	return atomicfile.Write(o.File, content.Bytes())
}

func (o Output) render(w io.Writer, r *Report, opts TextOptions) error {
	switch o.Format {
	case "text":
		return Text(w, r, opts)
	case "sarif":
		return SARIF(w, r)
	case "json":
		return JSON(w, r)
	case "github":
		return GitHub(w, r)
	}
	return fmt.Errorf("unknown format %q", o.Format)
}

// ColorMode says when the text format has colours.
type ColorMode string

// The modes.
const (
	// ColorAuto is for colours on a terminal that knows them, unless NO_COLOR is
	// set; see https://no-color.org.
	ColorAuto   ColorMode = "auto"
	ColorAlways ColorMode = "always"
	ColorNever  ColorMode = "never"
)

// ParseColorMode reads auto, always or never.
func ParseColorMode(value string) (ColorMode, error) {
	switch mode := ColorMode(value); mode {
	case ColorAuto, ColorAlways, ColorNever:
		return mode, nil
	}
	return "", fmt.Errorf("unknown colour mode %q: expected auto, always or never", value)
}

// Enabled reports whether what goes to w is to have colours. The environment is
// asked through env, which is [os.LookupEnv] in a program.
func (m ColorMode) Enabled(w io.Writer, env func(string) (string, bool)) bool {
	if m != ColorAuto {
		return m == ColorAlways
	}
	if noColor, _ := env("NO_COLOR"); noColor != "" {
		return false
	}
	if name, _ := env("TERM"); name == "dumb" {
		return false
	}
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
