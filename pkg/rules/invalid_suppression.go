package rules

import (
	"github.com/derekg1729/dsnlint/pkg/contract"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

var invalidSuppression = &Rule{
	ID:      "INVALID_SUPPRESSION",
	Level:   contract.LevelWarning,
	Summary: "A dsnlint:ignore comment names no known rule, does not give a reason or only comes near the form, and so accepts nothing.",
	Why: "A suppression is a decision that somebody will question later. Without the rule's name it might hide what nobody has seen yet, " +
		"and without a reason nobody can report whether it still holds.",
	Fix: "Write `# dsnlint:ignore RULE reason` at the end of the finding's line or on the line above it.",
}

// InvalidSuppression returns the finding for a comment in a file, a
// [manifest.File], that accepts nothing; none where the contract has the rule off.
func InvalidSuppression(c *contract.Contract, file *manifest.Container, pos manifest.Position, reason manifest.Text) []Finding {
	return onFile(c, invalidSuppression, file, pos,
		manifest.Say("the dsnlint:ignore comment %s, so it accepts nothing", reason), manifest.Say("write # dsnlint:ignore RULE reason"))
}
