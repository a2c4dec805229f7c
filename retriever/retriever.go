// Package retriever finds the documents that answer a question.
//
// [Corpus] is the one place that writes go through: it keeps the store, the
// lexical index and the embeddings consistent. Everything that searches is a
// [Retriever]: the arms ([Lexical], [Vector]), their fusion ([Hybrid]), and what
// wraps them. [New] puts the default stack together.
//
//	store, err := chromem.Open(chromem.Config{Dir: "data"})
//	if err != nil { … }
//	corpus, err := retriever.NewCorpus(retriever.CorpusConfig{Store: store})
//	if err != nil { … }
//	defer corpus.Close()
//	_, err = corpus.Add(ctx, vectorstore.Document{Content: "GET /orders lists orders"})
//	found, err := retriever.New(corpus, retriever.Options{}).Retrieve(ctx, retriever.Query{Text: "list orders"})
//
// # Scores
//
// Every hit has a Score in [0, 1] that means "how well this matches" and is the
// same scale in every mode, so that one threshold serves all of them:
//
//   - words: 1 − exp(−bm25 / Σ w·idf(t)) over the terms t of the query with their
//     weights w. A document of average length that contains every term once
//     scores about 0.63; one that contains terms worth half of the query's idf
//     mass about 0.39. Terms that no document contains count, so a question about
//     something else scores low.
//   - vectors: the cosine similarity, negative values cut to 0.
//   - hybrid: (1−w)·words + w·vector, w being the weight of the vector arm.
//   - reordered by names: 1 − (1−s)^b; see Names. The parts that put documents of
//     several lists into one (Clauses, Dependencies) keep the score of the best.
//
// Each hit also carries the raw signals.
//
// # Parts
//
// A part wraps a Retriever and is one: Clauses, Dependencies, Feedback, Words,
// Typos, Synonyms, Names, Rerank, Diversify, Cache. New is nothing but
//
//	Cache(c, Diversify(c, Clauses(c, Dependencies(c, Feedback(c,
//		Words(c, Typos(c, Synonyms(c, Names(c, Hybrid(…)))))))))
//
// and users put together their own. docs/retrieval.md has what each part adds
// and costs.
package retriever

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/api-assistant/api-assistant/vectorstore"
)

// Retriever finds documents. Implementations are safe for concurrent use.
type Retriever interface {
	Retrieve(ctx context.Context, q Query) (Result, error)
}

// Func makes a Retriever of a function.
type Func func(ctx context.Context, q Query) (Result, error)

// Retrieve calls f.
func (f Func) Retrieve(ctx context.Context, q Query) (Result, error) { return f(ctx, q) }

// Mode says how to search.
type Mode string

// The modes. The zero value means ModeHybrid.
const (
	ModeHybrid   Mode = "hybrid"   // words and vectors, fused
	ModeLexical  Mode = "lexical"  // words only
	ModeVector   Mode = "vector"   // vectors only
	ModeReranked Mode = "reranked" // hybrid, then reordered by a reranker
)

// Query asks for documents.
type Query struct {
	Text   string             // the question; must not be blank
	K      int                // how many hits at most; 0 means DefaultK, at most MaxK
	Mode   Mode               // empty means ModeHybrid
	Filter vectorstore.Filter // nil matches all; applied before the cut to K
	// MinScore drops hits that score less; it is applied last. 0 drops none.
	MinScore float64
	// Diversity is how much variety counts against relevance, from 0 (not at all)
	// to 1; see Diversify.
	Diversity float64
	// Expand asks Result.Expanded to say which words were added to the question.
	Expand bool

	// Context is what was said around the question. Its words count less than those
	// of Text, and a document is not worse for lacking them.
	Context string
	// Terms are the weighted words that the lexical arm searches, as the parts of a
	// stack hand them inwards; nil means those of Text.
	Terms []Term
	// IDsOnly says that the hits need no documents, only their IDs. The parts of a
	// stack set it for those inside, and documents are read once, at the end.
	IDsOnly bool

	selected *selection // what Filter selects, shared by all parts of a search
	several  bool       // the question is one that asks for several things, or a clause of it
}

// Limits of a query.
const (
	DefaultK     = 5
	MaxK         = 500
	MaxQuerySize = 64 << 10 // bytes of Query.Text
)

// ErrQuery is returned (wrapped) for a query that makes no sense.
var ErrQuery = errors.New("retriever: invalid query")

// Normalize fills the defaults in and checks the limits. The error wraps
// ErrQuery.
func (q Query) Normalize() (Query, error) {
	if q.K == 0 {
		q.K = DefaultK
	}
	if q.Mode == "" {
		q.Mode = ModeHybrid
	}
	switch {
	case strings.TrimSpace(q.Text) == "":
		return q, fmt.Errorf("%w: the text is empty", ErrQuery)
	case len(q.Text) > MaxQuerySize:
		return q, fmt.Errorf("%w: the text has %d bytes, at most %d are allowed", ErrQuery, len(q.Text), MaxQuerySize)
	case q.K < 0 || q.K > MaxK:
		return q, fmt.Errorf("%w: K is %d, it must be 1 to %d", ErrQuery, q.K, MaxK)
	case !(q.Diversity >= 0 && q.Diversity <= 1):
		return q, fmt.Errorf("%w: Diversity is %g, it must be 0 to 1", ErrQuery, q.Diversity)
	case !(q.MinScore >= 0 && q.MinScore <= 1):
		return q, fmt.Errorf("%w: MinScore is %g, it must be 0 to 1", ErrQuery, q.MinScore)
	}
	switch q.Mode {
	case ModeHybrid, ModeLexical, ModeVector, ModeReranked:
		return q, nil
	}
	return q, fmt.Errorf("%w: unknown mode %q; use hybrid, lexical, vector or reranked", ErrQuery, q.Mode)
}

// Hit is a document that was found.
type Hit struct {
	vectorstore.Document // without Data
	Score                float64
	Signals              Signals
}

// Signals says what brought a hit, by name. A signal that is missing played no
// part.
//
//	bm25, bm25_rank       score and rank (from 1) among the words
//	cosine, vector_rank   similarity and rank among the vectors
//	names                 factor by which Names changed the score's odds
//	clause                which request of the question found it best (from 1)
//	needed                score for yielding an identifier that another hit needs
//	rerank                score of a Reranker
//	similarity            to the most similar hit before it (Diversify)
type Signals map[string]float64

// Result is the answer to a query.
type Result struct {
	Hits []Hit // best first; scores never increase; ties by ID
	Mode Mode  // how it was searched
	// Expanded is the question with the words that were added to it, if Query.Expand
	// asked for it; the question itself if none were.
	Expanded string
	// Degraded says in a sentence why the search was narrower than asked for
	// (the embedder is down, say); empty when it was not.
	Degraded string
}
