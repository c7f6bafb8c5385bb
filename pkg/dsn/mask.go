package dsn

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// Find returns the DSNs in URI form that are in a text, in order. Each ends
// before white space, a quote or the punctuation around it.
func Find(s string) []Span {
	var found []Span
	for _, m := range schemePattern.FindAllStringIndex(s, -1) {
		if len(found) > 0 && m[0] < found[len(found)-1].End {
			continue
		}
		end := indexAny(s, Span{m[1], len(s)}, " \t\n\v\f\r\"'`<>|\\")
		end = m[1] + len(strings.TrimRight(s[m[1]:end], ",;.)}!"))
		found = append(found, Span{m[0], end})
	}
	return found
}

// Mask replaces with [manifest.Masked] every part of a text that is a password
// or could be one: in a DSN of either form, in DSNs inside a longer text, and in
// what looks like a DSN and is none. It would rather hide too much: from the
// first colon of a URL to its last @ all is hidden, since a password may have
// been written without escapes. Mask(Mask(s)) is Mask(s).
func Mask(s string) string {
	// What is hidden may change how the rest reads, and bring out another place.
	const most = 100
	for range most {
		masked := maskOnce(s)
		if masked == s {
			return s
		}
		s = masked
	}
	return manifest.Masked
}

func maskOnce(s string) string {
	var b strings.Builder
	done := 0
	for _, h := range hide(s) {
		b.WriteString(s[done:h.Start])
		b.WriteString(manifest.Masked)
		done = h.End
	}
	b.WriteString(s[done:])
	return b.String()
}

// Hidden lists the pieces of a text that [Mask] hides. They are secrets.
func Hidden(s string) []string {
	var pieces []string
	for _, h := range hide(s) {
		pieces = append(pieces, h.in(s))
	}
	return pieces
}

// hide returns what could be a password, in order; no two spans touch.
func hide(s string) []Span {
	var hidden []Span
	var urls []Span
	for _, m := range anyURL.FindAllStringIndex(s, -1) {
		if len(urls) > 0 && m[0] < urls[len(urls)-1].End {
			continue
		}
		url := Span{m[0], urlEnd(s, m[0])}
		urls = append(urls, url)
		hidden = append(hidden, hideInURL(s, url, m[1])...)
	}
	return join(append(hidden, hideByKeyword(s, urls)...))
}

// join sorts spans and makes one of those that touch.
func join(spans []Span) []Span {
	slices.SortFunc(spans, func(a, b Span) int { return cmp.Compare(a.Start, b.Start) })
	var joined []Span
	for _, sp := range spans {
		switch n := len(joined); {
		case sp.empty():
		case n > 0 && sp.Start <= joined[n-1].End:
			joined[n-1].End = max(joined[n-1].End, sp.End)
		default:
			joined = append(joined, sp)
		}
	}
	return joined
}

// anyURL matches the start of every URL: a typing error in the scheme or the
// DSN of another database must not bring a password to light.
var anyURL = regexp.MustCompile(`[A-Za-z][A-Za-z0-9+.:-]*://`)

// urlEnd tells how far a URL can reach. A text that begins with a DSN is one to
// its end, spaces and all; inside quotes a URL reaches to the closing quote or
// the end of the line.
func urlEnd(s string, start int) int {
	rest := Span{start, len(s)}
	if strings.TrimSpace(s[:start]) == "" {
		return rest.End
	}
	if quote := s[start-1]; strings.IndexByte("\"'`", quote) >= 0 {
		return indexAny(s, rest, string(quote)+"\r\n")
	}
	return indexAny(s, rest, " \t\n\v\f\r")
}

func hideInURL(s string, url Span, bodyStart int) []Span {
	body := Span{bodyStart, url.End}
	hidden := hideInQuery(s, body)
	colon := firstColon(s, body, hidden)
	switch at := body.Start + strings.LastIndexByte(body.in(s), '@'); {
	case colon == body.End || at == colon+1:
		return hidden
	case at > colon:
		return append(around(hidden, at), Span{colon + 1, at})
	}
	// There is no userinfo with a password, so this is host and port, or else a
	// password whose @ is missing or is behind a space.
	dsn := Find(url.in(s))
	if len(dsn) == 0 || dsn[0].Start != 0 {
		return hidden
	}
	// Only the authority tells: what is behind it reads differently once a
	// parameter is masked.
	end := max(bodyStart-url.Start, dsn[0].End)
	authority := Span{url.Start, indexAny(s, Span{bodyStart, url.Start + end}, "/?#")}
	if _, err := Parse(authority.in(s)); err == nil {
		return hidden
	}
	line := Span{url.End, indexAny(s, Span{url.End, len(s)}, "\r\n")}
	return append(hidden, Span{colon + 1, line.Start + max(0, strings.LastIndexByte(line.in(s), '@'))})
}

