package compose

import (
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/cli"
	"go.yaml.in/yaml/v4"

	"github.com/derekg1729/dsnlint/pkg/internal/source"
	"github.com/derekg1729/dsnlint/pkg/loaders"
)

// groups puts together the files that Compose merges.
func groups(files []*loaders.File) []*group {
	var dirs []string
	byDir := map[string][]*loaders.File{}
	for _, f := range files {
		dir := path.Dir(f.Name)
		if byDir[dir] == nil {
			dirs = append(dirs, dir)
		}
		byDir[dir] = append(byDir[dir], f)
	}
	var all []*group
	for _, dir := range dirs {
		all = append(all, groupsOfDirectory(byDir[dir])...)
	}
	return uncovered(all)
}

// group is a base file, and what overrides it.
type group struct {
	files []*loaders.File
	// base is the file that the only one is a layer on, if it is one.
	base string
}

// names are the files that are merged, in order.
func (g *group) names() []string {
	var names []string
	if g.base != "" {
		names = append(names, g.base)
	}
	for _, f := range g.files {
		names = append(names, f.Name)
	}
	return names
}

func groupsOfDirectory(files []*loaders.File) []*group {
	var projects []*group
	taken := map[string]bool{}
	take := func(f *loaders.File) *loaders.File {
		taken[f.Target] = true
		return f
	}
	if base := firstNamed(files, cli.DefaultFileNames); base != nil {
		p := &group{files: []*loaders.File{take(base)}}
		if override := firstNamed(files, cli.DefaultOverrideFileNames); override != nil {
			p.files = append(p.files, take(override))
		}
		projects = append(projects, p)
	}
	for _, f := range files {
		// A link beside the file that it leads to is the same project.
		if !taken[f.Target] {
			projects = append(projects, &group{files: []*loaders.File{take(f)}, base: baseOf(f)})
		}
	}
	return projects
}

// baseOf returns the default file, in the directory of a layer or the nearest one above
// it, that the layer is merged into with docker compose -f BASE -f LAYER; none for a
// file that can run alone.
func baseOf(f *loaders.File) string {
	if isDefault(f.Name) || !isLayer(f) {
		return ""
	}
	for dir := path.Dir(f.Name); ; dir = path.Dir(dir) {
		for _, name := range cli.DefaultFileNames {
			base := path.Join(dir, name)
			if info, err := fs.Stat(f.Tree.FS(), base); err == nil && info.Mode().IsRegular() {
				return base
			}
		}
		if dir == "." {
			return ""
		}
	}
}

// isLayer reports whether a file cannot run alone, since one of its services has neither
// an image nor a build, nor extends one that may.
func isLayer(f *loaders.File) bool {
	for _, doc := range f.YAML() {
		_, services := source.Lookup(rootOf(doc), "services")
		for _, service := range source.Entries(services) {
			runs := func(attribute string) bool { key, _ := source.Lookup(service, attribute); return key != nil }
			if !slices.ContainsFunc([]string{"image", "build", "extends", "provider"}, runs) {
				return true
			}
		}
	}
	return false
}

func firstNamed(files []*loaders.File, names []string) *loaders.File {
	for _, name := range names {
		if i := slices.IndexFunc(files, func(f *loaders.File) bool { return path.Base(f.Name) == name }); i >= 0 {
			return files[i]
		}
	}
	return nil
}

// uncovered leaves out the projects whose services are all reported with
// another project. A file that the user named is never left out, nor is one of
// Compose's default files for being extended: it is deployed by itself. Of
// files that only include or extend each other the first stays.
func uncovered(projects []*group) []*group {
	covers := coveredProjects(projects)
	covered := map[*group]bool{}
	for _, list := range covers {
		for _, p := range list {
			covered[p] = true
		}
	}
	kept, reached := map[*group]bool{}, map[*group]bool{}
	var reach func(p *group)
	reach = func(p *group) {
		if reached[p] {
			return
		}
		reached[p] = true
		for _, q := range covers[p] {
			reach(q)
		}
	}
	for _, p := range projects {
		if !covered[p] {
			kept[p] = true
			reach(p)
		}
	}
	for _, p := range projects {
		if !reached[p] {
			kept[p] = true
			reach(p)
		}
	}
	return slices.DeleteFunc(slices.Clone(projects), func(p *group) bool { return !kept[p] })
}

