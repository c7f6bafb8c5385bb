package compose

import (
	"maps"
	"slices"

	"github.com/compose-spec/compose-go/v2/types"

	"github.com/derekg1729/dsnlint/pkg/internal/envfile"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// environment makes the env map: the variables of environment, and below them
// those of the env files, of which a later one wins. It is what compose-go's
// WithServicesEnvironmentResolved does, but for keeping the lines.
func (b *builder) environment(spec *types.ContainerSpec) {
	explicit := scope{}
	for _, name := range slices.Sorted(maps.Keys(spec.Environment)) {
		token := spec.Environment[name]
		if token == nil {
			continue
		}
		o := b.p.tokens.origin(*token)
		if o == nil {
			continue
		}
		v := b.variable(o)
		e := named(manifest.ChannelEnv, name, o.written).with(v, b.provenance(o, "environment"))
		e.Own = b.owns(o)
		b.receive(e)
		if handed := o.form == passMap || o.form == passList; !handed || v.given() {
			v.own = true
			explicit[name] = v
		}
	}
	if slices.ContainsFunc(b.reach.order, func(r ref) bool { return b.p.unread[r] }) {
		// The file has its notice; here it keeps rules from saying what is lacking.
		b.Opaque = append(b.Opaque, manifest.OpaqueImport{Kind: envFileAttr, Channel: manifest.ChannelEnv})
	}
	supplied := b.fromEnvFiles(spec, explicit)
	for _, name := range slices.Sorted(maps.Keys(supplied)) {
		if spec.Environment[name] == nil {
			b.receive(supplied[name])
		}
	}
}

// receive adds a variable to the env map. Names that are cut may be the same;
// each is then delivered for itself.
func (b *builder) receive(e manifest.EnvVar) {
	if _, ok := b.env[e.Name]; ok || e.Name == "" {
		b.deliver(manifest.ChannelEnv, e)
		return
	}
	b.env[e.Name] = e
}

// given reports whether a variable that is handed through has a value.
func (v *variable) given() bool { return v.known || v.expr[0].Ref.Value != nil }

// fromEnvFiles returns what the env files of a container supply. A bare name in
// them that nobody sets is no part of the env map, but does get into the
// container from the environment that Compose runs in.
func (b *builder) fromEnvFiles(spec *types.ContainerSpec, explicit scope) map[string]manifest.EnvVar {
	look := lookup(b.p.main[0].scope.get)
	outer := look.or(explicit.get)
	vars := maps.Clone(explicit)
	supplied := map[string]manifest.EnvVar{}
	for _, file := range spec.EnvFiles {
		item := b.item(envFileAttr, file.Path)
		if item == nil {
			continue
		}
		given, unset, problem := b.p.assign(vars, item.file, b.p.entries(item), outer)
		b.p.report(problem)
		for _, entry := range given {
			v := vars[entry.Name]
			supplied[entry.Name] = named(manifest.ChannelEnv, entry.Name, "").with(v, b.itemProvenance(v.steps[0], item))
		}
		for _, entry := range unset {
			step := stepOf(item.file, entry)
			b.deliver(manifest.ChannelEnv, named(manifest.ChannelEnv, entry.Name, "").with(passed(entry.Name, "", outer), b.itemProvenance(step, item)))
		}
	}
	return supplied
}

func (b *builder) itemProvenance(entry manifest.Step, item *fileItem) []manifest.Step {
	return append([]manifest.Step{entry}, b.reach.provenance(item.ref, item.at, item.via,
		manifest.Say("%s of %s %s", manifest.Name(item.attr), manifest.Name(kindOf(item.ref)), manifest.Name(item.name)))...)
}

// item finds the entry that names a file, by the path that compose-go has for
// it, in the definitions that go into this service.
func (b *builder) item(attr, path string) *fileItem {
	file, err := b.p.tree.Join(b.p.dir, path, b.Position)
	for _, r := range b.reach.order {
		if item := b.p.files[fileKey{r, attr, file}]; item != nil {
			return item
		}
	}
	b.p.report(&manifest.Problem{
		Severity: manifest.Error, Position: b.Position,
		Message: manifest.Say("an item of %s of service %s cannot be traced, and is not checked", manifest.Name(attr), manifest.Name(b.Name)),
		Hint:    manifest.Say("this is a bug in dsnlint; please report it"), Cause: err,
	})
	return nil
}

// entries reads an env file that was checked before.
func (p *project) entries(item *fileItem) []envfile.Entry {
	key := parsedKey{item.file, item.format}
	parsed, ok := p.parsed[key]
	if !ok {
		_, syntax := envFormat(item.format)
		data, err := p.tree.ReadAs(item.file, syntax)
		if err != nil {
			p.reportError(err)
			return nil
		}
		parsed.size = len(data)
		var problem *manifest.Problem
		parsed.entries, problem = parseEnvFile(item.file, data, item.format)
		p.report(problem)
		p.parsed[key] = parsed
	}
	if !p.spend(parsed.size+costOfVariable*len(parsed.entries), item.file) {
		return nil
	}
	return parsed.entries
}

// parsedFile is an env file and its size.
type parsedFile struct {
	entries []envfile.Entry
	size    int
}

type parsedKey struct{ file, format string }

// hookEnvFiles delivers what a pre_start hook gets from env files of its own.
func (b *builder) hookEnvFiles(s *types.ServiceConfig, spec *types.ContainerSpec) {
	var own types.ContainerSpec
	for _, file := range spec.EnvFiles {
		if !slices.ContainsFunc(s.EnvFiles, func(f types.EnvFile) bool { return f.Path == file.Path }) {
			own.EnvFiles = append(own.EnvFiles, file)
		}
	}
	supplied := b.fromEnvFiles(&own, scope{})
	for _, name := range slices.Sorted(maps.Keys(supplied)) {
		b.deliver(manifest.ChannelEnv, supplied[name])
	}
}

// labelFiles delivers the labels of label files, which labels of the same name
// outweigh.
func (b *builder) labelFiles(s *types.ServiceConfig) {
	labels, supplied := scope{}, map[string]manifest.EnvVar{}
	for _, path := range s.LabelFiles {
		item := b.item(labelFileAttr, path)
		if item == nil {
			continue
		}
		own := scope{}
		_, _, problem := b.p.assign(own, item.file, b.p.entries(item), labels.get)
		b.p.report(problem)
		for name, v := range own {
			supplied[name] = named(manifest.ChannelMetadata, name, "").with(v, b.itemProvenance(v.steps[0], item))
		}
		maps.Copy(labels, own)
	}
	for _, name := range slices.Sorted(maps.Keys(supplied)) {
		if _, ok := s.Labels[name]; ok {
			continue
		}
		b.deliver(manifest.ChannelMetadata, supplied[name])
	}
}
