package qdrant_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/vectorstore"
	"github.com/api-assistant/api-assistant/vectorstore/qdrant"
	"github.com/api-assistant/api-assistant/vectorstore/qdrant/qdranttest"
	"github.com/api-assistant/api-assistant/vectorstore/storetest"
)

func Example() {
	server, err := qdranttest.Start(qdranttest.Options{}) // stands in for a Qdrant server
	if err != nil {
		fmt.Println(err)
		return
	}
	defer server.Close()
	ctx := context.Background()
	store, err := qdrant.Open(ctx, qdrant.Config{URL: server.URL(), Dimensions: 2})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer store.Close()
	err = store.Upsert(ctx,
		vectorstore.Record{Document: vectorstore.Document{ID: "1", Content: "GET /orders"}, Vector: []float32{1, 0}},
		vectorstore.Record{Document: vectorstore.Document{ID: "2", Content: "POST /orders"}, Vector: []float32{1, 1}})
	if err != nil {
		fmt.Println(err)
		return
	}
	found, err := store.HybridSearch(ctx, vectorstore.HybridQuery{Text: "post an order", Vector: []float32{1, 0}, K: 2})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, m := range found {
		fmt.Printf("%s %.2f\n", m.Content, m.Cosine)
	}
	// Output:
	// GET /orders 1.00
	// POST /orders 0.71
}

// start runs a server that the test's end stops.
func start(t testing.TB, o qdranttest.Options) *qdranttest.Server {
	t.Helper()
	server, err := qdranttest.Start(o)
	require.NoError(t, err)
	t.Cleanup(server.Close)
	return server
}

// open opens a store that the test's end closes. It is patient: the machine may be
// busy with other things.
func open(t testing.TB, cfg qdrant.Config) *qdrant.Store {
	t.Helper()
	if cfg.Timeout == 0 {
		cfg.Timeout = 5 * time.Minute
	}
	s, err := qdrant.Open(context.Background(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}

func TestConformance(t *testing.T) {
	storetest.Run(t, func(t *testing.T, dimensions int) vectorstore.VectorStore {
		return open(t, qdrant.Config{URL: start(t, qdranttest.Options{}).URL(), Dimensions: dimensions})
	})
}

// TestRealServer runs the suite against the server at QDRANT_URL, in collections
// of its own.
func TestRealServer(t *testing.T) {
	url := os.Getenv("QDRANT_URL")
	if url == "" {
		t.Skip("QDRANT_URL is not set: there is no Qdrant server to test against")
	}
	run := fmt.Sprintf("storetest_%d_", os.Getpid())
	storetest.Run(t, func(t *testing.T, dimensions int) vectorstore.VectorStore {
		name := run + strings.NewReplacer("/", "_", "#", "_").Replace(t.Name())
		cfg := qdrant.Config{URL: url, APIKey: os.Getenv("QDRANT_API_KEY"), Dimensions: dimensions, Collection: name}
		t.Cleanup(func() { require.NoError(t, qdrant.Drop(context.Background(), cfg)) })
		return open(t, cfg)
	})
}
