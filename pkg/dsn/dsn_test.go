package dsn

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func hosts(nameports ...string) []Host {
	var list []Host
	for i := 0; i < len(nameports); i += 2 {
		list = append(list, Host{nameports[i], nameports[i+1]})
	}
	return list
}

func TestParse(t *testing.T) {
	for _, test := range []struct {
		name, in  string
		want      DSN
		passwords []string
	}{
		{"plain", "postgres://app:hunter2@db:5432/main", DSN{Scheme: "postgres", Username: "app", Hosts: hosts("db", "5432"), Database: "main"}, []string{"hunter2"}},
		{"other scheme", "postgresql://app@db", DSN{Scheme: "postgresql", Username: "app", Hosts: hosts("db", "")}, nil},
		{"driver", "postgresql+asyncpg://app:hunter2@db/main?ssl=require", DSN{Scheme: "postgresql+asyncpg", Username: "app", Hosts: hosts("db", ""), Database: "main"}, []string{"hunter2"}},
		{"another driver", "postgresql+psycopg2://app@db/main", DSN{Scheme: "postgresql+psycopg2", Username: "app", Hosts: hosts("db", ""), Database: "main"}, nil},
		{"jdbc", "jdbc:postgresql://db:5432/main?user=app&password=hunter2", DSN{Scheme: "jdbc:postgresql", Username: "app", Hosts: hosts("db", "5432"), Database: "main"}, []string{"hunter2"}},
		{"upper case scheme", "POSTGRES://app@db", DSN{Scheme: "POSTGRES", Username: "app", Hosts: hosts("db", "")}, nil},
		{"space around", "  postgres://app@db/main\n", DSN{Scheme: "postgres", Username: "app", Hosts: hosts("db", ""), Database: "main"}, nil},
		{"percent-encoding", "postgres://a%70p:hunter%32%40@d%62/m%20n", DSN{Scheme: "postgres", Username: "app", Hosts: hosts("db", ""), Database: "m n"}, []string{"hunter%32%40", "hunter2@"}},
		{"raw @ and % escapes", "postgres://app:hun@ter2@db/main", DSN{Scheme: "postgres", Username: "app", Hosts: hosts("db", ""), Database: "main"}, []string{"hun@ter2"}},
		{"no user", "postgres://db:5432/main", DSN{Scheme: "postgres", Hosts: hosts("db", "5432"), Database: "main"}, nil},
		{"password without user", "postgres://:hunter2@db", DSN{Scheme: "postgres", Hosts: hosts("db", "")}, []string{"hunter2"}},
		{"empty password", "postgres://app:@db", DSN{Scheme: "postgres", Username: "app", Hosts: hosts("db", "")}, nil},
		{"several hosts", "postgres://app:hunter2@h1:1,h2:2,h3/main", DSN{Scheme: "postgres", Username: "app", Hosts: hosts("h1", "1", "h2", "2", "h3", ""), Database: "main"}, []string{"hunter2"}},
		{"IPv6", "postgres://app@[::1]:5432,[fe80::1]/main", DSN{Scheme: "postgres", Username: "app", Hosts: hosts("::1", "5432", "fe80::1", ""), Database: "main"}, nil},
		{"socket as parameter", "postgres:///main?host=/var/run&user=app", DSN{Scheme: "postgres", Username: "app", Hosts: hosts("/var/run", ""), Database: "main"}, nil},
		{"socket as host", "postgres://app@%2Fvar%2Frun:6432/main", DSN{Scheme: "postgres", Username: "app", Hosts: hosts("/var/run", "6432"), Database: "main"}, nil},
		{"nothing given", "postgresql://", DSN{Scheme: "postgresql"}, nil},
		{"parameters override", "postgres://a:hunter2@h:1/d?user=b&password=hunter3&host=g&port=2&dbname=e", DSN{Scheme: "postgres", Username: "b", Overridden: "a", Hosts: hosts("g", "2"), Database: "e"}, []string{"hunter2", "hunter3"}},
		{"last parameter counts", "postgres://h/d?user=a&user=b", DSN{Scheme: "postgres", Username: "b", Hosts: hosts("h", ""), Database: "d"}, nil},
		{"parameter key encoded", "postgres://a@h/d?%75ser=b", DSN{Scheme: "postgres", Username: "b", Overridden: "a", Hosts: hosts("h", ""), Database: "d"}, nil},
		{"lists in parameters", "postgres:///d?host=a,b&port=1,2", DSN{Scheme: "postgres", Hosts: hosts("a", "1", "b", "2"), Database: "d"}, nil},
		{"one port for all", "postgres:///d?host=a,b&port=1", DSN{Scheme: "postgres", Hosts: hosts("a", "1", "b", "1"), Database: "d"}, nil},
		{"host parameter keeps the port", "postgres://h:1/d?host=g", DSN{Scheme: "postgres", Hosts: hosts("g", "1"), Database: "d"}, nil},
		{"port alone", "postgres:///d?port=1", DSN{Scheme: "postgres", Hosts: hosts("", "1"), Database: "d"}, nil},
		{"foreign parameters", "postgres://a@h/d?schema=public&connection_limit=1&pgbouncer=true", DSN{Scheme: "postgres", Username: "a", Hosts: hosts("h", ""), Database: "d"}, nil},
		{"keywords", "host=db port=5432 user=app password=hunter2 dbname=main", DSN{Username: "app", Hosts: hosts("db", "5432"), Database: "main"}, []string{"hunter2"}},
		{"keywords quoted", `user = 'a\'p p' password='hun ter\\2' host='a,b' port=1,2 dbname=''`, DSN{Username: "a'p p", Hosts: hosts("a", "1", "b", "2")}, []string{`hun ter\\2`, `hun ter\2`}},
		{"keywords escaped", `user=a\ p password=hun\'ter2`, DSN{Username: "a p"}, []string{`hun\'ter2`, `hun'ter2`}},
		{"keyword value across a space", "password= host=h user=app", DSN{Username: "app"}, []string{"host=h"}},
		{"keywords across lines", "user=app\npassword=hunter2\n", DSN{Username: "app"}, []string{"hunter2"}},
		{"hostaddr", "hostaddr=10.0.0.1 user=app", DSN{Username: "app", Hosts: hosts("10.0.0.1", "")}, nil},
		{"percent is text in a keyword form", "user=a%70p", DSN{Username: "a%70p"}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := Parse(test.in)
			if err != nil {
				t.Fatal(err)
			}
			if got.HasPassword != (len(test.passwords) > 0) {
				t.Error("HasPassword is wrong")
			}
			test.want.HasPassword = got.HasPassword
			if diff := cmp.Diff(&test.want, got, cmpopts.IgnoreUnexported(DSN{})); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(test.passwords, got.Passwords(), cmpopts.EquateEmpty()); diff != "" {
				t.Error(diff)
			}
			for _, password := range test.passwords {
				if printed := fmt.Sprintf("%v %+v %#v", got, got, got); strings.Contains(printed, password) {
					t.Error("a DSN prints its password")
				}
			}
		})
	}
}

