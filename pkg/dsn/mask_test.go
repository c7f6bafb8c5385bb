package dsn

import (
	"math/rand/v2"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

func TestMask(t *testing.T) {
	for _, test := range []struct{ name, in, want string }{
		{"plain", "postgresql://app_user:hunter2@host:5432/db", "postgresql://app_user:***@host:5432/db"},
		{"no password", "postgresql://app_user@host:5432/db?sslmode=require", "postgresql://app_user@host:5432/db?sslmode=require"},
		{"no user", "postgresql://host:5432/db", "postgresql://host:5432/db"},
		{"empty password", "postgres://app:@host/db", "postgres://app:@host/db"},
		{"IPv6", "postgres://[::1]:5432/db", "postgres://[::1]:5432/db"},
		{"parameter", "postgres://h/db?user=a&password=hunter2&sslmode=require", "postgres://h/db?user=a&password=***&sslmode=require"},
		{"encoded parameter", "postgres://h/db?p%61ssword=hunter2", "postgres://h/db?p%61ssword=***"},
		{"@ in a parameter's password", "postgres://a:x@h/db?password=hun@ter2&a=b", "postgres://a:***@***&a=b"},
		{"space in a parameter's password", "postgres://a@h:1/d?password=hun ter2&s", "postgres://a@h:1/d?password=***&s"},
		{"key's password", "postgres://a:x@h/db?sslpassword=hunter2", "postgres://a:***@h/db?sslpassword=***"},
		{"raw @", "postgres://app:hun@ter2@h/db", "postgres://app:***@h/db"},
		{"raw / ? #", "postgres://app:h/u?n#ter2@h/db", "postgres://app:***@h/db"},
		{"raw /, digits before", "postgres://app:12/ter2@h/db", "postgres://app:***@h/db"},
		{"space", "postgres://app:hun ter2@h/db", "postgres://app:***@h/db"},
		{"bad escape", "postgres://app:hunter2%zz@h/db", "postgres://app:***@h/db"},
		{"no @", "postgres://app:hunter2", "postgres://app:***"},
		{"no @, slash", "postgres://app:hun/ter2", "postgres://app:***"},
		{"another scheme", "postgers://app:hunter2@h", "postgers://app:***@h"},
		{"in a command", "psql postgres://u:hunter2@h/db -c 'select 1'", "psql postgres://u:***@h/db -c 'select 1'"},
		{"two in a text", "a postgres://u:hunter2@h/db b postgres://v:hunter3@g c", "a postgres://u:***@h/db b postgres://v:***@g c"},
		{"quoted in a command", `psql "postgres://u:hun ter2@h/db" -c x`, `psql "postgres://u:***@h/db" -c x`},
		{"cut in a command", "psql postgres://u:hun ter2@h/db", "psql postgres://u:***@h/db"},
		{"host and port in a command", `psql "postgres://h:5432" -U a@b`, `psql "postgres://h:5432" -U a@b`},
		{"assignment", "DATABASE_URL=postgres://u:hunter2@h/db", "DATABASE_URL=postgres://u:***@h/db"},
		{"keywords", "host=h user=u password=hunter2 dbname=d", "host=h user=u password=*** dbname=d"},
		{"keywords quoted", `password='hun \'ter2' host=h`, `password=*** host=h`},
		{"keywords, spaces", "user=u password = hunter2", "user=u password = ***"},
		{"keywords, bare space", "password=hun ter2 host=h", "password=*** host=h"},
		{"keywords, bare space at the end", "user=u password=hun ter2", "user=u password=***"},
		{"keywords, open quote", "user=u password='hunter2 host=h", "user=u password=***"},
		{"variable", "PGPASSWORD='hunter2' psql -h h", "PGPASSWORD=*** psql -h h"},
		{"nothing to hide", "psql -h db -U app", "psql -h db -U app"},
		{"empty", "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := Mask(test.in)
			if got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
			if again := Mask(got); again != got {
				t.Errorf("masking twice gives %s", again)
			}
		})
	}
}

