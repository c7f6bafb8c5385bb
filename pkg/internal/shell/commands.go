package shell

import (
	"bytes"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/derekg1729/dsnlint/pkg/dsn"
	"github.com/derekg1729/dsnlint/pkg/manifest"

	"mvdan.cc/sh/v3/syntax"
)

// clients are the programs of Postgres that connect, each with the short options
// that take no argument and may stand before another in one word.
var clients = map[string]string{
	"psql":          "aAbeEHlnqsStwWxXz01",
	"pgcli":         "wWl",
	"pg_dump":       "aBbcCOsvxw",
	"pg_dumpall":    "acgOrsvxw",
	"pg_restore":    "acCelOsvx1w",
	"pg_isready":    "q",
	"pg_basebackup": "RvPwW",
	"pgbench":       "iCdlnNrSv",
	"createdb":      "ewW",
	"createuser":    "ePrRsSdDiIlLwW",
	"dropdb":        "eifwW",
	"dropuser":      "eiwW",
	"reindexdb":     "aeqsvwW",
	"vacuumdb":      "aeFfqvwWzZ",
}

var (
	// probes connect to hosts and ports that are plain arguments.
	probes = regexp.MustCompile(`^(?:nc|ncat|netcat|telnet|ping6?|nslookup|dig|host|getent|wait[-_]?(?:for|on|until)(?:$|[-_.]).*)$`)
	// messages print their arguments or compare them.
	messages = regexp.MustCompile(`^(?:echo|printf|\[|test|expr|log|info|warn|error|die|fail|grep|egrep|fgrep|sed|awk)$`)
	// servers and managers of containers have options of their own for hosts
	// and ports.
	foreign = regexp.MustCompile(`^(?:docker|docker-compose|podman|nerdctl|kubectl|helm|postgres|pg_ctl|gosu|su-exec|mkdir|cp|ssh|scp|mysql|mysqladmin|mariadb|redis-cli)$`)

	// runners start containers, with variables of their own.
	runners = regexp.MustCompile(`^(?:docker|docker-compose|podman|nerdctl|kubectl)$`)
	// passLine is a line of a password file.
	passLine = regexp.MustCompile(`^[^:\s]+:[^:\s]+:[^:]+:[^:]+:.`)

	// wrappers run what is behind them.
	wrappers = regexp.MustCompile(`^(?:exec|command|nohup|time|sudo|env)$`)

	hostName = regexp.MustCompile(`(?i)(?:^|_|DB|PG|POSTGRES|DATABASE)(?:HOST|HOSTNAME|HOSTADDR)$`)
	portName = regexp.MustCompile(`(?i)(?:^|_|DB|PG|POSTGRES|DATABASE)PORT$`)
	// postgresName is a variable that belongs to Postgres for certain.
	postgresName = regexp.MustCompile(`(?i)(?:^|_)(?:PG|POSTGRES(?:QL)?_?)(?:HOST|HOSTNAME|HOSTADDR|PORT)$`)

	longOption    = regexp.MustCompile(`^--(?:[a-z]+-)*(host|hostname|port)(=|$)`)
	devTCP        = regexp.MustCompile(`/dev/(?:tcp|udp)/([^/\s]+)/([^/\s]+)`)
	hostPort      = regexp.MustCompile(`^(?:tcp://)?([^:/\s@]*):(\d+)$`)
	keyword       = regexp.MustCompile(`(?:^|\s)(host|hostaddr|port)\s*=\s*'?([^\s']+)`)
	startsKeyword = regexp.MustCompile(`^\s*(?:host|hostaddr|port|user|dbname|password|sslmode)\s*=`)
	listen        = regexp.MustCompile(`^-[a-z]*l`)
	digits        = regexp.MustCompile(`^\d+$`)
)

// sshValues are the options of ssh that take a value.
const sshValues = "BbcDEeFIiJLlmOopQRSWw"

// maxDepth bounds scripts within scripts.
const maxDepth = 5

// use is what a variable is for in a script.
type use struct {
	// command is set where it stands for a command, and flags are those of the client
	// that it holds options of.
	command, options bool
	flags            string
}

type finder struct {
	// uses are the variables that stand for commands and options.
	uses   map[string]use
	isHost func(word string) bool
	// found has the hits by the byte at which they begin, and inner the bytes of scripts
	// within the script.
	found map[int]raw
	inner map[int]bool
}

func (f *finder) hit(kind Kind, w flat, literal string) {
	if _, seen := f.found[w.offsets[0]]; !seen {
		f.found[w.offsets[0]] = raw{kind, literal, w.offsets[len(w.offsets)-1]}
	}
}

