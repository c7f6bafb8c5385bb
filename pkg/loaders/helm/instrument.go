package helm

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The functions that instrument adds to templates. A chart cannot call one: a
// template that names a function with this prefix is refused.
const (
	ownPrefix   = "dsnlint__"
	enterName   = ownPrefix + "enter"
	leaveName   = ownPrefix + "leave"
	countName   = ownPrefix + "count"
	outName     = ownPrefix + "out"
	markName    = ownPrefix + "mark"
	tplName     = ownPrefix + "tpl"
	argName     = ownPrefix + "arg"
	parseName   = ownPrefix + "parse"
	resultName  = ownPrefix + "result"
	compareName = ownPrefix + "compare"
)

// maxNesting bounds the blocks and parentheses of a template that lie in each
// other: parser and executor recurse over them.
const maxNesting = 1000

var (
	errOwnName = errors.New("a template names a function of dsnlint")
	errNesting = errors.New("a template is nested too deeply")
)

// guard is how the arguments of a function are looked at that nobody outside of
// the engine can wrap.
type guard struct {
	// name is the function that an argument goes through, and result that which
	// what is returned goes through; empty for none.
	name, result string
	// each says that every argument does, first that only the first one does; if
	// neither is set there is only one.
	each, first bool
}

// guards are the functions of Helm and of text/template that take or make a value
// of any size.
var guards = map[string]guard{
	"tpl":    {name: tplName, first: true},
	"toYaml": {name: argName}, "mustToYaml": {name: argName}, "toYamlPretty": {name: argName},
	"toJson": {name: argName}, "mustToJson": {name: argName},
	"toToml": {name: argName}, "mustToToml": {name: argName},
	"fromYaml": {name: parseName, result: resultName}, "fromYamlArray": {name: parseName, result: resultName},
	"fromJson": {name: parseName, result: resultName}, "fromJsonArray": {name: parseName, result: resultName},
	"fromToml": {name: parseName, result: resultName},
	"eq":       {name: compareName, each: true}, "ne": {name: compareName, each: true},
	"lt": {name: compareName, each: true}, "le": {name: compareName, each: true},
	"gt": {name: compareName, each: true}, "ge": {name: compareName, each: true},
	"index": {name: compareName, each: true},
}

// insertion is a text that is put into a template.
type insertion struct {
	// at is the offset in the template as it was written.
	at   int
	text string
}

// instrumented is a template whose work is counted.
type instrumented struct {
	text string
	// written is the template without the insertions.
	written    string
	insertions []insertion
	// nodes is about what the parser makes of it.
	nodes int
}

// block is an open block of a template.
type block struct {
	// start is the offset of its body, and added the insertion in front of it; -1
	// for none.
	start, added int
	// owner says that the body is a template of its own, and filled that it holds
	// more than space and comments.
	owner, filled bool
	// space counts the space in it, nesting what lies in each other in its body.
	space, nesting int
	// extra is the weight of what its actions do besides.
	extra int
}

// instrumenter puts into a template what counts its work, without any change of
// what it renders.
type instrumenter struct {
	text       string
	insertions []insertion
	blocks     []block
	// files is the size of the files that a method of .Files may work on.
	files int
	// depth is what one of its templates adds to the depth of the stack.
	depth int
	nodes int
	// file is the number of the file, and marks tells that its lines are marked.
	file  int
	marks bool
	// line is the line of the offset counted.
	line, counted int
}

// instrument makes a template count its work: each of its named templates calls
// enter and leave, each turn of a range counts, what an action prints goes
// through out, the text of a tpl through tpl, and what Helm marshals through arg.
// A template without any of it stays empty for the parser, which knows empty
// ones. file is the number of the template's file, or -1; files is the size of
// what .Files holds, and depth what a template adds to that of the stack. With marks,
// what it prints also tells the line that it comes from.
func instrument(text string, file, files, depth int, marks bool) (*instrumented, error) {
	in := &instrumenter{text: text, files: files, depth: depth, file: file, marks: marks, line: 1}
	in.blocks = []block{{added: -1, owner: true}}
	for i := 0; i < len(text); {
		start := strings.Index(text[i:], "{{")
		if start < 0 {
			in.plain(i, len(text))
			break
		}
		in.plain(i, i+start)
		a, ok := scanAction(text, i+start)
		if !ok {
			break // the parser says what is wrong
		}
		if err := in.action(a); err != nil {
			return nil, err
		}
		i = a.end
	}
	// An unclosed block is an error of the parser.
	root := in.blocks[0]
	if root.counts() {
		in.insertions = slices.Insert(in.insertions, 0, insertion{0, enter(weight(0, len(text), root.extra), root.nesting+depth, file)})
		// A brace at the end would make another delimiter with the one behind it.
		in.add(len(strings.TrimSuffix(text, "{")), "{{"+leaveName+"}}")
	}
	slices.SortStableFunc(in.insertions, func(a, b insertion) int { return a.at - b.at })
	return &instrumented{text: apply(text, in.insertions), written: text, insertions: in.insertions, nodes: in.nodes}, nil
}

