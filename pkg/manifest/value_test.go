package manifest

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/quick"
)

func TestValueIsNeverPrinted(t *testing.T) {
	masked := func(secret string) bool {
		secret = "§" + secret // no verb makes this sign by itself
		v := Known(secret)
		encoded, err := json.Marshal(map[string]any{"v": v, "e": Expr{{Literal: v}}})
		if err != nil {
			return false
		}
		printed := fmt.Sprintf("%v %+v %#v %s %q %x %X %d %t %p", v, v, v, v, v, v, v, v, v, &v) +
			fmt.Sprintf("%v %+v %#v", EnvVar{Value: v, Expr: Literal(secret)}, EnvVar{Value: v, Expr: Literal(secret)}, Part{Literal: v}) +
			fmt.Sprint(Literal(secret)) + string(encoded)
		// fmt sees through unexported fields and calls no method there.
		type holder struct {
			value  Value
			values map[string]Value
			expr   Expr
			ptr    *Value
		}
		hidden := holder{v, map[string]Value{"k": v}, Literal(secret), &v}
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			printed += fmt.Sprintf(verb, hidden)
		}
		return !strings.Contains(printed, secret) && !strings.Contains(printed, fmt.Sprintf("%x", secret))
	}
	if err := quick.Check(masked, nil); err != nil {
		t.Error(err)
	}
}

func ref(name string, value Expr, steps ...Step) *Ref {
	return &Ref{Name: name, Kind: RefVariable, Value: value, Steps: steps}
}

