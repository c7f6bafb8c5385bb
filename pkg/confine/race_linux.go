//go:build race

package confine

// raceDetector reports whether this is a build with the race detector, whose
// shadow memory no limit of the kernel can tell from an engine's.
const raceDetector = true