func apply(text string, insertions []insertion) string {
	var b strings.Builder
	last := 0
	for _, ins := range insertions {
		b.WriteString(text[last:ins.at])
		b.WriteString(ins.text)
		last = ins.at
	}
	b.WriteString(text[last:])
	return b.String()
}

// place returns the line and column, both from 1, in the template as it was
// written. The engine counts lines from 1 and the bytes of a line from 0; a
// column below 0 is not known.
func (t *instrumented) place(line, column int) (int, int) {
	if column < 0 {
		return line, 1
	}
	start := lineStart(t.text, line)
	offset := min(start+column, len(t.text))
	for _, ins := range t.insertions {
		// Insertions are sorted, so that each one's offset in the result is known
		// once those before it are taken off.
		if offset <= ins.at {
			break
		}
		offset = max(ins.at, offset-len(ins.text))
	}
	own := lineStart(t.written, line)
	if offset < own {
		return line, 1
	}
	return line, utf8.RuneCountInString(t.written[own:min(offset, len(t.written))]) + 1
}

func lineStart(text string, line int) int {
	start := 0
	for ; line > 1; line-- {
		next := strings.IndexByte(text[start:], '\n')
		if next < 0 {
			return start
		}
		start += next + 1
	}
	return start
}

// weight is the work of what stands between two offsets of a template, done once.
func weight(start, end, extra int) int { return 1 + (end-start)/32 + extra }

func enter(weight, nesting, file int) string {
	return fmt.Sprintf("{{%s %d %d %d}}", enterName, weight, nesting, file)
}

// counts reports whether the block is worth counting. An empty one costs nothing
// but its space.
func (b *block) counts() bool { return b.filled || b.space > 64 }

func (in *instrumenter) add(at int, text string) {
	in.insertions = append(in.insertions, insertion{at, text})
}

func (in *instrumenter) owner() *block {
	for i := len(in.blocks) - 1; i > 0; i-- {
		if in.blocks[i].owner {
			return &in.blocks[i]
		}
	}
	return &in.blocks[0]
}

// marked reports whether what is in the innermost block is marked: definitions are not.
func (in *instrumenter) marked() bool { return in.marks && in.owner() == &in.blocks[0] }

// lineOf returns the line of an offset that is not before the last one asked for.
func (in *instrumenter) lineOf(at int) int {
	in.line += strings.Count(in.text[in.counted:at], "\n")
	in.counted = at
	return in.line
}

// plain takes a text outside of actions.
func (in *instrumenter) plain(start, end int) {
	owner, text := in.owner(), in.text[start:end]
	if in.marked() {
		for _, at := range lastCharacters(text) {
			in.add(start+at, markOf(in.file, in.lineOf(start+at)))
		}
	}
	if strings.TrimSpace(text) != "" {
		owner.filled = true
	}
	owner.space += len(text)
}

// token is a part of an action.
type token struct {
	kind       tokenKind
	start, end int
}

type tokenKind int

const (
	spaceToken    tokenKind = iota
	wordToken               // an identifier or number
	fieldToken              // a field, a variable or a dot
	constantToken           // a constant in quotes
	signToken               // any other character
)

// action is an action of a template, with the offsets of its delimiters.
type action struct {
	start, end          int
	trimLeft, trimRight bool
	comment             bool
	tokens              []token
}

// scanAction returns the action that begins at an offset, as the lexer of
// text/template reads it; false where that one finds no end.
func scanAction(s string, start int) (a action, ok bool) {
	a.start = start
	i := start + 2
	if i+1 < len(s) && s[i] == '-' && isSpace(s[i+1]) {
		a.trimLeft = true
		i += 2
	}
	if strings.HasPrefix(s[i:], "/*") {
		a.comment = true
		end := strings.Index(s[i+2:], "*/")
		if end < 0 {
			return a, false
		}
		i += 2 + end + 2
		a.end, a.trimRight = rightDelim(s, i)
		return a, a.end > 0
	}
	for i < len(s) {
		if a.end, a.trimRight = rightDelim(s, i); a.end > 0 {
			return a, true
		}
		t := token{start: i}
		t.kind, i = scanToken(s, i)
		if i < 0 {
			return a, false
		}
		t.end = i
		a.tokens = append(a.tokens, t)
	}
	return a, false
}

