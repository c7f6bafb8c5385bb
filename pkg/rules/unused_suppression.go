package rules

import (
	"github.com/derekg1729/dsnlint/pkg/contract"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

var unusedSuppression = &Rule{
	ID:      "UNUSED_SUPPRESSION",
	Level:   contract.LevelWarning,
	Summary: "A dsnlint:ignore comment suppresses nothing.",
	Why:     "What it accepted is gone. Left in place, the comment would hide the next finding on that line unseen.",
	Fix:     "Remove the comment.",
}

// UnusedSuppression returns the finding for a comment that suppresses nothing of the
// rule; none where the contract has UNUSED_SUPPRESSION off.
func UnusedSuppression(c *contract.Contract, file *manifest.Container, pos manifest.Position, rule string) []Finding {
	return onFile(c, unusedSuppression, file, pos,
		manifest.Say("the dsnlint:ignore comment for %s suppresses nothing", manifest.Name(rule)), manifest.Say("remove the comment"))
}