func TestParseErrors(t *testing.T) {
	for _, test := range []struct {
		name, in string
		want     error
	}{
		{"empty", "", ErrNoDSN},
		{"word", "hunter2", ErrNoDSN},
		{"another database", "mysql://app:hunter2@db/main", ErrNoDSN},
		{"one slash", "postgres:/app:hunter2@db/main", ErrNoDSN},
		{"other keywords", "color=hunter2", ErrNoDSN},
		{"space", "postgres://app:hun ter2@db/main", ErrSpace},
		{"line break", "postgres://app:hun\nter2@db/main", ErrSpace},
		{"bad escape", "postgres://app:hunter2%zz@db/main", ErrEscape},
		{"short escape", "postgres://app:hunter2%2", ErrEscape},
		{"NUL escape", "postgres://app:hunter2%00@db", ErrEscape},
		{"bad escape in a parameter", "postgres://app@db/main?x=hunter2%", ErrEscape},
		{"open bracket", "postgres://app:hunter2@[::1/main", ErrAddress},
		{"empty brackets", "postgres://app:hunter2@[]/main", ErrAddress},
		{"text behind brackets", "postgres://app:hunter2@[::1]x/main", ErrAddress},
		{"port", "postgres://app:hunter2@db:hunter2/main", ErrPort},
		{"port too large", "postgres://db:65536/main", ErrPort},
		{"raw slash in the password", "postgres://app:hun/ter2@db/main", ErrPort},
		{"port count", "postgres:///d?host=a,b,c&port=1,2", ErrPortCount},
		{"parameter", "postgres://db/main?hunter2", ErrParameter},
		{"open quote", "user=app password='hunter2", ErrQuote},
		{"no value", "user=app hunter2", ErrNoDSN},
		{"no keyword", "=hunter2", ErrNoDSN},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := Parse(test.in)
			if !errors.Is(err, test.want) {
				t.Fatalf("got %v, want %v", err, test.want)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Error("the error holds a part of the text")
			}
		})
	}
}

func TestFind(t *testing.T) {
	text := `psql "postgres://a:b@h/d" -c x; export U=postgresql+asyncpg://c@g:1/e, (postgres://h) http://no mysql://a:b@c postgres://`
	var got []string
	for _, sp := range Find(text) {
		got = append(got, text[sp.Start:sp.End])
	}
	want := []string{"postgres://a:b@h/d", "postgresql+asyncpg://c@g:1/e", "postgres://h", "postgres://"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"postgres://a:b@h:1,[::1]:2/d?user=x&password=y&host=a,b&port=1", "host=a password='b\\'' user=c", "postgres://%", "[]", "postgres://@:@",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := Parse(s)
		if (d == nil) == (err == nil) {
			t.Fatal("neither a DSN nor an error, or both")
		}
		if d == nil {
			return
		}
		for _, password := range d.Passwords() {
			if password == "" {
				t.Error("an empty password to mask")
			}
		}
		if len(d.Passwords()) > 0 != d.HasPassword {
			t.Error("HasPassword is wrong")
		}
	})
}
