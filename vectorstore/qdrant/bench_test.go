package qdrant_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/vectorstore"
	"github.com/api-assistant/api-assistant/vectorstore/qdrant"
	"github.com/api-assistant/api-assistant/vectorstore/qdrant/qdranttest"
)

// The benchmarks measure this package, the wire and the double together, which
// is what the client side costs at most; a server's own work is another matter.

func benchStore(b *testing.B, n int) (*qdrant.Store, []vectorstore.Record) {
	b.Helper()
	s := open(b, qdrant.Config{URL: start(b, qdranttest.Options{}).URL(), Dimensions: 384})
	rnd := rand.New(rand.NewPCG(1, 2))
	docs := corpus(rnd, n)
	for i := range docs {
		docs[i].Vector = make([]float32, 384)
		for j := range docs[i].Vector {
			docs[i].Vector[j] = rnd.Float32() - 0.5
		}
	}
	return s, docs
}

func BenchmarkUpsert500(b *testing.B) {
	s, docs := benchStore(b, 500)
	b.ReportAllocs()
	for b.Loop() {
		require.NoError(b, s.Upsert(b.Context(), docs...))
	}
	b.ReportMetric(float64(b.N*len(docs))/b.Elapsed().Seconds(), "records/s")
}

func BenchmarkSearch(b *testing.B) {
	s, docs := benchStore(b, 1000)
	require.NoError(b, s.Upsert(b.Context(), docs...))
	for name, f := range map[string]vectorstore.Filter{
		"all": nil, "pushed": vectorstore.Eq{Field: "n", Value: 3}, "here": vectorstore.Contains{Field: "method", Value: "OS"},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, err := s.Search(b.Context(), docs[1].Vector, 10, f)
				require.NoError(b, err)
			}
		})
	}
}

func BenchmarkHybridSearch(b *testing.B) {
	s, docs := benchStore(b, 1000)
	require.NoError(b, s.Upsert(b.Context(), docs...))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		_, err := s.HybridSearch(b.Context(), vectorstore.HybridQuery{Text: fmt.Sprintf("word%d word7", i%20), Vector: docs[1].Vector, K: 10})
		require.NoError(b, err)
	}
}
