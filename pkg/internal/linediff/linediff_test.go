package linediff_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/derekg1729/dsnlint/pkg/internal/linediff"
)

func TestCompare(t *testing.T) {
	tests := map[string]struct {
		before, after string
		want          []linediff.Change
	}{
		"same":                  {"a b c", "a b c", nil},
		"inserted":              {"a b", "a x b", []linediff.Change{{1, 1, 1, 2}}},
		"deleted":               {"a x b", "a b", []linediff.Change{{1, 2, 1, 1}}},
		"replaced":              {"a x b", "a y b", []linediff.Change{{1, 2, 1, 2}}},
		"from nothing":          {"", "a b", []linediff.Change{{0, 0, 0, 2}}},
		"to nothing":            {"a b", "", []linediff.Change{{0, 2, 0, 0}}},
		"two places":            {"a b c d e f", "a x b c d f", []linediff.Change{{1, 1, 1, 2}, {4, 5, 5, 5}}},
		"repeated line deleted": {"a b b c", "a b c", []linediff.Change{{2, 3, 2, 2}}},
		"block moved":           {"a b c d", "c d a b", []linediff.Change{{0, 2, 0, 0}, {4, 4, 2, 4}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := linediff.Compare(strings.Fields(test.before), strings.Fields(test.after))
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestCompareIsBounded(t *testing.T) {
	before, after := make([]string, 50_000), make([]string, 50_000)
	for i := range before {
		before[i], after[i] = "a", "b"
	}
	want := []linediff.Change{{0, 50_000, 0, 50_000}}
	if diff := cmp.Diff(want, linediff.Compare(before, after)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func FuzzCompare(f *testing.F) {
	f.Add("abcabba", "cbabac")
	f.Add("", "aa")
	f.Fuzz(func(t *testing.T, a, b string) {
		before, after := strings.Split(a, ""), strings.Split(b, "")
		var made []string
		at := 0
		for _, c := range linediff.Compare(before, after) {
			if !slices.Equal(before[at:c.OldStart], after[len(made):c.NewStart]) {
				t.Fatalf("what stands before %v differs", c)
			}
			made = slices.Concat(made, before[at:c.OldStart], after[c.NewStart:c.NewEnd])
			at = c.OldEnd
		}
		if made = append(made, before[at:]...); !slices.Equal(made, after) {
			t.Errorf("the changes make %q of %q, want %q", made, before, after)
		}
	})
}
