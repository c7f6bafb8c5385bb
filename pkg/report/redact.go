package report

import (
	"regexp"
	"slices"
	"strings"

	"github.com/derekg1729/dsnlint/pkg/manifest"
	"github.com/derekg1729/dsnlint/pkg/rules"
)

// piece is a stretch of a redacted line. It stands for the code points from
// start to end of the original; where it is not masked, it is their very text.
type piece struct {
	text       string
	start, end int
	masked     bool
}

// names are what a finding itself says, and hence what a line may show of a
// manifest's own words.
type names struct {
	// variables are the variable and the secrets of the finding.
	variables map[string]bool
	// objects are the container, its workload, and the names in the provenance.
	objects map[string]bool
	// dollar tells whether $NAME is a reference in the dialect.
	dollar bool
}

// shownNames collects the names of the findings of one entry.
func shownNames(b block) names {
	n := names{variables: map[string]bool{}, objects: map[string]bool{}, dollar: b[0].Container.Dialect == manifest.Compose}
	for _, f := range b {
		n.add(f)
	}
	return n
}

func (n names) add(f *rules.Finding) {
	for _, name := range append([]string{f.Variable}, f.Secrets...) {
		n.variables[name] = name != ""
	}
	for _, name := range []string{f.Container.Name, f.Container.Workload.Name, f.Container.Project.Name} {
		n.objects[name] = true
	}
	for _, path := range f.Provenance {
		for _, step := range path {
			for _, name := range objectName.FindAllString(step.Text.String(), -1) {
				n.objects[name] = true
			}
		}
	}
}

// objectName finds names in a step's text; a plain word of English has neither
// a capital inside nor a joint.
var objectName = regexp.MustCompile(`[A-Za-z0-9]+(?:[-_.][A-Za-z0-9]+)+|[A-Z][A-Z0-9]+`)

// vocabulary are the keys of the manifest languages themselves.
var vocabulary = wordSet(`annotations apiVersion args build command condition config configMap configMapKeyRef
	configMapRef configs containers csi data depends_on entrypoint env envFrom env_file environment
	ephemeralContainers exec fieldPath fieldRef files healthcheck image initContainers items key kind labels
	lifecycle literals metadata mountPath name namespace optional path postStart preStop prefix projected
	required restart restartPolicy secret secretKeyRef secretName secretRef secrets services source sources spec
	stringData subPath target template test value valueFrom volumeMounts volumes`)

// nameKeys are the keys whose value is a name and no content.
var nameKeys = wordSet("key name secretName source target")

// plainWords are the values that say nothing, under the keys that take them.
var plainWords = map[string]map[string]bool{
	"condition":     wordSet("service_started service_healthy service_completed_successfully"),
	"optional":      wordSet("true false"),
	"required":      wordSet("true false"),
	"restart":       wordSet("no always on-failure unless-stopped"),
	"restartPolicy": wordSet("Always OnFailure Never"),
}

func wordSet(words string) map[string]bool {
	set := map[string]bool{}
	for _, word := range strings.Fields(words) {
		set[word] = true
	}
	return set
}

// redactor turns a line into pieces. What it does not know for a key, a name, a
// reference or punctuation, it masks; misreading a line can therefore hide too
// much, but shows nothing that the rules below would not show elsewhere.
type redactor struct {
	line  []rune
	names names
	out   []piece
}

// redact shows a line of a manifest, an env file or a script without values.
// What stays is the languages' own keys, the names that the finding mentions
// where a name belongs, references to variables, and the skeleton of a DSN.
func redact(line string, n names) []piece {
	r := &redactor{line: []rune(line), names: n}
	i, j := r.blank(0, len(r.line)), len(r.line)
	for i < j && (r.line[i] == '-' || r.line[i] == '?') && (i+1 == j || isBlank(r.line[i+1])) {
		i = r.blank(r.keep(i, i+1), j)
	}
	if r.has(i, "export ") {
		i = r.blank(r.keep(i, i+len("export ")), j)
	}
	if r.opensFlow(i, j) {
		r.flow(i, j)
	} else {
		r.entry(i, j)
	}
	return r.out
}

