package offline

import (
	"context"
	"fmt"
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
func (e *Embedder) Name() string {
	if e.dimensions == DefaultDimensions {
		return "offline-hash/1"
	}
	return fmt.Sprintf("offline-hash/1@%d", e.dimensions)
}

// Embed implements llm.Embedder. The terms of a text (identifiers split, stop
// words dropped, stemmed) and their character trigrams are hashed to a
// dimension and a sign each; repetitions count by their square root. (Weinberger
// et al., "Feature Hashing for Large Scale Multitask Learning", 2009.) A text
// without terms gets a fixed vector. The same text gives the same bits on every
// machine.
func (e *Embedder) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	out := make([][]float32, len(texts))
	counts := make(features)
	for i, text := range texts {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		clear(counts)
		counts.add(text)
		out[i] = counts.vector(e.dimensions)
	}
	return out, nil
}

const (
	wholeWeight   = 1.0
	trigramWeight = 0.4
)

// features are the terms and trigrams of a text by their hash, with the sum of
// their weights.
type features map[uint64]float64

func (f features) add(text string) {
	var padded []byte
	terms.Tokens(text, func(token []byte) {
		f[hash(fnvOffset, token)] += wholeWeight
		if len(token) < 3 {
			return // too short for its trigrams to say more
		}
		padded = append(append(append(padded[:0], '<'), token...), '>')
		for i := 0; i+3 <= len(padded); i++ {
			f[hash(trigramSeed, padded[i:i+3])] += trigramWeight
		}
	})
}

// vector adds the features up and normalises. The order of the map must not
// show, so the addends are rounded to a grid on which sums are exact; and
// products are converted, so that no machine fuses them with an addition.
func (f features) vector(dimensions int) []float32 {
	const grid = 1 << 20
	sums := make([]float64, dimensions)
	for feature, n := range f {
		value := math.Round(math.Sqrt(n)*grid) / grid
		if feature>>63 == 1 {
			value = -value
		}
		sums[feature%uint64(dimensions)] += value
	}
	var squares float64
	for _, x := range sums {
		squares += float64(x * x)
	}
	out := make([]float32, dimensions)
	if squares == 0 {
		out[0] = 1
		return out
	}
	norm := math.Sqrt(squares)
	for i, x := range sums {
		out[i] = float32(x / norm)
	}
	return out
}

// FNV-1a, written out because a hash.Hash64 for each feature is most of the time.
const (
	fnvOffset = 14695981039346656037
	fnvPrime  = 1099511628211
)

// trigramSeed keeps trigrams apart from terms of three letters.
var trigramSeed = hash(fnvOffset, []byte("#"))

func hash(h uint64, b []byte) uint64 {
	for _, c := range b {
		h = (h ^ uint64(c)) * fnvPrime
	}
	return h
}

var terms = bm25.API()

// termSet is the set of the terms of a text.
func termSet(text string) map[string]bool {
	set := make(map[string]bool)
	terms.Tokens(text, func(token []byte) { set[string(token)] = true })
	return set
}
