package rules

import (
	"testing"

	"github.com/derekg1729/dsnlint/pkg/contract"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

func TestContainerEnvContract(t *testing.T) {
	app, service := env(2, "DATABASE_URL"), env(3, "DATABASE_SERVICE_URL")
	// of puts a container into a project and a workload that may have a row.
	of := func(c manifest.Container, project, workload string) manifest.Container {
		return with(c, func(c *manifest.Container) {
			c.Project, c.Workload = manifest.Project{Name: project}, manifest.Workload{Kind: "Deployment", Name: workload}
			c.RoleNames = append(c.RoleNames, workload)
		})
	}
	lacks := []string{"app - f.yaml:1:5"}
	inForce := func(c *contract.Contract) { c.InForce = true }
	named := func(line int, name, is string) manifest.Delivery { return env(line, name, ref(is)) }
	testRule(t, containerEnvContract, []ruleTest{
		{name: "complete", containers: one(container("app", app, service))},
		{name: "without one of two", containers: one(container("app", app)), want: lacks, adapt: inForce},
		{name: "a stranger's", containers: one(container("app", app))},
		{name: "without both, one finding", containers: []manifest.Container{container("app"), container("web", service)}, want: lacks},
		{name: "with an unknown Secret", containers: one(opaque("app", app))},
		{name: "either name", containers: []manifest.Container{container("scheduler-worker", service), container("migrate", app)}},
		{name: "neither name", containers: []manifest.Container{container("scheduler-worker"), container("web", app)}, want: []string{"scheduler-worker - f.yaml:1:5"}, adapt: inForce},
		{name: "row by glob", containers: one(container("migrate-up", service)), want: []string{"migrate-up - f.yaml:1:5", "migrate-up DATABASE_SERVICE_URL f.yaml:3:5"}},
		{name: "as a file", containers: one(container("app", app, by(manifest.ChannelFile, 4, "database_service_url"))), adapt: inForce},
		{name: "empty", containers: one(container("app", app, env(3, "DATABASE_SERVICE_URL", text("")))), want: lacks},

		{name: "swapped", containers: one(container("app", named(2, "DATABASE_URL", "DATABASE_SERVICE_URL"), named(3, "DATABASE_SERVICE_URL", "DATABASE_URL"))),
			want: []string{"app DATABASE_URL f.yaml:2:5", "app DATABASE_SERVICE_URL f.yaml:3:5"}},
		{name: "the service's under the other name", containers: one(container("scheduler-worker", named(2, "DATABASE_URL", "DATABASE_SERVICE_URL")))},
		{name: "the application's in the worker", containers: one(container("scheduler-worker", named(2, "DATABASE_URL", "DATABASE_URL"))), want: []string{"scheduler-worker DATABASE_URL f.yaml:2:5"}, adapt: inForce},
		{name: "the service's in migrate", containers: one(container("migrate", named(2, "DATABASE_URL", "DATABASE_SERVICE_URL"))), want: []string{"migrate DATABASE_URL f.yaml:2:5"}},
		{name: "whatever a key of its own Secret holds", containers: one(container("scheduler-worker", ofSecret(named(2, "DATABASE_URL", "DATABASE_URL")))), adapt: inForce},

		{name: "another database variable", containers: one(container("app", app, service, env(4, "PGHOST"))), want: []string{"app PGHOST f.yaml:4:5"}},
		{name: "allowed by the row", containers: one(container("app", app, service, env(4, "PGHOST"))),
			adapt: func(c *contract.Contract) { c.Containers[0].Allows = []string{"PGHOST"} }},
		{name: "forbidden outright", containers: one(container("app", app, service, env(4, "POSTGRES_ROOT_USER"), env(5, "APP_DB_USER")))},
		{name: "by another channel", containers: one(container("app", app, service, by(manifest.ChannelBuild, 4, "PGHOST")))},
		{name: "nothing to do with the database", containers: one(container("app", app, service, env(4, "PATH")))},
		{name: "unknown Secret and another variable", containers: one(opaque("app", env(4, "PGHOST"), app)), want: []string{"app PGHOST f.yaml:4:5"}, adapt: inForce},

		{name: "project without the contract's names", containers: one(container("app", env(4, "PGHOST")))},
		{name: "names in another project", containers: []manifest.Container{of(container("app"), "a", ""), of(container("web", app), "b", "")}},
		{name: "names elsewhere in the project", containers: []manifest.Container{of(container("app"), "a", ""), of(container("web", env(4, "X", ref("APP_DB_USER"))), "a", "")}, want: lacks},

		{name: "role by label", containers: one(with(container("app", app), func(c *manifest.Container) { c.RoleLabel = "other" }))},
		{name: "runtime without a row", containers: one(with(container("web", app), func(c *manifest.Container) { c.RoleLabel = "runtime" }))},

		{name: "sidecar of a workload with a row", containers: []manifest.Container{of(container("proxy"), "", "app"), of(container("app", app, service), "", "app")}},
		{name: "sidecar of an unknown Secret", containers: []manifest.Container{of(container("proxy"), "", "app"), of(opaque("main", app), "", "app")}},
		{name: "nobody of the workload has them", containers: []manifest.Container{of(container("proxy"), "", "app"), of(container("main", app), "", "app")},
			want: []string{"main - f.yaml:1:5", "proxy - f.yaml:1:5"}, adapt: inForce},
		{name: "only another workload has them", containers: []manifest.Container{of(container("proxy"), "", "app"), with(of(container("app", app, service), "", "app"), func(c *manifest.Container) { c.Workload.Kind = "Job" })},
			want: []string{"proxy - f.yaml:1:5"}},
		{name: "a container named like the row is not a sidecar", containers: []manifest.Container{of(container("app"), "", "app"), of(container("main", app, service), "", "app")}, want: lacks},
	})
}

// ofSecret makes the reference of a delivery one to a key of a Secret.
func ofSecret(d manifest.Delivery) manifest.Delivery {
	d.Expr[0].Ref.Kind = manifest.RefSecretKey
	return d
}
