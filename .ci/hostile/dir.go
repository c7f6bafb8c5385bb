package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// dir writes files below a directory. It keeps the first error, and does nothing
// after it.
type dir struct {
	path string
	err  *error
}

func (d dir) sub(name string) dir { return dir{filepath.Join(d.path, name), d.err} }

func (d dir) write(name, content string) {
	if *d.err != nil {
		return
	}
	path := filepath.Join(d.path, name)
	if *d.err = os.MkdirAll(filepath.Dir(path), 0o700); *d.err == nil {
		*d.err = os.WriteFile(path, []byte(content), 0o600)
	}
}

func (d dir) link(target, name string) {
	d.beside(name, func(path string) error { return os.Symlink(target, path) })
}

func (d dir) pipe(name string) {
	d.beside(name, func(path string) error { return syscall.Mkfifo(path, 0o600) })
}

// beside makes something that is no regular file.
func (d dir) beside(name string, create func(path string) error) {
	if *d.err != nil {
		return
	}
	path := filepath.Join(d.path, name)
	if *d.err = os.MkdirAll(filepath.Dir(path), 0o700); *d.err == nil {
		*d.err = create(path)
	}
}

// chart writes a chart of one template, beside one that has the finding.
func (d dir) chart(template, values string) {
	d.write("Chart.yaml", "apiVersion: v2\nname: c\nversion: 1.0.0\n")
	d.write("values.yaml", values)
	d.write("templates/hostile.yaml", template)
	d.write("templates/pod.yaml", targetPod("t"))
}

// archive packs files, as name and content in turns, as Helm does a chart.
func archive(files ...string) string {
	var packed bytes.Buffer
	compressed := gzip.NewWriter(&packed)
	w := tar.NewWriter(compressed)
	for i := 0; i < len(files); i += 2 {
		_ = w.WriteHeader(&tar.Header{Name: files[i], Mode: 0o600, Size: int64(len(files[i+1]))})
		_, _ = w.Write([]byte(files[i+1]))
	}
	_ = w.Close() // a buffer takes all
	_ = compressed.Close()
	return packed.String()
}

// subchart packs a chart with files beside its Chart.yaml.
func subchart(name string, files ...string) string {
	all := []string{name + "/Chart.yaml", "apiVersion: v2\nname: " + name + "\nversion: 1.0.0\n"}
	for i := 0; i < len(files); i += 2 {
		all = append(all, name+"/"+files[i], files[i+1])
	}
	return archive(all...)
}

// pod is a Pod whose container app has the entries as its env.
func pod(name, env string) string {
	return "apiVersion: v1\nkind: Pod\nmetadata: {name: " + name + "}\nspec:\n  containers:\n    - name: app\n" +
		"      image: example/app\n      env:\n" + env
}

// targetPod is a Pod with the finding.
func targetPod(name string) string {
	return pod(name, "        - {name: "+target+", value: x}\n")
}

// compose is a Compose file whose service app has the finding, with more of its
// own lines behind it.
func compose(more string) string {
	return "services:\n  app:\n    image: example/app\n    environment:\n      " + target + ": x\n" + more
}

// each joins what f returns for the numbers below n.
func each(n int, f func(i int) string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(f(i))
	}
	return b.String()
}

// bomb is a mapping of aliases that stands for 9^10 nodes.
func bomb(indent string) string {
	return fmt.Sprintf("%sx0: &x0 [%s]\n", indent, strings.Repeat("x,", 9)) + each(9, func(i int) string {
		return fmt.Sprintf("%sx%d: &x%d [%s]\n", indent, i+1, i+1, strings.Repeat(fmt.Sprintf("*x%d,", i), 9))
	})
}
