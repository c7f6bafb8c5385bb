package suggest_test

import (
	"strings"
	"testing"

	"github.com/derekg1729/dsnlint/pkg/internal/suggest"
)

func TestNearest(t *testing.T) {
	known := []string{"roles", "rootDSN", "exclude", "env", "envFrom", "p0"}
	for word, want := range map[string]string{
		"rolse": "roles", "role": "roles", "root_dsn": "rootDSN", "ROOTDSN": "rootDSN", "exlcude": "exclude",
		"envfrom": "envFrom", "envfron": "envFrom", "en": "", "P0": "p0", "p1": "", "secrets": "", "": "",
		strings.Repeat("x", 1_000_000): "",
	} {
		if got, ok := suggest.Nearest(word, known); got != want || ok != (want != "") {
			t.Errorf("%.20q: got %q, want %q", word, got, want)
		}
	}
}
