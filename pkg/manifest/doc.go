// Package manifest is the normal form of everything dsnlint reads: containers,
// what reaches each of them, by which channel, and where in the manifests that
// is written. Loaders build it and rules judge it, so it knows neither a
// dialect nor a rule, and it imports nothing else of dsnlint.
package manifest
