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
	slack    = 8    // beyond k, to see where the ties at the end stop
	maxHits  = 1000 // with their documents
	minList  = 100  // of ids
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
	if p.local == nil && k <= maxHits-slack {
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

// readOn asks for longer and longer lists of ids until one is long enough, and
// reads the documents that are new in it. It does not page by offset: with ties,
// the pages that Qdrant cuts are not parts of one list, and documents get lost
// between them. Lists are exact scans; each but the last is trusted down to its
// last score, whose ties may have been cut.
func (s *Store) readOn(ctx context.Context, query *qc.Query, using string, k int, p plan) ([]hit, error) {
	var found []hit
	seen := make(map[string]bool)
	for limit := max(minList, min(8*k, maxHits)); ; limit *= 4 {
		list, err := s.query(ctx, &qc.QueryPoints{Query: query, Using: &using, Filter: p.server, WithPayload: withID,
			Params: &qc.SearchParams{Exact: qc.PtrOf(true)}, Limit: qc.PtrOf(uint64(limit))})
		if err != nil {
			return nil, err
		}
		all := len(list) < limit
		if !all {
			last := list[len(list)-1].score
			list = slices.DeleteFunc(list, func(h hit) bool { return h.score == last })
		}
		list = slices.DeleteFunc(best(list, len(list)), func(h hit) bool { return seen[h.doc.ID] })
		for page := range slices.Chunk(list, docsPage) {
			page, err := s.complete(ctx, page, p.local)
			if err != nil {
				return nil, err
			}
			if found = append(found, page...); len(found) >= k {
				return found[:k], nil
			}
		}
		if all {
			return found, nil
		}
		for _, h := range list {
			seen[h.doc.ID] = true
		}
	}
}

// complete reads the documents of hits of which only the ids are known, and
// leaves out those that f does not match.
func (s *Store) complete(ctx context.Context, hits []hit, f vectorstore.Filter) ([]hit, error) {
	ids := make([]string, len(hits))
	for i, h := range hits {
		ids[i] = h.doc.ID
	}
	docs, err := s.documents(ctx, ids, withoutData)
	if err != nil {
		return nil, err
	}
	var out []hit
	for _, h := range hits {
		if d, ok := docs[h.doc.ID]; ok && vectorstore.Matches(f, d) {
			out = append(out, hit{doc: d, score: h.score})
		}
	}
	return out, nil
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
	q.CollectionName = s.cfg.Collection
	if q.WithPayload == nil {
		q.WithPayload = withoutData
	}
	var answer *qc.QueryResponse
	err := s.call(ctx, "searching", func(ctx context.Context) (err error) {
		answer, err = s.client.Points().Query(ctx, q)
		return err
	})
	if err != nil {
		return nil, err
	}
	hits := make([]hit, len(answer.GetResult()))
	for i, p := range answer.GetResult() {
		d, err := document(p.GetPayload())
		if err != nil {
			return nil, err
		}
		hits[i] = hit{doc: d, score: float64(p.GetScore())}
		if v := p.GetVectors().GetVectors().GetVectors()[dense]; v != nil {
			hits[i].vector = denseOf(v)
		}
	}
	return hits, nil
}
