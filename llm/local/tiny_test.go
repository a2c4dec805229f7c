package local_test

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// tiny is a small model with random weights, as a folder has it.
type tiny struct {
	hidden, heads, inner, layers, positions int
	activation                              string
	pooling                                 string // key of 1_Pooling/config.json that is true
	vocabulary                              []string
	tensors                                 map[string]matrix
}

type matrix struct {
	shape  []int
	values []float64
}

func words() []string {
	v := []string{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"}
	for c := 'a'; c <= 'z'; c++ {
		v = append(v, string(c), "##"+string(c))
	}
	return append(v, "order", "##s", "list", "the", "!", ".", "/", "é", "日")
}

func newTiny(seed uint64, hidden, heads, inner, layers int) *tiny {
	rng := rand.New(rand.NewPCG(seed, 1))
	m := &tiny{hidden: hidden, heads: heads, inner: inner, layers: layers, positions: 40, activation: "gelu",
		pooling: "pooling_mode_mean_tokens", vocabulary: words(), tensors: make(map[string]matrix)}
	add := func(name string, scale, mean float64, shape ...int) {
		n := 1
		for _, d := range shape {
			n *= d
		}
		values := make([]float64, n)
		for i := range values {
			values[i] = float64(float32(mean + scale*rng.NormFloat64()))
		}
		m.tensors[name] = matrix{shape, values}
	}
	linear := func(name string, out, in int) {
		add(name+".weight", 1/math.Sqrt(float64(in)), 0, out, in)
		add(name+".bias", 0.1, 0, out)
	}
	norm := func(name string) {
		add(name+".weight", 0.1, 1, hidden)
		add(name+".bias", 0.1, 0, hidden)
	}
	add("embeddings.word_embeddings.weight", 1, 0, len(m.vocabulary), hidden)
	add("embeddings.position_embeddings.weight", 0.3, 0, m.positions, hidden)
	add("embeddings.token_type_embeddings.weight", 0.3, 0, 2, hidden)
	norm("embeddings.LayerNorm")
	for i := range layers {
		at := fmt.Sprintf("encoder.layer.%d.", i)
		for _, part := range []string{"query", "key", "value"} {
			linear(at+"attention.self."+part, hidden, hidden)
		}
		linear(at+"attention.output.dense", hidden, hidden)
		norm(at + "attention.output.LayerNorm")
		linear(at+"intermediate.dense", inner, hidden)
		linear(at+"output.dense", hidden, inner)
		norm(at + "output.LayerNorm")
	}
	return m
}

// config is what config.json says.
func (m *tiny) config() map[string]any {
	return map[string]any{"model_type": "bert", "hidden_size": m.hidden, "num_attention_heads": m.heads,
		"intermediate_size": m.inner, "num_hidden_layers": m.layers, "max_position_embeddings": m.positions,
		"vocab_size": len(m.vocabulary), "layer_norm_eps": 1e-5, "hidden_act": m.activation}
}

// write writes the folder with the weights as safetensors of a type.
func (m *tiny) write(t testing.TB, dtype string) string {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, "config.json", toJSON(t, m.config()))
	write(t, dir, "vocab.txt", []byte(strings.Join(m.vocabulary, "\n")+"\n"))
	write(t, dir, "1_Pooling/config.json", toJSON(t, map[string]any{m.pooling: true, "word_embedding_dimension": m.hidden}))
	write(t, dir, "sentence_bert_config.json", toJSON(t, map[string]any{"max_seq_length": 30}))
	write(t, dir, "model.safetensors", safetensors(t, m.tensors, dtype))
	return dir
}

func write(t testing.TB, dir, name string, data []byte) {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(t, os.WriteFile(path, data, 0o600))
}

func toJSON(t testing.TB, v any) []byte {
	t.Helper()
	data, err := json.Marshal(v)
	require.NoError(t, err)
	return data
}

// safetensors writes tensors; those that end in "mapping" as I64.
func safetensors(t testing.TB, tensors map[string]matrix, dtype string) []byte {
	t.Helper()
	header := map[string]any{"__metadata__": map[string]string{"format": "pt"}}
	var data []byte
	for _, name := range slices.Sorted(maps.Keys(tensors)) {
		m, start, kind := tensors[name], len(data), dtype
		if strings.HasSuffix(name, "mapping") {
			kind = "I64"
		}
		for _, v := range m.values {
			switch kind {
			case "F64":
				data = binary.LittleEndian.AppendUint64(data, math.Float64bits(v))
			case "F32":
				data = binary.LittleEndian.AppendUint32(data, math.Float32bits(float32(v)))
			case "F16":
				data = binary.LittleEndian.AppendUint16(data, toHalf(v))
			case "BF16":
				data = binary.LittleEndian.AppendUint16(data, uint16(math.Float32bits(float32(v))>>16))
			case "I64":
				data = binary.LittleEndian.AppendUint64(data, uint64(int64(v)))
			}
		}
		header[name] = map[string]any{"dtype": kind, "shape": m.shape, "data_offsets": []int{start, len(data)}}
	}
	head := toJSON(t, header)
	return append(append(binary.LittleEndian.AppendUint64(nil, uint64(len(head))), head...), data...)
}

