package command

import (
	"path/filepath"

	"github.com/derekg1729/dsnlint/pkg/confine"
	"github.com/derekg1729/dsnlint/pkg/internal/gitrepo"
	"github.com/derekg1729/dsnlint/pkg/linter"
	"github.com/derekg1729/dsnlint/pkg/report"
)

// sandbox keeps the command to what its command line names. A nil sandbox does
// nothing.
type sandbox struct {
	worker  *confine.Worker
	scratch *confine.Scratch
}

func newSandbox() *sandbox { return &sandbox{worker: confine.NewWorker(confine.Limits{})} }

// close ends the workers and removes the scratch directory.
func (s *sandbox) close() {
	s.worker.Close()
	s.scratch.Remove()
}

// access is what a command needs besides reading what its options name.
type access struct {
	// read lists more files to read.
	read []string
	// outputs are the files it writes.
	outputs []report.Output
	// changes is set where files below the root are changed.
	changes bool
}

// enter confines the process and sets what the options have of the sandbox. It
// comes before the first file is read that somebody else wrote: the contract is
// one, and so is a baseline.
func (s *sandbox) enter(opts *linter.Options, a access) error {
	if s == nil {
		return nil
	}
	opts.Runner = s.worker
	// Without a scratch directory a project that needs one says so.
	if scratch, err := confine.NewScratch(); err == nil {
		s.scratch, opts.Scratch = scratch, scratch.Dir()
	}
	root, err := linter.Root(*opts)
	if err != nil {
		// Whoever needs a root reports it. A contract is looked for here.
		root = "."
	}
	_, err = confine.Apply(policy(root, *opts, a))
	return err
}

func policy(root string, opts linter.Options, a access) confine.Policy {
	p := confine.Policy{Read: []string{root}, Scratch: opts.Scratch}
	if a.changes {
		p.Write = append(p.Write, root)
	}
	for _, output := range a.outputs {
		if output.File != "" {
			p.Outputs = append(p.Outputs, output.File)
		}
	}
	named := append([]string{opts.Contract, opts.Baseline}, a.read...)
	named = append(append(named, opts.EnvFiles...), opts.HelmValues...)
	for _, name := range named {
		if name != "" {
			p.Read = append(p.Read, name)
			p.List = append(p.List, filepath.Dir(name))
		}
	}
	if abs, err := filepath.Abs(root); err == nil {
		if abs, err = filepath.EvalSymlinks(abs); err == nil {
			git := gitrepo.PathsOf(abs)
			p.Read = append(p.Read, git.Git...)
			p.List = append(p.List, git.Above...)
			for _, dir := range git.Above {
				p.Read = append(p.Read, filepath.Join(dir, ".gitignore"))
			}
		}
	}
	return p
}

// describe confines the process as a command does that reads nothing, and says
// what came of it.
func (s *sandbox) describe() ([]string, error) {
	if s == nil {
		return nil, nil
	}
	status, err := confine.Apply(confine.Policy{})
	return append(status.Lines(), s.worker.Line()), err
}
