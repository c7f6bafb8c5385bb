package environment

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/derekg1729/dsnlint/pkg/contract"
	"github.com/derekg1729/dsnlint/pkg/manifest"
	"github.com/derekg1729/dsnlint/pkg/rules"
)

const (
	appDSN     = "DATABASE_URL=postgresql://app_user:hunter2@db:5432/app"
	serviceDSN = "DATABASE_SERVICE_URL=postgresql://service_user:hunter3@db:5432/app"
	rootDSN    = "DATABASE_ROOT_URL=postgresql://postgres:hunter4@db:5432/postgres"
)

// show writes findings as RULE level VARIABLE, and checks that they hold no
// value.
func show(t *testing.T, findings []rules.Finding) []string {
	t.Helper()
	var list []string
	for _, f := range findings {
		list = append(list, strings.TrimSpace(fmt.Sprintf("%s %s %s", f.Rule.ID, f.Level, f.Variable)))
		if f.Container == nil || len(f.Provenance) == 0 || f.Fix.IsZero() {
			t.Errorf("%s lacks a container, a provenance or a fix", f.Rule.ID)
		}
		if printed := fmt.Sprintf("%+v %+v", f, *f.Container); strings.Contains(printed, "hunter") {
			t.Error("a finding holds a value")
		}
	}
	return list
}

