package compose_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/derekg1729/dsnlint/pkg/internal/source/sourcetest"
	"github.com/derekg1729/dsnlint/pkg/loaders/compose"
)

// BenchmarkLoad loads projects whose cost could grow faster than their size.
func BenchmarkLoad(b *testing.B) {
	chain := func(hops int) map[string]string {
		var env strings.Builder
		env.WriteString("A0=${ROOT}\n")
		for i := 1; i < hops; i++ {
			fmt.Fprintf(&env, "A%d=${A%d}\n", i, i-1)
		}
		return map[string]string{".env": env.String(), "compose.yaml": fmt.Sprintf("services: {app: {image: x, environment: {X: '${A%d}'}}}\n", hops-1)}
	}
	includes := func(files int) map[string]string {
		all := map[string]string{}
		for i := range files {
			name := fmt.Sprintf("c%d.yaml", i)
			if i == 0 {
				name = "compose.yaml"
			}
			all[name] = fmt.Sprintf("include: [c%d.yaml]\nservices: {s%d: {image: x}}\n", i+1, i)
		}
		all[fmt.Sprintf("c%d.yaml", files)] = "services: {last: {image: x}}\n"
		return all
	}
	services := func(count int) map[string]string {
		var text strings.Builder
		text.WriteString("services:\n")
		for i := range count {
			fmt.Fprintf(&text, "  s%d: {image: x, environment: {A: '1', B: '2'}, ports: ['80']}\n", i)
		}
		return map[string]string{"compose.yaml": text.String()}
	}
	for _, c := range []struct {
		name  string
		files map[string]string
	}{
		{"chain/5000", chain(5000)}, {"chain/20000", chain(20000)},
		{"includes/50", includes(50)}, {"includes/99", includes(99)},
		{"services/1000", services(1000)}, {"services/4000", services(4000)},
	} {
		b.Run(c.name, func(b *testing.B) {
			tree := sourcetest.Open(b, writeFiles(b, c.files))
			for b.Loop() {
				compose.Load(context.Background(), tree, []string{"compose.yaml"}, compose.Options{})
			}
		})
	}
}
