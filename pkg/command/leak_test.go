//go:build unix

package command

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/docker/go-units"
	"k8s.io/apimachinery/pkg/api/resource"
	"sigs.k8s.io/yaml"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"
)

// shape is a class of secrets. In the pattern a, A and 9 stand for a random lower
// case letter, upper case letter and digit; everything else stands for itself, and
// so does what is between « and ». Two secrets of one shape differ in every random
// character, and in nothing else.
type shape struct {
	name, pattern string
}

var shapes = []shape{
	{"letters and digits", "aA9aAaa9AaA9a"},
	{"lower case", "aaaaaaaaaaaa"},
	{"a name", "AAAA_aaaa_9999"},
	{"digits", "9999999999"},
	{"one character", "a"},
	{"two characters", "A9"},
	{"three characters", "9aA"},
	{"punctuation", "aA9@a:A/9?a#A%9&aAa9A!aA"},
	{"percent-encoded", "aAa9«%40»Aa9a«%3A»aA9a«%2F»9aA"},
	{"invalid percent-encoding", "aA%«9z»a%«zz»Aaa9a%"},
	{"several at signs", "aAa9@Aa9a@9aAaA9@aA9aA"},
	{"base64", "aA9aAa9aAA9aAa9AaAa9aQ=="},
	{"hexadecimal", "9999aaaa9999aaaa9999"},
	{"words", "aaaaa aaaaaa aaaa"},
	{"an alias", "*aA9aAa9a"},
	{"an anchor", "&aA9aAa9a"},
	{"a tag", "!aA9aAa9a"},
	{"an at sign first", "@aA9aAa9a"},
	{"a percent sign first", "%«zz»aA9aAa9a"},
	{"a backtick", "`aA9aAa9a"},
	{"a dash first", "- aA9aAa9a"},
	{"a bracket first", "[aA9aAa9a"},
	{"a brace first", "{aA9aAa9a: 9aAaA9a}"},
	{"a colon", "aA9aAa9: 9aAaA9a"},
	{"a comma", "aA9aAa9,9aAaA9a"},
	{"a comment", "aA9aAa9 #9aAaA9a"},
	{"double quotes", `aA9"aAa9"9aAaA`},
	{"single quotes", `aA9'aAa9'9aAaA`},
	{"backslashes", `aA9\naAa9\zaAaA\`},
	{"a dollar sign", "aA9$aAa9$9aAaA9a"},
	{"a reference", "aA9«${NAME}»aAa9«$(NAME)»9aA"},
	{"an open reference", "aA9${aAa9aA9aA"},
	{"a template", "aA9{{ aAa9aA9 }}9aAaA"},
	{"an open template", "aA9{{aAa9aA9aA9"},
	{"several lines", "aA9aAa9\naA9aAa9aA\n9aAaA9a"},
	{"a workflow command", "aA9aAa9\n«::error::»aA9aAa9a"},
	{"a terminal's escape", "aA9\x1b[2JaAa9aA\u202eaA9a"},
	{"a byte order mark", "\ufeffaA9aAa9aA9"},
	{"no ASCII", "aA9üaÄa9日aAa9ß9aAa"},
	{"a DSN", "«postgresql://reader:»aA9aAa9aA«@dbhost/records»"},
	{"keywords", "«host=dbhost user=reader password=»aA9aAa9aA"},
	{"a path", "../aaaaa9a/aA9aAa9a.aaa"},
	{"a remote", "aaaaaa9:aA9aAa9aA@aaaaaa9.aaaaa9:aaa9aa/aaaa9aa.git"},
	{"contained in other values", "«postgres»9"},
	{"long", strings.Repeat("aA9aAa9aA9", 300)},
}

// The characters that are drawn. Some letters are left out that make a boolean, a
// number or an escape of another text.
var drawn = map[rune][]rune{
	'a': []rune("bcdfghjklmpqrsvwxz"),
	'A': []rune("BCDFGHJKLMPQRSVWXZ"),
	'9': []rune("123456789"),
}

// runes yields the characters of the pattern, and whether each stands for itself.
func (s shape) runes(yield func(c rune, fixed bool) bool) {
	quoted := false
	for _, c := range s.pattern {
		switch {
		case c == '«' || c == '»':
			quoted = c == '«'
			continue
		case !yield(c, quoted || drawn[c] == nil):
			return
		}
	}
}

// random draws a secret of the shape. A twin differs from other in every random
// character.
func (s shape) random(r *rand.Rand, other string) string {
	given := []rune(other)
	var b strings.Builder
	i := -1
	for c, fixed := range s.runes {
		i++
		if fixed {
			b.WriteRune(c)
			continue
		}
		set := drawn[c]
		at := r.IntN(len(set))
		if other != "" && set[at] == given[i] {
			at = (at + 1 + r.IntN(len(set)-1)) % len(set)
		}
		b.WriteRune(set[at])
	}
	return b.String()
}

// spots are the windows of six characters that are random enough to be told from
// a coincidence, and the encodings of the whole secret.
func (s shape) spots(secret string) []string {
	var random []bool
	for _, fixed := range s.runes {
		random = append(random, !fixed)
	}
	runes := []rune(secret)
	var spots []string
	for i := 0; i+6 <= len(runes); i++ {
		if !slices.Contains(random[i:i+6], false) {
			spots = append(spots, string(runes[i:i+6]))
		}
	}
	if len(runes) < 6 {
		return spots
	}
	quoted, _ := json.Marshal(secret)
	for pad := range 3 {
		encoded := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("-", pad) + secret))
		spots = append(spots, encoded[4:len(encoded)-2])
	}
	return append(spots, strings.Trim(string(quoted), `"`), url.QueryEscape(secret), url.PathEscape(secret), hex.EncodeToString([]byte(secret)))
}

// A place is where a manifest can hold a secret: the files of a small repository,
// in which SECRET stands for it as it is, QUOTED in double quotes of YAML and
// BASE64 in base64.
type place struct {
	name  string
	files map[string]string
	// isName says that what stands there is a name, so that a secret that has the
	// form of one cannot be told from it.
	isName bool
	// isProse says that what stands there is the reason for a decision, whose plain
	// words are shown.
	isProse bool
	// isValid says of a place with a syntax of its own, such as a port number, whether
	// a text is valid in it: that one is and another is not makes a difference.
	isValid func(text string) bool
	args    []string
}

// nameForm is the form of a name as a report shows it.
var nameForm = regexp.MustCompile(`^[A-Za-z0-9_./~-]+$`)

var proseForm = regexp.MustCompile(`^[\p{L} ]+$`)

const leakWord = "SECRET"

// fill returns the files with the secret in its place.
func (p place) fill(secret string, quoted bool) map[string]string {
	text, _ := json.Marshal(secret)
	raw := secret
	if quoted {
		raw = string(text)
	}
	replace := strings.NewReplacer(leakWord, raw, "PLAIN", secret, "QUOTED", string(text), "BASE64", base64.StdEncoding.EncodeToString([]byte(secret)))
	files := map[string]string{}
	for name, content := range p.files {
		files[name] = replace.Replace(content)
	}
	return files
}

func composePlace(name, service string) place {
	return place{name: "compose " + name, files: map[string]string{"compose.yaml": "services:\n  app:\n    image: example/app\n" + indent(service, 4) +
		"  proxy:\n    image: example/proxy\n    environment:\n      POSTGRES_ROOT_PASSWORD: ${POSTGRES_ROOT_PASSWORD}\n"}}
}

func indent(text string, n int) string {
	lines := strings.SplitAfter(strings.TrimSuffix(text, "\n")+"\n", "\n")
	for i, line := range lines {
		if line != "" {
			lines[i] = strings.Repeat(" ", n) + line
		}
	}
	return strings.Join(lines, "")
}

func podPlace(name, container string) place {
	return place{name: "kubernetes " + name, files: map[string]string{"pod.yaml": podHead + indent(container, 6) + "\n"}}
}

const podHead = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: app\nspec:\n  containers:\n    - name: app\n      image: example/app\n"

const leakDeployment = podHead + "      env:\n        - name: POSTGRES_ROOT_PASSWORD\n          value: SECRET\n"

const leakPod = podHead + "      env:\n        - name: POSTGRES_ROOT_PASSWORD\n          valueFrom: {secretKeyRef: {name: s, key: p}}\n"

func kustomizePlace(name, kustomization string, more ...string) place {
	p := place{name: "kustomize " + name, files: map[string]string{"kustomization.yaml": kustomization, "pod.yaml": leakPod}}
	for i := 0; i < len(more); i += 2 {
		p.files[more[i]] = more[i+1]
	}
	return p
}

func helmPlace(name, values, env string, more ...string) place {
	p := place{name: "helm " + name, files: map[string]string{
		"Chart.yaml": "apiVersion: v2\nname: shop\nversion: 1.0.0\n", "values.yaml": values,
		"templates/pod.yaml": podHead + indent(env, 6) + "\n", "templates/other.yaml": leakPod,
	}}
	for i := 0; i < len(more); i += 2 {
		p.files[more[i]] = more[i+1]
	}
	return p
}

func contractPlace(name, contract string) place {
	return place{name: "contract " + name, files: map[string]string{
		".dsnlint.yaml": contract,
		"compose.yaml":  "services:\n  app:\n    image: a\n    environment:\n      POSTGRES_ROOT_PASSWORD: x\n",
	}}
}

func named(p place) place {
	p.isName = true
	return p
}

func prose(p place) place {
	p.isProse = true
	return p
}

func valid(isValid func(string) bool, p place) place {
	p.isValid = isValid
	return p
}

func with(p place, more ...string) place {
	for i := 0; i < len(more); i += 2 {
		p.files[more[i]] = more[i+1]
	}
	return p
}

var places = []place{
	composePlace("environment value", "environment:\n  POSTGRES_ROOT_PASSWORD: SECRET"),
	composePlace("environment list", "environment:\n  - POSTGRES_ROOT_PASSWORD=PLAIN"),
	composePlace("environment list, quoted", "environment:\n  - \"APP_DB_PASSWORD=PLAIN\""),
	composePlace("environment list with a colon", "environment:\n  - POSTGRES_ROOT_PASSWORD:PLAIN"),
	composePlace("environment list with a blank", "environment:\n  - POSTGRES_ROOT_PASSWORD PLAIN"),
	named(composePlace("environment list item", "environment:\n  - SECRET\n  - APP_DB_USER=x")),
	named(composePlace("environment key", "environment:\n  SECRET: ${POSTGRES_ROOT_PASSWORD}")),
	composePlace("environment key behind a name", "environment:\n  \"POSTGRES_ROOT_PASSWORD=PLAIN\": x"),
	composePlace("environment of a wrong type", "environment: SECRET"),
	composePlace("environment value, nested", "environment:\n  APP_DB_PASSWORD: [SECRET]"),
	composePlace("DSN password", "environment:\n  DATABASE_URL: postgresql://app:PLAIN@db:5432/app"),
	composePlace("DSN password, quoted", "environment:\n  DATABASE_URL: \"postgresql://app:PLAIN@db:5432/app\""),
	named(composePlace("DSN user", "environment:\n  - DATABASE_URL=postgresql://PLAIN:${APP_DB_PASSWORD}@db:5432/app")),
	composePlace("DSN query", "environment:\n  - DATABASE_URL=postgresql://app@db:5432/app?password=PLAIN&sslmode=require"),
	composePlace("DSN keywords", "environment:\n  DATABASE_URL: host=db user=postgres password=PLAIN"),
	composePlace("DSN of an unknown scheme", "environment:\n  DATABASE_URL: surreal://app:PLAIN@db:8000/app"),
	composePlace("JDBC", "environment:\n  DATABASE_URL: jdbc:postgresql://db/app?user=app&password=PLAIN"),
	composePlace("default", "environment:\n  - DATABASE_URL=postgresql://app:${APP_DB_PASSWORD:-PLAIN}@db/app"),
	composePlace("default of a DSN", "environment:\n  - DATABASE_URL=${DATABASE_URL:-PLAIN}"),
	composePlace("alternative", "environment:\n  - APP_DB_PASSWORD=${X:+PLAIN}"),
	composePlace("error of a reference", "environment:\n  - APP_DB_PASSWORD=${APP_DB_PASSWORD:?PLAIN}"),
	named(composePlace("reference", "environment:\n  APP_DB_PASSWORD: ${SECRET}")),
	composePlace("open reference", "environment:\n  - \"APP_DB_PASSWORD=${X\"\n  - APP_DB_USER=PLAIN"),
	composePlace("behind a credential", "environment:\n  - URL=${POSTGRES_ROOT_PASSWORD}PLAIN"),
	composePlace("before a credential", "environment:\n  - URL=PLAIN${POSTGRES_ROOT_PASSWORD}@x"),
	composePlace("command", "command: psql PLAIN ${POSTGRES_ROOT_PASSWORD}"),
	composePlace("command list", "command: [psql, SECRET, \"${POSTGRES_ROOT_PASSWORD}\"]"),
	composePlace("command script", "entrypoint: [\"sh\", \"-c\", \"psql ${POSTGRES_ROOT_PASSWORD}\"]\ncommand:\n  - SECRET"),
	composePlace("healthcheck", "healthcheck:\n  test: [\"CMD\", \"psql\", \"${POSTGRES_ROOT_PASSWORD}\", SECRET]"),
	composePlace("label", "labels:\n  a: SECRET\n  b: ${POSTGRES_ROOT_PASSWORD}"),
	composePlace("label list", "labels:\n  - dsnlint.dev/role=PLAIN"),
	composePlace("role label", "labels:\n  dsnlint.dev/role: SECRET"),
	composePlace("annotation", "annotations:\n  a: SECRET"),
	composePlace("build argument", "build:\n  context: .\n  args:\n    APP_DB_PASSWORD: SECRET"),
	composePlace("build argument list", "build:\n  context: .\n  args:\n    - APP_DB_PASSWORD=PLAIN"),
	composePlace("build context", "build:\n  context: SECRET"),
	composePlace("inline Dockerfile", "build:\n  context: .\n  dockerfile_inline: |\n    ENV X=${POSTGRES_ROOT_PASSWORD}\n    ENV Y=PLAIN"),
	named(composePlace("image", "image: SECRET")),
	composePlace("container name", "container_name: SECRET"),
	composePlace("restart", "restart: SECRET"),
	composePlace("port", "ports:\n  - SECRET"),
	composePlace("volume", "volumes:\n  - PLAIN:/data"),
	composePlace("volume target", "volumes:\n  - type: bind\n    source: ./x\n    target: SECRET"),
	composePlace("network", "networks:\n  - SECRET"),
	named(composePlace("depends on", "depends_on:\n  - SECRET")),
	composePlace("condition", "depends_on:\n  proxy:\n    condition: SECRET"),
	composePlace("extends", "extends: SECRET"),
	composePlace("extends file", "extends:\n  file: SECRET\n  service: x"),
	composePlace("env file path", "env_file: SECRET"),
	composePlace("env file path in a list", "env_file:\n  - path: SECRET\n    required: false"),
	composePlace("env file format", "env_file:\n  - path: a.env\n    format: SECRET"),
	composePlace("label file path", "label_file: SECRET"),
	composePlace("unknown attribute", "SECRET: x"),
	composePlace("unknown attribute's value", "enviroment:\n  A: SECRET"),
	composePlace("duplicate key", "environment:\n  SECRET: 1\n  SECRET: 2"),
	composePlace("wrong type", "init: SECRET"),
	composePlace("duration", "stop_grace_period: SECRET"),
	composePlace("size", "mem_limit: SECRET"),
	composePlace("watch", "develop:\n  watch:\n    - path: SECRET\n      action: sync\n      target: /x"),
	composePlace("hook", "post_start:\n  - command: [\"psql\", SECRET, \"${POSTGRES_ROOT_PASSWORD}\"]\n    environment:\n      - APP_DB_PASSWORD=PLAIN"),
	composePlace("profile", "profiles: [SECRET]"),
	composePlace("anchor", "environment:\n  A: &PLAIN x"),
	composePlace("alias", "environment:\n  A: *PLAIN"),
	composePlace("tag", "environment:\n  A: !PLAIN x"),
	composePlace("extension", "x-a:\n  b: SECRET"),
	composePlace("comment", "# PLAIN\nenvironment:\n  POSTGRES_ROOT_PASSWORD: x # PLAIN"),
	prose(composePlace("suppression's reason", "environment:\n  POSTGRES_ROOT_PASSWORD: x # dsnlint:ignore RUNTIME_DSN_ONLY,PROVISIONING_TRUST_BOUNDARY "+"postgresql://a:PLAIN@h/d")),
	composePlace("suppression's rule", "environment:\n  POSTGRES_ROOT_PASSWORD: x # dsnlint:ignore PLAIN because"),
	composePlace("broken YAML", "environment:\n  POSTGRES_ROOT_PASSWORD: x\n ]PLAIN"),
	composePlace("text behind a quote", "environment:\n  POSTGRES_ROOT_PASSWORD: 'x' PLAIN"),
	with(composePlace("secret file", "secrets: [pw]"), "compose.override.yaml", "secrets:\n  pw:\n    file: SECRET\n"),
	with(composePlace("secret name", "secrets: [pw]"), "compose.override.yaml", "secrets:\n  pw:\n    external: true\n    name: SECRET\n"),
	with(composePlace("config content", "configs: [POSTGRES_ROOT_PASSWORD]"), "compose.override.yaml", "configs:\n  POSTGRES_ROOT_PASSWORD:\n    content: SECRET\n"),
	named(with(composePlace("secret source", "secrets: [SECRET]"), "compose.override.yaml", "secrets:\n  SECRET:\n    environment: POSTGRES_ROOT_PASSWORD\n")),
	with(composePlace(".env", "environment:\n  - DATABASE_URL=postgresql://${POSTGRES_ROOT_USER}:${POSTGRES_ROOT_PASSWORD}@db/app"), ".env", "POSTGRES_ROOT_USER=u\nPOSTGRES_ROOT_PASSWORD=SECRET\n"),
	with(composePlace(".env as a DSN", "environment:\n  - DATABASE_URL=${X}"), ".env", "X=postgresql://postgres:PLAIN@db:5432/app\n"),
	with(composePlace(".env, broken", "environment:\n  - DATABASE_URL=${X}"), ".env", "X=1\nPLAIN\nY='PLAIN\n"),
	with(composePlace(".env name", "environment:\n  - DATABASE_URL=${X}"), ".env", "PLAIN=x\nX PLAIN=1\n"),
	with(composePlace("path with a variable", "env_file: ${X}.env"), ".env", "X=SECRET\n"),
	with(composePlace("path outside", "env_file: ../../../../../../../../${X}"), ".env", "X=SECRET\n"),
	with(composePlace("home", "env_file: ~/${X}"), ".env", "X=SECRET\n"),
	with(composePlace("remote path", "build: https://user:${X}@example.com/repo.git"), ".env", "X=SECRET\n"),
	with(composePlace("name with a variable", "environment:\n  - ${X}=${POSTGRES_ROOT_PASSWORD}"), ".env", "X=SECRET\n"),
	with(composePlace("handed-on name with a variable", "environment:\n  - ${X}\n  - POSTGRES_ROOT_${X}"), ".env", "X=SECRET\n"),
	with(composePlace("service to extend with a variable", "extends:\n  service: ${X}"), ".env", "X=SECRET\n"),
	with(composePlace("secret with a variable", "secrets:\n  - source: ${X}\n    target: ${X}"), ".env", "X=SECRET\n"),
	with(composePlace("label name with a variable", "labels:\n  - ${X}=${POSTGRES_ROOT_PASSWORD}"), ".env", "X=SECRET\n"),
	valid(func(text string) bool { _, err := units.RAMInBytes(text); return err == nil }, with(composePlace("invalid value from .env", "mem_limit: ${X}\nports: [\"${X}\"]\nrestart: ${X}"), ".env", "X=SECRET\n")),
	with(composePlace("project name", "environment:\n  - A=${POSTGRES_ROOT_PASSWORD}"), ".env", "COMPOSE_PROJECT_NAME=SECRET\n"),
	with(composePlace("env file", "env_file: a.env"), "a.env", "POSTGRES_ROOT_PASSWORD=SECRET\nDATABASE_URL=postgresql://postgres:PLAIN@h/d\n"),
	with(composePlace("env file, broken", "env_file: a.env"), "a.env", "POSTGRES_ROOT_PASSWORD=x\nPLAIN PLAIN\nAPP_DB_PASSWORD PLAIN=x\n'PLAIN\n"),
	with(composePlace("env file, raw", "env_file:\n  - path: a.env\n    format: raw"), "a.env", "POSTGRES_ROOT_PASSWORD=PLAIN\nPOSTGRES_ROOT_PASSWORD:PLAIN\n"),
	prose(with(composePlace("env file comment", "env_file: a.env"), "a.env", "# dsnlint:ignore X PLAIN\nPOSTGRES_ROOT_PASSWORD=x # dsnlint:ignore PROVISIONING_TRUST_BOUNDARY,RUNTIME_DSN_ONLY PLAIN://x:PLAIN@y\n")),
	with(composePlace("label file", "label_file: a.env"), "a.env", "POSTGRES_ROOT_PASSWORD=SECRET\n"),
	{name: "compose include", files: map[string]string{"compose.yaml": "include:\n  - SECRET\nservices:\n  app:\n    image: a\n    environment: [POSTGRES_ROOT_PASSWORD]\n"}},
	{name: "compose include variable", files: map[string]string{".env": "X=SECRET\n", "compose.yaml": "include:\n  - ${X}\n  - path: ${X}\n    project_directory: ${X}\n    env_file: ${X}\nservices:\n  app:\n    image: a\n"}},
	{name: "compose name", files: map[string]string{"compose.yaml": "name: SECRET\nservices:\n  app:\n    image: a\n    environment: [POSTGRES_ROOT_PASSWORD]\n"}, isName: true},
	{name: "compose name variable", files: map[string]string{".env": "X=SECRET\n", "compose.yaml": "name: ${X}\nservices:\n  app:\n    image: a\n    environment: [POSTGRES_ROOT_PASSWORD]\n"}},
	{name: "compose service name", files: map[string]string{"compose.yaml": "services:\n  SECRET:\n    image: a\n    environment: [POSTGRES_ROOT_PASSWORD]\n"}, isName: true},
	{name: "compose top level", files: map[string]string{"compose.yaml": "SECRET: x\nservices:\n  app:\n    image: a\n    environment: [POSTGRES_ROOT_PASSWORD]\n"}},
	{name: "compose service of a wrong type", files: map[string]string{"compose.yaml": "services:\n  app: SECRET\n  web:\n    image: a\n    environment: [POSTGRES_ROOT_PASSWORD]\n"}},
	{name: "compose volumes", isName: true, files: map[string]string{"compose.yaml": "services:\n  web:\n    image: a\n    environment: [POSTGRES_ROOT_PASSWORD]\nvolumes:\n  a: SECRET\n  SECRET: {}\nnetworks: SECRET\n"}},

	podPlace("value", "env:\n  - name: POSTGRES_ROOT_PASSWORD\n    value: SECRET"),
	podPlace("DSN", "env:\n  - name: DATABASE_URL\n    value: postgresql://postgres:PLAIN@postgres:5432/app"),
	podPlace("DSN with a reference", "env:\n  - name: P\n    valueFrom: {secretKeyRef: {name: s, key: POSTGRES_ROOT_PASSWORD}}\n  - name: DATABASE_URL\n    value: postgresql://postgres:$(P)PLAIN@postgres:5432/app"),
	podPlace("name with a colon", "env:\n  - name: POSTGRES_ROOT_PASSWORD:PLAIN\n    value: x"),
	named(podPlace("name", "env:\n  - name: SECRET\n    valueFrom: {secretKeyRef: {name: s, key: POSTGRES_ROOT_PASSWORD}}")),
	podPlace("value without a blank", "env:\n  - {name: POSTGRES_ROOT_PASSWORD, value:PLAIN}"),
	podPlace("flow value", "env:\n  - {name: POSTGRES_ROOT_PASSWORD, value: PLAIN}"),
	podPlace("value of a wrong type", "env:\n  - name: POSTGRES_ROOT_PASSWORD\n    value: [SECRET]"),
	named(podPlace("secret name", "env:\n  - name: POSTGRES_ROOT_PASSWORD\n    valueFrom: {secretKeyRef: {name: SECRET, key: x}}")),
	named(podPlace("secret key", "env:\n  - name: POSTGRES_ROOT_PASSWORD\n    valueFrom: {secretKeyRef: {name: s, key: SECRET}}")),
	named(podPlace("import", "envFrom:\n  - secretRef: {name: SECRET}\n    prefix: SECRET")),
	podPlace("field", "env:\n  - name: POSTGRES_ROOT_PASSWORD\n    valueFrom: {fieldRef: {fieldPath: SECRET}}"),
	podPlace("command", "command: [\"sh\", \"-c\", SECRET, \"$(POSTGRES_ROOT_PASSWORD)\"]"),
	podPlace("arguments", "args:\n  - SECRET\nenv:\n  - name: POSTGRES_ROOT_PASSWORD\n    value: x"),
	podPlace("probe", "livenessProbe:\n  exec:\n    command: [psql, SECRET]\n  httpGet:\n    port: 1\n    httpHeaders:\n      - name: SECRET\n        value: SECRET"),
	podPlace("unknown field", "SECRET: x"),
	podPlace("unknown field's value", "enviroment: SECRET"),
	podPlace("image", "imagePullPolicy: SECRET"),
	valid(func(text string) bool { _, err := resource.ParseQuantity(text); return err == nil }, podPlace("quantity", "resources:\n  limits:\n    memory: SECRET\n    SECRET: 1")),
	valid(func(text string) bool { return yaml.Unmarshal([]byte(text), new(int32)) == nil }, podPlace("port", "ports:\n  - containerPort: SECRET")),
	named(podPlace("mount", "volumeMounts:\n  - name: v\n    mountPath: SECRET")),
	podPlace("duplicate key", "env:\n  - name: POSTGRES_ROOT_PASSWORD\n    SECRET: 1\n    SECRET: 2"),
	podPlace("alias", "env:\n  - name: POSTGRES_ROOT_PASSWORD\n    value: *PLAIN"),
	podPlace("anchor", "env:\n  - name: POSTGRES_ROOT_PASSWORD\n    value: &PLAIN x"),
	podPlace("tag", "env:\n  - name: POSTGRES_ROOT_PASSWORD\n    value: !PLAIN x"),
	prose(podPlace("suppression", "env:\n  - name: POSTGRES_ROOT_PASSWORD # dsnlint:ignore RUNTIME_DSN_ONLY,PROVISIONING_TRUST_BOUNDARY a://b:PLAIN@c\n    value: x")),
	named(podPlace("script", "volumeMounts:\n  - name: SECRET\n    mountPath: /x")),
	{name: "kubernetes metadata", files: map[string]string{"pod.yaml": strings.Replace(leakPod, "  name: app\n", "  name: app\n  labels:\n    a: SECRET\n    SECRET: a\n  annotations:\n    dsnlint.dev/role: SECRET\n    a: SECRET\n", 1)}},
	{name: "kubernetes object name", isName: true, files: map[string]string{"pod.yaml": strings.Replace(leakPod, "  name: app\n", "  name: SECRET\n  namespace: SECRET\n", 1)}},
	{name: "kubernetes kind", isName: true, files: map[string]string{"pod.yaml": leakPod + "---\napiVersion: SECRET\nkind: SECRET\nmetadata: {name: SECRET}\nspec: SECRET\n"}},
	{name: "kubernetes Secret", files: map[string]string{"pod.yaml": leakPod + "---\napiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata:\n  p: BASE64\n  q: SECRET\nstringData:\n  r: SECRET\n  dsn: postgresql://postgres:PLAIN@h/d\n"}},
	{name: "kubernetes ConfigMap", files: map[string]string{"pod.yaml": strings.ReplaceAll(leakPod, "valueFrom: {secretKeyRef: {name: s, key: p}}", "valueFrom: {configMapKeyRef: {name: s, key: p}}") + "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: s}\ndata:\n  p: SECRET\n  x.sh: |\n    #!/bin/sh\n    psql postgresql://u:PLAIN@postgres:5432/d\nbinaryData:\n  b: SECRET\n"}},
	{name: "kubernetes ConfigMap key", isName: true, files: map[string]string{"pod.yaml": podHead + "      envFrom:\n        - configMapRef: {name: s}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: s}\ndata:\n  SECRET: x\n  POSTGRES_ROOT_PASSWORD: x\n"}},
	{name: "kubernetes ExternalSecret", isName: true, files: map[string]string{"pod.yaml": podHead + "      envFrom:\n        - secretRef: {name: s}\n---\napiVersion: external-secrets.io/v1\nkind: ExternalSecret\nmetadata: {name: s}\nspec:\n  data:\n    - secretKey: POSTGRES_ROOT_PASSWORD\n      remoteRef: {key: SECRET, property: SECRET}\n"}},
	{name: "kubernetes ExternalSecret template", files: map[string]string{"pod.yaml": podHead + "      envFrom:\n        - secretRef: {name: s}\n---\napiVersion: external-secrets.io/v1\nkind: ExternalSecret\nmetadata: {name: s}\nspec:\n  target:\n    template:\n      data:\n        DATABASE_URL: \"postgresql://u:{{ .POSTGRES_ROOT_PASSWORD }}@h/d\"\n        POSTGRES_ROOT_PASSWORD: SECRET\n"}},
	{name: "kubernetes list", files: map[string]string{"pod.json": `{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"Pod","metadata":{"name":"app"},"spec":{"containers":[{"name":"app","env":[{"name":"POSTGRES_ROOT_PASSWORD","value":QUOTED}]}]}}]}`}},
	{name: "kubernetes broken document", files: map[string]string{"pod.yaml": leakPod + "---\napiVersion: v1\nkind: Secret\nstringData: [PLAIN\n"}},

	kustomizePlace("resource", "resources: [pod.yaml, SECRET]\n"),
	kustomizePlace("remote resource", "resources: [pod.yaml, \"https://u:PLAIN@example.com/x?ref=PLAIN\", \"u:PLAIN@github.com/o/r\"]\n"),
	kustomizePlace("component", "resources: [pod.yaml]\ncomponents: [SECRET]\n"),
	kustomizePlace("literal", "resources: [pod.yaml]\nsecretGenerator:\n  - name: s\n    literals: [\"p=PLAIN\"]\n"),
	kustomizePlace("literal, quoted", "resources: [pod.yaml]\nsecretGenerator:\n  - name: s\n    literals:\n      - p=SECRET\n"),
	kustomizePlace("literal without a name", "resources: [pod.yaml]\nsecretGenerator:\n  - name: s\n    literals:\n      - SECRET\n"),
	kustomizePlace("generated file", "resources: [pod.yaml]\nsecretGenerator:\n  - name: s\n    files:\n      - SECRET\n      - p=SECRET\n"),
	kustomizePlace("generated envs", "resources: [pod.yaml]\nsecretGenerator:\n  - name: s\n    envs:\n      - SECRET\n"),
	kustomizePlace("env file", "resources: [pod.yaml]\nsecretGenerator:\n  - name: s\n    envs: [a.env]\n", "a.env", "p=PLAIN\n"),
	kustomizePlace("env file, broken", "resources: [pod.yaml]\nsecretGenerator:\n  - name: s\n    envs: [a.env]\n", "a.env", "PLAIN PLAIN\np=x\np=PLAIN\n"),
	kustomizePlace("file content", "resources: [pod.yaml]\nsecretGenerator:\n  - name: s\n    files: [p]\n", "p", "PLAIN"),
	kustomizePlace("generated twice", "resources: [pod.yaml]\nsecretGenerator:\n  - name: s\n    literals: [\"p=x\"]\n  - name: s\n    literals: [\"PLAIN=x\", \"PLAIN=x\"]\n"),
	named(kustomizePlace("generator's name", "resources: [pod.yaml]\nsecretGenerator:\n  - name: SECRET\n    literals: [\"p=x\"]\n    behavior: SECRET\n")),
	kustomizePlace("inline patch", "resources: [pod.yaml]\npatches:\n  - patch: |\n      apiVersion: v1\n      kind: Pod\n      metadata: {name: app}\n      spec:\n        containers:\n          - name: app\n            env:\n              - {name: APP_DB_PASSWORD, value: QUOTED}\n"),
	kustomizePlace("broken inline patch", "resources: [pod.yaml]\npatches:\n  - patch: |\n      apiVersion: v1\n      kind: PLAIN\n      metadata: {name: \"PLAIN\"}\n"),
	kustomizePlace("patch operation", "resources: [pod.yaml]\npatches:\n  - target: {kind: Pod}\n    patch: |\n      - op: add\n        path: /spec/containers/0/env/-\n        value: {name: APP_DB_PASSWORD, value: QUOTED}\n"),
	kustomizePlace("patch operation's path", "resources: [pod.yaml]\npatches:\n  - target: {kind: Pod}\n    patch: |\n      - op: SECRET\n        path: SECRET\n        value: x\n"),
	kustomizePlace("patch's path", "resources: [pod.yaml]\npatches:\n  - path: SECRET\n"),
	kustomizePlace("patch's selector", "resources: [pod.yaml]\npatches:\n  - target:\n      kind: Pod\n      name: SECRET\n      labelSelector: \"password > 5\"\n    patch: \"[]\"\n", "pod.yaml", strings.Replace(leakPod, "  name: app\n", "  name: app\n  labels:\n    password: SECRET\n", 1)),
	named(kustomizePlace("prefix", "resources: [pod.yaml]\nnamePrefix: SECRET\nnamespace: SECRET\n")),
	kustomizePlace("labels", "resources: [pod.yaml]\nlabels:\n  - pairs:\n      a: SECRET\ncommonAnnotations:\n  a: SECRET\n"),
	kustomizePlace("vars", "resources: [pod.yaml]\nvars:\n  - name: SECRET\n    objref: {apiVersion: v1, kind: Pod, name: SECRET}\n    fieldref: {fieldpath: SECRET}\n"),
	kustomizePlace("replacement", "resources: [pod.yaml]\nreplacements:\n  - source: {kind: Pod, fieldPath: SECRET}\n    targets:\n      - select: {kind: Pod}\n        fieldPaths: [SECRET]\n"),
	kustomizePlace("image", "resources: [pod.yaml]\nimages:\n  - name: example/app\n    newTag: SECRET\n"),
	kustomizePlace("unknown field", "resources: [pod.yaml]\nSECRET: x\n"),
	kustomizePlace("wrong type", "resources: SECRET\nnamePrefix: [SECRET]\n"),
	kustomizePlace("broken resource", "resources: [pod.yaml, b.yaml]\n", "b.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: x}\nstringData:\n  a: *PLAIN\n"),
	kustomizePlace("resource of a wrong form", "resources: [pod.yaml, b.yaml]\n", "b.yaml", "a: SECRET\nSECRET: b\n"),
	kustomizePlace("the same object twice", "resources: [pod.yaml, b.yaml, c.yaml]\n", "b.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: x, labels: {a: SECRET}}\nstringData: {a: SECRET}\n", "c.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: x, labels: {a: SECRET}}\nstringData: {a: SECRET}\n"),
	kustomizePlace("patched value", "resources: [pod.yaml]\nnamePrefix: x-\n", "pod.yaml", leakDeployment),
	kustomizePlace("alias", "resources: [pod.yaml]\nnamePrefix: *PLAIN\n"),

	helmPlace("value", "a: SECRET\n", "env:\n  - name: POSTGRES_ROOT_PASSWORD\n    value: {{ .Values.a | quote }}"),
	helmPlace("value, not quoted", "a: SECRET\n", "env:\n  - name: POSTGRES_ROOT_PASSWORD\n    value: {{ .Values.a }}"),
	helmPlace("value in a DSN", "a: SECRET\n", "env:\n  - name: DATABASE_URL\n    value: \"postgresql://postgres:{{ .Values.a }}@postgres:5432/x\""),
	helmPlace("value as an alias", "a: SECRET\n", "env:\n  - name: POSTGRES_ROOT_PASSWORD\n    value: *{{ .Values.a }}"),
	helmPlace("value as a key", "a: SECRET\n", "{{ .Values.a }}: x\nenv:\n  - name: POSTGRES_ROOT_PASSWORD\n    value: x"),
	helmPlace("value in base64", "a: SECRET\n", "env:\n  - name: POSTGRES_ROOT_PASSWORD\n    value: {{ .Values.a | b64enc }}"),
	helmPlace("value in a hash", "a: SECRET\n", "env:\n  - name: POSTGRES_ROOT_PASSWORD\n    value: {{ .Values.a | sha256sum }}"),
	helmPlace("failure", "a: SECRET\n", "{{ fail .Values.a }}"),
	helmPlace("requirement", "a: SECRET\n", "{{ required .Values.a .Values.b }}"),
	helmPlace("missing method", "a: SECRET\n", "{{ .Values.a.b.c }}{{ index .Values \"a\" 7 }}"),
	helmPlace("conversion", "a: SECRET\n", "{{ atoi .Values.a }}{{ fromYaml .Values.a }}{{ mustFromJson .Values.a }}"),
	helmPlace("regular expression", "a: SECRET\n", "{{ mustRegexMatch .Values.a .Values.a }}"),
	helmPlace("inclusion", "a: SECRET\n", "{{ include .Values.a . }}"),
	helmPlace("template in a value", "a: SECRET\n", "env:\n  - name: POSTGRES_ROOT_PASSWORD\n    value: {{ tpl .Values.a . | quote }}"),
	helmPlace("template", "a: x\n", "env:\n  - name: POSTGRES_ROOT_PASSWORD\n    value: SECRET"),
	helmPlace("action", "a: x\n", "env:\n  - name: POSTGRES_ROOT_PASSWORD\n    value: {{ PLAIN }}"),
	helmPlace("text in an action", "a: x\n", "env:\n  - name: POSTGRES_ROOT_PASSWORD\n    value: {{ QUOTED }}"),
	helmPlace("open action", "a: x\n", "env:\n  - name: POSTGRES_ROOT_PASSWORD\n    value: {{ PLAIN"),
	helmPlace("broken values", "a: x\nb: [PLAIN\n", "env: []"),
	helmPlace("values of a wrong type", "SECRET", "env: []"),
	helmPlace("values alias", "a: *PLAIN\n", "env: []"),
	helmPlace("Chart.yaml", "a: x\n", "env: []", "Chart.yaml", "apiVersion: v2\nname: shop\nversion: SECRET\n"),
	helmPlace("chart's fields", "a: x\n", "env: []", "Chart.yaml", "apiVersion: v2\nname: shop\nversion: 1.0.0\nSECRET: x\nkubeVersion: SECRET\n"),
	named(helmPlace("chart's name", "a: x\n", "env:\n  - name: POSTGRES_ROOT_PASSWORD\n    value: x", "Chart.yaml", "apiVersion: v2\nname: SECRET\nversion: 1.0.0\n")),
	named(helmPlace("dependency", "a: x\n", "env: []", "Chart.yaml", "apiVersion: v2\nname: shop\nversion: 1.0.0\ndependencies:\n  - name: SECRET\n    version: SECRET\n    repository: https://u:PLAIN@example.com\n    condition: SECRET\n")),
	helmPlace("ci values", "a: x\n", "env:\n  - name: POSTGRES_ROOT_PASSWORD\n    value: {{ .Values.a }}", "ci/a-values.yaml", "a: SECRET\n"),
	helmPlace("schema", "a: SECRET\n", "env:\n  - name: POSTGRES_ROOT_PASSWORD\n    value: x", "values.schema.json", `{"$schema":"http://json-schema.org/draft-07/schema#","properties":{"a":{"const":"x"}}}`),
	helmPlace("file", "a: x\n", "env:\n  - name: POSTGRES_ROOT_PASSWORD\n    value: {{ .Files.Get \"f\" | quote }}", "f", "PLAIN"),

	contractPlace("key", "SECRET: x\n"),
	contractPlace("phase", "phase: SECRET\n"),
	contractPlace("glob", "roles:\n  runtime: [SECRET]\n"),
	contractPlace("row", "containers:\n  - name: SECRET\n    requires: [SECRET]\n"),
	contractPlace("rule", "rules:\n  SECRET: off\n  RUNTIME_DSN_ONLY: SECRET\n"),
	contractPlace("secret", "opaqueSecrets:\n  - name: SECRET\n    keys: [SECRET]\n"),
	contractPlace("duplicate", "SECRET: 1\nSECRET: 2\n"),
	contractPlace("broken", "phase: [PLAIN\n"),
	contractPlace("alias", "phase: *PLAIN\n"),
	contractPlace("exclude", "exclude: [SECRET]\n"),

	{name: "script", args: []string{"x.sh"}, files: map[string]string{"x.sh": "#!/bin/sh\nexport PGPASSWORD=PLAIN\npsql postgresql://u:PLAIN@postgres:5432/d\n"}},
	{name: "script, broken", args: []string{"x.sh"}, files: map[string]string{"x.sh": "#!/bin/sh\npsql -h postgres\nif PLAIN; then '\n"}},
	{name: "named file", args: []string{"x.txt"}, files: map[string]string{"x.txt": "PLAIN"}},
	{name: "named YAML", args: []string{"x.yaml"}, files: map[string]string{"x.yaml": "SECRET: SECRET\n"}},
	{name: "given env file", args: []string{"--env-file", "DIR/given.env", "."}, files: map[string]string{
		"given.env": "POSTGRES_ROOT_PASSWORD=SECRET\nX PLAIN\n'PLAIN\n", "compose.yaml": "services:\n  app:\n    image: a\n    environment:\n      - A=${POSTGRES_ROOT_PASSWORD}\n"}},
	{name: "given values", args: []string{"--helm-values", "DIR/given.yml", "."}, files: map[string]string{
		"given.yml": "a: SECRET\n", "c/Chart.yaml": "apiVersion: v2\nname: shop\nversion: 1.0.0\n", "c/templates/p.yaml": podHead + "      env:\n        - name: POSTGRES_ROOT_PASSWORD\n          value: {{ .Values.a }}\n"}},
	{name: "given baseline", args: []string{"--baseline", "DIR/base.txt", "."}, files: map[string]string{
		"base.txt": `{"version":"2.1.0","runs":[{"tool":{"driver":{"name":QUOTED}},"results":[{"partialFingerprints":{"dsnlint/v1":QUOTED}}]}]}`, "compose.yaml": "services:\n  app:\n    image: a\n    environment: [POSTGRES_ROOT_PASSWORD]\n"}},
}

// modes are the ways to run dsnlint on a place.
var modes = []struct {
	name string
	args []string
}{
	{"lint", []string{"--format", "text", "--format", "json=DIR/../out.json", "--format", "sarif=DIR/../out.sarif", "--format", "github=DIR/../out.txt", "--fail-on", "note"}},
	{"fix --diff", []string{"fix", "--diff"}},
	{"fix", []string{"fix"}},
	{"baseline", []string{"baseline", "-o", "-"}},
}

// leakRun is one run of the command in a directory; it returns all that is printed
// or written, the standard error of the whole process included.
func leakRun(t *testing.T, dir string, mode []string, p place, files map[string]string) string {
	t.Helper()
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, ".git"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	args := slices.Concat([]string{"dsnlint"}, mode)
	paths := p.args
	if paths == nil {
		paths = []string{"."}
	}
	isLint := strings.HasPrefix(mode[0], "-")
	for i, arg := range paths {
		switch {
		case strings.HasPrefix(arg, "-") && !isLint:
			return "" // an option of lint alone
		case strings.HasPrefix(arg, "-"), i > 0 && strings.HasPrefix(paths[i-1], "-"):
			args = append(args, arg)
		default:
			args = append(args, filepath.Join(dir, arg))
		}
	}
	for i := range args {
		args[i] = strings.ReplaceAll(args[i], "DIR", dir)
	}
	var out, errs bytes.Buffer
	code := run(context.Background(), args, streams{in: strings.NewReader(""), out: &out, err: &errs})
	fmt.Fprintf(&out, "exit %d\n", code)
	for _, name := range []string{"out.json", "out.sarif", "out.txt"} {
		written := filepath.Join(filepath.Dir(dir), name)
		if data, err := os.ReadFile(written); err == nil && isLint {
			out.Write(data)
		}
		_ = os.Remove(written)
	}
	return out.String() + errs.String()
}

// captureStderr sends the process's standard error to a file, since libraries log
// there without asking, and returns what reads it.
func captureStderr(t *testing.T) func() string {
	t.Helper()
	file, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	saved, err := unix.Dup(2)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Dup2(int(file.Fd()), 2); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = unix.Dup2(saved, 2)
		_ = unix.Close(saved)
		_ = file.Close()
	})
	return func() string {
		data, _ := os.ReadFile(file.Name())
		return string(data)
	}
}

