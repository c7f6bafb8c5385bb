package helm

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"text/template/parse"

	"github.com/google/go-cmp/cmp"
	"helm.sh/helm/v4/pkg/chart/common"
	commonutil "helm.sh/helm/v4/pkg/chart/common/util"
	"helm.sh/helm/v4/pkg/chart/loader/archive"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	chartutil "helm.sh/helm/v4/pkg/chart/v2/util"
	helmengine "helm.sh/helm/v4/pkg/engine"
)

func TestMain(m *testing.M) {
	log.SetOutput(io.Discard) // Helm logs what it does not merge
	os.Exit(m.Run())
}

func renderAll(t testing.TB, files []sourceFile) response {
	t.Helper()
	req := request{Files: files, Work: maxChartWork}
	var out response
	if err := decode(Engine(context.Background(), encode(req)), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func chartOf(templates map[string]string) []sourceFile {
	files := []sourceFile{
		{"Chart.yaml", []byte("apiVersion: v2\nname: shop\nversion: 1.0.0\n")},
		{"values.yaml", []byte("a: {b: {c: [1, x, {d: e}]}, nothing: null, yes: true, zero: 0, text: \"{{ .Chart.Name }}\"}\nlist: [3, 1, 2]\n")},
		{"templates/good.yaml", []byte("a: {{ .Chart.Name }}\n")},
		{"conf/x.json", []byte(`{"a": [1, 2]}`)},
	}
	for name, text := range templates {
		files = append(files, sourceFile{"templates/" + name, []byte(text)})
	}
	return files
}

// stock renders a chart with Helm's own engine.
func stock(t testing.TB, files []sourceFile) (map[string]string, error) {
	t.Helper()
	var list []*archive.BufferedFile
	for _, f := range files {
		list = append(list, &archive.BufferedFile{Name: f.Name, Data: f.Data})
	}
	c, err := loader.LoadFiles(list)
	if err != nil {
		t.Fatal(err)
	}
	if err := chartutil.ProcessDependencies(c, common.Values{}); err != nil {
		t.Fatal(err)
	}
	release := common.ReleaseOptions{Name: c.Name(), Namespace: "default", Revision: 1, IsInstall: true}
	all, err := commonutil.ToRenderValuesWithSchemaValidation(c, common.Values{}, release, nil, true)
	if err != nil {
		t.Fatal(err)
	}
	return helmengine.Engine{}.RenderWithContext(context.Background(), c, all)
}

// same are templates that render to the same with and without what counts their
// work.
var same = map[string]string{
	"trim":      "a\n  {{- range .Values.list -}}  \n x{{ . }} {{- end -}} \n b {{ range .Values.list }}\n  {{- . -}}\n {{ end }} c\n",
	"nested":    "{{ if .Values.a }} {{- with .Values.a.b -}} {{ range $i, $x := .c }}{{ $i }}={{ $x }}{{ else }}none{{ end }} {{ end }}{{ else if .Values.x }}no{{ else }}never{{ end }}",
	"define":    "{{ define \"x\" }}  {{ end }}{{ define \"x\" -}} y {{ . }} {{- end }}{{ define \"x\" }}{{/* none */}}{{ end }}[{{ include \"x\" 1 }}][{{ template \"x\" . }}]",
	"block":     "{{ block \"b\" .Values -}} {{ .a.yes }} {{- end }} after",
	"comments":  "{{- /* a }} \" */ -}}\n a {{/* b */}} {{ \"}}\" }} {{ `}}` }} {{ '}' }}",
	"declare":   "{{ $x := 1 }}{{ $x = add $x 1 }}{{ $x }}{{ $y := list 1 2 | len }}{{ $y }}{{$z:=tpl .Values.a.text .}}{{$z}}",
	"nothing":   "[{{ .Values.none }}][{{ .Values.a.nothing }}][{{ .Values.a.none }}][{{ toYaml nil }}][{{ 1.0 }}][{{ 'a' }}][{{ 1e3 }}]",
	"print":     "{{ .Values }} {{ .Values.list }} {{ .Values.a.yes }} {{ printf \"%v %5d %q\" .Values.a 3 \"x\" }} {{ print 1 2 \"a\" }} {{ println 1 }}",
	"tpl":       "{{ tpl .Values.a.text . }}{{ tpl (printf \"%s\" .Values.a.text) $ | upper }}{{ (tpl \"{{ . }}\" 1) }}{{ tpl \"{{ define \\\"q\\\" }}Q{{ end }}{{ include \\\"q\\\" . }}\" . }}",
	"marshal":   "{{ toYaml .Values.a | nindent 2 }} {{ .Values.a | toJson }} {{ toYaml (dict \"a\" (list 1 2)) }} {{ (fromYaml \"a: [1]\").a }} {{ \"[1]\" | fromJsonArray }} {{ toToml (dict \"a\" 1) }} {{ .Values.none | toYaml }} {{ toYamlPretty .Values.list }}",
	"compare":   "{{ if eq .Values.a.zero 0.0 }}x{{ end }}{{ if eq \"a\" \"b\" \"a\" }}y{{ end }}{{ if ne .Values.none nil }}z{{ end }}{{ if and (eq .Chart.Name \"shop\") (not .Values.none) (or .Values.a .Values.none) }}w{{ end }}{{ if lt 1 2 }}{{ index .Values.a.b.c 2 \"d\" }}{{ \"d\" | index (index .Values.a.b.c 2) }}{{ end }}{{ 1 | eq 1 }}{{ if gt (len .Values.list) 2 }}v{{ end }}",
	"files":     "{{ .Files.Get \"conf/x.json\" }}{{ range $n, $d := .Files.Glob \"conf/*\" }}{{ $n }}{{ end }}{{ (.Files.Glob \"conf/*\").AsConfig | indent 2 }}{{ range .Files.Lines \"conf/x.json\" }}{{ . }}{{ end }}",
	"sprig":     "{{ list 1 2 | join \",\" }}{{ keys (dict \"a\" 1) }}{{ merge (dict \"a\" 1) (dict \"b\" 2) }}{{ $d := dict }}{{ $_ := set $d \"x\" .Values.a }}{{ get $d \"x\" }}{{ until 3 }}{{ seq 1 2 5 }}{{ untilStep 5 0 -2 }}{{ repeat 3 \"ab\" }}{{ regexReplaceAll \"a(.)\" \"abac\" \"${1}x\" }}{{ \"a-b\" | split \"-\" }}{{ dig \"b\" \"c\" 1 .Values.a }}{{ ternary 1 2 true }}{{ deepCopy .Values.a }}{{ uniq (list 1 1 2) }}{{ has 1 (list 1) }}{{ semverCompare \">=1.0\" \"1.2.3\" }}{{ sha256sum \"x\" }}{{ b64enc \"x\" }}{{ concat (list 1) (list 2) }}{{ chunk 2 (list 1 2 3) }}{{ wrapWith 2 \"-\" \"a b c\" }}{{ html \"<\" }}{{ urlquery \"a b\" }}{{ .Capabilities.KubeVersion.Version }}{{ .Capabilities.APIVersions.Has \"v1\" }}{{ lookup \"v1\" \"Pod\" \"\" \"\" }}{{ durationRound \"2h10m\" }}{{ typeOf .Values }}{{ kindOf .Values.list }}",
	"control":   "{{ range .Values.list }}{{ if eq (int .) 1 }}{{ continue }}{{ end }}{{ . }}{{ if eq (int .) 2 }}{{ break }}{{ end }}{{ end }}{{ range $k, $v := .Values.a -}} {{ $k }} {{- end }}{{ range 3 }}{{ . }}{{ end }}",
	"lines":     "{{- $x := dict\n  \"a\" (list\n 1\n 2)\n}}\n{{ toYaml\n  $x.a\n  | nindent 4 }}{{\n.Values.a.yes\n-}}\n x",
	"recursion": "{{ define \"walk\" }}{{ range $k, $v := . }}{{ if kindIs \"map\" $v }}{{ include \"walk\" $v }}{{ else }}{{ $k }};{{ end }}{{ end }}{{ end }}{{ include \"walk\" .Values }}",
	"end":       "a {",
	"brace":     "{ {{- 1 -}} } {{ \"{\" }}{{ 1 }} {{`{{`}} x {{`}}`}}",
}

// TestSame renders with Helm's own engine alone, and with what counts the work.
func TestSame(t *testing.T) {
	for name, text := range same {
		t.Run(name, func(t *testing.T) {
			files := chartOf(map[string]string{"a.yaml": text})
			want, err := stock(t, files)
			if err != nil {
				t.Fatal(err)
			}
			got := renderAll(t, files)
			if len(got.Failures) > 0 {
				t.Fatal(got.Failures)
			}
			for _, r := range got.Templates {
				if diff := cmp.Diff(want[path.Join("shop", r.File)], r.Text); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}

// TestSameCharts does so for the charts of the fixtures.
func TestSameCharts(t *testing.T) {
	found := 0
	err := filepath.WalkDir("../../../fixtures", func(name string, _ os.DirEntry, err error) error {
		if err != nil || filepath.Base(name) != "Chart.yaml" || strings.Contains(name, "/charts/") {
			return err
		}
		dir := filepath.Dir(name)
		var files []sourceFile
		err = filepath.WalkDir(dir, func(file string, entry os.DirEntry, err error) error {
			if err != nil || entry.IsDir() || strings.HasSuffix(file, ".tgz") {
				return err
			}
			rel, err := filepath.Rel(dir, file)
			if err != nil {
				return err
			}
			data, err := os.ReadFile(file)
			files = append(files, sourceFile{filepath.ToSlash(rel), data})
			return err
		})
		if err != nil {
			return err
		}
		if len(renderAll(t, files).Failures) > 0 {
			return nil // a fixture of something broken
		}
		found++
		want, err := stock(t, files)
		if err != nil {
			t.Errorf("%s: %v", dir, err)
		}
		var all, got []string
		for name, text := range want {
			if base := path.Base(name); !strings.HasPrefix(base, "_") && base != "NOTES.txt" {
				all = append(all, text)
			}
		}
		for _, r := range renderAll(t, files).Templates {
			got = append(got, r.Text)
		}
		slices.Sort(all)
		slices.Sort(got)
		if diff := cmp.Diff(all, got); diff != "" {
			t.Errorf("%s: %s", dir, diff)
		}
		return nil
	})
	if err != nil || found < 3 {
		t.Fatalf("%d charts, %v", found, err)
	}
}

// hostile are templates that may not be rendered to their end.
var hostile = map[string]struct {
	text string
	want cause
}{
	"range of ranges":    {"{{ range until 100000 }}{{ range until 100000 }}x{{ end }}{{ end }}", overWork},
	"until":              {"{{ range until 1000000000 }}x{{ end }}", overNodes},
	"untilStep":          {"{{ untilStep 0 -1000000000 -1 }}", overNodes},
	"seq":                {"{{ seq 1 1 1000000000 }}", overNodes},
	"range of a number":  {"{{ range 1000000000 }}{{ end }}", overWork},
	"repeat":             {"{{ repeat 1000000 (repeat 1000000 (repeat 1000000 \"x\")) }}", overText},
	"indent":             {"{{ indent 1000000000 \"x\" }}", overText},
	"printf":             {"{{ printf (repeat 10000 \"%1000000d\") 1 }}", overText},
	"printf star":        {"{{ printf (repeat 10000 \"%*d\") 1000000 1 }}", overText},
	"replace":            {"{{ $d := repeat 1000000 \"a\" }}{{ replace \"a\" $d $d }}", overText},
	"join":               {"{{ join (repeat 1000000 \"x\") (until 100000) }}", overText},
	"regexReplaceAll":    {"{{ regexReplaceAll \"(a*)\" (repeat 10000 \"a\") (repeat 10000 \"$1\") }}", overText},
	"regexMatch":         {"{{ regexMatch \"(a?){999}b\" (repeat 1000000 \"a\") }}", overWork},
	"cat doubles":        {"{{ $d := \"xx\" }}{{ range until 60 }}{{ $d = cat $d $d }}{{ end }}", overWork},
	"dict doubles":       {"{{ $d := dict \"a\" \"x\" }}{{ range until 60 }}{{ $d = dict \"a\" $d \"b\" $d }}{{ end }}", overNodes},
	"dict deep":          {"{{ $d := dict \"a\" \"x\" }}{{ range until 100000 }}{{ $d = dict \"a\" $d }}{{ end }}", tooDeep},
	"set cyclic":         {"{{ $d := dict \"a\" \"x\" }}{{ $_ := set $d \"a\" $d }}{{ printf \"%v\" $d }}", cyclic},
	"set through a list": {"{{ $d := dict }}{{ $_ := set $d \"a\" (list (dict \"b\" $d)) }}", cyclic},
	"merge cyclic":       {"{{ $d := dict \"a\" (dict) }}{{ $_ := merge $d (dict \"b\" $d) }}", cyclic},
	"root cyclic":        {"{{ $_ := set . \"a\" . }}{{ . }}", cyclic},
	"include doubles": {"{{ define \"x0\" }}x{{ end }}" + doubling("include") + "{{ include \"x30\" . }}",
		overWork},
	"template doubles":    {"{{ define \"x0\" }}x{{ end }}" + doubling("template") + "{{ template \"x30\" . }}", overWork},
	"include of itself":   {"{{ define \"x\" }}{{ include \"x\" . }}{{ end }}{{ include \"x\" . }}", tooDeep},
	"template of itself":  {"{{ template \"shop/templates/a.yaml\" . }}", tooDeep},
	"tpl of itself":       {"{{ $_ := set .Values \"x\" \"{{ tpl .Values.x . }}\" }}{{ tpl .Values.x . }}", tooDeep},
	"tpl again and again": {"{{ range until 100000 }}{{ $x := tpl \"x\" $ }}{{ end }}", overWork},
	"deep blocks":         {strings.Repeat("{{ if 1 }}", 9000) + strings.Repeat("{{ end }}", 9000), tooDeep},
	"deep parentheses":    {"{{ " + strings.Repeat("(", 9000) + "1" + strings.Repeat(")", 9000) + " }}", tooDeep},
	"space":               {"{{ define \"x\" }}" + strings.Repeat(" ", 500000) + "{{ end }}{{ range until 100000 }}{{ template \"x\" }}{{ end }}", overWork},
	"output":              {"{{ $x := repeat 1000000 \"x\" }}{{ range until 1000 }}{{ $x }}{{ end }}", overText},
	"comparison":          {"{{ $x := repeat 1000000 \"x\" }}{{ range until 100000 }}{{ if eq $x (print $x) }}{{ end }}{{ end }}", overWork},
	"alias bomb":          {"{{ $x := fromYaml (printf \"a: &a [x,x,x,x,x,x,x,x,x,x]\\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\\nf: [*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]\\n\") }}", overNodes},
	"uniq":                {"{{ uniq (until 100000) }}", overWork},
	"wrapWith":            {"{{ wrapWith 1 (repeat 100000 \"x\") (repeat 100000 \"y\") }}", overText},
	"own function":        {"{{ dsnlint__leave }}", reserved},
	"own function in tpl": {"{{ tpl \"{{ dsnlint__leave }}\" . }}", reserved},
}

func doubling(call string) string {
	var b strings.Builder
	for i := 1; i <= 30; i++ {
		_, _ = fmt.Fprintf(&b, "{{ define \"x%d\" }}{{ %s \"x%d\" . }}{{ %s \"x%d\" . }}{{ end }}", i, call, i-1, call, i-1)
	}
	return b.String()
}

func TestHostileTemplates(t *testing.T) {
	for name, c := range hostile {
		t.Run(name, func(t *testing.T) {
			out := renderAll(t, chartOf(map[string]string{"a.yaml": c.text}))
			if len(out.Failures) != 1 || out.Failures[0].Cause != c.want || out.Failures[0].At != "templates/a.yaml" {
				t.Errorf("failures %+v, want cause %d", out.Failures, c.want)
			}
			if len(out.Templates) != 1 || out.Templates[0].File != "templates/good.yaml" {
				t.Errorf("%d templates are left", len(out.Templates))
			}
		})
	}
}

// TestCheap renders what costs a lot elsewhere, or is different each time.
func TestCheap(t *testing.T) {
	const text = `{{ range until 1000 }}{{ htpasswd "a" "b" }}{{ bcrypt "x" }}{{ $c := genCA "a" 1 }}{{ $c.Cert }}{{ (genSignedCert "a" nil nil 1 $c).Key }}{{ genPrivateKey "rsa" }}{{ derivePassword 1 "long" "a" "b" "c" }}{{ end }}
{{ randAlphaNum 4 }}{{ randBytes 3 }}{{ randInt 0 9 }}{{ uuidv4 }}{{ now | date "150405.000" }}{{ ago now }}{{ shuffle "abc" }}{{ decryptAES "a" (encryptAES "a" "b") }}{{ keys .Values }}{{ values .Values.a }}`
	var first []byte
	for range 3 {
		out := renderAll(t, chartOf(map[string]string{"a.yaml": text}))
		if len(out.Failures) > 0 {
			t.Fatal(out.Failures)
		}
		encoded := encode(out)
		if first == nil {
			first = encoded
		}
		if !bytes.Equal(first, encoded) {
			t.Error("two renderings differ")
		}
	}
}

// TestFailuresHideNothing has many templates that fail, for each reason.
func TestFailuresHideNothing(t *testing.T) {
	templates := map[string]string{}
	for i := range 40 {
		templates[fmt.Sprintf("unset%d.yaml", i)] = "a: b\n{{ define \"d" + fmt.Sprint(i) + "\" }}D{{ end }}c: {{ .Values.x.y.z }}\n"
		templates[fmt.Sprintf("syntax%d.yaml", i)] = "a: {{ if }}\n"
		templates[fmt.Sprintf("unknown%d.yaml", i)] = "a: {{ nobody 1 }}\n"
		templates[fmt.Sprintf("uses%d.yaml", i)] = fmt.Sprintf("a: {{ include \"d%d\" . }}\n", i)
	}
	out := renderAll(t, chartOf(templates))
	if len(out.Failures) != 120 || len(out.Templates) != 41 {
		t.Errorf("%d failures, %d templates", len(out.Failures), len(out.Templates))
	}
	for _, f := range out.Failures {
		want := map[string]failure{
			"unset":   {Cause: unsetValue, Line: 2, Column: 41},
			"syntax":  {Cause: invalidTemplate, Line: 1, Column: 1},
			"unknown": {Cause: invalidTemplate, Line: 1, Column: 1},
		}[strings.TrimRight(strings.TrimSuffix(path.Base(f.File), ".yaml"), "0123456789")]
		want.File, want.At = f.File, f.File
		if f.Cause == unsetValue {
			want.Column = f.Column // the names differ in length
		}
		if f != want {
			t.Errorf("got %+v, want %+v", f, want)
		}
	}
}

func TestDependencies(t *testing.T) {
	many := "apiVersion: v2\nname: s\nversion: 1.0.0\ndependencies:\n"
	for i := range 30 {
		many += fmt.Sprintf("  - {name: s, version: 1.0.0, alias: s%d}\n", i)
	}
	files := chartOf(nil)
	files[0].Data = []byte(strings.Replace(many, "name: s\n", "name: shop\n", 1))
	dir := ""
	for range 6 {
		dir += "charts/s/"
		files = append(files, sourceFile{dir + "Chart.yaml", []byte(many)})
	}
	out := renderAll(t, files)
	if len(out.Failures) != 1 || out.Failures[0].Cause != manyCharts || len(out.Templates) != 1 {
		t.Errorf("%+v", out)
	}
}

// addTemplates adds the templates of the other tests to the seeds.
func addTemplates(f *testing.F) {
	for _, text := range same {
		f.Add(text)
	}
	for _, c := range hostile {
		if len(c.text) < 1000 {
			f.Add(c.text)
		}
	}
}

// FuzzInstrument compares the parse tree of an instrumented template against what it
// must be: the parser takes it only if it takes the template, and nothing in it is
// executed without being counted.
func FuzzInstrument(f *testing.F) {
	addTemplates(f)
	f.Fuzz(func(t *testing.T, text string) {
		in, err := instrument(text, 0, 0, 1, false)
		if err != nil {
			return
		}
		before, errBefore := parseAll(text)
		after, errAfter := parseAll(in.text)
		if errBefore != nil && errAfter == nil {
			t.Fatal("the parser takes the instrumented template only")
		}
		if errBefore != nil || errAfter != nil {
			// A template whose words are run together may be refused once it is
			// instrumented, and is reported then.
			return
		}
		if len(before) != len(after) {
			t.Fatal("other templates")
		}
		for name, tree := range after {
			if len(text) <= 64 && parse.IsEmptyTree(before[name].Root) != parse.IsEmptyTree(tree.Root) {
				t.Errorf("template %q is no longer empty", name)
			}
			check(t, tree.Root)
		}
	})
}

func parseAll(text string) (map[string]*parse.Tree, error) {
	trees := map[string]*parse.Tree{}
	tree := parse.New(treeName)
	tree.Mode = parse.SkipFuncCheck
	_, err := tree.Parse(text, "", "", trees)
	return trees, err
}

// check looks for what is not counted.
func check(t *testing.T, node parse.Node) {
	t.Helper()
	switch n := node.(type) {
	case *parse.ListNode:
		if n == nil {
			return
		}
		for _, item := range n.Nodes {
			check(t, item)
		}
	case *parse.ActionNode:
		last := n.Pipe.Cmds[len(n.Pipe.Cmds)-1].String()
		if len(n.Pipe.Decl) == 0 && last != outName && !strings.HasPrefix(last, ownPrefix) {
			t.Errorf("%s is printed unseen", n)
		}
		checkPipe(t, n.Pipe)
	case *parse.RangeNode:
		if len(n.List.Nodes) == 0 || !strings.HasPrefix(n.List.Nodes[0].String(), "{{"+countName) {
			t.Errorf("%s is not counted", n)
		}
		checkPipe(t, n.Pipe)
		check(t, n.List)
		check(t, n.ElseList)
	case *parse.IfNode:
		checkPipe(t, n.Pipe)
		check(t, n.List)
		check(t, n.ElseList)
	case *parse.WithNode:
		checkPipe(t, n.Pipe)
		check(t, n.List)
		check(t, n.ElseList)
	case *parse.TemplateNode:
		if n.Pipe != nil {
			checkPipe(t, n.Pipe)
		}
	}
}

func checkPipe(t *testing.T, pipe *parse.PipeNode) {
	t.Helper()
	for i, cmd := range pipe.Cmds {
		for _, arg := range cmd.Args {
			if inner, ok := arg.(*parse.PipeNode); ok {
				checkPipe(t, inner)
			}
			if chain, ok := arg.(*parse.ChainNode); ok {
				if inner, ok := chain.Node.(*parse.PipeNode); ok {
					checkPipe(t, inner)
				}
			}
		}
		g, ok := guards[cmd.Args[0].String()]
		if !ok {
			continue
		}
		guarded := i > 0 && pipe.Cmds[i-1].String() == g.name
		if len(cmd.Args) > 1 {
			guarded = strings.HasPrefix(cmd.Args[1].String(), g.name+" ") || cmd.Args[1].Type() == parse.NodeNil
		}
		if !guarded && len(cmd.Args) > 1 {
			t.Errorf("%s is not guarded", cmd)
		}
	}
}

// FuzzEngine renders any template. One that took too long would be found by the
// fuzzer, which ends an input that hangs.
func FuzzEngine(f *testing.F) {
	addTemplates(f)
	f.Fuzz(func(t *testing.T, text string) {
		renderAll(t, chartOf(map[string]string{"a.yaml": text}))
	})
}
