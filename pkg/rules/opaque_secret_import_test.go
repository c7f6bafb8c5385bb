package rules

import (
	"testing"

	"github.com/derekg1729/dsnlint/pkg/manifest"
)

func TestOpaqueSecretImport(t *testing.T) {
	testRule(t, opaqueSecretImport, []ruleTest{
		{name: "unknown keys", containers: []manifest.Container{opaque("web")}, want: []string{"web Secret/s f.yaml:9:5"}},
		{name: "with a namespace", containers: []manifest.Container{with(opaque("postgres"), func(c *manifest.Container) { c.Opaque[0].Namespace = "n" })}, want: []string{"postgres n/Secret/s f.yaml:9:5"}},
		{name: "from no known place", containers: []manifest.Container{with(opaque("web"), func(c *manifest.Container) { c.Opaque[0].Provenance = nil })}},
		{name: "none", containers: []manifest.Container{container("web")}},
	})
}
