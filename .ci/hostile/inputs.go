package main

import (
	"fmt"
	"strings"
)

// inputs are all hostile inputs, a few for each way to spend time or memory, by
// the dialect that reads them.
var inputs = []input{
	// Kustomize.
	{name: "kustomize-bomb-resource", exit: 2, build: func(d dir) {
		d.write("kustomization.yaml", "resources: [r.yaml, t.yaml]\n")
		d.write("r.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n"+bomb(""))
		d.write("t.yaml", targetPod("t"))
	}},
	{name: "kustomize-bomb-patch", exit: 2, build: func(d dir) {
		d.write("kustomization.yaml", "resources: [t.yaml]\npatches:\n- patch: |-\n    apiVersion: v1\n    kind: Pod\n"+
			"    metadata: {name: t}\n"+bomb("    "))
		d.write("t.yaml", targetPod("t"))
	}},
	{name: "kustomize-bomb-patch-file", exit: 2, build: func(d dir) {
		d.write("kustomization.yaml", "resources: [t.yaml]\npatches: [{path: p.yaml}]\n")
		d.write("p.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: t}\n"+bomb(""))
		d.write("t.yaml", targetPod("t"))
	}},
	{name: "kustomize-doubling", build: func(d dir) {
		const levels = 24
		for i := range levels {
			for _, side := range []string{"o", "p"} {
				d.write(fmt.Sprintf("%s%d/kustomization.yaml", side, i), fmt.Sprintf(
					"namePrefix: %s-\nresources: [../o%d, ../p%d]\n", side, i+1, i+1))
			}
		}
		d.write(fmt.Sprintf("o%d/kustomization.yaml", levels), "resources: [t.yaml]\n")
		d.write(fmt.Sprintf("o%d/t.yaml", levels), targetPod("t"))
		d.write(fmt.Sprintf("p%d/kustomization.yaml", levels), "resources: [t.yaml]\n")
		d.write(fmt.Sprintf("p%d/t.yaml", levels), targetPod("u"))
	}},
	{name: "kustomize-cycle", exit: 2, says: target, build: func(d dir) {
		d.write("a/kustomization.yaml", "resources: [../b, t.yaml]\n")
		d.write("b/kustomization.yaml", "resources: [../a]\n")
		d.write("a/t.yaml", targetPod("t"))
	}},
	{name: "kustomize-cycle-self", exit: 2, says: target, build: func(d dir) {
		d.write("kustomization.yaml", "resources: [., t.yaml]\n")
		d.write("t.yaml", targetPod("t"))
	}},
	{name: "kustomize-chain", build: func(d dir) {
		for i := range 400 {
			d.write(fmt.Sprintf("k%d/kustomization.yaml", i), fmt.Sprintf("namePrefix: p\nresources: [../k%d]\n", i+1))
		}
		d.write("k400/kustomization.yaml", "resources: [t.yaml]\n")
		d.write("k400/t.yaml", targetPod("t"))
	}},
	{name: "kustomize-patches", build: func(d dir) {
		d.write("kustomization.yaml", "resources: [r.yaml]\npatches:\n"+each(300, func(i int) string {
			return fmt.Sprintf("- target: {kind: Pod, name: \"p%d.*\"}\n  patch: |-\n    - op: add\n"+
				"      path: /spec/containers/0/env/-\n      value: {name: A%d, value: x}\n", i, i)
		}))
		d.write("r.yaml", each(300, func(i int) string { return targetPod(fmt.Sprintf("p%d", i)) + "---\n" }))
	}},
	{name: "kustomize-configmap", build: func(d dir) {
		d.write("kustomization.yaml", "namePrefix: p-\nresources: [c.yaml, t.yaml]\n")
		d.write("c.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata:\n"+each(60_000, func(i int) string {
			return fmt.Sprintf("  K%d: x\n", i)
		}))
		d.write("t.yaml", targetPod("t"))
	}},
	{name: "kustomize-env", build: func(d dir) {
		d.write("kustomization.yaml", "namePrefix: p-\nresources: [t.yaml]\n")
		d.write("t.yaml", targetPod("t")+each(20_000, func(i int) string {
			return fmt.Sprintf("        - {name: K%d, value: x}\n", i)
		}))
	}},
	{name: "kustomize-replacements", build: func(d dir) {
		d.write("kustomization.yaml", "resources: [r.yaml]\nreplacements:\n"+each(200, func(i int) string {
			return fmt.Sprintf("- source: {kind: Pod, name: p%d}\n  targets:\n  - select: {kind: Pod}\n"+
				"    fieldPaths: [\"spec.containers.*.env.*.value\"]\n", i)
		}))
		d.write("r.yaml", each(200, func(i int) string { return targetPod(fmt.Sprintf("p%d", i)) + "---\n" }))
	}},
	{name: "kustomize-many", build: func(d dir) {
		for i := range 5100 {
			d.write(fmt.Sprintf("a%04d/kustomization.yaml", i), "namePrefix: x\n")
		}
		d.write("z/kustomization.yaml", "resources: [p.yaml]\npatches:\n- target: {kind: Pod}\n  patch: |-\n    - op: add\n"+
			"      path: /spec/containers/0/env/-\n      value: {name: "+target+", value: x}\n")
		d.write("z/p.yaml", pod("p", "        - {name: A, value: x}\n"))
	}},
	{name: "kustomize-generator", build: func(d dir) {
		d.write("kustomization.yaml", "resources: [t.yaml]\nconfigMapGenerator:\n"+each(2000, func(i int) string {
			return fmt.Sprintf("- {name: c%d, files: [big]}\n", i)
		}))
		d.write("big", strings.Repeat("x", 1<<20))
		d.write("t.yaml", targetPod("t"))
	}},

	// Helm.
	helm("until", 2, `{{ range until 1000000000 }}x{{ end }}`),
	helm("until-step", 2, `{{ range untilStep 0 2000000000 2 }}x{{ end }}`),
	helm("seq", 2, `{{ seq 1000000000 | len }}`),
	helm("range-number", 2, `{{ range 10000000000 }}{{ end }}`),
	helm("range-nested", 2, strings.Repeat(`{{ range until 1000 }}`, 4)+strings.Repeat(`{{ end }}`, 4)),
	helm("repeat", 2, `{{ repeat 1000000000 "x" }}`),
	helm("repeat-nested", 2, `{{ repeat 100000 "x" | repeat 100000 | repeat 100000 }}`),
	helm("print-doubling", 2, `{{ $x := "xx" }}{{ range until 50 }}{{ $x = print $x $x }}{{ end }}{{ $x }}`),
	helm("replace-doubling", 2, `{{ $x := "xx" }}{{ range until 50 }}{{ $x = replace "x" "xx" $x }}{{ end }}{{ $x }}`),
	helm("indent", 2, `{{ indent 2000000000 "x" }}`),
	helm("printf-width", 0, `{{ range until 1000 }}{{ printf "%999999d" 1 }}{{ end }}`),
	helm("list-doubling", 2, `{{ $x := list 1 2 }}{{ range until 50 }}{{ $x = concat $x $x }}{{ end }}{{ len $x }}`),
	helm("include-self", 2, `{{ define "a" }}{{ include "a" . }}{{ end }}{{ include "a" . }}`),
	helm("template-self", 2, `{{ define "a" }}{{ template "a" . }}{{ end }}{{ template "a" . }}`),
	helm("include-doubling", 2, each(30, func(i int) string {
		return fmt.Sprintf(`{{ define "a%d" }}{{ include "a%d" . }}{{ include "a%d" . }}{{ end }}`, i, i+1, i+1)
	})+`{{ define "a30" }}x{{ end }}{{ include "a0" . }}`),
	{name: "helm-tpl-self", exit: 2, build: func(d dir) {
		d.chart(`{{ tpl .Values.x . }}`, "x: '{{ tpl .Values.x . }}'\n")
	}},
	{name: "helm-tpl-doubling", exit: 2, build: func(d dir) {
		d.chart(`{{ tpl .Values.x (dict "n" 40 "Values" .Values "Template" .Template) }}`,
			"x: '{{ if gt (int .n) 0 }}{{ $d := dict \"n\" (sub .n 1) \"Values\" .Values \"Template\" .Template }}"+
				"{{ tpl .Values.x $d }}{{ tpl .Values.x $d }}{{ end }}'\n")
	}},
	helm("cycle-print", 0, cyclicDict+`{{ printf "%v" $d }}`),
	helm("cycle-yaml", 0, cyclicDict+`{{ toYaml $d }}`),
	helm("cycle-json", 0, cyclicDict+`{{ toJson $d }}`),
	helm("cycle-toml", 0, cyclicDict+`{{ toToml $d }}`),
	helm("cycle-copy", 0, cyclicDict+`{{ $c := deepCopy $d }}{{ len $c }}`),
	helm("cycle-equal", 0, cyclicDict+`{{ $e := dict "a" "x" }}{{ $_ := set $e "a" $e }}{{ deepEqual $d $e }}`),
	helm("cycle-merge", 0, cyclicDict+`{{ $e := dict "a" "x" }}{{ $_ := set $e "a" $e }}{{ $m := merge $d $e }}{{ len $m }}`),
	helm("cycle-values", 0, `{{ $_ := set .Values "a" .Values }}{{ printf "%v" .Values }}`),
	helm("dict-doubling", 2, `{{ $d := dict "a" "x" }}{{ range until 40 }}{{ $d = dict "a" $d "b" $d }}{{ end }}{{ toYaml $d }}`),
	helm("certificates", 1, `{{ range until 200 }}{{ $c := genCA "a" 1 }}{{ end }}`),
	helm("keys", 1, `{{ range until 200 }}{{ $c := genPrivateKey "rsa" }}{{ end }}`),
	helm("bcrypt", 1, `{{ range until 1000 }}{{ $c := htpasswd "a" "b" }}{{ $d := bcrypt "b" }}{{ end }}`),
	helm("scrypt", 1, `{{ range until 1000 }}{{ $c := derivePassword 1 "long" "a" "b" "c" }}{{ end }}`),
	helm("random", 0, `{{ $c := randAlphaNum 1000000000 }}{{ len $c }}`),
	helm("random-bytes", 0, `{{ $c := randBytes 1000000000 }}{{ len $c }}`),
	helm("actions", 2, strings.Repeat(`{{ range until 1000 }}{{ range until 1000 }}{{ upper "x" }}{{ end }}{{ end }}`, 100)),
	helm("nesting", 0, strings.Repeat(`{{ if true }}`, 100_000)+strings.Repeat(`{{ end }}`, 100_000)),
	helm("parentheses", 0, `{{ `+strings.Repeat(`(`, 1_000_000)+`1`+strings.Repeat(`)`, 1_000_000)+` }}`),
	{name: "helm-output", exit: 0, build: func(d dir) {
		d.chart(`{{ range until 20000 }}---
apiVersion: v1
kind: Pod
metadata: {name: p{{ . }}}
spec: {containers: [{name: app, image: x, env: [{name: `+target+`, value: x}]}]}
{{ end }}`, "")
	}},
	{name: "helm-values-bomb", exit: 2, build: func(d dir) { d.chart(`{{ toYaml .Values }}`, bomb("")) }},
	{name: "helm-archives", build: func(d dir) {
		d.chart("", "")
		for i := range 60 {
			name := fmt.Sprintf("s%d", i)
			d.write("charts/"+name+"-1.0.0.tgz", subchart(name, "files/zeros", strings.Repeat("\x00", 18<<20)))
		}
	}},
	{name: "helm-archives-nested", build: func(d dir) {
		d.chart("", "")
		inner := subchart("s0", "files/zeros", strings.Repeat("\x00", 18<<20))
		for i := 1; i < 12; i++ {
			inner = subchart(fmt.Sprintf("s%d", i), "files/zeros", strings.Repeat("\x00", 18<<20),
				fmt.Sprintf("charts/s%d-1.0.0.tgz", i-1), inner)
		}
		d.write("charts/s11-1.0.0.tgz", inner)
	}},
	{name: "helm-archive-files", build: func(d dir) {
		d.chart("", "")
		files := make([]string, 0, 400_000)
		for i := range 200_000 {
			files = append(files, fmt.Sprintf("templates/t%d.yaml", i), "")
		}
		d.write("charts/s-1.0.0.tgz", subchart("s", files...))
	}},
	{name: "helm-aliases", build: func(d dir) {
		d.chart("", "")
		d.write("Chart.yaml", "apiVersion: v2\nname: c\nversion: 1.0.0\ndependencies:\n"+each(1000, func(i int) string {
			return fmt.Sprintf("- {name: s, version: 1.0.0, repository: 'file://../s', alias: a%d}\n", i)
		}))
		d.write("charts/s/Chart.yaml", "apiVersion: v2\nname: s\nversion: 1.0.0\n")
		d.write("charts/s/templates/t.yaml", each(100, func(i int) string { return targetPod(fmt.Sprintf("p%d", i)) + "---\n" }))
	}},
	{name: "helm-ci-values", exit: 2, build: func(d dir) {
		d.chart(`{{ range until 9000 }}{{ range until 9000 }}{{ end }}{{ end }}`, "")
		for i := range 50 {
			d.write(fmt.Sprintf("ci/%d-values.yaml", i), fmt.Sprintf("a: %d\n", i))
		}
	}},
	{name: "helm-thousand-charts", exit: 2, build: func(d dir) {
		for i := range 1000 {
			d.sub(fmt.Sprintf("c%d", i)).chart(`{{ range until 9000 }}{{ range until 9000 }}{{ end }}{{ end }}`, "")
		}
	}},
	{name: "helm-thousand-strings", exit: 2, build: func(d dir) {
		for i := range 1000 {
			d.sub(fmt.Sprintf("c%d", i)).chart(`{{ range until 9000 }}{{ repeat 9000 "x" }}{{ end }}`, "")
		}
	}},

	// Compose.
	{name: "compose-env-hops", build: func(d dir) {
		d.write(".env", "A0=${"+target+"}\n"+each(20_000, func(i int) string { return fmt.Sprintf("A%d=${A%d}\n", i+1, i) }))
		d.write("compose.yaml", "services: {app: {image: x, environment: {X: '${A20000}'}}}\n")
	}},
	{name: "compose-env-doubling", build: func(d dir) {
		d.write(".env", "A0=${"+target+"}\n"+each(60, func(i int) string { return fmt.Sprintf("A%d=${A%d}${A%d}\n", i+1, i, i) }))
		d.write("compose.yaml", "services: {app: {image: x, environment: {X: '${A60}'}}}\n")
	}},
	{name: "compose-env-doubling-text", build: func(d dir) {
		d.write(".env", "A0=xxxxxxxx\n"+each(60, func(i int) string { return fmt.Sprintf("A%d=${A%d}${A%d}\n", i+1, i, i) }))
		d.write("compose.yaml", compose("      X: ${A60}\n"))
	}},
	{name: "compose-include-chain", build: func(d dir) {
		d.write("compose.yaml", "include: [c1.yaml]\nservices: {s0: {image: x}}\n")
		for i := 1; i < 800; i++ {
			d.write(fmt.Sprintf("c%d.yaml", i), fmt.Sprintf("include: [c%d.yaml]\nservices: {s%d: {image: x}}\n", i+1, i))
		}
		d.write("c800.yaml", compose(""))
	}},
	{name: "compose-include-doubling", build: func(d dir) {
		d.write("compose.yaml", "include: [o1.yaml, p1.yaml]\n")
		for i := 1; i < 30; i++ {
			for _, side := range []string{"o", "p"} {
				d.write(fmt.Sprintf("%s%d.yaml", side, i), fmt.Sprintf("include: [o%d.yaml, p%d.yaml]\nservices: {}\n", i+1, i+1))
			}
		}
		d.write("o30.yaml", compose(""))
		d.write("p30.yaml", compose(""))
	}},
	{name: "compose-extends-chain", build: func(d dir) {
		d.write("compose.yaml", "services:\n  app: {extends: s0}\n"+each(800, func(i int) string {
			return fmt.Sprintf("  s%d: {extends: s%d}\n", i, i+1)
		})+"  s800: {image: x, environment: {"+target+": x}}\n")
	}},
	{name: "compose-extends-files", build: func(d dir) {
		d.write("compose.yaml", "services:\n  app: {extends: {file: c0.yml, service: app}}\n")
		for i := range 800 {
			d.write(fmt.Sprintf("c%d.yml", i), fmt.Sprintf("services:\n  app: {extends: {file: c%d.yml, service: app}}\n", i+1))
		}
		d.write("c800.yml", compose(""))
	}},
	{name: "compose-anchors", build: func(d dir) {
		d.write("compose.yaml", "x-e: &e\n"+each(90, func(i int) string { return fmt.Sprintf("  POSTGRES_ROOT_%d: x\n", i) })+
			"services:\n  app: {image: x, environment: {"+target+": x}}\n"+each(1000, func(i int) string {
			return fmt.Sprintf("  s%d: {image: x, environment: *e}\n", i)
		}))
	}},
	{name: "compose-bomb", exit: 2, build: func(d dir) { d.write("compose.yaml", compose("")+"x-b:\n"+bomb("  ")) }},
	{name: "compose-merge-doubling", build: func(d dir) {
		d.write("compose.yaml", "x-a0: &a0 {K: x}\n"+each(40, func(i int) string {
			return fmt.Sprintf("x-a%d: &a%d {<<: [*a%d, *a%d], K%d: x}\n", i+1, i+1, i, i, i)
		})+compose("      <<: *a40\n"))
	}},
	{name: "compose-ports", build: func(d dir) {
		d.write("compose.yaml", compose("")+each(300, func(i int) string {
			return fmt.Sprintf("  s%d: {image: x, ports: ['1-65535:1-65535']}\n", i)
		}))
	}},
	{name: "compose-ignore-comments", build: func(d dir) {
		d.write("compose.yaml", compose("")+strings.Repeat("    # dsnlint:ignore RUNTIME_DSN_ONLY x\n", 200_000))
	}},
	{name: "compose-ignore-list", build: func(d dir) {
		d.write("compose.yaml", compose("")+"    # dsnlint:ignore "+strings.Repeat("A,", 2_000_000)+" x\n")
	}},
	{name: "compose-defaults-nested", build: func(d dir) {
		d.write("compose.yaml", compose("      X: "+strings.Repeat("${A:-", 500_000)+strings.Repeat("}", 500_000)+"\n"))
	}},
	{name: "compose-references", build: func(d dir) {
		d.write("compose.yaml", compose("      X: "+strings.Repeat("${"+target+"}", 200_000)+"\n"))
	}},
	{name: "compose-line", build: func(d dir) {
		d.write("compose.yaml", compose("      X: "+strings.Repeat("x", 9_000_000)+"\n      "+target+"_2: "+strings.Repeat("y", 900_000)+"\n"))
	}},
	{name: "compose-flow-line", build: func(d dir) {
		d.write("compose.yaml", "services: {app: {image: x, environment: {"+target+": x, "+
			each(100_000, func(i int) string { return fmt.Sprintf("POSTGRES_ROOT_%d: x, ", i) })+"}}}\n")
	}},
	{name: "compose-env-file", build: func(d dir) {
		d.write("compose.yaml", "services:\n"+each(100, func(i int) string {
			return fmt.Sprintf("  s%d: {image: x, env_file: big.env}\n", i)
		})+"  app: {image: x, environment: {"+target+": x}}\n")
		d.write("big.env", each(100_000, func(i int) string { return fmt.Sprintf("POSTGRES_ROOT_%d=x\n", i) }))
	}},
	{name: "compose-depends-on", build: func(d dir) {
		d.write("compose.yaml", compose("")+each(1500, func(i int) string {
			return fmt.Sprintf("  s%d: {image: x, depends_on: [%s]}\n", i, each(min(i, 40), func(j int) string {
				return fmt.Sprintf("s%d,", i-j-1)
			}))
		}))
	}},
	{name: "compose-shell-nesting", build: func(d dir) {
		d.write("compose.yaml", compose("")+"  db-provision:\n    image: x\n    command: [sh, -c, '"+
			strings.Repeat("(", 4_000_000)+strings.Repeat(")", 1000)+"']\n")
	}},
	{name: "compose-command-scripts", build: func(d dir) {
		d.write("compose.yaml", compose("")+"  db-provision:\n    image: x\n    command: "+strings.Repeat("sh -c x ", 100_000)+"\n")
	}},
	{name: "compose-command-env", build: func(d dir) {
		d.write("compose.yaml", compose("")+"  db-provision:\n    image: x\n    command: "+strings.Repeat("env ", 32_000)+"\n")
	}},
	{name: "compose-script-nesting", build: func(d dir) {
		d.write("compose.yaml", compose("")+"  db-provision:\n    image: x\n    command: [sh, /p.sh]\n    volumes: ['./p.sh:/p.sh']\n")
		d.write("p.sh", strings.Repeat("echo $(", 1_000_000))
	}},

	// Kubernetes.
	kubernetesChain(1000),
	kubernetesChain(4000),
	{name: "k8s-doubling", build: func(d dir) {
		d.write("p.yaml", pod("p", "        - {name: A0, value: x}\n"+each(60, func(i int) string {
			return fmt.Sprintf("        - {name: A%d, value: $(A%d)$(A%d)}\n", i+1, i, i)
		})+"        - {name: "+target+", value: $(A60)}\n"))
	}},
	{name: "k8s-fan-out", build: func(d dir) {
		d.write("p.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata:\n  "+target+": x\n"+each(1000, func(i int) string {
			return fmt.Sprintf("  POSTGRES_ROOT_%d: x\n", i)
		})+each(1000, func(i int) string {
			return fmt.Sprintf("---\napiVersion: v1\nkind: Pod\nmetadata: {name: p%d}\nspec:\n"+
				"  containers: [{name: a, image: x, envFrom: [{configMapRef: {name: c}}]}]\n", i)
		}))
	}},
	{name: "k8s-bomb", exit: 2, build: func(d dir) {
		d.write("c.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n"+bomb(""))
	}},
	{name: "k8s-command-words", build: func(d dir) {
		d.write("p.yaml", targetPod("p")+"    - {name: db-provision, image: x, args: ["+strings.Repeat("sh, -o, ", 30_000)+"]}\n")
	}},
	{name: "k8s-anchors", build: func(d dir) {
		d.write("p.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n"+
			"  - {name: app, image: x, env: &e [{name: "+target+", value: x}, "+each(900, func(i int) string {
			return fmt.Sprintf("{name: POSTGRES_ROOT_%d, value: x}, ", i)
		})+"]}\n"+each(500, func(i int) string { return fmt.Sprintf("  - {name: c%d, image: x, env: *e}\n", i) }))
	}},
	{name: "k8s-documents", build: func(d dir) {
		d.write("p.yaml", targetPod("p")+strings.Repeat("---\n{}\n", 200_000))
	}},
	{name: "k8s-lists-nested", build: func(d dir) {
		d.write("p.yaml", targetPod("p")+"---\n"+strings.Repeat("{apiVersion: v1, kind: List, items: [", 3000)+strings.Repeat("]}", 3000)+"\n")
	}},
	{name: "k8s-json", build: func(d dir) {
		d.write("p.json", `{"apiVersion":"v1","kind":"List","items":[`+each(60_000, func(i int) string {
			return fmt.Sprintf(`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c%d"},"data":{"K":"%s"}},`, i, strings.Repeat("x", 60))
		})+`{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"containers":[{"name":"app","image":"x","env":[{"name":"`+target+`","value":"x"}]}]}}]}`)
	}},
	{name: "k8s-unknown-fields", build: func(d dir) {
		d.write("p.yaml", targetPod("p")+each(50_000, func(i int) string { return fmt.Sprintf("      unknown%d: x\n", i) }))
	}},
	{name: "k8s-duplicate-keys", exit: 2, build: func(d dir) {
		d.write("p.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata:\n"+strings.Repeat("  k: x\n", 100_000))
	}},

	// What every dialect reads.
	{name: "yaml-nesting-flow", exit: 2, build: func(d dir) {
		d.write("a.yaml", "apiVersion: v1\nkind: Pod\nspec: "+strings.Repeat("[", 1_000_000)+"\n")
	}},
	{name: "yaml-nesting-block", build: func(d dir) {
		d.write("compose.yaml", compose("x-a:\n"+each(3000, func(i int) string { return strings.Repeat(" ", i+1) + "a:\n" })))
	}},
	{name: "yaml-indicators", exit: 2, build: func(d dir) {
		d.write("a.yaml", "apiVersion: v1\nkind: Pod\n"+strings.Repeat("? ", 500_000)+"\n")
	}},
	{name: "yaml-comments", build: func(d dir) {
		d.write("compose.yaml", compose("")+strings.Repeat("#\n\n", 1_000_000))
	}},
	{name: "file-55-mb", exit: 2, build: func(d dir) { d.write("compose.yaml", compose(strings.Repeat("# x\n", 55<<18))) }},
	{name: "file-pipe", exit: 2, build: func(d dir) {
		d.pipe("a/compose.yaml")
		d.write("b/compose.yaml", "services: {app: {image: x, env_file: e.env}}\n")
		d.pipe("b/e.env")
		d.write("c/kustomization.yaml", "resources: [r.yaml]\n")
		d.pipe("c/r.yaml")
		d.sub("d").chart("", "")
		d.pipe("d/templates/p.yaml")
	}},
	{name: "file-links", exit: 2, build: func(d dir) {
		d.link("nowhere", "a/compose.yaml")
		d.link("compose.yaml", "b/compose.yaml")
		d.link("/dev/zero", "c/compose.yaml")
		d.link("/dev/stdin", "d/pod.yaml")
		d.link("..", "e/up")
		d.sub("f").chart("", "")
		d.link("nowhere", "f/templates/p.yaml")
		d.link("nowhere", "f/charts/s")
		d.link("..", "f/templates/up")
	}},
	{name: "files-200000", linear: true, build: func(d dir) {
		for i := range 200_000 {
			d.write(fmt.Sprintf("d%d/f%d.yaml", i/500, i), "a: b\n")
		}
		d.write("z/pod.yaml", targetPod("p"))
	}},
	{name: "files-20000-pods", linear: true, build: func(d dir) {
		for i := range 20_000 {
			d.write(fmt.Sprintf("d%d/f%d.yaml", i/500, i), targetPod(fmt.Sprintf("p%d", i)))
		}
	}},
	{name: "directories-deep", build: func(d dir) {
		d.write(strings.Repeat("d/", 1000)+"a.yaml", "a: b\n")
		d.write("z/pod.yaml", targetPod("p"))
	}},
	{name: "gitignore", build: func(d dir) {
		d.write(".gitignore", each(20_000, func(i int) string { return fmt.Sprintf("**/a%d*/**/b*c*d*\n", i) }))
		for i := range 2000 {
			d.write(fmt.Sprintf("a%d/bcbcbcbc.yaml", i), "a: b\n")
		}
		d.write("z/pod.yaml", targetPod("p"))
	}},
	{name: "contract-exclude", build: func(d dir) {
		d.write("../.dsnlint.yaml", "version: 1\nexclude: ['"+strings.Repeat("**/*a*", 30)+"b']\n")
		d.write("compose.yaml", compose(""))
		d.write(strings.Repeat(strings.Repeat("a", 100)+"/", 20)+"pod.yaml", targetPod("p"))
	}},
	{name: "contract-bomb", exit: 2, blind: true, build: func(d dir) {
		d.write("../.dsnlint.yaml", "version: 1\n"+bomb(""))
		d.write("compose.yaml", compose(""))
	}},
}

// cyclicDict is a dict that holds itself.
const cyclicDict = `{{ $d := dict "a" "x" }}{{ $_ := set $d "a" $d }}`

// helm is a chart with one hostile template.
func helm(name string, exit int, template string) input {
	return input{name: "helm-" + name, exit: exit, build: func(d dir) { d.chart(template, "") }}
}

// kubernetesChain is a container of n variables, each made of the one before.
func kubernetesChain(n int) input {
	return input{name: fmt.Sprintf("k8s-chain-%d", n), build: func(d dir) {
		d.write("p.yaml", pod("p", "        - {name: A0, value: $("+target+")}\n"+each(n, func(i int) string {
			return fmt.Sprintf("        - {name: A%d, value: $(A%d)}\n", i+1, i)
		})+"        - {name: "+target+", value: x}\n"))
	}}
}