// rightDelim returns the offset behind the delimiter at i; 0 if there is no delimiter.
func rightDelim(s string, i int) (end int, trim bool) {
	if i < len(s) && isSpace(s[i]) && strings.HasPrefix(s[i+1:], "-}}") {
		return i + 4, true
	}
	if strings.HasPrefix(s[i:], "}}") {
		return i + 2, false
	}
	return 0, false
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// scanToken returns the kind and the end of the token at i; the end is -1 where a
// constant has none.
func scanToken(s string, i int) (tokenKind, int) {
	switch c := s[i]; {
	case isSpace(c):
		return spaceToken, i + 1
	case c == '"' || c == '\'':
		for j := i + 1; j < len(s); j++ {
			switch s[j] {
			case '\\':
				j++
			case c:
				return constantToken, j + 1
			}
		}
		return constantToken, -1
	case c == '`':
		end := strings.IndexByte(s[i+1:], '`')
		if end < 0 {
			return constantToken, -1
		}
		return constantToken, i + 1 + end + 1
	case c == '.' || c == '$':
		return fieldToken, wordEnd(s, i+1)
	}
	if end := wordEnd(s, i); end > i {
		return wordToken, end
	}
	_, size := utf8.DecodeRuneInString(s[i:])
	return signToken, i + size
}

func wordEnd(s string, i int) int {
	for i < len(s) {
		r, size := utf8.DecodeRuneInString(s[i:])
		if r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			break
		}
		i += size
	}
	return i
}

// fileMethods are the methods of .Files, with the bytes of files that one unit of
// work is for.
var fileMethods = map[string]int{
	".AsConfig": 64, ".AsSecrets": 64, ".Lines": 256, ".Glob": 1024, ".Get": 4096, ".GetBytes": 4096,
}

// traits are what the tokens of an action say of it.
type traits struct {
	first    string // its first word or sign
	declares bool   // whether it sets a variable
	deepest  int    // how deep its parentheses are nested
	extra    int    // the work of the methods of .Files
}

func (in *instrumenter) traits(tokens []token) (traits, error) {
	var a traits
	depth := 0
	for _, t := range tokens {
		s := in.text[t.start:t.end]
		switch {
		case t.kind == wordToken && strings.HasPrefix(s, ownPrefix):
			return a, errOwnName
		case t.kind == wordToken && a.first == "":
			a.first = s
		case t.kind == fieldToken && fileMethods[s] > 0:
			a.extra += in.files / fileMethods[s]
		case t.kind == signToken && s == "=":
			a.declares = true
		case t.kind == signToken && s == "(":
			depth++
			a.deepest = max(a.deepest, depth)
		case t.kind == signToken && s == ")":
			depth--
		}
		if a.first == "" && t.kind != spaceToken {
			a.first = s
		}
	}
	return a, nil
}

// action looks at an action and puts in what counts it.
func (in *instrumenter) action(a action) error {
	in.nodes += 4 + len(a.tokens)
	if a.comment {
		return nil
	}
	is, err := in.traits(a.tokens)
	if err != nil {
		return err
	}
	top := &in.blocks[len(in.blocks)-1]
	top.extra += is.extra
	top.nesting = max(top.nesting, is.deepest)
	if len(in.blocks)+is.deepest > maxNesting {
		return errNesting
	}
	if is.first != "define" && is.first != "end" {
		in.owner().filled = true
	}
	in.calls(a.tokens)
	switch is.first {
	case "if", "with":
		in.open(block{start: a.end, added: -1})
	case "range":
		in.open(block{start: a.end, added: len(in.insertions)})
		in.add(a.end, "{{"+countName) // finished when its weight is known
		if a.trimRight {
			in.insertions[len(in.insertions)-1].text += " -"
		}
	case "define", "block":
		in.open(block{start: a.end, added: len(in.insertions), owner: true})
		in.add(a.end, "")
		if a.trimRight {
			in.insertions[len(in.insertions)-1].text = "-"
		}
	case "end":
		in.close(a)
	case "template":
		in.callTemplate(a)
	case "else", "break", "continue":
	default:
		if last := lastToken(a.tokens); !is.declares && last >= 0 {
			pipe := " | "
			if in.isSign(a.tokens[last], "|") {
				pipe = " " // the parser takes a pipe at the end for none
			}
			in.add(a.tokens[last].end, pipe+outName+in.markPipe(a))
		}
	}
	return nil
}

// markPipe is what marks the lines that an action prints; empty where they are not
// marked.
func (in *instrumenter) markPipe(a action) string {
	if !in.marked() {
		return ""
	}
	return fmt.Sprintf(" | %s %d %d", markName, in.file, in.lineOf(a.start))
}

