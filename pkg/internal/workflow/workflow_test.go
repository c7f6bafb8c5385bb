package workflow

import "testing"

func TestEscapes(t *testing.T) {
	if got := EscapeProperty("%\r\n:,"); got != "%25%0D%0A%3A%2C" {
		t.Error(got)
	}
	if got := EscapeData("%\r\n:,"); got != "%25%0D%0A:," {
		t.Error(got)
	}
}
