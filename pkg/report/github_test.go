package report

import (
	"strings"
	"testing"

	"github.com/derekg1729/dsnlint/pkg/contract"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

func TestCommandEscapes(t *testing.T) {
	tests := []struct {
		position manifest.Position
		title    string
		lines    []string
		want     string
	}{
		{at("a,b:c%d.yml", 1, 2, 3), "A, B", []string{"50%: x, y", "second"}, "::error file=a%2Cb%3Ac%25d.yml,line=1,endLine=1,col=2,title=A%2C B::50%25: x, y%0Asecond"},
		{manifest.Position{}, "t", []string{"a\r\n::set-output name=x::y"}, `::error title=t::a\u000d\u000a::set-output name=x::y`},
		{manifest.Position{File: "f\n::stop-commands::x"}, "t", []string{"m"}, `::error file=f\u000a%3A%3Astop-commands%3A%3Ax,title=t::m`},
		{manifest.Position{File: "f", Line: 4}, "t", []string{"m"}, `::error file=f,line=4,title=t::m`},
	}
	for _, test := range tests {
		got := command(contract.LevelError, test.position, test.title, test.lines)
		if got != test.want {
			t.Errorf("got  %s\nwant %s", got, test.want)
		}
		if strings.ContainsAny(got, "\r\n") {
			t.Errorf("%q breaks the line", got)
		}
	}
}
