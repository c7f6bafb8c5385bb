package source

import (
	"sync"

	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// syntaxReasons are the messages of the YAML library that quote nothing of what
// they are about.
var syntaxReasons = sync.OnceValue(func() map[string]manifest.Text {
	reasons := map[string]manifest.Text{}
	for _, reason := range []manifest.Text{
		manifest.Say("block sequence entries are not allowed in this context"),
		manifest.Say("mapping keys are not allowed in this context"),
		manifest.Say("mapping values are not allowed in this context"),
		manifest.Say("could not find expected ':'"),
		manifest.Say("could not find expected directive name"),
		manifest.Say("did not find expected ',' or ']'"),
		manifest.Say("did not find expected ',' or '}'"),
		manifest.Say("did not find expected '-' indicator"),
		manifest.Say("did not find expected <document end> before directive"),
		manifest.Say("did not find expected <document start>"),
		manifest.Say("did not find expected alphabetic or numeric character"),
		manifest.Say("did not find expected comment or line break"),
		manifest.Say("did not find expected hexadecimal number"),
		manifest.Say("did not find expected key"),
		manifest.Say("did not find expected node content"),
		manifest.Say("did not find expected tag URI"),
		manifest.Say("did not find expected whitespace or line break"),
		manifest.Say("document contains excessive aliasing"),
		manifest.Say("found a comment without preceding whitespace"),
		manifest.Say("found a tab character that violates indentation"),
		manifest.Say("found a tab character where an indentation space is expected"),
		manifest.Say("found an indentation indicator equal to 0"),
		manifest.Say("found character that cannot start any token"),
		manifest.Say("found incompatible YAML document"),
		manifest.Say("found indentation style that differs from earlier lines"),
		manifest.Say("found mixed spaces and tabs in indentation"),
		manifest.Say("found undefined tag handle"),
		manifest.Say("found unexpected content after document-end marker"),
		manifest.Say("found unexpected document indicator"),
		manifest.Say("found unexpected end of stream"),
		manifest.Say("found unknown directive name"),
		manifest.Say("found unknown escape character"),
	} {
		reasons[reason.String()] = reason
	}
	return reasons
})
