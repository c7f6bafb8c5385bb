package fix_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"

	"github.com/derekg1729/dsnlint/pkg/fix"
	"github.com/derekg1729/dsnlint/pkg/internal/source"
	"github.com/derekg1729/dsnlint/pkg/manifest"
	"github.com/derekg1729/dsnlint/pkg/rules"
)

// FuzzPlan removes entries of environments in any file: nothing but whole lines
// and those entries may go.
func FuzzPlan(f *testing.F) {
	for _, seed := range []string{
		oneEntry,
		"services:\n  a:\n    environment:\n    - A=1\n    # c\n    - B=|\n\n    -   'C=x\n\n        y'\n  b: {environment: [A]}\n",
		"services:\n  a:\n    environment:\n      A: |+\n        x\n\n      # c\n      B: >2\n          y\n         z\n      C: &c 1\n      D: *c\n      <<: {E: 1}\n",
		"services:\r\n  a:\r\n    environment: &e\r\n      A:\r\n      ? B\r\n      : 1\r\n---\r\nservices:\r\n  a:\r\n    environment:\r\n      \"A\" : !!str 1\r\n...\r\n",
		"services:\n  a:\n    command: $$A\n    environment: # c\n\n      A: plain\n        text\n        more\n",
		"services:\n  a:\n    environment:\n      A: \"x\n  # y\"\n      B: 1 # z",
		"services:\n  app:\n    environment:\n      A: x\n \r\r\r  B:",
		"\ufeffservices:\n  ä:\n    environment:\n      ä: \u2028ö\n      B: x\u0085y\n",
	} {
		for mask := range uint8(4) {
			f.Add([]byte(seed), mask*0x55+1)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, mask uint8) {
		docs, err := source.ParseYAML(file, data)
		if err != nil {
			return
		}
		findings, containers := environmentFindings(docs, mask)
		read := func(string) ([]byte, error) { return data, nil }
		edits, refused := fix.New(findings, containers, read).Plan()
		after := fix.Apply(data, edits)
		checkBytes(t, data, edits)

		again, err := source.ParseYAML(file, after)
		if err != nil {
			t.Fatalf("the file is invalid afterwards: %v", err)
		}
		kept := map[manifest.Position]bool{}
		for _, r := range refused {
			kept[r.Finding.Position] = true
		}
		gone := map[[2]int]bool{}
		for _, finding := range findings {
			if !kept[finding.Position] {
				gone[[2]int{finding.Position.Line, finding.Position.Column}] = true
			}
		}
		if diff := cmp.Diff(tell(docs, gone), tell(again, nil)); diff != "" {
			t.Errorf("more than the entries differs (-want +got):\n%s", diff)
		}
	})
}

// environmentFindings makes findings of the entries that the mask picks, and the
// containers that they are about.
func environmentFindings(docs []*yaml.Node, mask uint8) ([]rules.Finding, []manifest.Container) {
	var findings []rules.Finding
	var containers []manifest.Container
	n := 0
	for _, doc := range docs {
		_, services := source.Lookup(doc.Content[0], "services")
		if services == nil || services.Kind != yaml.MappingNode {
			continue
		}
		for i := 0; i < len(services.Content); i += 2 {
			key := services.Content[i]
			_, env := source.Lookup(services.Content[i+1], "environment")
			if env == nil || len(env.Content) == 0 {
				continue
			}
			service := manifest.Container{Name: key.Value, Position: source.NodePosition(file, key)}
			step := 1
			if env.Kind == yaml.MappingNode {
				step = 2
			}
			for j := 0; j < len(env.Content); j += step {
				if n++; mask>>(n%8)&1 == 0 {
					continue
				}
				node := env.Content[j]
				name := node.Value
				if step == 1 {
					name, _, _ = strings.Cut(name, "=")
				}
				at := source.NodePosition(file, node)
				steps := []manifest.Step{{Position: at}}
				service.Deliveries = append(service.Deliveries, manifest.Delivery{
					Channel: manifest.ChannelEnv, EnvVar: manifest.EnvVar{Name: name, Provenance: steps, Own: true},
				})
				findings = append(findings, rules.Finding{
					Rule:    rules.Lookup(rules.All, "RUNTIME_DSN_ONLY"),
					Channel: manifest.ChannelEnv, Variable: name, Secrets: []string{name},
					Position: at, Provenance: [][]manifest.Step{steps},
				})
			}
			containers = append(containers, service)
		}
	}
	// The containers are where they stay only now.
	n = 0
	for i := range containers {
		for range containers[i].Deliveries {
			findings[n].Container = &containers[i]
			n++
		}
	}
	return findings, containers
}

// checkBytes checks that edits cut whole lines that are not comments at their
// beginning or end, and insert nothing but an empty collection.
func checkBytes(t *testing.T, data []byte, edits []fix.Edit) {
	t.Helper()
	at := 0
	for _, e := range edits {
		if e.Start < at || e.End < e.Start {
			t.Fatalf("the edit from %d to %d begins before %d", e.Start, e.End, at)
		}
		at = e.End
		if e.Start == e.End {
			if e.Text != " {}" && e.Text != " []" {
				t.Errorf("%q is inserted", e.Text)
			}
			continue
		}
		lines := bytes.TrimRight(data[e.Start:e.End], "\r\n")
		switch {
		case e.Text != "":
			t.Errorf("%q is put in place of something", e.Text)
		case e.Start > 0 && data[e.Start-1] != '\n', e.End < len(data) && data[e.End-1] != '\n':
			t.Errorf("part of a line is cut")
		case bytes.HasPrefix(bytes.TrimSpace(lines), []byte("#")):
			t.Errorf("a comment above the entry is cut")
		case len(bytes.TrimSpace(lines[bytes.LastIndexByte(lines, '\n')+1:])) == 0:
			t.Errorf("a blank line below the entry is cut")
		}
	}
}

// tell says what documents hold, one node a line, but for the entries that are
// gone.
func tell(docs []*yaml.Node, gone map[[2]int]bool) []string {
	var lines []string
	var visit func(node *yaml.Node, depth int)
	visit = func(node *yaml.Node, depth int) {
		lines = append(lines, fmt.Sprintf("%*d %v %q %q &%s", depth, depth, node.Kind, node.Tag, node.Value, node.Anchor))
		for i := 0; i < len(node.Content); i++ {
			child := node.Content[i]
			begins := node.Kind == yaml.SequenceNode || node.Kind == yaml.MappingNode && i%2 == 0
			if begins && gone[[2]int{child.Line, child.Column}] {
				if node.Kind == yaml.MappingNode {
					i++
				}
				continue
			}
			visit(child, depth+1)
		}
	}
	for _, doc := range docs {
		visit(doc, 0)
	}
	return lines
}
