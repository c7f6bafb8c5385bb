package loaders

import (
	"bytes"
	"context"
	"path"
	"regexp"

	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// shellScript is the dialect of scripts that the user names, such as those of a
// CI. A walk takes none: a script that a container runs comes with it.
var shellScript = &dialect{
	noun: manifest.Say("shell script"),
	load: func(_ context.Context, opts Options, files []string) ([]manifest.Container, []*manifest.Problem) {
		data, err := opts.Tree.Read(files[0])
		if err != nil {
			return nil, []*manifest.Problem{asProblem(files[0], err)}
		}
		script := manifest.File(files[0])
		script.Scripts = []manifest.Script{{
			Name:     files[0],
			Text:     manifest.Known(string(data)),
			Position: manifest.Position{File: files[0], Line: 1, Column: 1},
			Exact:    true,
		}}
		return []manifest.Container{*script}, nil
	},
	group: eachByItself,
}

var shebang = regexp.MustCompile(`^#![^\n]*\b(?:ba|da|k|a)?sh\b`)

// isShellScript tells by the name or the first line.
func isShellScript(name string, data []byte) bool {
	switch path.Ext(name) {
	case ".sh", ".bash":
		return true
	}
	line, _, _ := bytes.Cut(data, []byte("\n"))
	return shebang.Match(line)
}

func eachByItself(files []*file) [][]string {
	projects := make([][]string, len(files))
	for i, f := range files {
		projects[i] = []string{f.name}
	}
	return projects
}
