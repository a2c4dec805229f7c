package retriever_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/llm"
	"github.com/api-assistant/api-assistant/llm/offline"
	"github.com/api-assistant/api-assistant/retriever"
	"github.com/api-assistant/api-assistant/vectorstore"
	"github.com/api-assistant/api-assistant/vectorstore/chromem"
)

func Example() {
	store, err := chromem.Open(chromem.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	corpus, err := retriever.NewCorpus(retriever.CorpusConfig{Store: store, Embedder: offline.NewEmbedder(0)})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer corpus.Close()
	ctx := context.Background()
	_, err = corpus.Add(ctx,
		vectorstore.Document{Content: "GET /orders lists orders"},
		vectorstore.Document{Content: "POST /orders creates an order"})
	if err != nil {
		fmt.Println(err)
		return
	}
	found, err := retriever.New(corpus, retriever.Options{}).Retrieve(ctx, retriever.Query{Text: "how to create an order"})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, h := range found.Hits {
		fmt.Printf("%.2f %s\n", h.Score, h.Content)
	}
	// Output:
	// 0.50 POST /orders creates an order
	// 0.18 GET /orders lists orders
}

// flaky is an embedder that fails while it is down.
type flaky struct {
	llm.Embedder
	down  atomic.Bool
	calls atomic.Int64
}

func (f *flaky) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	f.calls.Add(1)
	if f.down.Load() {
		return nil, errors.New("the embedder is down")
	}
	return f.Embedder.Embed(ctx, texts)
}

func newCorpus(t testing.TB, dir string, e llm.Embedder) *retriever.Corpus {
	t.Helper()
	cfg := chromem.Config{Dir: dir}
	if e != nil {
		cfg.Embedder, cfg.Dimensions = e.Name(), e.Dimensions()
	}
	store, err := chromem.Open(cfg)
	require.NoError(t, err)
	c, err := retriever.NewCorpus(retriever.CorpusConfig{Store: store, Embedder: e})
	require.NoError(t, err)
	return c
}

func doc(id, content string) vectorstore.Document {
	return vectorstore.Document{ID: id, Content: content}
}

func search(t *testing.T, c *retriever.Corpus, q retriever.Query) []string {
	t.Helper()
	r, err := retriever.New(c, retriever.Options{VectorWeight: 0.3}).Retrieve(t.Context(), q)
	require.NoError(t, err)
	require.True(t, slices.IsSortedFunc(r.Hits, func(a, b retriever.Hit) int {
		switch {
		case a.Score > b.Score:
			return -1
		case a.Score < b.Score:
			return 1
		}
		return 0
	}), "scores never increase")
	ids := []string{}
	for _, h := range r.Hits {
		require.True(t, h.Score >= 0 && h.Score <= 1)
		require.Nil(t, h.Data)
		ids = append(ids, h.ID)
	}
	return ids
}

func TestAddCounts(t *testing.T) {
	c := newCorpus(t, "", nil)
	defer c.Close()
	first, err := c.Add(t.Context(), doc("a", "one"), doc("", "two"), doc("", "two"), doc("b", "three"))
	require.NoError(t, err)
	require.Equal(t, retriever.Added{IDs: []string{"a", retriever.ContentID("two"), "b"}, New: 3, Skipped: 1}, first)
	again, err := c.Add(t.Context(), doc("a", "one"), doc("b", "changed"), vectorstore.Document{Content: "two", Metadata: map[string]any{"k": 1}})
	require.NoError(t, err)
	require.Equal(t, 0, again.New)
	require.Equal(t, 2, again.Updated, "another content, and other metadata")
	require.Equal(t, 1, again.Skipped)
	before := c.Generation()
	same, err := c.Add(t.Context(), vectorstore.Document{Content: "two", Metadata: map[string]any{"k": 1.0}})
	require.NoError(t, err)
	require.Equal(t, 1, same.Skipped)
	require.Equal(t, before, c.Generation(), "nothing was written")
	for _, bad := range [][]vectorstore.Document{{doc("x", "")}, {doc("x", "1"), doc("x", "2")}, {doc("ok", "fine"), doc("\xff", "1")}} {
		_, err = c.Add(t.Context(), bad...)
		require.ErrorIs(t, err, vectorstore.ErrInvalid)
	}
	n, err := c.Count(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, 3, n, "a bad document in a batch stores nothing")
}

