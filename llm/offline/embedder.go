package offline

import (
	"context"
	"hash/fnv"
	"math"

	"github.com/api-assistant/api-assistant/bm25"
)

// Embedder hashes words and parts of words into vectors. It is safe for
// concurrent use.
type Embedder struct{ dimensions int }

// DefaultDimensions is the length of the vectors if none is asked for.
const DefaultDimensions = 256

// NewEmbedder returns the hashing embedder. dimensions of 0 or less means
// DefaultDimensions.
func NewEmbedder(dimensions int) *Embedder {
	if dimensions <= 0 {
		dimensions = DefaultDimensions
	}
	return &Embedder{dimensions}
}

// Dimensions implements llm.Embedder.
func (e *Embedder) Dimensions() int { return e.dimensions }

// Name implements llm.Embedder.
func (e *Embedder) Name() string { return "offline-hash/1" }

// Embed implements llm.Embedder. The terms of a text (identifiers split, stop
// words dropped, stemmed) and their character trigrams are hashed to a
// dimension and a sign each; repetitions count by their square root. (Weinberger
// et al., "Feature Hashing for Large Scale Multitask Learning", 2009.) A text
// without terms gets a fixed vector.
func (e *Embedder) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	out := make([][]float32, len(texts))
	for i, text := range texts {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		out[i] = e.embed(text)
	}
	return out, nil
}

const (
	wholeWeight   = 1.0
	trigramWeight = 0.4
)

func (e *Embedder) embed(text string) []float32 {
	counts := make(map[string]float64)
	terms.Tokens(text, func(token []byte) {
		counts[string(token)] += wholeWeight
		padded := "<" + string(token) + ">"
		for i := 0; i+3 <= len(padded) && len(padded) > 4; i++ {
			counts["#"+padded[i:i+3]] += trigramWeight
		}
	})
	sums := make([]float64, e.dimensions)
	for feature, n := range counts {
		h := fnv.New64a()
		h.Write([]byte(feature))
		hash := h.Sum64()
		value := math.Sqrt(n)
		if hash>>63 == 1 {
			value = -value
		}
		// Rounded to a grid, so that the order of the map does not show in the
		// last bits of the sums.
		sums[hash%uint64(e.dimensions)] += math.Round(value*(1<<20)) / (1 << 20)
	}
	var norm float64
	for _, x := range sums {
		norm += x * x
	}
	out := make([]float32, e.dimensions)
	if norm == 0 {
		out[0] = 1
		return out
	}
	for i, x := range sums {
		out[i] = float32(x / math.Sqrt(norm))
	}
	return out
}

var terms = bm25.API()

// termSet is the set of the terms of a text.
func termSet(text string) map[string]bool {
	set := make(map[string]bool)
	terms.Tokens(text, func(token []byte) { set[string(token)] = true })
	return set
}
