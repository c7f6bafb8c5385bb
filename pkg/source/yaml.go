package source

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// MaxNodes is how many nodes a document may have once its aliases are expanded.
// It bounds the time and memory that a file can cost; real manifests stay some
// orders of magnitude below it.
const MaxNodes = 500_000

// ParseYAML returns the documents of a YAML or JSON file as nodes that know
// their place. Every node is checked: mapping keys are unique, no alias stands
// inside its own anchor, and with all aliases expanded there are at most
// MaxNodes.
//
// The error is a [*manifest.Problem] with line and column and without any
// scalar of the file. The documents before the broken one are returned with it.
func ParseYAML(name string, data []byte) ([]*yaml.Node, error) {
	if err := checkText(name, data); err != nil {
		return nil, err
	}
	var docs []*yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	for {
		var doc yaml.Node
		err := decoder.Decode(&doc)
		switch {
		case errors.Is(err, io.EOF):
			return docs, nil
		case err != nil:
			return docs, syntaxProblem(name, err)
		}
		check := checker{name: name, sizes: map[*yaml.Node]int{}}
		if _, err := check.size(&doc); err != nil {
			return docs, err
		}
		docs = append(docs, &doc)
	}
}

func checkText(name string, data []byte) error {
	line, column := 1, 1
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size == 1 || r == 0 {
			return &manifest.Problem{
				Severity: manifest.Error,
				Position: manifest.Position{File: name, Line: line, Column: column},
				Message:  fmt.Sprintf("expected UTF-8 text, found the byte 0x%02x", data[i]),
				Hint:     "save the file as UTF-8",
			}
		}
		if r == '\n' {
			line, column = line+1, 0
		}
		i, column = i+size, column+1
	}
	return nil
}

var yamlMark = regexp.MustCompile(`line (\d+)(?:, column (\d+))?: `)

// syntaxProblem takes the place out of what the YAML library says. Its syntax
// errors quote no scalar, but for the names of anchors and tags.
func syntaxProblem(name string, err error) *manifest.Problem {
	p := &manifest.Problem{
		Severity: manifest.Error,
		Position: manifest.Position{File: name},
		Message:  strings.TrimPrefix(err.Error(), "yaml: "),
		Hint:     "expected valid YAML",
	}
	if m := yamlMark.FindAllStringSubmatchIndex(p.Message, -1); m != nil {
		last := m[len(m)-1]
		p.Position.Line, _ = strconv.Atoi(p.Message[last[2]:last[3]])
		p.Position.Column = 1
		if last[4] >= 0 {
			p.Position.Column, _ = strconv.Atoi(p.Message[last[4]:last[5]])
		}
		p.Message = p.Message[last[1]:]
	}
	p.Message = "invalid YAML: " + p.Message
	return p
}

// checker measures a document with its aliases expanded, each anchor once.
type checker struct {
	name  string
	sizes map[*yaml.Node]int
}

// open marks a node whose size is being measured.
const open = -1

func (c *checker) size(node *yaml.Node) (int, error) {
	if size, ok := c.sizes[node]; ok {
		if size == open {
			return 0, c.problem(node, "the anchor %q holds an alias to itself", node.Anchor)
		}
		return size, nil
	}
	c.sizes[node] = open
	total := 1
	if node.Kind == yaml.MappingNode {
		if err := c.unique(node); err != nil {
			return 0, err
		}
	}
	children := node.Content
	if node.Kind == yaml.AliasNode {
		children = []*yaml.Node{node.Alias}
	}
	for _, child := range children {
		size, err := c.size(child)
		if err != nil {
			return 0, err
		}
		if total += size; total > MaxNodes {
			return 0, c.problem(child, "with its aliases expanded the document has more than %d nodes", MaxNodes)
		}
	}
	c.sizes[node] = total
	return total, nil
}

func (c *checker) unique(mapping *yaml.Node) error {
	lines := map[string]int{}
	for i := 0; i < len(mapping.Content); i += 2 {
		key := mapping.Content[i]
		if key.Kind != yaml.ScalarNode {
			continue
		}
		if line, ok := lines[key.Value]; ok {
			return c.problem(key, "the key %q stands twice in one mapping, first in line %d", key.Value, line)
		}
		lines[key.Value] = key.Line
	}
	return nil
}

func (c *checker) problem(node *yaml.Node, format string, args ...any) *manifest.Problem {
	return &manifest.Problem{
		Severity: manifest.Error,
		Position: NodePosition(c.name, node),
		Message:  fmt.Sprintf(format, args...),
	}
}

// NodePosition is the place of a node. Its end is known for scalars on one
// line and left open for the rest.
func NodePosition(name string, node *yaml.Node) manifest.Position {
	pos := manifest.Position{File: name, Line: node.Line, Column: node.Column}
	if node.Kind == yaml.ScalarNode && !strings.Contains(node.Value, "\n") {
		width := utf8.RuneCountInString(node.Value)
		switch {
		case node.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
			return pos
		case node.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0:
			width += 2
		}
		pos.EndLine, pos.EndColumn = pos.Line, pos.Column+width
	}
	return pos
}

// Resolve follows aliases to the node they stand for.
func Resolve(node *yaml.Node) *yaml.Node {
	for node != nil && node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	return node
}

// Lookup finds a key of a mapping, through aliases and merge keys as YAML has
// them: the mapping's own key wins over a merged one, and an earlier merge over
// a later. Both nodes are nil where there is no such key. The key node is the
// one that was written, in the anchor where it comes from one.
//
// See https://yaml.org/type/merge.html.
func Lookup(mapping *yaml.Node, key string) (keyNode, value *yaml.Node) {
	for k, v := range Entries(mapping) {
		if k.Value == key {
			return k, v
		}
	}
	return nil, nil
}

// Entries yields the entries of a mapping in the order in which Lookup prefers
// them: its own, then those of its merge keys. A key that is merged although
// the mapping has it already is yielded all the same.
func Entries(mapping *yaml.Node) func(yield func(key, value *yaml.Node) bool) {
	return func(yield func(key, value *yaml.Node) bool) { entries(mapping, yield) }
}

func entries(mapping *yaml.Node, yield func(key, value *yaml.Node) bool) bool {
	mapping = Resolve(mapping)
	if mapping == nil || mapping.Kind != yaml.MappingNode {
		return true
	}
	var merges []*yaml.Node
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		key, value := mapping.Content[i], mapping.Content[i+1]
		if isMerge(key) {
			merges = append(merges, value)
			continue
		}
		if !yield(key, value) {
			return false
		}
	}
	for _, merge := range merges {
		merge = Resolve(merge)
		if merge.Kind != yaml.SequenceNode {
			if !entries(merge, yield) {
				return false
			}
			continue
		}
		for _, item := range merge.Content {
			if !entries(item, yield) {
				return false
			}
		}
	}
	return true
}

func isMerge(key *yaml.Node) bool {
	return key.Kind == yaml.ScalarNode && key.Value == "<<" && (key.Tag == "" || key.Tag == "!!merge")
}
