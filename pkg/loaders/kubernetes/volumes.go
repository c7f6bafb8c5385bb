package kubernetes

import (
	"maps"
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// volumeFile is a file of a volume that holds a key.
type volumeFile struct {
	// path is relative to the volume.
	path            string
	kind, name, key string
	value           keyValue
	// steps lead from the volume to the key.
	steps []manifest.Step
}

// volumeImport is an object that a volume holds whole although its keys are not
// known.
type volumeImport struct {
	kind, name string
	reason     manifest.Text
	steps      []manifest.Step
}

// volumeContent is what a volume holds.
type volumeContent struct {
	files  []volumeFile
	opaque []volumeImport
}

// files finds what the container mounts: of the volumes of the pod, those that
// it names under volumeMounts.
func (b *builder) files() {
	for _, mount := range b.c.mounts {
		for _, volume := range b.volumes {
			if volume.value.Name == mount.value.Name {
				b.mount(mount, b.content(volume))
				break
			}
		}
	}
}

// mount delivers the files of a volume. With a subPath only the file or directory of
// that name is mounted, at the path of the mount itself.
func (b *builder) mount(mount located[corev1.VolumeMount], content volumeContent) {
	here := mount.place.steps(manifest.Say("volumeMounts of container %s", manifest.Name(b.c.Name)))
	within := b.subPath(&mount.value)
	for _, file := range content.files {
		rest, ok := inside(within, file.path)
		if !ok || !b.spend(b.object, variableWork) {
			continue
		}
		target := path.Join(mount.value.MountPath, rest)
		expr := manifest.Expr{{Ref: file.value.ref(b.object, file.kind, file.name, file.key)}}
		value := expr.Eval()
		text, _ := value.Reveal()
		b.spend(b.object, len(text)/bytesOfOneWork)
		b.deliver(manifest.ChannelFile, manifest.EnvVar{
			Name: target, Value: value, Expr: expr,
			Provenance: slices.Concat(here, file.steps),
		})
		if file.kind == kindConfigMap {
			b.mountedScript(target, file, value)
		}
	}
	for _, o := range content.opaque {
		provenance := slices.Concat(here, o.steps)
		if within == "" {
			b.opaque(manifest.ChannelFile, o.kind, o.name, o.reason, provenance)
			continue
		}
		// One file of an unknown many: it is called as its key is.
		b.deliver(manifest.ChannelFile, manifest.EnvVar{
			Name:       mount.value.MountPath,
			Expr:       manifest.Expr{{Ref: keyValue{}.ref(b.object, o.kind, o.name, within)}},
			Provenance: provenance,
		})
	}
}

// subPath is the part of a volume that is mounted; empty for all of it, and where
// it is not known.
func (b *builder) subPath(m *corev1.VolumeMount) string {
	if m.SubPathExpr != "" {
		text, _ := b.eval(expand(m.SubPathExpr, b.lookup)).Reveal()
		return cleanPath(text)
	}
	return cleanPath(m.SubPath)
}

func cleanPath(p string) string { return strings.TrimPrefix(path.Clean("/"+p), "/") }

// inside returns the path of a file relative to a file or directory of its volume.
func inside(within, file string) (string, bool) {
	if within == "" || within == file {
		return strings.TrimPrefix(file, within), true
	}
	return strings.CutPrefix(file, within+"/")
}

// content works out what a volume holds of ConfigMaps, Secrets and secret stores.
func (b *builder) content(volume located[corev1.Volume]) volumeContent {
	var content volumeContent
	v, where := volume.value, volume.place
	switch {
	case v.Secret != nil:
		b.keyFiles(&content, volume, where.field("secret"), kindSecret, v.Secret.SecretName, v.Secret.Items)
	case v.ConfigMap != nil:
		b.keyFiles(&content, volume, where.field("configMap"), kindConfigMap, v.ConfigMap.Name, v.ConfigMap.Items)
	case v.Projected != nil:
		for _, source := range locate(where.field("projected", "sources"), v.Projected.Sources) {
			if s := source.value.Secret; s != nil {
				b.keyFiles(&content, volume, source.place.field("secret"), kindSecret, s.Name, s.Items)
			}
			if c := source.value.ConfigMap; c != nil {
				b.keyFiles(&content, volume, source.place.field("configMap"), kindConfigMap, c.Name, c.Items)
			}
		}
	case v.CSI != nil && v.CSI.Driver == secretsStoreDriver:
		b.storeFiles(&content, volume, v.CSI.VolumeAttributes["secretProviderClass"])
	}
	return content
}

// keyFiles adds the files that a ConfigMap or Secret gives to a volume: one for
// each of the items, or else one for each key.
func (b *builder) keyFiles(content *volumeContent, volume located[corev1.Volume], from place, kind, name string, items []corev1.KeyToPath) {
	object := b.resolve(b.object, kind, name)
	here := volume.place.steps(manifest.Say("volume %s holds %s %s", manifest.Name(volume.value.Name), manifest.Name(kind), manifest.Name(name)))
	add := func(path, key string, steps []manifest.Step) {
		value := object.keys[key]
		content.files = append(content.files, volumeFile{
			path: cleanPath(path), kind: kind, name: name, key: key, value: value,
			steps: slices.Concat(here, steps, value.steps),
		})
	}
	if len(items) > 0 {
		for _, item := range locate(from.field("items"), items) {
			add(item.value.Path, item.value.Key, item.place.steps(manifest.Say("key %s as the file %s", manifest.Name(item.value.Key), manifest.Name(item.value.Path))))
		}
		return
	}
	if !b.spend(b.object, len(object.keys)) {
		return
	}
	for _, key := range slices.Sorted(maps.Keys(object.keys)) {
		add(key, key, nil)
	}
	if !object.opaque.IsZero() {
		content.opaque = append(content.opaque, volumeImport{kind, name, object.opaque, here})
	}
}

// deliver adds what reaches the container by a channel other than env.
func (b *builder) deliver(channel manifest.Channel, v manifest.EnvVar) {
	b.rest = append(b.rest, manifest.Delivery{Channel: channel, EnvVar: v})
}

// storeFiles adds the files of a SecretProviderClass.
func (b *builder) storeFiles(content *volumeContent, volume located[corev1.Volume], name string) {
	const kind = "SecretProviderClass"
	here := volume.place.steps(manifest.Say("volume %s holds %s %s", manifest.Name(volume.value.Name), manifest.Name(kind), manifest.Name(name)))
	opaque := nowhere
	for _, class := range b.classes[name] {
		if sameNamespace(b.object.namespace(), class.namespace) == 0 || !b.spend(b.object, len(class.files)+1) {
			continue
		}
		opaque = class.opaque
		for _, file := range slices.Sorted(maps.Keys(class.files)) {
			found := class.files[file]
			content.files = append(content.files, volumeFile{
				path: cleanPath(strings.ReplaceAll(file, "/", "_")), kind: kind, name: name, key: found.key,
				steps: slices.Concat(here, found.steps),
			})
		}
	}
	if !opaque.IsZero() {
		content.opaque = append(content.opaque, volumeImport{kind, name, opaque, here})
	}
}
