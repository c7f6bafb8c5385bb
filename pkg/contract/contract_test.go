package contract

import (
	"testing"

	"github.com/derekg1729/dsnlint/pkg/manifest"
)

func TestRoleOf(t *testing.T) {
	const digest = "@sha256:0000000000000000000000000000000000000000000000000000000000000000"
	names := func(names ...string) manifest.Container { return manifest.Container{RoleNames: names} }
	image := func(image string) manifest.Container {
		return manifest.Container{RoleNames: []string{"store"}, Image: image}
	}
	for name, test := range map[string]struct {
		container manifest.Container
		want      Role
	}{
		// 1. Globs over the container's name.
		"provisioner":              {names("db-provision"), Provisioner},
		"runtime":                  {names("app"), Runtime},
		"runtime worker":           {names("scheduler-worker"), Runtime},
		"runtime glob":             {names("migrate-doltgres"), Runtime},
		"runtime migrate":          {names("db-migrate"), Runtime},
		"a glob is the whole name": {names("my-app"), Other},
		"database":                 {names("temporal-postgres"), Database},
		"database name":            {names("db"), Database},
		"case counts":              {names("App"), Other},
		// 2. The container's own name before its workload's.
		"workload":           {names("worker", "scheduler-worker"), Runtime},
		"own name first":     {names("app", "db-provision"), Runtime},
		"without a prefix":   {names("c", "prod-app", "app"), Runtime},
		"own name, database": {names("postgres", "app"), Database},
		// 3. A database's image.
		"image":                             {image("postgres"), Database},
		"image with tag":                    {image("postgres:15-alpine"), Database},
		"image with digest":                 {image("postgres" + digest), Database},
		"image with tag and digest":         {image("docker.io/library/postgres:15" + digest), Database},
		"image in library":                  {image("library/postgres"), Database},
		"image in a registry":               {image("registry.example.com:5000/postgres:15"), Database},
		"image on localhost":                {image("localhost/postgres"), Database},
		"image of a mirror":                 {image("public.ecr.aws/docker/library/postgres:16"), Database},
		"image with owner":                  {image("ghcr.io/pgvector/pgvector:pg16"), Database},
		"image with owner on the Hub":       {image("postgis/postgis:16-3.4"), Database},
		"a team's image of that name":       {image("registry.example.com:5000/team/postgres:15"), Other},
		"a team's image on the Hub":         {image("team/postgres"), Other},
		"an image that sounds like it":      {image("postgres-exporter:1"), Other},
		"a directory with a dot is no host": {image("registry.example.com/a.b/postgres"), Other},
		"no image":                          {image(""), Other},
		"a port is no tag":                  {image("postgres:5000/backup"), Other},
		"an image that borrows the library": {image("registry.example.com/library/backup"), Other},
		"a name's role beats the image":     {manifest.Container{RoleNames: []string{"db-provision"}, Image: "postgres:15"}, Provisioner},
		"a backup job that borrows the image": {
			manifest.Container{RoleNames: []string{"backup"}, Image: "postgres:15", Deliveries: []manifest.Delivery{
				{EnvVar: manifest.EnvVar{Expr: manifest.Literal("backup")}, Command: manifest.CommandWord},
			}}, Other,
		},
		// 4. Everything else.
		"other":    {names("proxy"), Other},
		"nameless": {manifest.Container{}, Other},
		// 5. The label.
		"label":                     {manifest.Container{RoleNames: []string{"postgres"}, Image: "postgres", RoleLabel: "runtime"}, Runtime},
		"label other":               {manifest.Container{RoleNames: []string{"app"}, RoleLabel: "other"}, Other},
		"a label that says no role": {manifest.Container{RoleNames: []string{"app"}, RoleLabel: "boss"}, Runtime},
	} {
		if got := Builtin().RoleOf(&test.container); got != test.want {
			t.Errorf("%s: got %s, want %s", name, got, test.want)
		}
	}
}

func TestRoleOfOwnImages(t *testing.T) {
	c := parse(t, "databaseImages: [team/postgres, \"registry.example.com:5000/pg-*\"]\n")
	for image, want := range map[string]Role{
		"registry.example.com/team/postgres:1": Database,
		"registry.example.com:5000/pg-a:1":     Database,
		"other.example.com:5000/pg-a:1":        Other,
		"postgres":                             Other,
	} {
		if got := c.RoleOf(&manifest.Container{Image: image}); got != want {
			t.Errorf("%s: got %s, want %s", image, got, want)
		}
	}
}

func TestNames(t *testing.T) {
	c := Builtin()
	for name, want := range map[string][3]bool{ // provisioning, component, database variable
		"DATABASE_ROOT_URL":      {true, false, true},
		"POSTGRES_ROOT_PASSWORD": {true, false, true},
		"POSTGRES_ROOT":          {false, false, true},
		"APP_DB_HOST":            {false, true, false},
		"DATABASE_URL":           {false, false, true},
		"PGPASSWORD":             {false, false, true},
		"database_root_url":      {false, false, false},
		"MY_DATABASE_ROOT_URL":   {false, false, false},
	} {
		if got := [3]bool{c.IsProvisioning(name), c.IsComponent(name), c.IsDatabaseVariable(name)}; got != want {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
	for name, want := range map[string]bool{"postgres": true, "Root": true, "app_user": false, "": false} {
		if got := c.IsDenied(name); got != want {
			t.Errorf("IsDenied(%q) is %v", name, got)
		}
	}
}

func TestRowOf(t *testing.T) {
	c := Builtin()
	for want, names := range map[string][]string{
		"app":              {"app"},
		"migrate-*":        {"migrate-doltgres"},
		"scheduler-worker": {"worker", "scheduler-worker"},
		"":                 {"proxy"},
	} {
		if row, ok := c.RowOf(&manifest.Container{RoleNames: names}); row.Name != want || ok != (want != "") {
			t.Errorf("%v: got the row %q", names, row.Name)
		}
	}
}
