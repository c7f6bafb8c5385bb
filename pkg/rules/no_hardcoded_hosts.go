package rules

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/derekg1729/dsnlint/pkg/contract"
	"github.com/derekg1729/dsnlint/pkg/dsn"
	"github.com/derekg1729/dsnlint/pkg/internal/shell"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

var noHardcodedHosts = &Rule{
	ID:      "NO_HARDCODED_HOSTS",
	Level:   contract.LevelWarning,
	Summary: "A host or port of the database is written out in a DSN, a command or a script.",
	Why: "The provisioner and the CI scripts must run against any database: the one in the stack, a managed one, the one of a test. " +
		"Host and port are parsed from a DSN at run time or come through a variable of their own (`DB_HOST: postgres` in the provisioning lane is how it should be done). " +
		"A literal, and also a default such as `${DB_HOST:-postgres}`, silently points the wrong environment at the wrong database.",
	Fix:              "Pass the whole DSN through a variable, or take host and port from variables of their own without a default.",
	SecuritySeverity: 2.0,
	Check: func(p *Pass) {
		for _, s := range p.Subjects {
			if s.Role == contract.Provisioner || s.Role == contract.Runtime {
				p.assembledDSNs(s)
			}
			if s.Role == contract.Provisioner {
				p.commandLine(s)
			}
			if s.Role == contract.Provisioner || s.Kind == manifest.KindFile {
				p.scripts(s)
			}
		}
	},
}

var hostsFix = manifest.Say("pass the whole DSN through a variable, or take host and port from variables of their own without a default")

// assembledDSNs looks at the DSNs that a manifest puts together.
func (p *Pass) assembledDSNs(s Subject) {
	for _, d := range s.Deliveries {
		// A provisioner's command line is looked at as a whole.
		if s.Role == contract.Provisioner && d.Command != manifest.NoCommand {
			continue
		}
		if what := literalHost(d); !what.IsZero() {
			p.Report(s, deliver(d, nil, manifest.Say("%s receives a DSN with a literal %s %s", s.title(), what, place(d)), hostsFix))
		}
	}
}

// commandLine looks at the command that the container starts with. Its words are at
// places of their own, so each is a word of one line of shell, and a hit is at the
// place of its word. A script in it is left to scripts.
func (p *Pass) commandLine(s Subject) {
	words := slices.DeleteFunc(slices.Clone(s.Deliveries), func(d manifest.Delivery) bool { return d.Command == manifest.NoCommand })
	var line strings.Builder
	ends, end := make([]int, len(words)), 0
	for i, d := range words {
		word := shellWord(d.Expr, d.Command == manifest.CommandLine || len(words) == 1)
		line.WriteString(word + " ")
		ends[i] = end + utf8.RuneCountInString(word)
		end = ends[i] + 1
	}
	seen := map[int]bool{}
	hits, _ := shell.Hosts(line.String(), p.isDatabaseHost) // what is no shell has no hits
	for _, hit := range hits {
		word, _ := slices.BinarySearch(ends, hit.Column)
		if hit.Inner || hit.Line != 1 || word == len(words) || seen[word] {
			continue
		}
		seen[word] = true
		p.Report(s, deliver(words[word], nil,
			manifest.Say("%s has a literal %s of the database in its %s", s.title(), noun(hit.Kind), manifest.Name(words[word].Name)), hostsFix))
	}
}

// shellWord writes an argument as a word of shell. One that is given as a whole line is
// a line of shell already.
func shellWord(e manifest.Expr, isLine bool) string {
	if isLine {
		return strings.ReplaceAll(shell.Text(e), "\n", " ")
	}
	var b strings.Builder
	for _, part := range e {
		if part.Ref != nil && part.Ref.Default != nil {
			b.WriteString(shellWord(part.Ref.Default, false))
			continue
		}
		text := shell.Text(manifest.Expr{part})
		if strings.Contains(text, "$") {
			// What is meant to be expanded is not a literal, even where no shell does it.
			b.WriteString(`"` + shell.Variable + `"`)
			continue
		}
		b.WriteString("'" + strings.NewReplacer("'", `'\''`, "\n", " ").Replace(text) + "'")
	}
	return b.String()
}

// scripts looks at the scripts that a container runs or mounts, or that are CI's.
func (p *Pass) scripts(s Subject) {
	for _, script := range s.Scripts {
		text, known := script.Text.Reveal()
		if !known {
			continue
		}
		hits, _ := shell.Hosts(text, p.isDatabaseHost) // the hits before a syntax error count
		reported := map[manifest.Position]bool{}
		for _, hit := range hits {
			pos := script.At(hit.Line, hit.Column)
			if reported[pos] {
				continue
			}
			reported[pos] = true
			f := at(pos, manifest.Say("script %s", manifest.Name(script.Name)), Finding{
				Variable: script.Name,
				Message:  manifest.Say("the script %s has a literal %s of the database", manifest.Name(script.Name), noun(hit.Kind)),
				Fix:      hostsFix,
			})
			f.Channel = manifest.ChannelArgument
			p.Report(s, f)
		}
	}
}

func noun(kind shell.Kind) manifest.Text {
	if kind == shell.DSN {
		return manifest.Say("host or port")
	}
	return manifest.Say("%s", manifest.Name(kind))
}

// isDatabaseHost reports whether a word is the name of a database container.
func (p *Pass) isDatabaseHost(word string) bool {
	return p.Contract.RoleOf(&manifest.Container{RoleNames: []string{word}}) == contract.Database
}

// literalHost says which of host and port of a DSN in a delivery is literal text
// of the manifest, a default included; it is empty where neither is.
func literalHost(d manifest.Delivery) manifest.Text {
	if !inManifest(d.Provenance) {
		return manifest.Text{}
	}
	host, port := false, false
	for _, parsed := range dsn.ParseExpr(d.Expr) {
		for _, h := range parsed.Hosts {
			host = host || isWritten(h.Name)
			port = port || isWritten(h.Port)
		}
	}
	switch {
	case host && port:
		return manifest.Say("host and port")
	case host:
		return manifest.Say("host")
	case port:
		return manifest.Say("port")
	}
	return manifest.Text{}
}

func isWritten(e manifest.Expr) bool {
	text, known := dsn.Written(e)
	return known && text != ""
}
