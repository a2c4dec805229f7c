package chromem_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/vectorstore"
	"github.com/api-assistant/api-assistant/vectorstore/chromem"
)

// BenchmarkOpen opens a store of 10,000 records.
func BenchmarkOpen(b *testing.B) {
	const size, dimensions = 10_000, 384
	cfg := chromem.Config{Dir: b.TempDir(), Dimensions: dimensions}
	s, err := chromem.Open(cfg)
	require.NoError(b, err)
	records := make([]vectorstore.Record, size)
	for i := range records {
		v := make([]float32, dimensions)
		for j := range v {
			v[j] = rand.Float32() - 0.5
		}
		records[i] = vectorstore.Record{Vector: v, Document: vectorstore.Document{ID: fmt.Sprint(i),
			Content: strings.Repeat("It has fields. ", 12), Metadata: map[string]any{"method": "GET", "path": fmt.Sprint("/", i), "page": i % 7}}}
	}
	require.NoError(b, s.Upsert(b.Context(), records...))
	require.NoError(b, s.Close())
	b.ReportAllocs()
	for b.Loop() {
		s, err := chromem.Open(cfg)
		require.NoError(b, err)
		require.NoError(b, s.Close())
	}
}
