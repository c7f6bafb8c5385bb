package rules

import (
	"testing"

	"github.com/derekg1729/dsnlint/pkg/contract"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

func TestInvalidSuppression(t *testing.T) {
	testOnFile(t, invalidSuppression, func(c *contract.Contract) []Finding {
		return InvalidSuppression(c, manifest.File("f.yaml"), line(3), manifest.Say("does not give a reason"))
	})
}
