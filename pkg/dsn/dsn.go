package dsn

import (
	"slices"
	"strconv"
)

// DSN is a Postgres connection string, taken apart and unescaped. However it is
// printed, it shows no password.
type DSN struct {
	// Scheme is what stands before ://, as written; it is empty for the keyword
	// form.
	Scheme string
	// Username is empty where the DSN gives none: a client would then take the
	// environment's or the operating system's.
	Username string
	// Overridden is the username that a parameter takes the place of: other clients
	// than libpq may take this one.
	Overridden string
	// HasPassword reports whether a password that is not empty is written.
	HasPassword bool
	// Hosts are the hosts in order; there are none where the DSN leaves host
	// and port to the client.
	Hosts    []Host
	Database string

	// passwords is a pointer because fmt prints what a nested one points to under
	// no verb, and knows no method of an unexported field.
	passwords *[]string
}

// Host is one of a DSN's hosts. A Name that begins with / or @ is the directory of
// a Unix socket. Name and Port are empty where they are left to the client.
type Host struct{ Name, Port string }

// Parse takes a DSN apart. The errors are those of this package and hold no part
// of s.
func Parse(s string) (*DSN, error) {
	l, err := split(s)
	if err != nil {
		return nil, err
	}
	d := &DSN{Scheme: l.scheme.in(s), passwords: &[]string{}}
	text := func(sp *Span) string {
		if sp == nil || err != nil {
			return ""
		}
		var unescaped string
		unescaped, err = l.unescape(sp.in(s))
		return unescaped
	}
	d.Username, d.Overridden = text(l.user), text(l.overridden)
	d.Database = text(&l.database)
	for _, h := range l.hosts {
		d.Hosts = append(d.Hosts, Host{Name: text(h.name), Port: text(h.port)})
	}
	for _, password := range l.passwords {
		d.addPassword(password.in(s))
		d.addPassword(text(&password))
	}
	d.HasPassword = len(*d.passwords) > 0
	if err != nil {
		return nil, err
	}
	for _, h := range d.Hosts {
		if !validPort(h.Port) {
			return nil, ErrPort
		}
	}
	return d, nil
}

func (d *DSN) addPassword(password string) {
	if password != "" && !slices.Contains(*d.passwords, password) {
		*d.passwords = append(*d.passwords, password)
	}
}

// Passwords lists every password in the DSN that is not empty, as written and
// unescaped. They are there to be masked and must not be printed.
func (d *DSN) Passwords() []string { return slices.Clone(*d.passwords) }

// validPort allows the empty port, which leaves the choice to the client.
func validPort(port string) bool {
	if port == "" {
		return true
	}
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && n > 0
}
