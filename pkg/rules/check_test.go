package rules

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/derekg1729/dsnlint/pkg/contract"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// own is a rule of a program's own that reports what it is given on each container.
func own(id string, report ...Finding) *Rule {
	return &Rule{
		ID: id, Level: contract.LevelWarning, Summary: "A container.", Why: "It is one.", Fix: "Remove it.",
		Check: func(p *Pass) {
			for _, s := range p.Subjects {
				for _, f := range report {
					p.Report(s, f)
				}
			}
		},
	}
}

func TestCheckGivesTheLevelOfTheContract(t *testing.T) {
	c := contract.Builtin()
	c.Rules = map[string]contract.Level{"RUNTIME_DSN_ONLY": contract.LevelOff, "PROVISIONING_TRUST_BOUNDARY": contract.LevelNote}
	found := Check(c, one(container("app", env(2, "POSTGRES_ROOT_USER"), env(3, "APP_DB_USER"))), []*Rule{runtimeDSNOnly, provisioningTrustBoundary})
	if len(found) != 1 || found[0].Rule != provisioningTrustBoundary || found[0].Level != contract.LevelNote {
		t.Errorf("found %v", rows(found))
	}
}

func TestReportFillsIn(t *testing.T) {
	c := with(container("app"), func(c *manifest.Container) { c.Overlays = []string{"prod"} })
	found := runOne(t, own("OWN", Finding{}, Finding{Position: line(5)}), c)
	if diff := gocmp.Diff([]string{"app - f.yaml:1:5", "app - f.yaml:5:5"}, rows(found)); diff != "" {
		t.Fatal(diff)
	}
	for _, f := range found {
		if f.Role != contract.Runtime || f.Level != contract.LevelWarning || !slices.Equal(f.Overlays, c.Overlays) || f.Provenance[0][0].Position != f.Position {
			t.Errorf("a finding is not filled in: %+v", f)
		}
	}
}