// TestCheckDSNs checks CheckDSNs against the rules of the script it takes over
// from: distinct users, no superusers, non-empty.
func TestCheckDSNs(t *testing.T) {
	for _, test := range []struct {
		name    string
		lane    contract.Role
		environ []string
		want    []string
	}{
		// What the script says too.
		{"clean", contract.Runtime, []string{appDSN, serviceDSN}, nil},
		{"app DSN missing", contract.Runtime, []string{serviceDSN}, []string{"CONTAINER_ENV_CONTRACT error DATABASE_URL"}},
		{"service DSN missing", contract.Runtime, []string{appDSN}, []string{"CONTAINER_ENV_CONTRACT error DATABASE_SERVICE_URL"}},
		{"both missing", contract.Runtime, nil, []string{"CONTAINER_ENV_CONTRACT error DATABASE_SERVICE_URL", "CONTAINER_ENV_CONTRACT error DATABASE_URL"}},
		{"empty", contract.Runtime, []string{"DATABASE_URL=", serviceDSN}, []string{"CONTAINER_ENV_CONTRACT error DATABASE_URL"}},
		{"both empty", contract.Runtime, []string{"DATABASE_URL=", "DATABASE_SERVICE_URL="}, []string{"CONTAINER_ENV_CONTRACT error DATABASE_SERVICE_URL", "CONTAINER_ENV_CONTRACT error DATABASE_URL"}},
		{"same user", contract.Runtime, []string{appDSN, "DATABASE_SERVICE_URL=postgresql://app_user:hunter3@other:5432/app"}, []string{"ROLE_ISOLATION error DATABASE_SERVICE_URL"}},
		{"postgres", contract.Runtime, []string{"DATABASE_URL=postgres://postgres:hunter2@db/app", serviceDSN}, []string{"ROLE_ISOLATION error DATABASE_URL"}},
		{"root", contract.Runtime, []string{appDSN, "DATABASE_SERVICE_URL=postgres://root:hunter3@db/app"}, []string{"ROLE_ISOLATION error DATABASE_SERVICE_URL"}},
		{"admin", contract.Runtime, []string{"DATABASE_URL=postgres://admin:hunter2@db/app", serviceDSN}, []string{"ROLE_ISOLATION error DATABASE_URL"}},
		{"superuser", contract.Runtime, []string{"DATABASE_URL=postgres://superuser:hunter2@db/app", serviceDSN}, []string{"ROLE_ISOLATION error DATABASE_URL"}},
		{"same superuser", contract.Runtime, []string{"DATABASE_URL=postgres://root@db/app", "DATABASE_SERVICE_URL=postgres://root@db/app"},
			[]string{"ROLE_ISOLATION error DATABASE_SERVICE_URL", "ROLE_ISOLATION error DATABASE_SERVICE_URL", "ROLE_ISOLATION error DATABASE_URL"}},
		// Where this is stricter than a comparison of texts.
		{"stricter: blank", contract.Runtime, []string{"DATABASE_URL=  ", serviceDSN}, []string{"CONTAINER_ENV_CONTRACT error DATABASE_URL"}},
		{"stricter: case", contract.Runtime, []string{"DATABASE_URL=postgres://Postgres:hunter2@db/app", serviceDSN}, []string{"ROLE_ISOLATION error DATABASE_URL"}},
		{"stricter: percent-encoded superuser", contract.Runtime, []string{"DATABASE_URL=postgres://p%6Fstgres:hunter2@db/app", serviceDSN}, []string{"ROLE_ISOLATION error DATABASE_URL"}},
		{"stricter: percent-encoded same user", contract.Runtime, []string{appDSN, "DATABASE_SERVICE_URL=postgres://app%5Fuser:hunter3@db/app"}, []string{"ROLE_ISOLATION error DATABASE_SERVICE_URL"}},
		{"stricter: user parameter", contract.Runtime, []string{"DATABASE_URL=postgres://app_user:hunter2@db/app?user=postgres", serviceDSN}, []string{"ROLE_ISOLATION error DATABASE_URL"}},
		{"stricter: keyword form", contract.Runtime, []string{"DATABASE_URL=host=db user=postgres password=hunter2", serviceDSN}, []string{"ROLE_ISOLATION error DATABASE_URL"}},
		{"stricter: keyword form, same user", contract.Runtime, []string{appDSN, "DATABASE_SERVICE_URL=user='app_user' password=hunter3"}, []string{"ROLE_ISOLATION error DATABASE_SERVICE_URL"}},
		{"stricter: driver in the scheme", contract.Runtime, []string{"DATABASE_URL=postgresql+asyncpg://admin:hunter2@db/app", serviceDSN}, []string{"ROLE_ISOLATION error DATABASE_URL"}},
		{"stricter: no username", contract.Runtime, []string{"DATABASE_URL=postgres://:hunter2@db/app", serviceDSN}, []string{"ROLE_ISOLATION error DATABASE_URL"}},
		{"stricter: no userinfo", contract.Runtime, []string{"DATABASE_URL=postgres://db/app", serviceDSN}, []string{"ROLE_ISOLATION error DATABASE_URL"}},
		{"stricter: no DSN", contract.Runtime, []string{"DATABASE_URL=hunter2", serviceDSN}, []string{"ROLE_ISOLATION error DATABASE_URL"}},
		{"stricter: raw slash in the password", contract.Runtime, []string{"DATABASE_URL=postgres://app_user:hun/ter2@db/app", serviceDSN}, []string{"ROLE_ISOLATION error DATABASE_URL"}},
		// The lanes.
		{"root DSN is not looked at in the runtime lane", contract.Runtime, []string{appDSN, serviceDSN, rootDSN, "POSTGRES_ROOT_PASSWORD=hunter5"}, nil},
		{"provisioner clean", contract.Provisioner, []string{appDSN, serviceDSN, rootDSN, "APP_DB_USER=hunter6"}, nil},
		{"provisioner without root DSN", contract.Provisioner, []string{appDSN, serviceDSN}, []string{"CONTAINER_ENV_CONTRACT error DATABASE_ROOT_URL"}},
		{"root DSN without user", contract.Provisioner, []string{appDSN, serviceDSN, "DATABASE_ROOT_URL=postgres://db"}, []string{"ROLE_ISOLATION error DATABASE_ROOT_URL"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := show(t, CheckDSNs(contract.Builtin(), FromProcess(test.environ), test.lane))
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCheckProcess(t *testing.T) {
	for _, test := range []struct {
		name      string
		role      contract.Role
		container string
		environ   []string
		want      []string
	}{
		{"app", contract.Runtime, "app", []string{appDSN, serviceDSN, "PATH=/bin"}, nil},
		{"app without variables", contract.Runtime, "app", nil, []string{"CONTAINER_ENV_CONTRACT error DATABASE_SERVICE_URL", "CONTAINER_ENV_CONTRACT error DATABASE_URL"}},
		{"app with provisioning credentials", contract.Runtime, "app", []string{appDSN, serviceDSN, rootDSN, "POSTGRES_ROOT_PASSWORD=hunter5", "APP_DB_PASSWORD=hunter6"}, []string{
			"RUNTIME_DSN_ONLY error APP_DB_PASSWORD",
			"RUNTIME_DSN_ONLY error DATABASE_ROOT_URL", "PROVISIONING_TRUST_BOUNDARY error DATABASE_ROOT_URL",
			"RUNTIME_DSN_ONLY error POSTGRES_ROOT_PASSWORD", "PROVISIONING_TRUST_BOUNDARY error POSTGRES_ROOT_PASSWORD",
		}},
		{"app with another database variable", contract.Runtime, "app", []string{appDSN, serviceDSN, "PGPASSWORD=hunter5"}, []string{"CONTAINER_ENV_CONTRACT warning PGPASSWORD"}},
		{"app with one user", contract.Runtime, "app", []string{appDSN, "DATABASE_SERVICE_URL=postgres://app_user@db"}, []string{"ROLE_ISOLATION error DATABASE_SERVICE_URL"}},
		{"app with a superuser", contract.Runtime, "app", []string{appDSN, "DATABASE_SERVICE_URL=user=POSTGRES"}, []string{"ROLE_ISOLATION error DATABASE_SERVICE_URL"}},
		{"app with an empty DSN", contract.Runtime, "app", []string{"DATABASE_URL=", serviceDSN}, []string{"CONTAINER_ENV_CONTRACT error DATABASE_URL"}},
		{"worker", contract.Runtime, "scheduler-worker", []string{"DATABASE_URL=postgres://service_user:hunter3@db/app"}, nil},
		{"worker under the other name", contract.Runtime, "scheduler-worker", []string{serviceDSN}, nil},
		{"worker without a DSN", contract.Runtime, "scheduler-worker", []string{"A=b"}, []string{"CONTAINER_ENV_CONTRACT error DATABASE_URL"}},
		{"worker with a broken DSN", contract.Runtime, "scheduler-worker", []string{"DATABASE_URL=postgres://service_user:hun ter2@db"}, []string{"ROLE_ISOLATION error DATABASE_URL"}},
		{"a runtime container without a row", contract.Runtime, "web", []string{"A=b"}, nil},
		{"a database may hold superusers", contract.Database, "postgres", []string{"DATABASE_URL=postgres://postgres:hunter2@db", "DATABASE_SERVICE_URL=postgres://postgres:hunter3@db"}, nil},
		{"other", contract.Other, "proxy", []string{rootDSN}, []string{"PROVISIONING_TRUST_BOUNDARY error DATABASE_ROOT_URL"}},
		{"provisioner", contract.Provisioner, "db-provision", []string{"POSTGRES_ROOT_PASSWORD=hunter5", "APP_DB_PASSWORD=hunter6"}, nil},
		{"provisioner of the other phase", contract.Provisioner, "db-provision", []string{rootDSN}, []string{"AUTHORITATIVE_INPUTS_PER_PHASE error", "AUTHORITATIVE_INPUTS_PER_PHASE error DATABASE_ROOT_URL"}},
		{"the label wins over the name", contract.Runtime, "db-provision", []string{"POSTGRES_ROOT_PASSWORD=hunter5"}, []string{
			"RUNTIME_DSN_ONLY error POSTGRES_ROOT_PASSWORD", "PROVISIONING_TRUST_BOUNDARY error POSTGRES_ROOT_PASSWORD",
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := show(t, CheckProcess(contract.Builtin(), FromProcess(test.environ), test.role, test.container))
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFromFile(t *testing.T) {
	text := "# comment\nexport DATABASE_URL=postgres://app_user:hunter2@db/app\n\nDATABASE_SERVICE_URL='postgres://postgres:hunt$er3@db/app'\n"
	v, err := FromFile("deploy/.env", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	findings := CheckDSNs(contract.Builtin(), v, contract.Runtime)
	if diff := cmp.Diff([]string{"ROLE_ISOLATION error DATABASE_SERVICE_URL"}, show(t, findings)); diff != "" {
		t.Fatal(diff)
	}
	if got := findings[0].Position.String(); got != "deploy/.env:4" {
		t.Errorf("position %s", got)
	}
	if printed := fmt.Sprintf("%v %+v %#v", v, v, *v); strings.Contains(printed, "hunt") {
		t.Error("variables print their values")
	}
}

func TestFromFileErrors(t *testing.T) {
	for _, text := range []string{"DATABASE_URL='hunter2", "hunter2 hunter2=x", "A=${hunter2", "A=${hunter2?hunter2}"} {
		_, err := FromFile("deploy/.env", []byte(text))
		var problem *manifest.Problem
		if !errors.As(err, &problem) || problem.Position.File != "deploy/.env" {
			t.Errorf("got %T", err)
			continue
		}
		if strings.Contains(err.Error(), "hunter2") {
			t.Error("the problem holds a part of the file")
		}
	}
}

// doubling sets variables, each of which holds the one before twice.
func doubling(first, format string) string {
	var b strings.Builder
	b.WriteString(first)
	for i := range 60 {
		fmt.Fprintf(&b, format, i+1, i, i)
	}
	return b.String()
}

func TestValuesThatGrowWithoutBoundAreRefused(t *testing.T) {
	for _, text := range []string{
		doubling("V0=x\n", "V%d=$V%d$V%d\n"),
		doubling("V0=x\n", "V%d=\"${V%d}${V%d}\"\n"),
		doubling("V0=x\n", "export V%d: ${V%d:-${V%d}}\n") + doubling("A0=x\n", "A%d=${A%d}${A%d}\n"),
		doubling("V0=x\n", "V%d=\"\nB=$V%d$V%d\"\n"),
		"A=x\n" + strings.Repeat("A=$A$A\n", 60),
		doubling("V0=x\n", "V%[1]d=\"\n$V%[2]d$V%[3]d\nV%[1]d=\n\"\n"),
		strings.Repeat("A='"+strings.Repeat("x", 1<<20)+"'\n", maxValues>>20) + "A=x",
	} {
		_, err := FromFile("env", []byte(text))
		var problem *manifest.Problem
		if !errors.As(err, &problem) || !strings.Contains(problem.Message.String(), "grow too long") {
			t.Errorf("got %v", err)
		}
	}
	for _, text := range []string{
		strings.Repeat("A=$A$B\nB=x\n", 10),
		"H=db\nP=5432\n" + strings.Repeat("U=postgres://$H:$P/x\n", 1000),
		"N=it's\nM=\"$N\"\nK='a\nb'\n",
	} {
		if _, err := FromFile("env", []byte(text)); err != nil {
			t.Errorf("got %v", err)
		}
	}
}

func TestMasks(t *testing.T) {
	for _, test := range []struct {
		name    string
		environ []string
		want    string
	}{
		{"both", []string{appDSN, serviceDSN}, `::add-mask::postgresql://app_user:hunter2@db:5432/app
::add-mask::hunter2
::add-mask::postgresql://service_user:hunter3@db:5432/app
::add-mask::hunter3
`},
		{"root too", []string{rootDSN}, `::add-mask::postgresql://postgres:hunter4@db:5432/postgres
::add-mask::hunter4
`},
		{"percent-decoded", []string{"DATABASE_URL=postgres://a:h%40x@db"}, `::add-mask::postgres://a:h%2540x@db
::add-mask::h%2540x
::add-mask::h@x
`},
		{"parameter", []string{"DATABASE_URL=postgres://a:hunter2@db?password=hunter3"}, `::add-mask::postgres://a:hunter2@db?password=hunter3
::add-mask::hunter2
::add-mask::hunter3
`},
		{"keyword form", []string{`DATABASE_URL=user=a password='hun\'ter2'`}, `::add-mask::user=a password='hun\'ter2'
::add-mask::hun\'ter2
::add-mask::hun'ter2
`},
		{"decoded to several lines", []string{"DATABASE_URL=postgres://a:one%0D%0Atwo@db"}, `::add-mask::postgres://a:one%250D%250Atwo@db
::add-mask::one%250D%250Atwo
::add-mask::one
::add-mask::two
`},
		{"several lines", []string{"DATABASE_URL=postgres://a:one\n\ntwo@db\n"}, `::add-mask::postgres://a:one
::add-mask::two@db
::add-mask::one
::add-mask::two
`},
		{"carriage return", []string{"DATABASE_URL=postgres://a:one\rtwo@db"}, `::add-mask::postgres://a:one%0Dtwo@db
::add-mask::one%0Dtwo
`},
		{"unreadable", []string{"DATABASE_URL=postgres://a:hun/ter2@db"}, `::add-mask::postgres://a:hun/ter2@db
::add-mask::hun/ter2
`},
		{"no password", []string{"DATABASE_URL=postgres://a@db"}, "::add-mask::postgres://a@db\n"},
		{"empty", []string{"DATABASE_URL=", "DATABASE_SERVICE_URL= \n "}, ""},
		{"none", []string{"OTHER=hunter2"}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := MaskCommands(Masks(contract.Builtin(), FromProcess(test.environ)))
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func FuzzFromFile(f *testing.F) {
	for _, seed := range []string{"A=b\n", "export DATABASE_URL='postgres://a:b@c'\n", "A=${B:-c}\nB: x\n#", "\ufeffA=\"x\ny\"", "DATABASE_URL=${DATABASE_URL}"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := FromFile("env", data)
		if err != nil {
			return
		}
		for _, mask := range Masks(contract.Builtin(), v) {
			if strings.TrimSpace(mask) == "" || strings.Contains(mask, "\n") {
				t.Errorf("%q cannot be masked", mask)
			}
		}
		CheckDSNs(contract.Builtin(), v, contract.Provisioner)
		CheckProcess(contract.Builtin(), v, contract.Runtime, "app")
	})
}