// scope is a script, and how many it is inside of.
type scope struct {
	script
	depth int
}

// walk looks at the nodes that a message has no part in. Words of commands are
// looked at with their command.
func (f *finder) walk(sc scope, node syntax.Node) {
	syntax.Walk(node, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.Stmt:
			return f.stmt(sc, n)
		case *syntax.Assign:
			f.assign(sc, n)
		case *syntax.ParamExp:
			f.param(sc, n)
		case *syntax.WordIter:
			for _, item := range n.Items {
				f.word(sc.flatten(item))
			}
		case *syntax.TestClause:
			f.substitutions(sc, n)
			return false
		case *syntax.Comment:
			return false
		}
		return true
	})
}

// stmt looks at a simple command with its redirections, and reports whether to go
// on into the statement.
func (f *finder) stmt(sc scope, stmt *syntax.Stmt) bool {
	args := argsOf(sc, stmt)
	name := ""
	if len(args) > 0 {
		name = args[0].program()
	}
	if messages.MatchString(name) && !toFile(sc, stmt) {
		f.substitutions(sc, stmt.Cmd)
		for _, redirect := range stmt.Redirs {
			f.redirect(sc, stmt, redirect, args)
		}
		return false
	}
	if messages.MatchString(name) {
		for _, arg := range args[1:] {
			f.content(arg)
		}
	}
	f.command(sc, args)
	for _, redirect := range stmt.Redirs {
		f.redirect(sc, stmt, redirect, args)
	}
	// Here-documents are done with; the walk goes through what else there is.
	for _, redirect := range stmt.Redirs {
		if redirect.Word != nil && redirect.Hdoc == nil {
			f.walk(sc, redirect.Word)
		}
	}
	if stmt.Cmd != nil {
		f.walk(sc, stmt.Cmd)
	}
	return false
}

// substitutions looks at the commands whose output is a part of a message.
func (f *finder) substitutions(sc scope, node syntax.Node) {
	syntax.Walk(node, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.CmdSubst:
			f.statements(sc, n.Stmts)
			return false
		case *syntax.ProcSubst:
			f.statements(sc, n.Stmts)
			return false
		}
		return true
	})
}

func (f *finder) statements(sc scope, stmts []*syntax.Stmt) {
	for _, stmt := range stmts {
		f.walk(sc, stmt)
	}
}

func argsOf(sc scope, stmt *syntax.Stmt) []flat {
	call, ok := stmt.Cmd.(*syntax.CallExpr)
	if !ok {
		return nil
	}
	args := make([]flat, len(call.Args))
	for i, word := range call.Args {
		args[i] = sc.flatten(word)
	}
	return args
}

// toFile reports whether a statement writes to a file, so that what it prints is
// no message.
func toFile(sc scope, stmt *syntax.Stmt) bool {
	return slices.ContainsFunc(stmt.Redirs, func(r *syntax.Redirect) bool {
		writes := slices.Contains([]syntax.RedirOperator{syntax.RdrOut, syntax.AppOut, syntax.RdrClob, syntax.RdrAll, syntax.AppAll}, r.Op)
		return writes && !strings.HasPrefix(string(sc.flatten(r.Word).text), "/dev/")
	})
}

func (f *finder) redirect(sc scope, stmt *syntax.Stmt, r *syntax.Redirect, args []flat) {
	body := sc.flatten(r.Word)
	switch {
	case r.Hdoc != nil:
		f.substitutions(sc, r.Hdoc)
		body = sc.flatten(r.Hdoc)
	case r.Op != syntax.WordHdoc:
		f.device(body)
		return
	}
	last := ""
	for _, arg := range args {
		if name := arg.program(); takesScript(name) || clients[name] != "" {
			last = name
		}
	}
	switch {
	case takesScript(last):
		f.nested(sc, body)
	case last == "" && r.Hdoc != nil && (toFile(sc, stmt) || len(args) > 0 && args[0].program() == "tee"):
		f.dsns(body)
		f.content(body)
	}
}

// nested looks at a script within the script.
func (f *finder) nested(sc scope, w flat) {
	if sc.depth == maxDepth || len(w.text) == 0 {
		return
	}
	if sc.depth == 0 {
		for _, offset := range w.offsets {
			f.inner[offset] = true
		}
	}
	s := w.nested()
	stmts, _ := parse(s.text, []syntax.LangVariant{syntax.LangBash})
	f.collect(scope{s, sc.depth + 1}, stmts)
	f.statements(scope{s, sc.depth + 1}, stmts)
}

