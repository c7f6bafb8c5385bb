package quadlet

import (
	"cmp"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/derekg1729/dsnlint/pkg/internal/envfile"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// builder makes one container.
type builder struct {
	*manifest.Container
	set  *set
	unit *unit
	// pod is the unit of the container's pod; nil for none, and one that is not there.
	pod *unit
	// podName is what the unit of the pod is called.
	podName string
	// options are those of PodmanArgs=.
	options []option
	// service holds the variables that systemd gives to Podman.
	service map[string]*manifest.Ref
	// env is the env map, and rest what else reaches the container.
	env  map[string]manifest.EnvVar
	rest []manifest.Delivery
}

func (s *set) container(u *unit) *builder {
	id := path.Join("quadlet", s.dir, u.name)
	name := strings.TrimSuffix(u.name, "@")
	b := &builder{
		set: s, unit: u, env: map[string]manifest.EnvVar{}, service: map[string]*manifest.Ref{},
		Container: &manifest.Container{
			Dialect:       Dialect,
			ID:            id,
			QualifiedName: id,
			Project:       manifest.Project{Name: strings.Trim(path.Base(path.Clean("/"+s.dir)), "/"), Source: s.dir},
			Workload:      manifest.Workload{Kind: "container", Name: name},
			Name:          name,
			Kind:          manifest.KindContainer,
			Position:      manifest.Position{File: u.file},
		},
	}
	if e, ok := u.last(containerSection, ""); ok && e.position.File == u.file {
		b.Position = e.position
	}
	b.names()
	if image, ok := u.plain(containerSection, "Image"); ok && isFixed(image.content) && path.Ext(image.content) != ".image" && path.Ext(image.content) != ".build" {
		b.Image = image.content
	}
	b.serviceVariables()
	b.options = parseOptions(s.words(u.all(containerSection, "PodmanArgs")))
	b.environment()
	b.labels()
	b.commands()
	b.restarts()
	b.Deliveries = manifest.Deliveries(b.env, b.rest)
	return b
}

// names works out what the container and its pod are called. A name with a specifier
// is only known to systemd, and the unit's is as good.
func (b *builder) names() {
	names := []string{b.Name}
	if given, ok := b.unit.plain(containerSection, "ContainerName"); ok && isFixed(given.content) {
		b.Name = given.content
		names = []string{b.Name, names[0]}
	}
	if template, _, instance := strings.Cut(b.unit.name, "@"); instance {
		names = append(names, template)
	}
	if pod, ok := b.unit.plain(containerSection, "Pod"); ok && path.Ext(pod.content) == podExt {
		b.podName = strings.TrimSuffix(pod.content, podExt)
		b.pod = b.set.unit(pod.content)
		if b.pod != nil {
			if given, ok := b.pod.plain(podSection, "PodName"); ok && isFixed(given.content) {
				names = append(names, given.content)
			}
		}
		b.Workload = manifest.Workload{Kind: "pod", Name: b.podName}
		names = append(names, b.podName)
	}
	for _, name := range names {
		if !slices.Contains(b.RoleNames, name) {
			b.RoleNames = append(b.RoleNames, name)
		}
	}
}

// step says that an entry is one of the container.
func (b *builder) step(key string, at manifest.Position) manifest.Step {
	switch {
	case at.File == b.unit.file:
		return manifest.Step{Position: at, Text: manifest.Say("%s of container %s", manifest.Name(key), manifest.Name(b.Name))}
	case b.pod != nil && at.File == b.pod.file:
		return manifest.Step{Position: at, Text: manifest.Say("%s of pod %s", manifest.Name(key), manifest.Name(b.podName))}
	}
	return manifest.Step{Position: at, Text: manifest.Say("%s in a drop-in of container %s", manifest.Name(key), manifest.Name(b.Name))}
}

// resolve returns the reference to a variable of the service.
func (b *builder) resolve(name string) *manifest.Ref {
	ref, ok := b.service[name]
	if !ok {
		ref = &manifest.Ref{Name: name, Kind: manifest.RefVariable}
		b.service[name] = ref
	}
	return ref
}

// serviceVariables reads those of [Service]. Its env files are on the machine that the
// units are for: systemd takes absolute names only.
func (b *builder) serviceVariables() {
	for _, w := range b.set.words(b.unit.all(serviceSection, "Environment")) {
		if name, value, ok := strings.Cut(w.text, "="); ok && variable.MatchString(name) {
			b.service[name] = &manifest.Ref{
				Name: name, Kind: manifest.RefVariable, Value: replace(value, nil),
				Steps: []manifest.Step{{Position: w.position(), Text: manifest.Say("Environment of the service of %s", manifest.Name(b.Name))}},
			}
		}
	}
}

// variableOf makes a variable of an expression.
func variableOf(name string, expr manifest.Expr, provenance ...manifest.Step) manifest.EnvVar {
	return manifest.EnvVar{Name: name, Value: expr.Eval(), Expr: expr, Provenance: provenance}
}

func (b *builder) deliver(channel manifest.Channel, v manifest.EnvVar) {
	b.rest = append(b.rest, manifest.Delivery{Channel: channel, EnvVar: v, Aside: channel == manifest.ChannelEnv})
}

// receive puts a variable into the env map. What is not known to be a name cannot be
// told from another such name, so that each is delivered for itself.
func (b *builder) receive(v manifest.EnvVar) {
	if v.Name == manifest.Masked {
		b.deliver(manifest.ChannelEnv, v)
		return
	}
	b.env[v.Name] = v
}

func (b *builder) environment() {
	if e, ok := b.unit.last(containerSection, "EnvironmentHost"); ok && b.unit.is(containerSection, "EnvironmentHost") {
		b.passAll("", keyed{e.key, word{text: e.value.content, source: e.value}, false})
	}
	for _, o := range b.options {
		if o.key == "EnvironmentHost" && o.value.text != "false" {
			b.passAll("", keyed{podmanArgs, o.value, true})
		}
	}
	for _, w := range b.listed("EnvironmentFile") {
		b.envFile(w)
	}
	for _, w := range b.listed("Environment") {
		b.assign(w)
	}
	for _, w := range b.listed("Secret") {
		b.secret(w)
	}
}

// keyed is a word with the key that it comes from.
type keyed struct {
	key string
	word
	// isOption is set for the value of an option of Podman.
	isOption bool
}

// listed returns the words of a key, and behind them the values of the option of
// Podman that says the same.
func (b *builder) listed(key string) []keyed {
	var all []keyed
	for _, w := range b.set.words(b.unit.all(containerSection, key)) {
		all = append(all, keyed{key, w, false})
	}
	return append(all, b.optionsOf(key)...)
}

func (b *builder) optionsOf(key string) []keyed {
	var all []keyed
	for _, o := range b.options {
		if o.key == key {
			all = append(all, keyed{podmanArgs, o.value, true})
		}
	}
	return all
}

func (b *builder) stepOf(w keyed) manifest.Step { return b.step(w.key, w.position()) }

// opaque notes an import of variables whose names are not known.
func (b *builder) opaque(kind, name string, reason manifest.Text, provenance ...manifest.Step) {
	b.Opaque = append(b.Opaque, manifest.OpaqueImport{
		Kind: kind, Name: name, Channel: manifest.ChannelEnv, Reason: reason, Provenance: provenance,
	})
}

// passAll passes the variables of the service on whose names begin with a prefix. What
// the manager gives to the service is not in the unit.
func (b *builder) passAll(prefix string, w keyed) {
	for _, name := range slices.Sorted(maps.Keys(b.service)) {
		if ref := b.service[name]; strings.HasPrefix(name, prefix) && ref.Value != nil {
			b.receive(variableOf(name, ref.Value, ref.Steps[0], b.stepOf(w)))
		}
	}
	b.opaque("environment", b.unit.name+".service", manifest.Say("the service manager adds variables of its own"), b.stepOf(w))
}

// passed is a variable that has no value of its own: Podman takes that of the service.
func (b *builder) passed(name string, provenance ...manifest.Step) manifest.EnvVar {
	shown := manifest.VariableName(name)
	expr := manifest.Expr{{Ref: b.resolve(shown)}}
	if !isFixed(name) {
		expr = expand(name, b.resolve)
	}
	return variableOf(shown, expr, provenance...)
}

// assign reads NAME=value, NAME or PREFIX*.
func (b *builder) assign(w keyed) {
	name, value, ok := strings.Cut(w.text, "=")
	if prefix, all := strings.CutSuffix(name, "*"); all && !ok {
		b.passAll(prefix, w)
		return
	}
	v := b.passed(name, b.stepOf(w))
	if ok {
		v = variableOf(v.Name, replace(value, b.resolve), v.Provenance...)
	}
	v.Own = w.source.file == b.unit.file
	b.receive(v)
}

// envFile reads an env file. A dash says, as in systemd, that it may be absent, so that
// no notice is given of one that is; whoever deploys the unit may have it all the same.
func (b *builder) envFile(w keyed) {
	name, optional := strings.CutPrefix(w.text, "-")
	file, reason := b.path(name, w)
	if reason.IsZero() {
		entries, why := b.set.envFile(file, w.position())
		b.envEntries(file, entries, w)
		if why.IsZero() {
			return
		}
		reason = why
	}
	b.opaque("EnvironmentFile", name, reason, b.stepOf(w))
	if !optional || file == "" {
		b.set.report(&manifest.Problem{
			Severity: manifest.Notice, Position: w.position(),
			Message: manifest.Say("an env file of container %s is not checked: %s", manifest.Name(b.Name), reason),
		})
	}
}

// path returns the file of the tree that a path in a unit leads to, or why there is
// none.
func (b *builder) path(name string, w keyed) (file string, reason manifest.Text) {
	switch {
	case !isFixed(name):
		return "", manifest.Say("only systemd knows its path")
	case w.isOption && !path.IsAbs(name):
		return "", manifest.Say("its path depends on the directory that Podman runs in")
	}
	file, err := b.set.tree.Join(b.set.dir, name, w.position())
	if err != nil {
		return "", manifest.Say("it is outside the root directory")
	}
	return file, manifest.Text{}
}

func (b *builder) envEntries(file string, entries []envfile.Entry, w keyed) {
	for _, e := range entries {
		steps := []manifest.Step{{Position: e.Position, Text: manifest.Say("%s in %s", manifest.Name(manifest.VariableName(e.Name)), manifest.Path(file)), EnvFile: true}, b.stepOf(w)}
		prefix, all := strings.CutSuffix(e.Name, "*")
		switch {
		case !e.Inherited:
			b.receive(variableOf(manifest.VariableName(e.Name), manifest.Literal(e.Text), steps...))
		case all:
			b.passAll(prefix, w)
		case b.resolve(e.Name).Value != nil:
			b.receive(b.passed(e.Name, steps...))
		default:
			b.deliver(manifest.ChannelEnv, b.passed(e.Name, steps...))
		}
	}
}

// secret delivers a secret of Podman's, whose content is in no unit.
func (b *builder) secret(w keyed) {
	var source, kind, target string
	// named is where the text has the name, and at where it has the value of a part.
	named, at := 0, 0
	for i, part := range strings.Split(w.text, ",") {
		key, value, ok := strings.Cut(part, "=")
		at += len(part) - len(value)
		switch {
		case !ok && i == 0:
			source = part
		case key == "source":
			source = value
			if target == "" {
				named = at
			}
		case key == "type":
			kind = value
		case key == "target":
			target, named = value, at
		}
		at += len(value) + len(",")
	}
	expr := manifest.Expr{{Ref: &manifest.Ref{Name: source, Kind: manifest.RefFile}}}
	if target = cmp.Or(target, source); kind == "env" {
		v := variableOf(manifest.VariableName(target), expr, b.stepOf(w))
		if w.exact {
			v.NamedAt = w.behind(named)
		}
		b.receive(v)
		return
	}
	if !path.IsAbs(target) {
		target = path.Join("/run/secrets", target)
	}
	b.deliver(manifest.ChannelFile, variableOf(target, expr, b.stepOf(w)))
}

// labels delivers labels and annotations, those of the pod included.
func (b *builder) labels() {
	words := b.listed("Label")
	if b.pod != nil {
		for _, w := range b.set.words(b.pod.all(podSection, "Label")) {
			words = append(words, keyed{"Label", w, false})
		}
	}
	for _, w := range words {
		if name, value, _ := strings.Cut(w.text, "="); name == manifest.RoleKey && (b.RoleLabel == "" || w.source.file != b.podFile()) {
			b.RoleLabel, b.RoleLabelPosition, b.RoleLabelOwn = value, w.position(), w.source.file == b.unit.file
		}
	}
	for _, w := range append(words, b.listed("Annotation")...) {
		name, value, _ := strings.Cut(w.text, "=")
		b.deliver(manifest.ChannelMetadata, variableOf(name, replace(value, b.resolve), b.stepOf(w)))
	}
}

func (b *builder) podFile() string {
	if b.pod == nil {
		return ""
	}
	return b.pod.file
}

// restarts reports whether the service is started again when the container ends
// well. Without Restart= it is not.
func (b *builder) restarts() {
	b.RunsOnce, b.RestartPosition = true, b.Position
	if e, ok := b.unit.last(serviceSection, "Restart"); ok {
		policy, _ := b.unit.plain(serviceSection, "Restart")
		b.RunsOnce = policy.content != "always" && policy.content != "on-success"
		b.RestartPosition = e.position
	}
}
