package dsn

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// variable makes a reference; value and def may be nil.
func variable(name string, value, def manifest.Expr) manifest.Part {
	return manifest.Part{Ref: &manifest.Ref{Name: name, Kind: manifest.RefVariable, Value: value, Default: def}}
}

func text(s string) manifest.Part { return manifest.Part{Literal: manifest.Known(s)} }

// show writes an expression out: 'text', NAME, NAME=(value) and NAME-(default).
func show(e manifest.Expr) string {
	if e == nil {
		return "none"
	}
	var parts []string
	for _, p := range e {
		if p.Ref == nil {
			literal, _ := p.Literal.Reveal()
			parts = append(parts, "'"+literal+"'")
			continue
		}
		s := p.Ref.Name
		if p.Ref.Value != nil {
			s += "=(" + show(p.Ref.Value) + ")"
		}
		if p.Ref.Default != nil {
			s += "-(" + show(p.Ref.Default) + ")"
		}
		parts = append(parts, s)
	}
	return strings.Join(parts, " ")
}

func showAll(found []*Symbolic) []string {
	var list []string
	for _, s := range found {
		var b strings.Builder
		fmt.Fprintf(&b, "user %s | password %s", show(s.Username), show(s.Password))
		for _, h := range s.Hosts {
			fmt.Fprintf(&b, " | %s : %s", show(h.Name), show(h.Port))
		}
		fmt.Fprintf(&b, " | db %s", show(s.Database))
		list = append(list, b.String())
	}
	return list
}

