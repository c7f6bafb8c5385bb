package rules

import (
	"github.com/derekg1729/dsnlint/pkg/contract"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

var invalidSuppression = &Rule{
	ID:      "INVALID_SUPPRESSION",
	Level:   contract.LevelWarning,
	Summary: "A dsnlint:ignore comment names no known rule or gives no reason, and so accepts nothing.",
	Why: "A suppression is a decision that somebody will question later. Without the rule's name it might hide what nobody has seen yet, " +
		"and without a reason nobody can tell whether it still holds.",
	Fix:   "Write `# dsnlint:ignore RULE reason` at the end of the finding's line or on the line above it.",
	check: func(*pass) {},
}

var unusedSuppression = &Rule{
	ID:      "UNUSED_SUPPRESSION",
	Level:   contract.LevelWarning,
	Summary: "A dsnlint:ignore comment meets no finding.",
	Why:     "What it accepted is gone. Left in place, the comment would hide the next finding on that line unseen.",
	Fix:     "Remove the comment.",
	check:   func(*pass) {},
}

// InvalidSuppression returns the finding for a comment in a file, a
// [manifest.File], that accepts nothing; none
// where the contract has the rule off.
func InvalidSuppression(c *contract.Contract, file *manifest.Container, pos manifest.Position, reason manifest.Text) []Finding {
	return onFile(c, invalidSuppression, file, pos,
		manifest.Say("the dsnlint:ignore comment %s, so it accepts nothing", reason), manifest.Say("write # dsnlint:ignore RULE reason"))
}

// UnusedSuppression gives the finding for a comment that meets no finding of the
// rule; none where the contract has UNUSED_SUPPRESSION off.
func UnusedSuppression(c *contract.Contract, file *manifest.Container, pos manifest.Position, rule string) []Finding {
	return onFile(c, unusedSuppression, file, pos,
		manifest.Say("the dsnlint:ignore comment for %s suppresses nothing", manifest.Name(rule)), manifest.Say("remove the comment"))
}

// onFile makes a finding that is about no container.
func onFile(c *contract.Contract, rule *Rule, file *manifest.Container, pos manifest.Position, message, fix manifest.Text) []Finding {
	level := rule.levelIn(c)
	if level == contract.LevelOff {
		return nil
	}
	return []Finding{at(pos, message, Finding{
		Rule: rule, Level: level, Container: file, Role: contract.Other, Message: message, Fix: fix,
	})}
}
