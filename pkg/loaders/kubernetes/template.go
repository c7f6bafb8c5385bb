package kubernetes

import (
	"text/template/parse"

	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// templateExpr reads a Go template that makes a key of other keys, which it
// mentions as {{ .NAME }} or {{ index . "NAME" }}. It is nil where the text is no
// template. What the template does with a key is not followed: the value is only
// known where there is nothing to be done.
func templateExpr(text, object string, keys map[string]keyValue) manifest.Expr {
	tree := parse.New("template")
	tree.Mode = parse.SkipFuncCheck
	if _, err := tree.Parse(text, "", "", map[string]*parse.Tree{}); err != nil || tree.Root == nil {
		return nil
	}
	t := templateReader{object: object, keys: keys, expr: manifest.Expr{}}
	t.list(tree.Root)
	return t.expr
}

type templateReader struct {
	object string
	keys   map[string]keyValue
	expr   manifest.Expr
}

func (t *templateReader) list(list *parse.ListNode) {
	if list == nil {
		return
	}
	for _, node := range list.Nodes {
		switch n := node.(type) {
		case *parse.TextNode:
			t.expr = append(t.expr, manifest.Literal(string(n.Text))...)
		case *parse.ActionNode:
			if field := plainField(n.Pipe); field != "" {
				t.mention(field, t.keys[field].value)
				continue
			}
			t.unknown()
			t.pipe(n.Pipe)
		case *parse.IfNode:
			t.branch(&n.BranchNode)
		case *parse.RangeNode:
			t.branch(&n.BranchNode)
		case *parse.WithNode:
			t.branch(&n.BranchNode)
		case *parse.TemplateNode:
			t.unknown()
			t.pipe(n.Pipe)
		}
	}
}

func (t *templateReader) branch(b *parse.BranchNode) {
	t.unknown()
	t.pipe(b.Pipe)
	t.list(b.List)
	t.list(b.ElseList)
}

func (t *templateReader) pipe(p *parse.PipeNode) {
	if p == nil {
		return
	}
	for _, command := range p.Cmds {
		for i, arg := range command.Args {
			switch a := arg.(type) {
			case *parse.FieldNode:
				t.mention(a.Ident[0], nil)
			case *parse.StringNode:
				if name, ok := command.Args[0].(*parse.IdentifierNode); ok && name.Ident == "index" && i > 1 {
					t.mention(a.Text, nil)
				}
			case *parse.PipeNode:
				t.pipe(a)
			case *parse.ChainNode:
				if inner, ok := a.Node.(*parse.PipeNode); ok {
					t.pipe(inner)
				}
			}
		}
	}
}

func (t *templateReader) mention(key string, value manifest.Expr) {
	t.expr = append(t.expr, manifest.Part{Ref: &manifest.Ref{
		Name: key, Kind: manifest.RefSecretKey, Object: t.object, Value: value, Steps: t.keys[key].steps,
	}})
}

// unknown notes that a part of the value is not known.
func (t *templateReader) unknown() { t.expr = append(t.expr, manifest.Part{}) }

// plainField is the key that {{ .KEY }} mentions, and empty for anything more.
func plainField(p *parse.PipeNode) string {
	if len(p.Decl) == 0 && len(p.Cmds) == 1 && len(p.Cmds[0].Args) == 1 {
		if field, ok := p.Cmds[0].Args[0].(*parse.FieldNode); ok && len(field.Ident) == 1 {
			return field.Ident[0]
		}
	}
	return ""
}
