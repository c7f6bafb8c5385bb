package testtree

import "github.com/derekg1729/dsnlint/pkg/manifest"

// Env returns the env map of a container.
func Env(c *manifest.Container) map[string]manifest.EnvVar {
	env := map[string]manifest.EnvVar{}
	for _, d := range c.EnvMap() {
		env[d.Name] = d.EnvVar
	}
	return env
}
