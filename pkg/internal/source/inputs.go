package source

import (
	"errors"
	"io/fs"
	"maps"
	"slices"
	"sync"
)

// Inputs is what a view of a tree was asked for: all that the outcome of reading a
// project depends on. It is safe for concurrent use.
type Inputs struct {
	mu                  sync.Mutex
	files, names, lists map[string]bool
}

func newInputs() *Inputs {
	return &Inputs{files: map[string]bool{}, names: map[string]bool{}, lists: map[string]bool{}}
}

// Files lists the files that were read, in order.
func (in *Inputs) Files() []string { return in.sorted(in.files) }

// Names lists the names that were looked for, in order, whether or not there is
// such a file or directory; those of Files are not among them.
func (in *Inputs) Names() []string { return in.sorted(in.names) }

// Directories lists the directories whose entries were listed, in order.
func (in *Inputs) Directories() []string { return in.sorted(in.lists) }

func (in *Inputs) sorted(set map[string]bool) []string {
	in.mu.Lock()
	defer in.mu.Unlock()
	return slices.Sorted(maps.Keys(set))
}

// read records that the content of a file was asked for.
func (in *Inputs) read(name string, err error) {
	if in == nil {
		return
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	if errors.Is(err, fs.ErrNotExist) {
		in.names[name] = true
	} else {
		in.files[name] = true
		delete(in.names, name)
	}
}

// look records that somebody asked what a name is.
func (in *Inputs) look(name string) {
	if in == nil {
		return
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	if !in.files[name] {
		in.names[name] = true
	}
}

func (in *Inputs) list(name string) {
	if in == nil {
		return
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	in.lists[name] = true
}
