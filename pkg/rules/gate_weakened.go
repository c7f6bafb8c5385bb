package rules

import (
	"github.com/derekg1729/dsnlint/pkg/contract"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

var gateWeakened = &Rule{
	ID:      "GATE_WEAKENED",
	Level:   contract.LevelWarning,
	Summary: "A change loosens what it is checked against: the contract, a role label, a suppression or the baseline.",
	Why: "A gate that the change itself can open is not a gate. dsnlint reports, with `--changed-since`, what a change takes away: globs added to `exclude`, " +
		"rules set to a lower level or off, entries gone from lists that forbid and added to lists that allow, new role labels, suppressions and baseline entries. " +
		"Neither a comment nor the baseline accepts such a finding. With `--policy-from` these do not count until they are merged.",
	Fix: "Leave the gate as it is, or let somebody who may decide it review this very line, best in a change of its own.",
}

// GateWeakened returns the finding for a place where a change loosens the gate; none
// where the contract has the rule off.
func GateWeakened(c *contract.Contract, pos manifest.Position, message manifest.Text) []Finding {
	return onFile(c, gateWeakened, manifest.File(pos.File), pos, manifest.Say("the change loosens its own gate: %s", message), manifest.Say("let somebody who may decide it review this line"))
}
