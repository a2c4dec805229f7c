package retriever

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
)

// Options configure New.
type Options struct {
	// VectorWeight is the weight of the vector arm in hybrid mode, 0 to 1. With 0,
	// the default, hybrid mode ranks by words alone: right for an embedder that
	// measures spelling, such as the offline one. Use about 0.3 to 0.5 for a
	// model that knows meaning.
	VectorWeight float64
}

// New returns the default retriever over a corpus: it searches in the mode that
// the query asks for.
func New(c *Corpus, o Options) Retriever {
	words, vectors := Func(c.searchWords), Func(c.searchVectors)
	hybrid := Hybrid(words, vectors, o.VectorWeight)
	return c.consistent(Func(func(ctx context.Context, q Query) (Result, error) {
		switch q.Mode {
		case ModeLexical:
			return words(ctx, q)
		case ModeVector:
			return vectors(ctx, q)
		}
		return hybrid.Retrieve(ctx, q)
	}))
}

// poolFactor and poolMin say how deep the arms are searched for a fusion.
const (
	poolFactor = 4
	poolMin    = 50
)

// Hybrid fuses two arms by a convex combination of their scores:
// (1−weight)·words + weight·vectors, an arm that did not find a document
// counting 0. (Bruch, Gai and Ingber, "An Analysis of Fusion Functions for
// Hybrid Retrieval", 2023: convex combination beats reciprocal rank fusion when
// the scores are normalised.) If the vector arm fails while words are found, the
// words are the answer and Result.Degraded says so.
func Hybrid(words, vectors Retriever, weight float64) Retriever {
	return Func(func(ctx context.Context, q Query) (Result, error) {
		q, err := q.Normalize()
		if err != nil {
			return Result{}, err
		}
		wide := q
		wide.K, wide.MinScore = min(MaxK, max(poolMin, poolFactor*q.K)), 0
		if weight <= 0 {
			wide.K = q.K
		}
		lexical, err := words.Retrieve(ctx, wide)
		if err != nil {
			return Result{}, err
		}
		out := Result{Mode: ModeHybrid}
		var dense Result
		if weight > 0 {
			dense, err = vectors.Retrieve(ctx, wide)
			switch {
			case errors.Is(err, ErrNoVectors):
				weight = 0
			case ctx.Err() != nil:
				return Result{}, ctx.Err()
			case err != nil:
				out.Degraded = "the embedding model did not answer, so the search was by words only"
				weight = 0
			}
		}
		out.Hits = fuse(lexical.Hits, dense.Hits, max(weight, 0))
		out.Hits = above(out.Hits[:min(q.K, len(out.Hits))], q.MinScore)
		return out, nil
	})
}

// fuse merges two lists of hits into one, best first, ties by ID.
func fuse(words, vectors []Hit, weight float64) []Hit {
	byID := make(map[string]*Hit, len(words)+len(vectors))
	add := func(hits []Hit, weight float64) {
		for _, h := range hits {
			merged := byID[h.ID]
			if merged == nil {
				merged = &Hit{Document: h.Document, Signals: make(Signals, len(h.Signals))}
				byID[h.ID] = merged
			}
			merged.Score += weight * h.Score
			maps.Copy(merged.Signals, h.Signals)
		}
	}
	add(words, 1-weight)
	add(vectors, weight)
	out := make([]Hit, 0, len(byID))
	for _, h := range byID {
		out = append(out, *h)
	}
	slices.SortFunc(out, func(a, b Hit) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.ID, b.ID))
	})
	return out
}
