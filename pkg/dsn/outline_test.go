package dsn

import (
	"strings"
	"testing"

	"github.com/derekg1729/dsnlint/pkg/manifest"
)

func braces(name, standard string) string {
	if standard != "" {
		name += ":-" + standard
	}
	return "${" + name + "}"
}

func TestOutline(t *testing.T) {
	// A < begins a reference and > ends it; - inside it begins its default.
	for in, want := range map[string]string{
		"":                                      "",
		"hunter2":                               "***",
		"<A>":                                   "${A}",
		"x<A>y":                                 "***${A}***",
		"postgresql://<U>:<P>@postgres:5432/db": "postgresql://${U}:${P}@postgres:5432/db",
		"postgres://root:hunter2@db/x":          "postgres://root:***@db/x",
		"postgres://root:hunter2@db/x?sslmode=<SSL-hunter2>": "postgres://root:***@db/x?***${SSL:-***}",
		"postgres://app_<X>:hunter2<P>@<H>:<PORT>/<D>":       "postgres://app_${X}:***${P}@${H}:${PORT}/${D}",
		"postgres://u:hunter2@a:1,b:2/d":                     "postgres://u:***@a:1,b:2/d",
		"<D-postgres://u:hunter2@h/d>":                       "${D:-postgres://u:***@h/d}",
		"postgres://hunter2@h/d":                             "postgres://***@h/d",
		"postgres://u:hunter2":                               "***",
		"postgres://u:hun@ter2@h/d":                          "***",
		"postgres://u:hun/ter2@h/d":                          "***",
		"postgres://u:hun?ter2@h/d":                          "***",
		"postgres://h:5432/d?password=abc@hunter2":           "***",
		"postgres://u:p@h/d?password=abc@hunter2":            "***",
		"postgres://u:p@h/d/hunter2":                         "***",
		"postgres://u:p@h:hunter2/d":                         "***",
		"postgres://u:p@h/d postgres://u:p@hunter2/d":        "***",
		"psql postgres://u:hunter2@h/d":                      "***",
		"host=h password=hunter2":                            "***",
		"https://u:hunter2@h/d":                              "***",
		"postgres://u:p@h/hun\x01ter2":                       "***",
		"postgres://u:p@h/d\nhunter2":                        "***",
	} {
		if got := Outline(written(in), braces); got != want {
			t.Errorf("%s is shown as %s, want %s", in, got, want)
		}
	}
	if got := Outline(nil, braces); got != manifest.Masked {
		t.Errorf("what is not known is shown as %q", got)
	}
	deep := manifest.Literal("hunter2")
	for range 100 {
		deep = manifest.Expr{{Ref: &manifest.Ref{Name: "D", Default: deep}}}
	}
	if got := Outline(deep, braces); strings.Count(got, "D") > maxNested {
		t.Errorf("nested defaults are shown as %s", got)
	}
}

// written makes the expression that a test writes.
func written(s string) manifest.Expr {
	e := manifest.Expr{}
	for s != "" {
		before, rest, found := strings.Cut(s, "<")
		if before != "" {
			e = append(e, manifest.Part{Literal: manifest.Known(before)})
		}
		if !found {
			break
		}
		end := strings.LastIndex(rest, ">")
		if next := strings.Index(rest, "<"); next >= 0 && strings.Index(rest, ">") < next {
			end = strings.Index(rest, ">")
		}
		inner := rest[:end]
		s = rest[end+1:]
		ref := &manifest.Ref{Kind: manifest.RefVariable}
		name, standard, hasDefault := strings.Cut(inner, "-")
		if ref.Name = name; hasDefault {
			ref.Default = written(standard)
		}
		e = append(e, manifest.Part{Ref: ref})
	}
	return e
}
