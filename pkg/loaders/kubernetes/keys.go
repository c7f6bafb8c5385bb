package kubernetes

import (
	"path"
	"slices"
	"strings"

	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// The kinds that hold keys.
const (
	kindSecret    = "Secret"
	kindConfigMap = "ConfigMap"
)

// keyStore holds the objects that make ConfigMaps and Secrets, by the kind and
// name of what they make.
type keyStore map[[2]string][]*keyObject

// keyObject is a ConfigMap or Secret, or an object that makes one.
type keyObject struct {
	file, namespace string
	keys            map[string]keyValue
	// opaque says why there are keys that are not known; empty where all are.
	opaque manifest.Text
	// joins tells that the keys are added to those of another object.
	joins bool
}

// keyValue is what a key holds.
type keyValue struct {
	// value is nil where it is in no manifest.
	value manifest.Expr
	// steps lead to where the key is written.
	steps []manifest.Step
	// place is where the value is written, if it is in a manifest.
	place place
	// binary tells that the key comes as a file only.
	binary bool
}

func newKeyObject(o *Object) *keyObject {
	return &keyObject{file: o.File, namespace: o.namespace(), keys: map[string]keyValue{}}
}

// add adds what makes an object. One without a name is made under a generated one,
// which nothing can refer to.
func (s keyStore) add(kind, name string, object *keyObject) {
	if name == "" {
		return
	}
	id := [2]string{kind, name}
	s[id] = append(s[id], object)
}

// find returns the keys that a reference from a workload means; nil where nothing
// makes the object. The namespace must be the same; where one side names none,
// kubectl may have been told the other, so that is taken where there is nothing
// better. Of several, as with a directory for each environment, it is the one in the
// nearest file. What lies equally near counts together, so that nothing is missed,
// and so does what is made to join another. Other sets count where the workload's own
// has nothing.
func (l *loader) find(o *Object, kind, name string) *keyObject {
	id := [2]string{kind, name}
	own := l.keys[id]
	others := l.cluster.others(o, l.set, id)
	if !l.spend(o, len(own)+len(others)) {
		return nil
	}
	var found []*keyObject
	for _, joins := range []bool{false, true} {
		nearest := nearestOf(o, own, joins)
		if len(nearest) == 0 {
			nearest = nearestOf(o, others, joins)
			l.use(nearest)
		}
		found = append(found, nearest...)
	}
	if len(found) == 1 {
		return found[0]
	}
	return l.union(o, found)
}

// nearestOf returns the candidates that a reference of an object means best.
func nearestOf(o *Object, candidates []*keyObject, joins bool) []*keyObject {
	best := [2]int{-1, -1}
	var nearest []*keyObject
	for _, c := range candidates {
		same := sameNamespace(o.namespace(), c.namespace)
		if same == 0 || c.joins != joins {
			continue
		}
		rank := [2]int{same, nearness(o.File, c.file)}
		switch slices.Compare(rank[:], best[:]) {
		case 1:
			nearest, best = []*keyObject{c}, rank
		case 0:
			nearest = append(nearest, c)
		}
	}
	return nearest
}

// use takes note of the files that objects of other sets come from.
func (l *loader) use(objects []*keyObject) {
	for _, object := range objects {
		if l.foreign == nil {
			l.foreign = map[string]bool{}
		}
		l.foreign[object.file] = true
		for _, key := range object.keys {
			for _, step := range key.steps {
				if step.Position.File != "" {
					l.foreign[step.Position.File] = true
				}
			}
		}
	}
}

// union puts the keys of objects together; an earlier one wins.
func (l *loader) union(o *Object, objects []*keyObject) *keyObject {
	if len(objects) == 0 {
		return nil
	}
	union := newKeyObject(o)
	for _, object := range objects {
		if !l.spend(o, len(object.keys)) {
			break
		}
		for key, value := range object.keys {
			if _, ok := union.keys[key]; !ok {
				union.keys[key] = value
			}
		}
		if union.opaque.IsZero() {
			union.opaque = object.opaque
		}
	}
	return union
}

// sameNamespace is 2 for the same namespace, 1 where one side leaves it to
// kubectl, and 0 for two that differ.
func sameNamespace(a, b string) int {
	switch {
	case a == b, a == "" && b == defaultNamespace, a == defaultNamespace && b == "":
		return 2
	case a == "" || b == "":
		return 1
	}
	return 0
}

// nearness counts the directories that two files have in common; the same file is
// nearer than any other.
func nearness(a, b string) int {
	if a == b {
		return 1 << 20
	}
	x, y := strings.Split(path.Dir(a), "/"), strings.Split(path.Dir(b), "/")
	n := 0
	for n < len(x) && n < len(y) && x[n] == y[n] {
		n++
	}
	return n
}

// published are the ConfigMaps that something in the cluster puts into every
// namespace, with the one key of each.
var published = map[string]string{
	"kube-root-ca.crt":         "ca.crt",
	"istio-ca-root-cert":       "root-cert.pem",
	"openshift-service-ca.crt": "service-ca.crt",
}

// nowhere is why keys are not known.
var nowhere = manifest.Say("no manifest defines it")

// resolve finds what a reference to a ConfigMap or Secret means, or an object
// without keys. With what the contract declares, all keys of a Secret are known.
func (l *loader) resolve(o *Object, kind, name string) *keyObject {
	found := l.find(o, kind, name)
	if found == nil {
		found = &keyObject{opaque: nowhere}
		if key, ok := published[name]; ok && kind == kindConfigMap {
			found = &keyObject{keys: map[string]keyValue{key: {}}}
		}
	}
	if found.opaque.IsZero() || kind != kindSecret {
		return found
	}
	declared := l.declaredKeys(o, name)
	if declared == nil {
		return found
	}
	all := l.union(o, []*keyObject{found, declared})
	all.opaque = manifest.Text{}
	return all
}

// declaredKeys returns the keys that the contract declares for a Secret, with or
// without the prefix and suffix that a renderer adds; nil where it declares none.
func (l *loader) declaredKeys(o *Object, name string) *keyObject {
	names := append([]string{name}, o.bare(name)...)
	var declared *keyObject
	for _, d := range l.declared {
		if !slices.Contains(names, d.Name) || d.Namespace != "" && sameNamespace(d.Namespace, o.namespace()) == 0 {
			continue
		}
		if declared == nil {
			declared = newKeyObject(o)
		}
		for _, key := range d.Keys {
			declared.keys[key] = keyValue{steps: []manifest.Step{{
				Text: manifest.Say("key %s of Secret %s, declared in the contract", manifest.Name(key), manifest.Name(name)),
			}}}
		}
	}
	return declared
}

// ref makes a reference to a key of an object in the namespace of a workload.
// How it is written is in the provenance of what it is for.
func (v keyValue) ref(o *Object, kind, name, key string) *manifest.Ref {
	refKind := manifest.RefSecretKey
	if kind == kindConfigMap {
		refKind = manifest.RefConfigKey
	}
	return &manifest.Ref{
		Name: key, Kind: refKind,
		Object: path.Join(o.project().Name, kind, name),
		Value:  v.value,
	}
}
