package dsn

import (
	"regexp"
	"strings"

	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// Error says why a text is not a DSN. It holds no part of the text.
type Error struct{ reason manifest.Text }

// Error implements error.
func (e *Error) Error() string { return e.reason.String() }

// Reason is the rest of a sentence about the DSN.
func (e *Error) Reason() manifest.Text { return e.reason }

// What keeps a text from being a DSN.
var (
	ErrNoDSN     = &Error{manifest.Say("is not a Postgres DSN such as postgresql://USER:PASSWORD@HOST:PORT/DATABASE or host=HOST user=USER")}
	ErrSpace     = &Error{manifest.Say("holds a space or a control character: percent-encode it")}
	ErrEscape    = &Error{manifest.Say("holds a percent sign that two hexadecimal digits other than 00 do not follow: write it as %25")}
	ErrAddress   = &Error{manifest.Say("has an IPv6 address that is not closed with ] or is empty")}
	ErrPort      = &Error{manifest.Say("has a port outside 1-65535: percent-encode / ? # and @ in the password")}
	ErrPortCount = &Error{manifest.Say("has neither one port for all hosts nor one for each")}
	ErrParameter = &Error{manifest.Say("has a parameter without =")}
	ErrQuote     = &Error{manifest.Say("has a quoted value that is not closed")}
)

// Span is the part [Start, End) of a text, in bytes.
type Span struct{ Start, End int }

func (sp Span) in(s string) string { return s[sp.Start:sp.End] }

func (sp Span) empty() bool { return sp.Start == sp.End }

// layout says where in a text the parts of a DSN stand, still escaped.
type layout struct {
	scheme Span
	user   *Span
	// overridden is the user of the authority where a parameter gives another.
	overridden *Span
	// passwords holds every password that is written; the last one counts.
	passwords []Span
	hosts     []hostSpan
	database  Span
	// unescape undoes the escapes of the form.
	unescape func(string) (string, error)
}

// hostSpan has nil for what is not written.
type hostSpan struct{ name, port *Span }

// schemePattern matches up to and including the slashes. No scheme of another
// database is one of these with something before it but jdbc.
var schemePattern = regexp.MustCompile(`(?i)\b(` + schemeForm + `)://`)

// schemeForm is the form of a scheme, in lower case.
const schemeForm = `(?:jdbc:)?postgres(?:ql)?(?:\+[a-z0-9_.-]+)?`

// split finds the parts of a DSN in either form. Space around the DSN is none of
// it.
func split(s string) (*layout, error) {
	if m := schemePattern.FindStringSubmatchIndex(s); m != nil && strings.TrimSpace(s[:m[0]]) == "" {
		end := len(strings.TrimRight(s, " \t\r\n"))
		return splitURI(s, Span{m[2], m[3]}, Span{m[1], max(m[1], end)})
	}
	return splitKeywords(s)
}

func splitURI(s string, scheme, body Span) (*layout, error) {
	if strings.ContainsFunc(body.in(s), func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return nil, ErrSpace
	}
	l := &layout{scheme: scheme, unescape: unescapePercent}
	authority := Span{body.Start, indexAny(s, body, "/?#")}
	hosts := authority
	if at := strings.LastIndexByte(authority.in(s), '@'); at >= 0 {
		l.splitUser(s, Span{authority.Start, authority.Start + at})
		hosts.Start += at + 1
	}
	if err := l.splitHosts(s, hosts); err != nil {
		return nil, err
	}
	query := indexAny(s, Span{authority.End, body.End}, "?")
	if authority.End < query {
		l.database = Span{authority.End + 1, query}
	}
	if query == body.End {
		return l, nil
	}
	return l, l.splitQuery(s, Span{query + 1, body.End})
}

func (l *layout) splitUser(s string, userinfo Span) {
	colon := indexAny(s, userinfo, ":")
	l.user = &Span{userinfo.Start, colon}
	if colon < userinfo.End {
		l.passwords = append(l.passwords, Span{colon + 1, userinfo.End})
	}
}

func (l *layout) splitHosts(s string, list Span) error {
	if list.empty() {
		return nil
	}
	for _, item := range splitAt(s, list, ',') {
		name := Span{item.Start, indexAny(s, item, ":")}
		rest := name.End
		if strings.HasPrefix(item.in(s), "[") {
			closing := indexAny(s, item, "]")
			name = Span{item.Start + 1, closing}
			if closing == item.End || name.empty() {
				return ErrAddress
			}
			rest = closing + 1
		}
		host := hostSpan{name: &name}
		if rest < item.End {
			if s[rest] != ':' {
				return ErrAddress
			}
			host.port = &Span{rest + 1, item.End}
		}
		l.hosts = append(l.hosts, host)
	}
	return nil
}

func (l *layout) splitQuery(s string, query Span) error {
	given := map[string]Span{}
	for _, item := range splitAt(s, query, '&') {
		if item.empty() {
			continue
		}
		equals := indexAny(s, item, "=")
		if equals == item.End {
			return ErrParameter
		}
		key, err := unescapePercent(s[item.Start:equals])
		if err != nil {
			return err
		}
		value := Span{equals + 1, item.End}
		if _, err := unescapePercent(value.in(s)); err != nil {
			return err
		}
		l.note(key, value, given)
	}
	return l.override(s, given)
}

// splitKeywords reads the keyword form as conninfo_parse of libpq does.
func splitKeywords(s string) (*layout, error) {
	l := &layout{unescape: func(s string) (string, error) { return unescapeBackslash(s), nil }}
	given := map[string]Span{}
	for i := skipSpace(s, 0); i < len(s); i = skipSpace(s, i) {
		start := i
		for i < len(s) && s[i] != '=' && !isSpace(s[i]) {
			i++
		}
		key := s[start:i]
		if i = skipSpace(s, i); key == "" || i == len(s) || s[i] != '=' {
			return nil, ErrNoDSN
		}
		value, next, err := keywordValue(s, skipSpace(s, i+1))
		if err != nil {
			return nil, err
		}
		l.note(key, value, given)
		i = next
	}
	if len(given) == 0 {
		return nil, ErrNoDSN
	}
	return l, l.override(s, given)
}

// keywordValue returns the value that begins at i, without its quotes, and the
// place behind it.
func keywordValue(s string, i int) (value Span, next int, err error) {
	quoted := i < len(s) && s[i] == '\''
	if quoted {
		i++
	}
	end := i
	for ; end < len(s); end++ {
		switch {
		case s[end] == '\\' && end+1 < len(s):
			end++
		case quoted && s[end] == '\'':
			return Span{i, end}, end + 1, nil
		case !quoted && isSpace(s[end]):
			return Span{i, end}, end, nil
		}
	}
	if quoted {
		return Span{}, 0, ErrQuote
	}
	return Span{i, end}, end, nil
}

// coreKeywords are those that a keyword form is told by.
var coreKeywords = map[string]bool{
	"user": true, "password": true, "host": true, "hostaddr": true, "port": true, "dbname": true, "service": true, "sslpassword": true,
}

// note keeps what a parameter says; of the same parameter the last one counts,
// but every password stays one.
func (l *layout) note(key string, value Span, given map[string]Span) {
	if !coreKeywords[key] {
		return
	}
	given[key] = value
	if isSecretKey(key) {
		l.passwords = append(l.passwords, value)
	}
}

// override lets parameters win over the authority, as in libpq.
func (l *layout) override(s string, given map[string]Span) error {
	if user, ok := given["user"]; ok {
		l.user, l.overridden = &user, l.user
	}
	if database, ok := given["dbname"]; ok {
		l.database = database
	}
	hosts, ok := given["host"]
	if !ok {
		// An address without a name is where the connection goes.
		hosts, ok = given["hostaddr"]
	}
	if ok {
		ports := l.hosts
		l.hosts = nil
		for i, name := range splitAt(s, hosts, ',') {
			host := hostSpan{name: &name}
			if i < len(ports) {
				host.port = ports[i].port
			}
			l.hosts = append(l.hosts, host)
		}
	}
	if list, ok := given["port"]; ok {
		return l.overridePorts(splitAt(s, list, ','))
	}
	return nil
}

func (l *layout) overridePorts(ports []Span) error {
	if len(l.hosts) == 0 {
		l.hosts = make([]hostSpan, len(ports))
	}
	if len(ports) != 1 && len(ports) != len(l.hosts) {
		return ErrPortCount
	}
	for i := range l.hosts {
		l.hosts[i].port = &ports[min(i, len(ports)-1)]
	}
	return nil
}

// isSecretKey reports whether a parameter of this name holds a password.
func isSecretKey(key string) bool { return secretKey.MatchString(key) }

var secretKey = regexp.MustCompile(`(?i)(?:password|passwd|pwd)$`)

// indexAny returns the place of the first of chars in a span, or its end.
func indexAny(s string, sp Span, chars string) int {
	if i := strings.IndexAny(sp.in(s), chars); i >= 0 {
		return sp.Start + i
	}
	return sp.End
}

func splitAt(s string, sp Span, separator byte) []Span {
	var items []Span
	for {
		end := indexAny(s, sp, string(separator))
		items = append(items, Span{sp.Start, end})
		if end == sp.End {
			return items
		}
		sp.Start = end + 1
	}
}

func skipSpace(s string, i int) int {
	for i < len(s) && isSpace(s[i]) {
		i++
	}
	return i
}

func isSpace(c byte) bool { return strings.IndexByte(" \t\n\v\f\r", c) >= 0 }

func unescapePercent(s string) (string, error) {
	if !strings.Contains(s, "%") {
		return s, nil
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			b.WriteByte(s[i])
			continue
		}
		if i+2 >= len(s) || !isHex(s[i+1]) || !isHex(s[i+2]) || s[i+1:i+3] == "00" {
			return "", ErrEscape
		}
		b.WriteByte(hexDigit(s[i+1])<<4 | hexDigit(s[i+2]))
		i += 2
	}
	return b.String(), nil
}

func isHex(c byte) bool { return strings.IndexByte("0123456789abcdefABCDEF", c) >= 0 }

func hexDigit(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c&^0x20 - 'A' + 10
}

func unescapeBackslash(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' {
			if i++; i == len(s) {
				break
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
