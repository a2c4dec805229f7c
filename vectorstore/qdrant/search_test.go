package qdrant_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/bm25"
	"github.com/api-assistant/api-assistant/vectorstore"
	"github.com/api-assistant/api-assistant/vectorstore/qdrant"
	"github.com/api-assistant/api-assistant/vectorstore/qdrant/qdranttest"
)

// TestManyTies has more ties than a page: their order is that of their ids all
// the same, and the filter that is evaluated here is read to the end.
func TestManyTies(t *testing.T) {
	servers(t, func(t *testing.T, cfg qdrant.Config) {
		cfg.Dimensions = 2
		s := open(t, cfg)
		const n = 2500
		records := make([]vectorstore.Record, n)
		for i := range records {
			records[i] = vectorstore.Record{Vector: []float32{1, 2}, Document: vectorstore.Document{ID: fmt.Sprintf("%05d", (i*7919)%n), Content: fmt.Sprint("tie number ", i%10)}}
		}
		require.NoError(t, s.Upsert(t.Context(), records...))
		for _, k := range []int{1, 10, 991, 992, 993, 1500} {
			found, err := s.Search(t.Context(), []float32{1, 1}, k, nil)
			require.NoError(t, err)
			require.Len(t, found, k)
			for i, m := range found {
				require.Equal(t, fmt.Sprintf("%05d", i), m.ID)
			}
		}
		f := vectorstore.ContentContains{Value: "number 3"}
		found, err := s.Search(t.Context(), []float32{1, 1}, n, f)
		require.NoError(t, err)
		require.Len(t, found, n/10)
		few, err := s.Search(t.Context(), []float32{1, 1}, 3, f)
		require.NoError(t, err)
		require.Equal(t, found[:3], few)
	})
}

// words is a vocabulary of which some terms are frequent and some rare.
func words(rnd *rand.Rand, n int) (text string) {
	for range n {
		text += fmt.Sprintf("word%d ", int(math.Pow(60, rnd.Float64())))
	}
	return text
}

func corpus(rnd *rand.Rand, n int) []vectorstore.Record {
	out := make([]vectorstore.Record, n)
	for i := range out {
		r := vectorstore.Record{Document: vectorstore.Document{ID: fmt.Sprintf("d%04d", i), Content: words(rnd, 5+rnd.IntN(40)),
			Metadata: map[string]any{"n": i % 7, "method": []string{"GET", "POST"}[i%2]}}}
		if i%9 != 0 {
			r.Vector = []float32{rnd.Float32() - 0.5, rnd.Float32() - 0.5, rnd.Float32() - 0.5, rnd.Float32() - 0.5}
		}
		out[i] = r
	}
	return out
}

// TestWordsRankAsBM25 compares the ranking by words with that of package bm25,
// whose formula is the same but for the average length.
func TestWordsRankAsBM25(t *testing.T) {
	servers(t, func(t *testing.T, cfg qdrant.Config) {
		rnd := rand.New(rand.NewPCG(5, 6))
		docs := corpus(rnd, 200)
		weights := map[string]float64{"title": 3, "unused": 0}
		fields := func(d vectorstore.Document) bm25.Document {
			return bm25.Document{ID: d.ID, Text: d.Content, Fields: map[string]string{"title": "word" + d.ID[4:], "unused": "word1"}}
		}
		index := bm25.New(bm25.WithFieldWeights(weights))
		length := 0.0
		for _, r := range docs {
			index.Add(fields(r.Document))
			bm25.API().Tokens(r.Content, func([]byte) { length++ })
			bm25.API().Tokens("word"+r.ID[4:], func([]byte) { length += 3 })
		}
		cfg.Dimensions, cfg.Fields, cfg.Weights, cfg.AverageLength = 4, fields, weights, length/float64(len(docs))
		s := open(t, cfg)
		require.NoError(t, s.Upsert(t.Context(), docs...))
		for _, query := range []string{"word1", "word2 word7 word7", "word3 word40 nowhere", "word1 word2 word3 word4 word5"} {
			want := index.Search(query, 500)
			got, err := s.HybridSearch(t.Context(), vectorstore.HybridQuery{Text: query, K: 500})
			require.NoError(t, err)
			require.Len(t, got, len(want), query)
			scores := make(map[string]float64)
			for _, h := range want {
				scores[h.ID] = h.Score
			}
			for i, m := range got {
				require.InEpsilon(t, scores[m.ID], m.Score, 1e-3, "%s: %s", query, m.ID)
				require.Equal(t, m.Score, m.Lexical)
				require.True(t, math.IsNaN(m.Cosine))
				require.True(t, i == 0 || got[i-1].Score >= m.Score)
			}
		}
	})
}

