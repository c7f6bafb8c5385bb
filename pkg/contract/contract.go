// Package contract says what may reach which container: the roles, the names
// of the database secrets, the phase, the denylist. The contract that dsnlint
// ships with is in builtin.yaml; a .dsnlint.yaml changes it.
package contract

import (
	"math"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// Role is the lane that a container belongs to.
type Role string

// The roles.
const (
	Provisioner Role = "provisioner"
	Runtime     Role = "runtime"
	Database    Role = "database"
	Other       Role = "other"
)

// Roles lists every role.
var Roles = []Role{Provisioner, Runtime, Database, Other}

// Phase says which inputs the provisioner has: component variables (P0) or
// DSNs (P1).
type Phase string

// The phases.
const (
	P0 Phase = "p0"
	P1 Phase = "p1"
)

// Level is how much a finding weighs.
type Level string

// The levels, from the most severe down.
const (
	LevelError   Level = "error"
	LevelWarning Level = "warning"
	LevelNote    Level = "note"
	LevelOff     Level = "off"
)

// Levels are the levels that a finding may have, from the most severe down.
var Levels = []Level{LevelError, LevelWarning, LevelNote}

// settings are what a contract may set a rule to.
var settings = append(slices.Clone(Levels), LevelOff)

// Below reports whether a level is less severe than another.
func (l Level) Below(other Level) bool {
	return slices.Index(settings, l) > slices.Index(settings, other)
}

// Contract is what a contract file holds. A key that a file leaves out has the
// value of the built-in contract.
//
// The tags say all there is to say about the form of a file: the JSON schema is
// made from them, and Parse reads by that schema. A format is one of the table
// formats.
type Contract struct {
	// InForce reports whether the contract is that of a file, rather than the built-in
	// one.
	InForce bool `json:"-"`
	// Version is the version of the format; it is 1.
	Version int `json:"version,omitzero" jsonschema:"enum=1" jsonschema_description:"Version of the format."`
	// Phase is p0 or p1.
	Phase Phase `json:"phase,omitzero" jsonschema_description:"Which inputs the provisioner has: component variables (p0) or DSNs (p1)."`
	// Roles has for each role the globs of its containers' names.
	Roles RoleGlobs `json:"roles,omitzero" jsonschema_description:"Globs over container names for each role; a container that no glob matches is tried by its workload's name, then by its image, and else is other."`
	// DatabaseImages are globs over the image's repository, without tag and
	// digest: a container of such an image that no role glob matches and that
	// has no command of its own is a database. See RoleOf for registries.
	DatabaseImages []string `json:"databaseImages,omitzero" jsonschema:"format=image" jsonschema_description:"Globs over the image repositories of database servers, without tag and digest. One without a registry stands for the image in any registry."`
	// Secrets names the database secrets.
	Secrets Secrets `json:"secrets,omitzero" jsonschema_description:"The names of the database secrets."`
	// Containers are the rows of the per-container env contract, by glob over
	// the container's name.
	Containers []Row `json:"containers,omitzero" jsonschema_description:"What each runtime container must and may receive; the first row whose glob matches counts."`
	// Denylist are the usernames that no runtime DSN may have; see IsDenied.
	Denylist []string `json:"denylist,omitzero" jsonschema:"format=text" jsonschema_description:"Usernames that no runtime DSN may have, compared without case."`
	// Rules sets the level of rules by id.
	Rules map[string]Level `json:"rules,omitzero" jsonschema_description:"Level of rules, by their ids; a rule that is left out keeps its own."`
	// OpaqueSecrets declares the keys of Secrets whose keys are in no manifest.
	OpaqueSecrets []OpaqueSecret `json:"opaqueSecrets,omitzero" jsonschema_description:"The keys of Secrets whose keys stand in no manifest."`
	// Exclude are globs over paths, relative to the contract file's directory, that
	// are not linted when a directory is walked.
	Exclude []string `json:"exclude,omitzero" jsonschema:"format=path" jsonschema_description:"Globs over paths, relative to this file's directory, that are left out when a directory is walked; ** stands for any number of directories."`
}

// RoleGlobs holds globs over container names.
type RoleGlobs struct {
	Provisioner []string `json:"provisioner,omitzero" jsonschema:"format=glob" jsonschema_description:"Containers of the provisioning lane."`
	Runtime     []string `json:"runtime,omitzero" jsonschema:"format=glob" jsonschema_description:"Containers of the runtime lane."`
	Database    []string `json:"database,omitzero" jsonschema:"format=glob" jsonschema_description:"Database servers."`
}

// Secrets holds the names, some as globs, of the database secrets.
type Secrets struct {
	// Provisioning are the superuser's DSN and credentials.
	Provisioning []string `json:"provisioning,omitzero" jsonschema:"format=glob" jsonschema_description:"Globs of the provisioning credentials: the superuser's DSN and its parts."`
	// Components are the parts that a DSN is assembled from.
	Components []string `json:"components,omitzero" jsonschema:"format=glob" jsonschema_description:"Globs of the component variables: the parts of the application's DSNs."`
	// RootDSN, AppDSN and ServiceDSN name the three DSNs.
	RootDSN    string `json:"rootDSN,omitzero" jsonschema:"format=name" jsonschema_description:"Variable of the superuser's DSN."`
	AppDSN     string `json:"appDSN,omitzero" jsonschema:"format=name" jsonschema_description:"Variable of the application user's DSN."`
	ServiceDSN string `json:"serviceDSN,omitzero" jsonschema:"format=name" jsonschema_description:"Variable of the service user's DSN."`
	// DatabaseVariables are all variables that have to do with the database.
	DatabaseVariables []string `json:"databaseVariables,omitzero" jsonschema:"format=glob" jsonschema_description:"Globs of every variable that has to do with the database; a container with a row holds none that the row does not list."`
}

// Row is what one container must and may receive.
type Row struct {
	// Name is a glob over the container's name.
	Name string `json:"name" jsonschema:"format=glob" jsonschema_description:"Glob over the container's name."`
	// Requires lists the DSNs that must be there; of the names in one entry that
	// are separated by | one is enough.
	Requires []string `json:"requires,omitzero" jsonschema:"format=alternatives" jsonschema_description:"Variables that must be there; NAME|NAME means that one of them is enough."`
	// Holds names the DSNs that the container's variables may stand for, whatever they
	// are called; nil for those that the variables are named after.
	Holds []string `json:"holds,omitzero" jsonschema:"format=name" jsonschema_description:"The DSNs, by their variables, that the values may be, whatever the container's own variables are called; those that the variables are named after when left out."`
	// Allows lists the database variables that may be there besides.
	Allows []string `json:"allows,omitzero" jsonschema:"format=name" jsonschema_description:"Database variables that may be there besides those required."`
}

// OpaqueSecret declares the keys of a Secret.
type OpaqueSecret struct {
	Name      string   `json:"name" jsonschema:"format=name" jsonschema_description:"Name of the Secret, as the container refers to it."`
	Namespace string   `json:"namespace,omitzero" jsonschema:"format=name" jsonschema_description:"Its namespace; any when left out."`
	Keys      []string `json:"keys" jsonschema:"format=name" jsonschema_description:"Its keys."`
}

// RoleOf returns the role of a container: by its label, else by the first of its
// names that a glob matches, else by its image.
//
// An image glob is tried on the repository as it is written, without its
// registry, and without the directories in which registries and their mirrors keep
// copies of Docker's images. It is not tried on the last part of a path alone:
// registry.example.com/team/postgres is whatever the team has made of it, such
// as a backup job, and to take it for a server would let it have the
// superuser's password. A team that runs its own build lists team/postgres.
func (c *Contract) RoleOf(container *manifest.Container) Role {
	if role := Role(container.RoleLabel); slices.Contains(Roles, role) {
		return role
	}
	if role, _ := c.roleByName(container); role != "" {
		return role
	}
	if !container.HasCommand() && c.isDatabaseImage(container.Image) {
		return Database
	}
	return Other
}

// Tie returns another role that a container has as much as its own: globs that the
// contract file itself has for two roles match its name equally well. It is empty where
// there is none.
func (c *Contract) Tie(container *manifest.Container) Role {
	if slices.Contains(Roles, Role(container.RoleLabel)) {
		return ""
	}
	_, tie := c.roleByName(container)
	return tie
}

// roleByName returns the role of the first of a container's names that a glob matches,
// and another one that has it as much. An exact name beats a glob, and more literal
// characters beat fewer.
func (c *Contract) roleByName(container *manifest.Container) (role, tie Role) {
	own, builtin := c.Roles.lists(), builtinRoles()
	for _, name := range container.RoleNames {
		best, bestIsOwn := -1, false
		for i, globs := range own {
			for _, glob := range globs.globs {
				weight := weightOf(glob)
				if weight < best || !match(glob, name) {
					continue
				}
				isOwn := !slices.Contains(builtin[i].globs, glob)
				switch {
				case weight > best:
					best, bestIsOwn, role, tie = weight, isOwn, globs.role, ""
				case isOwn && bestIsOwn && globs.role != role:
					tie = globs.role
				}
			}
		}
		if role != "" {
			return role, tie
		}
	}
	return "", ""
}

// roleList are the globs of a role.
type roleList struct {
	role  Role
	globs []string
}

func (g RoleGlobs) lists() []roleList {
	return []roleList{{Provisioner, g.Provisioner}, {Runtime, g.Runtime}, {Database, g.Database}}
}

var builtinRoles = sync.OnceValue(func() []roleList { return Builtin().Roles.lists() })

// weightOf tells how exact a glob is: by its literal characters, and most of all where
// it has no others.
func weightOf(glob string) int {
	if !strings.ContainsAny(glob, `*?[\`) {
		return math.MaxInt
	}
	literal := 0
	for i := 0; i < len(glob); i++ {
		switch glob[i] {
		case '*', '?':
		case '[':
			end := strings.IndexByte(glob[i:], ']')
			i += max(end, 0)
		default:
			literal++
		}
	}
	return literal
}

func (c *Contract) isDatabaseImage(image string) bool {
	repository, _, _ := strings.Cut(image, "@")
	if colon := strings.LastIndex(repository, ":"); colon > strings.LastIndex(repository, "/") {
		repository = repository[:colon]
	}
	return slices.ContainsFunc(repositoryNames(repository), func(name string) bool {
		return matchAny(c.DatabaseImages, name)
	})
}

// mirror is what registries call a copy of Docker Hub, and library what Docker Hub calls
// its own images.
var mirror = regexp.MustCompile(`^(?i:library|hub|docker|docker[-_.]?(?:hub|io)(?:[-_.].*)?|(?:.*[-_.])?(?:proxy|mirror|cache)(?:[-_.].*)?)$`)

// gitlabProxy is behind the group whose copies of Docker Hub they are:
// https://docs.gitlab.com/user/packages/dependency_proxy/.
const gitlabProxy = "dependency_proxy/containers/"

// repositoryNames lists the names of an image's repository, from the one that
// is written to the one that Docker Hub knows it by.
//
// See https://pkg.go.dev/github.com/distribution/reference for what is a
// registry's host.
func repositoryNames(repository string) []string {
	names := []string{repository}
	host, rest, ok := strings.Cut(repository, "/")
	// The host is empty where it is that of a variable which nobody sets.
	if ok && (host == "" || strings.ContainsAny(host, ".:") || host == "localhost") {
		repository = rest
		names = append(names, repository)
	}
	if _, rest, ok := strings.Cut(repository, "/"+gitlabProxy); ok {
		repository = rest
		names = append(names, repository)
	}
	for {
		project, rest, ok := strings.Cut(repository, "/")
		if !ok || !mirror.MatchString(project) {
			return names
		}
		repository = rest
		names = append(names, repository)
	}
}

// IsProvisioning reports whether a name is that of a provisioning credential.
func (c *Contract) IsProvisioning(name string) bool { return matchAny(c.Secrets.Provisioning, name) }

// IsComponent reports whether a name is that of a component variable.
func (c *Contract) IsComponent(name string) bool { return matchAny(c.Secrets.Components, name) }

// IsDatabaseVariable reports whether a variable has to do with the database.
func (c *Contract) IsDatabaseVariable(name string) bool {
	return matchAny(c.Secrets.DatabaseVariables, name) || slices.Contains(c.DSNs(), name)
}

// IsDenied reports whether a username, percent-decoded, is on the denylist. Case
// does not matter.
func (c *Contract) IsDenied(username string) bool {
	return slices.ContainsFunc(c.Denylist, func(denied string) bool {
		return strings.EqualFold(denied, username)
	})
}

// RowOf returns the row for a container, by the first of its names that has one.
func (c *Contract) RowOf(container *manifest.Container) (Row, bool) {
	for _, name := range container.RoleNames {
		for _, row := range c.Containers {
			if match(row.Name, name) {
				return row, true
			}
		}
	}
	return Row{}, false
}

// DSNs lists the names of the contract's DSNs, each once.
func (c *Contract) DSNs() []string {
	dsns := []string{c.Secrets.RootDSN, c.Secrets.AppDSN, c.Secrets.ServiceDSN}
	if c.Secrets.AppDSN == c.Secrets.ServiceDSN {
		dsns = dsns[:2]
	}
	return dsns
}

// DeclaredSecrets returns the declared keys in the form that loaders take.
func (c *Contract) DeclaredSecrets() []manifest.DeclaredSecret {
	declared := make([]manifest.DeclaredSecret, len(c.OpaqueSecrets))
	for i, s := range c.OpaqueSecrets {
		declared[i] = manifest.DeclaredSecret{Namespace: s.Namespace, Name: s.Name, Keys: s.Keys}
	}
	return declared
}

func matchAny(globs []string, name string) bool {
	return slices.ContainsFunc(globs, func(glob string) bool { return match(glob, name) })
}

// match takes a glob for valid: reading the contract has checked it.
func match(glob, name string) bool {
	ok, err := path.Match(glob, name)
	return err == nil && ok
}
