package findings

import (
	"github.com/derekg1729/dsnlint/pkg/internal/source"
	"github.com/derekg1729/dsnlint/pkg/manifest"
	"github.com/derekg1729/dsnlint/pkg/rules"
)

// Locate adds to the positions of findings what only the files know: the bytes that
// they cover, and whether a name is really written where an entry should have it.
// A file of which index returns nil is passed over.
func Locate(findings []rules.Finding, index func(file string) *source.Index) {
	locate := func(p *manifest.Position) {
		if x := index(p.File); x != nil {
			*p = x.Locate(*p)
		}
	}
	for i := range findings {
		f := &findings[i]
		locate(&f.Position)
		for _, path := range f.Provenance {
			for k := range path {
				locate(&path[k].Position)
			}
		}
		name := f.NamePosition
		f.NamePosition = manifest.Position{}
		if x := index(name.File); x != nil {
			f.NamePosition = x.Find(name, f.Variable)
		}
	}
}
