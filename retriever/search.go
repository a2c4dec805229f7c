package retriever

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/api-assistant/api-assistant/bm25"
	"github.com/api-assistant/api-assistant/vectorstore"
)

// ErrNoVectors is returned for a search by vector alone when the corpus has no
// embedder.
var ErrNoVectors = errors.New("retriever: the corpus has no embedder, so it cannot be searched by vector; use mode lexical or hybrid")

// Lexical searches the words of a corpus.
func Lexical(c *Corpus) Retriever { return c.consistent(Func(c.searchWords)) }

// Vector searches the embeddings of a corpus.
func Vector(c *Corpus) Retriever { return c.consistent(Func(c.searchVectors)) }

// errTorn says that a search met a write half-way: the index knew a document
// that the store no longer had.
var errTorn = errors.New("retriever: a write took effect during the search")

// consistent makes searches see a write completely or not at all. A search
// runs without a lock; if a write took effect meanwhile, or a hit shows that
// store and index differ at the moment, it runs again while no write commits.
func (c *Corpus) consistent(next Retriever) Retriever {
	return Func(func(ctx context.Context, q Query) (Result, error) {
		before := c.Generation()
		r, err := next.Retrieve(ctx, q)
		switch {
		case err == nil && c.Generation() == before && c.indexed(r.Hits):
			return r, nil
		case err != nil && !errors.Is(err, errTorn):
			return Result{}, err
		}
		c.commitMu.RLock()
		defer c.commitMu.RUnlock()
		return next.Retrieve(ctx, q)
	})
}

// indexed reports whether the lexical index, if there is one, knows all hits.
func (c *Corpus) indexed(hits []Hit) bool {
	c.indexMu.RLock()
	defer c.indexMu.RUnlock()
	return c.index == nil || !slices.ContainsFunc(hits, func(h Hit) bool { return !c.index.Has(h.ID) })
}

// searchWords is the lexical arm.
func (c *Corpus) searchWords(ctx context.Context, q Query) (Result, error) {
	q, err := q.Normalize()
	if err != nil {
		return Result{}, err
	}
	index, err := c.lexicalIndex(ctx)
	if err != nil {
		return Result{}, err
	}
	var opts []bm25.SearchOption
	if q.Filter != nil {
		selected, err := c.selected(ctx, q.Filter)
		if err != nil {
			return Result{}, err
		}
		opts = append(opts, bm25.Where(selected))
	}
	c.indexMu.RLock()
	found := index.Search(q.Text, q.K, opts...)
	mass := idfMass(index, q.Text)
	c.indexMu.RUnlock()
	hits, err := c.fetch(ctx, found)
	if err != nil {
		return Result{}, err
	}
	for i := range hits {
		hits[i].Score = lexicalScore(found[i].Score, mass)
		hits[i].Signals = Signals{"bm25": found[i].Score, "bm25_rank": float64(i + 1)}
	}
	return Result{Hits: above(hits, q.MinScore), Mode: ModeLexical}, nil
}

// selected returns the ids that a filter matches, as a predicate.
func (c *Corpus) selected(ctx context.Context, f vectorstore.Filter) (func(id string) bool, error) {
	ids := make(map[string]bool)
	for d, err := range c.store.All(ctx, f) {
		if err != nil {
			return nil, err
		}
		ids[d.ID] = true
	}
	return func(id string) bool { return ids[id] }, nil
}

// fetch reads the documents of the hits.
func (c *Corpus) fetch(ctx context.Context, found []bm25.Hit) ([]Hit, error) {
	ids := make([]string, len(found))
	for i, f := range found {
		ids[i] = f.ID
	}
	docs, err := c.store.Get(ctx, ids...)
	if err != nil {
		return nil, err
	}
	if len(docs) != len(found) {
		return nil, errTorn
	}
	hits := make([]Hit, len(docs))
	for i, d := range docs {
		d.Data = nil
		hits[i].Document = d
	}
	return hits, nil
}

// idfMass is the sum of the idf of the distinct terms of a query.
func idfMass(index *bm25.Index, query string) float64 {
	var mass float64
	seen := make(map[string]bool)
	for _, t := range index.Analyze(query) {
		if !seen[t] {
			seen[t] = true
			mass += index.IDF(t)
		}
	}
	return mass
}

// lexicalScore brings a BM25 score to [0, 1]; see the package comment.
func lexicalScore(bm25, mass float64) float64 {
	if !(mass > 0) {
		return 0
	}
	return 1 - math.Exp(-bm25/mass)
}

// searchVectors is the vector arm.
func (c *Corpus) searchVectors(ctx context.Context, q Query) (Result, error) {
	q, err := q.Normalize()
	if err != nil {
		return Result{}, err
	}
	if c.embedder == nil {
		return Result{}, ErrNoVectors
	}
	vectors, err := c.embedder.Embed(ctx, []string{strings.TrimSpace(q.Text)})
	if err != nil {
		return Result{}, fmt.Errorf("retriever: embedding the query: %w", err)
	}
	matches, err := c.store.Search(ctx, vectors[0], q.K, q.Filter)
	if err != nil {
		return Result{}, err
	}
	hits := make([]Hit, len(matches))
	for i, m := range matches {
		hits[i] = Hit{Document: m.Document, Score: min(1, max(0, m.Score)),
			Signals: Signals{"cosine": m.Score, "vector_rank": float64(i + 1)}}
	}
	return Result{Hits: above(hits, q.MinScore), Mode: ModeVector}, nil
}

// above drops the hits that score less than the threshold.
func above(hits []Hit, threshold float64) []Hit {
	if threshold == 0 {
		return hits
	}
	return slices.DeleteFunc(hits, func(h Hit) bool { return h.Score < threshold })
}
