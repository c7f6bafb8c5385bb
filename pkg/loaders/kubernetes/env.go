package kubernetes

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// env works out what kubelet puts into the environment: first envFrom, then env,
// and later entries win. $(NAME) means what has been defined by then.
//
// See https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/.
func (b *builder) env() {
	for _, m := range b.c.mounts {
		expand(m.value.SubPathExpr, func(name string) *manifest.Ref { b.inPaths[name] = true; return nil })
	}
	for _, from := range locate(b.c.place.field("envFrom"), b.c.EnvFrom) {
		switch {
		case from.value.ConfigMapRef != nil:
			b.importAll(from.place, kindConfigMap, from.value.ConfigMapRef.Name, from.value.Prefix)
		case from.value.SecretRef != nil:
			b.importAll(from.place, kindSecret, from.value.SecretRef.Name, from.value.Prefix)
		}
	}
	for _, entry := range locate(b.c.place.field("env"), b.c.Env) {
		b.define(entry.place, &entry.value)
	}
}

// importAll defines a variable for every key of an object. kubelet leaves out
// keys that can be no variable.
func (b *builder) importAll(item place, kind, name, prefix string) {
	object := b.resolve(b.object, kind, name)
	if !object.opaque.IsZero() {
		b.opaquePrefixes = append(b.opaquePrefixes, prefix)
		b.opaque(manifest.ChannelEnv, kind, name, object.opaque, item.steps(manifest.Say("envFrom of container %s imports %s %s whole", manifest.Name(b.c.Name), manifest.Name(kind), manifest.Name(name))))
	}
	here := item.steps(manifest.Say("envFrom of container %s imports %s %s", manifest.Name(b.c.Name), manifest.Name(kind), manifest.Name(name)))
	for _, v := range b.imported(object, kind, name, prefix) {
		v.Provenance = slices.Concat(here, v.Provenance)
		b.set(v)
	}
}

// wholeImport is an object that is imported whole, from a namespace.
type wholeImport struct {
	object                        *keyObject
	namespace, kind, name, prefix string
}

// imported lists the variables that an object makes, without the step of the
// import. All containers that import it share them.
func (b *builder) imported(object *keyObject, kind, name, prefix string) []manifest.EnvVar {
	id := wholeImport{object, b.object.project().Name, kind, name, prefix}
	if known, ok := b.imports[id]; ok {
		return known
	}
	var all []manifest.EnvVar
	for _, key := range slices.Sorted(maps.Keys(object.keys)) {
		value := object.keys[key]
		if value.binary || len(validation.IsRelaxedEnvVarName(prefix+key)) > 0 {
			continue
		}
		if !b.spend(b.object, variableWork) {
			break
		}
		all = append(all, manifest.EnvVar{
			Name:       prefix + key,
			Expr:       manifest.Expr{{Ref: value.ref(b.object, kind, name, key)}},
			Provenance: value.steps,
		})
	}
	b.imports[id] = all
	return all
}

// define adds an entry of env. One whose source is optional and known not to be
// there defines nothing.
func (b *builder) define(item place, entry *corev1.EnvVar) {
	v := manifest.EnvVar{
		Name:       judgedName(entry.Name),
		Provenance: item.steps(manifest.Say("env of container %s", manifest.Name(b.c.Name))),
		NamedAt:    item.field("name").valuePosition(),
		Own:        item.own() && !b.inPaths[entry.Name],
	}
	from := item.field("valueFrom")
	switch source := entry.ValueFrom; {
	case entry.Name == "":
		return
	case entry.Value != "" || source == nil:
		v.Expr = expand(entry.Value, b.lookup)
		v.Provenance = append(v.Provenance, item.field("value").origin()...)
	case source.SecretKeyRef != nil:
		r := source.SecretKeyRef
		if !b.key(&v, from.field("secretKeyRef"), kindSecret, r.Name, r.Key, r.Optional) {
			return
		}
	case source.ConfigMapKeyRef != nil:
		r := source.ConfigMapKeyRef
		if !b.key(&v, from.field("configMapKeyRef"), kindConfigMap, r.Name, r.Key, r.Optional) {
			return
		}
	case source.FieldRef != nil:
		b.podField(&v, from.field("fieldRef"), source.FieldRef.FieldPath)
	case source.FileKeyRef != nil:
		r := source.FileKeyRef
		v.Expr = manifest.Expr{{Ref: &manifest.Ref{
			Name: r.Key, Kind: manifest.RefVariable,
			Steps: from.field("fileKeyRef").steps(manifest.Say("variable %s of the env file %s in volume %s", manifest.Name(r.Key), manifest.Name(r.Path), manifest.Name(r.VolumeName))),
		}}}
	}
	b.set(v)
}

// judgedName is the name that a variable is judged by. Of a text that is not a
// name nothing is shown, but it stays apart from others of its kind.
func judgedName(written string) string {
	if name := manifest.VariableName(written); name != manifest.Masked {
		return name
	}
	return written
}

