// Package findings is what becomes of a finding once it is made: its fingerprint, the
// comments and the baseline that accept it, and whether a change since a revision
// bears on it.
//
// A comment accepts the findings of its line, or where it is on a line of its own
// those of the line below, and gives a reason:
//
//	# dsnlint:ignore RULE[,RULE] reason
//
// Changes are read from git's object store, in process; nothing is ever fetched.
package findings
