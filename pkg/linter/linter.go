package linter

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/derekg1729/dsnlint/pkg/contract"
	"github.com/derekg1729/dsnlint/pkg/findings"
	"github.com/derekg1729/dsnlint/pkg/fix"
	"github.com/derekg1729/dsnlint/pkg/internal/source"
	"github.com/derekg1729/dsnlint/pkg/loaders"
	"github.com/derekg1729/dsnlint/pkg/loaders/compose"
	"github.com/derekg1729/dsnlint/pkg/loaders/engine"
	"github.com/derekg1729/dsnlint/pkg/loaders/helm"
	"github.com/derekg1729/dsnlint/pkg/loaders/kubernetes"
	"github.com/derekg1729/dsnlint/pkg/manifest"
	"github.com/derekg1729/dsnlint/pkg/report"
	"github.com/derekg1729/dsnlint/pkg/rules"
)

// Options say what to lint and by what.
type Options struct {
	// Paths are files, directories, patterns that end in /... and "-" for standard
	// input, as the operating system writes them.
	Paths []string
	// Stdin is what "-" reads, and StdinFilename the name it goes by.
	Stdin         io.Reader
	StdinFilename string
	// Overlays are the contents of files by their names, as the operating system
	// writes them, that take the place of what is on disk, whether or not there is
	// such a file: the unsaved buffers of an editor. Those outside the root are an
	// error.
	Overlays map[string][]byte
	// Root is the repository's root; found from the paths when empty.
	Root string
	// Contract is the contract file; found from the paths when empty.
	Contract string
	// Phase overrides the contract's phase when not empty.
	Phase contract.Phase
	// EnvFiles are read in place of the .env beside a Compose file.
	EnvFiles []string
	// HelmValues are files of values that every chart is rendered with.
	HelmValues []string
	// Environ are the variables, as NAME=value, that Compose files may take
	// their values from; nil for none.
	Environ []string
	// Baseline is a SARIF file of an earlier run whose findings are known; none
	// when empty.
	Baseline string
	// ChangedSince is the git revision that findings must be caused since; all
	// are reported when empty.
	ChangedSince string
	// PolicyFrom is the git revision that the contract, the baseline, suppressions
	// and role labels are taken from, so that a change cannot loosen the gate that it
	// has to pass; they are those of the working tree when empty.
	PolicyFrom string
	// Rules are rules of the caller's own, which run beside the built-in ones. A
	// contract and a suppression may name them like any other.
	Rules []*rules.Rule
	// Version is the tool's version.
	Version string
	// Runner runs the engines that render charts and overlays. With nil they run
	// in this process, where nothing can stop one but the limits that it counts
	// itself.
	Runner engine.Runner
	// Scratch is a directory for files that a loader needs for the time of the
	// run; with an empty one a loader makes its own.
	Scratch string
}

// rules lists every rule that runs.
func (o *Options) rules() []*rules.Rule { return slices.Concat(rules.All, o.Rules) }

// Run lints. The error is for what keeps it from starting at all; what is wrong
// with an input, the contract included, is in the report, and so is what was not
// reached before the deadline of ctx.
func Run(ctx context.Context, opts Options) (*report.Report, error) {
	tree, err := openTree(opts)
	if err != nil {
		return nil, err
	}
	// What the report asks for later, it has read by now and still knows.
	defer func() { _ = tree.Close() }()
	r, _, err := run(ctx, tree, opts)
	return r, err
}

// run lints the tree, and returns the containers that the findings are about.
func run(ctx context.Context, tree *source.Tree, opts Options) (*report.Report, []manifest.Container, error) {
	if err := rules.Validate(opts.Rules); err != nil {
		return nil, nil, err
	}
	all := opts.rules()
	r := &report.Report{Rules: all, Version: opts.Version, Source: tree.Read}
	var policy *revision
	if opts.PolicyFrom != "" {
		var err error
		if policy, err = openRevision(tree, opts.PolicyFrom); err != nil {
			r.Problems = []*manifest.Problem{manifest.AsProblem(err, "")}
			return r, nil, nil
		}
	}
	c, base, problems := loadContract(tree, policy, opts)
	if len(problems) > 0 {
		r.Problems = problems
		return r, nil, nil
	}
	loaderOptions, err := loaderOptions(tree, opts, c, base)
	if err != nil {
		return nil, nil, err
	}
	loaded := loaders.Load(ctx, loaderOptions)
	r.Files = loaded.Files
	r.Problems = slices.Concat(loaded.Problems, unknownRoles(loaded.Containers), ties(c, loaded.Containers))
	for _, p := range r.Problems {
		if index := tree.Index(p.Position.File); index != nil {
			p.Position = index.Locate(p.Position)
		}
	}

	labelled := slices.Clone(loaded.Containers)
	r.Problems = append(r.Problems, policy.dropRoleLabels(loaded.Containers)...)
	r.Findings = findings.Suppress(c, all, rules.Check(c, loaded.Containers, all), tree, policy.suppressions())
	if opts.Baseline != "" {
		r.Problems = append(r.Problems, markKnown(policy, opts.Baseline, r.Findings)...)
	}
	if opts.ChangedSince != "" {
		var more []*manifest.Problem
		r.Findings, more = changedSince(ctx, tree, opts, r.Findings, labelled)
		r.Problems = append(r.Problems, more...)
	}
	findings.Locate(r.Findings, tree.Index)
	r.Scope = scopeOf(c, all, loaded)
	r.Fixes = fixes(tree, r.Findings, loaded.Containers)
	if err := ctx.Err(); errors.Is(err, context.Canceled) {
		return nil, nil, err
	}
	return r, loaded.Containers, nil
}

