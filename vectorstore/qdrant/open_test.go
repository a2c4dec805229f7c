package qdrant_test

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"

	qc "github.com/qdrant/go-client/qdrant"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"github.com/api-assistant/api-assistant/bm25"
	"github.com/api-assistant/api-assistant/vectorstore"
	"github.com/api-assistant/api-assistant/vectorstore/qdrant"
	"github.com/api-assistant/api-assistant/vectorstore/qdrant/qdranttest"
)

// rawClient connects to a server past the adapter.
func rawClient(t *testing.T, address string) *qc.GrpcClient {
	t.Helper()
	u, err := url.Parse(address)
	require.NoError(t, err)
	port, err := strconv.Atoi(u.Port())
	require.NoError(t, err)
	c, err := qc.NewGrpcClient(&qc.Config{Host: u.Hostname(), Port: port, SkipCompatibilityCheck: true})
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	return c
}

// TestReplicasRace opens one collection many times at once. All find it missing,
// because the first question waits until all have asked.
func TestReplicasRace(t *testing.T) {
	const replicas = 8
	var asked sync.WaitGroup
	asked.Add(replicas)
	seen := make(map[string]bool)
	var mu sync.Mutex
	server := start(t, qdranttest.Options{Interceptor: func(ctx context.Context, req any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
		answer, err := handle(ctx, req)
		if _, ok := req.(*qc.GetCollectionInfoRequest); ok && err != nil {
			asked.Done()
			asked.Wait()
		}
		mu.Lock()
		defer mu.Unlock()
		seen[info.FullMethod[strings.LastIndexByte(info.FullMethod, '/')+1:]] = true
		return answer, err
	}})
	stores := make(chan *qdrant.Store, replicas)
	var workers sync.WaitGroup
	for range replicas {
		workers.Go(func() {
			s, err := qdrant.Open(context.Background(), qdrant.Config{URL: server.URL(), Dimensions: 2, Embedder: "e"})
			if err != nil {
				t.Error(err)
				return
			}
			stores <- s
		})
	}
	workers.Wait()
	close(stores)
	n, created := 0, 0
	for s := range stores {
		if s.Created() {
			created++
		}
		require.NoError(t, s.Upsert(t.Context(), record(fmt.Sprint(n))))
		n++
		count, err := s.Count(t.Context(), nil)
		require.NoError(t, err)
		require.Equal(t, n, count, "all replicas see one collection")
		require.NoError(t, s.Close())
	}
	require.Equal(t, replicas, n)
	require.Equal(t, 1, created)
	require.True(t, seen["Create"] && seen["CreateFieldIndex"])
}

func TestAnotherEmbedder(t *testing.T) {
	cfg := qdrant.Config{URL: start(t, qdranttest.Options{}).URL(), Embedder: "e1", Dimensions: 2}
	open(t, cfg)
	another, longer, analyzer, unnamed := cfg, cfg, cfg, cfg
	another.Embedder = "e2"
	longer.Dimensions = 3
	analyzer.Analyzer = bm25.Standard()
	for _, other := range []qdrant.Config{another, longer, analyzer} {
		_, err := qdrant.Open(t.Context(), other)
		require.ErrorIs(t, err, vectorstore.ErrEmbedder)
		require.ErrorContains(t, err, "give it another name")
	}
	unnamed.Embedder, unnamed.Dimensions = "", 0
	s := open(t, unnamed)
	require.NoError(t, s.Upsert(t.Context(), record("a")), "the dimension is that of the collection")
	long := record("b")
	long.Vector = []float32{1, 2, 3}
	require.ErrorIs(t, s.Upsert(t.Context(), long), vectorstore.ErrInvalid)
}

