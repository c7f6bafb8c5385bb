package kustomize

import (
	"bytes"
	"context"
	"encoding/gob"
	"strings"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"

	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// EngineName is what a runner knows [Engine] by.
const EngineName = "kustomize"

// engineRoot is the directory of the engine's copy of the files. It is not the
// root of the file system, which the engine takes for no kustomization.
const engineRoot = "/k/"

// request is what the engine works on: the files below engineRoot, those that take
// their place in the rendering with marks, and which directory of these to render.
type request struct {
	Files, Marked map[string][]byte
	Dir           string
}

// response is what comes out of the engine.
type response struct {
	Failure failure
	Objects []rendered
}

// rendered is an object as it is, and with marks; the latter is empty where the marks
// changed more than they may.
type rendered struct{ YAML, Marked []byte }

// failure is the kind of what keeps a kustomization from being rendered.
type failure int

const (
	rendersFine failure = iota
	unknownFailure
	patchTargetMissing
	patchDoesNotApply
	invalidPatch
	objectExists
	objectMissing
	invalidResource
	replacementFails
	variableFails
	outputTooLarge
)

// isOfMissing reports whether something was to be changed that is not there.
func (f failure) isOfMissing() bool {
	return f == patchTargetMissing || f == objectMissing || f == replacementFails || f == variableFails
}

// reasons are what is shown of failures.
var reasons = map[failure]manifest.Text{
	unknownFailure:     manifest.Say("kustomize refuses it"),
	patchTargetMissing: manifest.Say("the target of a patch is missing"),
	patchDoesNotApply:  manifest.Say("a patch does not apply to its target"),
	invalidPatch:       manifest.Say("a patch is neither a strategic merge nor a JSON patch"),
	objectExists:       manifest.Say("the same object comes from two places"),
	objectMissing:      manifest.Say("a generator is to change an object that does not exist"),
	invalidResource:    manifest.Say("a file holds something other than Kubernetes objects"),
	replacementFails:   manifest.Say("the source or a target of a replacement is missing"),
	variableFails:      manifest.Say("a variable cannot be resolved"),
	outputTooLarge:     manifest.Say("it renders more than dsnlint checks"),
}

// failures tell the kinds of failures by what the engine says about them. None of
// it is shown.
var failures = []struct {
	text string
	kind failure
}{
	{"no resource matches strategic merge patch", patchTargetMissing},
	{"no matches for Id", patchTargetMissing},
	{"unable to find patch target", patchTargetMissing},
	{"Multiple Strategic-Merge Patches in one", invalidPatch},
	{"unable to parse SM or JSON patch", invalidPatch},
	{"illegally qualifies as both an SM and JSON patch", invalidPatch},
	{"must specify a target for JSON patch", invalidPatch},
	{"may not add resource with an already registered id", objectExists},
	{"exists; behavior must be merge or replace", objectExists},
	{"does not exist; cannot merge or replace", objectMissing},
	{"replacement", replacementFails},
	{"unable to find field", replacementFails},
	{"var '", variableFails},
	{"operation does not apply", patchDoesNotApply},
	{"error in ", patchDoesNotApply},
	{"operation failed to decode", patchDoesNotApply},
	{"testing value ", patchDoesNotApply},
	{"missing metadata.name", invalidResource},
	{"missing Resource metadata", invalidResource},
	{"MalformedYAMLError", invalidResource},
	{"missing kind", invalidResource},
	{"missing apiVersion", invalidResource},
}

// Engine renders a kustomization: an [engine.Func] from what [Load] sends to what
// it reads. It opens no file but those of its input, and runs nothing.
func Engine(_ context.Context, input []byte) []byte {
	var in request
	out := response{Failure: unknownFailure}
	if gob.NewDecoder(bytes.NewReader(input)).Decode(&in) == nil {
		out = renderRequest(in, filesys.MakeFsInMemory())
	}
	var text bytes.Buffer
	if gob.NewEncoder(&text).Encode(out) != nil {
		return nil
	}
	return text.Bytes()
}

func renderRequest(in request, memory filesys.FileSystem) response {
	result, f := run(in.Files, in.Dir, memory)
	if f != rendersFine {
		return response{Failure: f}
	}
	out := collect(result)
	if len(in.Marked) == 0 || out.Failure != rendersFine {
		return out
	}
	result, f = run(in.Marked, in.Dir, memory)
	if f != rendersFine {
		return out
	}
	marked := collect(result)
	if len(marked.Objects) != len(out.Objects) {
		return out
	}
	for i, o := range marked.Objects {
		out.Objects[i].Marked = o.YAML
	}
	return out
}

// run renders a directory after files were written over those that are there.
func run(files map[string][]byte, dir string, memory filesys.FileSystem) (resmap.ResMap, failure) {
	for name, data := range files {
		if memory.WriteFile(engineRoot+name, data) != nil {
			return nil, unknownFailure
		}
	}
	kustomizer := krusty.MakeKustomizer(&krusty.Options{
		LoadRestrictions: types.LoadRestrictionsNone, // the copy in memory holds nothing else
		PluginConfig:     types.DisabledPluginConfig(),
	})
	result, err := kustomizer.Run(memory, engineRoot+dir)
	if err != nil {
		return nil, failureOf(err)
	}
	return result, rendersFine
}

func failureOf(err error) failure {
	text := err.Error()
	for _, f := range failures {
		if strings.Contains(text, f.text) {
			return f.kind
		}
	}
	return unknownFailure
}

// collect writes the objects of a result, as far as maxOutput goes.
func collect(result resmap.ResMap) response {
	var out response
	size := 0
	for _, r := range result.Resources() {
		text, err := r.AsYAML()
		if err != nil {
			return response{Failure: unknownFailure}
		}
		if size += len(text); size > maxOutput {
			return response{Failure: outputTooLarge}
		}
		out.Objects = append(out.Objects, rendered{YAML: text})
	}
	return out
}
