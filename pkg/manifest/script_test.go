package manifest

import "testing"

func TestScriptAt(t *testing.T) {
	at := Position{File: "f", Line: 7, Column: 5, EndLine: 7, EndColumn: 20}
	for name, test := range map[string]struct {
		script       Script
		line, column int
		want         string
	}{
		"not exact":                {Script{Position: at}, 2, 3, "f:7:5"},
		"exact":                    {Script{Position: at, Exact: true}, 2, 3, "f:8:7"},
		"before what is different": {Script{Position: at, Exact: true, Written: []int{4, 2}}, 2, 3, "f:8:7"},
		"behind what is different": {Script{Position: at, Exact: true, Written: []int{4, 2}}, 2, 4, "f:8:5"},
	} {
		if got := test.script.At(test.line, test.column); got.String() != test.want {
			t.Errorf("%s: got %s, want %s", name, got, test.want)
		}
	}
}
