package rules

import (
	"testing"

	"github.com/derekg1729/dsnlint/pkg/manifest"
)

func TestRuntimeDSNOnly(t *testing.T) {
	testRule(t, runtimeDSNOnly, []ruleTest{
		{name: "component variable", containers: one(container("app", env(2, "APP_DB_PASSWORD"))), want: []string{"app APP_DB_PASSWORD f.yaml:2:5"}},
		{name: "provisioning credential", containers: one(container("app", env(2, "POSTGRES_ROOT_USER"))), want: []string{"app POSTGRES_ROOT_USER f.yaml:2:5"}},
		{name: "root DSN", containers: one(container("migrate", env(2, "DATABASE_ROOT_URL"))), want: []string{"migrate DATABASE_ROOT_URL f.yaml:2:5"}},
		{name: "inside another value", containers: one(container("app", env(2, "X", text("a"), ref("APP_DB_NAME"), text("b")))), want: []string{"app X f.yaml:2:5"}},
		{name: "two in one value are one finding", containers: one(container("app", env(2, "X", ref("APP_DB_USER"), ref("APP_DB_PASSWORD")))), want: []string{"app X f.yaml:2:5"}},
		{name: "behind another variable", containers: one(container("app", env(2, "X", ref("Y", ref("APP_DB_USER"))))), want: []string{"app X f.yaml:2:5"}},
		{name: "in a default", containers: one(container("app", env(2, "X", or("Y", ref("APP_DB_USER"))))), want: []string{"app X f.yaml:2:5"}},
		{name: "file named after it", containers: one(container("app", by(manifest.ChannelFile, 2, "/run/secrets/app-db-password.txt"))), want: []string{"app /run/secrets/app-db-password.txt f.yaml:2:5"}},
		{name: "argument", containers: one(container("app", by(manifest.ChannelArgument, 2, "command", ref("APP_DB_USER")))), want: []string{"app command f.yaml:2:5"}},
		{name: "build argument", containers: one(container("app", by(manifest.ChannelBuild, 2, "APP_DB_USER"))), want: []string{"app APP_DB_USER f.yaml:2:5"}},
		{name: "label", containers: one(container("app", by(manifest.ChannelMetadata, 2, "note", ref("APP_DB_USER")))), want: []string{"app note f.yaml:2:5"}},
		{name: "role by label", containers: one(with(container("web", env(2, "APP_DB_USER")), func(c *manifest.Container) { c.RoleLabel = "runtime" })), want: []string{"web APP_DB_USER f.yaml:2:5"}},

		{name: "its DSNs", containers: one(container("app", env(2, "DATABASE_URL", ref("DATABASE_URL")), env(3, "DATABASE_SERVICE_URL")))},
		{name: "literal that looks like a reference", containers: one(container("app", env(2, "X", text("${APP_DB_USER}"))))},
		{name: "argument whose field has the name", containers: one(container("app", by(manifest.ChannelArgument, 2, "APP_DB_USER", text("x"))))},
		{name: "certificate", containers: one(container("app", by(manifest.ChannelFile, 2, "/etc/ssl/postgres_root_ca.crt")))},
		{name: "other container", containers: one(container("web", env(2, "APP_DB_USER")))},
		{name: "provisioner", containers: one(container("db-provision", env(2, "APP_DB_USER"), env(3, "POSTGRES_ROOT_USER")))},
		{name: "database", containers: one(container("postgres", env(2, "POSTGRES_ROOT_PASSWORD")))},
	})
}
