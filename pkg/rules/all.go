package rules

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/derekg1729/dsnlint/pkg/contract"
)

// All lists the built-in rules, in the order in which the findings of one entry are
// shown.
var All = withExamples(
	runtimeDSNOnly,
	provisioningTrustBoundary,
	roleIsolation,
	authoritativeInputsPerPhase,
	containerEnvContract,
	noHardcodedHosts,
	literalCredential,
	provisioningRunsOnce,
	opaqueSecretImport,
	invalidSuppression,
	unusedSuppression,
	gateWeakened,
)

// IDs lists the ids of rules.
func IDs(list []*Rule) []string {
	ids := make([]string, len(list))
	for i, rule := range list {
		ids[i] = rule.ID
	}
	return ids
}

// Lookup returns the rule of an id, or nil.
func Lookup(list []*Rule, id string) *Rule {
	i := slices.IndexFunc(list, func(rule *Rule) bool { return rule.ID == id })
	if i < 0 {
		return nil
	}
	return list[i]
}

// idForm is the form of an id: a suppression lists ids with commas between them, and
// reports show no name of another form.
var idForm = regexp.MustCompile(`^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$`)

// Validate reports what keeps rules from being run beside the built-in ones.
func Validate(own []*Rule) error {
	for i, rule := range own {
		switch {
		case rule == nil:
			return fmt.Errorf("own rule %d: expected a rule, found nil", i)
		case !idForm.MatchString(rule.ID):
			return fmt.Errorf("own rule %d: expected an id of capital letters, digits and single underscores", i)
		case Lookup(All, rule.ID) != nil || Lookup(own[:i], rule.ID) != nil:
			return fmt.Errorf("own rule %s: another rule has this id", rule.ID)
		case !slices.Contains(contract.Levels, rule.Level):
			return fmt.Errorf("own rule %s: expected the level error, warning or note", rule.ID)
		case rule.Summary == "" || rule.Why == "" || rule.Fix == "":
			return fmt.Errorf("own rule %s: expected a summary, a reason and a fix, which reports show", rule.ID)
		case rule.Check == nil:
			return fmt.Errorf("own rule %s: expected a check", rule.ID)
		}
	}
	return nil
}
