package retriever

import (
	"cmp"
	"context"
	"slices"
)

// Limits of the feedback.
const (
	feedbackDocuments = 3
	feedbackTerms     = 40
	feedbackWeight    = 0.8 // of the strongest term
)

// Feedback searches prose a second time, with the words that set the first few
// documents apart added to the question (pseudo-relevance feedback, RM3: Lavrenko
// and Croft, 2001). Where one of them is an operation it does nothing: names of
// APIs are too short and too similar for it, and the evaluation is against it.
func Feedback(c *Corpus, next Retriever) Retriever {
	return c.stage(func(ctx context.Context, q Query) (Result, error) {
		first, err := next.Retrieve(ctx, q)
		if err != nil || len(first.Hits) < feedbackDocuments || c.anyOperation(first.Hits[:feedbackDocuments]) {
			return first, err
		}
		index, err := c.lexicalIndex(ctx)
		if err != nil {
			return Result{}, err
		}
		top := slices.Clone(first.Hits[:feedbackDocuments])
		if err := c.fetch(ctx, top); err != nil {
			return Result{}, err
		}
		weight := make(map[string]float64)
		for _, h := range top {
			terms := index.Analyze(h.Content)
			for _, t := range terms {
				weight[t] += h.Score / float64(len(terms))
			}
		}
		added := make([]Term, 0, len(weight))
		for t, w := range weight {
			if index.DocFreq(t) > 1 {
				added = append(added, Term{Text: t, Weight: w * index.IDF(t), Added: true})
			}
		}
		if len(added) == 0 {
			return first, nil
		}
		slices.SortFunc(added, func(a, b Term) int { return cmp.Or(cmp.Compare(b.Weight, a.Weight), cmp.Compare(a.Text, b.Text)) })
		added = added[:min(len(added), feedbackTerms)]
		if q.Terms == nil {
			q.Terms = weigh(q, index.Analyze)
		}
		strongest := added[0].Weight
		for i := range added {
			added[i].Weight *= feedbackWeight / strongest
		}
		q.Terms = append(slices.Clip(q.Terms), added...)
		return next.Retrieve(ctx, q)
	})
}

func (c *Corpus) anyOperation(hits []Hit) bool {
	c.indexMu.RLock()
	defer c.indexMu.RUnlock()
	return slices.ContainsFunc(hits, func(h Hit) bool { return c.cards.byID[h.ID].operation })
}