func TestForeignCollection(t *testing.T) {
	server := start(t, qdranttest.Options{})
	_, err := rawClient(t, server.URL()).Collections().Create(t.Context(), &qc.CreateCollection{CollectionName: "theirs",
		VectorsConfig: qc.NewVectorsConfig(&qc.VectorParams{Size: 2, Distance: qc.Distance_Cosine})})
	require.NoError(t, err)
	_, err = qdrant.Open(t.Context(), qdrant.Config{URL: server.URL(), Collection: "theirs", Dimensions: 2})
	require.ErrorContains(t, err, "was not made by this package")
	_, err = qdrant.Open(t.Context(), qdrant.Config{URL: server.URL(), Collection: "new"})
	require.ErrorIs(t, err, vectorstore.ErrInvalid)
	require.ErrorContains(t, err, "Config.Dimensions")
	_, err = qdrant.Open(t.Context(), qdrant.Config{URL: server.URL(), Collection: "new", Dimensions: -1})
	require.ErrorIs(t, err, vectorstore.ErrInvalid)
}

// TestAlias moves readers from one collection to another without a pause.
func TestAlias(t *testing.T) {
	server := start(t, qdranttest.Options{})
	blue := open(t, qdrant.Config{URL: server.URL(), Collection: "blue", Dimensions: 2})
	green := open(t, qdrant.Config{URL: server.URL(), Collection: "green", Dimensions: 2})
	require.NoError(t, blue.Upsert(t.Context(), record("a")))
	require.NoError(t, green.Upsert(t.Context(), record("b"), record("c")))
	raw := rawClient(t, server.URL()).Collections()
	_, err := raw.UpdateAliases(t.Context(), &qc.ChangeAliases{Actions: []*qc.AliasOperations{qc.NewAliasCreate("live", "blue")}})
	require.NoError(t, err)
	live := open(t, qdrant.Config{URL: server.URL(), Collection: "live"})
	n, err := live.Count(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	_, err = raw.UpdateAliases(t.Context(), &qc.ChangeAliases{Actions: []*qc.AliasOperations{qc.NewAliasDelete("live"), qc.NewAliasCreate("live", "green")}})
	require.NoError(t, err)
	n, err = live.Count(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, 2, n)
}

func TestAdjust(t *testing.T) {
	server := start(t, qdranttest.Options{})
	open(t, qdrant.Config{URL: server.URL(), Dimensions: 2, Adjust: func(r *qc.CreateCollection) { r.ShardNumber = qc.PtrOf(uint32(3)) }})
	info, err := rawClient(t, server.URL()).Collections().Get(t.Context(), &qc.GetCollectionInfoRequest{CollectionName: "api_docs"})
	require.NoError(t, err)
	require.Equal(t, uint32(3), info.Result.Config.Params.ShardNumber)
	require.Len(t, info.Result.PayloadSchema, 4)
}

func TestParseURL(t *testing.T) {
	for raw, want := range map[string]string{
		"http://localhost:6334": "localhost:6334 plain", "http://localhost": "localhost:6334 plain", "localhost": "localhost:6334 plain",
		"http://localhost:6333/": "localhost:6334 plain", "grpc://localhost:6333": "localhost:6333 plain",
		"https://x.cloud.qdrant.io:6333": "x.cloud.qdrant.io:6334 TLS", "grpcs://h:443": "h:443 TLS", "https://h": "h:6334 TLS",
		"http://[::1]:7": "[::1]:7 plain", "qdrant:6334": "qdrant:6334 plain",
	} {
		got, err := qdrant.ParseURL(raw)
		require.NoError(t, err, raw)
		require.Equal(t, want, got, raw)
	}
	for _, raw := range []string{"ftp://h", "http://", "http://user:s3cret@h", "http://h/s3cret", "http://h?api-key=s3cret", "http://h:0", "http://h:99999", "http://h:x", "::"} {
		_, err := qdrant.ParseURL(raw)
		require.ErrorIs(t, err, vectorstore.ErrInvalid, raw)
		require.NotContains(t, err.Error(), "s3cret")
	}
}

func FuzzParseURL(f *testing.F) {
	for _, raw := range []string{"http://localhost:6334", "https://[::1]:6333/", "grpcs://h", "h:1", "http://a b", "http://u:p@h"} {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		got, err := qdrant.ParseURL(raw)
		if (err == nil) != (got != "") {
			t.Fatalf("%q: %q, %v", raw, got, err)
		}
	})
}
