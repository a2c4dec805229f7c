package qdranttest

import (
	"cmp"
	"context"
	"fmt"
	"hash/fnv"
	"math"
	"slices"

	qc "github.com/qdrant/go-client/qdrant"
)

// scored is a point with its score in one stage of a query.
type scored struct {
	*point
	score float32
}

// stage is a query or a prefetch, which have the same form.
type stage interface {
	GetPrefetch() []*qc.PrefetchQuery
	GetQuery() *qc.Query
	GetUsing() string
	GetFilter() *qc.Filter
}

const defaultLimit = 10

// Query implements nearest neighbours and fusion, with prefetches of any depth.
func (s points) Query(_ context.Context, r *qc.QueryPoints) (*qc.QueryResponse, error) {
	out := &qc.QueryResponse{}
	err := s.read(r.GetCollectionName(), func(c *collection) error {
		var err error
		out.Result, err = c.query(r)
		return err
	})
	return out, err
}

// QueryBatch implements several queries in one request.
func (s points) QueryBatch(ctx context.Context, r *qc.QueryBatchPoints) (*qc.QueryBatchResponse, error) {
	out := &qc.QueryBatchResponse{}
	for _, q := range r.GetQueryPoints() {
		q.CollectionName = r.GetCollectionName()
		one, err := s.Query(ctx, q)
		if err != nil {
			return nil, err
		}
		out.Result = append(out.Result, &qc.BatchResult{Result: one.GetResult()})
	}
	return out, nil
}

func (c *collection) query(r *qc.QueryPoints) ([]*qc.ScoredPoint, error) {
	if r.ScoreThreshold != nil && r.GetQuery() == nil {
		return nil, wrong("A query is needed to be able to use a score_threshold")
	}
	limit, offset := limitOf(r.Limit), int(min(r.GetOffset(), math.MaxInt32))
	found, err := c.run(r, nil, r.ScoreThreshold, limit+offset)
	if err != nil {
		return nil, err
	}
	var out []*qc.ScoredPoint
	for _, p := range found[min(offset, len(found)):] {
		payload, err := answerPayload(p.point, r.GetWithPayload())
		if err != nil {
			return nil, err
		}
		out = append(out, &qc.ScoredPoint{Id: p.id, Score: p.score, Payload: payload, Vectors: answerVectors(p.point, r.GetWithVectors())})
	}
	return out, nil
}

func limitOf(limit *uint64) int {
	if limit == nil {
		return defaultLimit
	}
	return int(min(*limit, math.MaxInt32))
}

// run carries out a stage: inherited are the filters of the stages around it,
// which apply to what it prefetches.
func (c *collection) run(q stage, inherited []*qc.Filter, threshold *float32, limit int) ([]scored, error) {
	filters := inherited
	if q.GetFilter() != nil {
		filters = append(slices.Clone(inherited), q.GetFilter())
	}
	var sources [][]scored
	for _, p := range q.GetPrefetch() {
		found, err := c.run(p, filters, p.ScoreThreshold, limitOf(p.Limit))
		if err != nil {
			return nil, err
		}
		sources = append(sources, found)
	}
	found, err := c.score(q, filters, sources)
	if err != nil {
		return nil, err
	}
	if q.GetQuery() != nil {
		sortScored(found, limit)
	}
	if threshold != nil {
		found = slices.DeleteFunc(found, func(p scored) bool { return !(p.score >= *threshold) })
	}
	return found[:min(limit, len(found))], nil
}

// score ranks the points of a stage.
func (c *collection) score(q stage, filters []*qc.Filter, sources [][]scored) ([]scored, error) {
	switch v := q.GetQuery().GetVariant().(type) {
	case *qc.Query_Fusion:
		if err := checkFusion(q); err != nil {
			return nil, err
		}
		if v.Fusion == qc.Fusion_DBSF {
			return dbsf(sources), nil
		}
		return rrf(sources, &qc.Rrf{})
	case *qc.Query_Rrf:
		if err := checkFusion(q); err != nil {
			return nil, err
		}
		return rrf(sources, v.Rrf)
	case *qc.Query_Nearest:
		candidates, err := c.candidates(filters, sources)
		if err != nil {
			return nil, err
		}
		return c.nearest(candidates, v.Nearest, q.GetUsing())
	case nil:
		if sources != nil {
			return nil, wrong("A query is needed to merge the prefetches")
		}
		candidates, err := c.candidates(filters, nil)
		out := make([]scored, len(candidates))
		for i, p := range candidates {
			out[i] = scored{point: p}
		}
		return out, err
	}
	return nil, unimplemented("this kind of query")
}

