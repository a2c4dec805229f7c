package retriever

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
)

// Reranker gives the candidates of a search better scores.
type Reranker interface {
	// Rerank returns one score in [0, 1] for each hit, in their order. The hits
	// carry their documents.
	Rerank(ctx context.Context, query string, hits []Hit) ([]float64, error)
}

// rerankPool is how many candidates are reranked, at least.
const rerankPool = 50

// Rerank reorders what next finds by the scores of a Reranker, over a pool of at
// least 50 candidates. If the reranker fails, the order stays as it was and
// Result.Degraded says so.
func Rerank(c *Corpus, r Reranker, next Retriever) Retriever {
	return c.stage(func(ctx context.Context, q Query) (Result, error) {
		wide := q
		wide.K = min(MaxK, max(rerankPool, q.K))
		out, err := next.Retrieve(ctx, wide)
		if err != nil || len(out.Hits) == 0 {
			return out, err
		}
		if err := c.fetch(ctx, out.Hits); err != nil {
			return Result{}, err
		}
		scores, err := r.Rerank(ctx, q.Text, out.Hits)
		switch {
		case ctx.Err() != nil:
			return Result{}, ctx.Err()
		case err == nil && len(scores) != len(out.Hits):
			err = fmt.Errorf("%w: %d scores for %d documents", errReranker, len(scores), len(out.Hits))
		}
		if err != nil {
			c.log.WarnContext(ctx, "reranking failed", "error", err)
			out.Degraded = "the reranker did not answer, so the results are in the order of the search"
		} else {
			for i := range out.Hits {
				out.Hits[i].Score = min(1, max(0, scores[i]))
				out.Hits[i].Signals["rerank"] = scores[i]
			}
			sortHits(out.Hits)
		}
		out.Mode = ModeReranked
		out.Hits = out.Hits[:min(len(out.Hits), q.K)]
		return out, nil
	})
}

var errReranker = errors.New("retriever: the reranker's answer makes no sense")

// How much the names of a document count when candidates are reordered by them.
const (
	pathShare   = 0.4  // the literal segments of the path are named in the question
	titleShare  = 0.6  // the words of the summary are
	pairShare   = 0.3  // words that stand together in the question do so in the names
	methodShare = 0.25 // the method is that of the question's verb
	neutral     = 1 + (pathShare+titleShare+pairShare+methodShare)/2
)

// Names reorders what next finds by how well the question covers what names a
// document: a path or summary with words that the question does not have
// ("/tv/{id}/season/{n}/credits" for the credits of a show) is about something
// more special. Phrases and the verb's method count too. It is offline and costs
// microseconds.
//
// A score s becomes 1 − (1−s)^b, where b is 1 for a document that is named half.
func Names(c *Corpus, next Retriever) Retriever {
	return c.stage(func(ctx context.Context, q Query) (Result, error) {
		index, err := c.lexicalIndex(ctx)
		if err != nil {
			return Result{}, err
		}
		if q.Terms == nil {
			q.Terms = weigh(q, index.Analyze)
		}
		wide := q
		wide.K = min(MaxK, max(rerankPool, q.K))
		out, err := next.Retrieve(ctx, wide)
		if err != nil {
			return out, err
		}
		c.rename(q, index.Analyze(q.Text), out.Hits)
		out.Hits = out.Hits[:min(len(out.Hits), q.K)]
		return out, nil
	})
}

// rename scores and sorts hits by their names.
func (c *Corpus) rename(q Query, sequence []string, hits []Hit) {
	question := make(map[term]float64, len(q.Terms))
	for _, t := range q.Terms {
		question[hashTerm(t.Text)] = t.Weight
	}
	terms := make([]term, len(sequence))
	for i, t := range sequence {
		terms[i] = hashTerm(t)
	}
	method := methodOf(q.Text)
	c.indexMu.RLock()
	defer c.indexMu.RUnlock()
	phrases := c.cards.phrases(terms, question)
	for i := range hits {
		k, ok := c.cards.byID[hits[i].ID]
		if !ok {
			continue
		}
		title := c.cards.covered(k.title, question)
		boost := 1 + titleShare*title + pairShare*phrases.in(k.pairs)
		switch {
		case k.operation:
			boost += pathShare * c.cards.covered(k.path, question)
			if k.method == method || method == "PUT" && k.method == "PATCH" {
				boost += methodShare
			}
		case !k.partOfAPI:
			boost += pathShare*title + methodShare/2 // it has neither path nor method
		}
		hits[i].Score = 1 - math.Pow(1-hits[i].Score, boost/neutral)
		hits[i].Signals["names"] = boost / neutral
	}
	sortHits(hits)
}

// phrases are the pairs of neighbouring terms of a question, with what they
// weigh.
type phrases struct {
	pairs  []term
	weight []float64
	all    float64
}

func (c *cards) phrases(terms []term, question map[term]float64) (p phrases) {
	for i := 1; i < len(terms); i++ {
		a, b := terms[i-1], terms[i]
		w := min(1, question[a], question[b]) * (c.idf(a) + c.idf(b))
		p.pairs, p.weight, p.all = append(p.pairs, pair(a, b)), append(p.weight, w), p.all+w
	}
	return p
}

// in is the share of the phrases that are among the sorted pairs.
func (p phrases) in(pairs []term) float64 {
	if p.all == 0 {
		return 0
	}
	var hit float64
	for i, t := range p.pairs {
		if contains(pairs, t) {
			hit += p.weight[i]
		}
	}
	return hit / p.all
}

// verbMethods says which method the verbs of questions mean.
var verbMethods = func() map[string]string {
	m := make(map[string]string)
	for method, verbs := range map[string]string{
		"GET":    "get list show find search look fetch retrieve read view see check tell give obtain access review return query lookup display what who which when where",
		"POST":   "create add make new insert register submit post upload send start begin initiate launch generate build schedule book place subscribe",
		"PUT":    "update change modify edit adjust rename replace customize set",
		"DELETE": "delete remove cancel clear drop erase purge",
	} {
		for v := range strings.FieldsSeq(verbs) {
			m[v] = method
		}
	}
	return m
}()

// methodOf is the method that the first verb of a question means, if any.
func methodOf(text string) string {
	for _, w := range words(text) {
		if m := verbMethods[w]; m != "" {
			return m
		}
	}
	return ""
}

func logistic(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
