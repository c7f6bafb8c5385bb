package compose

import (
	"cmp"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"

	"github.com/derekg1729/dsnlint/pkg/internal/interp"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// containers returns every service and job of the merged project.
func (p *project) containers(merged *types.Project) []manifest.Container {
	services, jobs := merged.AllServices(), merged.AllJobs()
	all := make([]manifest.Container, 0, len(services)+len(jobs))
	add := func(section string, s types.ServiceConfig) {
		// One that is left has at least a stand-in of its own.
		if c := p.container(merged, section, s); c != nil {
			all = append(all, *c)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(services)) {
		add("services", services[name])
	}
	for _, name := range slices.Sorted(maps.Keys(jobs)) {
		job := jobs[name]
		add("jobs", types.ServiceConfig{
			Name: name, ContainerSpec: job.ContainerSpec, WorkloadSpec: job.WorkloadSpec, Extensions: job.Extensions,
		})
	}
	return all
}

// builder makes one container.
type builder struct {
	*manifest.Container
	p       *project
	merged  *types.Project
	section string
	reach   reach
	// env is the env map, and rest what else reaches the container.
	env  map[string]manifest.EnvVar
	rest []manifest.Delivery
	// runs are the words of the command line.
	runs map[string]bool
}

// kinds are what an entry of each section is called.
var kinds = map[string]string{"services": "service", "jobs": "job"}

// container makes the container of a service; nil for one that was left out, or that
// cannot run.
func (p *project) container(merged *types.Project, section string, s types.ServiceConfig) *manifest.Container {
	if _, lost := s.Extensions[lostKey]; lost && s.Extensions[originKey] == nil {
		return nil
	}
	kind := kinds[section]
	b := &builder{
		env:  map[string]manifest.EnvVar{},
		runs: map[string]bool{},
		Container: &manifest.Container{
			Dialect: Dialect,
			// The project's name may be that of the directory of the clone.
			ID:            path.Join(kind, s.Name),
			QualifiedName: path.Join("compose", p.shownName, s.Name),

			Project:   manifest.Project{Name: p.shownName, Source: p.main[0].file},
			Workload:  manifest.Workload{Kind: kind, Name: s.Name},
			Name:      s.Name,
			Kind:      manifest.KindService,
			Position:  manifest.Position{File: p.main[0].file},
			RoleNames: []string{s.Name},
		},
		p: p, merged: merged, section: section, reach: p.reach(section, s.Name),
	}
	if o := b.marker(s.Extensions); o != nil {
		b.Position = o.unit.position(o.at)
	}
	if o := p.tokens.origin(s.Image); o != nil {
		b.Image = o.text
	}
	b.environment(&s.ContainerSpec)
	b.metadata(&s)
	b.files(manifest.ChannelFile, mountsOf(&s.ContainerSpec))
	b.commandLine(&s)
	if s.HealthCheck != nil && !s.HealthCheck.Disable {
		b.arguments("healthcheck", s.HealthCheck.Test)
	}
	b.hooks(&s)
	b.build(s.Build)
	b.restarts(&s)
	b.dependencies(s.DependsOn)
	b.mountedScripts(&s)
	b.Deliveries = manifest.Deliveries(b.env, b.rest)
	b.Partial = slices.ContainsFunc(b.reach.order, func(r ref) bool { return p.partial[r] })
	if s.Image == "" && s.Build == nil && s.Provider == nil && !b.Partial {
		if len(b.Deliveries) > 0 && !p.bases[s.Name] {
			p.report(&manifest.Problem{
				Severity: manifest.Notice, Position: b.Position,
				Message: manifest.Say("service %s has neither an image nor a build, so it cannot run and is not checked", manifest.Name(s.Name)),
				Hint:    manifest.Say("it is checked with the file that gives it an image, where that is the Compose file of this directory or one above, or extends it"),
			})
		}
		return nil
	}
	return b.Container
}

// marker finds the origin that a mapping carries with it.
func (b *builder) marker(extensions types.Extensions) *origin {
	s, _ := extensions[originKey].(string)
	return b.p.tokens.origin(s)
}

func hasVariable(t interp.Template) bool {
	return slices.ContainsFunc(t, func(s interp.Segment) bool { return s.Name != "" })
}

// variable works out the value of an entry.
func (b *builder) variable(o *origin) *variable {
	look := lookup(o.unit.scope.get)
	switch o.form {
	case passMap:
		// compose-go looks these up with the main files' variables, also where
		// they stand in an included file.
		return passed(o.name, o.written, b.p.main[0].scope.get)
	case passList:
		return passed(o.name, o.written, look.or(b.p.main[0].scope.get))
	default:
	}
	expr := look.expand(o.template)
	if o.form == pair {
		expr, _ = look.afterEquals(expr)
	}
	return &variable{value: o.text, expr: expr, known: !o.unknown && expr.IsKnown()}
}

// passed is a variable that is handed through, with its name as it is written
// where that is not the name itself.
func passed(name, written string, look lookup) *variable {
	ref := look.ref(name)
	ref.Name, ref.Written = variableName(name), written
	v := &variable{expr: manifest.Expr{{Ref: ref}}}
	if given, ok := look(name); ok {
		v.value, v.known = given.value, given.known
	}
	return v
}

// afterEquals is what is left of NAME=value behind the first equals sign, if
// there is one.
func (l lookup) afterEquals(expr manifest.Expr) (manifest.Expr, bool) {
	for i, part := range expr {
		text, _ := part.Literal.Reveal()
		if part.Ref != nil {
			if v, ok := l(part.Ref.Name); ok && v.known {
				text = v.value
			} else if word, ok := l.afterEquals(part.Ref.Default); ok {
				// The name and the value both come out of the default.
				left := slices.Clone(expr[i:])
				left[0].Ref = part.Ref.WithDefault(word)
				return left, true
			}
		}
		_, rest, ok := strings.Cut(text, "=")
		if !ok {
			continue
		}
		left := slices.Clone(expr[i:])
		if part.Ref == nil {
			left[0].Literal = manifest.Known(rest)
			if rest == "" {
				left = left[1:]
			}
		} else {
			// The name and the value both come out of one variable.
			left[0].Ref = part.Ref.WithValue(manifest.Literal(rest))
		}
		return left, true
	}
	return manifest.Expr{}, false
}

// named begins a variable that is delivered through a channel, with its name as
// it is written where it is interpolated. A name is cut where it can no longer
// be one.
func named(channel manifest.Channel, name, written string) delivered {
	short := name
	switch channel {
	case manifest.ChannelEnv, manifest.ChannelBuild:
		short = variableName(name)
	case manifest.ChannelMetadata:
		short = labelName(name)
	default:
		// The names of files and fields.
	}
	if short == "" && written == "" {
		written = manifest.Masked
	}
	return delivered{short, written}
}

// delivered is the name of a variable that is delivered.
type delivered struct{ name, written string }

// with puts the variable together with its value and provenance.
func (d delivered) with(v *variable, provenance []manifest.Step) manifest.EnvVar {
	e := manifest.EnvVar{Name: d.name, Written: d.written, Expr: v.expr, Provenance: provenance}
	if v.known {
		e.Value = manifest.Known(v.value)
	}
	return e
}

func (b *builder) provenance(o *origin, what string) []manifest.Step {
	return b.reach.provenance(o.ref, o.at, o.via, manifest.Say("%s of %s %s", manifest.Name(what), manifest.Name(kindOf(o.ref)), manifest.Name(o.ref.name)))
}

// removable are the attributes whose entries nothing else in a file refers to.
var removable = []string{"environment", "labels", "annotations", "build.args", "build.labels", "deploy.labels"}

// owns reports whether an entry can be taken out of the own definition of the service.
func (b *builder) owns(o *origin) bool {
	own := ref{o.unit, b.section, b.Name}
	return o.ref == own && o.unit.kind != baseUnit && len(o.via) == 0 && slices.Contains(removable, o.attr)
}

func kindOf(r ref) string {
	if kind, ok := kinds[r.section]; ok {
		return kind
	}
	return strings.TrimSuffix(r.section, "s")
}

// deliver adds what is not in the env map.
func (b *builder) deliver(channel manifest.Channel, v manifest.EnvVar) {
	b.rest = append(b.rest, manifest.Delivery{Channel: channel, EnvVar: v, Aside: channel == manifest.ChannelEnv})
}

// entry delivers the value behind a stand-in.
func (b *builder) entry(channel manifest.Channel, name, token, what string) {
	if o := b.p.tokens.origin(token); o != nil {
		e := named(channel, name, o.written).with(b.variable(o), b.provenance(o, what))
		e.Own = b.owns(o)
		b.deliver(channel, e)
	}
}

// arguments delivers a command that runs beside the container's own.
func (b *builder) arguments(name string, command []string) {
	for _, token := range command {
		b.entry(manifest.ChannelArgument, name, token, name)
	}
}

func (b *builder) labels(what string, labels map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		b.entry(manifest.ChannelMetadata, name, labels[name], what)
	}
}

// metadata delivers labels and annotations.
func (b *builder) metadata(s *types.ServiceConfig) {
	b.labels("labels", s.Labels)
	b.labelFiles(s)
	b.labels("annotations", s.Annotations)
	if s.Deploy != nil {
		b.labels("deploy.labels", s.Deploy.Labels)
	}
	if o := b.p.tokens.origin(cmp.Or(s.Labels[manifest.RoleKey], s.Annotations[manifest.RoleKey])); o != nil {
		b.RoleLabel, b.RoleLabelPosition = o.text, o.unit.position(o.at)
		own := b.marker(s.Extensions)
		b.RoleLabelOwn = own != nil && o.ref == own.ref && len(o.via) == 0
	}
}

// mount is a secret or config that is put into a container or a build.
type mount struct {
	section string
	types.FileReferenceConfig
}

func mountsOf(spec *types.ContainerSpec) []mount {
	all := make([]mount, 0, len(spec.Secrets)+len(spec.Configs))
	for _, s := range spec.Secrets {
		all = append(all, mount{"secrets", types.FileReferenceConfig(s)})
	}
	for _, c := range spec.Configs {
		all = append(all, mount{"configs", types.FileReferenceConfig(c)})
	}
	return all
}

// files delivers secrets and configs.
func (b *builder) files(channel manifest.Channel, mounts []mount) {
	for _, m := range mounts {
		o := b.marker(m.Extensions)
		if o == nil {
			continue
		}
		b.deliver(channel, m.name(channel, b.p.written).with(b.definition(m), b.provenance(o, o.attr)))
	}
}

// name is the path in the container, or for a build the name that its steps ask
// for. See https://docs.docker.com/reference/compose-file/services/#secrets.
func (m mount) name(channel manifest.Channel, written map[string]string) delivered {
	name := cmp.Or(m.Target, m.Source)
	d := delivered{name: m.path(channel, name)}
	// compose-go may have put the directory before it.
	for _, directory := range []string{"", "/run/secrets/", "/"} {
		if written := written[strings.TrimPrefix(name, directory)]; written != "" {
			d.written = m.path(channel, written)
			break
		}
	}
	return d
}

func (m mount) path(channel manifest.Channel, name string) string {
	switch {
	case channel == manifest.ChannelBuild:
		return path.Base(name)
	case path.IsAbs(name):
		return path.Clean(name)
	case m.section == "secrets":
		return path.Join("/run/secrets", name)
	}
	return path.Join("/", name)
}

// definition mentions a top-level secret or config.
func (b *builder) definition(m mount) *variable {
	ref := &manifest.Ref{Name: m.Source, Written: b.p.written[m.Source], Kind: manifest.RefFile}
	v := &variable{expr: manifest.Expr{{Ref: ref}}}
	definition := types.FileObjectConfig(b.merged.Secrets[m.Source])
	if m.section == "configs" {
		definition = types.FileObjectConfig(b.merged.Configs[m.Source])
	}
	if o := b.marker(definition.Extensions); o != nil {
		ref.Steps = b.p.reach(m.section, m.Source).provenance(o.ref, o.at, o.via,
			manifest.Say("%s %s", manifest.Name(strings.TrimSuffix(m.section, "s")), manifest.Name(cmp.Or(ref.Written, m.Source))))
	}
	file := func(name, written string) {
		ref.Value = manifest.Expr{{Ref: &manifest.Ref{Name: name, Written: written, Kind: manifest.RefFile}}}
	}
	if o := b.p.tokens.origin(definition.Environment); o != nil {
		look := lookup(o.unit.scope.get)
		given := passed(o.text, writtenAs(o.template), look.or(b.p.main[0].scope.get))
		ref.Value, v.value, v.known = given.expr, given.value, given.known
	} else if o := b.p.tokens.origin(definition.Content); o != nil {
		look := lookup(o.unit.scope.get)
		ref.Value = look.expand(o.template)
		v.value, v.known = o.text, !o.unknown && ref.Value.IsKnown()
	} else if o := b.p.tokens.origin(definition.File); o != nil {
		written := writtenAs(o.template)
		file(path.Base(o.text), written[strings.LastIndexByte(written, '/')+1:])
	} else if o := b.p.tokens.origin(definition.Name); o != nil {
		file(o.text, writtenAs(o.template))
	}
	return v
}

// hooks delivers what the lifecycle hooks run and are given.
func (b *builder) hooks(s *types.ServiceConfig) {
	for _, hook := range s.PreStart {
		// Everything else comes from the service itself.
		own := func(token string) bool {
			o := b.p.tokens.origin(token)
			return o != nil && strings.HasPrefix(o.attr, "pre_start")
		}
		if len(hook.Command) > 0 && own(hook.Command[0]) {
			b.arguments("pre_start", hook.Command)
		}
		if len(hook.Entrypoint) > 0 && own(hook.Entrypoint[0]) {
			b.arguments("pre_start", hook.Entrypoint)
		}
		b.hookEnvironment("pre_start", hook.Environment, own)
		b.hookEnvFiles(s, &hook.ContainerSpec)
		var mounts []mount
		for _, m := range mountsOf(&hook.ContainerSpec) {
			if token, _ := m.Extensions[originKey].(string); own(token) {
				mounts = append(mounts, m)
			}
		}
		b.files(manifest.ChannelFile, mounts)
	}
	b.plainHooks("post_start", s.PostStart)
	b.plainHooks("pre_stop", s.PreStop)
}

func (b *builder) plainHooks(name string, hooks []types.ServiceHook) {
	for _, hook := range hooks {
		b.arguments(name, hook.Command)
		b.hookEnvironment(name, hook.Environment, func(string) bool { return true })
	}
}

func (b *builder) hookEnvironment(hook string, environment types.MappingWithEquals, own func(string) bool) {
	for _, name := range slices.Sorted(maps.Keys(environment)) {
		if token := environment[name]; token != nil && own(*token) {
			b.entry(manifest.ChannelEnv, name, *token, hook+".environment")
		}
	}
}

// build delivers what an image is built with.
func (b *builder) build(build *types.BuildConfig) {
	if build == nil {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(build.Args)) {
		if token := build.Args[name]; token != nil {
			b.entry(manifest.ChannelBuild, name, *token, "build.args")
		}
	}
	b.labels("build.labels", build.Labels)
	b.entry(manifest.ChannelBuild, "dockerfile_inline", build.DockerfileInline, "build.dockerfile_inline")
	var mounts []mount
	for _, s := range build.Secrets {
		mounts = append(mounts, mount{"secrets", types.FileReferenceConfig(s)})
	}
	b.files(manifest.ChannelBuild, mounts)
}

// restarts reports whether a service is started again when it ends well. A
// deploy section outweighs restart.
func (b *builder) restarts(s *types.ServiceConfig) {
	b.RunsOnce, b.RestartPosition = true, b.Position
	policy := s.Restart
	if s.Deploy != nil && s.Deploy.RestartPolicy != nil {
		// Without a condition there is a restart under any.
		policy = s.Deploy.RestartPolicy.Condition
		b.RunsOnce = policy != ""
	}
	if o := b.p.tokens.origin(policy); o != nil {
		b.RestartPosition = o.unit.position(o.at)
		policy, _, _ = strings.Cut(o.text, ":")
		b.RunsOnce = slices.Contains([]string{"", "no", "none", "on-failure"}, policy)
	}
}

func (b *builder) dependencies(on types.DependsOnConfig) {
	for _, name := range slices.Sorted(maps.Keys(on)) {
		d := manifest.Dependency{
			Name:      name,
			Completed: on[name].Condition == types.ServiceConditionCompletedSuccessfully,
			Position:  b.Position,
		}
		if o := b.marker(on[name].Extensions); o != nil {
			d.Position = o.unit.position(o.at)
		}
		b.WaitsFor = append(b.WaitsFor, d)
	}
}
