package rules

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/derekg1729/dsnlint/pkg/contract"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

func TestRoleIsolation(t *testing.T) {
	dsns := func(name string, app, service []manifest.Part) []manifest.Container {
		return []manifest.Container{container(name, env(2, "DATABASE_URL", app...), env(3, "DATABASE_SERVICE_URL", service...))}
	}
	p := func(parts ...manifest.Part) []manifest.Part { return parts }
	app, service := p(text("postgres://app_user:x@db/app")), p(text("postgres://service_user:y@db/app"))
	isApp, isService := []string{"app DATABASE_URL f.yaml:2:5"}, []string{"app DATABASE_SERVICE_URL f.yaml:3:5"}
	testRule(t, roleIsolation, []ruleTest{
		{name: "superuser of the app", containers: dsns("app", p(text("postgres://postgres:x@db/app")), service), want: isApp},
		{name: "superuser of the service", containers: dsns("app", app, p(text("postgres://root:x@db/app"))), want: isService},
		{name: "superuser in another case", containers: dsns("app", app, p(text("postgres://Admin:x@db/app"))), want: isService},
		{name: "percent-encoded superuser", containers: dsns("app", app, p(text("postgres://r%6Fot:x@db/app"))), want: isService},
		{name: "superuser as a default", containers: dsns("app", app, p(text("postgres://"), or("U", text("postgres")), text(":x@db/app"))), want: isService},
		{name: "superuser behind a variable", containers: dsns("app", app, p(text("postgres://"), ref("U", text("postgres")), text(":x@db/app"))), want: isService},
		{name: "superuser in keywords", containers: dsns("app", app, p(text("user=postgres"))), want: isService},
		{name: "superuser in a default of keywords", containers: dsns("app", app, p(or("U", text("user=postgres")))), want: isService},
		{name: "one user by text", containers: dsns("app", app, p(text("postgres://app%5Fuser:y@other/app"))), want: isService},
		{name: "one user by reference", containers: dsns("app", p(text("postgres://"), ref("U"), text(":x@db/app")), p(text("postgres://"), ref("U"), text(":y@db/app"))), want: isService},
		{name: "one user by default", containers: dsns("app", app, p(text("postgres://"), or("U", text("app_user")), text(":y@db/app"))), want: isService},
		{name: "one unknown DSN", containers: dsns("app", p(ref("D")), p(ref("D"))), want: isService},
		{name: "one text that is no DSN", containers: dsns("app", p(text("x")), p(text("x"))), want: isService},
		{name: "one superuser", containers: dsns("app", p(text("postgres://root@db")), p(text("postgres://root@db"))), want: []string{isApp[0], isService[0], isService[0]}},
		{name: "other container", containers: dsns("web", p(text("postgres://root@db")), service), want: []string{"web DATABASE_URL f.yaml:2:5"}},
		{name: "provisioner", containers: dsns("db-provision", p(text("postgres://root@db")), service), want: []string{"db-provision DATABASE_URL f.yaml:2:5"}},
		{name: "denylist of the contract", containers: dsns("app", app, service), want: isApp, adapt: func(c *contract.Contract) { c.Denylist = []string{"app_user"} }},
		{name: "names of the contract", containers: []manifest.Container{container("app", env(2, "MAIN_DSN", text("postgres://root@db")))},
			want: []string{"app MAIN_DSN f.yaml:2:5"}, adapt: func(c *contract.Contract) { c.Secrets.AppDSN = "MAIN_DSN" }},

		{name: "two users", containers: dsns("app", app, service)},
		{name: "two unknown DSNs", containers: dsns("app", p(ref("A")), p(ref("B")))},
		{name: "DSNs of which nothing is known", containers: dsns("app", nil, nil)},
		{name: "two users by reference", containers: dsns("app", p(text("postgres://"), ref("U"), text(":x@db/app")), p(text("postgres://"), ref("V"), text(":y@db/app")))},
		{name: "one password", containers: dsns("app", p(text("postgres://a:"), ref("P"), text("@db/app")), p(text("postgres://b:"), ref("P"), text("@db/app")))},
		{name: "no users", containers: dsns("app", p(text("postgres://db/a")), p(text("postgres://db/b")))},
		{name: "both empty", containers: dsns("app", p(ref("A", text(""))), p(text(" ")))},
		{name: "both blank", containers: dsns("app", p(text(" ")), p(text(" ")))},
		{name: "superuser in another variable", containers: []manifest.Container{container("app", env(2, "REPORTING_DSN", text("postgres://root@db")))}, want: []string{"app REPORTING_DSN f.yaml:2:5"}},
		{name: "superuser in another variable of no runtime container", containers: one(container("web", env(2, "REPORTING_DSN", text("postgres://root@db"))))},
		{name: "superuser in the authority", containers: one(container("app", env(2, "DATABASE_URL", text("postgres://root@db/x?user=app")))), want: []string{"app DATABASE_URL f.yaml:2:5"}},
		{name: "superuser's own DSN", containers: one(container("db-provision", env(2, "DATABASE_ROOT_URL", text("postgres://a@db")), env(3, "DATABASE_URL", text("postgres://a@db")))), want: []string{"db-provision DATABASE_URL f.yaml:3:5"}},
		{name: "one DSN for both", containers: one(container("app", env(2, "DATABASE_URL", app...))), adapt: func(c *contract.Contract) { c.Secrets.ServiceDSN = "DATABASE_URL" }},
		{name: "only one of the two", containers: []manifest.Container{container("app", env(2, "DATABASE_URL", app...))}},
		{name: "two containers", containers: []manifest.Container{container("app", env(2, "DATABASE_URL", app...)), container("migrate", env(3, "DATABASE_SERVICE_URL", app...))}, want: []string{"migrate DATABASE_SERVICE_URL f.yaml:3:5"}},
		{name: "database", containers: dsns("postgres", p(text("postgres://root@db")), p(text("postgres://root@db")))},
	})
}

// TestManyDSNsInOneValue checks that the time for a value of many DSNs does not grow
// with the cube of their number: a stranger may write one.
func TestManyDSNsInOneValue(t *testing.T) {
	many := func(user string, last string) manifest.Part {
		var b strings.Builder
		for i := range 400 {
			fmt.Fprintf(&b, "postgres://%s%d@db/app ", user, i)
		}
		return text(b.String() + "postgres://" + last + "@db/app")
	}
	for _, test := range []struct {
		last string
		want []string
	}{
		{"shared", []string{"app DATABASE_SERVICE_URL f.yaml:3:5"}},
		{"other", nil},
	} {
		start := time.Now()
		found := runOne(t, roleIsolation, container("app", env(2, "DATABASE_URL", many("a", "shared")), env(3, "DATABASE_SERVICE_URL", many("b", test.last))))
		if !slices.Equal(rows(found), test.want) {
			t.Errorf("found %v, want %v", rows(found), test.want)
		}
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("400 DSNs in a value took %v", took)
		}
	}
}
