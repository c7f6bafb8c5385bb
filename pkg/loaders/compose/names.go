package compose

import (
	"slices"
	"strings"

	"github.com/derekg1729/dsnlint/pkg/internal/interp"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// variableName is the name that a text gives to a variable; empty where no part of
// it is known to be one. Compose takes more for a name than a shell does.
func variableName(s string) string { return nameOf(s, "_.-") }

// labelName is variableName for the name of a label.
func labelName(s string) string { return nameOf(s, "_.-/") }

func nameOf(s, others string) string {
	if isName(s, others) {
		return s
	}
	if name := manifest.VariableName(s); name != manifest.Masked {
		return name
	}
	return ""
}

// isName reports whether a text is made of ASCII letters, digits and the others.
func isName(s, others string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool {
		alphanumeric := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		return !alphanumeric && !strings.ContainsRune(others, r)
	})
}

// writtenAs is how a text is written where variables are part of it, and empty
// for any other text. Of ${NAME:-word} the name is enough.
func writtenAs(t interp.Template) string {
	if !hasVariable(t) {
		return ""
	}
	var b strings.Builder
	for _, s := range t {
		if s.Name == "" {
			b.WriteString(s.Text)
		} else {
			b.WriteString("${" + s.Name + "}")
		}
	}
	return b.String()
}

// writtenName is writtenAs for the name of NAME=value, with the variables of a
// scope.
func writtenName(t interp.Template, variables scope) string {
	for i, s := range t {
		text := s.Text
		if s.Name != "" {
			text, _, _ = interp.Template{s}.Eval(lookup(variables.get).text)
		}
		name, _, ok := strings.Cut(text, "=")
		if !ok {
			continue
		}
		left := slices.Clone(t[:i])
		if s.Name == "" {
			s.Text = name
		}
		return writtenAs(append(left, s))
	}
	return writtenAs(t)
}
