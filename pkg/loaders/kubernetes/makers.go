package kubernetes

import (
	"cmp"
	"encoding/base64"
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/derekg1729/dsnlint/pkg/internal/source"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// makers are the kinds that are a ConfigMap or Secret or make one, by group and
// kind. A Secret that is made by any other kind is in no manifest.
var makers = map[groupKind]func(l *loader, o *Object){
	{"", kindConfigMap}:                                   collectConfigMap,
	{"", kindSecret}:                                      collectSecret,
	{"external-secrets.io", "ExternalSecret"}:             collectExternalSecret,
	{"external-secrets.io", "ClusterExternalSecret"}:      collectClusterExternalSecret,
	{"bitnami.com", "SealedSecret"}:                       collectSealedSecret,
	{"cert-manager.io", "Certificate"}:                    collectCertificate,
	{"secrets-store.csi.x-k8s.io", "SecretProviderClass"}: collectSecretProviderClass,
}

// sopsKey is what https://github.com/getsops/sops adds to an object whose values
// it has encrypted.
const sopsKey = "sops"

func collectConfigMap(l *loader, o *Object) {
	object := newKeyObject(o)
	encrypted := at(o, sopsKey).exists()
	if !encrypted {
		decoder{loader: l}.decode(at(o), new(corev1.ConfigMap))
	}
	l.addKeys(object, o, "binaryData", encrypted, func(p place) keyValue {
		return keyValue{value: decodeBase64(p.text()), binary: true}
	})
	l.addKeys(object, o, "data", encrypted, writtenText)
	object.opaque = o.Open
	l.keys.add(kindConfigMap, o.name(), object)
}

func collectSecret(l *loader, o *Object) {
	object := newKeyObject(o)
	encrypted := at(o, sopsKey).exists()
	if !encrypted {
		decoder{loader: l}.decode(at(o), new(corev1.Secret))
	}
	l.addKeys(object, o, "data", encrypted, func(p place) keyValue { return keyValue{value: decodeBase64(p.text())} })
	l.addKeys(object, o, "stringData", encrypted, writtenText)
	object.opaque = o.Open
	if object.opaque.IsZero() && !at(o, "data").exists() && !at(o, "stringData").exists() {
		object.opaque = manifest.Say("its manifest has no keys, so something else fills it")
	}
	l.keys.add(kindSecret, o.name(), object)
}

func writtenText(p place) keyValue { return keyValue{value: manifest.Literal(p.text()), place: p} }

// addKeys adds the entries of a field; they win over keys that are there already.
func (l *loader) addKeys(object *keyObject, o *Object, field string, encrypted bool, read func(place) keyValue) {
	for _, entry := range at(o, field).entries() {
		if !l.spend(o, 1) {
			return
		}
		value := read(entry)
		if encrypted {
			value.value = nil
		}
		value.steps = entry.source(manifest.Say("key %s of %s", manifest.Name(entry.name()), o.title()))
		object.keys[entry.name()] = value
	}
}

// decodeBase64 gives no value for text that is not base64.
func decodeBase64(text string) manifest.Expr {
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil
	}
	return manifest.Literal(string(data))
}

// collectExternalSecret reads https://external-secrets.io/latest/api/externalsecret/.
func collectExternalSecret(l *loader, o *Object) {
	collectExternal(l, o, at(o, "spec"), o.name(), o.namespace())
}

// collectClusterExternalSecret makes a Secret in all namespaces that it selects.
func collectClusterExternalSecret(l *loader, o *Object) {
	name := cmp.Or(at(o, "spec", "externalSecretName").text(), o.name())
	collectExternal(l, o, at(o, "spec", "externalSecretSpec"), name, "")
}

