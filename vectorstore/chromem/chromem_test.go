package chromem_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/vectorstore"
	"github.com/api-assistant/api-assistant/vectorstore/chromem"
	"github.com/api-assistant/api-assistant/vectorstore/storetest"
)

func Example() {
	store, err := chromem.Open(chromem.Config{Dimensions: 2}) // no Dir: in memory
	if err != nil {
		fmt.Println(err)
		return
	}
	defer store.Close()
	ctx := context.Background()
	err = store.Upsert(ctx,
		vectorstore.Record{Document: vectorstore.Document{ID: "1", Content: "GET /orders"}, Vector: []float32{1, 0}},
		vectorstore.Record{Document: vectorstore.Document{ID: "2", Content: "POST /orders"}, Vector: []float32{1, 1}})
	if err != nil {
		fmt.Println(err)
		return
	}
	found, err := store.Search(ctx, []float32{1, 0}, 2, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, m := range found {
		fmt.Printf("%s %.2f\n", m.Content, m.Score)
	}
	// Output:
	// GET /orders 1.00
	// POST /orders 0.71
}

func TestConformance(t *testing.T) {
	t.Run("Memory", func(t *testing.T) {
		storetest.Run(t, func(t *testing.T, dimensions int) vectorstore.VectorStore {
			return open(t, chromem.Config{Dimensions: dimensions})
		})
	})
	t.Run("Disk", func(t *testing.T) {
		storetest.Run(t, func(t *testing.T, dimensions int) vectorstore.VectorStore {
			return open(t, chromem.Config{Dir: t.TempDir(), Dimensions: dimensions})
		})
	})
}

func open(t *testing.T, cfg chromem.Config) *chromem.Store {
	t.Helper()
	s, err := chromem.Open(cfg)
	require.NoError(t, err)
	return s
}

func collect(t *testing.T, s *chromem.Store) (docs []vectorstore.Document) {
	t.Helper()
	for d, err := range s.All(t.Context(), nil) {
		require.NoError(t, err)
		docs = append(docs, d)
	}
	return docs
}

func record(id string) vectorstore.Record {
	return vectorstore.Record{Vector: []float32{1, float32(len(id))}, Document: vectorstore.Document{ID: id, Source: "f",
		Content: "content of " + id, Metadata: map[string]any{"n": 1, "l": []any{"a", 2.5}}, Data: []byte(`{"a":"<"}`)}}
}

func TestReopen(t *testing.T) {
	cfg := chromem.Config{Dir: t.TempDir(), Embedder: "e1", Dimensions: 2}
	s := open(t, cfg)
	pending := record("pending")
	pending.Vector = nil
	require.NoError(t, s.Upsert(t.Context(), record("a"), record("gone"), pending))
	_, err := s.Delete(t.Context(), "gone")
	require.NoError(t, err)
	before, err := s.Get(t.Context(), "a", "pending")
	require.NoError(t, err)
	require.NoError(t, s.Close())

	s = open(t, cfg)
	defer s.Close()
	after, err := s.Get(t.Context(), "a", "gone", "pending")
	require.NoError(t, err)
	require.Equal(t, before, after, "documents are the same to the type after a restart")
	n, err := s.PendingCount(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, n)
	found, err := s.Search(t.Context(), []float32{1, 1}, 5, nil)
	require.NoError(t, err)
	require.Len(t, found, 1)
}

func TestAnotherEmbedder(t *testing.T) {
	cfg := chromem.Config{Dir: t.TempDir(), Embedder: "e1"}
	s := open(t, cfg)
	require.NoError(t, s.Upsert(t.Context(), record("a")))
	require.NoError(t, s.Close())
	for _, other := range []chromem.Config{{Dir: cfg.Dir, Embedder: "e2"}, {Dir: cfg.Dir, Embedder: "e1", Dimensions: 3}} {
		_, err := chromem.Open(other)
		require.ErrorIs(t, err, vectorstore.ErrEmbedder)
		require.ErrorContains(t, err, "e1")
	}
	s = open(t, chromem.Config{Dir: cfg.Dir, Embedder: "e2", Dimensions: 3, Reembed: true})
	n, err := s.PendingCount(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, n, "the vectors are dropped, the documents stay")
	require.NoError(t, s.Close())
	_, err = chromem.Open(cfg)
	require.ErrorIs(t, err, vectorstore.ErrEmbedder, "the new embedder is recorded")
}

func TestLocked(t *testing.T) {
	cfg := chromem.Config{Dir: t.TempDir()}
	s := open(t, cfg)
	defer s.Close()
	_, err := chromem.Open(cfg)
	require.ErrorIs(t, err, vectorstore.ErrLocked)
	require.ErrorContains(t, err, cfg.Dir)
}

// TestDamage flips bytes and cuts the file: the store must say ErrCorrupt or
// hold every record, never some of them, and never crash.
func TestDamage(t *testing.T) {
	dir := t.TempDir()
	s := open(t, chromem.Config{Dir: dir})
	for i := range 50 {
		require.NoError(t, s.Upsert(t.Context(), record(fmt.Sprintf("%050d", i))))
	}
	want := collect(t, s)
	require.NoError(t, s.Close())
	whole, err := os.ReadFile(filepath.Join(dir, "api_docs.db"))
	require.NoError(t, err)
	used := len(bytes.TrimRight(whole, "\x00"))
	refused := 0
	try := func(name string, damaged []byte) {
		t.Helper()
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, "api_docs.db"), damaged, 0o600))
		s, err := chromem.Open(chromem.Config{Dir: dir})
		if err != nil {
			require.ErrorIs(t, err, vectorstore.ErrCorrupt, name)
			require.ErrorContains(t, err, "backup", name)
			refused++
			return
		}
		require.Equal(t, want, collect(t, s), name)
		found, err := s.Search(t.Context(), []float32{1, 1}, 100, nil)
		require.NoError(t, err)
		require.Len(t, found, len(want), name)
		require.NoError(t, s.Close())
	}
	for at := 0; at < used; at += 199 {
		damaged := append([]byte(nil), whole...)
		for i := at; i < min(at+16, len(damaged)); i++ {
			damaged[i] ^= 0x5a
		}
		try(fmt.Sprint("flipped at ", at), damaged)
	}
	for _, size := range []int{1, 100, 4096, used / 2} {
		try(fmt.Sprint("cut to ", size), whole[:size])
	}
	try("text", []byte(strings.Repeat("not a database\n", 2000)))
	require.Greater(t, refused, 5, "the damage was noticed")
}

