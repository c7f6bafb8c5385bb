package report

import (
	"fmt"
	"math/rand"
	"strings"
	"testing"
	"testing/quick"

	"github.com/derekg1729/dsnlint/pkg/manifest"
)

func testNames(dialect manifest.Dialect) names {
	return names{
		variables: wordSet("POSTGRES_ROOT_PASSWORD POSTGRES_ROOT_USER X"),
		objects:   wordSet("app postgres operator-env-secrets"),
		dollar:    dialect == manifest.Compose,
	}
}

func shown(pieces []piece) string {
	var b strings.Builder
	for _, p := range pieces {
		b.WriteString(p.text)
	}
	return b.String()
}

func TestRedact(t *testing.T) {
	tests := []struct{ line, want string }{
		// Keys and values.
		{`POSTGRES_ROOT_PASSWORD: hunter2`, `POSTGRES_ROOT_PASSWORD: ***`},
		{`      POSTGRES_ROOT_PASSWORD: "hunter2"  `, `      POSTGRES_ROOT_PASSWORD: "***"  `},
		{`POSTGRES_ROOT_PASSWORD: 'it''s hunter2'`, `POSTGRES_ROOT_PASSWORD: '***'***`},
		{`POSTGRES_ROOT_PASSWORD: hunter2 # hunter3`, `POSTGRES_ROOT_PASSWORD: ***`},
		{`POSTGRES_ROOT_PASSWORD: "hunter2" # hunter3`, `POSTGRES_ROOT_PASSWORD: "***" ***`},
		{`POSTGRES_ROOT_PASSWORD: postgres`, `POSTGRES_ROOT_PASSWORD: ***`},
		{`POSTGRES_ROOT_PASSWORD:`, `POSTGRES_ROOT_PASSWORD:`},
		{`POSTGRES_ROOT_PASSWORD: |-`, `POSTGRES_ROOT_PASSWORD: |-`},
		{`UNHEARD: hunter2`, `***: ***`},
		{"\t- X=hunter2", "\t- X=***"},
		{`- X`, `- X`},
		{`- "X=${X}"`, `- "X=${X}"`},
		{`- app`, `- ***`},
		{`- Y=hunter2`, `- ***`},
		{`app:`, `app:`},
		{`restart: always`, `restart: always`},
		{`restart: hunter2`, `restart: ***`},
		{`environment: *hunter2`, `environment: ***`},
		// References.
		{`X: ${A}`, `X: ${A}`},
		{`X: $A`, `X: $A`},
		{`X: $(A)`, `X: $(A)`},
		{`X: pa$SWORD`, `X: ***`},
		{`X: '$SWORD'`, `X: '***'`},
		{`X: '$POSTGRES_ROOT_USER'`, `X: '$POSTGRES_ROOT_USER'`},
		{`X: $$A`, `X: ***`},
		{`X: $${A}`, `X: ***`},
		{`X: ${A}hunter2`, `X: ${A}***`},
		{`X=${A:-hunter2}`, `X=${A:-***}`},
		{`X=${A:?hunter2 is missing}`, `X=${A:?***}`},
		{`X=${A:-${B:-hunter2}}`, `X=${A:-${B:-***}}`},
		{`X=${A:-}`, `X=${A:-}`},
		{`X=${A:-hunter2`, `X=***`},
		{`X=${A/hunter2/}`, `X=***`},
		{`X: "{{ .Values.db.password | default "hunter2" }}"`, `X: "*** "***`},
		{`X: {{ .Values.db.password | default "hunter2" | quote }}`, `X: {{ .Values.db.password *** }}`},
		{`X: {{ print " .hunter2" }}`, `X: {{ *** }}`},
		{`{{- if .Values.db }}`, `{{*** .Values.db }}`},
		// DSNs.
		{`- X=postgres://root:hunter2@db/x`, `- X=postgres://root:***@db/x`},
		{`X: postgresql://${U}:${P}@postgres:5432/db`, `X: postgresql://${U}:${P}@postgres:5432/db`},
		{`X: postgresql+asyncpg://u:hun/ter2@h:1/db?password=hunter2`, `X: postgresql+asyncpg://u:***@h:1/db?***`},
		{`X: postgres://u:hun@ter2@h/db`, `X: postgres://u:***@h/db`},
		{`X: postgres://hunter2@h/db`, `X: postgres://***@h/db`},
		{`X: postgres://u:hunter2`, `X: postgres://***`},
		{`X: postgres://u:a@h:hunter2/db`, `X: postgres://u:***@***`},
		{`X: ${D:-postgres://u:hunter2@h/db}`, `X: ${D:-postgres://u:***@h/db}`},
		{`X: https://u:hunter2@h/db`, `X: ***`},
		{`X: "host=h user=u password=hunter2"`, `X: "***"`},
		{`X: "${U}:${P}@${H}/${D}"`, `X: "${U}:${P}@${H}/${D}"`},
		// Kubernetes, flow collections, JSON.
		{`- name: POSTGRES_ROOT_USER`, `- name: POSTGRES_ROOT_USER`},
		{`name: operator-env-secrets`, `name: operator-env-secrets`},
		{`name: "operator-env-secrets",`, `name: "operator-env-secrets",`},
		{`name: hunter2`, `name: ***`},
		{`value: hunter2`, `value: ***`},
		{`{name: X, value: hunter2}`, `{name: X, value: ***}`},
		{`- {name: X, value: "hun,ter2", y: hunter2}`, `- {name: X, value: "***", ***: ***}`},
		{`- {name: X, valueFrom: {secretKeyRef: {name: operator-env-secrets, key: X}}}`, `- {name: X, valueFrom: {secretKeyRef: {name: operator-env-secrets, key: X}}}`},
		{`{"name":"X","value":"hunter2"},`, `{"name":"X","value":"***"},`},
		{`"X": "hunter2",`, `"X": "***",`},
		{`"name": "X", "value": "hunter2"`, `"name": "X", ***`},
		{`environment: {X: ${A:-hunter2}, Z: "hunter2"`, `environment: {X: ${A:-***}, ***: "***"`},
		{`environment: {X: {{ .Values.x }}, Z: "hunter2"}`, `environment: {X: {{ .Values.x }}, ***: "***"}`},
		{`X: {"a": "hunter2`, `X: {***: ***`},
		// Command lines.
		{`command: ["psql", "postgres://u:pw@h/db"]`, `command: ["***", "postgres://u:***@h/db"]`},
		{`command: psql -c "alter user x password 'hunter2'"`, `command: ***`},
		{`command: psql $POSTGRES_ROOT_USER hunter2`, `command: *** $POSTGRES_ROOT_USER ***`},
		{`- --password=hunter2`, `- ***`},
		// Env files and scripts.
		{`export X="hunter2"`, `export X="***"`},
		{`X='$ABC'`, `X='***'`},
		// Continuation lines.
		{`  hunter2`, `  ***`},
		{`  hunter2 ${A} hunter3`, `  *** ${A} ***`},
		{`ZA==`, `***`},
		{``, ``},
	}
	for _, test := range tests {
		if got := shown(redact(test.line, testNames(manifest.Compose))); got != test.want {
			t.Errorf("redact(%s)\n gives %s\n want  %s", test.line, got, test.want)
		}
	}
	if got := shown(redact(`value: $ABC`, testNames(manifest.Kubernetes))); got != `value: ***` {
		t.Errorf("Kubernetes knows no $NAME, but %s is shown", got)
	}
}

