package kustomize

import (
	"bufio"
	"bytes"
	"errors"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/kustomize/api/types"
	k8syaml "sigs.k8s.io/yaml"

	"github.com/derekg1729/dsnlint/pkg/internal/envfile"
	"github.com/derekg1729/dsnlint/pkg/internal/source"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// notRun are the fields that only a plugin, a command or a download can serve.
var notRun = []string{"helmCharts", "helmChartInflationGenerator", "helmGlobals", "validators"}

// follow reads what a kustomization uses, and rewrites its spec: locations become
// names of our own, what the engine must not do goes, and deprecated fields become
// those that they stand for, since the engine writes about them to standard error.
func (s *scan) follow(k *kustomization) {
	for _, name := range notRun {
		if key, _ := source.Lookup(k.root, name); key != nil {
			s.notFollowed(source.NodePosition(k.file, key), manifest.Say("%s needs a plugin or a download", manifest.Name(name)))
		}
	}
	k.spec.FixKustomization()
	k.spec.HelmCharts, k.spec.HelmGlobals, k.spec.HelmChartInflationGenerator = nil, nil, nil
	k.spec.Validators = nil
	if _, custom := source.Lookup(mapping(k.root, "openapi"), "path"); custom != nil {
		s.notFollowed(source.NodePosition(k.file, custom), manifest.Say("a schema of one's own is not used"))
	}
	// The engine keeps a schema for all that it renders later.
	k.spec.OpenAPI = nil
	k.spec.BuildMetadata = nil

	k.spec.Resources = s.entries(k, k.spec.Resources, false, "resources", "bases")
	k.spec.Components = s.entries(k, k.spec.Components, true, "components")
	k.spec.Crds = s.definitions(k, k.spec.Crds, "crds")
	k.spec.Configurations = s.definitions(k, k.spec.Configurations, "configurations")
	s.generators(k, s.builtinGenerators(k))
	s.patchEntries(k)
	s.transformers(k)
	s.replacements(k)
	s.vars(k)
	if len(k.spec.CommonLabels) > 0 { //nolint:staticcheck // kustomizations still use the deprecated field
		k.spec.Labels = append(k.spec.Labels, types.Label{Pairs: k.spec.CommonLabels, IncludeSelectors: true}) //nolint:staticcheck // as above
		k.spec.CommonLabels = nil                                                                              //nolint:staticcheck // as above
	}
	text, err := k.text(false, nil)
	if err != nil {
		s.reportError(k.place(), manifest.Say("cannot prepare the kustomization"))
	}
	k.size.close(k, len(text))
}

// text writes the kustomization for the engine.
func (k *kustomization) text(marked bool, leftOut map[*origin]bool) ([]byte, error) {
	return k8syaml.Marshal(k.given(marked, leftOut))
}

// given is what the engine is given, with or without marks. Of what is left out a
// generator stays, and makes an object in place of changing one.
func (k *kustomization) given(marked bool, leftOut map[*origin]bool) types.Kustomization {
	spec := k.spec
	spec.Patches = nil
	for i, p := range k.spec.Patches {
		if leftOut[k.patches[i].origins[0]] {
			continue
		}
		if marked && p.Patch != "" {
			p.Patch = string(k.patches[i].marked)
		}
		spec.Patches = append(spec.Patches, p)
	}
	spec.ConfigMapGenerator, spec.SecretGenerator = nil, nil
	for _, g := range k.generated {
		args := g.args(marked, leftOut[g.origin])
		if g.kind == secretKind {
			spec.SecretGenerator = append(spec.SecretGenerator, types.SecretArgs{GeneratorArgs: args, Type: g.secretType})
		} else {
			spec.ConfigMapGenerator = append(spec.ConfigMapGenerator, types.ConfigMapArgs{GeneratorArgs: args})
		}
	}
	spec.Replacements = without(k.spec.Replacements, k.replacements, leftOut)
	spec.Vars = without(k.spec.Vars, k.vars, leftOut) //nolint:staticcheck // kustomizations still use the deprecated field
	return spec
}

// without returns the entries whose places are not left out.
func without[T any](entries []T, places []*origin, leftOut map[*origin]bool) []T {
	var kept []T
	for i, entry := range entries {
		if !leftOut[places[i]] {
			kept = append(kept, entry)
		}
	}
	return kept
}

// mapping returns the value of a key.
func mapping(node *yaml.Node, key string) *yaml.Node {
	_, value := source.Lookup(node, key)
	return value
}

// items returns the nodes of n items that fields of a mapping hold in all, in the
// order of the fields. Where the engine has read other items there, all of them
// have the place of the mapping.
func items(node *yaml.Node, n int, fields ...string) []*yaml.Node {
	var list []*yaml.Node
	for _, name := range fields {
		switch value := mapping(node, name); {
		case value == nil:
		case value.Kind == yaml.SequenceNode:
			list = append(list, value.Content...)
		case value.Value != "":
			list = append(list, value)
		}
	}
	if len(list) != n {
		list = list[:0]
		for range n {
			list = append(list, node)
		}
	}
	return list
}

func (s *scan) entries(k *kustomization, values []string, component bool, fields ...string) []string {
	var kept []string
	nodes := items(k.root, len(values), fields...)
	for i, value := range values {
		if name := s.entry(k, nodes[i], value, component); name != "" {
			kept = append(kept, name)
		} else {
			k.partial = true
		}
	}
	return kept
}

// file reads a file that an entry names.
func (s *scan) file(k *kustomization, at manifest.Position, value string) (name string, data []byte, ok bool) {
	if isRemote(value) {
		s.notFollowed(at, manifest.Say("a remote file is never fetched"))
		return "", nil, false
	}
	name, err := s.tree.Join(k.dir, value, at)
	if err != nil {
		s.fail(err)
		return "", nil, false
	}
	data, ok = s.read(name, at)
	return name, data, ok
}

// document reads a file of YAML that an entry names.
func (s *scan) document(k *kustomization, at manifest.Position, value string) (name string, text []byte, docs []*yaml.Node) {
	name, data, ok := s.file(k, at, value)
	if !ok {
		return "", nil, nil
	}
	s.tree.As(name, source.YAML)
	parsed, err := s.tree.YAML(name)
	if err != nil {
		s.fail(err)
		return "", nil, nil
	}
	text = textOf(data, parsed)
	for _, doc := range parsed {
		if len(doc.Content) == 1 {
			docs = append(docs, source.Resolve(doc.Content[0]))
		}
	}
	return name, text, docs
}

// definitions rewrites a list of files that describe types and fields.
func (s *scan) definitions(k *kustomization, values []string, field string) []string {
	var kept []string
	nodes := items(k.root, len(values), field)
	for i, value := range values {
		if _, text, docs := s.document(k, source.NodePosition(k.file, nodes[i]), value); text != nil {
			k.size.addText(docs, len(text))
			kept = append(kept, k.newFile(text))
		}
	}
	return kept
}

// The kinds that generators make.
const (
	configMapKind = "ConfigMap"
	secretKind    = "Secret"
)

// written is an entry of a kustomization, or the document of a generator, in its file.
type written struct {
	file string
	node *yaml.Node
}

func (w written) position() manifest.Position { return source.NodePosition(w.file, w.node) }

// generated is a generator of a ConfigMap or Secret.
type generated struct {
	written
	kind, secretType string
	spec             types.GeneratorArgs
	origin           *origin
}

// changes reports whether it changes an object rather than to make one.
func (g *generated) changes() bool {
	behavior := types.NewGenerationBehavior(g.spec.Behavior)
	return behavior == types.BehaviorMerge || behavior == types.BehaviorReplace
}

// args is what the engine is given. One whose object was not followed makes it.
func (g *generated) args(marked, alone bool) types.GeneratorArgs {
	args := g.spec
	options := *args.Options
	options.Annotations = maps.Clone(options.Annotations)
	if options.Annotations == nil {
		options.Annotations = map[string]string{}
	}
	if marked {
		options.Annotations[g.origin.mark] = ""
	}
	if alone {
		args.Behavior = ""
		options.Annotations[openMark] = openBase
	}
	args.Options = &options
	return args
}

// generators rewrites the generators of ConfigMaps and Secrets, and leaves out
// what the engine would refuse all of the kustomization for.
func (s *scan) generators(k *kustomization, more []*generated) {
	// A hash would be one of the values, which a name must not tell.
	if k.spec.GeneratorOptions == nil {
		k.spec.GeneratorOptions = &types.GeneratorOptions{}
	}
	k.spec.GeneratorOptions.DisableNameSuffixHash = true

	var all []*generated
	nodes := items(k.root, len(k.spec.ConfigMapGenerator), "configMapGenerator")
	for i, args := range k.spec.ConfigMapGenerator {
		all = append(all, &generated{written: written{k.file, nodes[i]}, kind: configMapKind, spec: args.GeneratorArgs})
	}
	nodes = items(k.root, len(k.spec.SecretGenerator), "secretGenerator")
	for i, args := range k.spec.SecretGenerator {
		all = append(all, &generated{written: written{k.file, nodes[i]}, kind: secretKind, spec: args.GeneratorArgs, secretType: args.Type})
	}
	made := map[string]bool{}
	for _, g := range append(all, more...) {
		if s.generator(k, g, made) {
			k.generated = append(k.generated, g)
		}
	}
}

// generator rewrites one generator. It is false for one that the engine would not
// take.
func (s *scan) generator(k *kustomization, made *generated, seen map[string]bool) bool {
	at, args := made.position(), &made.spec
	if args.Name == "" {
		s.reportError(at, manifest.Say("a generator needs a name"))
		return false
	}
	id := made.kind + "\x00" + args.Namespace + "\x00" + args.Name
	if !made.changes() && seen[id] {
		s.reportError(at, manifest.Say("%s %s is generated more than once; the first is taken", manifest.Name(made.kind), manifest.Name(args.Name)))
		return false
	}
	seen[id] = true
	options := types.GeneratorOptions{}
	if args.Options != nil {
		options = *args.Options
	}
	options.DisableNameSuffixHash = true
	args.Options = &options
	made.origin = s.newOrigin(at, args.Name)
	g := generator{scan: s, k: k, entry: made.written, keys: map[string]bool{}, layers: map[string]*layer{}}
	args.EnvSources = g.envs(items(g.entry.node, len(args.EnvSources), "envs", "env"), args.EnvSources)
	args.EnvSource = ""
	args.LiteralSources = g.literals(items(g.entry.node, len(args.LiteralSources), "literals"), args.LiteralSources)
	args.FileSources = g.files(items(g.entry.node, len(args.FileSources), "files"), args.FileSources)
	if g.open {
		options.Annotations = maps.Clone(options.Annotations)
		if options.Annotations == nil {
			options.Annotations = map[string]string{}
		}
		options.Annotations[openMark] = openFile
	}
	for _, field := range []string{"data", "binaryData"} {
		for _, file := range slices.Sorted(maps.Keys(g.layers)) {
			l := *g.layers[file]
			l.under = []step{{key: field}}
			made.origin.layers = append(made.origin.layers, l)
		}
	}
	k.size.generate(made.kind, args.Name, len(g.keys), g.bytes)
	return true
}

// generator is one at work.
type generator struct {
	*scan
	entry written
	k     *kustomization
	keys  map[string]bool
	// layers have the keys at their places, by the files that these are in.
	layers map[string]*layer
	// bytes is how much its values hold.
	bytes int
	// open is set where a file with more keys is not there.
	open bool
}

// add takes a key, and reports whether the engine will.
func (g *generator) add(at manifest.Position, key string, size int) bool {
	if g.keys[key] {
		g.reportError(at, manifest.Say("duplicate key in a generator; the first is taken"))
		return false
	}
	g.keys[key] = true
	g.bytes += len(key) + size
	if g.layers[at.File] == nil {
		g.layers[at.File] = &layer{file: at.File, node: &yaml.Node{Kind: yaml.MappingNode}}
	}
	entry := &yaml.Node{Kind: yaml.ScalarNode, Value: key, Line: at.Line, Column: at.Column}
	keys := g.layers[at.File].node
	keys.Content = append(keys.Content, entry, entry)
	return true
}

// content reads a file of keys. One that is not there leaves the object open: such
// files often are not under version control.
func (g *generator) content(item *yaml.Node, value string) (name string, data []byte, ok bool) {
	at := source.NodePosition(g.entry.file, item)
	if isRemote(value) {
		g.notFollowed(at, manifest.Say("a remote file is never fetched"))
		g.open = true
		return "", nil, false
	}
	name, err := g.tree.Join(g.k.dir, value, at)
	if err == nil {
		data, err = g.tree.Read(name)
	}
	switch p := (*manifest.Problem)(nil); {
	case errors.Is(err, fs.ErrNotExist):
		g.open = true
		g.report(&manifest.Problem{
			Severity: manifest.Notice, Position: at,
			Message: manifest.Say("the file does not exist: the keys that the generator takes from it are not known"),
			Hint:    manifest.Say("declare the keys of the Secret in the contract"),
		})
	case errors.As(err, &p):
		g.open = true
		g.reportError(at, p.Message)
	}
	return name, data, err == nil
}

func (g *generator) literals(nodes []*yaml.Node, values []string) []string {
	var kept []string
	for i, value := range values {
		at := source.NodePosition(g.entry.file, nodes[i])
		key, text, ok := strings.Cut(value, "=")
		if !ok || key == "" {
			g.reportError(at, manifest.Say("invalid literal in a generator: expected KEY=VALUE"))
			continue
		}
		if g.add(at, key, len(text)) {
			kept = append(kept, value)
		}
	}
	return kept
}

func (g *generator) files(nodes []*yaml.Node, values []string) []string {
	var kept []string
	for i, value := range values {
		at := source.NodePosition(g.entry.file, nodes[i])
		key, name, named := strings.Cut(value, "=")
		if !named {
			key, name = path.Base(value), value
		}
		if key == "" || name == "" || strings.Contains(name, "=") {
			g.reportError(at, manifest.Say("invalid file in a generator: expected FILE or KEY=FILE"))
			continue
		}
		if _, data, ok := g.content(nodes[i], name); ok && g.add(at, key, len(data)) {
			kept = append(kept, key+"="+g.k.newFile(data))
		}
	}
	return kept
}

func (g *generator) envs(nodes []*yaml.Node, values []string) []string {
	var kept []string
	for i, value := range values {
		name, data, ok := g.content(nodes[i], value)
		if !ok {
			continue
		}
		g.tree.As(name, envfile.Raw)
		kept = append(kept, g.k.newFile(g.envFile(name, data)))
	}
	return kept
}

// envFile returns the lines of an env file that the engine takes: an invalid one
// is a problem, and none hides the others.
func (g *generator) envFile(name string, data []byte) []byte {
	var kept bytes.Buffer
	number := 0
	for line := range bytes.Lines(data) {
		number++
		line = bytes.TrimRight(line, "\r\n")
		if number == 1 {
			line = bytes.TrimPrefix(line, []byte("\ufeff"))
		}
		line = bytes.TrimLeftFunc(line, unicode.IsSpace)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		at := manifest.Position{File: name, Line: number, Column: 1}
		key, text, _ := strings.Cut(string(line), "=")
		if len(line) >= bufio.MaxScanTokenSize || !utf8.Valid(line) || key == "" {
			g.reportError(at, manifest.Say("invalid env file: expected NAME=VALUE on each line"))
			continue
		}
		if g.add(at, key, len(text)) {
			kept.Write(line)
			kept.WriteByte('\n')
		}
	}
	return kept.Bytes()
}

// patchEntries rewrites the patches of all three fields to those of patches, in
// the order in which the engine applies them.
//
//nolint:staticcheck // kustomizations still use the deprecated fields
func (s *scan) patchEntries(k *kustomization) {
	var kept []types.Patch
	add := func(node *yaml.Node, p types.Patch) {
		if s.patchEntry(k, written{k.file, node}, &p) {
			kept = append(kept, p)
		}
	}
	nodes := items(k.root, len(k.spec.PatchesStrategicMerge), "patchesStrategicMerge")
	for i, value := range k.spec.PatchesStrategicMerge {
		p := types.Patch{Path: string(value)}
		if text := strings.TrimSpace(p.Path); strings.Contains(text, "\n") || strings.HasPrefix(text, "{") {
			p = types.Patch{Patch: p.Path}
		}
		add(nodes[i], p)
	}
	nodes = items(k.root, len(k.spec.Patches), "patches")
	for i, p := range k.spec.Patches {
		add(nodes[i], p)
	}
	nodes = items(k.root, len(k.spec.PatchesJson6902), "patchesJson6902")
	for i, p := range k.spec.PatchesJson6902 {
		add(nodes[i], p)
	}
	k.spec.Patches, k.spec.PatchesStrategicMerge, k.spec.PatchesJson6902 = kept, nil, nil
}

// patchEntry rewrites one patch; it is false for one that the engine must not be
// given.
func (s *scan) patchEntry(k *kustomization, entry written, p *types.Patch) bool {
	at, node := entry.position(), entry.node
	inline := strings.TrimSpace(p.Patch) != ""
	if inline == (p.Path != "") {
		s.reportError(at, manifest.Say("expected a patch with either path or patch"))
		return false
	}
	if p.Target != nil && !s.selectors(at, p.Target) {
		return false
	}
	read := &patch{at: at, file: entry.file, target: p.Target}
	var text []byte
	if inline {
		if value := mapping(node, "patch"); value != nil {
			node = value
		}
		docs, err := source.ParseYAML(entry.file, []byte(p.Patch))
		if err != nil {
			s.reportError(source.NodePosition(entry.file, node), manifest.Say("the patch is not valid YAML"))
			return false
		}
		read.shift = s.shift(entry.file, node)
		for _, doc := range docs {
			if !isEmpty(doc) {
				read.docs = append(read.docs, source.Resolve(doc.Content[0]))
			}
		}
		text = textOf([]byte(p.Patch), docs)
		p.Patch = string(text)
	} else {
		if value := mapping(node, "path"); value != nil {
			node = value
		}
		read.file, text, read.docs = s.document(k, source.NodePosition(entry.file, node), p.Path)
		if text == nil {
			return false
		}
		s.parts[read.file] = true
		p.Path = k.newFile(text)
		read.input = p.Path
	}
	read.bytes = len(text)
	read.compile()
	s.markPatch(read)
	if read.input != "" {
		k.marked[read.input] = read.marked
	}
	k.patches = append(k.patches, read)
	k.size.addText(read.docs, len(text))
	return true
}

// markPatch makes the origins of a patch, and its text with marks.
func (s *scan) markPatch(p *patch) {
	var marked []*yaml.Node
	for _, doc := range p.docs {
		o := s.newOrigin(p.at, "")
		o.layers = p.layersOf(doc)
		p.origins = append(p.origins, o)
		if doc.Kind != yaml.MappingNode && doc.Kind != yaml.SequenceNode || len(o.layers) == 0 {
			marked = append(marked, withoutAliases(doc)) // the engine refuses it, or it removes only
			o.met = true
			continue
		}
		marked = append(marked, s.marked(o, doc))
	}
	if len(p.origins) == 0 {
		p.origins = []*origin{s.newOrigin(p.at, "")}
	}
	p.marked = textOfNodes(marked)
}

// selectors reports whether a selector is one that the engine may be given. On one
// that compares numbers it writes the labels of the objects to standard error.
func (s *scan) selectors(at manifest.Position, selector *types.Selector) bool {
	for _, text := range []string{selector.LabelSelector, selector.AnnotationSelector} {
		parsed, err := labels.Parse(text)
		if err != nil {
			s.reportError(at, manifest.Say("invalid label or annotation selector"))
			return false
		}
		requirements, _ := parsed.Requirements()
		for _, r := range requirements {
			if op := r.Operator(); op == selection.GreaterThan || op == selection.LessThan {
				s.reportError(at, manifest.Say("a selector that compares numbers is not supported; what it is for is left out"))
				return false
			}
		}
	}
	return true
}

// replacements rewrites replacements: those of a file take its place.
func (s *scan) replacements(k *kustomization) {
	var kept []types.ReplacementField
	nodes := items(k.root, len(k.spec.Replacements), "replacements")
	for i, r := range k.spec.Replacements {
		list := []types.Replacement{r.Replacement}
		if r.Path != "" {
			node := nodes[i]
			if value := mapping(node, "path"); value != nil {
				node = value
			}
			at := source.NodePosition(k.file, node)
			var err error
			if list, err = s.replacementFile(k, at, r.Path); err != nil {
				s.reportError(at, manifest.Say("the file does not hold valid replacements"))
				continue
			}
		}
		for _, replacement := range list {
			if at := source.NodePosition(k.file, nodes[i]); s.replacement(at, &replacement) {
				k.replacements = append(k.replacements, s.newOrigin(at, ""))
				kept = append(kept, types.ReplacementField{Replacement: replacement})
			}
		}
	}
	k.spec.Replacements = kept
}

var errReplacements = errors.New("not a list of replacements")

func (s *scan) replacementFile(k *kustomization, at manifest.Position, value string) (list []types.Replacement, err error) {
	_, text, docs := s.document(k, at, value)
	if text == nil {
		return nil, nil
	}
	if len(docs) != 1 {
		return nil, errReplacements
	}
	if docs[0].Kind == yaml.SequenceNode {
		err = k8syaml.Unmarshal(text, &list)
		return list, err
	}
	var one types.Replacement
	err = k8syaml.Unmarshal(text, &one)
	return []types.Replacement{one}, err
}

// replacement reports whether the engine may be given a replacement.
func (s *scan) replacement(at manifest.Position, r *types.Replacement) bool {
	for _, target := range r.Targets {
		if target == nil || target.Select == nil {
			s.reportError(at, manifest.Say("a target of a replacement needs select"))
			return false
		}
		for _, selector := range append([]*types.Selector{target.Select}, target.Reject...) {
			if selector != nil && !s.selectors(at, selector) {
				return false
			}
		}
	}
	return true
}

// vars leaves out variables whose names are not plain: the engine writes names to
// standard error.
//
//nolint:staticcheck // kustomizations still use the deprecated field
func (s *scan) vars(k *kustomization) {
	var kept []types.Var
	nodes := items(k.root, len(k.spec.Vars), "vars")
	for i, v := range k.spec.Vars {
		at := source.NodePosition(k.file, nodes[i])
		if len(validation.IsEnvVarName(v.Name)) > 0 {
			s.reportError(at, manifest.Say("invalid variable name"))
			continue
		}
		k.vars = append(k.vars, s.newOrigin(at, ""))
		kept = append(kept, v)
	}
	k.spec.Vars = kept
}