func TestParseExpr(t *testing.T) {
	full := manifest.Literal("postgresql://u:p@h:1/d")
	for _, test := range []struct {
		name string
		in   manifest.Expr
		want []string
	}{
		{"literal", full, []string{"user 'u' | password 'p' | 'h' : '1' | db 'd'"}},
		{"all references", manifest.Expr{
			text("postgresql://"), variable("U", nil, nil), text(":"), variable("P", nil, nil), text("@"), variable("H", nil, manifest.Literal("postgres")), text(":5432/"), variable("D", nil, nil),
		}, []string{"user U | password P | H-('postgres') : '5432' | db D"}},
		{"mixed parts", manifest.Expr{
			text("postgres://app_"), variable("U", nil, nil), text(":x"), variable("P", nil, nil), text("y@db-"), variable("H", nil, nil), text("/d"),
		}, []string{"user 'app_' U | password 'x' P 'y' | 'db-' H : none | db 'd'"}},
		{"known values keep their reference", manifest.Expr{
			text("postgres://"), variable("U", manifest.Literal("a"), nil), text("@"), variable("H", manifest.Literal("h"), nil),
		}, []string{"user U=('a') | password none | H=('h') : none | db none"}},
		{"known value of several parts", manifest.Expr{
			text("postgres://"), variable("CREDENTIALS", manifest.Literal("u:p"), nil), text("@h"),
		}, []string{"user CREDENTIALS=('u') | password CREDENTIALS=('p') | 'h' : none | db none"}},
		{"known whole", manifest.Expr{variable("DATABASE_URL", full, nil)},
			[]string{"user DATABASE_URL=('u') | password DATABASE_URL=('p') | DATABASE_URL=('h') : DATABASE_URL=('1') | db DATABASE_URL=('d')"}},
		{"known through two hops", manifest.Expr{variable("A", manifest.Expr{text("postgres://"), variable("U", nil, nil), text("@h")}, nil)},
			[]string{"user A=(U) | password none | A=('h') : none | db none"}},
		{"unknown whole", manifest.Expr{variable("DATABASE_URL", nil, nil)}, nil},
		{"default whole", manifest.Expr{variable("DATABASE_URL", nil, full)},
			[]string{"user DATABASE_URL-('u') | password DATABASE_URL-('p') | DATABASE_URL-('h') : DATABASE_URL-('1') | db DATABASE_URL-('d')"}},
		{"default that splits otherwise", manifest.Expr{text("postgres://"), variable("AUTH", nil, manifest.Literal("u:p")), text("@h")},
			[]string{
				"user AUTH-('u:p') | password none | 'h' : none | db none",
				"user AUTH-('u') | password AUTH-('p') | 'h' : none | db none",
			}},
		{"empty known value", manifest.Expr{text("postgres://"), variable("U", manifest.Literal(""), nil), text(":p@h")},
			[]string{"user  | password 'p' | 'h' : none | db none"}},
		{"escapes", manifest.Literal("postgres://a%70p:p%40@%2Frun/d"), []string{"user 'app' | password 'p@' | '/run' : none | db 'd'"}},
		{"override", manifest.Expr{text("postgres://u@h/d?user="), variable("U", nil, nil), text("&host="), variable("H", nil, nil)},
			[]string{"user U | password none | H : none | db 'd'"}},
		{"keywords", manifest.Expr{text("host=postgres user="), variable("U", nil, nil), text(" password='"), variable("P", nil, nil), text("'")},
			[]string{"user U | password P | 'postgres' : none | db none"}},
		{"arguments of another program", manifest.Literal("user=a color=red"), nil},
		{"several hosts", manifest.Expr{text("postgres://u@"), variable("A", nil, nil), text(","), variable("B", nil, nil), text(":1/d")},
			[]string{"user 'u' | password none | A : none | B : '1' | db 'd'"}},
		{"in a command", manifest.Expr{text("psql postgres://"), variable("U", nil, nil), text("@h1/d -c 'x' && psql postgres://h2:2")},
			[]string{"user U | password none | 'h1' : none | db 'd'", "user none | password none | 'h2' : '2' | db none"}},
		{"unknown", nil, nil},
		{"empty", manifest.Expr{}, nil},
		{"bad port", manifest.Literal("postgres://u@h:x/d"), nil},
		{"bad escape", manifest.Literal("postgres://u:p%zz@h/d"), []string{"user 'u' | password 'p%zz' | 'h' : none | db 'd'"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := showAll(ParseExpr(test.in))
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// doubling builds an expression of n hops with 2^n mentions of one name.
func doubling(n int) manifest.Expr {
	e := manifest.Literal("postgres://u@h")
	for range n {
		part := variable("V", e, e)
		e = manifest.Expr{part, part}
	}
	return e
}

func TestExpressionsOfExponentialSizeAreGivenUp(t *testing.T) {
	e := doubling(200)
	if got := ParseExpr(e); got != nil {
		t.Errorf("got %d DSNs", len(got))
	}
	if _, known := Written(e); known || Texts(e) != nil || Same(e, e) {
		t.Error("an expression of 2^200 parts is known")
	}
}

func TestWrittenAndTexts(t *testing.T) {
	for _, test := range []struct {
		name    string
		in      manifest.Expr
		written string
		known   bool
		texts   []string
	}{
		{"literal", manifest.Literal("a"), "a", true, []string{"a"}},
		{"empty", manifest.Expr{}, "", true, []string{""}},
		{"unknown", nil, "", false, nil},
		{"unknown name", manifest.Expr{variable("A", nil, nil)}, "", false, nil},
		{"value from elsewhere", manifest.Expr{variable("A", manifest.Literal("a"), nil)}, "", false, []string{"a"}},
		{"default", manifest.Expr{text("x"), variable("A", nil, manifest.Literal("a"))}, "xa", true, []string{"xa"}},
		{"value and default", manifest.Expr{variable("A", manifest.Literal("a"), manifest.Literal("b"))}, "b", true, []string{"a", "b"}},
		{"nested default", manifest.Expr{variable("A", nil, manifest.Expr{variable("B", nil, manifest.Literal("b"))})}, "b", true, []string{"b"}},
		{"unknown piece", manifest.Expr{text("x"), variable("A", nil, nil)}, "", false, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got, known := Written(test.in); known != test.known || known && got != test.written {
				t.Errorf("Written: %q, %v", got, known)
			}
			if diff := cmp.Diff(test.texts, Texts(test.in)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSame(t *testing.T) {
	u, v := variable("U", nil, nil), variable("V", nil, nil)
	key := func(name, object string) manifest.Expr {
		return manifest.Expr{{Ref: &manifest.Ref{Name: name, Kind: manifest.RefSecretKey, Object: object}}}
	}
	for _, test := range []struct {
		name string
		a, b manifest.Expr
		want bool
	}{
		{"text", manifest.Literal("a"), manifest.Literal("a"), true},
		{"other text", manifest.Literal("a"), manifest.Literal("b"), false},
		{"text cut otherwise", manifest.Literal("ab"), manifest.Expr{text("a"), text("b")}, true},
		{"name", manifest.Expr{u}, manifest.Expr{variable("U", nil, nil)}, true},
		{"other name", manifest.Expr{u}, manifest.Expr{v}, false},
		{"name and text", manifest.Expr{text("a"), u}, manifest.Expr{text("a"), u}, true},
		{"other order", manifest.Expr{text("a"), u}, manifest.Expr{u, text("a")}, false},
		{"default does not count", manifest.Expr{u}, manifest.Expr{variable("U", nil, manifest.Literal("x"))}, true},
		{"value is seen through", manifest.Expr{variable("A", manifest.Expr{u}, nil)}, manifest.Expr{u}, true},
		{"value and text", manifest.Expr{variable("A", manifest.Literal("a"), nil)}, manifest.Literal("a"), true},
		{"key", key("user", "ns/Secret/s"), key("user", "ns/Secret/s"), true},
		{"key of another object", key("user", "ns/Secret/s"), key("user", "ns/Secret/t"), false},
		{"variable and key", manifest.Expr{u}, key("U", ""), false},
		{"unknown", nil, nil, false},
		{"empty", manifest.Expr{}, manifest.Expr{}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := Same(test.a, test.b); got != test.want {
				t.Errorf("got %v", got)
			}
			if got := Same(test.b, test.a); got != test.want {
				t.Errorf("the other way round: got %v", got)
			}
		})
	}
}

// exprOf makes an expression of a text in which { and } enclose a reference: its
// value, or after a - its default.
func exprOf(s string, depth int) manifest.Expr {
	e := manifest.Expr{}
	for s != "" && depth < 20 {
		before, rest, found := strings.Cut(s, "{")
		if before != "" {
			e = append(e, text(before))
		}
		if !found {
			break
		}
		inner := rest
		if i := strings.LastIndexByte(rest, '}'); i >= 0 {
			inner, rest = rest[:i], rest[i+1:]
		} else {
			rest = ""
		}
		switch def, isDefault := strings.CutPrefix(inner, "-"); {
		case inner == "":
			e = append(e, variable("N", nil, nil))
		case isDefault:
			e = append(e, variable("N", nil, exprOf(def, depth+1)))
		default:
			e = append(e, variable("N", exprOf(inner, depth+1), nil))
		}
		s = rest
	}
	return e
}

func FuzzParseExpr(f *testing.F) {
	for _, seed := range []string{
		"postgres://{}:{a}@{-postgres}:5432/d", "{postgres://u:{p}@h}", "{-postgres://{u:p}@[::1]:1,{}/d?user={}}", "host={a} user={} password='{b c}'", "{",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		e := exprOf(s, 0)
		Texts(e)
		if !Same(e, e) && len(s) < maxText {
			t.Error("an expression is not the same as itself")
		}
		found := ParseExpr(e)
		// Where all is known, the expression and its text are the same DSN.
		text, known := e.Eval().Reveal()
		if !known || len(found) != 1 {
			return
		}
		d, err := Parse(text)
		if err != nil {
			return
		}
		user, userKnown := found[0].Username.Eval().Reveal()
		if found[0].Username != nil && !strings.Contains(text, "%") && !strings.Contains(text, `\`) && (!userKnown || user != d.Username) {
			t.Errorf("the expression has the user %q, its text %q", user, d.Username)
		}
	})
}