func TestFindingsAreSorted(t *testing.T) {
	on := func(n int, channel manifest.Channel, variable string) Finding {
		return Finding{Position: line(n), Channel: channel, Variable: variable}
	}
	last := own("Z", on(2, manifest.ChannelEnv, "B"), on(2, manifest.ChannelEnv, "A"), on(2, manifest.ChannelBuild, "C"))
	first := own("A", on(2, manifest.ChannelEnv, "A"))
	containers := []manifest.Container{container("web", env(2, "A", ref("POSTGRES_ROOT_USER"))), container("app")}
	var got []string
	for _, f := range Check(contract.Builtin(), containers, []*Rule{last, first, provisioningTrustBoundary}) {
		got = append(got, fmt.Sprint(f.Container.Name, " ", f.Channel, " ", f.Variable, " ", f.Rule.ID))
	}
	want := []string{
		"app build C Z", "app env A A", "app env A Z", "app env B Z",
		"web build C Z", "web env A PROVISIONING_TRUST_BOUNDARY", "web env A A", "web env A Z", "web env B Z",
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

// TestOverlaysAreMerged checks that one finding seen through several overlays is one,
// and that findings that differ in anything else are not merged.
func TestOverlaysAreMerged(t *testing.T) {
	in := func(overlay, name string) manifest.Container {
		return with(container(name, env(2, "POSTGRES_ROOT_USER")), func(c *manifest.Container) {
			c.QualifiedName = overlay + "-" + name
			if overlay != "" {
				c.Overlays = []string{overlay}
			}
		})
	}
	find := func(containers ...manifest.Container) []string {
		var got []string
		for _, f := range Check(contract.Builtin(), containers, []*Rule{provisioningTrustBoundary}) {
			got = append(got, f.Container.Name+" "+strings.Join(f.Overlays, ","))
		}
		return got
	}
	for _, test := range []struct {
		name       string
		containers []manifest.Container
		want       []string
	}{
		{"one finding", []manifest.Container{in("prod", "web"), in("dev", "web"), in("prod", "web")}, []string{"web dev,prod"}},
		{"two containers", []manifest.Container{in("prod", "web"), in("dev", "backup")}, []string{"backup dev", "web prod"}},
		{"no overlays", []manifest.Container{in("", "web"), in("", "web")}, []string{"web ", "web "}},
	} {
		if diff := gocmp.Diff(test.want, find(test.containers...)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

// TestMessages checks how a finding says what reaches a container, and how.
func TestMessages(t *testing.T) {
	const end = "; provisioning credentials stay with the provisioner and the database"
	var many []manifest.Part
	for i := range maxSecrets + 1 {
		many = append(many, ref(fmt.Sprintf("POSTGRES_ROOT_%d", i)))
	}
	user, password := ref("POSTGRES_ROOT_USER"), ref("POSTGRES_ROOT_PASSWORD")
	for _, test := range []struct {
		name, container string
		delivery        manifest.Delivery
		want            string
	}{
		{"by name", "web", env(2, "POSTGRES_ROOT_USER"), "container web receives POSTGRES_ROOT_USER in its environment"},
		{"role", "app", env(2, "POSTGRES_ROOT_USER"), "runtime container app receives POSTGRES_ROOT_USER in its environment"},
		{"no name", "", env(2, "POSTGRES_ROOT_USER"), "the container receives POSTGRES_ROOT_USER in its environment"},
		{"inside", "web", env(2, "X", user), "container web receives POSTGRES_ROOT_USER inside the value of X"},
		{"two", "web", env(2, "X", user, password), "container web receives POSTGRES_ROOT_USER and POSTGRES_ROOT_PASSWORD inside the value of X"},
		{"three", "web", env(2, "X", user, password, ref("DATABASE_ROOT_URL")), "container web receives POSTGRES_ROOT_USER, POSTGRES_ROOT_PASSWORD and DATABASE_ROOT_URL inside the value of X"},
		{"file", "web", by(manifest.ChannelFile, 2, "/s/postgres_root_user"), "container web receives postgres_root_user as the file /s/postgres_root_user"},
		{"argument", "web", by(manifest.ChannelArgument, 2, "command", user), "container web receives POSTGRES_ROOT_USER in its command"},
		{"build argument", "web", by(manifest.ChannelBuild, 2, "POSTGRES_ROOT_USER"), "container web receives POSTGRES_ROOT_USER as a build argument"},
		{"inside a build argument", "web", by(manifest.ChannelBuild, 2, "X", user), "container web receives POSTGRES_ROOT_USER inside the build argument X"},
		{"label", "web", by(manifest.ChannelMetadata, 2, "x", user), "container web receives POSTGRES_ROOT_USER in its label or annotation x"},
	} {
		found := runOne(t, provisioningTrustBoundary, container(test.container, test.delivery))
		if len(found) != 1 || found[0].Message.String() != test.want+end {
			t.Errorf("%s: %v", test.name, rows(found))
			for _, f := range found {
				t.Log(f.Message)
			}
		}
	}
	found := runOne(t, provisioningTrustBoundary, container("web", env(2, "X", many...)))
	if len(found) != 1 || len(found[0].Secrets) != maxSecrets || !strings.Contains(found[0].Message.String(), " and others inside the value of X") {
		t.Error("a finding with many names does not say that there are others")
	}
}

func TestLookup(t *testing.T) {
	for i, id := range IDs(All) {
		if Lookup(All, id) != All[i] {
			t.Errorf("Lookup does not find %s", id)
		}
	}
	if Lookup(All, "NO_SUCH_RULE") != nil || Lookup(nil, "RUNTIME_DSN_ONLY") != nil {
		t.Error("Lookup finds a rule that is not listed")
	}
}

func TestValidate(t *testing.T) {
	changed := func(change func(*Rule)) []*Rule {
		rule := own("OWN")
		change(rule)
		return []*Rule{rule}
	}
	for name, list := range map[string][]*Rule{
		"none":  nil,
		"two":   {own("OWN"), own("OWN_2")},
		"error": changed(func(r *Rule) { r.Level = contract.LevelError }),
	} {
		if err := Validate(list); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, list := range map[string][]*Rule{
		"nil":              {nil},
		"no id":            {own("")},
		"comma in the id":  {own("A,B")},
		"lower case":       {own("own")},
		"id of a built-in": {own("RUNTIME_DSN_ONLY")},
		"one id twice":     {own("OWN"), own("OWN")},
		"no level":         changed(func(r *Rule) { r.Level = "" }),
		"level off":        changed(func(r *Rule) { r.Level = contract.LevelOff }),
		"no summary":       changed(func(r *Rule) { r.Summary = "" }),
		"no reason":        changed(func(r *Rule) { r.Why = "" }),
		"no fix":           changed(func(r *Rule) { r.Fix = "" }),
		"no check":         changed(func(r *Rule) { r.Check = nil }),
	} {
		if Validate(list) == nil {
			t.Errorf("%s is valid", name)
		}
	}
}
