package contract

import (
	"slices"

	"go.yaml.in/yaml/v4"

	"github.com/derekg1729/dsnlint/pkg/internal/source"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// Weakening is one way in which a contract lets more pass than another.
type Weakening struct {
	// Message says what it is.
	Message manifest.Text
	// key leads to the entry of the contract file: the keys of mappings, and at its
	// end perhaps an item of a list.
	key  []string
	item int
}

// noItem is the item of a weakening that is about a whole list.
const noItem = -1

// Weakened compares two contracts, and lists in which ways now lets more pass
// than base. Levels are those that rules have on their own, by id.
func Weakened(base, now *Contract, ruleIDs []string, levels map[string]Level) []Weakening {
	var found []Weakening
	add := func(message manifest.Text, item int, key ...string) {
		found = append(found, Weakening{Message: message, key: key, item: item})
	}
	// grown reports entries that are new in a list that lets things pass, and
	// shrunk entries that are gone from one that forbids.
	grown := func(base, now []string, key ...string) {
		for i, entry := range now {
			if !slices.Contains(base, entry) {
				add(manifest.Say("%s has one more entry", manifest.Join(manifest.Names(key), ".")), i, key...)
			}
		}
	}
	shrunk := func(base, now []string, key ...string) {
		for _, entry := range base {
			if !slices.Contains(now, entry) {
				add(manifest.Say("%s has lost an entry", manifest.Join(manifest.Names(key), ".")), noItem, key...)
				return
			}
		}
	}
	grown(base.Exclude, now.Exclude, "exclude")
	grown(base.Roles.Provisioner, now.Roles.Provisioner, "roles", "provisioner")
	grown(base.Roles.Database, now.Roles.Database, "roles", "database")
	shrunk(base.Roles.Runtime, now.Roles.Runtime, "roles", "runtime")
	grown(base.DatabaseImages, now.DatabaseImages, "databaseImages")
	// Another name for a DSN is reported as such, and not in what it is carried into.
	names := dsnNames(base, now)
	shrunk(renamed(base.Secrets.Provisioning, names), now.Secrets.Provisioning, "secrets", "provisioning")
	shrunk(base.Secrets.Components, now.Secrets.Components, "secrets", "components")
	shrunk(base.Secrets.DatabaseVariables, now.Secrets.DatabaseVariables, "secrets", "databaseVariables")
	shrunk(base.Denylist, now.Denylist, "denylist")
	for _, dsn := range []struct{ key, base, now string }{
		{"rootDSN", base.Secrets.RootDSN, now.Secrets.RootDSN},
		{"appDSN", base.Secrets.AppDSN, now.Secrets.AppDSN},
		{"serviceDSN", base.Secrets.ServiceDSN, now.Secrets.ServiceDSN},
	} {
		if dsn.base != dsn.now {
			add(manifest.Say("secrets.%s names a different variable", manifest.Name(dsn.key)), noItem, "secrets", dsn.key)
		}
	}
	for i, secret := range now.OpaqueSecrets {
		if !slices.ContainsFunc(base.OpaqueSecrets, secret.equal) {
			add(manifest.Say("opaqueSecrets declares the keys of %s, so they are no longer reported as unknown", manifest.Name(secret.Name)), i, "opaqueSecrets")
		}
	}
	for _, id := range ruleIDs {
		was, is := levelOf(base, id, levels), levelOf(now, id, levels)
		if is.Below(was) {
			add(manifest.Say("rule %s has the level %s, was %s", manifest.Name(id), manifest.Name(is), manifest.Name(was)), noItem, "rules", id)
		}
	}
	return append(found, weakenedRows(renamedRows(base.Containers, names), now.Containers)...)
}

func levelOf(c *Contract, id string, levels map[string]Level) Level {
	if level, ok := c.Rules[id]; ok {
		return level
	}
	return levels[id]
}

func (s OpaqueSecret) equal(other OpaqueSecret) bool {
	return s.Name == other.Name && s.Namespace == other.Namespace && slices.Equal(s.Keys, other.Keys)
}

// weakenedRows compares the rows of containers. The first row that matches counts,
// so that one that comes before others may take their place.
func weakenedRows(base, now []Row) []Weakening {
	var found []Weakening
	index := func(rows []Row, name string) int {
		return slices.IndexFunc(rows, func(row Row) bool { return row.Name == name })
	}
	last := noItem
	for _, was := range base {
		at := index(now, was.Name)
		last = max(last, at)
		if at < 0 {
			found = append(found, Weakening{manifest.Say("containers has lost the row of %s", manifest.Name(was.Name)), []string{"containers"}, noItem})
			continue
		}
		is := now[at]
		less := func(from, to []string) bool {
			return slices.ContainsFunc(from, func(entry string) bool { return !slices.Contains(to, entry) })
		}
		if less(was.Requires, is.Requires) || less(is.Holds, was.Holds) || is.Holds == nil && was.Holds != nil || less(slices.Concat(is.Requires, is.Allows), slices.Concat(was.Requires, was.Allows)) {
			found = append(found, Weakening{manifest.Say("the row of %s demands less or allows more", manifest.Name(was.Name)), []string{"containers"}, at})
		}
	}
	for i, row := range now {
		if i < last && index(base, row.Name) < 0 {
			found = append(found, Weakening{manifest.Say("the row of %s now precedes others that may match the same container", manifest.Name(row.Name)), []string{"containers"}, i})
		}
	}
	return found
}

// Position returns the place of a weakening in the contract file, as near as the
// file has it: the entry itself, else the nearest key above it, else the file.
func (w Weakening) Position(name string, data []byte) manifest.Position {
	at := manifest.Position{File: name}
	docs, err := source.ParseYAML(name, data)
	if err != nil || len(docs) == 0 {
		return at
	}
	node := docs[0].Content[0]
	for _, key := range w.key {
		k, value := source.Lookup(source.Resolve(node), key)
		if k == nil {
			return at
		}
		at, node = source.NodePosition(name, k), value
	}
	if list := source.Resolve(node); w.item >= 0 && list.Kind == yaml.SequenceNode && w.item < len(list.Content) {
		at = source.NodePosition(name, list.Content[w.item])
	}
	return at
}
