package retriever

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/api-assistant/api-assistant/bm25"
)

// ErrNoVectors is returned for a search by vector alone when the corpus has no
// embedder.
var ErrNoVectors = errors.New("retriever: the corpus has no embedder, so it cannot be searched by vector; use mode lexical or hybrid")

// Lexical searches the words of a corpus.
func Lexical(c *Corpus) Retriever { return c.consistent(c.stage(c.searchWords)) }

// Vector searches the embeddings of a corpus.
func Vector(c *Corpus) Retriever { return c.consistent(c.stage(c.searchVectors)) }

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

// stage makes a Retriever of a part of a stack. Inside, hits carry no documents;
// those that are left at the end of the outermost part are read there, once.
func (c *Corpus) stage(search func(context.Context, Query) (Result, error)) Retriever {
	return Func(func(ctx context.Context, q Query) (Result, error) {
		q, err := q.Normalize()
		if err != nil || q.IDsOnly {
			if err != nil {
				return Result{}, err
			}
			return search(ctx, q)
		}
		inner := q
		inner.IDsOnly, inner.MinScore, inner.selected = true, 0, &selection{}
		r, err := search(ctx, inner)
		if err != nil {
			return Result{}, err
		}
		r.Hits = above(r.Hits[:min(len(r.Hits), q.K)], q.MinScore)
		if err := c.fetch(ctx, r.Hits); err != nil {
			return Result{}, err
		}
		return r, nil
	})
}

// searchWords is the lexical arm.
func (c *Corpus) searchWords(ctx context.Context, q Query) (Result, error) {
	index, err := c.lexicalIndex(ctx)
	if err != nil {
		return Result{}, err
	}
	keep, err := c.kept(ctx, q)
	if err != nil {
		return Result{}, err
	}
	var opts []bm25.SearchOption
	if keep != nil {
		opts = append(opts, bm25.Where(keep))
	}
	if q.Terms == nil {
		q.Terms = plain(index.Analyze(q.Text))
	}
	terms := make([]bm25.Term, len(q.Terms))
	for i, t := range q.Terms {
		terms[i] = bm25.Term{Text: t.Text, Weight: t.Weight}
	}
	c.indexMu.RLock()
	found := index.SearchTerms(terms, q.K, opts...)
	mass := idfMass(index, q.Terms)
	c.indexMu.RUnlock()
	hits := make([]Hit, len(found))
	for i, f := range found {
		hits[i].ID = f.ID
		hits[i].Score = lexicalScore(f.Score, mass)
		hits[i].Signals = Signals{"bm25": f.Score, "bm25_rank": float64(i + 1)}
	}
	return Result{Hits: hits, Mode: ModeLexical}, nil
}

// plain gives each distinct term the number of its occurrences as weight.
func plain(terms []string) []Term {
	var out []Term
	for _, t := range terms {
		if i := slices.IndexFunc(out, func(have Term) bool { return have.Text == t }); i >= 0 {
			out[i].Weight++
			continue
		}
		out = append(out, Term{Text: t, Weight: 1})
	}
	return out
}

// selection is which documents the filter of a query selects, once it is known.
type selection struct {
	once sync.Once
	ids  map[string]bool
	err  error
}

// kept returns the filter of a query as a predicate on ids; nil keeps all. All
// parts of one search share what it found.
func (c *Corpus) kept(ctx context.Context, q Query) (func(id string) bool, error) {
	if q.Filter == nil {
		return nil, nil
	}
	s := q.selected
	if s == nil {
		s = &selection{}
	}
	s.once.Do(func() {
		s.ids = make(map[string]bool)
		for d, err := range c.store.All(ctx, q.Filter) {
			if err != nil {
				s.err = err
				return
			}
			s.ids[d.ID] = true
		}
	})
	return func(id string) bool { return s.ids[id] }, s.err
}

// fetch reads the documents of those hits that have none yet.
func (c *Corpus) fetch(ctx context.Context, hits []Hit) error {
	ids := make([]string, 0, len(hits))
	for _, h := range hits {
		if h.Content == "" {
			ids = append(ids, h.ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	docs, err := c.store.Get(ctx, ids...)
	if err != nil {
		return err
	}
	if len(docs) != len(ids) {
		return errTorn
	}
	for i := range hits {
		if hits[i].Content == "" {
			hits[i].Document = docs[0]
			hits[i].Data = nil
			docs = docs[1:]
		}
	}
	return nil
}

// idfMass is the sum of the idf of the terms of a question, each as far as it
// counts.
func idfMass(index *bm25.Index, terms []Term) float64 {
	var mass float64
	for _, t := range terms {
		if !t.Added {
			mass += min(1, t.Weight) * index.IDF(t.Text)
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
		m.Data = nil
		hits[i] = Hit{Document: m.Document, Score: min(1, max(0, m.Score)),
			Signals: Signals{"cosine": m.Score, "vector_rank": float64(i + 1)}}
	}
	return Result{Hits: hits, Mode: ModeVector}, nil
}

// above drops the hits that score less than the threshold.
func above(hits []Hit, threshold float64) []Hit {
	if threshold == 0 {
		return hits
	}
	return slices.DeleteFunc(hits, func(h Hit) bool { return h.Score < threshold })
}