// entry takes what stands on a line of its own: a key with its value, an
// assignment, or a value alone.
func (r *redactor) entry(i, j int) {
	key, next, ok := r.key(i, j)
	if !ok {
		r.value("", i, j)
		return
	}
	i = r.blank(next, j)
	if r.opensFlow(i, j) {
		r.flow(i, j)
		return
	}
	r.value(key, i, j)
}

// flow takes a flow collection or JSON. Brackets need not match: the collection
// may go on in other lines.
func (r *redactor) flow(i, j int) {
	key := ""
	for i < j {
		if isBlank(r.line[i]) || isFlow(r.line[i]) && !r.has(i, "{{") {
			if r.line[i] == ',' {
				key = ""
			}
			i = r.keep(i, i+1)
			continue
		}
		if name, next, ok := r.key(i, j); ok {
			key, i = name, next
			continue
		}
		end := r.flowScalarEnd(i, j)
		r.value(key, i, end)
		key, i = "", end
	}
}

// flowScalarEnd finds where a scalar of a flow collection ends.
func (r *redactor) flowScalarEnd(i, j int) int {
	if end, ok := r.quoted(i, j); ok {
		return end
	}
	if isQuote(r.line[i]) {
		return j
	}
	for i < j {
		_, end := r.reference(i, j, false)
		switch {
		case end > i:
			i = end
		case r.has(i, "{{"):
			// An action that goes on in other lines.
			return j
		case isFlow(r.line[i]):
			return i
		default:
			i++
		}
	}
	return i
}

// plainKey is a key without quotes, as the names of variables, services and
// fields are.
var plainKey = regexp.MustCompile(`^[A-Za-z0-9_./~-]+`)

// key takes the key at i, if there is one, together with its colon, and gives
// its name and the place behind it.
func (r *redactor) key(i, j int) (name string, next int, ok bool) {
	start := i
	end, quoted := r.quoted(i, j)
	if quoted {
		name = string(r.line[i+1 : end-1])
	} else {
		name = plainKey.FindString(string(r.line[i:j]))
		end = i + len(name) // the expression matches ASCII only
	}
	colon := end
	for colon < j && isBlank(r.line[colon]) {
		colon++
	}
	if name == "" || colon == j || r.line[colon] != ':' {
		return "", i, false
	}
	if !quoted && colon+1 < j && !isBlank(r.line[colon+1]) && !isFlow(r.line[colon+1]) {
		return "", i, false
	}
	if vocabulary[name] || r.names.variables[name] || r.names.objects[name] {
		r.keep(start, end)
	} else {
		r.mask(start, end)
	}
	return name, r.keep(end, colon+1), true
}

// value takes a scalar, with or without quotes, under a key; the key is empty
// for an item of a list and for a line that has none.
func (r *redactor) value(key string, i, j int) {
	end := j
	for end > i && isBlank(r.line[end-1]) {
		end--
	}
	defer r.keep(end, j)
	if shut, ok := r.quoted(i, end); ok {
		quote := r.line[i]
		r.keep(i, i+1)
		r.content(key, i+1, shut-1, quote == '\'')
		r.keep(shut-1, shut)
		r.rest(shut, end)
		return
	}
	if key != "" && blockHeader.MatchString(string(r.line[i:end])) {
		r.keep(i, end)
		return
	}
	// The closing brackets of a collection that began in another line.
	bare := end
	for bare > i && (isFlow(r.line[bare-1]) || isBlank(r.line[bare-1])) {
		bare--
	}
	if r.isName(key, string(r.line[i:bare])) {
		r.keep(i, end)
		return
	}
	r.content(key, i, end, false)
}

// blockHeader is what introduces a block scalar.
var blockHeader = regexp.MustCompile(`^[|>][-+0-9]{0,2}$`)