// scopeOf counts what is judged, and what the contract, .gitignore and labels take
// away from it.
func scopeOf(c *contract.Contract, all []*rules.Rule, loaded loaders.Result) report.Scope {
	scope := report.Scope{
		Containers: map[contract.Role]int{},
		Excluded:   loaded.LeftOut.Excluded,
		Ignored:    loaded.LeftOut.Ignored,
		More:       loaded.LeftOut.More,
	}
	for i := range loaded.Containers {
		container := &loaded.Containers[i]
		scope.Containers[c.RoleOf(container)]++
		if isRole(container.RoleLabel) {
			scope.RoleLabels++
		}
	}
	for _, rule := range all {
		switch level := rule.LevelIn(c); {
		case level == contract.LevelOff:
			scope.RulesOff = append(scope.RulesOff, rule.ID)
		case level.Below(rule.Level):
			scope.RulesLowered = append(scope.RulesLowered, rule.ID)
		}
	}
	return scope
}

func isRole(label string) bool { return slices.Contains(contract.Roles, contract.Role(label)) }

// unknownRoles reports labels that name no role: to go by the container's name
// instead would judge it by what its author did not mean.
func unknownRoles(containers []manifest.Container) []*manifest.Problem {
	var problems []*manifest.Problem
	seen := map[manifest.Position]bool{}
	for _, c := range containers {
		if c.RoleLabel == "" || isRole(c.RoleLabel) || seen[c.RoleLabelPosition] {
			continue
		}
		seen[c.RoleLabelPosition] = true
		problems = append(problems, &manifest.Problem{
			Severity: manifest.Error,
			Position: c.RoleLabelPosition,
			Message:  manifest.Say("container %s: label dsnlint.dev/role is not a valid role", manifest.Name(c.Name)),
			Hint:     manifest.Say("expected provisioner, runtime, database or other"),
		})
	}
	return problems
}

// ties reports containers whose name the contract file gives to two roles.
func ties(c *contract.Contract, containers []manifest.Container) []*manifest.Problem {
	var problems []*manifest.Problem
	for i := range containers {
		if tie := c.Tie(&containers[i]); tie != "" {
			problems = append(problems, &manifest.Problem{
				Severity: manifest.Error,
				Position: containers[i].Position,
				Message: manifest.Say("container %s: globs of the contract match it equally for the roles %s and %s",
					manifest.Name(containers[i].Name), manifest.Name(c.RoleOf(&containers[i])), manifest.Name(tie)),
				Hint: manifest.Say("name the container itself under one of the roles, or set its label dsnlint.dev/role"),
			})
		}
	}
	return problems
}

// fixes returns the replacements for single findings; they are worked out when they
// are asked for.
func fixes(tree *source.Tree, findings []rules.Finding, containers []manifest.Container) func(*rules.Finding) []fix.Replacement {
	fixer := sync.OnceValue(func() *fix.Fixer { return fix.New(findings, containers, tree.Read) })
	return func(f *rules.Finding) []fix.Replacement { return fixer().Replacements(f) }
}

// Root returns the root directory of the options, outside of which nothing is
// read but what the options name.
func Root(opts Options) (string, error) {
	if opts.Root != "" {
		return opts.Root, nil
	}
	cwd, err := os.Getwd()
	if err != nil {
		return "", err
	}
	return loaders.FindRoot(opts.Paths, cwd)
}

func openTree(opts Options) (*source.Tree, error) {
	root, err := Root(opts)
	if err != nil {
		return nil, err
	}
	tree, err := source.Open(root)
	if err != nil {
		return nil, fmt.Errorf("cannot open the root directory: %w", err)
	}
	for name, data := range opts.Overlays {
		rel, err := tree.Rel(name)
		if err != nil {
			_ = tree.Close()
			return nil, err
		}
		tree.Overlay(rel, data)
	}
	return tree, nil
}

// Contract returns the effective contract of the options' paths. Where these have
// no root, as in the root directory of a container, the working directory is it:
// nothing but the contract file is read.
func Contract(opts Options) (*contract.Contract, []*manifest.Problem, error) {
	if err := rules.Validate(opts.Rules); err != nil {
		return nil, nil, err
	}
	tree, err := openTree(opts)
	if err != nil && opts.Root == "" {
		opts.Root = "."
		tree, err = openTree(opts)
	}
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = tree.Close() }()
	c, _, problems := loadContract(tree, nil, opts)
	return c, problems, nil
}