func TestExprRefs(t *testing.T) {
	step := func(line int) Step { return Step{Position: Position{File: "f", Line: line}} }
	c := ref("C", nil, step(3))
	b := ref("B", Expr{{Ref: c}}, step(2))
	a := ref("A", Expr{{Ref: b}}, step(1))
	a.Default = Expr{{Ref: c}}
	var got []string
	for r := range (Expr{{Literal: Known("x")}, {Ref: a}, {Ref: a}}).Refs() {
		got = append(got, r.Name)
	}
	if want := "A B C"; strings.Join(got, " ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
	got = nil
	for r := range (Expr{{Ref: a}, {Ref: b}}).Origins(func(r *Ref) bool { return r == c }) {
		got = append(got, r.Name)
	}
	if want := "B A"; strings.Join(got, " ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
	for limit, want := range map[int]string{9: "1-2-3", 3: "1-2-3", 2: "1-(1)-3"} {
		if got := lines(a.Via(b.Via(c.Via(nil))).Steps(nil, limit)); got != want {
			t.Errorf("at most %d steps are %s, want %s", limit, got, want)
		}
	}
	if got := lines((*Trail)(nil).Steps([]Step{step(1), step(2), step(3), {Omitted: 5}, step(9)}, 4)); got != "1-2-(6)-9" {
		t.Errorf("got %s", got)
	}
	if got := lines(a.Via(nil).Steps([]Step{step(7), step(8), step(9)}, 3)); got != "7-(2)-1" {
		t.Errorf("got %s", got)
	}
}

// lines shows the lines of steps, and how many are left out.
func lines(steps []Step) string {
	shown := make([]string, len(steps))
	for i, s := range steps {
		shown[i] = fmt.Sprint(s.Position.Line)
		if s.Omitted > 0 {
			shown[i] = fmt.Sprintf("(%d)", s.Omitted)
		}
	}
	return strings.Join(shown, "-")
}

// chain makes an expression of n hops, the last of them to name.
func chain(n int, name string, with ...Part) Expr {
	e := Expr{{Ref: ref(name, nil, Step{Position: Position{Line: 1}})}}
	for range n {
		e = append(Expr{{Ref: ref("HOP", e, Step{Position: Position{Line: 2}})}}, with...)
	}
	return e
}

// TestLongChains checks that neither the stack nor the time runs out.
func TestLongChains(t *testing.T) {
	const hops = 200_000
	e := chain(hops, "END", Part{Ref: ref("EMPTY", Literal(""))})
	n := 0
	for range e.Refs() {
		n++
	}
	if n != hops+2 {
		t.Errorf("%d references, want %d", n, hops+2)
	}
	if e.IsKnown() {
		t.Error("what ends in an unknown name is known")
	}
	if got := e[0].Ref.Source().Name; got != "END" {
		t.Errorf("the chain comes down to %s", got)
	}
	var trail *Trail
	for r := range e.Origins(func(*Ref) bool { return false }) {
		if r.Name != "EMPTY" {
			trail = r.Via(trail)
		}
	}
	if got, want := lines(trail.Steps(nil, 4)), fmt.Sprintf("2-2-(%d)-1", hops-2); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	known := Literal("x")
	for range hops {
		known = Expr{{Ref: ref("HOP", known)}}
	}
	if text, ok := known.Eval().Reveal(); !ok || text != "x" {
		t.Error("the value at the end of a chain is not known")
	}
}

func BenchmarkRefs(b *testing.B) {
	for _, hops := range []int{1_000, 10_000, 100_000} {
		b.Run(fmt.Sprint(hops), func(b *testing.B) {
			e := chain(hops, "END")
			for b.Loop() {
				for range e.Refs() {
				}
			}
		})
	}
}

func TestExprRefsStops(*testing.T) {
	for range (Expr{{Ref: ref("A", Expr{{Ref: ref("B", nil)}})}, {Ref: ref("C", nil)}}).Refs() {
		break
	}
}

// TestExprSharedRefs would not end if shared references were walked once for
// every path that leads to them.
func TestExprSharedRefs(t *testing.T) {
	e := Expr{{Ref: ref("V0", nil)}}
	for i := 1; i < 200; i++ {
		r := ref(fmt.Sprintf("V%d", i), e)
		e = Expr{{Ref: r}, {Ref: r}}
	}
	n := 0
	for range e.Refs() {
		n++
	}
	if n != 200 {
		t.Errorf("got %d references, want 200", n)
	}
}

func TestExprEval(t *testing.T) {
	long := Literal(strings.Repeat("x", 1<<10))
	for range 40 {
		r := ref("L", long)
		long = Expr{{Ref: r}, {Ref: r}}
	}
	for name, c := range map[string]struct {
		expr  Expr
		want  string
		known bool
	}{
		"nil":      {nil, "", false},
		"empty":    {Literal(""), "", true},
		"text":     {Literal("a"), "a", true},
		"ref":      {Expr{{Literal: Known("a")}, {Ref: ref("B", Literal("b"))}}, "ab", true},
		"unknown":  {Expr{{Literal: Known("a")}, {Ref: ref("B", nil)}}, "", false},
		"too long": {long, "", false},
	} {
		if text, known := c.expr.Eval().Reveal(); text != c.want || known != c.known {
			t.Errorf("%s: wrong value, known %v", name, known)
		}
	}
}

func TestPositionString(t *testing.T) {
	for want, p := range map[string]Position{
		"":        {},
		"a.yaml":  {File: "a.yaml"},
		"a:3":     {File: "a", Line: 3},
		"a/b:3:4": {File: "a/b", Line: 3, Column: 4},
	} {
		if got := p.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestDeliveries(t *testing.T) {
	aside := Delivery{Channel: ChannelEnv, EnvVar: EnvVar{Name: "A"}, Aside: true}
	label := Delivery{Channel: ChannelMetadata, EnvVar: EnvVar{Name: "B"}}
	c := Container{Deliveries: Deliveries(map[string]EnvVar{"C": {Name: "C"}, "B": {Name: "B"}}, []Delivery{label, aside})}
	var got []string
	for _, d := range c.Deliveries {
		got = append(got, d.Name)
	}
	if want := "B C B A"; strings.Join(got, " ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
	for name, want := range map[string]bool{"A": false, "B": true, "C": true, "D": false} {
		if v, ok := c.Env(name); ok != want || ok && v.Name != name {
			t.Errorf("%s is in the env map: %v, want %v", name, ok, want)
		}
	}
	if n := len(c.EnvMap()); n != 2 {
		t.Errorf("the env map has %d variables, want 2", n)
	}
}

func TestEvalTakesLinearTime(t *testing.T) {
	expr := Expr{}
	for range 100 {
		expr = Expr{
			{Ref: &Ref{Name: "X", Value: expr}},
			{Ref: &Ref{Name: "X", Value: expr}},
		}
	}
	if text, known := expr.Eval().Reveal(); !known || text != "" {
		t.Errorf("got %q, %v, want the empty text", text, known)
	}
}
