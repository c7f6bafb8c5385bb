package kubernetes

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// others describes what reaches a container by a channel: name, what it is built
// from, whether its value is the wanted one, and the lines it comes by.
func others(c manifest.Container, channel manifest.Channel) []string {
	var list []string
	for _, d := range c.Deliveries[len(c.EnvMap()):] {
		if d.Channel == channel {
			list = append(list, fmt.Sprintf("%s [%s] %s", d.Name, refs(d.Expr), trail(d.Provenance)))
		}
	}
	for _, o := range c.Opaque {
		if o.Channel == channel {
			list = append(list, fmt.Sprintf("opaque %s %s %s", o.Kind, o.Name, trail(o.Provenance)))
		}
	}
	return list
}

func TestFiles(t *testing.T) {
	const objects = `
---
apiVersion: v1
kind: Secret
metadata: {name: s}
stringData: {K: hunter2, L: hunter2}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: c}
data: {M: m}
binaryData: {N: bg==}
`
	for name, c := range map[string]struct {
		mounts, volumes string
		want            []string
	}{
		"not mounted": {"[]", "[{name: v, secret: {secretName: s}}]", nil},
		"a Secret": {"[{name: v, mountPath: /run/x/}]", "[{name: v, secret: {secretName: s}}]", []string{
			"/run/x/K [secret key:K] 5:22 2:13 15:14", "/run/x/L [secret key:L] 5:22 2:13 15:26",
		}},
		"a ConfigMap": {"[{name: v, mountPath: /x}]", "[{name: v, configMap: {name: c}}]", []string{
			"/x/M [config key:M] 5:22 2:13 20:8", "/x/N [config key:N] 5:22 2:13 21:14",
		}},
		"items": {"[{name: v, mountPath: /x}]", "[{name: v, secret: {secretName: s, items: [{key: K, path: a/b.txt}]}}]", []string{
			"/x/a/b.txt [secret key:K] 5:22 2:13 2:55 15:14",
		}},
		"subPath of a file": {"[{name: v, mountPath: /etc/f, subPath: L}]", "[{name: v, secret: {secretName: s}}]", []string{
			"/etc/f [secret key:L] 5:22 2:13 15:26",
		}},
		"subPath of a directory": {"[{name: v, mountPath: /x, subPath: a}]",
			"[{name: v, secret: {secretName: s, items: [{key: K, path: a/k}, {key: L, path: ab}]}}]", []string{
				"/x/k [secret key:K] 5:22 2:13 2:55 15:14",
			}},
		"subPathExpr": {"[{name: v, mountPath: /etc/f, subPathExpr: $(E)}]", "[{name: v, secret: {secretName: s}}]", []string{
			"/etc/f [secret key:K] 5:22 2:13 15:14",
		}},
		"projected": {"[{name: v, mountPath: /x}]",
			"[{name: v, projected: {sources: [{secret: {name: s, items: [{key: K, path: k}]}}, {configMap: {name: c}}, {downwardAPI: {}}]}}]", []string{
				"/x/k [secret key:K] 5:22 2:13 2:72 15:14",
				"/x/M [config key:M] 5:22 2:13 20:8",
				"/x/N [config key:N] 5:22 2:13 21:14",
			}},
		"keys that are not known": {"[{name: v, mountPath: /x}]", "[{name: v, secret: {secretName: nowhere}}]", []string{
			"opaque Secret nowhere 5:22 2:13",
		}},
		"one of the keys that are not known": {"[{name: v, mountPath: /x, subPath: K}]", "[{name: v, secret: {secretName: nowhere}}]", []string{
			"/x [secret key:K] 5:22 2:13",
		}},
		"items of keys that are not known": {"[{name: v, mountPath: /x}]",
			"[{name: v, secret: {secretName: nowhere, items: [{key: K, path: k}]}}]", []string{
				"/x/k [secret key:K] 5:22 2:13 2:61",
			}},
		"something else": {"[{name: v, mountPath: /x}, {name: w, mountPath: /w}]", "[{name: v, emptyDir: {}}]", nil},
	} {
		t.Run(name, func(t *testing.T) {
			c2 := one(t, aPod(fmt.Sprintf("spec:\n  volumes: %s\n  containers:\n    - name: c\n      volumeMounts: %s\n      env: [{name: E, value: K}]\n", c.volumes, c.mounts))+objects)
			if diff := cmp.Diff(c.want, others(c2, manifest.ChannelFile)); diff != "" {
				t.Errorf("files differ (-want +got):\n%s", diff)
			}
		})
	}
}

