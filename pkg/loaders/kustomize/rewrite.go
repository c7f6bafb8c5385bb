package kustomize

import (
	"bufio"
	"bytes"
	"errors"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/kustomize/api/types"
	k8syaml "sigs.k8s.io/yaml"

	"github.com/derekg1729/dsnlint/pkg/internal/source"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// notRun are the fields that only a plugin, a command or a download can serve.
var notRun = []string{"helmCharts", "helmChartInflationGenerator", "helmGlobals", "generators", "transformers", "validators"}

// follow reads what a kustomization uses, and rewrites its spec: locations become
// names of our own, what the engine must not do goes, and deprecated fields become
// those that they stand for, since the engine writes about them to standard error.
func (s *scan) follow(k *kustomization) {
	for _, name := range notRun {
		if key, _ := source.Lookup(k.root, name); key != nil {
			s.notFollowed(k, key, manifest.Say("%s needs a plugin or a download", manifest.Name(name)))
		}
	}
	k.spec.FixKustomization()
	k.spec.HelmCharts, k.spec.HelmGlobals, k.spec.HelmChartInflationGenerator = nil, nil, nil
	k.spec.Generators, k.spec.Transformers, k.spec.Validators = nil, nil, nil
	if _, custom := source.Lookup(mapping(k.root, "openapi"), "path"); custom != nil {
		s.notFollowed(k, custom, manifest.Say("a schema of one's own is not used"))
	}
	// The engine keeps a schema for all that it renders later.
	k.spec.OpenAPI = nil
	k.spec.BuildMetadata = []string{types.OriginAnnotations}

	k.spec.Resources = s.entries(k, k.spec.Resources, false, "resources", "bases")
	k.spec.Components = s.entries(k, k.spec.Components, true, "components")
	k.spec.Crds = s.definitions(k, k.spec.Crds, "crds")
	k.spec.Configurations = s.definitions(k, k.spec.Configurations, "configurations")
	s.generators(k)
	s.patchEntries(k)
	s.replacements(k)
	s.vars(k)
	if len(k.spec.CommonLabels) > 0 { //nolint:staticcheck // kustomizations still use the deprecated field
		k.spec.Labels = append(k.spec.Labels, types.Label{Pairs: k.spec.CommonLabels, IncludeSelectors: true}) //nolint:staticcheck // as above
		k.spec.CommonLabels = nil                                                                              //nolint:staticcheck // as above
	}
	text, err := k8syaml.Marshal(k.spec)
	if err != nil {
		s.reportError(k.place(), manifest.Say("cannot prepare the kustomization"))
	}
	k.inputs[fileNames[0]] = text
	k.size.close(k)
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

// file reads a file that an entry names: any text for the content of a generator.
func (s *scan) file(k *kustomization, item *yaml.Node, value string) (name string, data []byte, ok bool) {
	if isRemote(value) {
		s.notFollowed(k, item, manifest.Say("a remote file is never fetched"))
		return "", nil, false
	}
	at := source.NodePosition(k.file, item)
	name, err := s.tree.Join(k.dir, value, at)
	if err != nil {
		s.fail(err)
		return "", nil, false
	}
	data, ok = s.read(name, at)
	return name, data, ok
}

// document reads a file of YAML that an entry names.
func (s *scan) document(k *kustomization, item *yaml.Node, value string) (name string, text []byte, docs []*yaml.Node) {
	name, data, ok := s.file(k, item, value)
	if !ok {
		return "", nil, nil
	}
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
		if _, text, docs := s.document(k, nodes[i], value); text != nil {
			k.size.addText(docs, len(text))
			kept = append(kept, k.newFile(text))
		}
	}
	return kept
}

// generators rewrites the generators of ConfigMaps and Secrets, and leaves out
// what the engine would refuse all of the kustomization for.
func (s *scan) generators(k *kustomization) {
	// A hash would be one of the values, which a name must not tell.
	if k.spec.GeneratorOptions == nil {
		k.spec.GeneratorOptions = &types.GeneratorOptions{}
	}
	k.spec.GeneratorOptions.DisableNameSuffixHash = true

	made := map[string]bool{}
	nodes := items(k.root, len(k.spec.ConfigMapGenerator), "configMapGenerator")
	var maps []types.ConfigMapArgs
	for i, args := range k.spec.ConfigMapGenerator {
		if s.generator(k, nodes[i], &args.GeneratorArgs, "ConfigMap", made) {
			maps = append(maps, args)
		}
	}
	nodes = items(k.root, len(k.spec.SecretGenerator), "secretGenerator")
	var secrets []types.SecretArgs
	for i, args := range k.spec.SecretGenerator {
		if s.generator(k, nodes[i], &args.GeneratorArgs, "Secret", made) {
			secrets = append(secrets, args)
		}
	}
	k.spec.ConfigMapGenerator, k.spec.SecretGenerator = maps, secrets
}

// generator rewrites one generator. It is false for one that the engine would not
// take.
func (s *scan) generator(k *kustomization, node *yaml.Node, args *types.GeneratorArgs, kind string, made map[string]bool) bool {
	at := source.NodePosition(k.file, node)
	behavior := types.NewGenerationBehavior(args.Behavior)
	if args.Name == "" {
		s.reportError(at, manifest.Say("a generator needs a name"))
		return false
	}
	id := kind + "\x00" + args.Namespace + "\x00" + args.Name
	if adds := behavior != types.BehaviorMerge && behavior != types.BehaviorReplace; adds && made[id] {
		s.reportError(at, manifest.Say("%s %s is generated more than once; the first is taken", manifest.Name(kind), manifest.Name(args.Name)))
		return false
	}
	made[id] = true
	if args.Options != nil {
		args.Options.DisableNameSuffixHash = true
	}
	g := generator{scan: s, k: k, keys: map[string]bool{}}
	args.EnvSources = g.envs(items(node, len(args.EnvSources), "envs", "env"), args.EnvSources)
	args.EnvSource = ""
	args.LiteralSources = g.literals(items(node, len(args.LiteralSources), "literals"), args.LiteralSources)
	args.FileSources = g.files(items(node, len(args.FileSources), "files"), args.FileSources)
	k.size.generate(kind, args.Name, len(g.keys), g.bytes)
	return true
}

// generator is one at work.
type generator struct {
	*scan
	k    *kustomization
	keys map[string]bool
	// bytes is how much its values hold.
	bytes int
}

// add takes a key, and reports whether the engine will.
func (g *generator) add(at manifest.Position, key string, size int) bool {
	if g.keys[key] {
		g.reportError(at, manifest.Say("duplicate key in a generator; the first is taken"))
		return false
	}
	g.keys[key] = true
	g.bytes += len(key) + size
	return true
}

func (g *generator) literals(nodes []*yaml.Node, values []string) []string {
	var kept []string
	for i, value := range values {
		at := source.NodePosition(g.k.file, nodes[i])
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
		at := source.NodePosition(g.k.file, nodes[i])
		if isRemote(value) {
			g.notFollowed(g.k, nodes[i], manifest.Say("a remote file is never fetched"))
			continue
		}
		key, name, named := strings.Cut(value, "=")
		if !named {
			key, name = path.Base(value), value
		}
		if key == "" || name == "" || strings.Contains(name, "=") {
			g.reportError(at, manifest.Say("invalid file in a generator: expected FILE or KEY=FILE"))
			continue
		}
		if _, data, ok := g.file(g.k, nodes[i], name); ok && g.add(at, key, len(data)) {
			kept = append(kept, key+"="+g.k.newFile(data))
		}
	}
	return kept
}

func (g *generator) envs(nodes []*yaml.Node, values []string) []string {
	var kept []string
	for i, value := range values {
		name, data, ok := g.file(g.k, nodes[i], value)
		if !ok {
			continue
		}
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
		if s.patchEntry(k, node, &p) {
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
func (s *scan) patchEntry(k *kustomization, node *yaml.Node, p *types.Patch) bool {
	at := source.NodePosition(k.file, node)
	inline := strings.TrimSpace(p.Patch) != ""
	if inline == (p.Path != "") {
		s.reportError(at, manifest.Say("expected a patch with either path or patch"))
		return false
	}
	if p.Target != nil && !s.selectors(at, p.Target) {
		return false
	}
	read := patch{at: at, file: k.file, target: p.Target}
	var text []byte
	if inline {
		if value := mapping(node, "patch"); value != nil {
			node = value
		}
		docs, err := source.ParseYAML(k.file, []byte(p.Patch))
		if err != nil {
			s.reportError(source.NodePosition(k.file, node), manifest.Say("the patch is not valid YAML"))
			return false
		}
		read.shift = s.shift(k.file, node)
		for _, doc := range docs {
			if len(doc.Content) == 1 {
				read.docs = append(read.docs, source.Resolve(doc.Content[0]))
			}
		}
		text = textOf([]byte(p.Patch), docs)
		p.Patch = string(text)
	} else {
		if value := mapping(node, "path"); value != nil {
			node = value
		}
		read.file, text, read.docs = s.document(k, node, p.Path)
		if text == nil {
			return false
		}
		s.parts[read.file] = true
		p.Path = k.newFile(text)
	}
	read.bytes = len(text)
	read.compile()
	k.patches = append(k.patches, read)
	k.size.addText(read.docs, len(text))
	return true
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
			var err error
			if list, err = s.replacementFile(k, node, r.Path); err != nil {
				s.reportError(source.NodePosition(k.file, node), manifest.Say("the file does not hold valid replacements"))
				continue
			}
		}
		for _, replacement := range list {
			if s.replacement(source.NodePosition(k.file, nodes[i]), &replacement) {
				kept = append(kept, types.ReplacementField{Replacement: replacement})
			}
		}
	}
	k.spec.Replacements = kept
}

var errReplacements = errors.New("not a list of replacements")

func (s *scan) replacementFile(k *kustomization, node *yaml.Node, value string) (list []types.Replacement, err error) {
	_, text, docs := s.document(k, node, value)
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
		if len(validation.IsEnvVarName(v.Name)) > 0 {
			s.reportError(source.NodePosition(k.file, nodes[i]), manifest.Say("invalid variable name"))
			continue
		}
		kept = append(kept, v)
	}
	k.spec.Vars = kept
}