// loadContract reads the contract that the options name, or the one nearest to
// the first path, or the built-in one; with a policy, as that revision has it.
// Base is the directory that its exclude globs start from, relative to the root.
func loadContract(tree *source.Tree, policy *revision, opts Options) (c *contract.Contract, base string, problems []*manifest.Problem) {
	var name string
	var data []byte
	if policy != nil {
		var problem *manifest.Problem
		if name, data, problem = policy.contractFile(opts); problem != nil {
			return nil, "", []*manifest.Problem{problem}
		}
	} else {
		var err error
		if name, data, err = contractFile(tree, opts); err != nil {
			return nil, "", []*manifest.Problem{manifest.AsProblem(err, "")}
		}
	}
	if c, base, problems = parseContract(name, data, opts); c != nil && opts.Phase != "" {
		c.Phase = opts.Phase
	}
	return c, base, problems
}

// contractFile returns the contract file's name and content. One that is named on
// the command line may lie outside the root.
func contractFile(tree *source.Tree, opts Options) (name string, data []byte, err error) {
	if opts.Contract != "" {
		if data, err = ReadNamed(opts.Contract); err != nil {
			return "", nil, err
		}
		if name, err = tree.Rel(opts.Contract); err != nil {
			name = filepath.ToSlash(opts.Contract)
		}
		return name, data, nil
	}
	dir, err := contractDir(tree, opts)
	if err != nil {
		return "", nil, err
	}
	name, problem := contract.Find(tree, dir)
	if problem != nil {
		return "", nil, problem
	}
	if name != "" {
		data, err = tree.ReadAs(name, source.YAML)
	}
	return name, data, err
}

// directoryOf returns the directory that a path names or that its file lies in.
func directoryOf(tree *source.Tree, name, stdinFilename string) (string, error) {
	if name == "-" {
		name = stdinFilename
	}
	name = strings.TrimSuffix(name, "...")
	if name == "" {
		name = "."
	}
	rel, err := tree.Rel(name)
	if err != nil {
		return "", err
	}
	if info, err := os.Stat(name); err == nil && info.IsDir() {
		return rel, nil
	}
	return path.Dir(rel), nil
}

// ReadNamed reads a file that the user named on the command line, which is the
// leave to read it wherever it lies.
func ReadNamed(name string) ([]byte, error) {
	dir, err := source.Open(filepath.Dir(name))
	if err != nil {
		return nil, &manifest.Problem{
			Severity: manifest.Error,
			Position: manifest.Position{File: filepath.ToSlash(name)},
			Message:  manifest.Say("the file does not exist"),
			Cause:    err,
		}
	}
	defer func() { _ = dir.Close() }()
	data, err := dir.Read(filepath.Base(name))
	if p := (*manifest.Problem)(nil); errors.As(err, &p) {
		named := *p
		named.Position.File = filepath.ToSlash(name)
		return nil, &named
	}
	return data, err
}

// readAll reads files that the user named, and makes of each what a loader takes.
func readAll[T any](names []string, file func(name string, data []byte) T) ([]T, error) {
	files := make([]T, len(names))
	for i, name := range names {
		data, err := ReadNamed(name)
		if err != nil {
			return nil, err
		}
		files[i] = file(filepath.ToSlash(name), data)
	}
	return files, nil
}

func loaderOptions(tree *source.Tree, opts Options, c *contract.Contract, base string) (loaders.Options, error) {
	files, err := readAll(opts.EnvFiles, func(name string, data []byte) compose.EnvFile {
		return compose.EnvFile{Name: name, Data: data}
	})
	if err != nil {
		return loaders.Options{}, err
	}
	values, err := readAll(opts.HelmValues, func(name string, data []byte) helm.ValuesFile {
		return helm.ValuesFile{Name: name, Data: data}
	})
	if err != nil {
		return loaders.Options{}, err
	}
	environ := map[string]string{}
	for _, entry := range opts.Environ {
		if name, value, ok := strings.Cut(entry, "="); ok && name != "" {
			environ[name] = value
		}
	}
	runner := opts.Runner
	if runner == nil {
		runner = Engines()
	}
	objects := kubernetes.Options{Declared: c.DeclaredSecrets(), Cluster: &kubernetes.Cluster{}}
	return loaders.Options{
		Tree:          tree,
		Paths:         slices.Clone(opts.Paths),
		Stdin:         opts.Stdin,
		StdinFilename: opts.StdinFilename,
		Exclude:       c.Exclude,
		ExcludeBase:   base,
		Loaders:       dialects(objects, values, compose.Options{EnvFiles: files, Environ: environ, Scratch: opts.Scratch}, runner),
	}, nil
}
