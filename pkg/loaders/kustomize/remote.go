package kustomize

import (
	"net/url"
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

// mayBeRemote reports whether a location that is not in the tree was probably
// meant for a repository: other versions of the engine take more forms.
func mayBeRemote(name string) bool {
	name = strings.ToLower(name)
	for _, host := range []string{"github.com", "gitlab.com", "bitbucket.org"} {
		if strings.HasPrefix(name, host+"/") || strings.HasPrefix(name, host+":") {
			return true
		}
	}
	return strings.Contains(name, "?ref=") || strings.Contains(name, ".git/") || strings.HasSuffix(name, ".git") || strings.Contains(name, ".git?")
}
