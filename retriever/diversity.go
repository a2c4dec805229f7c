package retriever

import (
	"context"
	"slices"
)

// Diversify reorders by maximal marginal relevance (Carbonell and Goldstein,
// 1998) if the query asks for it: each place goes to the document for which
// (1−d)·score − d·similarity to those already chosen is greatest, d being
// Query.Diversity. It chooses from four times as many documents as are asked
// for, so that the list changes and not only its order. Similarity is the share
// of names that two documents have in common (Jaccard).
func Diversify(c *Corpus, next Retriever) Retriever {
	return c.stage(func(ctx context.Context, q Query) (Result, error) {
		if q.Diversity == 0 {
			return next.Retrieve(ctx, q)
		}
		wide := q
		wide.K = min(MaxK, max(rerankPool, poolFactor*q.K))
		out, err := next.Retrieve(ctx, wide)
		if err != nil {
			return out, err
		}
		out.Hits = c.diverse(out.Hits, q.K, q.Diversity)
		return out, nil
	})
}

// diverse chooses k hits. Their scores are made to fall, so that thresholds and
// readers see the order in which they were chosen.
func (c *Corpus) diverse(hits []Hit, k int, d float64) []Hit {
	if len(hits) == 0 {
		return hits
	}
	c.indexMu.RLock()
	names := make([][]term, len(hits))
	for i, h := range hits {
		card := c.cards.byID[h.ID]
		names[i] = each(slices.Concat(card.path, card.title))
	}
	c.indexMu.RUnlock()
	var (
		best    = hits[0].Score
		nearest = make([]float64, len(hits)) // similarity to the most similar chosen one
		used    = make([]bool, len(hits))
		out     = make([]Hit, 0, min(k, len(hits)))
	)
	for len(out) < cap(out) {
		chosen, value := -1, 0.0
		for i, h := range hits {
			if v := (1-d)*h.Score/best - d*nearest[i]; !used[i] && (chosen < 0 || v > value) {
				chosen, value = i, v
			}
		}
		used[chosen] = true
		h := hits[chosen]
		h.Signals["similarity"] = nearest[chosen]
		if n := len(out); n > 0 {
			h.Score = min(h.Score, out[n-1].Score)
		}
		out = append(out, h)
		for i := range hits {
			nearest[i] = max(nearest[i], jaccard(names[chosen], names[i]))
		}
	}
	return out
}

// jaccard is the share of common terms of two sorted sets.
func jaccard(a, b []term) float64 {
	common := 0
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case a[i] < b[j]:
			i++
		case a[i] > b[j]:
			j++
		default:
			common, i, j = common+1, i+1, j+1
		}
	}
	if all := len(a) + len(b) - common; all > 0 {
		return float64(common) / float64(all)
	}
	return 0
}
