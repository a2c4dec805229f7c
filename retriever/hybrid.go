package retriever

import (
	"context"
	"errors"
	"maps"
	"math"

	"github.com/api-assistant/api-assistant/vectorstore"
)

// Options configure New.
type Options struct {
	// VectorWeight is the weight of the vector arm in hybrid mode, 0 to 1. With 0,
	// the default, hybrid mode ranks by words alone: right for an embedder that
	// measures spelling, such as the offline one. Use about 0.3 to 0.5 for a
	// model that knows meaning.
	VectorWeight float64
	// RankConstant, if it is positive, fuses by ranks; see Fusion.
	RankConstant float64
	// Reranker reorders in mode reranked. nil means that this mode is hybrid, which
	// is reordered by names in any case.
	Reranker Reranker
	// CacheSize is how many results are kept for repeated queries; 0 means
	// DefaultCacheSize, a negative number none.
	CacheSize int
}

// New returns the default retriever over a corpus, which searches in the mode
// that the query asks for. The package comment shows what it is made of. Over a
// store that ranks words and vectors itself (vectorstore.HybridSearcher), the
// store is asked instead of an index of this process.
func New(c *Corpus, o Options) Retriever {
	words, vectors := c.stage(c.searchWords), c.stage(c.searchVectors)
	arms := Hybrid(words, vectors, Fusion{VectorWeight: o.VectorWeight, RankConstant: o.RankConstant})
	understand := func(arms Retriever) Retriever {
		named := Names(c, arms)
		asked := Words(c, Typos(c, Synonyms(c, named)))
		return Diversify(c, Clauses(c, Dependencies(c, Feedback(c, asked))))
	}
	lexical, hybrid := understand(words), understand(arms)
	if s, ok := c.store.(vectorstore.HybridSearcher); ok {
		lexical, hybrid = c.searchStore(s, false), c.searchStore(s, true)
	}
	reranked := hybrid
	if o.Reranker != nil {
		reranked = Rerank(c, o.Reranker, hybrid)
	}
	search := c.consistent(Func(func(ctx context.Context, q Query) (Result, error) {
		q, err := q.Normalize()
		if err != nil {
			return Result{}, err
		}
		r, err := map[Mode]Retriever{ModeLexical: lexical, ModeVector: vectors, ModeReranked: reranked, ModeHybrid: hybrid}[q.Mode].Retrieve(ctx, q)
		r.Mode = q.Mode
		if q.Expand && r.Expanded == "" {
			r.Expanded = q.Text
		}
		return r, err
	}))
	return Cache(c, search, o.CacheSize)
}

// poolFactor and poolMin say how deep the arms are searched for a fusion.
const (
	poolFactor = 4
	poolMin    = 50
)

// Fusion says how two ranked lists become one.
type Fusion struct {
	// VectorWeight is the weight of the vectors, 0 to 1; that of the words is
	// 1 − VectorWeight. With 0 the vectors are not asked.
	VectorWeight float64
	// RankConstant, if it is positive, fuses by ranks: a document scores the sum of
	// weight/(RankConstant+rank) (Cormack, Clarke and Büttcher, "Reciprocal Rank
	// Fusion", 2009; 60 is usual), scaled so that the first has the score of the
	// better arm's first. With 0, scores are added, times their weights; a list that
	// does not have a document counts 0. (Bruch, Gai and Ingber, "An Analysis of Fusion
	// Functions for Hybrid Retrieval", 2023: this convex combination beats ranks when
	// the scores are normalised. docs/retrieval.md has both.)
	RankConstant float64
}

// Hybrid fuses two arms. If the vector arm fails while words are found, the
// words are the answer and Result.Degraded says so.
func Hybrid(words, vectors Retriever, f Fusion) Retriever {
	return Func(func(ctx context.Context, q Query) (Result, error) {
		q, err := q.Normalize()
		if err != nil {
			return Result{}, err
		}
		wide := q
		wide.K, wide.MinScore = min(MaxK, max(poolMin, poolFactor*q.K)), 0
		if f.VectorWeight <= 0 {
			wide.K = q.K
		}
		lexical, err := words.Retrieve(ctx, wide)
		if err != nil {
			return Result{}, err
		}
		out := Result{Mode: ModeHybrid, Hits: lexical.Hits}
		if f.VectorWeight > 0 {
			dense, err := vectors.Retrieve(ctx, wide)
			switch {
			case ctx.Err() != nil:
				return Result{}, ctx.Err()
			case errors.Is(err, ErrNoVectors):
			case err != nil:
				out.Degraded = "the embedding model did not answer, so the search was by words only"
			default:
				out.Hits = f.fuse(lexical.Hits, dense.Hits)
			}
		}
		out.Hits = above(out.Hits[:min(q.K, len(out.Hits))], q.MinScore)
		return out, nil
	})
}

// fuse merges two lists of hits into one, best first, ties by ID.
func (f Fusion) fuse(words, vectors []Hit) []Hit {
	byID := make(map[string]*Hit, len(words)+len(vectors))
	best := 0.0
	add := func(hits []Hit, weight float64) {
		for i, h := range hits {
			merged := byID[h.ID]
			if merged == nil {
				merged = &Hit{Document: h.Document, Signals: make(Signals, len(h.Signals))}
				byID[h.ID] = merged
			}
			best = max(best, h.Score)
			if f.RankConstant > 0 {
				merged.Score += weight / (f.RankConstant + float64(i+1))
			} else {
				merged.Score += weight * h.Score
			}
			maps.Copy(merged.Signals, h.Signals)
		}
	}
	add(words, 1-f.VectorWeight)
	add(vectors, f.VectorWeight)
	out := make([]Hit, 0, len(byID))
	for _, h := range byID {
		out = append(out, *h)
	}
	sortHits(out)
	if f.RankConstant > 0 {
		scale(out, best)
	}
	return out
}

// searchStore asks a store that ranks by itself.
func (c *Corpus) searchStore(s vectorstore.HybridSearcher, vectors bool) Retriever {
	return Func(func(ctx context.Context, q Query) (Result, error) {
		ask := vectorstore.HybridQuery{Text: q.Text, K: q.K, Filter: q.Filter}
		out := Result{Mode: q.Mode}
		if vectors && c.embedder != nil {
			v, err := c.embedder.Embed(ctx, []string{q.Text})
			switch {
			case ctx.Err() != nil:
				return Result{}, ctx.Err()
			case err != nil:
				out.Degraded = "the embedding model did not answer, so the search was by words only"
			default:
				ask.Vector = v[0]
			}
		}
		found, err := s.HybridSearch(ctx, ask)
		if err != nil {
			return Result{}, err
		}
		for i, m := range found {
			m.Data = nil
			h := Hit{Document: m.Document, Score: m.Score, Signals: Signals{}}
			if !math.IsNaN(m.Lexical) {
				h.Signals["bm25"] = m.Lexical
			}
			if !math.IsNaN(m.Cosine) {
				h.Signals["cosine"] = m.Cosine
			}
			h.Signals["store_rank"] = float64(i + 1)
			out.Hits = append(out.Hits, h)
		}
		// The store's scores have no scale; its best document gets what an answer
		// found by both arms at their first place would.
		sortHits(out.Hits)
		if len(out.Hits) > 0 && out.Hits[0].Score > 1 {
			scale(out.Hits, 1)
		}
		out.Hits = above(out.Hits, q.MinScore)
		return out, nil
	})
}
