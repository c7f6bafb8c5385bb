package rules

import (
	"fmt"
	"testing"

	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// far mentions a variable that is defined n steps away.
func far(name string, n int) manifest.Part {
	part := ref(name)
	for range n {
		part.Ref.Steps = append(part.Ref.Steps, steps(line(7))...)
	}
	return part
}

// TestLongWays checks that a finding shows of a long way its beginning and its end, and
// of further ways the ends only.
func TestLongWays(t *testing.T) {
	var parts []manifest.Part
	for i := range 5 {
		parts = append(parts, far(fmt.Sprintf("POSTGRES_ROOT_%d", i), 2*maxSteps))
	}
	found := runOne(t, provisioningTrustBoundary, container("web", env(2, "X", parts...)))
	if len(found) != 1 || len(found[0].Provenance) != 5 {
		t.Fatalf("found %v", rows(found))
	}
	for i, want := range []int{maxSteps, maxSteps, maxSteps, 3, 3} {
		way := found[0].Provenance[i]
		if len(way) != want || way[0].Position != line(2) || way[want-1].Position != line(7) {
			t.Errorf("way %d has %d steps, from %s to %s; want %d", i, len(way), way[0].Position, way[len(way)-1].Position, want)
		}
	}
}

// TestManyWays checks that ways are shortened after the steps that a run may have.
func TestManyWays(t *testing.T) {
	long := far("POSTGRES_ROOT_USER", maxSteps)
	deliveries := make([]manifest.Delivery, maxRunSteps/maxSteps+2)
	for i := range deliveries {
		deliveries[i] = env(i+2, fmt.Sprintf("X%04d", i), long)
	}
	found := runOne(t, provisioningTrustBoundary, container("web", deliveries...))
	if len(found) != len(deliveries) {
		t.Fatalf("%d findings, want %d", len(found), len(deliveries))
	}
	total := 0
	for _, f := range found {
		total += len(f.Provenance[0])
	}
	if first, last := found[0].Provenance[0], found[len(found)-1].Provenance[0]; len(first) != maxSteps || len(last) != fewSteps || total > maxRunSteps+maxSteps+fewSteps {
		t.Errorf("the first way has %d steps, the last %d, and all %d", len(first), len(last), total)
	}
}
