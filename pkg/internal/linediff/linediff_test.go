package linediff_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/aymanbagabas/go-udiff/lcs"
	"github.com/google/go-cmp/cmp"

	"github.com/derekg1729/dsnlint/pkg/internal/linediff"
)

func TestCompare(t *testing.T) {
	tests := map[string]struct {
		before, after string
		want          [][4]int
	}{
		"same":                  {"a b c", "a b c", nil},
		"inserted":              {"a b", "a x b", [][4]int{{1, 1, 1, 2}}},
		"deleted":               {"a x b", "a b", [][4]int{{1, 2, 1, 1}}},
		"replaced":              {"a x b", "a y b", [][4]int{{1, 2, 1, 2}}},
		"from nothing":          {"", "a b", [][4]int{{0, 0, 0, 2}}},
		"to nothing":            {"a b", "", [][4]int{{0, 2, 0, 0}}},
		"two places":            {"a b c d e f", "a x b c d f", [][4]int{{1, 1, 1, 2}, {4, 5, 5, 5}}},
		"repeated line deleted": {"a b b c", "a b c", [][4]int{{2, 3, 2, 2}}},
		"block moved":           {"a b c d", "c d a b", [][4]int{{0, 0, 0, 2}, {2, 4, 4, 4}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var got [][4]int
			for _, d := range linediff.Compare(strings.Fields(test.before), strings.Fields(test.after)) {
				got = append(got, [4]int{d.Start, d.End, d.ReplStart, d.ReplEnd})
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestCompareManyLines changes more lines than the library looks at.
func TestCompareManyLines(t *testing.T) {
	before := make([]string, 1000)
	for i := range before {
		before[i] = strconv.Itoa(i)
	}
	after := slices.Clone(before)
	var want []lcs.Diff
	for at := 100; at < len(before); at += 200 {
		for i := range 80 {
			after[at+i] += "changed"
		}
		want = append(want, lcs.Diff{Start: at, End: at + 80, ReplStart: at, ReplEnd: at + 80})
	}
	if diff := cmp.Diff(want, linediff.Compare(before, after)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestCompareIsBounded has texts of which no part is where it was.
func TestCompareIsBounded(t *testing.T) {
	before := make([]string, 100_000)
	for i := range before {
		before[i] = strconv.Itoa(i)
	}
	after := slices.Clone(before)
	slices.Reverse(after)
	all := linediff.Compare(before, after)
	if len(all) == 0 || all[0].Start > 1 || all[len(all)-1].End < len(before)-1 {
		t.Errorf("the changes are %v", all)
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
			if !slices.Equal(before[at:c.Start], after[len(made):c.ReplStart]) {
				t.Fatalf("the lines before %v differ", c)
			}
			made = slices.Concat(made, before[at:c.Start], after[c.ReplStart:c.ReplEnd])
			at = c.End
		}
		if made = append(made, before[at:]...); !slices.Equal(made, after) {
			t.Errorf("the changes make %q of %q, want %q", made, before, after)
		}
	})
}
