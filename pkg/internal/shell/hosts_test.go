package shell

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func isHost(word string) bool { return word == "postgres" || word == "db" }

func show(hits []Hit) []string {
	var list []string
	for _, h := range hits {
		list = append(list, fmt.Sprintf("%d:%d %s %s", h.Line, h.Column, h.Kind, h.Literal))
	}
	return list
}

func TestHosts(t *testing.T) {
	for _, test := range []struct {
		in   string
		want []string
	}{
		{`echo > /dev/tcp/postgres/5432`, []string{"1:17 host postgres", "1:26 port 5432"}},
		{`: > /dev/tcp/$H/5432`, []string{"1:17 port 5432"}},
		{`PSQL="psql -h postgres"; $PSQL -c x`, []string{"1:15 host postgres"}},
		{`O="-h postgres"; psql $O`, []string{"1:7 host postgres"}},
		{`o=(-h postgres); psql "${o[@]}"`, []string{"1:7 host postgres"}},
		{`docker run --rm -e PGHOST=postgres --env=DB_PORT=5432 postgres:16 psql`, []string{"1:27 host postgres", "1:50 port 5432"}},
		{`psql "postgres://$U@${DB_HOST:-postgres}/db"`, []string{"1:7 dsn postgres"}},
		{`eval "psql -h" postgres`, []string{"1:16 host postgres"}},
		{`trap "psql -h postgres" EXIT`, []string{"1:15 host postgres"}},
		{`ssh -p 22 ci@ci.example.com "psql -h postgres"`, []string{"1:38 host postgres"}},
		{`ssh -N -L 15432:postgres:5432 ci@ci.example.com`, []string{"1:17 host postgres", "1:26 port 5432"}},
		{`[[ $(psql -h postgres -tc x) == 1 ]]`, []string{"1:14 host postgres"}},
		{"cat > .env <<EOF\nexport DB_HOST=postgres\nA=$(psql -h db)\nEOF", []string{"2:16 host postgres", "3:13 host db"}},
		{"tee .env <<EOF\nDB_HOST=postgres\nEOF", []string{"2:9 host postgres"}},
		{`bash <<< "psql -h postgres"`, []string{"1:19 host postgres"}},
		{`echo "postgres:5432:*:$U:$P" > ~/.pgpass`, []string{"1:7 host postgres", "1:16 port 5432"}},
		{`echo "DB_HOST=postgres" >> "$GITHUB_ENV"`, []string{"1:15 host postgres"}},
		{"echo caf\xe9\npsql -h postgres", []string{"2:9 host postgres"}},
		{"psql -h postgres", []string{"1:9 host postgres"}},
		{"psql -hpostgres", []string{"1:8 host postgres"}},
		{"psql -Atqh postgres -c 'select 1'", []string{"1:12 host postgres"}},
		{"psql --host=postgres", []string{"1:13 host postgres"}},
		{"psql --host postgres --port 5432", []string{"1:13 host postgres", "1:29 port 5432"}},
		{`psql -h "postgres" -p '5432'`, []string{"1:10 host postgres", "1:24 port 5432"}},
		{"psql -h 10.0.0.7 -p 6432", []string{"1:9 host 10.0.0.7", "1:21 port 6432"}},
		{"pg_isready -h postgres", []string{"1:15 host postgres"}},
		{"until pg_isready -h postgres -U app; do sleep 1; done", []string{"1:21 host postgres"}},
		{"/usr/bin/pg_dump -h db app > dump.sql", []string{"1:21 host db"}},
		{"PGHOST=postgres psql -U app", []string{"1:8 host postgres"}},
		{"export PGHOST=postgres PGPORT=5433", []string{"1:15 host postgres", "1:31 port 5433"}},
		{"DB_HOST=postgres\nDB_PORT=5432", []string{"1:9 host postgres", "2:9 port 5432"}},
		{"local db_host=postgres", []string{"1:15 host postgres"}},
		{"env PGHOST=postgres psql", []string{"1:12 host postgres"}},
		{"sudo -u postgres psql -h postgres", []string{"1:26 host postgres"}},
		{"docker compose exec -T db psql -h postgres -U postgres", []string{"1:35 host postgres"}},
		{"nc -z postgres 5432", []string{"1:7 host postgres", "1:16 port 5432"}},
		{`nc -z "$DB_HOST" 5432`, []string{"1:18 port 5432"}},
		{"timeout 30 wait-for-it.sh postgres:5432 -- ./run", []string{"1:27 host postgres", "1:36 port 5432"}},
		{"wait_for postgres 5432", []string{"1:10 host postgres", "1:19 port 5432"}},
		{"dockerize -wait tcp://postgres:5432", []string{"1:23 host postgres", "1:32 port 5432"}},
		{`./wait "$DB_HOST:5432"`, []string{"1:18 port 5432"}},
		{"migrator --db-host postgres --db-port=5432", []string{"1:20 host postgres", "1:39 port 5432"}},
		{"tool -p 5432", []string{"1:9 port 5432"}},
		{"psql postgres://u:hunter2@postgres:5432/app", []string{"1:6 dsn postgres:5432"}},
		{`psql "postgresql://$U:$P@postgres/app"`, []string{"1:7 dsn postgres"}},
		{`export DATABASE_URL="postgresql://${U}:${P}@${H}:5432/app"`, []string{"1:22 dsn :5432"}},
		{`URL=postgres://u@$H,db/app`, []string{"1:5 dsn db"}},
		{`URL="postgres://${U}@${DB_HOST:-postgres}:${DB_PORT:-5432}/app"`, []string{"1:6 dsn postgres:5432"}},
		{`psql "host=postgres port=5432 dbname=app"`, []string{"1:12 host postgres", "1:26 port 5432"}},
		{`psql -d "dbname=app host='postgres'"`, []string{"1:27 host postgres"}},
		{"exec 3<>/dev/tcp/postgres/5432", []string{"1:18 host postgres", "1:27 port 5432"}},
		{"timeout 1 bash -c '</dev/tcp/postgres/5432'", []string{"1:30 host postgres", "1:39 port 5432"}},
		{`timeout 1 bash -c "cat < /dev/tcp/$H/5432"`, []string{"1:38 port 5432"}},
		{`psql -h "${DB_HOST:-postgres}" -p "${DB_PORT:-5432}"`, []string{"1:21 host postgres", "1:47 port 5432"}},
		{`: "${DB_HOST:=postgres}"`, []string{"1:15 host postgres"}},
		{`HOST=${1:-postgres}`, []string{"1:11 host postgres"}},
		{`psql -h "${1:-pg.internal}"`, []string{"1:15 host pg.internal"}},
		{"sh -c 'psql -h postgres'", []string{"1:16 host postgres"}},
		{`sh -ec "psql -h \"postgres\" -U \"$USER\""`, []string{"1:19 host postgres"}},
		{`su postgres -c "psql -h postgres"`, []string{"1:25 host postgres"}},
		{"docker run --rm --entrypoint sh -v /a:/b image -c 'psql -h postgres'", []string{"1:60 host postgres"}},
		{"bash <<'EOF'\npsql -h postgres\nEOF", []string{"2:9 host postgres"}},
		{"cat > .env <<EOF\nDATABASE_URL=postgres://u:hunter2@db:5432/app\nEOF", []string{"2:14 dsn db:5432"}},
		{`echo "DATABASE_URL=postgres://u@db/app" >> "$GITHUB_ENV"`, []string{"1:20 dsn db"}},
		{"n=$(psql -h postgres -c 'select 1')", []string{"1:13 host postgres"}},
		{`echo "is up: $(pg_isready -h postgres)"`, []string{"1:30 host postgres"}},
		{"if psql -h postgres; then :; fi", []string{"1:12 host postgres"}},
		{"f() { psql -h postgres; }", []string{"1:15 host postgres"}},
		{"for target in postgres:5432 redis:6379; do :; done", []string{"1:15 host postgres", "1:24 port 5432"}},
		{"# äöü\nécho=ä psql -h x; psql \\\n  -h postgres", []string{"2:16 host x", "3:6 host postgres"}},
		{"psql -h x\r\npsql -h postgres\r\n", []string{"1:9 host x", "2:9 host postgres"}},
		{"é='ü'; x='漢' psql -h postgres", []string{"1:22 host postgres"}},
	} {
		t.Run(test.in, func(t *testing.T) {
			hits, err := Hosts(test.in, isHost)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, show(hits)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWhatIsNoHost(t *testing.T) {
	for _, in := range []string{
		`trap - EXIT; trap cleanup postgres`,
		`echo > /dev/tcp/redis/6379`,
		`ssh ci@postgres "echo postgres:5432"`,
		`ssh -L 5432:$H:5433 ci@ci.example.com`,
		`O="-h postgres"; curl $O`,
		`docker run -e POSTGRES_DB=postgres -e A postgres:16`,
		`echo "a:b:c:d:e postgres" > notes`,
		"cat <<EOF\nDB_HOST=postgres\nEOF",
		"# psql -h postgres -p 5432",
		"psql <<SQL\nCREATE USER MAPPING -- postgres:5432\nSELECT 'postgres://u:hunter2@postgres:5432/d';\nSQL",
		"psql -U app <<-'SQL'\n\tALTER DATABASE app OWNER TO postgres;\n\tSQL",
		"docker exec -i db psql -U app <<SQL\nselect 'postgres://db:5432'\nSQL",
		"psql -U postgres",
		"psql -U postgres -d postgres",
		"psql -d postgres",
		"psql postgres",
		"psql --username postgres --dbname=postgres",
		"psql -h \"$PGHOST\" -p \"$PGPORT\" -U postgres postgres",
		"psql -h localhost -U postgres",
		"psql -h '${DB_HOST}'",
		`bash -c "psql -h '$H'"`,
		"sh run.sh -c 'psql -h postgres'",
		"psql -h 127.0.0.1",
		"psql -h /var/run/postgresql",
		"psql -U app -c 'select host from postgres'",
		"psql -f postgres.sql -v host=postgres",
		"pg_dump -h \"$H\" -t postgres -n db",
		"echo 'Waiting for postgres:5432'",
		"echo \"connecting to ${DB_HOST:-postgres}\"",
		"printf 'postgres://u@postgres:5432/db\\n'",
		"echo postgres 5432 >&2",
		"cat <<EOF\nUsage: run postgres://u:p@postgres:5432/d\nEOF",
		"docker run postgres:15",
		"docker run -d --name postgres -p 5432:5432 -h postgres postgres:15",
		"docker run --network-alias postgres -e POSTGRES_USER=postgres -p 127.0.0.1:5432:5432 registry.local:5000/postgres",
		"docker compose up -d postgres",
		"docker compose exec postgres psql -U postgres",
		"docker exec postgres pg_isready -U postgres",
		"docker pull postgres && docker tag postgres postgres:latest",
		"kubectl port-forward svc/postgres 5432:5432",
		"if [ \"$x\" = postgres ]; then :; fi",
		"[[ $x == postgres ]]",
		"test \"$DB_HOST\" = postgres",
		"case $x in postgres) ;; postgres:5432) ;; esac",
		"rm -rf postgres_data /data/postgres",
		"su postgres",
		"su - postgres -c 'createdb app'",
		"gosu postgres createuser app",
		"chown -R postgres:postgres /data && chown -h postgres file",
		"getent passwd postgres",
		"getent group postgres || groupadd postgres",
		"systemctl restart postgres",
		"apt-get install -y postgres",
		"curl http://postgres:5432/x",
		"curl -fsS http://db:8080/health",
		"psql mysql://u@postgres:5432/d",
		"redis-cli -h db -p 6379",
		"mysql -h db -P 3306",
		"POSTGRES_USER=${POSTGRES_USER:-postgres}",
		"POSTGRES_DB=postgres PGUSER=postgres PGDATABASE=postgres",
		"DB_NAME=${DB_NAME:-postgres}",
		"PGHOST=localhost psql",
		"PGHOST= psql",
		"SERVICE=postgres; CONTAINER=db",
		"for service in postgres db; do docker compose logs $service; done",
		"postgres -c port=5432",
		"exec postgres -p 5432",
		"pg_ctl -o '-p 5432' start",
		"nc -l 5432",
		"sleep 5432; kill 5432",
		"mkdir -p 5432",
		"git clone ssh://git@db:22/x",
		"DATABASE_URL=\"postgres://$U:$P@$H:$PORT/app\"",
		"DATABASE_URL=$DATABASE_URL",
		"host=$(node -e 'new URL(process.env.DATABASE_URL).hostname'); psql -h \"$host\"",
		"grep -q postgres:5432 file",
		"sed -i 's/postgres:5432/x/' file",
		"",
	} {
		t.Run(in, func(t *testing.T) {
			hits, err := Hosts(in, isHost)
			if err != nil {
				t.Fatal(err)
			}
			if len(hits) > 0 {
				t.Error("false alarm:", show(hits))
			}
		})
	}
}

func TestScriptsThatCannotBeRead(t *testing.T) {
	t.Run("hits before the error", func(t *testing.T) {
		hits, err := Hosts("psql -h postgres\necho hunter2 'é' ) x\npsql -h postgres", isHost)
		var syntaxError *SyntaxError
		if !errors.As(err, &syntaxError) || *syntaxError != (SyntaxError{Line: 2, Column: 18}) {
			t.Errorf("got %v", err)
		}
		if diff := cmp.Diff([]string{"1:9 host postgres"}, show(hits)); diff != "" {
			t.Error(diff)
		}
	})
	for _, test := range []struct {
		name, in string
		want     error
	}{
		{"python", "#!/usr/bin/env python3\nprint('x')", ErrNoShell},
		{"node", "#!/usr/bin/node\n", ErrNoShell},
		{"large", strings.Repeat("x", maxScript+1), ErrTooBig},
		{"deep", strings.Repeat("(", maxNesting+1), ErrNesting},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, err := Hosts(test.in, isHost); !errors.Is(err, test.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestDialects(t *testing.T) {
	for _, shebang := range []string{"", "#!/bin/sh", "#!/bin/bash -e", "#!/usr/bin/env bash", "#!/usr/bin/env -S bash -x", "#!/bin/busybox sh", "#!/bin/ksh", "#!/usr/bin/zsh", "#!/usr/bin/env bats"} {
		hits, err := Hosts(shebang+"\nif [[ -n $x ]]; then psql -h postgres; fi\n", isHost)
		if err != nil || len(hits) != 1 {
			t.Errorf("%s: %v, %v", shebang, show(hits), err)
		}
	}
}

func FuzzHosts(f *testing.F) {
	for _, seed := range []string{
		"psql -h \"${DB_HOST:-postgres}\" -p 5432 <<SQL\nselect 1\nSQL\n", "bash -c \"psql -h \\\"postgres\\\"\" && nc -z postgres 5432",
		"#!/bin/sh\nexec 3<>/dev/tcp/postgres/5432", "$'a\\'b' `x` $((1)) <(y) a=(b c)", "psql 'host=postgres", "x=\\\n\\", "é\r\npsql -h postgres", "\x0f&Bb\x10\x85",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		hits, _ := Hosts(text, isHost)
		lines := strings.Split(text, "\n")
		for _, h := range hits {
			if h.Line < 1 || h.Line > len(lines) || h.Column < 1 || h.Column > len([]rune(lines[h.Line-1])) {
				t.Errorf("%d:%d is not in the script", h.Line, h.Column)
			}
			if h.Literal == "" {
				t.Error("an empty literal")
			}
		}
	})
}

// A parser that descends too far takes the whole process with it.
func TestNestingDoesNotExhaustTheStack(t *testing.T) {
	for _, opening := range []string{"(", "$(", "\"$(", "{ ", "if ", "${a:-", "$((", "`", "! ", "a | ", "case x in x) ", "bash -c '", "[[ (", "x=${x:-$("} {
		if hits, _ := Hosts(strings.Repeat(opening, maxScript/len(opening)), isHost); len(hits) > 0 {
			t.Errorf("%s: hits in nothing: %v", opening, show(hits))
		}
		if hits, _ := Hosts("psql -h db\n"+strings.Repeat(opening, maxNesting/4), isHost); len(hits) != 1 {
			t.Errorf("%s: %v", opening, show(hits))
		}
	}
}