// rest takes what follows a closing quote: punctuation, or what must be masked.
func (r *redactor) rest(i, j int) {
	for i < j && (isBlank(r.line[i]) || isFlow(r.line[i])) {
		i = r.keep(i, i+1)
	}
	r.scalar(i, j, true)
}

// isName tells whether a value is shown because of its key.
func (r *redactor) isName(key, value string) bool {
	switch {
	case key == "":
		return r.names.variables[value]
	case nameKeys[key]:
		return r.names.variables[value] || r.names.objects[value]
	}
	return plainWords[key][value]
}

// content takes the text of a scalar without its quotes.
func (r *redactor) content(key string, i, j int, literal bool) {
	if r.isName(key, string(r.line[i:j])) {
		r.keep(i, j)
		return
	}
	if name, _, ok := strings.Cut(string(r.line[i:j]), "="); ok && key == "" && r.names.variables[name] {
		i = r.keep(i, i+len([]rune(name))+1)
		if shut, ok := r.quoted(i, j); ok && shut == j {
			literal = r.line[i] == '\''
			r.keep(i, i+1)
			r.scalar(i+1, j-1, literal)
			r.keep(j-1, j)
			return
		}
	}
	r.scalar(i, j, literal)
}

// atom is one code point of literal text, or a whole reference in its shown
// form.
type atom struct {
	start, end int
	ref        []piece
}

// scalar masks the literal text of a value, keeps its references, and keeps the
// skeleton of a DSN. In literal text $NAME is no reference.
func (r *redactor) scalar(i, j int, literal bool) {
	var atoms []atom
	for at := i; at < j; {
		if r.has(at, "$$") {
			// An escape: neither dollar begins a reference.
			atoms = append(atoms, atom{start: at, end: at + 1}, atom{start: at + 1, end: at + 2})
			at += 2
			continue
		}
		ref, end := r.reference(at, j, literal)
		if end == at {
			end = at + 1
		}
		atoms = append(atoms, atom{start: at, end: end, ref: ref})
		at = end
	}
	r.dsn(atoms)
}

// scheme is how a DSN begins.
var scheme = regexp.MustCompile(`(?:jdbc:)?postgres(?:ql)?(?:\+[a-z0-9]+)?://`)

// dsn keeps scheme, user, host and database of a DSN. The password ends at the
// last @ of the line, since one that is not percent-encoded may hold any sign:
// what comes between a DSN and a later @ is taken for a part of it.
func (r *redactor) dsn(atoms []atom) {
	text := r.literals(atoms)
	found := scheme.FindStringIndex(text)
	if found == nil {
		r.generic(atoms, false)
		return
	}
	// The text has one byte for each atom.
	r.generic(atoms[:found[0]], false)
	r.shown(atoms[found[0]:found[1]])
	atoms, text = atoms[found[1]:], text[found[1]:]
	at := strings.LastIndexByte(text, '@')
	if at < 0 || r.atFrom(atoms[len(atoms)-1].end) {
		r.generic(atoms, true)
		return
	}
	user, _, ok := strings.Cut(text[:at], ":")
	if ok && userName.MatchString(user) {
		r.shown(atoms[:len(user)+1])
		r.generic(atoms[len(user)+1:at], true)
	} else {
		r.generic(atoms[:at], true)
	}
	r.shown(atoms[at : at+1])
	address := address.FindString(text[at+1:])
	r.shown(atoms[at+1 : at+1+len(address)])
	r.generic(atoms[at+1+len(address):], false)
}

// atFrom tells whether the line holds an @ behind i.
func (r *redactor) atFrom(i int) bool { return slices.Contains(r.line[i:], '@') }

// literals gives one byte for each atom: its own for a sign of ASCII, and
// stand-ins that no other atom has for a reference and for other signs.
func (r *redactor) literals(atoms []atom) string {
	text := make([]byte, len(atoms))
	for i, a := range atoms {
		switch c := string(r.line[a.start]); {
		case a.ref != nil:
			text[i] = refByte
		case len(c) == 1 && c[0] != refByte:
			text[i] = c[0]
		default:
			text[i] = otherByte
		}
	}
	return string(text)
}

