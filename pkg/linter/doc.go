// Package linter ties the pieces together: it finds the root and the contract,
// lets the loaders read the manifests and the rules judge the containers, and
// hands back a report.
//
// # Rules of one's own
//
// A program that imports this package may pass rules of its own in [Options]. They
// see the same containers as the built-in ones, and a contract file may set their
// levels and a comment may suppress their findings by their ids. The command has the
// built-in rules only, and refuses a contract that names another.
//
// # Stability
//
// The packages linter, rules and manifest are meant for other programs, and follow
// semantic versioning. So does what their types mention of the packages contract and
// report: roles, levels, phases, and the fields of a contract and of a report. The
// JSON document of package report carries the number of its own version, which goes
// up with a change that is not an addition.
//
// All other packages, the loaders, fix and confine among them, are shared by the
// parts of dsnlint only, and may change in any release. So may what gives access to
// them, the Runner and Scratch of [Options], [Fixed] and the fixes of a report, and
// the texts of messages, which are for people.
package linter
