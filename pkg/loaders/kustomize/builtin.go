package kustomize

import (
	"cmp"
	"strings"

	"go.yaml.in/yaml/v4"
	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/types"
	k8syaml "sigs.k8s.io/yaml"

	"github.com/derekg1729/dsnlint/pkg/internal/source"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// plainTransformers are the engine's own transformers that read no file.
var plainTransformers = map[string]bool{
	"AnnotationsTransformer": true, "ImageTagTransformer": true, "LabelTransformer": true, "NamespaceTransformer": true,
	"PrefixSuffixTransformer": true, "PrefixTransformer": true, "SuffixTransformer": true, "ReplicaCountTransformer": true,
}

// plugins returns the documents of a field of plugin configurations, which are files or
// written in the kustomization, as far as they are the engine's own. All others need a
// plugin, which is never run.
func (s *scan) plugins(k *kustomization, values []string, field string) []written {
	var list []written
	nodes := items(k.root, len(values), field)
	for i, text := range values {
		at := source.NodePosition(k.file, nodes[i])
		file, docs := k.file, []*yaml.Node(nil)
		if strings.Contains(text, "\n") || strings.HasPrefix(text, "{") {
			parsed, err := source.ParseYAML(k.file, []byte(text))
			if err != nil {
				s.reportError(at, manifest.Say("the configuration of a plugin is not valid YAML"))
				continue
			}
			for _, doc := range parsed {
				if !isEmpty(doc) {
					docs = append(docs, s.placed(k, doc.Content[0], nodes[i]))
				}
			}
		} else {
			if target, err := s.tree.Join(k.dir, text, at); err == nil && s.kustomizationFile(target) != "" {
				s.notFollowed(at, manifest.Say("a kustomization of %s", manifest.Name(field)))
				continue
			}
			var data []byte
			if file, data, docs = s.document(k, at, text); data == nil {
				continue
			}
			s.parts[file] = true
		}
		for _, doc := range docs {
			if value(doc, "apiVersion") != konfig.BuiltinPluginPackage {
				s.notFollowed(at, manifest.Say("%s needs a plugin", manifest.Name(field)))
				continue
			}
			list = append(list, written{file, doc})
		}
	}
	return list
}

// placed copies a tree that was read from the text of a scalar, without its aliases,
// and moves it to its places in the kustomization.
func (s *scan) placed(k *kustomization, node, text *yaml.Node) *yaml.Node {
	shift := s.shift(k.file, text)
	tree := withoutAliases(node)
	var move func(node *yaml.Node)
	move = func(node *yaml.Node) {
		at := shift(manifest.Position{Line: node.Line, Column: node.Column})
		node.Line, node.Column = at.Line, at.Column
		if !isBlock(text) {
			node.Style = 0 // a block in it does not begin on the next line of the file
		}
		for _, child := range node.Content {
			move(child)
		}
	}
	move(tree)
	return tree
}

// builtinGenerators returns the generators of ConfigMaps and Secrets that are
// configured as plugins.
func (s *scan) builtinGenerators(k *kustomization) []*generated {
	var list []*generated
	for _, doc := range s.plugins(k, k.spec.Generators, "generators") {
		g := &generated{written: doc, kind: strings.TrimSuffix(value(doc.node, "kind"), "Generator")}
		var args struct {
			Metadata types.ObjectMeta `json:"metadata"`
			types.SecretArgs
		}
		switch {
		case g.kind != configMapKind && g.kind != secretKind:
			s.notFollowed(doc.position(), manifest.Say("a generator that needs a download"))
			continue
		case s.decode(doc, &args) != nil:
			continue
		}
		g.spec, g.secretType = args.GeneratorArgs, args.Type
		g.spec.Name = cmp.Or(g.spec.Name, args.Metadata.Name)
		g.spec.Namespace = cmp.Or(g.spec.Namespace, args.Metadata.Namespace)
		list = append(list, g)
	}
	k.spec.Generators = nil
	return list
}

// decode reads the configuration of a plugin.
func (s *scan) decode(doc written, into any) error {
	text, err := yaml.Marshal(withoutAliases(doc.node))
	if err == nil {
		err = k8syaml.Unmarshal(text, into)
	}
	if err != nil {
		s.reportError(doc.position(), manifest.Say("invalid configuration of a plugin: a field holds a value of the wrong type"))
	}
	return err
}

// transformers hands the engine its own transformers that read no file, and makes
// patches of those that patch.
func (s *scan) transformers(k *kustomization) {
	docs := s.plugins(k, k.spec.Transformers, "transformers")
	k.spec.Transformers = nil
	for _, doc := range docs {
		switch kind := value(doc.node, "kind"); {
		case kind == "PatchTransformer":
			var p types.Patch
			if s.decode(doc, &p) == nil && s.patchEntry(k, doc, &p) {
				k.spec.Patches = append(k.spec.Patches, p)
			}
		case plainTransformers[kind]:
			text := textOfNodes([]*yaml.Node{withoutAliases(doc.node)})
			k.size.addText([]*yaml.Node{doc.node}, len(text))
			k.spec.Transformers = append(k.spec.Transformers, k.newFile(text))
		default:
			s.notFollowed(doc.position(), manifest.Say("a transformer that reads other files"))
		}
	}
}