const (
	refByte   = '\x01'
	otherByte = '\x02'
)

var (
	userName = regexp.MustCompile(`^[\x01A-Za-z0-9_.-]*$`)
	// address is hosts with ports and the name of the database; it counts only
	// where the text ends behind it, or a query or a blank begins.
	address = regexp.MustCompile(`^[\x01A-Za-z0-9_.-]+(?::(?:[0-9]{1,5}|\x01))?(?:/[\x01A-Za-z0-9_-]*)?(?:$|[? \t])`)
)

// separators may stand between two references without being a value.
var separators = regexp.MustCompile(`^[:/@]{1,3}$`)

// generic keeps references and masks all else, but for a separator between two
// references unless strict.
func (r *redactor) generic(atoms []atom, strict bool) {
	for i := 0; i < len(atoms); {
		if atoms[i].ref != nil {
			r.out = append(r.out, atoms[i].ref...)
			i++
			continue
		}
		end := i
		for end < len(atoms) && atoms[end].ref == nil {
			end++
		}
		between := i > 0 && end < len(atoms)
		start, stop := atoms[i].start, atoms[end-1].end
		if between && !strict && separators.MatchString(string(r.line[start:stop])) {
			r.keep(start, stop)
		} else {
			r.maskWords(start, stop)
		}
		i = end
	}
}

// shown keeps atoms as they are.
func (r *redactor) shown(atoms []atom) {
	for _, a := range atoms {
		if a.ref != nil {
			r.out = append(r.out, a.ref...)
			continue
		}
		r.keep(a.start, a.end)
	}
}

var (
	bracedName = regexp.MustCompile(`^\$\{([A-Za-z_][A-Za-z0-9_]*)(:?[-?+])?`)
	parenName  = regexp.MustCompile(`^\$\([A-Za-z_][A-Za-z0-9_]*\)`)
	dollarName = regexp.MustCompile(`^\$([A-Za-z_][A-Za-z0-9_]*)`)
	upperName  = regexp.MustCompile(`^[A-Z_][A-Z0-9_]*$`)
	fieldPath  = regexp.MustCompile(`^\$?(?:\.[A-Za-z_][A-Za-z0-9_]*)+`)
)

// reference gives the shown form of the reference at i and its end, or i where
// there is none.
func (r *redactor) reference(i, j int, literal bool) ([]piece, int) {
	switch {
	case r.has(i, "{{"):
		return r.action(i, j)
	case r.line[i] != '$':
		return nil, i
	}
	// No name is longer than this, and it bounds the search.
	text := string(r.line[i:min(j, i+maxName)])
	if m := parenName.FindString(text); m != "" {
		return r.sub(func() { r.keep(i, i+len(m)) }), i + len(m)
	}
	if m := bracedName.FindStringSubmatch(text); m != nil {
		end := r.closing(i+1, j)
		next := i + len(m[0])
		if end < 0 || m[2] == "" && next != end {
			return nil, i
		}
		return r.sub(func() {
			r.keep(i, next)
			r.scalar(next, end, literal)
			r.keep(end, end+1)
		}), end + 1
	}
	m := dollarName.FindStringSubmatch(text)
	if m == nil {
		return nil, i
	}
	end := i + len(m[0])
	whole := r.names.dollar && !literal && upperName.MatchString(m[1]) && r.bounded(i-1) && r.bounded(end)
	if !whole && !r.names.variables[m[1]] {
		return nil, i
	}
	return r.sub(func() { r.keep(i, end) }), end
}

const maxName = 256

// bounded tells whether a word may end at i: a dollar amid other signs is more
// likely part of a password than a reference.
func (r *redactor) bounded(i int) bool {
	return i < 0 || i >= len(r.line) || strings.ContainsRune(" \t\"'`=:/@,[]{}()", r.line[i])
}