// coveredProjects lists, for each project, those that it makes needless.
func coveredProjects(projects []*group) map[*group][]*group {
	byFile := map[string]*group{}
	for _, p := range projects {
		if len(p.files) == 1 && !p.files[0].Named {
			byFile[p.files[0].Name] = p
		}
	}
	covered := map[*group][]*group{}
	extenders := map[*group][]*group{}
	extended := map[*group]map[string]bool{}
	for _, p := range projects {
		for _, ref := range p.references() {
			q := byFile[ref.file]
			switch {
			case q == nil || q == p:
			case ref.service == "":
				covered[p] = append(covered[p], q)
			default:
				if extended[q] == nil {
					extended[q] = map[string]bool{}
				}
				extended[q][ref.service] = true
				extenders[q] = append(extenders[q], p)
			}
		}
	}
	for q, services := range extended {
		isOwn := func(service string) bool { return !services[service] }
		if isDefault(q.files[0].Name) || slices.ContainsFunc(q.services(), isOwn) {
			continue
		}
		for _, p := range extenders[q] {
			covered[p] = append(covered[p], q)
		}
	}
	return covered
}

func isDefault(name string) bool {
	return slices.Contains(cli.DefaultFileNames, path.Base(name))
}

// fileReference names a file that is included, or whose service is extended.
type fileReference struct {
	file, service string
}

// references lists what a project's files refer to by a fixed path. A path with
// a variable in it is left to the loader.
func (p *group) references() []fileReference {
	var refs []fileReference
	for _, f := range p.files {
		dir := path.Dir(f.Name)
		for _, doc := range f.YAML() {
			root := rootOf(doc)
			for _, item := range includedPaths(root) {
				refs = append(refs, fileReference{file: path.Join(dir, item)})
			}
			_, services := source.Lookup(root, "services")
			for _, service := range source.Entries(services) {
				_, extends := source.Lookup(service, "extends")
				_, file := source.Lookup(extends, "file")
				_, name := source.Lookup(extends, "service")
				if scalarText(file) != "" && scalarText(name) != "" {
					refs = append(refs, fileReference{file: path.Join(dir, scalarText(file)), service: scalarText(name)})
				}
			}
		}
	}
	return slices.DeleteFunc(refs, func(r fileReference) bool { return strings.Contains(r.file, "$") })
}

// includedPaths lists the paths of an include section, which are texts, or
// mappings whose path is a text or a list.
func includedPaths(root *yaml.Node) []string {
	_, include := source.Lookup(root, "include")
	var paths []string
	for _, item := range items(include) {
		if source.Resolve(item).Kind == yaml.MappingNode {
			_, item = source.Lookup(item, "path")
		}
		for _, name := range append(items(item), item) {
			if scalarText(name) != "" {
				paths = append(paths, scalarText(name))
			}
		}
	}
	return paths
}

// services lists the names of a project's services.
func (p *group) services() []string {
	var names []string
	for _, f := range p.files {
		for _, doc := range f.YAML() {
			_, services := source.Lookup(rootOf(doc), "services")
			for key := range source.Entries(services) {
				names = append(names, key.Value)
			}
		}
	}
	return names
}

func rootOf(doc *yaml.Node) *yaml.Node {
	if doc.Kind == yaml.DocumentNode && len(doc.Content) > 0 {
		return doc.Content[0]
	}
	return doc
}

func items(node *yaml.Node) []*yaml.Node {
	if node = source.Resolve(node); node == nil || node.Kind != yaml.SequenceNode {
		return nil
	}
	return node.Content
}

func scalarText(node *yaml.Node) string {
	if node = source.Resolve(node); node == nil || node.Kind != yaml.ScalarNode {
		return ""
	}
	return node.Value
}
