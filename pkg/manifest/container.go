package manifest

import (
	"cmp"
	"maps"
	"path"
	"slices"
	"sort"
	"strings"
)

// Dialect is a language that containers are described in. A loader makes one value
// of it and carries it; dialects are compared by pointer.
type Dialect struct {
	// Name is the word for it in reports for programs.
	Name string
	// Title is what a file or directory in it is called in a message.
	Title Text
	// Sign says how to tell a file of it, where the name does not.
	Sign Text
	// Keys are keys of the language, and Values plain values of it that say nothing
	// about anybody; both may be shown.
	Keys, Values []string
	// Mention writes a reference to a variable as the language does; withDefault is
	// empty where there is no default. With nil it is written as in a shell.
	Mention func(name, withDefault string) string
	// RunOnce and AwaitCompletion say what to write so that a container runs once, and
	// so that one starts when another is done.
	RunOnce, AwaitCompletion Text
}

// Kind tells where in its manifest a container stands.
type Kind string

// The kinds of containers.
const (
	KindService            Kind = "service"
	KindContainer          Kind = "container"
	KindInitContainer      Kind = "initContainer"
	KindEphemeralContainer Kind = "ephemeralContainer"
	// KindFile is a file that is judged for itself and belongs to no container,
	// such as a CI script.
	KindFile Kind = "file"
)

// Project is the set of containers that are deployed together: the Compose
// project, or the Kubernetes objects that are applied together. It is
// comparable.
type Project struct {
	// Name is the Compose project's name or the Kubernetes namespace.
	Name string
	// Source is the file or directory that the project is read from, relative to
	// the repository's root.
	Source string
}

// Workload is the object that a container belongs to. For a Compose service it
// is the service itself.
type Workload struct {
	// Kind is the Kubernetes kind, or "service".
	Kind string
	Name string
}

// RoleKey is the label or annotation that gives a container its role. In Kubernetes it
// gives one container of a pod its role with a dot and the container's name behind it.
const RoleKey = "dsnlint.dev/role"

// Container is one Compose service, or one entry of containers, initContainers
// or ephemeralContainers, in its normal form.
type Container struct {
	// Dialect is the language of its manifest; nil only for a file that belongs to no
	// container.
	Dialect *Dialect
	// ID names the container beyond doubt within the repository, and does so in
	// every clone of it.
	ID string
	// QualifiedName is the ID with what people look for beside it, such as the name
	// of a Compose project, which may be that of the directory of the clone.
	QualifiedName string

	Project  Project
	Workload Workload
	Name     string
	Kind     Kind
	// Position is that of the service's key or of the container's list item.
	Position Position

	// RoleNames are the names that a contract's globs are tried on, in order:
	// the container's own, its workload's, and each of these without the prefix
	// and suffix that a renderer added.
	RoleNames []string
	// Partial is set where something that the container receives is not known, and a
	// notice says what.
	Partial bool
	// RoleLabel is what the label or annotation dsnlint.dev/role says, or empty.
	RoleLabel string
	// RoleLabelPosition is where it says so.
	RoleLabelPosition Position
	// RoleLabelOwn reports whether that is in the container's own definition, rather
	// than behind an anchor, in what it extends or in an overlay.
	RoleLabelOwn bool
	// Image is the image reference, or empty where it is not known.
	Image string
	// Deliveries are all that reaches the container, in the order that
	// [Deliveries] makes.
	Deliveries []Delivery
	// Opaque are the whole Secrets and ConfigMaps whose keys are in no
	// manifest.
	Opaque []OpaqueImport

	// RunsOnce reports whether the container runs to completion and is not
	// started again.
	RunsOnce bool
	// RestartPosition is that of the entry that decides RunsOnce, and
	// Container.Position where there is none.
	RestartPosition Position
	// WaitsFor are the containers of the same project that must be up, or done,
	// before this one starts.
	WaitsFor []Dependency
	// Scripts are the shell scripts that the container mounts or runs and that
	// are in a manifest or in a file a manifest names.
	Scripts []Script

	// Overlays are the rendered roots that show this container, relative to the
	// repository's root; empty for plain manifests.
	Overlays []string
}

// EnvVar is one variable of an env map, or under another channel one named
// value.
type EnvVar struct {
	// Name is the name the process sees. Under the channel file it is the
	// file's name inside the container, under argument the field that holds the
	// argument (command, healthcheck), under build the argument's name, under
	// metadata the label's.
	Name string
	// Written is how the name is written where that is not the name itself: a name
	// that came out of interpolation is judged as what it is, and shown as this.
	Written string
	// Value is the text that the process sees, where it is known.
	Value Value
	// Expr is how the value is built; nil where nothing is known of it.
	Expr Expr
	// Provenance leads from the entry that puts the variable into the container
	// back to the place its value is written. It has at least one step, and the
	// first one's position is the primary position of a finding.
	Provenance []Step
	// NamedAt is where the entry has the name, if it does not begin with it.
	NamedAt Position
	// Own reports whether the entry at the first step is part of the container's own
	// definition and written there for this variable only: to take it out takes this
	// value from the container, and nothing else. Other containers that the entry
	// reaches have a variable with the same position.
	Own bool
}

// Shown returns the name as it may be shown.
func (v EnvVar) Shown() string { return Name(cmp.Or(v.Written, v.Name)).String() }

// Position is that of the entry that puts the variable into the container.
func (v EnvVar) Position() Position {
	if len(v.Provenance) == 0 {
		return Position{}
	}
	return v.Provenance[0].Position
}