// shapes are lines with a place for a value.
var shapes = []string{
	"%s", "  %s", "- %s", "- %s: x", "%s: x", "%s=x", "export %s=x", "# %s", "X: y # %s",
	"X: %s", "X: '%s'", `X: "%s"`, "X:%s", "X : %s", "value: %s", "name: %s", "key: %s", "password: %s", "restart: %s", "optional: %s",
	"X=%s", `X="%s"`, "X='%s'", "- X=%s", `- "X=%s"`, "export X=%s", "X = %s", "- Y=%s", "X=a %s",
	"{name: X, value: %s}", `{name: X, value: "%s"}`, "- {name: %s, value: %s}", `{"name":"X","value":"%s"}`,
	`  "value": "%s",`, "X: {%s: %s}", "[%s, %s]", `["%s"`, "{X: {y: [%s", `{"%s`,
	`command: ["psql", "%s"]`, "command: psql %s", `command: psql --x=%s "$X" y`, "- --x=%s", `args: [--x, '%s']`,
	"X: ${A:-%s}", "X: ${A-%s}", "X: ${A:?%s}", "X: ${A:+%s}", "X: ${A:-${B:-%s}}", "X: ${A}%s", "X: %s${A}", "X: ${A} %s $(B)", "X: ${A}:%s@${B}",
	"X: ${A:-%s", "X: $$%s", "X: $${%s}", "X: a%s", `"X": "%s" %s`, "{X: ${A:-%s}}",
	"X: postgres://u:%s@h/db", "X=postgresql://${U}:%s@${H}/db", "X: postgres://u:p@h/db?password=%s",
	"X: postgres://u:%s", "X: postgres://%s", "X: ${D:-postgres://u:%s@h/db}", "X: https://u:%s@h/", "X: https://h/%s", "psql postgres://u:%s@h/db -c x",
	`X: "host=h password=%s"`, "X: &%s y", "X: *%s", "X: !!str %s", "X: | %s", "X: >- # %s",
	`X: {{ default "%s" .Values.x }}`, `{{ "%s" }}`, "X: '{{ .Values.x }}%s'", `{a: {{ "%s" }}, b: c}`,
	"postgres: %s", "app: %s", `- postgres: "%s"`,
}

