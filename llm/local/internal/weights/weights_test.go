package weights

import (
	"bytes"
	"encoding/binary"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// file is a safetensors file.
func file(header string, data ...byte) []byte {
	return append(append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header...), data...)
}

func TestSafetensors(t *testing.T) {
	data := file(`{"__metadata__":{"a":"b"},"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"y":{"dtype":"BOOL","shape":[1],"data_offsets":[8,9]}}`,
		0, 0, 0x80, 0x3F, 0, 0, 0, 0xC0, 1)
	set, err := Safetensors(bytes.NewReader(data), int64(len(data)))
	require.NoError(t, err)
	require.Equal(t, []string{"x", "y"}, set.Names())
	require.Equal(t, []int{2}, set.Shape("x"))
	require.Nil(t, set.Shape("z"))
	x, err := set.Read("x", -1)
	require.NoError(t, err)
	require.Equal(t, []float32{1, -2}, x)
	_, err = set.Read("y", 1)
	require.ErrorIs(t, err, ErrUnsupported)
	_, err = set.Read("x", 1, 2)
	require.ErrorContains(t, err, "shape")
	_, err = set.Read("z")
	require.ErrorContains(t, err, `no tensor "z"`)
}

func TestHalf(t *testing.T) {
	for bits, want := range map[uint16]float64{
		0: 0, 0x3C00: 1, 0xC000: -2, 0x7BFF: 65504, 0x0400: 1.0 / (1 << 14), 0x0001: 1.0 / (1 << 24), 0x83FF: -1023.0 / (1 << 24),
		0x7C00: math.Inf(1), 0xFC00: math.Inf(-1), 0x3555: 0.333251953125,
	} {
		require.Equal(t, want, float64(fromHalf(bits)), "%#x", bits)
	}
	require.True(t, math.IsNaN(float64(fromHalf(0x7E00))))
	require.True(t, math.Signbit(float64(fromHalf(0x8000))))
}

// readAll reads every tensor, which must not take more than the file has.
func readAll(t *testing.T, set *Set, size int) {
	for _, name := range set.Names() {
		values, err := set.Read(name, set.Shape(name)...)
		if err == nil && 2*len(values) > size {
			t.Fatalf("%d values from a file of %d bytes", len(values), size)
		}
	}
}

func FuzzSafetensors(f *testing.F) {
	f.Add(file(`{"x":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},"y":{"dtype":"F16","shape":[],"data_offsets":[8,10]}}`, make([]byte, 10)...))
	f.Add(file(`{"x":{"dtype":"I64","shape":[0,9],"data_offsets":[0,0]},"__metadata__":{}}`))
	f.Add(file(`{"x":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}`))
	f.Add([]byte{255, 255, 255, 255, 255, 255, 255, 255})
	f.Fuzz(func(t *testing.T, data []byte) {
		set, err := Safetensors(bytes.NewReader(data), int64(len(data)))
		if err == nil {
			readAll(t, set, len(data))
		}
	})
}

func FuzzONNX(f *testing.F) {
	f.Add([]byte{0x3A, 0x14, 0x2A, 0x12, 8, 1, 8, 2, 0x10, 1, 0x42, 1, 'w', 0x4A, 8, 0, 0, 0x80, 0x3F, 0, 0, 0, 0})
	f.Add([]byte{0x3A, 0x0B, 0x0A, 9, 0x0A, 1, 'x', 0x0A, 1, 'w', 0x22, 1, 'M'})
	f.Add(product())
	f.Fuzz(func(t *testing.T, data []byte) {
		set, err := ONNX(bytes.NewReader(data), int64(len(data)))
		if err == nil {
			readAll(t, set, len(data))
		}
	})
}

// product is an ONNX file in which x.bias is added to a product with w.
func product() []byte {
	// Shapes may be written packed, as here, or one by one.
	tensor := []byte("\x0a\x02\x01\x02\x10\x01\x42\x01w\x4a\x08\x00\x00\x80\x3f\x00\x00\x00\xc0")
	graph := []byte("\x0a\x11\x0a\x01a\x0a\x01w\x12\x01p\x22\x06MatMul\x0a\x13\x0a\x06x.bias\x0a\x01p\x12\x01y\x22\x03Add")
	graph = append(append(graph, 0x2A, byte(len(tensor))), tensor...)
	return append([]byte{0x3A, byte(len(graph))}, graph...)
}

func TestONNXTransposes(t *testing.T) {
	data := product()
	set, err := ONNX(bytes.NewReader(data), int64(len(data)))
	require.NoError(t, err)
	require.Equal(t, []int{2, 1}, set.Shape("x.weight"))
	x, err := set.Read("x.weight", 2, 1)
	require.NoError(t, err)
	require.Equal(t, []float32{1, -2}, x)
	x, err = set.Read("w", 1, 2)
	require.NoError(t, err)
	require.Equal(t, []float32{1, -2}, x)
}