// command looks at the words of a simple command. A client may stand behind
// others: docker exec, sudo, timeout.
func (f *finder) command(sc scope, args []flat) {
	if len(args) == 0 {
		return
	}
	for _, arg := range args {
		f.word(arg)
		f.device(arg)
	}
	words := make([]string, len(args))
	for i, arg := range args {
		words[i] = string(arg.text)
	}
	for _, i := range Scripts(words) {
		f.nested(sc, args[i])
	}
	f.handed(sc, args)
	end, inEnvironment := len(args), false
	for i, arg := range args {
		name := arg.program()
		if inEnvironment {
			f.environment(arg)
		}
		inEnvironment = inEnvironment || name == "env" || name == "sudo"
		if flags, ok := clients[name]; ok {
			f.client(flags, args[i+1:])
			end = i
			break
		}
	}
	// Behind the client's name all is the client's.
	args = args[:end]
	if runs := slices.IndexFunc(args, func(w flat) bool { return !wrappers.MatchString(w.program()) }); runs >= 0 && !foreign.MatchString(args[runs].program()) {
		f.options(args[runs+1:])
	}
	if i := slices.IndexFunc(args, func(w flat) bool { return probes.MatchString(w.program()) }); i >= 0 {
		f.probe(args[i].program(), args[i+1:])
	}
}

// handed looks at what builtins and other programs take as a script, or as variables or
// addresses of a container or a tunnel.
func (f *finder) handed(sc scope, args []flat) {
	name, args := args[0].program(), args[1:]
	switch {
	case name == "eval":
		f.nested(sc, join(args))
	case name == "trap" && len(args) > 1 && !bytes.HasPrefix(args[0].text, []byte("-")):
		f.nested(sc, args[0])
	case name == "ssh":
		f.remote(sc, args)
	case runners.MatchString(name):
		for i, arg := range args {
			switch option, value, ok := strings.Cut(string(arg.text), "="); {
			case i+1 < len(args) && (option == "-e" || option == "--env") && !ok:
				f.environment(args[i+1])
			case option == "--env" && value != "":
				f.environment(arg.from(len("--env=")))
			}
		}
	}
}

// remote looks at the tunnels and the command of ssh.
func (f *finder) remote(sc scope, args []flat) {
	for i := 0; i < len(args); i++ {
		text := args[i].text
		if len(text) < 2 || text[0] != '-' {
			f.nested(sc, join(args[i+1:]))
			return
		}
		option := i
		value := args[i].from(2)
		if strings.IndexByte(sshValues, text[1]) >= 0 && len(text) == 2 {
			if i++; i == len(args) {
				return
			}
			value = args[i]
		}
		if args[option].text[1] == 'L' {
			parts := split(value, ":")
			if n := len(parts); n > 2 {
				f.databaseHost(parts[n-2])
				f.databasePort(parts[n-1])
			}
		}
	}
}

// join makes one word of several, as eval and ssh do.
func join(args []flat) flat {
	var all flat
	for i, arg := range args {
		if len(arg.text) == 0 {
			continue
		}
		if i > 0 {
			all.add(' ', arg.offsets[0])
		}
		all.text, all.offsets = append(all.text, arg.text...), append(all.offsets, arg.offsets...)
	}
	return all
}

// split cuts a word at each of some characters; the pieces are not empty.
func split(w flat, at string) []flat {
	var parts []flat
	start := 0
	for i := 0; i <= len(w.text); i++ {
		if i < len(w.text) && strings.IndexByte(at, w.text[i]) < 0 {
			continue
		}
		if i > start {
			parts = append(parts, flat{w.text[start:i], w.offsets[start:i]})
		}
		start = i + 1
	}
	return parts
}

// content looks at what a script writes to a file: variables, lines of a password file
// and DSNs in keyword form.
func (f *finder) content(w flat) {
	for _, line := range split(w, "\n") {
		f.keywords(line)
		if rest, ok := bytes.CutPrefix(line.text, []byte("export ")); ok {
			line = line.from(len(line.text) - len(rest))
		}
		f.environment(line)
		fields := split(line, ":")
		if passLine.Match(line.text) && len(fields) > 1 {
			f.databaseHost(fields[0])
			f.databasePort(fields[1])
		}
	}
}

// collect notes the variables that stand for a command, or for options of a client.
func (f *finder) collect(sc scope, stmts []*syntax.Stmt) {
	for _, stmt := range stmts {
		syntax.Walk(stmt, func(n syntax.Node) bool {
			call, ok := n.(*syntax.CallExpr)
			if !ok {
				return true
			}
			flags, isClient := "", false
			for i, word := range call.Args {
				name := variableOf(word)
				switch {
				case name == "":
					if own, ok := clients[sc.flatten(word).program()]; ok {
						flags, isClient = own, true
					}
				case i == 0:
					f.uses[name] = use{command: true}
				case isClient:
					f.uses[name] = use{options: true, flags: flags}
				}
			}
			return true
		})
	}
}