func collectExternal(l *loader, o *Object, spec place, name, namespace string) {
	target := spec.field("target")
	name = cmp.Or(target.field("name").text(), name)
	object := newKeyObject(o)
	object.namespace = namespace
	object.joins = target.field("creationPolicy").text() == "Merge"
	l.addRemoteKeys(object, o, spec)
	if spec.field("dataFrom").exists() {
		object.opaque = manifest.Say("%s takes what its store holds (dataFrom)", o.title())
	}
	template := target.field("template")
	data, from := template.field("data"), template.field("templateFrom")
	if data.exists() || from.exists() {
		fetched := object.keys
		if template.field("mergePolicy").text() != "Merge" {
			// What is fetched then only serves the template.
			object.keys, object.opaque = map[string]keyValue{}, manifest.Text{}
		}
		l.addTemplateKeys(object, o, data, fetched)
		if from.exists() {
			object.opaque = manifest.Say("%s takes it from a template defined elsewhere (templateFrom)", o.title())
		}
	}
	l.keys.add(kindSecret, name, object)
}

// addRemoteKeys adds the keys that are fetched one by one, each under a name of
// its own.
func (l *loader) addRemoteKeys(object *keyObject, o *Object, spec place) {
	for _, item := range spec.field("data").items() {
		key := item.field("secretKey")
		if key.text() == "" || !l.spend(o, 1) {
			continue
		}
		remote := item.field("remoteRef")
		property, entry := remote.field("property").text(), remote.field("key").text()
		value := keyValue{steps: key.steps(manifest.Say("key %s, which %s makes", manifest.Name(key.text()), o.title()))}
		if remote.exists() {
			value.value = manifest.Expr{{Ref: &manifest.Ref{
				Name: cmp.Or(property, path.Base(entry)), Kind: manifest.RefSecretKey,
				Object: path.Join(o.project().Name, o.kind(), o.called()),
				Steps:  remote.steps(manifest.Say("%s in the secret store", manifest.Name(strings.TrimSpace(entry+" "+property)))),
			}}}
		}
		object.keys[key.text()] = value
	}
}

// addTemplateKeys adds keys whose values are templates over other keys.
func (l *loader) addTemplateKeys(object *keyObject, o *Object, data place, keys map[string]keyValue) {
	for _, entry := range data.entries() {
		if !l.spend(o, 1) {
			return
		}
		object.keys[entry.name()] = keyValue{
			value: templateExpr(entry.text(), path.Join(o.project().Name, o.kind(), o.called()), keys),
			steps: entry.steps(manifest.Say("key %s, which a template of %s makes", manifest.Name(entry.name()), o.title())),
		}
	}
}

// collectSealedSecret reads https://github.com/bitnami-labs/sealed-secrets.
func collectSealedSecret(l *loader, o *Object) {
	object := newKeyObject(o)
	template := at(o, "spec", "template")
	object.namespace = cmp.Or(template.field("metadata", "namespace").text(), o.namespace())
	for _, entry := range at(o, "spec", "encryptedData").entries() {
		if !l.spend(o, 1) {
			return
		}
		object.keys[entry.name()] = keyValue{steps: entry.steps(manifest.Say("key %s of %s", manifest.Name(entry.name()), o.title()))}
	}
	l.addTemplateKeys(object, o, template.field("data"), object.keys)
	if at(o, "spec", "data").text() != "" {
		object.opaque = manifest.Say("%s has sealed it as a whole", o.title())
	}
	l.keys.add(kindSecret, cmp.Or(template.field("metadata", "name").text(), o.name()), object)
}

// collectCertificate reads https://cert-manager.io/docs/usage/certificate/.
func collectCertificate(l *loader, o *Object) {
	name := at(o, "spec", "secretName")
	if name.text() == "" {
		return
	}
	keys := []string{corev1.TLSCertKey, corev1.TLSPrivateKeyKey, "ca.crt"}
	for store, files := range map[string][]string{
		"jks": {"keystore.jks", "truststore.jks"}, "pkcs12": {"keystore.p12", "truststore.p12"},
	} {
		if at(o, "spec", "keystores", store).exists() {
			keys = append(keys, files...)
		}
	}
	if formats := at(o, "spec", "additionalOutputFormats"); formats.exists() {
		keys = append(keys, "tls-combined.pem", "key.der")
	}
	object := newKeyObject(o)
	for _, key := range keys {
		object.keys[key] = keyValue{steps: name.steps(manifest.Say("key %s, which %s makes", manifest.Name(key), o.title()))}
	}
	l.keys.add(kindSecret, name.text(), object)
}

