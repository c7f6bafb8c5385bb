package manifest

import "testing"

func TestScriptAt(t *testing.T) {
	at := Position{File: "f", Line: 7, Column: 5, EndLine: 7, EndColumn: 20}
	for name, test := range map[string]struct {
		script       Script
		line, column int
		want         string
	}{
		"not exact":                   {Script{Position: at}, 2, 3, "f:7:5"},
		"exact":                       {Script{Position: at, Exact: true}, 2, 3, "f:8:7"},
		"a character that is doubled": {Script{Position: at, Exact: true, Doubled: [][]int{nil, {3}}}, 2, 3, "f:8:7"},
		"behind one":                  {Script{Position: at, Exact: true, Doubled: [][]int{nil, {3, 6}}}, 2, 4, "f:8:9"},
		"behind two":                  {Script{Position: at, Exact: true, Doubled: [][]int{nil, {3, 6}}}, 2, 7, "f:8:13"},
		"below":                       {Script{Position: at, Exact: true, Doubled: [][]int{{3}}}, 2, 4, "f:8:8"},
	} {
		if got := test.script.At(test.line, test.column); got.String() != test.want {
			t.Errorf("%s: got %s, want %s", name, got, test.want)
		}
	}
}