// variableOf returns the variable that a word is, if it becomes several words: one
// without quotes, or all of an array.
func variableOf(word *syntax.Word) string {
	if len(word.Parts) != 1 {
		return ""
	}
	part := word.Parts[0]
	quoted, inQuotes := part.(*syntax.DblQuoted)
	if inQuotes && len(quoted.Parts) == 1 {
		part = quoted.Parts[0]
	}
	exp, ok := part.(*syntax.ParamExp)
	if !ok || exp.Param == nil || exp.Exp != nil || inQuotes && exp.Index == nil {
		return ""
	}
	return exp.Param.Value
}

// used looks at what a variable holds that stands for a command or for options.
func (f *finder) used(sc scope, name string, words []flat) {
	switch use := f.uses[name]; {
	case use.command:
		f.command(sc, words)
	case use.options:
		f.client(use.flags, words)
	}
}

// environment looks at a word that may be NAME=VALUE.
func (f *finder) environment(arg flat) {
	name, _, ok := strings.Cut(string(arg.text), "=")
	if ok && syntax.ValidName(name) {
		f.variable(name, arg.from(len(name)+1))
	}
}

// client looks at the arguments of a Postgres client, where every literal host
// or port counts.
func (f *finder) client(flags string, args []flat) {
	for i := 0; i < len(args); i++ {
		option, value, ok := splitOption(args[i], flags)
		if !ok {
			f.keywords(args[i])
			continue
		}
		// An option in a word of its own that takes a value has it in the next.
		if len(value.text) == 0 && i+1 < len(args) && !strings.Contains(flags, option) {
			i++
			value = args[i]
		}
		switch option {
		case "h", "host":
			f.anyHost(value)
		case "p", "port":
			f.anyPort(value)
		case "d", "dbname":
			f.keywords(value)
		}
	}
}

// splitOption returns an option's name and the value that is in the same word.
func splitOption(w flat, flags string) (name string, value flat, ok bool) {
	text := string(w.text)
	if long, found := strings.CutPrefix(text, "--"); found {
		name, _, hasValue := strings.Cut(long, "=")
		if hasValue {
			return name, w.from(len("--") + len(name) + 1), true
		}
		return name, flat{}, true
	}
	if len(text) < 2 || text[0] != '-' {
		return "", flat{}, false
	}
	i := 1
	for i < len(text)-1 && strings.IndexByte(flags, text[i]) >= 0 {
		i++
	}
	return text[i : i+1], w.from(i + 1), true
}

// keywords looks at a DSN in keyword form.
func (f *finder) keywords(w flat) {
	if !startsKeyword.Match(w.text) {
		return
	}
	for _, m := range keyword.FindAllSubmatchIndex(w.text, -1) {
		value := flat{w.text[m[4]:m[5]], w.offsets[m[4]:m[5]]}
		if string(w.text[m[2]:m[3]]) == "port" {
			f.anyPort(value)
		} else {
			f.anyHost(value)
		}
	}
}

// options looks at the options of a program that may or may not connect to the
// database.
func (f *finder) options(args []flat) {
	for i, arg := range args {
		next := flat{}
		if i+1 < len(args) {
			next = args[i+1]
		}
		if m := longOption.FindSubmatch(arg.text); m != nil {
			value := next
			if len(m[2]) > 0 {
				value = arg.from(len(m[0]))
			}
			if string(m[1]) == "port" {
				f.databasePort(value)
			} else {
				f.databaseHost(value)
			}
		}
		if string(arg.text) == "-p" {
			f.databasePort(next)
		}
	}
}

// probe looks at the arguments of a program that tries a connection.
func (f *finder) probe(name string, args []flat) {
	listens := slices.ContainsFunc(args, func(w flat) bool { return listen.Match(w.text) })
	otherLookup := name == "getent" && (len(args) == 0 || !strings.Contains(string(args[0].text), "hosts"))
	if listens || otherLookup {
		return
	}
	for _, arg := range args {
		f.databaseHost(arg)
		f.databasePort(arg)
	}
}