// NamePosition is where the entry should have the name, if it has it at all.
func (v EnvVar) NamePosition() Position { return cmp.Or(v.NamedAt, v.Position()) }

// Channel is the way a value travels into a container.
type Channel string

// The channels.
const (
	ChannelEnv      Channel = "env"
	ChannelFile     Channel = "file"
	ChannelArgument Channel = "argument"
	ChannelBuild    Channel = "build"
	ChannelMetadata Channel = "metadata"
)

// Delivery is one value that reaches a container, with its channel.
type Delivery struct {
	Channel Channel
	EnvVar
	// Aside is set for a variable that is not in the env map: that of a hook, or one
	// that is there only where the process that starts the container has it.
	Aside bool
	// Command says what the delivery is of the command line that the container starts
	// with. These are in the order in which the process gets them.
	Command CommandPart
}

// CommandPart is what a delivery is of a command line.
type CommandPart int

// The parts of a command line. CommandLine is a text that is split into words.
const (
	NoCommand CommandPart = iota
	CommandWord
	CommandLine
)

func (d *Delivery) inEnvMap() bool { return d.Channel == ChannelEnv && !d.Aside }

// Deliveries puts the env map before what else reaches a container: the variables
// by name, then the rest in its order.
func Deliveries(env map[string]EnvVar, rest []Delivery) []Delivery {
	all := make([]Delivery, 0, len(env)+len(rest))
	for _, name := range slices.Sorted(maps.Keys(env)) {
		all = append(all, Delivery{Channel: ChannelEnv, EnvVar: env[name]})
	}
	return append(all, rest...)
}

// OpaqueImport is a Secret, or what is imported like one, that a container
// imports whole although its keys are in no manifest.
type OpaqueImport struct {
	// Kind is Secret, ConfigMap or SecretProviderClass.
	Kind            string
	Namespace, Name string
	Channel         Channel
	// Reason says in a few words why the keys are not known.
	Reason     Text
	Provenance []Step
}

// Dependency says that a container starts after another of its project.
type Dependency struct {
	Name string
	// Completed reports whether it waits until the other has ended with success,
	// rather than merely started or healthy.
	Completed bool
	Position  Position
}

// Script is a shell script that a container runs or mounts.
type Script struct {
	// Name is the script's path, or the field that holds it.
	Name string
	Text Value
	// Command reports whether the script is a part of the command line that the
	// container starts with, rather than of a file, a probe or a hook.
	Command bool
	// Position is where the first character of Text stands.
	Position Position
	// Exact reports whether line n of the text is in line Position.Line+n-1 of
	// the file, shifted by Position.Column-1 columns.
	Exact bool
	// Doubled has for each line the columns of the characters that an exact script's
	// file has twice, in order; nil where there are none.
	Doubled [][]int
}

// ScriptFile returns the script that a file is.
func ScriptFile(name string, data []byte) Script {
	return Script{
		Name: name, Text: Known(string(data)),
		Position: Position{File: name, Line: 1, Column: 1}, Exact: true,
	}
}

// At returns the place of a character of the text, whose line and column count from
// 1, and the script's own where no more is known.
func (s *Script) At(line, column int) Position {
	if !s.Exact {
		return s.Position
	}
	at := Position{File: s.Position.File, Line: s.Position.Line + line - 1, Column: s.Position.Column}
	at.Column += column - 1
	if line <= len(s.Doubled) {
		before, _ := slices.BinarySearch(s.Doubled[line-1], column)
		at.Column += before
	}
	return at
}

// File returns a substitute for the container of a file that belongs to none.
func File(name string) *Container {
	id := path.Join("file", name)
	return &Container{ID: id, QualifiedName: id, Name: name, Kind: KindFile, Position: Position{File: name}}
}

// DeclaredSecret is what a contract says of a Secret whose keys are in no
// manifest.
type DeclaredSecret struct {
	// Namespace is empty for a Secret of that name in any namespace.
	Namespace, Name string
	Keys            []string
}

// MayHoldMore reports whether the container may receive what nobody knows of, so that it
// is not known to lack anything.
func (c *Container) MayHoldMore() bool { return c.Partial || len(c.Opaque) > 0 }

// DialectName returns the name of the dialect; empty for a file of none.
func (c *Container) DialectName() string {
	if c.Dialect == nil {
		return ""
	}
	return c.Dialect.Name
}

// HasCommand reports whether the manifest starts the container with a command of its
// own in place of the image's.
func (c *Container) HasCommand() bool {
	return slices.ContainsFunc(c.Deliveries, func(d Delivery) bool { return d.Command != NoCommand && len(d.Expr) > 0 }) ||
		slices.ContainsFunc(c.Scripts, func(s Script) bool { return s.Command })
}

// EnvMap returns the variables of the env map, by name.
func (c *Container) EnvMap() []Delivery {
	n := sort.Search(len(c.Deliveries), func(i int) bool { return !c.Deliveries[i].inEnvMap() })
	return c.Deliveries[:n]
}

// Env returns a variable of the env map, and whether there is one of the name.
func (c *Container) Env(name string) (EnvVar, bool) {
	vars := c.EnvMap()
	i, ok := slices.BinarySearchFunc(vars, name, func(d Delivery, name string) int { return strings.Compare(d.Name, name) })
	if !ok {
		return EnvVar{}, false
	}
	return vars[i].EnvVar, true
}
