package loaders

import (
	"path"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/cli"
	"go.yaml.in/yaml/v4"

	"github.com/derekg1729/dsnlint/pkg/internal/source"
)

// composeProjects makes projects of Compose files. In each folder the first of
// Compose's default files is merged with the first default override, as
// docker compose does without -f. Every other file is a project of its own.
//
// A file that a project includes is reported with that project, and so is one
// that has nothing but services which others extend; see uncovered.
func composeProjects(files []*file) [][]string {
	var folders []string
	byFolder := map[string][]*file{}
	for _, f := range files {
		dir := path.Dir(f.name)
		if byFolder[dir] == nil {
			folders = append(folders, dir)
		}
		byFolder[dir] = append(byFolder[dir], f)
	}
	var projects []*composeProject
	for _, dir := range folders {
		projects = append(projects, projectsOfFolder(byFolder[dir])...)
	}
	var names [][]string
	for _, p := range uncovered(projects) {
		list := make([]string, len(p.files))
		for i, f := range p.files {
			list[i] = f.name
		}
		names = append(names, list)
	}
	return names
}

// composeProject is a base file, and what overrides it.
type composeProject struct {
	files []*file
}

func projectsOfFolder(files []*file) []*composeProject {
	var projects []*composeProject
	taken := map[string]bool{}
	take := func(f *file) *file {
		taken[f.target] = true
		return f
	}
	if base := firstNamed(files, cli.DefaultFileNames); base != nil {
		p := &composeProject{files: []*file{take(base)}}
		if override := firstNamed(files, cli.DefaultOverrideFileNames); override != nil {
			p.files = append(p.files, take(override))
		}
		projects = append(projects, p)
	}
	for _, f := range files {
		// A link beside the file that it leads to is the same project.
		if !taken[f.target] {
			projects = append(projects, &composeProject{files: []*file{take(f)}})
		}
	}
	return projects
}

func firstNamed(files []*file, names []string) *file {
	for _, name := range names {
		if i := slices.IndexFunc(files, func(f *file) bool { return path.Base(f.name) == name }); i >= 0 {
			return files[i]
		}
	}
	return nil
}

// uncovered leaves out the projects whose services are all reported with
// another project. A file that the user named is never left out, nor is one of
// Compose's default files for being extended: it is deployed by itself. Of
// files that only include or extend each other the first stays.
func uncovered(projects []*composeProject) []*composeProject {
	covers := coveredProjects(projects)
	covered := map[*composeProject]bool{}
	for _, list := range covers {
		for _, p := range list {
			covered[p] = true
		}
	}
	kept, reached := map[*composeProject]bool{}, map[*composeProject]bool{}
	var reach func(p *composeProject)
	reach = func(p *composeProject) {
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
	return slices.DeleteFunc(slices.Clone(projects), func(p *composeProject) bool { return !kept[p] })
}

// coveredProjects lists, for each project, those that it makes needless.
func coveredProjects(projects []*composeProject) map[*composeProject][]*composeProject {
	byFile := map[string]*composeProject{}
	for _, p := range projects {
		if len(p.files) == 1 && !p.files[0].named {
			byFile[p.files[0].name] = p
		}
	}
	covered := map[*composeProject][]*composeProject{}
	extenders := map[*composeProject][]*composeProject{}
	extended := map[*composeProject]map[string]bool{}
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
		if isDefault(q.files[0].name) || slices.ContainsFunc(q.services(), isOwn) {
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
func (p *composeProject) references() []fileReference {
	var refs []fileReference
	for _, f := range p.files {
		dir := path.Dir(f.name)
		for _, doc := range f.docs {
			root := rootOf(doc)
			for _, item := range includedPaths(root) {
				refs = append(refs, fileReference{file: path.Join(dir, item)})
			}
			_, services := source.Lookup(root, "services")
			for _, service := range source.Entries(services) {
				_, extends := source.Lookup(service, "extends")
				_, file := source.Lookup(extends, "file")
				_, name := source.Lookup(extends, "service")
				if text(file) != "" && text(name) != "" {
					refs = append(refs, fileReference{file: path.Join(dir, text(file)), service: text(name)})
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
			if text(name) != "" {
				paths = append(paths, text(name))
			}
		}
	}
	return paths
}

// services lists the names of a project's services.
func (p *composeProject) services() []string {
	var names []string
	for _, f := range p.files {
		for _, doc := range f.docs {
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

func text(node *yaml.Node) string {
	if node = source.Resolve(node); node == nil || node.Kind != yaml.ScalarNode {
		return ""
	}
	return node.Value
}
