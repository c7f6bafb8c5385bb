package quadlet

import (
	"bytes"
	"errors"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/derekg1729/dsnlint/pkg/internal/envfile"
	"github.com/derekg1729/dsnlint/pkg/internal/source"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// unit is a unit file with its drop-ins.
type unit struct {
	file string
	// name is that of the file without its extension.
	name    string
	entries map[sectionKey][]entry
}

type sectionKey struct{ section, key string }

// last returns the last assignment of a key.
func (u *unit) last(section, key string) (entry, bool) {
	all := u.entries[sectionKey{section, key}]
	if len(all) == 0 {
		return entry{}, false
	}
	return all[len(all)-1], true
}

// plain returns the value of the last assignment, of which Quadlet takes double
// quotes around all of it off.
func (u *unit) plain(section, key string) (text, bool) {
	e, ok := u.last(section, key)
	if s := e.value.content; len(s) > 1 && s[0] == '"' && s[len(s)-1] == '"' {
		return e.value.slice(1, len(s)-1), true
	}
	return e.value, ok && e.value.content != ""
}

// is reports whether a switch is on.
func (u *unit) is(section, key string) bool {
	value, _ := u.plain(section, key)
	return slices.Contains([]string{"1", "yes", "true", "on"}, strings.ToLower(value.content))
}

// all returns the assignments of a key since the last that is empty.
func (u *unit) all(section, key string) []entry {
	all := u.entries[sectionKey{section, key}]
	for i, e := range slices.Backward(all) {
		if e.value.content == "" {
			return all[i+1:]
		}
	}
	return all
}

// The sections that are looked at.
const (
	containerSection = "Container"
	podSection       = "Pod"
	serviceSection   = "Service"
	unitSection      = "Unit"
	installSection   = "Install"
)

// set is what is loaded of one directory: Quadlet reads units by their names, and
// looks for the drop-ins of each in directories beside it.
type set struct {
	tree *source.Tree
	dir  string
	// beside are the entries of the directory.
	beside map[string]bool
	// parsed and envFiles are read once, although several units may use them.
	parsed   map[string][]entry
	envFiles map[string][]envfile.Entry
	units    map[string]*unit
	problems []*manifest.Problem
	// left is what may still be spent of maxWork.
	left int
}

func (s *set) report(p *manifest.Problem) { s.problems = append(s.problems, p) }

// The bytes that may be read for a directory, counting each again for every unit that
// takes it from a drop-in or an env file, and what an assignment or a word counts for
// besides.
const (
	maxWork    = 16 << 20
	costOfWord = 128
)

// spend accounts for work, and reports whether it may go on. Where the last of it is
// spent, a problem says so once.
func (s *set) spend(work int, file string) bool {
	if s.left <= 0 {
		return false
	}
	if s.left -= work; s.left <= 0 {
		s.report(&manifest.Problem{
			Severity: manifest.Error, Position: manifest.Position{File: file},
			Message: manifest.Say("with drop-ins and env files the units of this directory hold more than %s MiB; what is behind this file is not checked", manifest.Number(maxWork>>20)),
			Hint:    manifest.Say("check fewer units at a time"),
		})
		return false
	}
	return true
}

// unit returns the unit of a file of the directory, or nil where there is none.
func (s *set) unit(base string) *unit {
	if u, ok := s.units[base]; ok || !s.beside[base] {
		return u
	}
	file := path.Join(s.dir, base)
	u := &unit{file: file, name: strings.TrimSuffix(base, path.Ext(base)), entries: map[sectionKey][]entry{}}
	s.units[base] = u
	for _, name := range append([]string{file}, s.dropIns(u, path.Ext(base))...) {
		for _, e := range s.parse(name) {
			if !s.spend(costOfWord+len(e.value.content), name) {
				break
			}
			k := sectionKey{e.section, e.key}
			u.entries[k] = append(u.entries[k], e)
		}
	}
	return u
}

func (s *set) parse(file string) []entry {
	if known, ok := s.parsed[file]; ok {
		return known
	}
	s.parsed[file] = nil
	data, err := s.tree.ReadAs(file, syntax)
	if err != nil {
		s.report(manifest.AsProblem(err, file))
		return nil
	}
	if !s.spend(len(data)+costOfWord*bytes.Count(data, []byte("\n")), file) {
		return nil
	}
	entries, problems := parse(file, data)
	s.parsed[file], s.problems = entries, append(s.problems, problems...)
	return entries
}

// dropIns lists the drop-ins of a unit in the order in which they are read, that of
// their names. Of the same name in several directories counts the one in the most
// specific.
func (s *set) dropIns(u *unit, ext string) []string {
	template, instance, _ := strings.Cut(u.name, "@")
	at := u.name[len(template):]
	dirs := []string{u.name + ext + ".d"}
	if instance != "" {
		dirs = append(dirs, template+"@"+ext+".d")
	}
	for i := len(template) - 1; i >= 0; i-- {
		if template[i] != '-' {
			continue
		}
		if at != "" {
			dirs = append(dirs, template[:i+1]+"@"+ext+".d")
		}
		dirs = append(dirs, template[:i+1]+ext+".d")
	}
	dirs = append(dirs, ext[1:]+".d")
	found := map[string]string{}
	for _, dir := range dirs {
		if !s.beside[dir] {
			continue
		}
		entries, err := fs.ReadDir(s.tree.FS(), path.Join(s.dir, dir))
		if err != nil {
			s.report(&manifest.Problem{
				Severity: manifest.Error, Position: manifest.Position{File: path.Join(s.dir, dir)},
				Message: manifest.Say("cannot read the drop-ins: %s", source.SystemReason(err)),
			})
			continue
		}
		for _, e := range entries {
			if base := e.Name(); path.Ext(base) == ".conf" && found[base] == "" {
				found[base] = path.Join(s.dir, dir, base)
			}
		}
	}
	var files []string
	for _, base := range slices.Sorted(maps.Keys(found)) {
		files = append(files, found[base])
	}
	return files
}

// words splits the values of a list.
func (s *set) words(entries []entry) []word {
	var all []word
	for _, e := range entries {
		if !s.spend(costOfWord*(1+strings.Count(e.value.content, " ")), e.value.file) {
			return all
		}
		words, bad := e.value.words()
		all = append(all, words...)
		if len(bad) > 0 {
			s.report(&manifest.Problem{
				Severity: manifest.Error, Position: bad[0],
				Message: manifest.Say("not an escape of systemd; Podman ignores all of %s here", manifest.Name(e.key)),
				Hint:    manifest.Say("write a backslash as two"),
			})
		}
	}
	return all
}

// envFile returns the entries of an env file of the tree, or why it has none.
func (s *set) envFile(name string, at manifest.Position) ([]envfile.Entry, manifest.Text) {
	entries, known := s.envFiles[name]
	if !known {
		data, err := s.tree.ReadAs(name, envfile.Raw)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil, manifest.Say("the file does not exist")
		case err != nil:
			s.report(manifest.AsProblem(err, name))
			return nil, manifest.Say("the file cannot be read")
		case !s.spend(len(data)+costOfWord*bytes.Count(data, []byte("\n")), name):
			return nil, manifest.Say("it is too large")
		}
		var invalid *envfile.Error
		if entries, err = envfile.ParseRaw(name, data); errors.As(err, &invalid) {
			s.report(&manifest.Problem{
				Severity: manifest.Error, Position: invalid.Position, Message: invalid.Message,
			})
		}
		s.envFiles[name] = entries
	}
	for _, e := range entries {
		if !s.spend(costOfWord+len(e.Text), at.File) {
			return nil, manifest.Say("it is too large")
		}
	}
	return entries, manifest.Text{}
}
