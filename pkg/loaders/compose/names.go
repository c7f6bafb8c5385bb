package compose

import (
	"slices"
	"strings"

	"github.com/derekg1729/dsnlint/pkg/internal/interp"
)

// variableName is a name as far as it can be one of a variable. What follows,
// as in NAME:value, was meant for something else and may be a value.
func variableName(s string) string { return cutName(s, "_.-") }

// labelName is variableName for the name of a label.
func labelName(s string) string { return cutName(s, "_.-/") }

// cutName cuts a text at the first character that is neither an ASCII letter nor
// a digit nor one of the given ones.
func cutName(s, others string) string {
	for i, r := range s {
		alphanumeric := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		if !alphanumeric && !strings.ContainsRune(others, r) {
			return s[:i]
		}
	}
	return s
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
