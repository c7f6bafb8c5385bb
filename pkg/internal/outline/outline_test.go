package outline

import "testing"

const text = `services:
  app:
    # a comment
    environment:
      A: 1

      B: 2
  web:
    environment:
      A: 1
---
containers:
- name: x
  env:
  - name: A
- name: y
  env:
  - name: A
`

func TestOutline(t *testing.T) {
	o := Of([]byte(text))
	if o.Key(5) == o.Key(10) {
		t.Error("A of app and of web have one key")
	}
	if o.Key(15) == o.Key(18) {
		t.Error("A of x and of y have one key")
	}
	if o.Key(3) != (Key{}) || o.Key(6) != (Key{}) || o.Key(0) != (Key{}) || o.Key(99) != (Key{}) {
		t.Error("a comment, a blank line or none has a key")
	}
	for line, want := range map[int]int{1: 10, 2: 7, 4: 7, 5: 5, 8: 10, 12: 18, 13: 15, 16: 18, 99: 99} {
		if got := o.End(line); got != want {
			t.Errorf("line %d ends in line %d, want %d", line, got, want)
		}
	}
	if got := len(o.Keys(2)); got != 4 {
		t.Errorf("app has %d lines, want 4", got)
	}
	if !o.SameDocument(1, 10) || o.SameDocument(10, 12) || o.SameDocument(12, 10) {
		t.Error("the documents are not told apart")
	}
	moved := Of([]byte("# above\r\n\r\nservices:\r\n  web: {}\r\n  app:\r\n    environment:\r\n      B: 2\r\n"))
	if !o.Has(moved.Key(7)) || o.Has(moved.Key(4)) {
		t.Error("a line that moved is not the same, or one that changed is")
	}
}