func TestArguments(t *testing.T) {
	c := one(t, aPod(`
spec:
  containers:
    - name: c
      command: [run, "$(A)"]
      args: ["$$(A)", "$(NONE)", "--url=$(B)"]
      env:
        - {name: A, valueFrom: {secretKeyRef: {name: s, key: K}}}
        - {name: B, value: "b-$(A)"}
      livenessProbe: {exec: {command: [check, "$(A)$(B)"]}}
      readinessProbe: {httpGet: {port: 1, httpHeaders: [{name: X, value: "$(A)"}]}}
      lifecycle: {postStart: {exec: {command: ["$(A)"]}}, preStop: {exec: {command: [bye]}}}
`)+`---
apiVersion: v1
kind: Secret
metadata: {name: s}
stringData: {K: k}
`)
	if diff := cmp.Diff([]string{
		"command [] 4:17", "command [env:A, secret key:K] 4:22",
		"args [] 5:14", "args [] 5:23", "args [env:B, env:A, secret key:K] 5:34",
		"livenessProbe [] 9:40", "livenessProbe [env:A, env:B] 9:47",
		"readinessProbe [] 10:57",
		"postStart [] 11:48", "preStop [] 11:86",
	}, others(c, manifest.ChannelArgument)); diff != "" {
		t.Errorf("arguments differ (-want +got):\n%s", diff)
	}
	for i, want := range []string{"run", "k", "$(A)", "$(NONE)", "--url=b-k", "check", "b-$(A)", "$(A)", "$(A)", "bye"} {
		if c.Deliveries[len(c.EnvMap()):][i].Value != wanted(want) {
			t.Errorf("argument %d has another value", i)
		}
	}
}

func TestMetadata(t *testing.T) {
	c := one(t, `apiVersion: apps/v1
kind: Deployment
metadata: {name: d, labels: {of: the-deployment}}
spec:
  template:
    metadata: {labels: {a: "1"}, annotations: {b: "2"}}
    spec: {containers: [{name: c}]}
`)
	if diff := cmp.Diff([]string{"a [] 6:25", "b [] 6:48"}, others(c, manifest.ChannelMetadata)); diff != "" {
		t.Errorf("metadata differs (-want +got):\n%s", diff)
	}
}

// TestOwn has what can be taken out of the container's own definition.
func TestOwn(t *testing.T) {
	const text = `apiVersion: v1
kind: Pod
metadata:
  name: p
  labels: {LABEL: x}
  annotations: {ANNOTATION: x}
spec:
  volumes: [{name: v, secret: {secretName: s}}]
  containers:
    - name: c
      command: [run, "$(LITERAL)"]
      envFrom: [{prefix: P_, secretRef: {name: s}}]
      env:
        - {name: LITERAL, value: x}
        - {name: KEY, valueFrom: {secretKeyRef: {name: s, key: K}}}
        - {name: FIELD, valueFrom: {fieldRef: {fieldPath: "metadata.annotations['ANNOTATION']"}}}
        - {name: IN_PATH, value: x}
      volumeMounts: [{name: v, mountPath: /v, subPathExpr: "$(IN_PATH)/$$(LITERAL)"}]
---
apiVersion: v1
kind: Secret
metadata: {name: s}
stringData: {K: k}
`
	own := func(text string) []string {
		c, list := one(t, text), []string(nil)
		for _, d := range c.Deliveries {
			if d.Own {
				list = append(list, d.Name)
			}
		}
		return list
	}
	if diff := cmp.Diff([]string{"FIELD", "KEY", "LITERAL", "ANNOTATION"}, own(text)); diff != "" {
		t.Errorf("own entries differ (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string(nil), own(text+"# {{ end }}\n")); diff != "" {
		t.Errorf("own entries of a template differ (-want +got):\n%s", diff)
	}
}

func TestScripts(t *testing.T) {
	const text = `apiVersion: v1
kind: Pod
metadata: {name: p}
spec:
  volumes: [{name: v, configMap: {name: m}}]
  initContainers:
    - name: init
      command: ["/bin/sh", "-ec", "echo one"]
    - name: plain
      command: [sh, -c]
      args:
        - echo $(date)
    - name: folded
      command: [bash, -c, "echo \u0061"]
  containers:
    - name: main
      command:
        - /usr/bin/env
        - bash
        - -euo
        - pipefail
        - -c
        - |
          echo ö
          echo three
      volumeMounts: [{name: v, mountPath: /scripts}]
    - name: none
      command: [sh, /scripts/run.sh, -c]
      args: [node, -c, x]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: m}
data:
  run.sh: |
    echo four
  provision: |-
    #!/usr/bin/env bash
    echo five
  notes: hello
`
	containers, problems := load(t, Options{}, "f.yaml", text)
	if len(problems) > 0 {
		t.Fatalf("got problems %v", problems)
	}
	var got []string
	lines := strings.Split(text, "\n")
	for _, c := range containers {
		for _, s := range c.Scripts {
			got = append(got, fmt.Sprintf("%s %s %d:%d %v", c.Name, s.Name, s.Position.Line, s.Position.Column, s.Exact))
			script, _ := s.Text.Reveal()
			for i, line := range strings.Split(strings.TrimRight(script, "\n"), "\n") {
				if s.Exact && !strings.HasPrefix(lines[s.Position.Line-1+i][s.Position.Column-1:], line) {
					t.Errorf("line %d of script %s of %s is elsewhere", i, s.Name, c.Name)
				}
			}
		}
	}
	if diff := cmp.Diff([]string{
		"init command 8:36 true",
		"plain args 12:11 true",
		"folded command 14:27 false",
		"main /scripts/provision 38:5 true",
		"main /scripts/run.sh 36:5 true",
		"main command 24:11 true",
	}, got); diff != "" {
		t.Errorf("scripts differ (-want +got):\n%s", diff)
	}
}