// firstColon returns the place of the first colon that is not in a hidden span, or
// the end of the body.
func firstColon(s string, body Span, hidden []Span) int {
	for _, sp := range append(hidden, Span{body.End, body.End}) {
		if colon := indexAny(s, Span{body.Start, max(body.Start, sp.Start)}, ":"); colon < sp.Start {
			return colon
		}
		body.Start = sp.End
	}
	return body.End
}

// around leaves the byte at a place outside of the spans. Masking again must find
// the same last @, even if it is a part of a parameter's password.
func around(spans []Span, at int) []Span {
	var cut []Span
	for _, sp := range spans {
		cut = append(cut, Span{sp.Start, min(sp.End, max(sp.Start, at))}, Span{max(sp.Start, min(sp.End, at+1)), sp.End})
	}
	return cut
}

func hideInQuery(s string, body Span) []Span {
	var hidden []Span
	for at := body.Start; ; {
		at = indexAny(s, Span{at, body.End}, "?&")
		if at == body.End {
			return hidden
		}
		at++
		item := Span{at, indexAny(s, Span{at, body.End}, "?&")}
		equals := indexAny(s, item, "=")
		if key, err := unescapePercent(s[item.Start:equals]); err == nil && equals < item.End && isSecretKey(key) {
			at = indexAny(s, Span{equals, body.End}, "&")
			hidden = append(hidden, Span{equals + 1, at})
		}
	}
}

// passwordKeyword matches the keyword of a password: libpq's, or a variable's
// such as PGPASSWORD.
var passwordKeyword = regexp.MustCompile(`(?i)(?:password|passwd|pwd)[ \t\n\v\f\r]*=[ \t\n\v\f\r]*`)

// libpq's keywords, by which the keyword form is told and a value ends for
// certain.
const keywords = `(?:user|password|passfile|host|hostaddr|port|dbname|service|options|application_name|fallback_application_name|` +
	`client_encoding|connect_timeout|channel_binding|target_session_attrs|load_balance_hosts|replication|tcp_user_timeout|requirepeer|` +
	`(?:keepalives|ssl|require_|min_|max_|gss|krb|scram_|oauth_)[a-z_]*)[ \t\n\v\f\r]*=`

var (
	startsWithKeyword = regexp.MustCompile(`^[ \t\n\v\f\r]*` + keywords)
	nextKeyword       = regexp.MustCompile(`[ \t\n\v\f\r]` + keywords)
)

func hideByKeyword(s string, urls []Span) []Span {
	isDSN := startsWithKeyword.MatchString(s)
	var hidden []Span
	for _, m := range passwordKeyword.FindAllStringIndex(s, -1) {
		if inQuery(s, m[0], urls) || len(hidden) > 0 && m[0] < hidden[len(hidden)-1].End {
			continue
		}
		end := wordEnd(s, m[1])
		if isDSN {
			// A password with a bare space in it goes on to the next keyword.
			if next := nextKeyword.FindStringIndex(s[end:]); next != nil {
				end += next[0]
			} else {
				end = len(s)
			}
		}
		hidden = append(hidden, Span{m[1], end})
	}
	return hidden
}

// inQuery reports whether a keyword is a parameter of a URL, where & ends a value.
func inQuery(s string, at int, urls []Span) bool {
	for _, url := range urls {
		if url.Start < at && at < url.End {
			key := strings.LastIndexAny(s[url.Start:at], "?& \t\n\v\f\r")
			return key >= 0 && strings.IndexByte("?&", s[url.Start+key]) >= 0
		}
	}
	return false
}

// wordEnd returns the end of a value that begins at i and that quotes and
// backslashes may hold together.
func wordEnd(s string, i int) int {
	var quote byte
	for ; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s):
			i++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case isSpace(c):
			return i
		}
	}
	return len(s)
}