func TestReplace(t *testing.T) {
	c := newCorpus(t, "", nil)
	defer c.Close()
	at := func(pointer, content string) vectorstore.Document {
		return vectorstore.Document{ID: pointer + content, Pointer: pointer, Content: content}
	}
	_, err := c.Add(t.Context(), vectorstore.Document{ID: "own", Content: "a caller's", Metadata: map[string]any{"source_file": "api.yaml"}})
	require.NoError(t, err)
	first, err := c.Replace(t.Context(), retriever.Upload{Source: "api.yaml", Documents: []vectorstore.Document{at("/a", "apple"), at("/b", "banana"), at("/c", "cherry")}},
		retriever.Upload{Source: "other.yaml", Documents: []vectorstore.Document{at("/z", "zebra")}})
	require.NoError(t, err)
	require.Equal(t, 3, first[0].New)
	require.Equal(t, []string{"/bbanana"}, search(t, c, retriever.Query{Text: "banana"}))
	second, err := c.Replace(t.Context(), retriever.Upload{Source: "api.yaml", Documents: []vectorstore.Document{at("/a", "apple"), at("/b", "blueberry"), at("/d", "date")}})
	require.NoError(t, err)
	r := second[0]
	require.Equal(t, []int{3, 1, 1, 1, 1}, []int{r.Documents, r.New, r.Updated, r.Unchanged, r.Removed})
	require.Empty(t, search(t, c, retriever.Query{Text: "banana cherry"}), "what was replaced is gone at once")
	require.Equal(t, []string{"/bblueberry"}, search(t, c, retriever.Query{Text: "blueberry"}))
	require.Equal(t, []string{"/zzebra"}, search(t, c, retriever.Query{Text: "zebra"}))
	require.Equal(t, []string{"own"}, search(t, c, retriever.Query{Text: "caller"}), "metadata does not make a document part of a source")

	sources, err := c.Sources(t.Context())
	require.NoError(t, err)
	require.Equal(t, []retriever.SourceInfo{{Name: "api.yaml", Documents: 3}, {Name: "other.yaml", Documents: 1}}, sources)
	n, err := c.RemoveSource(t.Context(), "api.yaml")
	require.NoError(t, err)
	require.Equal(t, 3, n)
	require.Empty(t, search(t, c, retriever.Query{Text: "blueberry apple"}))
	for _, bad := range [][]retriever.Upload{{{Source: ""}}, {{Source: "x"}, {Source: "x"}}} {
		_, err = c.Replace(t.Context(), bad...)
		require.ErrorIs(t, err, vectorstore.ErrInvalid)
	}
}

func TestModesFiltersAndThresholds(t *testing.T) {
	c := newCorpus(t, "", offline.NewEmbedder(0))
	defer c.Close()
	for i := range 30 {
		_, err := c.Add(t.Context(), vectorstore.Document{ID: fmt.Sprintf("d%02d", i), Content: fmt.Sprintf("order number %d", i),
			Metadata: map[string]any{"n": i}})
		require.NoError(t, err)
	}
	for _, mode := range []retriever.Mode{"", retriever.ModeHybrid, retriever.ModeLexical, retriever.ModeVector} {
		few := search(t, c, retriever.Query{Text: "order", Mode: mode, K: 3, Filter: vectorstore.Gte{Field: "n", Value: 25}})
		require.Len(t, few, 3, "the filter applies before the cut: %s", mode)
		for _, id := range few {
			require.GreaterOrEqual(t, id, "d25")
		}
		require.Len(t, search(t, c, retriever.Query{Text: "order", Mode: mode}), retriever.DefaultK)
		require.Empty(t, search(t, c, retriever.Query{Text: "order", Mode: mode, MinScore: 1}))
	}
	require.Equal(t, search(t, c, retriever.Query{Text: "order", Mode: retriever.ModeLexical})[:3], []string{"d00", "d01", "d02"}, "ties are in the order of ids")
	for _, bad := range []retriever.Query{{}, {Text: " \n"}, {Text: "x", K: -1}, {Text: "x", K: 501}, {Text: "x", MinScore: 2}, {Text: "x", Mode: "magic"}} {
		_, err := retriever.New(c, retriever.Options{}).Retrieve(t.Context(), bad)
		require.ErrorIs(t, err, retriever.ErrQuery)
	}
}

func TestWithoutEmbedder(t *testing.T) {
	c := newCorpus(t, "", nil)
	defer c.Close()
	_, err := c.Add(t.Context(), doc("a", "orders"))
	require.NoError(t, err)
	require.Equal(t, []string{"a"}, search(t, c, retriever.Query{Text: "orders"}))
	_, err = retriever.New(c, retriever.Options{}).Retrieve(t.Context(), retriever.Query{Text: "orders", Mode: retriever.ModeVector})
	require.ErrorIs(t, err, retriever.ErrNoVectors)
}

// TestEmbedderDown stores documents while the embedder is down: they are found
// by words at once and get their vectors later, in the background.
func TestEmbedderDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &flaky{Embedder: offline.NewEmbedder(0)}
		e.down.Store(true)
		c := newCorpus(t, "", e)
		defer c.Close()
		_, err := c.Add(t.Context(), doc("a", "list orders"), doc("b", "pay an invoice"))
		require.NoError(t, err)
		pending, err := c.Pending(t.Context())
		require.NoError(t, err)
		require.Equal(t, 2, pending)
		r, err := retriever.New(c, retriever.Options{VectorWeight: 0.5}).Retrieve(t.Context(), retriever.Query{Text: "orders"})
		require.NoError(t, err)
		require.Equal(t, "a", r.Hits[0].ID)
		require.Contains(t, r.Degraded, "words only")

		time.Sleep(time.Minute)
		tried := e.calls.Load()
		require.Less(t, tried, int64(12), "the pauses grow")
		e.down.Store(false)
		time.Sleep(10 * time.Minute)
		pending, err = c.Pending(t.Context())
		require.NoError(t, err)
		require.Zero(t, pending)
		require.Equal(t, []string{"b", "a"}, search(t, c, retriever.Query{Text: "pay invoices", Mode: retriever.ModeVector}))
	})
}

func TestRestart(t *testing.T) {
	dir, e := t.TempDir(), offline.NewEmbedder(0)
	c := newCorpus(t, dir, e)
	_, err := c.Add(t.Context(), doc("a", "list orders"), doc("b", "pay an invoice"))
	require.NoError(t, err)
	before := search(t, c, retriever.Query{Text: "list invoice"})
	require.NoError(t, c.Close())
	c = newCorpus(t, dir, e)
	defer c.Close()
	require.False(t, c.Ready())
	require.Equal(t, before, search(t, c, retriever.Query{Text: "list invoice"}))
	require.True(t, c.Ready(), "the index was derived from the store")
}

// TestSearchesSeeWholeWrites replaces a source of five documents by another
// version again and again, while searches run: each must see one version.
func TestSearchesSeeWholeWrites(t *testing.T) {
	c := newCorpus(t, t.TempDir(), offline.NewEmbedder(0))
	defer c.Close()
	version := func(v int) retriever.Upload {
		u := retriever.Upload{Source: "api"}
		for i := range 5 {
			u.Documents = append(u.Documents, vectorstore.Document{ID: fmt.Sprintf("v%d-%d", v, i), Pointer: fmt.Sprint(i),
				Content: fmt.Sprintf("orders part %d", i), Metadata: map[string]any{"version": v}})
		}
		return u
	}
	_, err := c.Replace(t.Context(), version(0))
	require.NoError(t, err)
	var searchers sync.WaitGroup
	done := make(chan struct{})
	for g := range 3 {
		searchers.Go(func() {
			r := retriever.New(c, retriever.Options{VectorWeight: []float64{0, 0.3, 1}[g]})
			for {
				select {
				case <-done:
					return
				default:
				}
				found, err := r.Retrieve(context.Background(), retriever.Query{Text: "orders part", K: 20})
				if err != nil {
					t.Error(err)
					return
				}
				seen := make(map[any]int)
				for _, h := range found.Hits {
					seen[h.Metadata["version"]]++
				}
				if len(seen) != 1 || len(found.Hits) != 5 {
					t.Errorf("a search saw a write half-way: %v", seen)
				}
			}
		})
	}
	for v := range 60 {
		_, err := c.Replace(t.Context(), version(v+1))
		require.NoError(t, err)
	}
	close(done)
	searchers.Wait()
}

// failing is a store whose writes fail after they took effect.
type failing struct {
	*chromem.Store
	fail bool
}

func (f *failing) Apply(ctx context.Context, b vectorstore.Batch) error {
	err := f.Store.Apply(ctx, b)
	if f.fail {
		return errors.Join(err, errors.New("the connection broke"))
	}
	return err
}

func TestWriteOfUnknownOutcome(t *testing.T) {
	store, err := chromem.Open(chromem.Config{})
	require.NoError(t, err)
	f := &failing{Store: store}
	c, err := retriever.NewCorpus(retriever.CorpusConfig{Store: f})
	require.NoError(t, err)
	defer c.Close()
	_, err = c.Add(t.Context(), doc("a", "apples"))
	require.NoError(t, err)
	require.Len(t, search(t, c, retriever.Query{Text: "apples"}), 1)
	f.fail = true
	_, err = c.Add(t.Context(), doc("b", "apples too"))
	require.Error(t, err)
	require.Len(t, search(t, c, retriever.Query{Text: "apples"}), 2, "the index follows the store, whatever happened")
}