// toHalf cuts v, whose size is between 2^-14 and 2^15 or which becomes zero, to 16
// bits.
func toHalf(v float64) uint16 {
	bits := math.Float32bits(float32(v))
	exponent := int(bits>>23&0xFF) - 127 + 15
	if exponent <= 0 {
		return uint16(bits >> 31 << 15)
	}
	return uint16(bits>>31<<15) | uint16(exponent)<<10 | uint16(bits>>13&0x3FF)
}

// vector computes the embedding of ids the plain way, in float64.
func (m *tiny) vector(ids []int32) []float64 {
	h := m.hidden
	states := make([][]float64, len(ids))
	for p, id := range ids {
		x := make([]float64, h)
		for i := range x {
			x[i] = m.tensors["embeddings.word_embeddings.weight"].values[int(id)*h+i] +
				m.tensors["embeddings.position_embeddings.weight"].values[p*h+i] +
				m.tensors["embeddings.token_type_embeddings.weight"].values[i]
		}
		states[p] = m.norm("embeddings.LayerNorm", x)
	}
	for l := range m.layers {
		at := fmt.Sprintf("encoder.layer.%d.", l)
		var q, k, v [][]float64
		for _, x := range states {
			q = append(q, m.linear(at+"attention.self.query", x))
			k = append(k, m.linear(at+"attention.self.key", x))
			v = append(v, m.linear(at+"attention.self.value", x))
		}
		for i := range states {
			mixed := m.linear(at+"attention.output.dense", m.attend(q[i], k, v))
			states[i] = m.norm(at+"attention.output.LayerNorm", sum(states[i], mixed))
		}
		for i, x := range states {
			inner := m.linear(at+"intermediate.dense", x)
			for j, v := range inner {
				inner[j] = activate(m.activation, v)
			}
			states[i] = m.norm(at+"output.LayerNorm", sum(x, m.linear(at+"output.dense", inner)))
		}
	}
	return pool(m.pooling, states)
}

func activate(name string, v float64) float64 {
	switch name {
	case "relu":
		return max(v, 0)
	case "gelu_new":
		return v / 2 * (1 + math.Tanh(0.7978845608028654*(v+0.044715*v*v*v)))
	}
	return v / 2 * (1 + math.Erf(v/math.Sqrt2))
}

func (m *tiny) linear(name string, x []float64) []float64 {
	out := slices.Clone(m.tensors[name+".bias"].values)
	weight := m.tensors[name+".weight"].values
	for i := range out {
		for j, v := range x {
			out[i] += v * weight[i*len(x)+j]
		}
	}
	return out
}

func (m *tiny) attend(q []float64, k, v [][]float64) []float64 {
	width := m.hidden / m.heads
	out := make([]float64, m.hidden)
	for from := 0; from < m.hidden; from += width {
		weights, total := make([]float64, len(k)), 0.0
		for i := range k {
			for j := from; j < from+width; j++ {
				weights[i] += q[j] * k[i][j]
			}
			weights[i] = math.Exp(weights[i] / math.Sqrt(float64(width)))
			total += weights[i]
		}
		for i := range k {
			for j := from; j < from+width; j++ {
				out[j] += weights[i] / total * v[i][j]
			}
		}
	}
	return out
}

func (m *tiny) norm(name string, x []float64) []float64 {
	var mean, variance float64
	for _, v := range x {
		mean += v / float64(len(x))
	}
	for _, v := range x {
		variance += (v - mean) * (v - mean) / float64(len(x))
	}
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = (v-mean)/math.Sqrt(variance+1e-5)*m.tensors[name+".weight"].values[i] + m.tensors[name+".bias"].values[i]
	}
	return out
}

func sum(a, b []float64) []float64 {
	out := make([]float64, len(a))
	for i := range a {
		out[i] = a[i] + b[i]
	}
	return out
}

func pool(mode string, states [][]float64) []float64 {
	out := slices.Clone(states[0])
	for _, s := range states[1:] {
		for i, v := range s {
			switch mode {
			case "pooling_mode_max_tokens":
				out[i] = max(out[i], v)
			case "pooling_mode_mean_tokens", "pooling_mode_mean_sqrt_len_tokens":
				out[i] += v
			}
		}
	}
	var square float64
	for _, v := range out {
		square += v * v
	}
	for i := range out {
		out[i] /= math.Sqrt(square)
	}
	return out
}
