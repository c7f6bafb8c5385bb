package rules

import (
	"testing"

	"github.com/derekg1729/dsnlint/pkg/contract"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

func TestGateWeakened(t *testing.T) {
	testOnFile(t, gateWeakened, func(c *contract.Contract) []Finding {
		return GateWeakened(c, line(3), manifest.Say("exclude has an entry more"))
	})
}