func checkFusion(q stage) error {
	switch {
	case len(q.GetPrefetch()) == 0:
		return wrong("cannot apply Fusion without prefetches")
	case q.GetUsing() != "":
		return wrong("Fusion queries cannot be combined with the 'using' field.")
	}
	return nil
}

// candidates are the points that a stage ranks: those that were prefetched, or
// all that the filters select.
func (c *collection) candidates(filters []*qc.Filter, sources [][]scored) ([]*point, error) {
	matches := make([]matcher, len(filters))
	for i, f := range filters {
		var err error
		if matches[i], err = compile(f); err != nil {
			return nil, err
		}
	}
	from := c.sorted
	if sources != nil {
		from = nil
		seen := make(map[*point]bool)
		for _, source := range sources {
			for _, p := range source {
				if !seen[p.point] {
					seen[p.point] = true
					from = append(from, p.point)
				}
			}
		}
	}
	var out []*point
	for _, p := range from {
		if !slices.ContainsFunc(matches, func(m matcher) bool { return !m(p) }) {
			out = append(out, p)
		}
	}
	return out, nil
}

// nearest ranks points by one of their vectors. Points without it are left out.
func (c *collection) nearest(from []*point, v *qc.VectorInput, using string) ([]scored, error) {
	var score func(*point) (float32, bool)
	switch v := v.GetVariant().(type) {
	case *qc.VectorInput_Dense:
		params, ok := c.dense[using]
		if !ok {
			return nil, wrong("Not existing vector name error: %s", using)
		}
		query := v.Dense.GetData()
		if uint64(len(query)) != params.GetSize() {
			return nil, dimensionError(params, len(query))
		}
		if params.GetDistance() == qc.Distance_Cosine {
			query = normalized(query)
		}
		score = func(p *point) (float32, bool) { v, ok := p.dense[using]; return dot(query, v), ok }
	case *qc.VectorInput_Sparse:
		params, ok := c.sparse[using]
		if !ok {
			return nil, wrong("Not existing vector name error: %s", using)
		}
		query, err := parseSparse(v.Sparse.GetIndices(), v.Sparse.GetValues())
		if err != nil {
			return nil, err
		}
		if params.GetModifier() == qc.Modifier_Idf {
			query = c.stats[using].weighted(query)
		}
		score = func(p *point) (float32, bool) { return query.dot(p.sparse[using]) }
	default:
		return nil, unimplemented("queries by anything but a vector")
	}
	var out []scored
	for _, p := range from {
		if s, ok := score(p); ok {
			out = append(out, scored{p, s})
		}
	}
	return out, nil
}

// sortScored puts the best first. Those of equal score come in an order that
// changes with the limit: Qdrant promises none, and pages by offset, for which
// it searches with different limits, do lose points.
func sortScored(points []scored, limit int) {
	slices.SortFunc(points, func(a, b scored) int {
		if c := cmp.Compare(b.score, a.score); c != 0 {
			return c
		}
		return cmp.Compare(shuffled(a.key, limit), shuffled(b.key, limit))
	})
}

func shuffled(key string, limit int) uint64 {
	h := fnv.New64a()
	fmt.Fprint(h, limit, key)
	return h.Sum64()
}

func dot(a, b []float32) (sum float32) {
	for i, x := range b {
		sum += a[i] * x
	}
	return sum
}

// weighted multiplies a query by the idf of its indices.
func (s *statistics) weighted(query sparseVector) sparseVector {
	out := sparseVector{query.indices, make([]float32, len(query.values))}
	n := float32(s.points)
	for i, index := range query.indices {
		df := float32(s.df[index])
		out.values[i] = query.values[i] * float32(math.Log(float64((n-df+0.5)/(df+0.5)+1)))
	}
	return out
}

// dot is the product of two sparse vectors, and whether they have an index in
// common.
func (a sparseVector) dot(b sparseVector) (sum float32, common bool) {
	for i, j := 0, 0; i < len(a.indices) && j < len(b.indices); {
		switch {
		case a.indices[i] < b.indices[j]:
			i++
		case a.indices[i] > b.indices[j]:
			j++
		default:
			sum += a.values[i] * b.values[j]
			common = true
			i++
			j++
		}
	}
	return sum, common
}
