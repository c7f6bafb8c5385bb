package kustomize

import (
	"net/url"
	"regexp"
	"strings"

	"sigs.k8s.io/kustomize/api/resource"
)

// isRemote reports whether the engine would take a location for a repository or a
// URL, by the parser that it decides this with itself. Nothing that is remote is
// ever shown to the engine.
func isRemote(name string) bool {
	if strings.Contains(name, "://") || strings.Contains(strings.ToLower(name), "git::") {
		return true
	}
	if u, err := url.Parse(name); err == nil && (strings.EqualFold(u.Scheme, "http") || strings.EqualFold(u.Scheme, "https")) {
		return true
	}
	return isRepository(name)
}

// isRepository asks the engine's parser. That of an origin has to cut the path
// from what it took for a repository, and fails where it finds no path.
func isRepository(name string) (is bool) {
	defer func() {
		if recover() != nil {
			is = true
		}
	}()
	return (&resource.Origin{}).Append(name).Repo != ""
}

// mayBeRemote reports whether a location that is not in the tree is meant for a
// repository by its form: other versions of the engine take more than this one. It
// has a scheme, a query or a double slash, names a git directory, or begins with a
// host that an organization and a repository follow.
func mayBeRemote(name string) bool {
	if strings.ContainsAny(name, ":?") || strings.Contains(name, "//") {
		return true
	}
	parts := strings.Split(name, "/")
	for _, part := range parts {
		if strings.HasSuffix(part, ".git") {
			return true
		}
	}
	return len(parts) > 2 && host.MatchString(parts[0])
}

var host = regexp.MustCompile(`^([a-zA-Z0-9-]+\.)+[a-zA-Z]{2,}$`)
