package kubernetes

import (
	"strings"

	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// expand replaces $(NAME) in a text with what resolve gives for the name. A name
// that it does not know stays as text, $$ stands for one dollar sign, and any
// other dollar sign for itself.
//
// See https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#environment-variables.
func expand(text string, resolve func(name string) *manifest.Ref) manifest.Expr {
	var expr manifest.ExprBuilder
	// Behind the last closing parenthesis no reference ends, and looking for one
	// at every opening would take quadratic time.
	last := strings.LastIndexByte(text, ')')
	at := 0
	for {
		dollar := strings.IndexByte(text[at:], '$')
		if dollar < 0 || at+dollar == len(text)-1 {
			expr.Text(text[at:])
			return expr.Expr()
		}
		expr.Text(text[at : at+dollar])
		at += dollar
		switch {
		case text[at+1] == '$':
			expr.Text("$")
			at += 2
		case text[at+1] != '(' || last < at:
			expr.Text(text[at : at+2])
			at += 2
		default:
			end := at + strings.IndexByte(text[at:], ')')
			name, whole := text[at+2:end], text[at:end+1]
			at = end + 1
			if ref := resolve(name); ref != nil {
				expr.Ref(ref)
			} else {
				expr.Text(whole)
			}
		}
	}
}
