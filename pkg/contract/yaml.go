package contract

import (
	"bytes"
	"encoding/json"

	"go.yaml.in/yaml/v4"
)

// YAML writes the contract as a contract file, its keys in the order of the
// documentation. Parse makes the same contract of it.
func (c *Contract) YAML() ([]byte, error) {
	data, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	// JSON is YAML, and its nodes keep the order that a map would lose.
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return nil, err
	}
	unbrace(&doc)
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := encoder.Encode(&doc); err != nil {
		return nil, err
	}
	return out.Bytes(), encoder.Close()
}

// unbrace takes the braces and quotes of JSON away where YAML needs none.
func unbrace(node *yaml.Node) {
	if node.Kind == yaml.ScalarNode || len(node.Content) > 0 {
		node.Style = 0
	}
	for _, child := range node.Content {
		unbrace(child)
	}
}
