// Package rules judges containers by a contract. It knows no dialect: all it
// sees is the normal form of pkg/manifest. Each rule is in a file of its own, with
// its test beside it, and in the list All; its examples are in examples/ID.
//
// A program may have rules of its own: a [Rule] is a value whose Check looks at the
// containers of a [Pass] and reports to it.
package rules

import (
	"cmp"

	"github.com/derekg1729/dsnlint/pkg/contract"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// Rule is one invariant of the contract and the check that enforces it.
type Rule struct {
	// ID is the invariant's own name in the contract document, in capital letters,
	// digits and underscores.
	ID string
	// Level is the level of its findings unless the contract sets another.
	Level contract.Level
	// Summary says in one sentence what is wrong.
	Summary string
	// Why says why the invariant exists, in Markdown.
	Why string
	// Fix says how to fix a finding, in Markdown.
	Fix string
	// Examples show manifests with and without the finding.
	Examples []Example
	// SecuritySeverity is GitHub's score for security findings, from 0.1 to
	// 10.0; zero for a rule that is not about security.
	SecuritySeverity float64
	// Check reports the findings of all containers; nil for a rule on something else,
	// such as comments.
	Check func(*Pass)
}

// LevelIn returns the level that a contract gives the rule.
func (r *Rule) LevelIn(c *contract.Contract) contract.Level { return cmp.Or(c.Rules[r.ID], r.Level) }

// Example is a pair of manifests that differ in what the rule is about.
type Example struct {
	// Title says what it is written in.
	Title string
	// Bad has the finding, Good does not.
	Bad, Good string
}

// Finding is one broken rule, one container, one variable (or file, or
// argument) and one position. It holds no value.
type Finding struct {
	Rule  *Rule
	Level contract.Level

	Container *manifest.Container
	Role      contract.Role
	Channel   manifest.Channel
	// Variable is the name under which the container gets the secret; empty for
	// a finding on the container itself.
	Variable string
	// Expr is how the value of Variable is built; nil where nothing is known of it,
	// and where the finding is about no value.
	Expr manifest.Expr
	// Secrets are the contract's names that reach the container in it.
	Secrets []string

	// Message says in one sentence what reaches what, and how.
	Message manifest.Text
	// Fix says what to do about this very finding.
	Fix manifest.Text

	// Position is the entry that puts the variable into the container.
	Position manifest.Position
	// NamePosition is where the entry has the name of Variable, without quotes; zero
	// where it does not have it as it is.
	NamePosition manifest.Position
	// Provenance leads from that entry back to where the secret comes from, one
	// path for each of Secrets. Each path begins at Position.
	Provenance [][]manifest.Step
	// Overlays are the rendered roots that show the finding.
	Overlays []string

	// Suppression is set where a person accepted the finding in the source.
	Suppression *Suppression
	// Known reports whether the baseline has the finding already.
	Known bool
}

// Suppression is a comment that accepts a finding.
type Suppression struct {
	// Reason is what the comment gives as justification; it is not empty.
	Reason   manifest.Prose
	Position manifest.Position
}

// Active reports whether the finding still asks for something to be done.
func (f *Finding) Active() bool { return f.Suppression == nil && !f.Known }
