package rules

import (
	"testing"

	"github.com/derekg1729/dsnlint/pkg/contract"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

func TestUnusedSuppression(t *testing.T) {
	testOnFile(t, unusedSuppression, func(c *contract.Contract) []Finding {
		return UnusedSuppression(c, manifest.File("f.yaml"), line(3), "RUNTIME_DSN_ONLY")
	})
}
