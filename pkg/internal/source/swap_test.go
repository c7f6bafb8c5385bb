package source

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestSwap reads files that are replaced by links out of the tree all the while,
// as are the directories above them: nothing outside may ever be read.
func TestSwap(t *testing.T) {
	outside, root := t.TempDir(), t.TempDir()
	put := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put(filepath.Join(outside, "f"), "outside")
	for _, dir := range []string{"real", "file"} {
		if err := os.Mkdir(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
		put(filepath.Join(root, dir, "f"), "inside")
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
			}
			// Errors do not matter: the next round puts things right.
			_ = os.Rename(filepath.Join(root, "real"), filepath.Join(root, "aside"))
			_ = os.Symlink(outside, filepath.Join(root, "real"))
			_ = os.Remove(filepath.Join(root, "file", "f"))
			_ = os.Symlink(filepath.Join(outside, "f"), filepath.Join(root, "file", "f"))
			_ = os.Remove(filepath.Join(root, "real"))
			_ = os.Rename(filepath.Join(root, "aside"), filepath.Join(root, "real"))
			_ = os.Remove(filepath.Join(root, "file", "f"))
			_ = os.WriteFile(filepath.Join(root, "file", "f"), []byte("inside"), 0o600)
		}
	}()
	read := 0
	for range 3000 {
		tree, err := Open(root)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"real/f", "file/f"} {
			data, err := tree.Read(name)
			if strings.Contains(string(data), "outside") {
				t.Errorf("%s is read from outside the tree", name)
			}
			if err == nil && len(data) > 0 {
				read++
			}
		}
		if err := tree.Close(); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	<-stopped
	if read == 0 {
		t.Error("nothing was read at all")
	}
}
