package gitrepo

import (
	"slices"
	"strings"
)

// Index lists the files that git tracks below a directory, committed or not.
type Index struct {
	// names are sorted, and relative to the directory.
	names []string
}

// Index reads git's index. A repository without one tracks nothing.
func (r *Repository) Index() (index *Index, err error) {
	defer recoverTo(&err)
	entries, err := r.Storer.Index()
	if err != nil {
		return nil, err
	}
	index = &Index{}
	for _, entry := range entries.Entries {
		name := entry.Name
		if r.prefix != "." {
			var below bool
			if name, below = strings.CutPrefix(name, r.prefix+"/"); !below {
				continue
			}
		}
		index.names = append(index.names, name)
	}
	slices.Sort(index.names)
	return index, nil
}

// Has reports whether git tracks a file.
func (x *Index) Has(name string) bool {
	_, found := slices.BinarySearch(x.names, name)
	return found
}

// Below lists the files that git tracks below a directory; "." is the one of the index.
func (x *Index) Below(dir string) []string {
	if dir == "." {
		return x.names
	}
	below := func(name string) bool { return !strings.HasPrefix(name, dir+"/") }
	return slices.DeleteFunc(slices.Clone(x.names), below)
}

// HasBelow reports whether git tracks a file below a directory.
func (x *Index) HasBelow(dir string) bool {
	at, _ := slices.BinarySearch(x.names, dir+"/")
	return at < len(x.names) && strings.HasPrefix(x.names[at], dir+"/")
}
