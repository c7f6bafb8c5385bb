package kustomize_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/derekg1729/dsnlint/pkg/internal/testtree"
	"github.com/derekg1729/dsnlint/pkg/loaders/kubernetes"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// TestPlacesOfRandomOverlays builds overlays whose entries have names of their own, so
// that the true place of each is known.
func TestPlacesOfRandomOverlays(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 0))
		files, want := map[string]string{}, map[string]manifest.Position{}
		var pods, names []string
		count := 1 + r.IntN(4)
		line := 1
		for i := range count {
			// Names that are part of others, and the same in two namespaces.
			name := strings.Repeat("a", 1+i/2)
			names = append(names, name)
			entry := fmt.Sprintf("B%d", i)
			pods = append(pods, fmt.Sprintf("apiVersion: v1\nkind: Pod\nmetadata: {name: %s, namespace: n%d, labels: {pod: p%d}, annotations: {pod: p%d}}\nspec:\n  containers:\n    - name: web\n      image: example/web\n      env:\n        - {name: %s, value: x}\n", name, i%2, i, i, entry))
			want[entry] = manifest.Position{File: "l0/pods.yaml", Line: line + 8, Column: 11}
			line += 10
		}
		files["l0/pods.yaml"] = strings.Join(pods, "---\n")
		files["l0/kustomization.yaml"] = "resources: [pods.yaml]\n"
		levels := 1 + r.IntN(3)
		for level := 1; level <= levels; level++ {
			text := fmt.Sprintf("resources: [../l%d]\n", level-1)
			if r.IntN(2) == 0 {
				text += "namePrefix: x-\n"
			}
			text += "patches:\n"
			for n := range 1 + r.IntN(4) {
				pod := r.IntN(count)
				entry, file := fmt.Sprintf("L%dP%d", level, n), fmt.Sprintf("l%d/p%d.yaml", level, n)
				own := strings.Repeat("# a comment\n", r.IntN(3))
				body := fmt.Sprintf("spec:\n  containers:\n    - name: web\n      env:\n        - {name: %s, value: x}\n", entry)
				lines := strings.Count(own, "\n") + 8
				target := ""
				switch r.IntN(5) {
				case 0:
					target = fmt.Sprintf("{kind: Pod, labelSelector: pod=p%d}", pod)
				case 1:
					target = fmt.Sprintf("{kind: Pod, annotationSelector: pod=p%d}", pod)
				case 2:
					target = fmt.Sprintf("{kind: Pod, namespace: n%d, name: %s}", pod%2, names[pod])
				case 3:
					text += fmt.Sprintf("  - target: {kind: Pod, labelSelector: pod=p%d}\n    patch: |-\n      - op: add\n        path: /spec/containers/0/env/-\n        value: {name: %s, value: x}\n", pod, entry)
					want[entry] = manifest.Position{File: fmt.Sprintf("l%d/kustomization.yaml", level), Line: strings.Count(text, "\n"), Column: 16}
					continue
				}
				metadata := "metadata: {name: any}\n"
				if target == "" {
					metadata = fmt.Sprintf("metadata: {name: %s, namespace: n%d}\n", names[pod], pod%2)
					text += fmt.Sprintf("  - path: p%d.yaml\n", n)
				} else {
					text += fmt.Sprintf("  - {path: p%d.yaml, target: %s}\n", n, strings.TrimSpace(target))
				}
				files[file] = own + "apiVersion: v1\nkind: Pod\n" + metadata + body
				want[entry] = manifest.Position{File: file, Line: lines, Column: 11}
			}
			files[fmt.Sprintf("l%d/kustomization.yaml", level)] = text
		}
		containers, problems := load(t, files, kubernetes.Options{}, fmt.Sprintf("l%d", levels))
		if len(problems) > 0 || len(containers) != count {
			t.Fatalf("seed %d: %v, %d containers of %d: %v", seed, problems, len(containers), count, files)
		}
		found := map[string]manifest.Position{}
		for _, c := range containers {
			for name, v := range testtree.Env(&c) {
				at := v.Position()
				found[name] = manifest.Position{File: at.File, Line: at.Line, Column: at.Column}
			}
		}
		for name, at := range want {
			if found[name] != at {
				t.Errorf("seed %d: %s is at %s, want %s: %v", seed, name, found[name], at, files)
			}
		}
	}
}
