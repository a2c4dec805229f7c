package local_test

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/llm/local"
)

// message builds a protocol buffer message.
type message []byte

func (m message) number(field int, v uint64) message {
	return binary.AppendUvarint(binary.AppendUvarint(m, uint64(field)<<3), v)
}

func (m message) bytes(field int, b []byte) message {
	m = binary.AppendUvarint(binary.AppendUvarint(m, uint64(field)<<3|2), uint64(len(b)))
	return append(m, b...)
}

// onnx writes the tensors as exporters do: the weights of linear layers have
// names of no meaning and, unless gemm, lie transposed; the biases keep theirs.
func onnx(tensors map[string]matrix, gemm bool) []byte {
	var graph message
	for i, name := range slices.Sorted(maps.Keys(tensors)) {
		m := tensors[name]
		bias := strings.TrimSuffix(name, "weight") + "bias"
		if _, ok := tensors[bias]; ok && len(m.shape) == 2 {
			name = fmt.Sprintf("onnx::MatMul_%d", i)
			product := fmt.Sprintf("product_%d", i)
			var node, add message
			if gemm {
				attribute := message{}.bytes(1, []byte("transB")).number(3, 1)
				node = node.bytes(1, []byte("x")).bytes(1, []byte(name)).bytes(1, []byte(bias)).bytes(2, []byte(product)).bytes(4, []byte("Gemm")).bytes(5, attribute)
			} else {
				out := matrix{[]int{m.shape[1], m.shape[0]}, make([]float64, len(m.values))}
				for r := range m.shape[0] {
					for c := range m.shape[1] {
						out.values[c*m.shape[0]+r] = m.values[r*m.shape[1]+c]
					}
				}
				m = out
				node = node.bytes(1, []byte("x")).bytes(1, []byte(name)).bytes(2, []byte(product)).bytes(4, []byte("MatMul"))
				add = add.bytes(1, []byte(bias)).bytes(1, []byte(product)).bytes(2, []byte("y")).bytes(4, []byte("Add"))
			}
			graph = graph.bytes(1, node)
			if add != nil {
				graph = graph.bytes(1, add)
			}
		}
		graph = graph.bytes(5, initializer(name, m, 1))
	}
	return message{}.number(1, 8).bytes(7, graph)
}

func initializer(name string, m matrix, kind uint64) message {
	var tensor message
	var raw []byte
	for _, d := range m.shape {
		tensor = tensor.number(1, uint64(d))
	}
	for _, v := range m.values {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(float32(v)))
	}
	return tensor.number(2, kind).bytes(8, []byte(name)).bytes(9, raw)
}

func TestONNX(t *testing.T) {
	m := newTiny(9, 32, 2, 48, 2)
	for _, gemm := range []bool{false, true} {
		dir := m.write(t, "F32")
		require.NoError(t, os.Remove(filepath.Join(dir, "model.safetensors")))
		write(t, dir, "onnx/model.onnx", onnx(m.tensors, gemm))
		model, err := local.Open(dir, local.Options{})
		require.NoError(t, err)
		near(t, m, model, 2e-5)
	}
}

func TestHostileONNX(t *testing.T) {
	m := newTiny(9, 32, 2, 48, 1)
	dir := m.write(t, "F32")
	require.NoError(t, os.Remove(filepath.Join(dir, "model.safetensors")))
	whole := onnx(m.tensors, false)
	graph := func(tensor message) []byte { return message{}.bytes(7, message{}.bytes(5, tensor)) }
	for name, c := range map[string]struct {
		data []byte
		kind error
		says string
	}{
		"empty":         {nil, local.ErrFormat, "no graph"},
		"cut off":       {whole[:len(whole)/2], local.ErrFormat, "breaks off"},
		"no tensors":    {message{}.bytes(7, nil), local.ErrFormat, "no tensor"},
		"another file":  {graph(initializer("a", matrix{[]int{1}, []float64{1}}, 1).number(14, 1)), local.ErrUnsupported, "another file"},
		"short data":    {graph(initializer("a", matrix{[]int{3}, []float64{1}}, 1)), local.ErrFormat, "needs 12 bytes, not 4"},
		"huge":          {graph(initializer("a", matrix{[]int{1 << 30, 1 << 30}, nil}, 1)), local.ErrFormat, "too large"},
		"endless":       {slices.Repeat([]byte{0xFF}, 100), local.ErrFormat, "64 bits"},
		"quantized":     {onnxOf(m, 3), local.ErrUnsupported, "floating-point"},
		"wrong wire":    {[]byte{7<<3 | 6}, local.ErrFormat, "wire type"},
		"name too long": {graph(message{}.bytes(8, make([]byte, 1<<16))), local.ErrFormat, "a name"},
	} {
		t.Run(name, func(t *testing.T) {
			write(t, dir, "model.onnx", c.data)
			_, err := local.Open(dir, local.Options{})
			require.ErrorIs(t, err, c.kind)
			require.ErrorContains(t, err, c.says)
		})
	}
}

// onnxOf has the tensors of m with another type.
func onnxOf(m *tiny, kind uint64) []byte {
	var graph message
	for name, tensor := range m.tensors {
		graph = graph.bytes(5, initializer(name, tensor, kind))
	}
	return message{}.bytes(7, graph)
}