// secret makes a value that no name, word or number of the shapes equals: marked
// pieces with signs between that mean something to some syntax.
func secret(random *rand.Rand) (text string, parts []string) {
	const signs = "  :=@/?#&%,;!*|>-_.~^+'\"`\\{}[]()<>$\tüß漢\u00a0"
	var b strings.Builder
	for i := range 1 + random.Intn(4) {
		if i > 0 {
			for range 1 + random.Intn(3) {
				all := []rune(signs)
				b.WriteRune(all[random.Intn(len(all))])
			}
		}
		part := fmt.Sprintf("q%dz", 100+random.Intn(900))
		parts = append(parts, part)
		b.WriteString(part)
	}
	return b.String(), parts
}

// excused tells whether the value makes a part of itself, in the very syntax of
// the manifest, a name or an address: a reference, a field of a Helm action, the
// host of a DSN.
func excused(shape, text string) bool {
	_, behind, _ := strings.Cut(shape, "%s")
	host := strings.Contains(text, "@") && strings.Contains(shape, "postgres://") && !strings.Contains(behind, "@")
	return host || strings.Contains(text, "${") || strings.Contains(text, "$(") || strings.Contains(text, "{{")
}

func TestNoValueSurvives(t *testing.T) {
	survives := func(seed int64) bool {
		text, parts := secret(rand.New(rand.NewSource(seed)))
		for _, shape := range shapes {
			if excused(shape, text) {
				continue
			}
			line := strings.ReplaceAll(shape, "%s", text)
			for _, dialect := range []manifest.Dialect{manifest.Compose, manifest.Kubernetes} {
				got := shown(redact(line, testNames(dialect)))
				for _, part := range parts {
					if strings.Contains(got, part) {
						t.Errorf("redact(%s)\n gives %s", line, got)
						return false
					}
				}
			}
		}
		return true
	}
	if err := quick.Check(survives, &quick.Config{MaxCountScale: 2}); err != nil {
		t.Error(err)
	}
}

// TestPiecesCoverTheLine holds that pieces are the line's own text in order, so
// that a mark stands where it should.
func TestPiecesCoverTheLine(t *testing.T) {
	for seed := range int64(50) {
		text, _ := secret(rand.New(rand.NewSource(seed)))
		for _, shape := range shapes {
			checkPieces(t, strings.ReplaceAll(shape, "%s", text))
		}
	}
}

func checkPieces(t *testing.T, line string) {
	t.Helper()
	original := []rune(line)
	next := 0
	for _, p := range redact(line, testNames(manifest.Compose)) {
		if p.start != next {
			t.Fatalf("a piece of %q begins at %d, and the one before ends at %d", line, p.start, next)
		}
		if !p.masked && p.text != string(original[p.start:p.end]) {
			t.Fatalf("a piece of %q is not its text", line)
		}
		next = p.end
	}
	if next != len(original) {
		t.Fatalf("the pieces of %q end at %d of %d", line, next, len(original))
	}
}

func FuzzRedact(f *testing.F) {
	for _, shape := range shapes {
		f.Add(strings.ReplaceAll(shape, "%s", "hunter2"))
	}
	f.Fuzz(func(t *testing.T, line string) {
		if len(line) <= maxLine {
			checkPieces(t, line)
		}
	})
}
