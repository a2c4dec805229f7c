package qdrant

import (
	"context"
	"math"
	"slices"

	qc "github.com/qdrant/go-client/qdrant"

	"github.com/api-assistant/api-assistant/vectorstore"
)

// rrfK is the constant of reciprocal rank fusion: an arm adds 1/(rrfK + rank) to
// the score of a document, rank counting from 1. 60 is that of Cormack, Clarke
// and Büttcher (2009); Qdrant's own default of 2 lets the first places of one arm
// decide.
const rrfK = 60

// HybridSearch implements vectorstore.HybridSearcher. It is one request with two
// prefetches, fused by reciprocal rank: the score is the sum of 1/(60+rank) over
// the arms, each searched four times as deep as K and at least 50. HybridMatch.Cosine
// is exact; HybridMatch.Lexical is NaN, for the server does not say, unless the
// search is by words alone.
//
// If a part of the filter must be evaluated here, each arm is searched by itself
// until it has enough matches, and the fusion is made here, with the same
// result. Only then both arms' scores are known.
func (s *Store) HybridSearch(ctx context.Context, q vectorstore.HybridQuery) ([]vectorstore.HybridMatch, error) {
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	if q.Vector != nil {
		if err := vectorstore.ValidateVector(q.Vector, s.dimensions); err != nil {
			return nil, err
		}
	}
	indices, values := s.queryWords(q.Text)
	words, vector := qc.NewQuerySparse(indices, values), qc.NewQueryDense(slices.Clone(q.Vector))
	p := newPlan(q.Filter)
	switch {
	case q.K <= 0, len(indices) == 0 && q.Vector == nil:
		return nil, nil
	case len(indices) == 0:
		hits, err := s.rank(ctx, vector, dense, q.K, p)
		return single(hits, func(m *vectorstore.HybridMatch) { m.Cosine = m.Score }), err
	case q.Vector == nil:
		hits, err := s.rank(ctx, words, sparse, q.K, p)
		return single(hits, func(m *vectorstore.HybridMatch) { m.Lexical = m.Score }), err
	}
	depth := max(50, min(4*q.K, q.K+maxDepth))
	if p.local != nil {
		return s.fuseHere(ctx, words, vector, depth, q.K, p)
	}
	return s.fuseThere(ctx, words, vector, depth, q, p)
}

// single makes matches of the hits of one arm.
func single(hits []hit, set func(*vectorstore.HybridMatch)) []vectorstore.HybridMatch {
	out := make([]vectorstore.HybridMatch, len(hits))
	for i, h := range hits {
		out[i] = vectorstore.HybridMatch{Document: h.doc, Score: h.score, Lexical: math.NaN(), Cosine: math.NaN()}
		set(&out[i])
	}
	return out
}

// fuseThere lets the server fuse. It asks for a few more than k, so that ties at
// the end can be put into order; if there are more, for all.
func (s *Store) fuseThere(ctx context.Context, words, vector *qc.Query, depth int, q vectorstore.HybridQuery, p plan) ([]vectorstore.HybridMatch, error) {
	arm := func(query *qc.Query, using string) *qc.PrefetchQuery {
		return &qc.PrefetchQuery{Query: query, Using: &using, Filter: p.server, Limit: qc.PtrOf(uint64(depth))}
	}
	ask := func(limit int) ([]hit, error) {
		return s.query(ctx, &qc.QueryPoints{
			Prefetch: []*qc.PrefetchQuery{arm(words, sparse), arm(vector, dense)},
			Query:    qc.NewQueryRRF(&qc.Rrf{K: qc.PtrOf(uint32(rrfK))}),
			Limit:    qc.PtrOf(uint64(limit)), WithVectors: qc.NewWithVectorsInclude(dense)})
	}
	limit := min(q.K+slack, 2*depth)
	hits, err := ask(limit)
	if err == nil && len(hits) == limit && limit < 2*depth && hits[q.K-1].score == hits[limit-1].score {
		hits, err = ask(2 * depth)
	}
	if err != nil {
		return nil, err
	}
	hits = best(hits, q.K)
	out := single(hits, func(*vectorstore.HybridMatch) {})
	for i, h := range hits {
		if h.vector != nil {
			out[i].Cosine = cosine(h.vector, q.Vector)
		}
	}
	return out, nil
}

// fuseHere searches the arms one by one and fuses them as the server does.
func (s *Store) fuseHere(ctx context.Context, words, vector *qc.Query, depth, k int, p plan) ([]vectorstore.HybridMatch, error) {
	lexical, err := s.rank(ctx, words, sparse, depth, p)
	if err != nil {
		return nil, err
	}
	similar, err := s.rank(ctx, vector, dense, depth, p)
	if err != nil {
		return nil, err
	}
	fused := make(map[string]*vectorstore.HybridMatch, len(lexical)+len(similar))
	add := func(hits []hit, set func(*vectorstore.HybridMatch, float64)) {
		for i, h := range hits {
			m := fused[h.doc.ID]
			if m == nil {
				m = &vectorstore.HybridMatch{Document: h.doc, Lexical: math.NaN(), Cosine: math.NaN()}
				fused[h.doc.ID] = m
			}
			m.Score += 1 / float64(rrfK+i+1)
			set(m, h.score)
		}
	}
	add(lexical, func(m *vectorstore.HybridMatch, score float64) { m.Lexical = score })
	add(similar, func(m *vectorstore.HybridMatch, score float64) { m.Cosine = score })
	hits := make([]hit, 0, len(fused))
	for _, m := range fused {
		hits = append(hits, hit{doc: m.Document, score: m.Score})
	}
	hits = best(hits, k)
	out := make([]vectorstore.HybridMatch, len(hits))
	for i, h := range hits {
		out[i] = *fused[h.doc.ID]
	}
	return out, nil
}

func cosine(a, b []float32) float64 {
	var dot, aa, bb float64
	for i := range min(len(a), len(b)) {
		x, y := float64(a[i]), float64(b[i])
		dot, aa, bb = dot+x*y, aa+x*x, bb+y*y
	}
	return dot / math.Sqrt(aa*bb)
}
