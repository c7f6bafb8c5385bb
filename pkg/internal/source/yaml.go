package source

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// MaxNodes is how many nodes a document may have once its aliases are expanded.
// It bounds the time and memory that a file can cost; real manifests stay some
// orders of magnitude below it.
const MaxNodes = 500_000

// maxEntries is how many entries a large file may have before it is parsed at
// all: the parser takes some 300 bytes for each node, and counts none.
const maxEntries = 1_000_000

// checkSize refuses a file that would take too much memory to parse. What it counts
// may also be text, so that it only looks at files of a size that manifests seldom
// have.
func checkSize(name string, data []byte) error {
	if len(data) < 2*maxEntries {
		return nil
	}
	entries := bytes.Count(data, []byte(",")) + bytes.Count(data, []byte("- ")) + bytes.Count(data, []byte("-\n")) +
		2*bytes.Count(data, []byte(":")) + bytes.Count(data, []byte("[")) + bytes.Count(data, []byte("{"))
	if entries <= maxEntries {
		return nil
	}
	return &manifest.Problem{
		Severity: manifest.Error,
		Position: manifest.Position{File: name},
		Message:  manifest.Say("the file has more than %s entries, the most that are read", manifest.Number(maxEntries)),
		Hint:     manifest.Say("split it, or leave it out with the contract's exclude"),
	}
}

// ParseYAML returns the documents of a YAML or JSON file as nodes that know
// their place. Every node is checked: mapping keys are unique, no alias stands
// inside its own anchor, and with all aliases expanded there are at most
// MaxNodes.
//
// The error is a [*manifest.Problem] with line and column and without any
// scalar of the file. The documents before the broken one are returned with it.
func ParseYAML(name string, data []byte) ([]*yaml.Node, error) {
	docs, _, err := parseYAML(name, data, 0, nil)
	return docs, err
}

// ParseLenient is [ParseYAML] for a part of a text that has a number of lines above it,
// and in which the last one of duplicate keys counts, as for programs in Go. The
// duplicates are told as notices.
func ParseLenient(name string, data []byte, above int) (docs []*yaml.Node, duplicates []*manifest.Problem, err error) {
	docs, _, err = parseYAML(name, data, above, func(p *manifest.Problem) { duplicates = append(duplicates, p.AsNotice()) })
	return docs, duplicates, err
}

// parseYAML is ParseYAML for a part of a file that has a number of lines above it.
// It counts the nodes. Duplicate keys are handed to duplicate, where that is not nil.
func parseYAML(name string, data []byte, above int, duplicate func(*manifest.Problem)) (docs []*yaml.Node, nodes int, err error) {
	if err := checkText(name, data, above); err != nil {
		return nil, 0, err
	}
	if err := checkSize(name, data); err != nil {
		return nil, 0, err
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	for {
		var doc yaml.Node
		err := decoder.Decode(&doc)
		switch {
		case errors.Is(err, io.EOF):
			return docs, nodes, nil
		case err != nil:
			return docs, nodes, syntaxProblem(name, data, err, above)
		}
		shift(&doc, above)
		check := checker{name: name, sizes: map[*yaml.Node]int{}, duplicate: duplicate}
		if _, err := check.size(&doc); err != nil {
			return docs, nodes, err
		}
		docs, nodes = append(docs, &doc), nodes+len(check.sizes)
	}
}

func checkText(name string, data []byte, above int) error {
	line, column := above+1, 1
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size == 1 || r == 0 {
			return &manifest.Problem{
				Severity: manifest.Error,
				Position: manifest.Position{File: name, Line: line, Column: column},
				Message:  manifest.Say("invalid UTF-8"),
				Hint:     manifest.Say("save the file as UTF-8"),
			}
		}
		if r == '\n' {
			line, column = line+1, 0
		}
		i, column = i+size, column+1
	}
	return nil
}

// syntaxProblem says what the YAML library does not take, at the place that it
// names. Its messages quote anchors and characters, so that only those go on that
// are in the table of what it says without quoting.
func syntaxProblem(name string, data []byte, err error, above int) *manifest.Problem {
	p := &manifest.Problem{
		Severity: manifest.Error,
		Position: manifest.Position{File: name},
		Message:  manifest.Say("invalid YAML"),
		Hint:     manifest.Say("expected valid YAML"),
	}
	if broken := (*yaml.LoadError)(nil); errors.As(err, &broken) {
		if line, column := broken.Mark.Line, broken.Mark.Column; line > 0 {
			// What is missing at the end is reported behind the last line.
			text := bytes.TrimSuffix(data, []byte("\n"))
			if last := bytes.Count(text, []byte("\n")) + 1; line > last {
				line, column = last, utf8.RuneCount(text[bytes.LastIndexByte(text, '\n')+1:])+1
			}
			p.Position.Line, p.Position.Column = line+above, column
		}
		if reason, ok := syntaxReasons()[broken.Message]; ok {
			p.Message = manifest.Say("invalid YAML: %s", reason)
		} else if broken.Stage == yaml.ComposerStage {
			p.Message = manifest.Say("invalid YAML: an alias has no anchor")
			p.Hint = manifest.Say("put a text that begins with * in quotes")
		}
	}
	return p
}

// checker measures a document with its aliases expanded, each anchor once.
type checker struct {
	name  string
	sizes map[*yaml.Node]int
	// duplicate is told of duplicate keys, of which the last one is kept; nil for a
	// document that must have none.
	duplicate func(*manifest.Problem)
}

// open marks a node whose size is being measured.
const open = -1

func (c *checker) size(node *yaml.Node) (int, error) {
	if size, ok := c.sizes[node]; ok {
		if size == open {
			return 0, c.problem(node, manifest.Say("an anchor holds an alias to itself"))
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
			return 0, c.problem(child, manifest.Say("with its aliases expanded the document has more than %s nodes", manifest.Number(MaxNodes)))
		}
	}
	c.sizes[node] = total
	return total, nil
}

func (c *checker) unique(mapping *yaml.Node) error {
	first := map[string]int{}
	var kept []*yaml.Node
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		key := mapping.Content[i]
		if at, ok := first[key.Value]; ok && key.Kind == yaml.ScalarNode {
			p := c.problem(key, manifest.Say("duplicate key (first defined on line %s)", manifest.Number(kept[at].Line)))
			if c.duplicate == nil {
				return p
			}
			c.duplicate(p)
			kept[at], kept[at+1] = key, mapping.Content[i+1]
			continue
		}
		if key.Kind == yaml.ScalarNode {
			first[key.Value] = len(kept)
		}
		kept = append(kept, key, mapping.Content[i+1])
	}
	mapping.Content = kept
	return nil
}

func (c *checker) problem(node *yaml.Node, message manifest.Text) *manifest.Problem {
	return &manifest.Problem{
		Severity: manifest.Error,
		Position: NodePosition(c.name, node),
		Message:  message,
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