// secretsStoreDriver mounts the files of a SecretProviderClass.
const secretsStoreDriver = "secrets-store.csi.k8s.io"

// fileClass is a SecretProviderClass: the files that a volume of it holds.
type fileClass struct {
	namespace string
	files     map[string]storeFile
	opaque    manifest.Text
}

// storeFile is a file that a secret store fills.
type storeFile struct {
	// key is what its content is called in the store.
	key   string
	steps []manifest.Step
}

// collectSecretProviderClass reads
// https://secrets-store-csi-driver.sigs.k8s.io/concepts#secretproviderclass.
func collectSecretProviderClass(l *loader, o *Object) {
	class := &fileClass{namespace: o.namespace(), files: map[string]storeFile{}}
	parameters := at(o, "spec", "parameters")
	for _, field := range []string{"objects", "secrets"} { // the latter is what Google's provider calls them
		if list := parameters.field(field); list.exists() {
			class.add(l, o, list)
		}
	}
	if len(class.files) == 0 {
		class.opaque = manifest.Say("the files that it names cannot be determined")
	}
	l.classes[o.name()] = append(l.classes[o.name()], class)

	for _, secret := range at(o, "spec", "secretObjects").items() {
		object := newKeyObject(o)
		for _, item := range secret.field("data").items() {
			key, from := item.field("key").text(), item.field("objectName").text()
			if key == "" || !l.spend(o, 1) {
				continue
			}
			object.keys[key] = keyValue{
				value: manifest.Expr{{Ref: class.ref(o, from)}},
				steps: item.steps(manifest.Say("key %s, which %s makes of %s", manifest.Name(key), o.title(), manifest.Name(from))),
			}
		}
		l.keys.add(kindSecret, secret.field("secretName").text(), object)
	}
}

// add reads the files from a parameter, which is YAML in a text. Azure's provider
// wants a list of texts in it that are YAML once more.
func (c *fileClass) add(l *loader, o *Object, parameter place) {
	docs, err := source.ParseYAML(o.File, []byte(parameter.text()))
	if err != nil || len(docs) == 0 || !l.spend(o, len(parameter.text())/bytesOfOneWork) {
		return
	}
	root := place{object: o, node: content(docs[0])}
	for _, item := range slices.Concat(root.items(), root.field("array").items()) {
		if text := item.text(); text != "" {
			if docs, err = source.ParseYAML(o.File, []byte(text)); err != nil || len(docs) == 0 {
				continue
			}
			item.node = content(docs[0])
		}
		c.addFile(o, item, parameter)
	}
}

func (c *fileClass) addFile(o *Object, item, parameter place) {
	text := func(field string) string { return item.field(field).text() }
	name := cmp.Or(text("objectAlias"), text("objectName"), text("fileName"), text("path"))
	if name != "" {
		key := path.Base(cmp.Or(text("secretKey"), text("objectName"), text("resourceName"), name))
		c.files[name] = storeFile{key: key, steps: parameter.steps(manifest.Say("%s takes %s from its store", o.title(), manifest.Name(name)))}
	}
	for _, part := range item.field("jmesPath").items() {
		if alias := part.field("objectAlias").text(); alias != "" {
			key := cmp.Or(part.field("path").text(), alias)
			c.files[alias] = storeFile{key: key, steps: parameter.steps(manifest.Say("%s takes %s from its store", o.title(), manifest.Name(alias)))}
		}
	}
}

// ref is a reference to what a file is called in the store.
func (c *fileClass) ref(o *Object, file string) *manifest.Ref {
	found := c.files[file]
	return &manifest.Ref{
		Name: cmp.Or(found.key, file), Kind: manifest.RefSecretKey,
		Object: path.Join(o.project().Name, o.kind(), o.called()),
		Steps:  found.steps,
	}
}
