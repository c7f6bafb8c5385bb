package confine

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Scratch is a directory for files that exist during one run only.
type Scratch struct{ dir string }

// NewScratch makes a directory of mode 0700 among the temporary files of the
// system or, where that cannot be written, among the cached files of the user. It
// removes the directories that earlier runs of the same user left when they were
// killed. It is called before [Apply], which the directory has to be told.
func NewScratch() (*Scratch, error) {
	err := error(nil)
	for _, place := range scratchPlaces() {
		removeLeftovers(place)
		var dir string
		if dir, err = os.MkdirTemp(place, scratchPrefix(os.Getpid())+"*"); err == nil {
			return &Scratch{dir: dir}, nil
		}
	}
	return nil, fmt.Errorf("no directory for temporary files can be used: %w", err)
}

func scratchPlaces() []string {
	places := append([]string{os.TempDir()}, systemPlaces...)
	if cache, err := os.UserCacheDir(); err == nil {
		places = append(places, cache)
	}
	return places
}

// Dir returns the path of the directory.
func (s *Scratch) Dir() string { return s.dir }

// Remove removes the directory with all that is in it. What it cannot remove the
// next run does. A nil Scratch has none.
func (s *Scratch) Remove() {
	if s == nil {
		return
	}
	// os.RemoveAll would open the directory above, which a confined process
	// cannot.
	entries, _ := os.ReadDir(s.dir)
	for _, entry := range entries {
		_ = os.RemoveAll(filepath.Join(s.dir, entry.Name()))
	}
	_ = os.Remove(s.dir)
}

const scratchName = "dsnlint-scratch-"

// scratchPrefix is how the directories of a process are named. Two processes in
// containers that share a directory may have the same number, so the name also
// says which numbers are meant.
func scratchPrefix(pid int) string {
	return fmt.Sprintf("%s%s-%d-", scratchName, processNamespace(), pid)
}

// removeLeftovers removes the directories of processes that have ended.
func removeLeftovers(place string) {
	names, err := filepath.Glob(filepath.Join(place, scratchName+processNamespace()+"-*"))
	if err != nil {
		return
	}
	for _, name := range names {
		var pid int
		rest := strings.TrimPrefix(filepath.Base(name), scratchName+processNamespace()+"-")
		if _, err := fmt.Sscanf(rest, "%d-", &pid); err != nil || pid <= 0 || isAlive(pid) {
			continue
		}
		if info, err := os.Lstat(name); err == nil && info.IsDir() && isOwn(info) {
			_ = os.RemoveAll(name) // Another run may be removing it too.
		}
	}
}
