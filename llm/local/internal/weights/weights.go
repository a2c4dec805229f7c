// Package weights reads the tensors of a model from safetensors and ONNX files.
// Files are not trusted: sizes are checked before anything is allocated.
package weights

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
)

// ErrUnsupported means that the file is sound and holds what this package
// cannot read.
var ErrUnsupported = errors.New("unsupported weights")

// Set is the tensors of a file, by name. It reads them when they are asked for.
type Set struct {
	file    io.ReaderAt
	tensors map[string]tensor
}

// tensor is where a tensor lies in the file.
type tensor struct {
	kind          kind
	shape         []int
	offset, bytes int64
	transposed    bool // the file has the transpose of what shape says
}

// kind is the type of a tensor's values.
type kind int

const (
	other kind = iota
	float32s
	float64s
	float16s
	bfloat16s
	int32s
	int64s
)

// width is the size of a value in bytes.
var width = map[kind]int64{float32s: 4, float64s: 8, float16s: 2, bfloat16s: 2, int32s: 4, int64s: 8}

// Names returns the names of the tensors, sorted.
func (s *Set) Names() []string { return slices.Sorted(maps.Keys(s.tensors)) }

// Shape returns the shape of a tensor, nil if there is none of that name.
func (s *Set) Shape(name string) []int { return slices.Clone(s.tensors[name].shape) }

// Read returns the values of a tensor, whose shape must be the given one; -1 is
// any length. Integers are converted.
func (s *Set) Read(name string, shape ...int) ([]float32, error) {
	return s.Append(nil, name, shape...)
}

// Append is Read that appends the values to dst.
func (s *Set) Append(dst []float32, name string, shape ...int) ([]float32, error) {
	t, ok := s.tensors[name]
	if !ok {
		return nil, fmt.Errorf("there is no tensor %q", name)
	}
	fits := func(have, want int) bool { return have == want || want == -1 }
	if !slices.EqualFunc(t.shape, shape, fits) {
		return nil, fmt.Errorf("tensor %q has the shape %v; the configuration wants %v", name, t.shape, shape)
	}
	if width[t.kind] == 0 {
		return nil, fmt.Errorf("tensor %q: %w: its values are not floating-point numbers of 16, 32 or 64 bits", name, ErrUnsupported)
	}
	n := int(t.bytes / width[t.kind])
	dst = slices.Grow(dst, n)
	values := dst[len(dst) : len(dst)+n]
	if err := t.read(s.file, values); err != nil {
		return nil, fmt.Errorf("tensor %q: %w", name, err)
	}
	if t.transposed {
		copy(values, transpose(values, t.shape[0], t.shape[1]))
	}
	return dst[:len(dst)+n], nil
}

// read fills values from the file, a piece at a time.
func (t tensor) read(file io.ReaderAt, values []float32) error {
	buffer := make([]byte, min(t.bytes, 1<<18))
	size := int(width[t.kind])
	for at := int64(0); at < t.bytes; {
		piece := buffer[:min(int64(len(buffer)), t.bytes-at)]
		if n, err := file.ReadAt(piece, t.offset+at); n < len(piece) {
			return fmt.Errorf("reading at byte %d: %w", t.offset+at, err)
		}
		decode(values[at/int64(size):][:len(piece)/size], piece, t.kind)
		at += int64(len(piece))
	}
	return nil
}

func decode(values []float32, data []byte, k kind) {
	le := binary.LittleEndian
	for i := range values {
		switch k {
		case float32s:
			values[i] = math.Float32frombits(le.Uint32(data[4*i:]))
		case float64s:
			values[i] = float32(math.Float64frombits(le.Uint64(data[8*i:])))
		case float16s:
			values[i] = fromHalf(le.Uint16(data[2*i:]))
		case bfloat16s:
			values[i] = math.Float32frombits(uint32(le.Uint16(data[2*i:])) << 16)
		case int32s:
			values[i] = float32(int32(le.Uint32(data[4*i:])))
		case int64s:
			values[i] = float32(int64(le.Uint64(data[8*i:])))
		}
	}
}

// fromHalf converts an IEEE 754 number of 16 bits.
func fromHalf(h uint16) float32 {
	sign, exponent, fraction := uint32(h>>15)<<31, uint32(h>>10)&0x1F, uint32(h)&0x3FF
	switch exponent {
	case 0: // zero and the numbers next to it
		return math.Float32frombits(sign | math.Float32bits(float32(fraction)/(1<<24)))
	case 0x1F: // infinity and NaN
		return math.Float32frombits(sign | 0xFF<<23 | fraction<<13)
	}
	return math.Float32frombits(sign | (exponent+127-15)<<23 | fraction<<13)
}

// transpose returns the rows x columns matrix whose columns are in values.
func transpose(values []float32, rows, columns int) []float32 {
	out := make([]float32, len(values))
	for r := range rows {
		for c := range columns {
			out[r*columns+c] = values[c*rows+r]
		}
	}
	return out
}

// count returns the number of values of a shape; an error if it overflows.
func count(shape []int) (int64, error) {
	n := int64(1)
	for _, d := range shape {
		if d < 0 || d > math.MaxInt32 {
			return 0, fmt.Errorf("the shape %v is impossible", shape)
		}
		if n *= int64(d); n > 1<<40 {
			return 0, fmt.Errorf("the shape %v is too large", shape)
		}
	}
	return n, nil
}