// key makes a variable the value of one key, and reports whether the variable is
// there at all.
func (b *builder) key(v *manifest.EnvVar, from place, kind, name, key string, optional *bool) bool {
	object := b.resolve(b.object, kind, name)
	value, ok := object.keys[key]
	if (!ok || value.binary) && object.opaque.IsZero() && optional != nil && *optional {
		return false
	}
	v.Expr = manifest.Expr{{Ref: value.ref(b.object, kind, name, key)}}
	v.Provenance = slices.Concat(v.Provenance, from.steps(manifest.Say("key %s of %s %s", manifest.Name(key), manifest.Name(kind), manifest.Name(name))), value.steps)
	return true
}

// podField takes the value from the pod itself, as far as the manifest says it.
func (b *builder) podField(v *manifest.EnvVar, from place, path string) {
	v.Provenance = append(v.Provenance, from.steps(manifest.Say("a field of the pod"))...)
	if m := podMetadata.FindStringSubmatch(path); m != nil {
		entry := b.metadata.field(m[1], m[2])
		if entry.exists() {
			v.Expr = manifest.Literal(entry.text())
			v.Provenance = append(v.Provenance, entry.steps(manifest.Say("%s %s of the pod", manifest.Name(strings.TrimSuffix(m[1], "s")), manifest.Name(m[2])))...)
		}
		return
	}
	known := ""
	switch path {
	case "metadata.name":
		if b.object.kind() == "Pod" {
			known = at(b.object, "metadata", "name").text()
		}
	case "metadata.namespace":
		known = b.object.namespace()
	case "spec.serviceAccountName":
		known = b.serviceAccount
	}
	if known != "" {
		v.Expr = manifest.Literal(known)
	}
}

var podMetadata = regexp.MustCompile(`^metadata\.(labels|annotations)\['([^']*)'\]$`)

// set puts a variable into the env map.
func (b *builder) set(v manifest.EnvVar) {
	if b.spend(b.object, variableWork) {
		v.Value = b.eval(v.Expr)
		b.vars[v.Name] = v
		delete(b.mentions, v.Name)
	}
}

// lookup returns what $(NAME) stands for; nil where NAME is not defined, unless it
// may come with an import whose keys are not known.
func (b *builder) lookup(name string) *manifest.Ref {
	if ref, ok := b.mentions[name]; ok {
		return ref
	}
	if v, ok := b.vars[name]; ok {
		ref := &manifest.Ref{Name: name, Kind: manifest.RefEnv, Value: v.Expr, Steps: v.Provenance}
		b.values[ref] = v.Value
		b.mentions[name] = ref
		return ref
	}
	for _, prefix := range b.opaquePrefixes {
		if strings.HasPrefix(name, prefix) && len(validation.IsRelaxedEnvVarName(name)) == 0 {
			return &manifest.Ref{Name: name, Kind: manifest.RefEnv}
		}
	}
	return nil
}

// static returns what $(NAME) stands for in the command of a probe: kubelet takes
// the text of the entry of env there, before anything is put into it, and nothing
// for one that has a source.
func (b *builder) static() func(name string) *manifest.Ref {
	entries := map[string]*manifest.Ref{}
	for _, entry := range locate(b.c.place.field("env"), b.c.Env) {
		entries[entry.value.Name] = &manifest.Ref{
			Name: entry.value.Name, Kind: manifest.RefEnv,
			Value: manifest.Literal(entry.value.Value),
			Steps: entry.place.steps(manifest.Say("env of container %s", manifest.Name(b.c.Name))),
		}
	}
	return func(name string) *manifest.Ref { return entries[name] }
}

// opaque notes a whole import of keys that are not known.
func (b *builder) opaque(channel manifest.Channel, kind, name string, reason manifest.Text, provenance []manifest.Step) {
	b.out.Opaque = append(b.out.Opaque, manifest.OpaqueImport{
		Kind: kind, Namespace: b.object.project().Name, Name: name,
		Channel: channel, Reason: reason, Provenance: provenance,
	})
}

// What a result counts in work; a value counts by its length.
const (
	variableWork   = 32
	bytesOfOneWork = 16
)

// maxVariable is the longest variable or argument that Linux takes
// (MAX_ARG_STRLEN); what would be longer is no value of any process.
const maxVariable = 128 << 10

// eval puts the value of a variable or an argument together. The values of the
// variables that it mentions are at hand, and none is put together a second time:
// where every one mentions the last one twice that would never end.
func (b *builder) eval(expr manifest.Expr) manifest.Value {
	if expr == nil || b.left <= 0 {
		return manifest.Value{}
	}
	var text strings.Builder
	for _, part := range expr {
		value := part.Literal
		if part.Ref != nil {
			var ok bool
			if value, ok = b.values[part.Ref]; !ok {
				value = part.Ref.Value.Eval()
			}
		}
		piece, known := value.Reveal()
		if !known || text.Len()+len(piece) > maxVariable {
			return manifest.Value{}
		}
		text.WriteString(piece)
	}
	b.spend(b.object, text.Len()/bytesOfOneWork)
	return manifest.Known(text.String())
}