// callTemplate has a template action print by include where that is marked, since it
// has no pipe of its own. What it hands over must be one word, which costs nothing.
func (in *instrumenter) callTemplate(a action) {
	var words []string
	for _, t := range a.tokens {
		if t.kind != spaceToken {
			words = append(words, in.text[t.start:t.end])
		}
	}
	if !in.marked() || len(words) < 2 || len(words) > 3 || len(words) == 3 && words[2] != "." && words[2] != "$" {
		return
	}
	data := "nil"
	if len(words) == 3 {
		data = words[2]
	}
	trim := ""
	if a.trimRight {
		trim = " -"
	}
	first := slices.IndexFunc(a.tokens, func(t token) bool { return t.kind != spaceToken })
	in.add(a.tokens[first].start, fmt.Sprintf("include %s %s | %s%s}}{{if false}}{{", words[1], data, outName, in.markPipe(a)))
	in.add(a.end, "{{end"+trim+"}}")
}

func (in *instrumenter) open(b block) { in.blocks = append(in.blocks, b) }

// close ends the innermost block, whose weight is known now.
func (in *instrumenter) close(end action) {
	if len(in.blocks) == 1 {
		return // the parser says so
	}
	b := in.blocks[len(in.blocks)-1]
	in.blocks = in.blocks[:len(in.blocks)-1]
	outer := &in.blocks[len(in.blocks)-1]
	if !b.owner {
		outer.nesting = max(outer.nesting, b.nesting+1)
		outer.extra += b.extra
	}
	if b.added < 0 {
		return
	}
	own := &in.insertions[b.added]
	trim := ""
	if strings.HasSuffix(own.text, "-") {
		trim = " -"
	}
	work := weight(b.start, end.start, b.extra)
	switch {
	case !b.owner:
		own.text = fmt.Sprintf("{{%s %d%s}}", countName, work, trim)
	case !b.counts():
		own.text = ""
	default:
		own.text = strings.TrimSuffix(enter(work, b.nesting+in.depth, -1), "}}") + trim + "}}"
		left := ""
		if end.trimLeft {
			left = "- "
		}
		in.add(end.start, "{{"+left+leaveName+"}}")
	}
}

func lastToken(tokens []token) int {
	for i := len(tokens) - 1; i >= 0; i-- {
		if tokens[i].kind != spaceToken {
			return i
		}
	}
	return -1
}

// calls guards what an action hands to the functions that are guarded.
func (in *instrumenter) calls(tokens []token) {
	for i, t := range tokens {
		g, ok := guards[in.text[t.start:t.end]]
		if t.kind != wordToken || !ok {
			continue
		}
		end := t.end
		from := in.operand(tokens, i+1)
		if from < 0 && !g.first || g.each && in.isPiped(tokens[:i]) {
			in.add(t.start, g.name+" | ")
		}
		for from >= 0 {
			to := in.operandEnd(tokens, from, g.each || g.first)
			start := tokens[from].start
			end = tokens[to-1].end
			if in.text[start:end] != "nil" { // which is no command
				in.add(start, "("+g.name+" ")
				in.add(end, ")")
			}
			if from = in.operand(tokens, to); !g.each {
				break
			}
		}
		if g.result != "" {
			in.add(end, " | "+g.result)
		}
	}
}

// isPiped reports whether a command has an argument from the one before it.
func (in *instrumenter) isPiped(before []token) bool {
	last := lastToken(before)
	return last >= 0 && in.isSign(before[last], "|")
}

func (in *instrumenter) isSign(t token, sign string) bool {
	return t.kind == signToken && in.text[t.start:t.end] == sign
}

// operand returns the token that the next operand of a command begins with; -1
// where there is none.
func (in *instrumenter) operand(tokens []token, from int) int {
	for ; from < len(tokens) && tokens[from].kind == spaceToken; from++ {
	}
	if from == len(tokens) || in.isSign(tokens[from], "|") || in.isSign(tokens[from], ")") {
		return -1
	}
	return from
}

// operandEnd returns the token behind the operand, or behind all of the command.
func (in *instrumenter) operandEnd(tokens []token, from int, one bool) int {
	depth, end := 0, from+1
	for i := from; i < len(tokens); i++ {
		switch t := tokens[i]; {
		case in.isSign(t, "("):
			depth++
		case depth == 0 && (in.isSign(t, ")") || in.isSign(t, "|")):
			return end
		case in.isSign(t, ")"):
			depth--
		case t.kind == spaceToken:
			if one && depth == 0 {
				return end
			}
			continue
		}
		end = i + 1
	}
	return end
}