// forms are templates of DSNs; each stands for the password as the form writes
// it, or raw where a careless author did.
var forms = []struct {
	name     string
	template string
	escape   func(string) string
	// raw is what a password in this form cannot hold unless it is escaped.
	without string
}{
	{"URI", "postgres://app:{}@db:5432/main", url.QueryEscape, ""},
	{"URI, every byte escaped", "postgresql+asyncpg://app:{}@h1:1,h2:2/main?sslmode=require", escapeAll, ""},
	{"URI, raw", "postgres://app:{}@db:5432/main", raw, ""},
	{"URI, raw, no port", "postgresql://app:{}@[::1]/main?application_name=x", raw, ""},
	{"URI, raw, @ in a parameter", "postgresql://app:{}@db/main?application_name=a@b", raw, ""},
	{"URI, no user", "postgres://:{}@db", raw, ""},
	{"parameter", "postgresql://app@db:5432/main?password={}&sslmode=disable", url.QueryEscape, ""},
	{"parameter, every byte escaped", "jdbc:postgresql://db/main?user=app&password={}", escapeAll, ""},
	{"parameter, raw", "postgresql://db/main?user=app&password={}", raw, "&"},
	{"parameter and userinfo", "postgresql://app:{}@db:5432/main?password={}", url.QueryEscape, ""},
	{"in a command", "psql postgres://app:{}@db/main -c 'select 1'", url.QueryEscape, ""},
	{"in a command, raw", "psql postgres://app:{}@db/main -c x", raw, " \t\n\v\f\r"},
	{"in a command, quoted", `psql "postgres://app:{}@db/main" -c x`, raw, "\"\r\n"},
	{"no scheme of ours", "pg://app:{}@db/main", raw, " \t\n\v\f\r"},
	{"keywords", "host=db user=app password='{}' dbname=main", escapeQuoted, ""},
	{"keywords, unquoted", "host=db password={} user=app", escapeUnquoted, ""},
	{"keywords, raw", "host=db user=app password={}", strings.TrimSpace, ""},
	{"two DSNs", "A=postgres://app:{}@db/main B=postgres://svc:{}@db/main", url.QueryEscape, ""},
}

func raw(s string) string { return s }

func escapeAll(s string) string {
	const digits = "0123456789abcdef"
	var b strings.Builder
	for i := range len(s) {
		b.Write([]byte{'%', digits[s[i]>>4], digits[s[i]&15]})
	}
	return b.String()
}

func escapeQuoted(s string) string {
	return strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s)
}

func escapeUnquoted(s string) string {
	return regexp.MustCompile(`[\s\v\\']`).ReplaceAllString(s, `\$0`)
}

// survivor returns a piece of a password that is still there, or "". A piece that
// the rest of the DSN holds too says nothing, and neither do blank space and what the mask is made of.
func survivor(password, masked, rest string) string {
	const length = 3
	for i := 0; i+length <= len(password); i++ {
		piece := password[i : i+length]
		if strings.Trim(piece, " \t\n\v\f\r") == "" || strings.Contains(piece, "*") {
			continue
		}
		if strings.Contains(masked, piece) && !strings.Contains(rest, piece) {
			return piece
		}
	}
	return ""
}

func checkMask(t *testing.T, name, template, without, password string, escape func(string) string) {
	t.Helper()
	if password == "" || strings.ContainsAny(password, without) && without != "" {
		return
	}
	written := escape(password)
	masked := Mask(strings.ReplaceAll(template, "{}", written))
	// Quotes around a password go with it.
	rest := strings.NewReplacer("'{}'", "***", "{}", "***").Replace(template)
	// These passwords are made up, so a failure may show them.
	for _, secret := range []string{password, written} {
		if piece := survivor(secret, masked, rest); piece != "" {
			t.Errorf("%s: %q survives of %q: %q", name, piece, secret, masked)
		}
	}
	if again := Mask(masked); again != masked {
		t.Errorf("%s: %q is masked again to %q", name, masked, again)
	}
}

func TestMaskIsTotal(t *testing.T) {
	const alphabet = "ABCDEFGHXYZ0123456789:/?#[]@!$&'()*+,;=%\\\" \t\n|^~`<>{}éß漢"
	letters := []rune(alphabet)
	random := rand.New(rand.NewPCG(1, 2))
	for range 20000 {
		password := make([]rune, 1+random.IntN(14))
		for i := range password {
			password[i] = letters[random.IntN(len(letters))]
		}
		form := forms[random.IntN(len(forms))]
		checkMask(t, form.name, form.template, form.without, string(password), form.escape)
		if t.Failed() {
			return
		}
	}
}

func FuzzMask(f *testing.F) {
	for _, form := range forms {
		f.Add(strings.ReplaceAll(form.template, "{}", "hunter2"), "hun@ter/2")
	}
	f.Add("A://&:%@pAsswd=0", "x")
	f.Fuzz(func(t *testing.T, s, password string) {
		masked := Mask(s)
		if again := Mask(masked); again != masked {
			t.Errorf("%q is masked to %q and again to %q", s, masked, again)
		}
		if d, err := Parse(s); err == nil {
			for _, secret := range d.Passwords() {
				if strings.Contains(masked, secret) && len(secret) >= 3 && strings.Count(s, secret) == 1 && secret != "***" {
					t.Errorf("%q survives in %q", secret, masked)
				}
			}
		}
		if strings.ContainsAny(password, "abcdefghijklmnopqrstuvwxyz") {
			return
		}
		for _, form := range forms {
			checkMask(t, form.name, form.template, form.without, password, form.escape)
		}
	})
}