// reveals reports how a run shows something of a secret; empty where it does not. A
// twin run with another secret of the same shape must print the same bytes.
func reveals(t *testing.T, r *rand.Rand, dir string, p place, s shape, mode []string, quoted bool) string {
	t.Helper()
	one := s.random(r, "")
	two := s.random(r, one)
	// In a place for a name, what is a name cannot be told from it; and without quotes
	// YAML itself cuts some texts down to one.
	if p.isName && (!quoted || nameForm.MatchString(strings.TrimPrefix(one, "\ufeff"))) || p.isProse && proseForm.MatchString(one) {
		return ""
	}
	if p.isValid != nil && p.isValid(one) != p.isValid(two) {
		return ""
	}
	first := leakRun(t, dir, mode, p, p.fill(one, quoted))
	second := leakRun(t, dir, mode, p, p.fill(two, quoted))
	for _, secret := range []string{one, two} {
		for _, spot := range s.spots(secret) {
			if strings.Contains(first, spot) && !strings.Contains(second, spot) || strings.Contains(second, spot) && !strings.Contains(first, spot) {
				return "six characters of it, or an encoding, are in the output"
			}
		}
	}
	if first != second {
		return "the output depends on it: " + differing(first, second)
	}
	return ""
}

// differing names the first line that differs. It is shown only where LEAK_SHOW is
// set, since it may hold a part of a secret.
func differing(a, b string) string {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(x), len(y)) {
		if x[i] == y[i] {
			continue
		}
		shown := ""
		if os.Getenv("LEAK_SHOW") != "" {
			shown = fmt.Sprintf(": %.200q and %.200q", x[i], y[i])
		}
		return fmt.Sprintf("line %d of %d%s", i+1, len(x), shown)
	}
	return fmt.Sprintf("%d and %d lines", len(x), len(y))
}

