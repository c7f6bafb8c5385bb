package fix

import (
	"github.com/derekg1729/dsnlint/pkg/manifest"
	"github.com/derekg1729/dsnlint/pkg/rules"
)

// Replacement is an Edit by its place, as SARIF has it in
// fix.artifactChanges.replacements: Region is its deletedRegion, with columns in
// code points, and Text its insertedContent.
type Replacement struct {
	Region manifest.Position
	Text   string
}

// Replacements works out what removes the entry of one finding, in one file, and
// leaves the others; none where it is refused.
func (f *Fixer) Replacements(finding *rules.Finding) []Replacement {
	edits, _ := f.plan([]*rules.Finding{finding})
	var all []Replacement
	for _, e := range edits {
		all = append(all, Replacement{Region: f.files[e.File].Range(e.File, e.Start, e.End), Text: e.Text})
	}
	return all
}
