package confine

import (
	"bytes"
	"debug/elf"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/landlock-lsm/go-landlock/landlock"
)

// libraryPaths are where the loader of a dynamic executable finds libraries: see
// https://man7.org/linux/man-pages/man8/ld.so.8.html.
var libraryPaths = []string{
	"/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib",
	"/etc/ld.so.cache", "/etc/ld.so.preload",
	"/etc/ld-musl-x86_64.path", "/etc/ld-musl-aarch64.path",
}

// executableRules let the process start its own executable. A static one needs
// nothing else. A dynamic one, as a build with cgo makes it, also needs its loader
// and the directories of libraries.
func executableRules() ([]landlock.Rule, error) {
	name, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("cannot find the executable of dsnlint: %w", err)
	}
	rules := []landlock.Rule{landlock.PathAccess(execute, name).IgnoreIfMissing()}
	file, err := elf.Open(name)
	if err != nil {
		return nil, fmt.Errorf("cannot read the executable of dsnlint: %w", err)
	}
	defer func() { _ = file.Close() }()
	loader := interpreter(file)
	if loader == "" {
		return rules, nil
	}
	rules = append(rules, landlock.PathAccess(execute, loader).IgnoreIfMissing())
	libraries := append([]string{filepath.Dir(loader)}, libraryPaths...)
	for _, tag := range []elf.DynTag{elf.DT_RPATH, elf.DT_RUNPATH} {
		lists, _ := file.DynString(tag) // An error means that there are none.
		for _, list := range lists {
			for dir := range strings.SplitSeq(list, ":") {
				libraries = append(libraries, strings.ReplaceAll(dir, "$ORIGIN", filepath.Dir(name)))
			}
		}
	}
	return append(rules, pathRules(readDir, readFile, libraries)...), nil
}

// interpreter returns the loader that an executable names, empty for a static one.
func interpreter(file *elf.File) string {
	for _, program := range file.Progs {
		if program.Type != elf.PT_INTERP {
			continue
		}
		// A path in the kernel has no more bytes than this.
		data := make([]byte, min(program.Filesz, 4096))
		if _, err := program.ReadAt(data, 0); err != nil {
			return ""
		}
		return string(bytes.TrimRight(data, "\x00"))
	}
	return ""
}
