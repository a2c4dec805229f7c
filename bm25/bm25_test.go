package bm25_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/bm25"
	"github.com/api-assistant/api-assistant/bm25/internal/corpus"
)

func Example() {
	x := bm25.New()
	x.Add(
		bm25.Document{ID: "list", Text: "GET /orders lists orders, newest first"},
		bm25.Document{ID: "create", Text: "POST /orders creates an order from a cart"},
		bm25.Document{ID: "cancel", Text: "DELETE /orders/{order_id} cancels an order"},
	)
	for _, hit := range x.Search("How do I cancel my order?", 2) {
		fmt.Printf("%s %.2f\n", hit.ID, hit.Score)
	}
	// Output:
	// cancel 1.14
	// create 0.20
}

func requireSameHits(t *testing.T, want, got []bm25.Hit, msg string) {
	t.Helper()
	require.Len(t, got, len(want), msg)
	for i := range want {
		require.Equal(t, want[i].ID, got[i].ID, "%s: rank %d", msg, i+1)
		require.InEpsilon(t, want[i].Score, got[i].Score, 1e-6, "%s: score of rank %d", msg, i+1)
	}
}

func TestGolden(t *testing.T) {
	dir := cmp.Or(os.Getenv("API_ASSISTANT_DATA"), "../../shared/data")
	raw, err := os.ReadFile(filepath.Join(dir, "bm25", "golden.json"))
	if err != nil {
		t.Skipf("the golden scores are not here (set API_ASSISTANT_DATA): %v", err)
	}
	var golden struct {
		K1, B     float64
		Documents map[string]string
		Queries   map[string]map[string]float64
	}
	require.NoError(t, json.Unmarshal(raw, &golden))
	x := bm25.New(bm25.WithAnalyzer(bm25.Standard()), bm25.WithK1(golden.K1), bm25.WithB(golden.B))
	for id, text := range golden.Documents {
		x.Add(bm25.Document{ID: id, Text: text})
	}
	require.NotEmpty(t, golden.Queries)
	for query, want := range golden.Queries {
		got := x.Search(query, len(golden.Documents))
		require.Len(t, got, len(want), query)
		for _, hit := range got {
			require.InEpsilon(t, want[hit.ID], hit.Score, 1e-6, "%s: %s", query, hit.ID)
		}
	}
}

// TestAnyHistoryEqualsARebuild applies random writes and compares every search
// with the reference over the live documents.
func TestAnyHistoryEqualsARebuild(t *testing.T) {
	for seed := range uint64(12) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			w := corpus.NewWords(seed, 300)
			weights := map[string]float64{"title": 3, "notes": 0, "tags": 1 + float64(seed%2)/2}
			x := bm25.New(bm25.WithAnalyzer(bm25.Standard()), bm25.WithFieldWeights(weights))
			live := make(map[string]bm25.Document)
			for step := range 120 {
				switch op := w.IntN(10); {
				case op < 6:
					n := 1
					if op == 0 {
						n = w.IntN(400)
					}
					for range n {
						id := fmt.Sprintf("d%04d", w.IntN(3000))
						d := bm25.Document{ID: id, Text: w.Text(w.IntN(20)), Fields: map[string]string{
							"title": w.Text(w.IntN(4)), "notes": w.Text(3), "tags": w.Text(w.IntN(3))}}
						x.Add(d)
						live[id] = d
					}
				case op < 8:
					var ids []string
					deleted := 0
					for range w.IntN(60) {
						id := fmt.Sprintf("d%04d", w.IntN(3000))
						if _, ok := live[id]; ok {
							deleted++
							delete(live, id)
						}
						ids = append(ids, id)
					}
					require.Equal(t, deleted, x.Delete(ids...))
				case op == 8:
					x.Flush()
				}
				require.Equal(t, len(live), x.Len())
				if step%4 == 0 && len(live) > 0 {
					query := w.Text(1 + w.IntN(6))
					k := 1 + w.IntN(15)
					var keep func(string) bool
					var opts []bm25.SearchOption
					if w.IntN(2) == 0 {
						keep = func(id string) bool { return id[len(id)-1]%3 == 0 }
						opts = append(opts, bm25.Where(keep))
					}
					requireSameHits(t, newReference(bm25.Standard(), weights, live).search(query, k, keep),
						x.Search(query, k, opts...), fmt.Sprintf("step %d, %q, k %d", step, query, k))
				}
			}
		})
	}
}

// TestLargeSegments searches an index of several windows and segments.
func TestLargeSegments(t *testing.T) {
	if testing.Short() {
		t.Skip("indexes 80,000 documents")
	}
	w := corpus.NewWords(1, 5000)
	x := bm25.New(bm25.WithAnalyzer(bm25.Standard()))
	live := make(map[string]bm25.Document)
	for i := range 80_000 {
		d := bm25.Document{ID: fmt.Sprintf("d%06d", i), Text: w.Text(3 + w.IntN(12))}
		x.Add(d)
		live[d.ID] = d
	}
	for i := 0; i < 80_000; i += 7 {
		id := fmt.Sprintf("d%06d", i)
		x.Delete(id)
		delete(live, id)
	}
	r := newReference(bm25.Standard(), nil, live)
	for range 30 {
		query := w.Text(1 + w.IntN(5))
		requireSameHits(t, r.search(query, 10, nil), x.Search(query, 10), query)
	}
}

func TestConcurrentUse(t *testing.T) {
	x := bm25.New(bm25.WithAnalyzer(bm25.Standard()))
	x.Add(bm25.Document{ID: "fixed", Text: "anchor"})
	var all sync.WaitGroup
	for g := range 4 {
		all.Go(func() {
			w := corpus.NewWords(uint64(g), 500)
			for i := range 300 {
				id := fmt.Sprintf("g%d_%d", g, i%40)
				switch i % 4 {
				case 0, 1:
					x.Add(bm25.Document{ID: id, Text: w.Text(8) + id})
					if hits := x.Search(id, 1); len(hits) == 0 || hits[0].ID != id {
						t.Errorf("a goroutine does not find what it has added: %v", hits)
					}
				case 2:
					x.Delete(id)
					if x.Has(id) {
						t.Errorf("%s is there after Delete", id)
					}
				default:
					if hits := x.Search("anchor "+w.Text(3), 1000); !slices.ContainsFunc(hits, func(h bm25.Hit) bool { return h.ID == "fixed" }) {
						t.Errorf("the fixed document is missing")
					}
				}
			}
		})
	}
	all.Wait()
}

func TestEdges(t *testing.T) {
	x := bm25.New()
	require.Empty(t, x.Search("anything", 5))
	x.Add(bm25.Document{ID: "a", Text: "one order"}, bm25.Document{ID: "", Text: "order"}, bm25.Document{ID: "b"})
	require.Equal(t, 2, x.Len())
	require.Empty(t, x.Search("", 5))
	require.Empty(t, x.Search("order", 0))
	require.Empty(t, x.Search("order", -1))
	require.Len(t, x.Search("order", math.MaxInt), 1)
	x.Add(bm25.Document{ID: "a", Text: "other text"})
	require.Empty(t, x.Search("order", 5), "the replaced text is gone")
	require.Equal(t, 0, x.Delete("nope", ""))
	require.Equal(t, 1, x.Delete("a", "a"))
	require.Equal(t, 1, x.Len())
}

func TestSearchTerms(t *testing.T) {
	x := bm25.New()
	x.Add(bm25.Document{ID: "a", Text: "delete order"}, bm25.Document{ID: "b", Text: "cancel order"}, bm25.Document{ID: "c", Text: "ship parcel"})
	whole := x.Search("cancel order", 3)
	require.Equal(t, whole, x.SearchTerms([]bm25.Term{{Text: "cancel", Weight: 1}, {Text: "order", Weight: 1}}, 3))
	weighted := x.SearchTerms([]bm25.Term{{Text: "cancel", Weight: 0.25}, {Text: "delet", Weight: 1}, {Text: "order", Weight: -1}}, 3)
	require.Equal(t, "a", weighted[0].ID)
	require.InEpsilon(t, weighted[0].Score/4, weighted[1].Score, 1e-9)
}
