package qdrant

import (
	"cmp"
	"context"
	"slices"

	qc "github.com/qdrant/go-client/qdrant"

	"github.com/api-assistant/api-assistant/vectorstore"
)

// How much a search reads in one request.
const (
	slack    = 8 // beyond k, to see where the ties at the end stop
	minPage  = 64
	maxPage  = 1000
	maxDepth = 1000 // of the arms of a hybrid search, beyond k
)

// hit is a document with the score of one query.
type hit struct {
	doc    vectorstore.Document
	score  float64
	vector []float32 // only where it was asked for
}

// Search implements vectorstore.VectorStore.
func (s *Store) Search(ctx context.Context, vector []float32, k int, f vectorstore.Filter) ([]vectorstore.Match, error) {
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	if err := vectorstore.ValidateVector(vector, s.dimensions); err != nil {
		return nil, err
	}
	hits, err := s.rank(ctx, qc.NewQueryDense(slices.Clone(vector)), dense, k, newPlan(f))
	if err != nil {
		return nil, err
	}
	out := make([]vectorstore.Match, len(hits))
	for i, h := range hits {
		out[i] = vectorstore.Match{Document: h.doc, Score: h.score}
	}
	return out, nil
}

// rank returns the k best documents of a query against one vector, best first,
// ties by id. One request does it unless some of the filter is evaluated here or
// there are more ties at the end than expected: the server returns ties in any
// order, so all of them must be seen.
func (s *Store) rank(ctx context.Context, query *qc.Query, using string, k int, p plan) ([]hit, error) {
	if k <= 0 {
		return nil, nil
	}
	if p.local == nil && k <= maxPage-slack {
		limit := k + slack
		hits, err := s.query(ctx, &qc.QueryPoints{Query: query, Using: &using, Filter: p.server, Limit: qc.PtrOf(uint64(limit))})
		if err != nil {
			return nil, err
		}
		if len(hits) < limit || hits[k-1].score > hits[limit-1].score {
			return best(hits, k), nil
		}
	}
	return s.readOn(ctx, query, using, k, p)
}

// readOn reads page after page until no further one can matter. The scan is
// exact, so that the pages are parts of one list.
func (s *Store) readOn(ctx context.Context, query *qc.Query, using string, k int, p plan) ([]hit, error) {
	var found []hit
	seen := make(map[string]bool)
	page := max(minPage, min(k, maxPage-slack)+slack)
	for offset := 0; ; {
		hits, err := s.query(ctx, &qc.QueryPoints{Query: query, Using: &using, Filter: p.server,
			Params: &qc.SearchParams{Exact: qc.PtrOf(true)}, Limit: qc.PtrOf(uint64(page)), Offset: qc.PtrOf(uint64(offset))})
		if err != nil {
			return nil, err
		}
		for _, h := range hits {
			if !seen[h.doc.ID] && vectorstore.Matches(p.local, h.doc) {
				seen[h.doc.ID] = true
				found = append(found, h)
			}
		}
		if len(hits) < page || len(found) >= k && found[k-1].score > hits[len(hits)-1].score {
			return best(found, k), nil
		}
		offset += page
		page = min(maxPage, 2*page)
	}
}

// best sorts hits, ties by id, and cuts them to k.
func best(hits []hit, k int) []hit {
	slices.SortFunc(hits, func(a, b hit) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.doc.ID, b.doc.ID))
	})
	return hits[:min(k, len(hits))]
}

// query asks once, and returns the hits in the server's order.
func (s *Store) query(ctx context.Context, q *qc.QueryPoints) ([]hit, error) {
	q.CollectionName, q.WithPayload = s.cfg.Collection, withoutData
	var hits []hit
	err := s.call(ctx, "searching", func(ctx context.Context) error {
		r, err := s.client.Points().Query(ctx, q)
		if err != nil {
			return err
		}
		hits = make([]hit, 0, len(r.GetResult()))
		for _, p := range r.GetResult() {
			d, err := document(p.GetPayload())
			if err != nil {
				return err
			}
			h := hit{doc: d, score: float64(p.GetScore())}
			if v := p.GetVectors().GetVectors().GetVectors()[dense]; v != nil {
				h.vector = denseOf(v)
			}
			hits = append(hits, h)
		}
		return nil
	})
	return hits, err
}