// TestHybridIsOneRequest counts them.
func TestHybridIsOneRequest(t *testing.T) {
	s, f, _ := faulty(t, qdrant.Config{})
	rs := corpus(rand.New(rand.NewPCG(1, 1)), 100)
	for i := range rs {
		rs[i].Vector = []float32{1, float32(i)}
	}
	require.NoError(t, s.Upsert(t.Context(), rs...))
	f.set(nil)
	found, err := s.HybridSearch(t.Context(), vectorstore.HybridQuery{Text: "word3 word5", Vector: []float32{1, 50}, K: 10, Filter: vectorstore.Eq{Field: "method", Value: "GET"}})
	require.NoError(t, err)
	require.Len(t, found, 10)
	require.Equal(t, []string{"Query"}, f.calls)
	for _, m := range found {
		require.Equal(t, "GET", m.Metadata["method"])
	}
}

// TestHybrid compares a fusion on the server with the two arms, and with the
// fusion that is made here for filters that the server cannot decide.
func TestHybrid(t *testing.T) {
	servers(t, func(t *testing.T, cfg qdrant.Config) {
		cfg.Dimensions = 4
		s := open(t, cfg)
		rnd := rand.New(rand.NewPCG(8, 9))
		docs := corpus(rnd, 300)
		require.NoError(t, s.Upsert(t.Context(), docs...))
		equal := vectorstore.Eq{Field: "n", Value: 3}
		here := vectorstore.Regex(must(vectorstore.NewRegex("n", "^3$"))) // the same, in words that the server does not know
		for i := range 20 {
			q := vectorstore.HybridQuery{Text: words(rnd, 3), Vector: []float32{rnd.Float32(), -rnd.Float32(), rnd.Float32(), 1}, K: 5 + i}
			lexical, err := s.HybridSearch(t.Context(), vectorstore.HybridQuery{Text: q.Text, K: 300})
			require.NoError(t, err)
			similar, err := s.Search(t.Context(), q.Vector, 300, nil)
			require.NoError(t, err)
			cosines := make(map[string]float64)
			for _, m := range similar {
				cosines[m.ID] = m.Score
			}
			depth := max(50, 4*q.K)
			scores := make(map[string]float64)
			for rank, m := range lexical[:min(depth, len(lexical))] {
				scores[m.ID] += 1 / float64(61+rank)
			}
			for rank, m := range similar[:min(depth, len(similar))] {
				scores[m.ID] += 1 / float64(61+rank)
			}
			found, err := s.HybridSearch(t.Context(), q)
			require.NoError(t, err)
			require.Len(t, found, min(q.K, len(scores)))
			for i, m := range found {
				require.InDelta(t, scores[m.ID], m.Score, 1e-3, "%s", m.ID) // equal scores in an arm may change places
				require.True(t, math.IsNaN(m.Lexical))
				if c, ok := cosines[m.ID]; ok {
					require.InDelta(t, c, m.Cosine, 1e-5)
				} else {
					require.True(t, math.IsNaN(m.Cosine), "it has no vector")
				}
				require.True(t, i == 0 || found[i-1].Score > m.Score || found[i-1].Score == m.Score && found[i-1].ID < m.ID, "ties by id")
				require.Nil(t, m.Data)
			}
			q.Filter = equal
			there, err := s.HybridSearch(t.Context(), q)
			require.NoError(t, err)
			q.Filter = here
			fused, err := s.HybridSearch(t.Context(), q)
			require.NoError(t, err)
			require.Len(t, fused, len(there))
			for i := range fused {
				require.InDelta(t, there[i].Score, fused[i].Score, 1e-3)
				require.EqualValues(t, 3, fused[i].Metadata["n"])
			}
		}
	})
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestHybridEdges(t *testing.T) {
	s := open(t, qdrant.Config{URL: start(t, qdranttest.Options{}).URL(), Dimensions: 2})
	require.NoError(t, s.Upsert(t.Context(), record("a"), record("bb")))
	ask := func(q vectorstore.HybridQuery) []vectorstore.HybridMatch {
		found, err := s.HybridSearch(t.Context(), q)
		require.NoError(t, err)
		return found
	}
	require.Empty(t, ask(vectorstore.HybridQuery{K: 5}), "nothing was asked")
	require.Empty(t, ask(vectorstore.HybridQuery{Text: "content", K: 0}))
	require.Empty(t, ask(vectorstore.HybridQuery{Text: "...", K: 5}), "no words")
	byVector := ask(vectorstore.HybridQuery{Text: "...", Vector: []float32{1, 2}, K: 5})
	require.Equal(t, "bb", byVector[0].ID)
	require.InDelta(t, 1, byVector[0].Cosine, 1e-6)
	require.True(t, math.IsNaN(byVector[0].Lexical))
	require.Len(t, ask(vectorstore.HybridQuery{Text: "content", Vector: []float32{1, 2}, K: 1 << 40}), 2, "k may be anything")
	_, err := s.HybridSearch(t.Context(), vectorstore.HybridQuery{Text: "x", Vector: []float32{1}, K: 5})
	require.ErrorIs(t, err, vectorstore.ErrInvalid)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = s.HybridSearch(ctx, vectorstore.HybridQuery{Text: "x", K: 5})
	require.ErrorIs(t, err, context.Canceled)
}

// TestAllBeyondTheSnapshot iterates over more than is read ahead.
func TestAllBeyondTheSnapshot(t *testing.T) {
	defer qdrant.SetSnapshotBytes(1000)()
	s := open(t, qdrant.Config{URL: start(t, qdranttest.Options{}).URL(), Dimensions: 2})
	require.NoError(t, s.Upsert(t.Context(), records(2200, "old")...))
	f := vectorstore.And{vectorstore.ContentContains{Value: "o"}, vectorstore.EndsWith{Field: "n", Value: "1"}}
	n, changed := 0, 0
	for d, err := range s.All(t.Context(), f) {
		require.NoError(t, err)
		if n == 0 {
			late := records(2200, "nothing of it")[2199]
			added := record("99999")
			added.Content = "old"
			_, err := s.Delete(t.Context(), "01500", "01501")
			require.NoError(t, err)
			require.NoError(t, s.Upsert(t.Context(), late, added))
		}
		if d.ID == "01500" || d.ID == "99999" {
			changed++
		}
		require.NotEqual(t, "99999", d.ID, "additions do not show")
		require.JSONEq(t, `{"a":"<"}`, string(d.Data))
		n++
	}
	require.InDelta(t, 2198, n, 2, "deleted documents are left out unless they were read ahead")
	count, err := s.Count(t.Context(), f)
	require.NoError(t, err)
	require.Equal(t, 2199, count)
}

// TestPendingTogether: Pending with documents that have a vector.
func TestPendingIsPushed(t *testing.T) {
	s, f, _ := faulty(t, qdrant.Config{})
	rs := records(300, "x")
	rs[7].Vector = nil
	require.NoError(t, s.Upsert(t.Context(), rs...))
	f.set(nil)
	n := 0
	for d, err := range s.Pending(t.Context()) {
		require.NoError(t, err)
		require.Equal(t, "00007", d.ID)
		n++
	}
	require.Equal(t, 1, n)
	require.Equal(t, []string{"Scroll"}, f.calls, "one page")
	found, err := s.HybridSearch(t.Context(), vectorstore.HybridQuery{Text: "x1 content x", K: 1})
	require.NoError(t, err)
	require.Empty(t, found, "a single letter is no word")
}