// TestSnapshot copies a store while it is written to, and opens the copies.
func TestSnapshot(t *testing.T) {
	s := open(t, chromem.Config{Dir: t.TempDir(), Embedder: "e1", Dimensions: 2})
	defer s.Close()
	require.NoError(t, s.Upsert(t.Context(), record("first"), record("second")))
	var writer sync.WaitGroup
	writer.Go(func() {
		for i := range 20 {
			if err := s.Upsert(context.Background(), record(fmt.Sprint("a", i)), record(fmt.Sprint("b", i))); err != nil {
				t.Error(err)
			}
		}
	})
	for range 3 {
		dir := t.TempDir()
		f, err := os.Create(filepath.Join(dir, "docs.db"))
		require.NoError(t, err)
		least, err := s.Count(t.Context(), nil)
		require.NoError(t, err)
		require.NoError(t, s.Snapshot(t.Context(), f))
		require.NoError(t, f.Close())
		copied := open(t, chromem.Config{Dir: dir, Collection: "docs", Embedder: "e1", Dimensions: 2})
		n, err := copied.Count(t.Context(), nil)
		require.NoError(t, err)
		require.GreaterOrEqual(t, n, least)
		require.Zero(t, n%2, "half a transaction")
		require.NoError(t, copied.Close())
	}
	writer.Wait()

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, s.Snapshot(ctx, io.Discard), context.Canceled)
	full := errors.New("no space")
	require.ErrorIs(t, s.Snapshot(t.Context(), failing{full}), full)
	require.NoError(t, s.Upsert(t.Context(), record("after")))
	require.NoError(t, s.Close())
	require.ErrorIs(t, s.Snapshot(t.Context(), io.Discard), vectorstore.ErrClosed)
	memory := open(t, chromem.Config{})
	defer memory.Close()
	require.ErrorIs(t, memory.Snapshot(t.Context(), io.Discard), errors.ErrUnsupported)
}

// TestSnapshotBlocksNobody writes more than the file holds while a snapshot waits
// for its reader.
func TestSnapshotBlocksNobody(t *testing.T) {
	s := open(t, chromem.Config{Dir: t.TempDir()})
	defer s.Close()
	require.NoError(t, s.Upsert(t.Context(), record("first")))
	r, w := io.Pipe()
	done := make(chan error)
	go func() { done <- s.Snapshot(t.Context(), w) }()
	_, err := io.ReadFull(r, make([]byte, 1))
	require.NoError(t, err)
	big := record("big")
	big.Content = strings.Repeat("x", 8<<20)
	require.NoError(t, s.Upsert(t.Context(), big))
	go func() { _, _ = io.Copy(io.Discard, r) }()
	require.NoError(t, <-done)
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }
