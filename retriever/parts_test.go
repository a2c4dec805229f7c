package retriever_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/llm/offline"
	"github.com/api-assistant/api-assistant/retriever"
	"github.com/api-assistant/api-assistant/vectorstore"
)

// sampleCorpus holds the bookshop.
func sampleCorpus(t testing.TB) *retriever.Corpus {
	c := newCorpus(t, "", offline.NewEmbedder(0))
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	ingestInto(t, c, filepath.Join("..", "examples", "sample", "bookshop.yaml"))
	return c
}

func endpoints(t testing.TB, r retriever.Retriever, q retriever.Query) []string {
	t.Helper()
	found, err := r.Retrieve(t.Context(), q)
	require.NoError(t, err)
	var out []string
	for _, h := range found.Hits {
		out = append(out, fmt.Sprint(h.Metadata["title"]))
	}
	return out
}

func TestClausesBringEachItsOwn(t *testing.T) {
	c := sampleCorpus(t)
	r := retriever.New(c, retriever.Options{})
	for question, want := range map[string][]string{
		"List my orders, cancel an order, and register a new customer.":                                 {"GET /orders", "DELETE /orders/{order_id}", "POST /customers"},
		"Can you change the price of a book? Also, please show me the reviews of a book.":               {"PATCH /books/{isbn}", "GET /books/{isbn}/reviews"},
		"First add a book to the catalogue; then get the account of the customer while paying an order": {"POST /books", "GET /customers/me", "POST /orders/{order_id}/payment"},
	} {
		got := endpoints(t, r, retriever.Query{Text: question, K: len(want)})
		require.ElementsMatch(t, want, got, question)
	}
}

func TestDependenciesPullUpWhatYieldsTheIdentifier(t *testing.T) {
	c := sampleCorpus(t)
	with := retriever.Dependencies(c, retriever.Names(c, retriever.Lexical(c)))
	q := retriever.Query{Text: "the biography of an author", K: 3}
	require.Contains(t, endpoints(t, with, q), "GET /authors/{author_id}")
	found, err := with.Retrieve(t.Context(), q)
	require.NoError(t, err)
	require.True(t, slices.ContainsFunc(found.Hits, func(h retriever.Hit) bool {
		yields := fmt.Sprint(h.Metadata["yields"])
		return h.Signals["needed"] > 0 && strings.Contains(yields, "author")
	}), "an operation that yields author_id")
	q.Text = "the biography of the author with id 7"
	found, err = with.Retrieve(t.Context(), q)
	require.NoError(t, err)
	for _, h := range found.Hits {
		require.NotContains(t, h.Signals, "needed", "the question gives the identifier")
	}
	q = retriever.Query{Text: "the biography of an author", K: 5, Filter: vectorstore.StartsWith{Field: "path", Value: "/authors"}}
	for _, e := range endpoints(t, with, q) {
		require.Contains(t, e, "/authors", "a filter holds for what is pulled up, too")
	}
}

func TestTyposAreForgiven(t *testing.T) {
	c := sampleCorpus(t)
	r := retriever.New(c, retriever.Options{})
	for question, want := range map[string]string{
		"regsiter a cusotmer": "POST /customers",
		"cancell an ordr":     "DELETE /orders/{order_id}",
		"reveiws of a book":   "GET /books/{isbn}/reviews",
	} {
		require.Equal(t, want, endpoints(t, r, retriever.Query{Text: question, K: 1})[0], question)
	}
	_, err := c.RemoveSource(t.Context(), "bookshop.yaml")
	require.NoError(t, err)
	require.Empty(t, endpoints(t, r, retriever.Query{Text: "regsiter"}), "words of removed documents correct nothing")
}

func TestExpandedSaysWhatWasAdded(t *testing.T) {
	c := sampleCorpus(t)
	r := retriever.New(c, retriever.Options{})
	found, err := r.Retrieve(t.Context(), retriever.Query{Text: "delete an order", Expand: true})
	require.NoError(t, err)
	require.Contains(t, found.Expanded, "remove")
	found, err = r.Retrieve(t.Context(), retriever.Query{Text: "isbn", Expand: true})
	require.NoError(t, err)
	require.Equal(t, "isbn", found.Expanded)
	found, err = r.Retrieve(t.Context(), retriever.Query{Text: "delete an order"})
	require.NoError(t, err)
	require.Empty(t, found.Expanded)
}

func TestDiversityChangesTheList(t *testing.T) {
	c := newCorpus(t, "", nil)
	defer c.Close()
	var docs []vectorstore.Document
	for i := range 8 {
		docs = append(docs, operation(fmt.Sprint("near", i), fmt.Sprintf("GET /orders/%d", i), "List the orders of a shop"))
	}
	docs = append(docs, operation("far", "GET /invoices", "Orders that were paid, as invoices for tax"))
	_, err := c.Add(t.Context(), docs...)
	require.NoError(t, err)
	r := retriever.New(c, retriever.Options{})
	q := retriever.Query{Text: "list the orders of a shop", K: 3}
	require.NotContains(t, search(t, c, q), "far")
	q.Diversity = 0.6
	found, err := r.Retrieve(t.Context(), q)
	require.NoError(t, err)
	require.Equal(t, "far", found.Hits[1].ID, "the second place goes to what is different")
	require.LessOrEqual(t, found.Hits[2].Score, found.Hits[1].Score)
	q.Diversity = 2
	_, err = r.Retrieve(t.Context(), q)
	require.ErrorIs(t, err, retriever.ErrQuery)
}

func operation(id, endpoint, summary string) vectorstore.Document {
	method, path, _ := strings.Cut(endpoint, " ")
	return vectorstore.Document{ID: id, Content: endpoint + ": " + summary + "\n", Metadata: map[string]any{
		"endpoint": endpoint, "method": method, "path": path, "summary": summary}}
}

func TestFacetsCountAllMatches(t *testing.T) {
	c := newCorpus(t, "", nil)
	defer c.Close()
	var docs []vectorstore.Document
	for i := range 700 {
		docs = append(docs, vectorstore.Document{ID: fmt.Sprint(i), Content: "an order", Metadata: map[string]any{
			"method": []string{"GET", "POST", "PUT"}[i%3], "page": i % 2, "tags": []any{"all", fmt.Sprint("t", i%2)}}})
	}
	docs = append(docs, doc("other", "a customer"), doc("bare", "an order"))
	_, err := c.Add(t.Context(), docs...)
	require.NoError(t, err)
	q := retriever.Query{Text: "order", K: 1}
	facets, total, err := retriever.Facets(t.Context(), c, q, []string{"method", "tags", "page", "nothing"}, 2)
	require.NoError(t, err)
	require.Equal(t, 701, total)
	require.Equal(t, retriever.Facet{Field: "method", Documents: 700, Values: []retriever.FacetValue{
		{Value: "GET", Count: 234, Percentage: 100 * 234. / 700}, {Value: "POST", Count: 233, Percentage: 100 * 233. / 700}}}, facets[0])
	require.Equal(t, "all", facets[1].Values[0].Value)
	require.Equal(t, 700, facets[1].Values[0].Count)
	require.Equal(t, []retriever.FacetValue{{Value: "0", Count: 350, Percentage: 50}, {Value: "1", Count: 350, Percentage: 50}}, facets[2].Values)
	require.Equal(t, retriever.Facet{Field: "nothing", Values: []retriever.FacetValue{}}, facets[3])
	q.Filter = vectorstore.Eq{Field: "method", Value: "PUT"}
	_, total, err = retriever.Facets(t.Context(), c, q, []string{"method"}, 10)
	require.NoError(t, err)
	require.Equal(t, 233, total)
	_, _, err = retriever.Facets(t.Context(), c, q, make([]string, retriever.MaxFacetFields+1), 10)
	require.ErrorIs(t, err, retriever.ErrQuery)
}

func TestCacheIsNeverOlderThanTheLastWrite(t *testing.T) {
	c := newCorpus(t, "", nil)
	defer c.Close()
	calls := 0
	inner := retriever.Func(func(ctx context.Context, q retriever.Query) (retriever.Result, error) {
		calls++
		return retriever.Lexical(c).Retrieve(ctx, q)
	})
	r := retriever.Cache(c, inner, 2)
	ids := func(text string) []string {
		found, err := r.Retrieve(t.Context(), retriever.Query{Text: text})
		require.NoError(t, err)
		var out []string
		for _, h := range found.Hits {
			out = append(out, h.ID)
			h.Metadata["changed"], h.Signals["changed"] = true, 1 // must not reach the cache
		}
		return out
	}
	add := func(id string) {
		_, err := c.Add(t.Context(), vectorstore.Document{ID: id, Content: "orders", Metadata: map[string]any{"k": []any{"v"}}})
		require.NoError(t, err)
	}
	add("a")
	require.Equal(t, []string{"a"}, ids("orders"))
	require.Equal(t, []string{"a"}, ids("orders"))
	require.Equal(t, 1, calls)
	found, err := r.Retrieve(t.Context(), retriever.Query{Text: "orders"})
	require.NoError(t, err)
	require.NotContains(t, found.Hits[0].Metadata, "changed")
	add("b")
	require.Equal(t, []string{"a", "b"}, ids("orders"))
	require.Equal(t, 2, calls)
	ids("one")
	ids("two")
	ids("orders")
	require.Equal(t, 5, calls, "the least recently used result is dropped")
	_, err = c.Delete(t.Context(), "a")
	require.NoError(t, err)
	require.Equal(t, []string{"b"}, ids("orders"))
}

// TestStackSeesWholeWrites replaces a source of two documents again and again,
// and searches meanwhile through the whole default stack.
func TestStackSeesWholeWrites(t *testing.T) {
	c := newCorpus(t, "", nil)
	defer c.Close()
	r := retriever.New(c, retriever.Options{})
	put := func(n int) {
		docs := []vectorstore.Document{operation(fmt.Sprint("a", n), "GET /a", "List the orders"), operation(fmt.Sprint("b", n), "GET /b", "List the orders")}
		_, err := c.Replace(t.Context(), retriever.Upload{Source: "s", Documents: docs})
		require.NoError(t, err)
	}
	put(0)
	var done sync.WaitGroup
	stop := make(chan struct{})
	for range 3 {
		done.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				found, err := r.Retrieve(context.Background(), retriever.Query{Text: "list the orders, and list all orders of customers"})
				if err != nil || len(found.Hits) != 2 || found.Hits[0].ID[1:] != found.Hits[1].ID[1:] {
					t.Errorf("half a write was seen: %v %v", found.Hits, err)
					return
				}
			}
		})
	}
	for n := 1; n < 60; n++ {
		put(n)
	}
	close(stop)
	done.Wait()
}

// TestFiltersHoldBeforeTheCut compares the stack with a search without filter
// whose hits are filtered by hand.
func TestFiltersHoldBeforeTheCut(t *testing.T) {
	c := newCorpus(t, "", nil)
	defer c.Close()
	random := rand.New(rand.NewPCG(1, 2))
	nouns := []string{"order", "customer", "invoice", "payment", "book", "author"}
	verbs := []string{"GET", "POST", "DELETE"}
	var docs []vectorstore.Document
	for i := range 200 {
		noun := nouns[random.IntN(len(nouns))]
		docs = append(docs, operation(fmt.Sprintf("%03d", i), verbs[random.IntN(3)]+" /"+noun+"s/"+fmt.Sprint(random.IntN(9)), "About the "+noun+" and its "+nouns[random.IntN(len(nouns))]))
	}
	_, err := c.Add(t.Context(), docs...)
	require.NoError(t, err)
	r := retriever.New(c, retriever.Options{CacheSize: -1})
	for range 100 {
		q := retriever.Query{Text: "list the " + nouns[random.IntN(len(nouns))] + " of a " + nouns[random.IntN(len(nouns))], K: retriever.MaxK}
		all, err := r.Retrieve(t.Context(), q)
		require.NoError(t, err)
		method := verbs[random.IntN(3)]
		var want []string
		for _, h := range all.Hits {
			if h.Metadata["method"] == method {
				want = append(want, h.ID)
			}
		}
		q.Filter = vectorstore.Eq{Field: "method", Value: method}
		filtered, err := r.Retrieve(t.Context(), q)
		require.NoError(t, err)
		var got []string
		for i, h := range filtered.Hits {
			got = append(got, h.ID)
			require.True(t, i == 0 || filtered.Hits[i-1].Score > h.Score || filtered.Hits[i-1].Score == h.Score)
		}
		require.Equal(t, want, got, "%s %s", q.Text, method)
		q.K, q.MinScore = 3, all.Hits[len(all.Hits)/2].Score
		few, err := r.Retrieve(t.Context(), q)
		require.NoError(t, err)
		for i, h := range few.Hits {
			require.Equal(t, want[i], h.ID, "the best of the filtered")
			require.GreaterOrEqual(t, h.Score, q.MinScore)
		}
	}
}

func TestRerankClient(t *testing.T) {
	hits := []retriever.Hit{{Document: doc("a", "one")}, {Document: doc("b", "two")}}
	tests := []struct {
		name   string
		style  retriever.RerankStyle
		status int
		answer string
		want   []float64
		err    string
	}{
		{"cohere", "", 200, `{"results":[{"index":1,"relevance_score":0.9},{"index":0,"relevance_score":0.1}]}`, []float64{.1, .9}, ""},
		{"tei", retriever.RerankTEI, 200, `[{"index":1,"score":0.25},{"index":0,"score":0.5}]`, []float64{.5, .25}, ""},
		{"logits", retriever.RerankTEI, 200, `[{"index":0,"score":0},{"index":1,"score":-100}]`, []float64{.5, 0}, ""},
		{"status", "", 503, `secret upstream text`, nil, "status 503"},
		{"too few", "", 200, `{"results":[{"index":1,"relevance_score":0.9}]}`, nil, "1 scores for 2"},
		{"repeated", "", 200, `{"results":[{"index":1,"relevance_score":1},{"index":1,"relevance_score":1}]}`, nil, "repeated"},
		{"out of range", "", 200, `{"results":[{"index":-1,"relevance_score":1},{"index":1,"relevance_score":1}]}`, nil, "out of range"},
		{"no score", "", 200, `{"results":[{"index":0},{"index":1,"relevance_score":1}]}`, nil, "no score"},
		{"no JSON", "", 200, `<html>`, nil, "makes no sense"},
		{"empty", "", 200, ``, nil, "makes no sense"},
		{"huge", "", 200, strings.Repeat(" ", 5<<20), nil, "larger than"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				var in struct {
					Query            string
					Documents, Texts []string
				}
				body, _ := io.ReadAll(r.Body)
				if json.Unmarshal(body, &in) != nil || in.Query != "q" || r.Header.Get("Authorization") != "Bearer key-1" ||
					!slices.Equal([]string{"one", "two"}, append(in.Documents, in.Texts...)) {
					w.WriteHeader(http.StatusTeapot)
					return
				}
				w.WriteHeader(tt.status)
				io.WriteString(w, tt.answer)
			}))
			defer server.Close()
			client := &retriever.RerankClient{URL: server.URL + "/rerank", Key: "key-1", Style: tt.style}
			scores, err := client.Rerank(t.Context(), "q", hits)
			if tt.err != "" {
				require.ErrorContains(t, err, tt.err)
				require.NotContains(t, err.Error(), "key-1")
				require.NotContains(t, err.Error(), "secret")
				return
			}
			require.NoError(t, err)
			require.InDeltaSlice(t, tt.want, scores, 1e-9)
		})
	}
}

type fixedReranker struct {
	err error
}

func (f fixedReranker) Rerank(_ context.Context, _ string, hits []retriever.Hit) ([]float64, error) {
	scores := make([]float64, len(hits))
	for i, h := range hits {
		if h.Content == "" {
			return nil, errors.New("no document")
		}
		scores[i] = float64(i) / float64(len(hits))
	}
	return scores, f.err
}

func TestModeReranked(t *testing.T) {
	c := sampleCorpus(t)
	q := retriever.Query{Text: "cancel an order", Mode: retriever.ModeReranked, K: 50}
	plain := endpoints(t, retriever.New(c, retriever.Options{}), q)
	turned := endpoints(t, retriever.New(c, retriever.Options{Reranker: fixedReranker{}}), q)
	slices.Reverse(turned)
	require.Equal(t, plain, turned)
	failed, err := retriever.New(c, retriever.Options{Reranker: fixedReranker{errors.New("down")}}).Retrieve(t.Context(), q)
	require.NoError(t, err)
	require.NotEmpty(t, failed.Degraded)
	require.Equal(t, plain[0], failed.Hits[0].Metadata["title"])
}

// hybridStore ranks by itself.
type hybridStore struct {
	vectorstore.VectorStore
	asked vectorstore.HybridQuery
}

func (s *hybridStore) HybridSearch(_ context.Context, q vectorstore.HybridQuery) ([]vectorstore.HybridMatch, error) {
	s.asked = q
	return []vectorstore.HybridMatch{{Document: doc("x", "from the store"), Score: 0.7, Lexical: 3, Cosine: 0.5}}, nil
}

func TestStoresThatRankAreAsked(t *testing.T) {
	e := offline.NewEmbedder(0)
	store := &hybridStore{}
	c, err := retriever.NewCorpus(retriever.CorpusConfig{Store: store, Embedder: e})
	require.NoError(t, err)
	found, err := retriever.New(c, retriever.Options{VectorWeight: 0.4}).Retrieve(t.Context(), retriever.Query{Text: "orders", K: 7, Filter: vectorstore.Eq{Field: "a", Value: "b"}})
	require.NoError(t, err)
	require.Equal(t, "x", found.Hits[0].ID)
	require.Equal(t, 3.0, found.Hits[0].Signals["bm25"])
	require.Equal(t, 7, store.asked.K)
	require.NotNil(t, store.asked.Vector)
	require.NotNil(t, store.asked.Filter)
	require.False(t, c.Ready(), "no index of our own is built")
}

// FuzzQuery runs any text through the whole stack.
func FuzzQuery(f *testing.F) {
	c := sampleCorpus(f)
	r := retriever.New(c, retriever.Options{CacheSize: -1})
	for _, s := range []string{"list orders", "get a book, and cancel an order; then pay", "\"quoted' `x", "\xff\x00 , and , and", "find id 12 🙂", strings.Repeat("list orders, and ", 300)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		found, err := r.Retrieve(t.Context(), retriever.Query{Text: text, K: 5, Diversity: 0.3})
		if err != nil {
			require.ErrorIs(t, err, retriever.ErrQuery)
			return
		}
		again, err := r.Retrieve(t.Context(), retriever.Query{Text: text, K: 5, Diversity: 0.3})
		require.NoError(t, err)
		require.Equal(t, found, again, "equal questions have equal answers")
		for i, h := range found.Hits {
			require.True(t, h.Score >= 0 && h.Score <= 1 && (i == 0 || h.Score <= found.Hits[i-1].Score), "scores: %v", h.Score)
		}
	})
}

func TestFusion(t *testing.T) {
	arm := func(scores ...any) retriever.Retriever {
		return retriever.Func(func(context.Context, retriever.Query) (retriever.Result, error) {
			var r retriever.Result
			for i := 0; i < len(scores); i += 2 {
				h := retriever.Hit{Score: scores[i+1].(float64), Signals: retriever.Signals{}}
				h.ID = scores[i].(string)
				r.Hits = append(r.Hits, h)
			}
			return r, nil
		})
	}
	words, vectors := arm("a", 0.9, "b", 0.2, "c", 0.1), arm("c", 0.8, "b", 0.7)
	order := func(f retriever.Fusion) (ids string, best float64) {
		found, err := retriever.Hybrid(words, vectors, f).Retrieve(t.Context(), retriever.Query{Text: "q"})
		require.NoError(t, err)
		for _, h := range found.Hits {
			ids += h.ID
		}
		return ids, found.Hits[0].Score
	}
	for _, tt := range []struct {
		fusion retriever.Fusion
		want   string
		best   float64
	}{
		{retriever.Fusion{}, "abc", 0.9},
		{retriever.Fusion{VectorWeight: 0.5}, "acb", 0.45},
		{retriever.Fusion{VectorWeight: 0.5, RankConstant: 60}, "cba", 0.9},
		{retriever.Fusion{VectorWeight: 1}, "cba", 0.8},
	} {
		ids, best := order(tt.fusion)
		require.Equal(t, tt.want, ids, "%+v", tt.fusion)
		require.InDelta(t, tt.best, best, 1e-9, "%+v", tt.fusion)
	}
}
