package interp_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/template"
	"github.com/sirupsen/logrus"

	"github.com/derekg1729/dsnlint/pkg/internal/interp"
)

var environment = map[string]string{"A": "a", "B": "", "_c9": "}", "D": "${A}", "ſ": "long s"}

func lookup(name string) (string, bool) {
	value, ok := environment[name]
	return value, ok
}

func TestEval(t *testing.T) {
	for text, want := range map[string]string{
		"":                        "",
		"plain":                   "plain",
		"$A-$A":                   "a-a",
		"${A}b":                   "ab",
		"$$A $$$A":                "$A $a",
		"$ $1 $":                  "$ $1 $",
		"${X:-x}${B:-b}${B-b}":    "xb",
		"${X:-${A}}${X-${B:-$A}}": "aa",
		"${A:+p}${B:+p}${B+p}":    "pp",
		"${X:?needed}${B:?full}":  "",
		"${A:?${}":                "a",
		"${X:-{}} tail":           "{} tail",
		"${A:-${}":                "a",
		"$D":                      "${A}",
		"a ${A} b\n${X:-y}\n":     "a a b\ny\n",
	} {
		parsed, err := interp.Parse(text)
		if err != nil {
			t.Errorf("Parse(%q): %v", text, err)
			continue
		}
		if got, _, err := parsed.Eval(lookup); err != nil || got != want {
			t.Errorf("%q: got %q, %v, want %q", text, got, err, want)
		}
	}
}

func TestInvalid(t *testing.T) {
	for _, text := range []string{"${", "${}", "${1}", "${A", "${A!}", "${A:-x\n}", "x ${A:} y"} {
		if _, err := interp.Parse(text); !errors.Is(err, interp.ErrInvalid) {
			t.Errorf("Parse(%q): got %v, want ErrInvalid", text, err)
		}
	}
	deep := strings.Repeat("${X:-", 1000) + strings.Repeat("}", 1000)
	if _, err := interp.Parse(deep); !errors.Is(err, interp.ErrTooDeep) {
		t.Errorf("nested defaults: got %v, want ErrTooDeep", err)
	}
}

func TestEvalIsBounded(t *testing.T) {
	parsed, err := interp.Parse(strings.Repeat("$V", 1<<16))
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("v", 1<<10)
	if _, _, err := parsed.Eval(func(string) (string, bool) { return long, true }); !errors.Is(err, interp.ErrTooLong) {
		t.Errorf("got %v, want ErrTooLong", err)
	}
}

// FuzzEval holds the package against compose-go's own.
func FuzzEval(f *testing.F) {
	logrus.SetOutput(io.Discard)
	for _, seed := range []string{
		"$A ${B} $$ ${X:-y} ${A:+z}", "${A:-{}} ${B}", "${X:-${Y:-{z}}}", "${X-a}}b", "${", "$", "${A:?m}", "${B:?${A}}",
		"${ſ}${K}$ſx", "${A:-b\nc}", "${A+}${A:+}", "${X:-$}", "${_c9}${D:-}", "a{b}${X:-}c}", "${A?b:-c}${X:-}}}",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 1<<12 {
			t.Skip("compose-go takes quadratic time")
		}
		want, wantErr := template.Substitute(text, lookup)
		parsed, err := interp.Parse(text)
		var got string
		var missing bool
		if err == nil {
			got, missing, err = parsed.Eval(lookup)
		}
		var required *template.MissingRequiredError
		switch {
		case errors.Is(err, interp.ErrTooDeep):
			return
		case errors.As(wantErr, &required):
			if err == nil && !missing {
				t.Fatalf("%q: compose-go misses a required variable, we miss none", text)
			}
		case wantErr != nil:
			// The message of a required variable is read by compose-go alone.
			if err == nil && (!missing || !strings.Contains(text, "?")) {
				t.Fatalf("%q: compose-go refuses it, we do not", text)
			}
		case err != nil:
			t.Fatalf("%q: got %v, compose-go takes it", text, err)
		case got != want:
			t.Fatalf("%q: got %q, compose-go has %q", text, got, want)
		}
	})
}
