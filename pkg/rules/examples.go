package rules

import (
	"embed"
	"path"
)

// exampleFiles holds examples/RULE/KIND.bad.yaml and KIND.good.yaml.
//
//go:embed examples
var exampleFiles embed.FS

// ContractChange is the title of an example that is a change of the contract file,
// from an empty one.
const ContractChange = "a change that adds to the contract"

// exampleKinds are the kinds of examples and their titles, in the order in which a
// rule shows them.
var exampleKinds = []struct{ name, title string }{
	{"compose", "Compose"},
	{"kubernetes", "Kubernetes"},
	{"contract", ContractChange},
}

// withExamples gives rules the examples that are embedded for them.
func withExamples(list ...*Rule) []*Rule {
	for _, rule := range list {
		for _, kind := range exampleKinds {
			base := path.Join("examples", rule.ID, kind.name)
			bad, err := exampleFiles.ReadFile(base + ".bad.yaml")
			if err != nil {
				continue // the rule has no example of this kind
			}
			good, _ := exampleFiles.ReadFile(base + ".good.yaml") // a test pairs the files
			rule.Examples = append(rule.Examples, Example{Title: kind.title, Bad: string(bad), Good: string(good)})
		}
	}
	return list
}
