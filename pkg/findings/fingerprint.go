package findings

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/derekg1729/dsnlint/pkg/manifest"
	"github.com/derekg1729/dsnlint/pkg/rules"
)

// FingerprintKey is the key of ours among a result's partialFingerprints. The
// number goes up when the way [Fingerprints] are made changes.
const FingerprintKey = "dsnlint/v1"

// Fingerprints identifies each finding by what it is about and not by where it
// is in its file, so that it survives edits above it and reformatting: a
// hash over the rule, the file, the container, the channel, the variable and
// the secrets. Findings that agree in all of these are told apart by a number
// in their order.
func Fingerprints(findings []rules.Finding) []string {
	seen := map[string]int{}
	prints := make([]string, len(findings))
	for i := range findings {
		f := &findings[i]
		hash := sha256.New()
		parts := []string{
			f.Rule.ID, f.Position.File, shown(f.Container.ID), string(f.Channel), shown(f.Variable),
		}
		for _, secret := range f.Secrets {
			parts = append(parts, shown(secret))
		}
		for _, part := range parts {
			// The length keeps neighbours apart: "ab", "c" is not "a", "bc".
			_, _ = fmt.Fprintf(hash, "%d:%s", len(part), part)
		}
		base := hex.EncodeToString(hash.Sum(nil)[:16])
		seen[base]++
		prints[i] = fmt.Sprintf("%s:%d", base, seen[base])
	}
	return prints
}

// shown is a name as a report shows it, so that a fingerprint gives nothing away.
func shown(name string) string { return manifest.Name(name).String() }
