package envfile_test

import (
	"errors"
	"io"
	"maps"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/dotenv"
	"github.com/google/go-cmp/cmp"
	"github.com/sirupsen/logrus"

	"github.com/derekg1729/dsnlint/pkg/internal/envfile"
	"github.com/derekg1729/dsnlint/pkg/internal/interp"
	"github.com/derekg1729/dsnlint/pkg/internal/source"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// placesIn returns the positions of names in a file that has them at a line and column.
func placesIn(data []byte) func(name string, line, column int) manifest.Position {
	index := source.NewIndex(data)
	return func(name string, line, column int) manifest.Position {
		return index.Find(manifest.Position{File: "f", Line: line, Column: column}, name)
	}
}

func TestParse(t *testing.T) {
	data := []byte("\ufeff# comment\nA=1\n  export B = two words # note\n" +
		"C='$A \\' \\n'\nD=\"x\\n$A\ny\" # note\nE: yaml\nBARE\nF=#no comment\nÄ=1\n")
	got, err := envfile.Parse("f", data)
	at := placesIn(data)
	if err != nil {
		t.Fatal(err)
	}
	want := []envfile.Entry{
		{Name: "A", Position: at("A", 2, 1), Text: "1"},
		{Name: "B", Position: at("B", 3, 10), Text: "two words"},
		{Name: "C", Position: at("C", 4, 1), Text: `$A ' \n`, Literal: true},
		{Name: "D", Position: at("D", 5, 1), Text: "x\n$A\ny"},
		{Name: "E", Position: at("E", 7, 1), Text: "yaml"},
		{Name: "BARE", Position: at("BARE", 8, 1), Inherited: true},
		{Name: "F", Position: at("F", 9, 1), Text: "#no comment"},
		{Name: "Ä", Position: at("Ä", 10, 1), Text: "1"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestParseRaw(t *testing.T) {
	data := []byte("# c\n A='$X' # y\r\nB\nC=\n")
	got, err := envfile.ParseRaw("f", data)
	at := placesIn(data)
	if err != nil {
		t.Fatal(err)
	}
	want := []envfile.Entry{
		{Name: "A", Position: at("A", 2, 2), Text: "'$X' # y", Literal: true},
		{Name: "B", Position: at("B", 3, 1), Inherited: true, Literal: true},
		{Name: "C", Position: at("C", 4, 1), Literal: true},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestErrorsTellThePlaceAndNoValue(t *testing.T) {
	for text, place := range map[string][2]int{
		"A=1\nB='hunter2\nC=3": {2, 3},
		"A=1\n  hunter2?x=1\n": {2, 10},
		"two words=hunter2\n":  {1, 1},
	} {
		_, err := envfile.Parse("f", []byte(text))
		var e *envfile.Error
		if !errors.As(err, &e) || [2]int{e.Position.Line, e.Position.Column} != place {
			t.Errorf("%q: got %v, want an error at %v", text, err, place)
		} else if strings.Contains(e.Error(), "hunter2") {
			t.Errorf("%q: the error shows a value", text)
		}
	}
}

// FuzzParse holds the package against compose-go's own: the same names with the
// same values.
func FuzzParse(f *testing.F) {
	logrus.SetOutput(io.Discard)
	for _, seed := range []string{
		"A=1\nB=$A\nC='$A'\nD=\"\\$A\\n\\0101\"\nexport E=5\nF: 6\nG\nH", "export\nA=1", "A=\"x\" B=2", "A=#b\nC=d #e",
		"a[1]=2\nx.y-z=$a", "A='it\\'s'\nB=\"\\\\\"", "\ufeffA=b", "A=\"\n\n\"y=1", "A\u00a0=\u00a0b\n", "A\tB=1", "=x\n",
	} {
		f.Add([]byte(seed))
	}
	outer := func(name string) (string, bool) { return "outer", name == "G" || name == "OUT" }
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<12 {
			t.Skip("compose-go takes quadratic time")
		}
		want, wantErr := dotenv.UnmarshalBytesWithLookup([]byte(strings.TrimPrefix(string(data), "\ufeff")), outer)
		entries, err := envfile.Parse("f", data)
		got := map[string]string{}
		for _, entry := range entries {
			value, set := outer(entry.Name)
			if !entry.Inherited {
				value, set = entry.Text, true
				if !entry.Literal {
					parsed, perr := interp.Parse(entry.Text)
					if perr != nil {
						err = errors.Join(err, perr)
						break
					}
					var missing bool
					value, missing, perr = parsed.Eval(func(name string) (string, bool) {
						if v, ok := outer(name); ok {
							return v, true
						}
						v, ok := got[name]
						return v, ok
					})
					if perr != nil || missing && strings.Contains(entry.Text, "?") {
						// Compose may refuse a required variable.
						return
					}
				}
			}
			if set {
				got[entry.Name] = value
			}
		}
		if (err != nil) != (wantErr != nil) {
			t.Fatalf("%q: got %v, compose-go %v", data, err, wantErr)
		}
		if err == nil && !maps.Equal(got, want) {
			t.Fatalf("%q: got %q, compose-go has %q", data, got, want)
		}
	})
}
