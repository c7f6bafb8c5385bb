package rules

import (
	"testing"

	"github.com/derekg1729/dsnlint/pkg/manifest"
)

func TestProvisioningTrustBoundary(t *testing.T) {
	testRule(t, provisioningTrustBoundary, []ruleTest{
		{name: "other container", containers: one(container("web", env(2, "POSTGRES_ROOT_PASSWORD"))), want: []string{"web POSTGRES_ROOT_PASSWORD f.yaml:2:5"}},
		{name: "runtime container", containers: one(container("app", env(2, "DATABASE_ROOT_URL"))), want: []string{"app DATABASE_ROOT_URL f.yaml:2:5"}},
		{name: "under another name", containers: one(container("web", env(2, "PGPASSWORD", ref("POSTGRES_ROOT_PASSWORD")))), want: []string{"web PGPASSWORD f.yaml:2:5"}},
		{name: "file", containers: one(container("web", by(manifest.ChannelFile, 2, "/run/secrets/database_root_url"))), want: []string{"web /run/secrets/database_root_url f.yaml:2:5"}},
		{name: "argument", containers: one(container("web", by(manifest.ChannelArgument, 2, "command", ref("DATABASE_ROOT_URL")))), want: []string{"web command f.yaml:2:5"}},

		{name: "provisioner", containers: one(container("db-provision", env(2, "POSTGRES_ROOT_PASSWORD")))},
		{name: "database", containers: one(container("postgres", env(2, "POSTGRES_PASSWORD", ref("POSTGRES_ROOT_PASSWORD"))))},
		{name: "component variable", containers: one(container("web", env(2, "APP_DB_PASSWORD")))},
		{name: "part of a name", containers: one(container("web", env(2, "MY_POSTGRES_ROOT_PASSWORD")))},
	})
}

// TestSecretsOfAFinding checks that a finding lists each name once, with its own way.
func TestSecretsOfAFinding(t *testing.T) {
	user, password := defined("POSTGRES_ROOT_USER", "a.env"), defined("POSTGRES_ROOT_PASSWORD", "b.env")
	found := runOne(t, provisioningTrustBoundary, container("web", env(2, "DSN", user, text(":"), password, user)))
	if len(found) != 1 || len(found[0].Secrets) != 2 || found[0].Secrets[0] != "POSTGRES_ROOT_USER" || found[0].Secrets[1] != "POSTGRES_ROOT_PASSWORD" {
		t.Fatalf("found %v", rows(found))
	}
	for i, file := range []string{"a.env", "b.env"} {
		way := found[0].Provenance[i]
		if len(way) != 2 || way[0].Position != line(2) || way[1].Position.File != file {
			t.Errorf("the way of secret %d is %v", i, way)
		}
	}
}
