package main

import "runtime/debug"

// stamped is the version that a release build sets with -ldflags -X.
var stamped string

// version is the stamped version, or what the module's build information says.
func version() string {
	if stamped != "" {
		return stamped
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
