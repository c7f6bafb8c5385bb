//go:build !linux

package confine

// Apply does nothing on this system.
func Apply(Policy) (Status, error) { return Status{}, nil }

// applyWorker does nothing on this system.
func applyWorker() {}