// word looks at a word that stands anywhere.
func (f *finder) word(w flat) {
	f.dsns(w)
	m := hostPort.FindSubmatchIndex(w.text)
	if m == nil {
		return
	}
	host := flat{w.text[m[2]:m[3]], w.offsets[m[2]:m[3]]}
	port := flat{w.text[m[4]:m[5]], w.offsets[m[4]:m[5]]}
	if string(port.text) != DefaultPort || len(host.text) == 0 || digits.Match(host.text) {
		return
	}
	f.databaseHost(host)
	f.databasePort(port)
}

// device looks for the names under which bash opens connections.
func (f *finder) device(w flat) {
	for _, m := range devTCP.FindAllSubmatchIndex(w.text, -1) {
		f.databaseHost(flat{w.text[m[2]:m[3]], w.offsets[m[2]:m[3]]})
		f.databasePort(flat{w.text[m[4]:m[5]], w.offsets[m[4]:m[5]]})
	}
}

// dsns looks for DSNs in URI form.
func (f *finder) dsns(w flat) {
	text := strings.ReplaceAll(string(w.text), string(unknown), "~")
	for _, sp := range dsn.Find(text) {
		if literal := literalHost(w.text[sp.Start:sp.End]); literal != "" {
			f.hit(DSN, flat{w.text[sp.Start:sp.End], w.offsets[sp.Start:sp.End]}, literal)
		}
	}
}

// literalHost returns the literal host and port in a DSN, or "".
func literalHost(text []byte) string {
	e := manifest.Expr{}
	for i, literal := range strings.Split(string(text), string(unknown)) {
		if i > 0 {
			e = append(e, manifest.Part{Ref: &manifest.Ref{Name: "unknown", Kind: manifest.RefVariable}})
		}
		e = append(e, manifest.Literal(literal)...)
	}
	for _, symbolic := range dsn.ParseExpr(e) {
		for _, h := range symbolic.Hosts {
			name, _ := h.Name.Eval().Reveal()
			port, _ := h.Port.Eval().Reveal()
			switch {
			case name != "" && isRemote(name) && port != "":
				return name + ":" + port
			case name != "" && isRemote(name):
				return name
			case port != "":
				return ":" + port
			}
		}
	}
	return ""
}

// assign looks at an assignment to a variable.
func (f *finder) assign(sc scope, assign *syntax.Assign) {
	if assign.Name != nil && assign.Array != nil {
		words := make([]flat, len(assign.Array.Elems))
		for i, elem := range assign.Array.Elems {
			words[i] = sc.flatten(elem.Value)
			f.word(words[i])
		}
		f.used(sc, assign.Name.Value, words)
	}
	if assign.Name == nil || assign.Value == nil {
		return
	}
	value := sc.flatten(assign.Value)
	f.used(sc, assign.Name.Value, split(value, " \t\n"))
	f.dsns(value)
	f.variable(assign.Name.Value, value)
}

// param looks at the default of a variable.
func (f *finder) param(sc scope, exp *syntax.ParamExp) {
	if def := defaultOf(exp); def != nil {
		f.variable(exp.Param.Value, sc.flatten(def))
	}
}

// variable looks at what a variable is set to.
func (f *finder) variable(name string, value flat) {
	switch {
	case postgresName.MatchString(name) && portName.MatchString(name):
		f.anyPort(value)
	case postgresName.MatchString(name):
		f.anyHost(value)
	case portName.MatchString(name):
		f.databasePort(value)
	case hostName.MatchString(name):
		f.databaseHost(value)
	}
}

// anyHost reports a word that is used as the database's host for certain.
func (f *finder) anyHost(w flat) {
	// What is meant to be expanded is not a literal, even in quotes that keep it as it is.
	if text, ok := w.known(); ok && isRemote(text) && !strings.HasPrefix(text, "-") && !strings.Contains(text, "$") {
		f.hit(Host, w, text)
	}
}

func (f *finder) databaseHost(w flat) {
	if text, ok := w.known(); ok && isRemote(text) && f.isHost(text) {
		f.hit(Host, w, text)
	}
}

func (f *finder) anyPort(w flat) {
	text, _ := w.known()
	if port, err := strconv.ParseUint(text, 10, 16); err == nil && port > 0 {
		f.hit(Port, w, text)
	}
}

func (f *finder) databasePort(w flat) {
	if text, ok := w.known(); ok && text == DefaultPort {
		f.hit(Port, w, text)
	}
}

// isRemote reports whether a host is neither a socket nor the loopback address.
func isRemote(host string) bool {
	if strings.HasPrefix(host, "/") || strings.HasPrefix(host, "@") || strings.EqualFold(host, "localhost") {
		return false
	}
	address, err := netip.ParseAddr(host)
	return err != nil || !address.IsLoopback() && !address.IsUnspecified()
}
