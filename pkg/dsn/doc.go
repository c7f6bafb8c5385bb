// Package dsn takes Postgres connection strings apart and masks them. It knows
// the URI form (postgres://, postgresql://, postgresql+driver:// as SQLAlchemy
// writes it, and jdbc:postgresql://) and the keyword form (host=... user=...)
// of libpq, as texts and as expressions whose parts are still references.
//
// The forms are those of libpq:
// https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING
// In one point the package follows the URL classes of other languages instead,
// because the contract has host and user read with one: the userinfo ends at
// the last @ of the authority, and the authority at the first of / ? and #.
//
// # Why no library
//
// All that Go has was read for this and none fits. pgconn.ParseConfig (pgx)
// always merges the PG* environment, looks for ~/.pgpass, service and
// certificate files, and asks for the user of the operating system; its options
// restrict the keys of the string, not these. pq.NewConfig (lib/pq) reads the
// environment and the service file too; pq.ParseURL reads neither but goes
// through net/url, which refuses several hosts with ports and a password with a
// raw # or %, knows no keyword form, and quotes the text in its errors. dburl
// asks the file system whether a path is a socket. Besides, masking and
// expressions need to know where in the text each part stands, and no library
// says that.
package dsn
