package confine

import (
	"encoding/binary"
	"io"
)

// What parent and worker send each other: a header of fixed size, and as many
// bytes as it says.

type requestHeader struct {
	// Name and Input are sizes in bytes.
	Name, Input uint32
}

type responseHeader struct {
	Outcome outcome
	// CPU is what the job took, in nanoseconds.
	CPU    int64
	Output uint32
}

// outcome is how a job ended.
type outcome uint8

const (
	completed outcome = iota
	// panicked means that the engine panicked; the worker goes on.
	panicked
	// tooLarge means that the output is larger than allowed.
	tooLarge
)

func writeFrame(w io.Writer, header any, parts ...[]byte) error {
	if err := binary.Write(w, binary.BigEndian, header); err != nil {
		return err
	}
	for _, part := range parts {
		if _, err := w.Write(part); err != nil {
			return err
		}
	}
	return nil
}

func readPart(r io.Reader, size uint32) ([]byte, error) {
	part := make([]byte, size)
	_, err := io.ReadFull(r, part)
	return part, err
}
