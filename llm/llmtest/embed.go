package llmtest

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/llm"
)

// dimensions is the length of the vectors of Server and Embedder.
const dimensions = 32

// direction is a unit vector that depends on the words of a text.
func direction(text string) []float32 {
	sum := make([]float64, dimensions)
	for _, word := range append(strings.Fields(strings.ToLower(text)), "") {
		h := fnv.New64a()
		h.Write([]byte(word))
		r := rand.New(rand.NewPCG(h.Sum64(), 1))
		for i := range sum {
			sum[i] += r.NormFloat64()
		}
	}
	var norm float64
	for _, x := range sum {
		norm += x * x
	}
	out := make([]float32, dimensions)
	for i, x := range sum {
		out[i] = float32(x / math.Sqrt(norm))
	}
	return out
}

// RunEmbedder checks that an embedder keeps the contract of llm.Embedder: one
// unit vector for each text, in order, independent of its neighbours, of any
// text at all; it follows the context and may be used side by side.
func RunEmbedder(t *testing.T, open func(t *testing.T) llm.Embedder) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, llm.Embedder)
	}{
		{"Shape", shape}, {"Order", order}, {"OddTexts", oddTexts}, {"Nothing", nothing},
		{"CancelledEmbedding", cancelledEmbedding}, {"ConcurrentEmbedding", concurrentEmbedding},
	} {
		t.Run(test.name, func(t *testing.T) {
			before := runtime.NumGoroutine()
			t.Cleanup(func() { noneLeft(t, before) })
			e := open(t)
			require.NotEmpty(t, e.Name())
			test.run(t, e)
		})
	}
}

// vectors embeds texts and checks the shape of the vectors.
func vectors(t *testing.T, e llm.Embedder, texts []string) [][]float32 {
	t.Helper()
	out, err := e.Embed(t.Context(), texts)
	require.NoError(t, err)
	require.Len(t, out, len(texts))
	for i, v := range out {
		require.Len(t, v, e.Dimensions(), "vector %d", i)
		var norm float64
		for _, x := range v {
			norm += float64(x) * float64(x)
		}
		require.InDelta(t, 1, math.Sqrt(norm), 1e-4, "length of vector %d", i)
	}
	return out
}

func shape(t *testing.T, e llm.Embedder) {
	vectors(t, e, []string{"GET /orders lists orders"})
	require.Positive(t, e.Dimensions(), "known after the first call")
}

func cosine(a, b []float32) (sum float64) {
	for i := range a {
		sum += float64(a[i]) * float64(b[i])
	}
	return sum
}

// order embeds more texts than fit into a batch, and again one by one.
func order(t *testing.T, e llm.Embedder) {
	texts := make([]string, 150)
	for i := range texts {
		texts[i] = fmt.Sprintf("operation number %d of the API %d", i, i*i)
	}
	all := vectors(t, e, texts)
	for i := 0; i < len(texts); i += 37 {
		require.Greater(t, cosine(all[i], vectors(t, e, texts[i:i+1])[0]), 0.999, "text %d, with others and alone", i)
	}
	texts = slices.Clone(texts)
	slices.Reverse(texts)
	for i, v := range vectors(t, e, texts) {
		require.Greater(t, cosine(all[len(all)-1-i], v), 0.999, "text %d, in another order", i)
	}
}

func oddTexts(t *testing.T, e llm.Embedder) {
	vectors(t, e, []string{"", " ", "\n\t", "\x00", "\xff\xfe", "注文を作成", "🙂", strings.Repeat("long text ", 2000), "a"})
}

func nothing(t *testing.T, e llm.Embedder) {
	require.Empty(t, vectors(t, e, nil))
}

func cancelledEmbedding(t *testing.T, e llm.Embedder) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	out, err := e.Embed(ctx, []string{"text"})
	require.ErrorIs(t, err, context.Canceled)
	require.Nil(t, out)
}

func concurrentEmbedding(t *testing.T, e llm.Embedder) {
	texts := []string{"one", "two", "three"}
	want := vectors(t, e, texts)
	var running sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		running.Go(func() {
			got, err := e.Embed(t.Context(), texts)
			for j := range got {
				if cosine(want[j], got[j]) < 0.999 {
					err = errors.New("another vector")
				}
			}
			errs[i] = err
		})
	}
	running.Wait()
	require.NoError(t, errors.Join(errs...))
}
