package manifest

import (
	"errors"
	"strings"
)

// Severity says whether a Problem keeps dsnlint from doing its job.
type Severity string

// The severities of problems.
const (
	// Error means that an input could not be read or is invalid: exit code 2.
	Error Severity = "error"
	// Notice means that something was left out that dsnlint never does, such as
	// fetching a remote resource. It does not change the exit code.
	Notice Severity = "notice"
)

// Problem is what keeps a manifest, or a part of it, from being checked. It
// holds no value of a manifest: its texts are of a type that cannot.
type Problem struct {
	Severity Severity
	Position Position
	// Message says what is wrong and what was expected.
	Message Text
	// Hint says what to do about it; it may be empty.
	Hint Text
	// Cause serves errors.Is; it is never printed, since it may hold a value.
	Cause error
}

// Unwrap returns the cause.
func (p *Problem) Unwrap() error { return p.Cause }

// Error gives position, message and hint on one line.
func (p *Problem) Error() string {
	var b strings.Builder
	if !p.Position.IsZero() {
		b.WriteString(p.Position.String())
		b.WriteString(": ")
	}
	b.WriteString(p.Message.String())
	if !p.Hint.IsZero() {
		b.WriteString(" (")
		b.WriteString(p.Hint.String())
		b.WriteString(")")
	}
	return b.String()
}

// AsProblem returns the problem that an error is, or one that says no more than that
// the file cannot be read; the file may be empty.
func AsProblem(err error, file string) *Problem {
	if p := (*Problem)(nil); errors.As(err, &p) {
		return p
	}
	return &Problem{Severity: Error, Position: Position{File: file}, Message: Say("cannot read the file"), Cause: err}
}

// AsNotice returns the same problem as a notice.
func (p *Problem) AsNotice() *Problem {
	notice := *p
	notice.Severity = Notice
	return &notice
}