// closing finds the brace that closes the one at i, or gives -1.
func (r *redactor) closing(i, j int) int {
	depth := 0
	for ; i < j; i++ {
		switch r.line[i] {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

// action takes a Helm action and keeps its paths, such as .Values.database.url,
// as long as no quote has come.
func (r *redactor) action(i, j int) ([]piece, int) {
	size := strings.Index(string(r.line[i:j]), "}}")
	if size < 0 {
		return nil, i
	}
	end := i + len([]rune(string(r.line[i:j])[:size]))
	return r.sub(func() {
		at, from := r.keep(i, i+2), i+2
		for at < end && !isQuote(r.line[at]) {
			path := fieldPath.FindString(string(r.line[at:min(end, at+maxName)]))
			if path == "" || !isBlank(r.line[at-1]) && r.line[at-1] != '{' && r.line[at-1] != '(' {
				at++
				continue
			}
			r.maskWords(from, at)
			from = r.keep(at, at+len(path))
			at = from
		}
		r.maskWords(from, end)
		r.keep(end, end+2)
	}), end + 2
}

// quoted gives the end of the quoted string at i.
func (r *redactor) quoted(i, j int) (end int, ok bool) {
	if i >= j || !isQuote(r.line[i]) {
		return i, false
	}
	for at := i + 1; at < j; at++ {
		switch {
		case r.line[at] == '\\' && r.line[i] == '"':
			at++
		case r.line[at] == r.line[i]:
			return at + 1, true
		}
	}
	return i, false
}

func (r *redactor) opensFlow(i, j int) bool {
	return i < j && (r.line[i] == '{' || r.line[i] == '[') && !r.has(i, "{{")
}

// sub gives the pieces that emit makes, instead of putting them out.
func (r *redactor) sub(emit func()) []piece {
	before := r.out
	r.out = nil
	emit()
	made := r.out
	r.out = before
	return made
}

// blank keeps the blanks at i and gives the place behind them.
func (r *redactor) blank(i, j int) int {
	end := i
	for end < j && isBlank(r.line[end]) {
		end++
	}
	return r.keep(i, end)
}

func (r *redactor) keep(i, j int) int {
	if i < j {
		r.out = append(r.out, piece{text: string(r.line[i:j]), start: i, end: j})
	}
	return j
}

// maskWords masks a text but for the blanks around it.
func (r *redactor) maskWords(i, j int) {
	i = r.blank(i, j)
	end := j
	for end > i && isBlank(r.line[end-1]) {
		end--
	}
	r.mask(i, end)
	r.keep(end, j)
}

// mask puts one mask for a text. One that only blanks part from the mask before
// joins it, so that the number of words does not show.
func (r *redactor) mask(i, j int) {
	if i >= j {
		return
	}
	last := len(r.out) - 1
	for last >= 0 && !r.out[last].masked && strings.Trim(r.out[last].text, " \t") == "" {
		last--
	}
	if last >= 0 && r.out[last].masked {
		r.out = append(r.out[:last], piece{text: manifest.Masked, start: r.out[last].start, end: j, masked: true})
		return
	}
	r.out = append(r.out, piece{text: manifest.Masked, start: i, end: j, masked: true})
}

func (r *redactor) has(i int, text string) bool {
	for k, c := range []rune(text) {
		if i+k >= len(r.line) || r.line[i+k] != c {
			return false
		}
	}
	return true
}

func isBlank(c rune) bool { return c == ' ' || c == '\t' }

func isQuote(c rune) bool { return c == '"' || c == '\'' || c == '`' }

func isFlow(c rune) bool { return strings.ContainsRune("{}[],", c) }

// Redactor gives a function that shows lines of manifests without values, by the
// rules of the text format. What it may name are the names of the findings.
func Redactor(findings []rules.Finding) func(line string) string {
	n := names{variables: map[string]bool{}, objects: map[string]bool{}}
	for i := range findings {
		n.add(&findings[i])
	}
	return func(line string) string {
		if len(line) > maxLine {
			return manifest.Masked
		}
		shown, _ := render(redact(line, n), manifest.Position{})
		return shown
	}
}
