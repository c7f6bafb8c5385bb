package rules

import (
	"testing"

	"github.com/derekg1729/dsnlint/pkg/manifest"
)

func TestAuthoritativeInputsPerPhase(t *testing.T) {
	provisioner := func(names ...string) []manifest.Container {
		var deliveries []manifest.Delivery
		for i, name := range names {
			deliveries = append(deliveries, env(i+2, name))
		}
		return one(container("db-provision", deliveries...))
	}
	lacks := "db-provision - f.yaml:1:5"
	testRule(t, authoritativeInputsPerPhase, []ruleTest{
		{name: "p0 complete", containers: provisioner("POSTGRES_ROOT_USER", "APP_DB_USER")},
		{name: "p0 under other names", containers: one(container("db-provision", env(2, "PGUSER", ref("POSTGRES_ROOT_USER")), env(3, "X", ref("APP_DB_USER"))))},
		{name: "p0 as files", containers: one(container("db-provision", by(manifest.ChannelFile, 2, "postgres_root_password"), by(manifest.ChannelFile, 3, "app_db_password")))},
		{name: "p0 with runtime DSNs", containers: provisioner("POSTGRES_ROOT_USER", "APP_DB_USER", "DATABASE_URL", "DATABASE_SERVICE_URL")},
		{name: "p0 with the root DSN", containers: provisioner("POSTGRES_ROOT_USER", "APP_DB_USER", "DATABASE_ROOT_URL"), want: []string{"db-provision DATABASE_ROOT_URL f.yaml:4:5"}},
		{name: "p0 with the root DSN in place of its parts", containers: provisioner("DATABASE_ROOT_URL", "APP_DB_USER"), want: []string{lacks, "db-provision DATABASE_ROOT_URL f.yaml:2:5"}},
		{name: "p0 without components", containers: provisioner("POSTGRES_ROOT_USER"), want: []string{lacks}},
		{name: "p0 without anything is one finding", containers: provisioner(), want: []string{lacks}},
		{name: "p0 with an unknown Secret", containers: one(opaque("db-provision"))},
		{name: "p0 elsewhere", containers: []manifest.Container{container("app", env(2, "DATABASE_ROOT_URL"), env(3, "APP_DB_USER")), container("web"), container("postgres", env(4, "POSTGRES_ROOT_USER"))}},

		{name: "p1 complete", adapt: p1, containers: provisioner("DATABASE_ROOT_URL", "DATABASE_URL", "DATABASE_SERVICE_URL")},
		{name: "p1 without one DSN", adapt: p1, containers: provisioner("DATABASE_ROOT_URL", "DATABASE_URL"), want: []string{lacks}},
		{name: "p1 with an unknown Secret", adapt: p1, containers: one(opaque("db-provision", env(2, "DATABASE_ROOT_URL")))},
		{name: "p1 with a part", adapt: p1, containers: provisioner("DATABASE_ROOT_URL", "DATABASE_URL", "DATABASE_SERVICE_URL", "POSTGRES_ROOT_USER"), want: []string{"db-provision POSTGRES_ROOT_USER f.yaml:5:5"}},
		{name: "p1 with a component", adapt: p1, containers: provisioner("DATABASE_ROOT_URL", "DATABASE_URL", "DATABASE_SERVICE_URL", "APP_DB_USER"), want: []string{"db-provision APP_DB_USER f.yaml:5:5"}},
		{name: "p1 with a component anywhere", adapt: p1, containers: one(container("web", env(2, "X", ref("APP_DB_USER")))), want: []string{"web X f.yaml:2:5"}},
		{name: "p1 with a part elsewhere", adapt: p1, containers: one(container("postgres", env(2, "POSTGRES_ROOT_USER")))},
	})
}
