package rules

import (
	"testing"

	"github.com/derekg1729/dsnlint/pkg/manifest"
)

func TestProvisioningRunsOnce(t *testing.T) {
	restarts := func(name string) manifest.Container {
		return with(container(name), func(c *manifest.Container) { c.RunsOnce, c.RestartPosition = false, line(4) })
	}
	waits := func(name, project string, completed bool, dependencies ...string) manifest.Container {
		return with(container(name), func(c *manifest.Container) {
			c.Project.Name = project
			for i, dependency := range dependencies {
				c.WaitsFor = append(c.WaitsFor, manifest.Dependency{Name: dependency, Completed: completed, Position: line(i + 6)})
			}
		})
	}
	provisioner := container("db-provision")
	testRule(t, provisioningRunsOnce, []ruleTest{
		{name: "restarts", containers: []manifest.Container{restarts("db-provision")}, want: []string{"db-provision - f.yaml:4:5"}},
		{name: "runtime starts before it is done", containers: []manifest.Container{waits("app", "", false, "cache", "db-provision"), provisioner}, want: []string{"app - f.yaml:7:5"}},

		{name: "runs once", containers: []manifest.Container{provisioner}},
		{name: "runtime restarts", containers: []manifest.Container{restarts("app"), restarts("web"), restarts("postgres")}},
		{name: "runtime waits until it is done", containers: []manifest.Container{waits("app", "", true, "db-provision"), provisioner}},
		{name: "runtime waits for another container", containers: []manifest.Container{waits("app", "", false, "postgres"), provisioner, container("postgres")}},
		{name: "provisioner of another project", containers: []manifest.Container{waits("app", "a", false, "db-provision"), provisioner}},
		{name: "other container waits", containers: []manifest.Container{waits("web", "", false, "db-provision"), provisioner}},
	})
}