// trial is one secret in one place.
type trial struct {
	place  place
	shape  shape
	mode   int
	quoted bool
}

// trials are every seventh pair of place and class, or with LEAK_TRIALS every one
// and as many random ones more.
func trials() []trial {
	var all []trial
	given, every := os.LookupEnv("LEAK_TRIALS")
	for i, p := range places {
		for k, s := range shapes {
			if !every && (i+k)%7 != 0 {
				continue
			}
			all = append(all, trial{p, s, 0, false}, trial{p, s, 0, true}, trial{p, s, 1 + (i+k)%3, (i+k)%2 == 0})
		}
	}
	n, _ := strconv.Atoi(given)
	r := rand.New(rand.NewPCG(3, uint64(n)))
	for range n {
		all = append(all, trial{places[r.IntN(len(places))], shapes[r.IntN(len(shapes))], r.IntN(len(modes)), r.IntN(2) == 0})
	}
	return all
}

// TestNothingLeaks draws secrets of every class through every place that a manifest
// can hold one, in every format and in the commands that print of manifests.
func TestNothingLeaks(t *testing.T) {
	stderr := captureStderr(t)
	quiet()
	all := trials()
	var mu sync.Mutex
	failed := map[string]int{}
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for worker := range runtime.GOMAXPROCS(0) {
		dir := filepath.Join(t.TempDir(), strconv.Itoa(worker), "repository")
		r := rand.New(rand.NewPCG(1, uint64(worker)))
		group.Go(func() error {
			for i := worker; i < len(all); i += runtime.GOMAXPROCS(0) {
				c := all[i]
				how := reveals(t, r, dir, c.place, c.shape, modes[c.mode].args, c.quoted)
				if how == "" {
					continue
				}
				mu.Lock()
				if failed[c.place.name]++; failed[c.place.name] <= 2 {
					t.Errorf("%s, %s, quoted %v, %s: %s", c.place.name, c.shape.name, c.quoted, modes[c.mode].name, how)
				}
				mu.Unlock()
			}
			return nil
		})
	}
	_ = group.Wait() // the workers have no error to return
	// Kustomize's engine says this for itself. The command has it run in a process
	// whose standard error goes nowhere.
	const deprecated = "# Warning: 'vars' is deprecated. Please use 'replacements' instead. [EXPERIMENTAL] Run 'kustomize edit fix' to update your Kustomization automatically.\n"
	if printed := strings.ReplaceAll(stderr(), deprecated, ""); printed != "" {
		shown := ""
		if os.Getenv("LEAK_SHOW") != "" {
			shown = printed[:min(len(printed), 2000)]
		}
		t.Errorf("a library wrote %d bytes to standard error %s", len(printed), shown)
	}
	t.Logf("%d trials in %d places", len(all), len(places))
	if len(failed) > 0 {
		t.Errorf("%d of %d places leak", len(failed), len(places))
	}
}
