package shell

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// shells are the shells, each with the languages that a script for it may be written
// in; many a script for sh is for bash in truth, and the other way round.
var shells = map[string][]syntax.LangVariant{
	"sh":   {syntax.LangPOSIX, syntax.LangBash},
	"dash": {syntax.LangPOSIX, syntax.LangBash},
	"ash":  {syntax.LangPOSIX, syntax.LangBash},
	"bash": {syntax.LangBash, syntax.LangPOSIX},
	"ksh":  {syntax.LangMirBSDKorn, syntax.LangBash},
	"mksh": {syntax.LangMirBSDKorn, syntax.LangBash},
	"zsh":  {syntax.LangZsh, syntax.LangBash},
}

// interpreters run a script whose first line names them, and are not called with -c
// as a shell is.
var interpreters = map[string][]syntax.LangVariant{
	"busybox": shells["ash"],
	"bats":    {syntax.LangBats},
}

// logins start a shell as another user, and hand it the script of their own -c.
var logins = map[string]bool{"su": true, "runuser": true}

var shebang = regexp.MustCompile(`^#![ \t]*(?:\S*/)?(?:env[ \t]+(?:(?:-\S+|\w+=\S*)[ \t]+)*)?(?:\S*/)?(\S+)`)

// interpreterOf returns the program that the first line of a script names, if it does.
func interpreterOf(text string) string {
	if m := shebang.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	return ""
}

// variantsOf returns the languages that a script for an interpreter may be written in;
// none for one that is not a shell.
func variantsOf(interpreter string) []syntax.LangVariant {
	if variants := shells[interpreter]; variants != nil {
		return variants
	}
	return interpreters[interpreter]
}

// IsScript reports whether a file is a shell script: by its name, by its first line, or
// since a command line names it. One that is named and has an extension may as well be
// SQL for a client.
func IsScript(name, text string, named bool) bool {
	ext := path.Ext(name)
	return shells[strings.TrimPrefix(ext, ".")] != nil || ext == "" && named || variantsOf(interpreterOf(text)) != nil
}

// takesScript reports whether a word may run a script that comes behind -c.
func takesScript(word string) bool {
	program := path.Base(word)
	return !strings.Contains(word, "=") && (shells[program] != nil || logins[program])
}

// Scripts returns the indices of the words of a command line that are scripts, such
// as the last one of sh -c SCRIPT. Anything may run the shell: env, exec, timeout. What
// is behind a database client belongs to the client. It takes time linear in the number
// of words: each shell is looked for where the one before it ends.
func Scripts(words []string) []int {
	var found []int
	for i := 0; i < len(words) && clients[path.Base(words[i])] == ""; {
		if !takesScript(words[i]) {
			i++
			continue
		}
		end := behindShell
		if takesAnyOption(words, i) {
			end = behindLogin
		}
		var isScript bool
		if i, isScript = end(words, i+1); isScript {
			found = append(found, i)
			i++
		}
	}
	return found
}

// takesAnyOption reports whether the shell words[i] is handed the options behind the
// operands of the program that starts it: su USER -c SCRIPT, docker run --entrypoint sh
// IMAGE -c SCRIPT.
func takesAnyOption(words []string, i int) bool {
	return logins[path.Base(words[i])] || i > 0 && slices.Contains([]string{"--entrypoint", "--shell", "-s"}, words[i-1])
}

// behindShell returns the end of the options of a shell, which begin at words[i], and
// reports whether the word there is its script, since one of them is -c.
func behindShell(words []string, i int) (end int, isScript bool) {
	values := 0 // of options before, as in -euo pipefail
	for ; i < len(words); i++ {
		switch word := words[i]; {
		case values > 0:
			values--
		case word == "--", word == "-":
			return i + 1, isScript && i+1 < len(words)
		case word == "--rcfile", word == "--init-file":
			values = 1
		case strings.HasPrefix(word, "--"):
		case strings.HasPrefix(word, "-"), strings.HasPrefix(word, "+"):
			isScript = isScript || word[0] == '-' && strings.Contains(word, "c")
			values = strings.Count(strings.ToLower(word), "o")
		default:
			return i, isScript
		}
	}
	return i, false
}

// behindLogin returns the index of the word behind -c, which may come before the user
// and after, or that of the next shell.
func behindLogin(words []string, i int) (end int, isScript bool) {
	for ; i < len(words) && !takesScript(words[i]); i++ {
		if word := words[i]; len(word) > 1 && word[0] == '-' && word[1] != '-' && strings.HasSuffix(word, "c") {
			return i + 1, i+1 < len(words)
		}
	}
	return i, false
}

// Variable is how [Text] writes what is not known.
const Variable = "${_}"

// Text writes a value as a part of a script. A reference is a variable, and its default
// is text: that counts as if it were written in the script.
func Text(e manifest.Expr) string {
	var b strings.Builder
	for _, part := range e {
		literal, known := part.Literal.Reveal()
		switch {
		case part.Ref != nil && part.Ref.Default != nil:
			b.WriteString(Text(part.Ref.Default))
		case part.Ref != nil, !known:
			b.WriteString(Variable)
		default:
			b.WriteString(literal)
		}
	}
	return b.String()
}
