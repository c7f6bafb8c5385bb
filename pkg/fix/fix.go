// Package fix takes forbidden entries out of files of YAML. It works out byte ranges
// and writes nothing. Of the language that a file is in it knows only what the normal
// form of the containers says.
//
// An entry is removed where that is safe: where it is the container's own, in block
// style and under the forbidden name, where it reaches no other container, and where
// nothing else in the container reads the variable. What is not safe is refused with
// a reason. Every edit is tried before it is returned: the file without the entry is
// valid YAML, and differs from the file with it by that entry alone.
package fix

import (
	"maps"
	"slices"

	"github.com/derekg1729/dsnlint/pkg/manifest"
	"github.com/derekg1729/dsnlint/pkg/rules"
)

// Edit replaces the bytes from Start to End of a file with Text.
type Edit struct {
	File       string
	Start, End int
	Text       string
}

// Refusal is a finding whose entry is left alone.
type Refusal struct {
	Finding *rules.Finding
	// Reason says why, as the rest of a sentence about the entry.
	Reason manifest.Text
}

// removable are the rules whose findings are fixed by removing the entry.
var removable = map[string]bool{"RUNTIME_DSN_ONLY": true, "PROVISIONING_TRUST_BOUNDARY": true}

// Entry is what a removal takes away, by what it is and not by its place, which other
// removals shift.
type Entry struct{ File, Container, Variable string }

// EntryOf returns the entry that a finding is about.
func EntryOf(f *rules.Finding) Entry { return Entry{f.Position.File, f.Container.ID, f.Variable} }

// Fixer works out edits for the findings of one run.
type Fixer struct {
	findings []rules.Finding
	read     func(file string) ([]byte, error)
	files    map[string]*file
	// uses are what entries bring to containers, by their places.
	uses map[manifest.Position][]use
	// readers are the readers of the containers that were asked for.
	readers map[*manifest.Container]readers
	// accepted are the places of entries on which a person accepted a finding.
	accepted map[manifest.Position]bool
	// kept are the entries that stay, with the reasons.
	kept map[Entry]manifest.Text
	// budget is how many bytes may yet be parsed to try edits.
	budget int
}

// use is what an entry brings to one container.
type use struct {
	*manifest.Delivery
	container *manifest.Container
}

// maxTried bounds the time that trying edits takes; it is enough for six of the
// largest files that are read.
const maxTried = 64 << 20

// New makes a Fixer for findings. The containers are the very ones that the
// findings were made from, all of them, since an entry may reach one that may
// well have it; read gives the content of a file that a finding names.
func New(findings []rules.Finding, containers []manifest.Container, read func(file string) ([]byte, error)) *Fixer {
	f := &Fixer{
		findings: findings,
		read:     read,
		files:    map[string]*file{},
		uses:     map[manifest.Position][]use{},
		readers:  map[*manifest.Container]readers{},
		accepted: map[manifest.Position]bool{},
		budget:   maxTried,
	}
	for i := range containers {
		c := &containers[i]
		for j := range c.Deliveries {
			at := place(c.Deliveries[j].Position())
			f.uses[at] = append(f.uses[at], use{&c.Deliveries[j], c})
		}
	}
	for i := range findings {
		if findings[i].Suppression != nil {
			f.accepted[place(findings[i].Position)] = true
		}
	}
	return f
}

// place is a position without its end, which not everybody knows.
func place(p manifest.Position) manifest.Position {
	return manifest.Position{File: p.File, Line: p.Line, Column: p.Column}
}

// Keep has the entries stay that the caller has reasons for.
func (f *Fixer) Keep(kept map[Entry]manifest.Text) { f.kept = kept }

// Plan works out the edits that remove the entries of all findings together,
// sorted by file and place and without overlap. Findings that are suppressed or
// known, and those of rules that no removal fixes, are passed over; what else is
// not removed is refused, in the order of the findings.
func (f *Fixer) Plan() (edits []Edit, refused []Refusal) {
	all := make([]*rules.Finding, len(f.findings))
	for i := range f.findings {
		all[i] = &f.findings[i]
	}
	return f.plan(all)
}

func (f *Fixer) plan(findings []*rules.Finding) (edits []Edit, refused []Refusal) {
	wanted := map[manifest.Position]*target{}
	byFile := map[string][]*target{}
	reasons := map[*rules.Finding]manifest.Text{}
	for _, finding := range findings {
		if !finding.Active() || !removable[finding.Rule.ID] {
			continue
		}
		e, reason := f.locate(finding)
		if !reason.IsZero() {
			reasons[finding] = reason
			continue
		}
		at := place(finding.Position)
		if wanted[at] == nil {
			wanted[at] = &target{entry: e}
			byFile[e.file.name] = append(byFile[e.file.name], wanted[at])
		}
		wanted[at].findings = append(wanted[at].findings, finding)
	}
	for _, name := range slices.Sorted(maps.Keys(byFile)) {
		good, bad := f.try(f.files[name], byFile[name])
		edits = append(edits, f.files[name].edits(good)...)
		for _, t := range bad {
			for _, finding := range t.findings {
				reasons[finding] = manifest.Say("the way it is written leaves no safe way to cut it out")
			}
		}
	}
	for _, finding := range findings {
		if reason := reasons[finding]; !reason.IsZero() {
			refused = append(refused, Refusal{Finding: finding, Reason: reason})
		}
	}
	return edits, refused
}

// target is an entry to remove, with the findings on it.
type target struct {
	*entry
	findings []*rules.Finding
}

// try splits the targets of a file into those that can be removed together and
// the rest.
func (f *Fixer) try(file *file, wanted []*target) (good, bad []*target) {
	if len(wanted) == 0 || f.works(file, wanted) {
		return wanted, nil
	}
	if len(wanted) == 1 {
		return nil, wanted
	}
	half := len(wanted) / 2
	good, bad = f.try(file, wanted[:half])
	more, worse := f.try(file, wanted[half:])
	bad = slices.Concat(bad, worse)
	if both := slices.Concat(good, more); f.works(file, both) {
		return both, bad
	}
	return good, slices.Concat(bad, more)
}

func (f *Fixer) works(file *file, wanted []*target) bool {
	if f.budget -= len(file.data); f.budget < 0 {
		return false
	}
	return file.works(wanted)
}

// Apply makes the edits of one file, which are sorted and do not overlap.
func Apply(data []byte, edits []Edit) []byte {
	var out []byte
	at := 0
	for _, e := range edits {
		out = append(append(out, data[at:e.Start]...), e.Text...)
		at = e.End
	}
	return append(out, data[at:]...)
}
