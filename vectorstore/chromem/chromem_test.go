package chromem_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	chromemgo "github.com/philippgille/chromem-go"
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

func TestImport(t *testing.T) {
	db := chromemgo.NewDB()
	from, err := db.CreateCollection("docs", nil, func(context.Context, string) ([]float32, error) { return []float32{1, 0}, nil })
	require.NoError(t, err)
	for i := range 5 {
		require.NoError(t, from.AddDocument(t.Context(), chromemgo.Document{ID: fmt.Sprint(i), Content: "c",
			Metadata: map[string]string{"k": "v"}, Embedding: []float32{1, float32(i)}}))
	}
	to := open(t, chromem.Config{Dimensions: 2})
	defer to.Close()
	n, err := chromem.Import(t.Context(), to, from)
	require.NoError(t, err)
	require.Equal(t, 5, n)
	found, err := to.Search(t.Context(), []float32{1, 4}, 1, vectorstore.Eq{Field: "k", Value: "v"})
	require.NoError(t, err)
	require.Equal(t, "4", found[0].ID)
	unknown := open(t, chromem.Config{})
	defer unknown.Close()
	_, err = chromem.Import(t.Context(), unknown, from)
	require.ErrorIs(t, err, vectorstore.ErrInvalid)
}

// TestMain also is the writer that TestKill kills.
func TestMain(m *testing.M) {
	if dir := os.Getenv("CHROMEM_TEST_WRITE"); dir != "" {
		writeUntilKilled(dir)
	}
	os.Exit(m.Run())
}

// writeUntilKilled stores documents in batches of three and prints the number
// of each acknowledged batch.
func writeUntilKilled(dir string) {
	s, err := chromem.Open(chromem.Config{Dir: dir, Dimensions: 2})
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	n, _ := s.Count(context.Background(), nil)
	for batch := n / 3; ; batch++ {
		var records []vectorstore.Record
		for i := range 3 {
			records = append(records, record(fmt.Sprintf("%d-%d", batch, i)))
		}
		if err := s.Upsert(context.Background(), records...); err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
		fmt.Println(batch)
	}
}

// TestKill kills a writer with SIGKILL again and again. Whatever it acknowledged
// must be there, batches must be whole, and the store must open.
func TestKill(t *testing.T) {
	rounds := 10
	if os.Getenv("API_ASSISTANT_LONG") != "" {
		rounds = 200
	}
	dir := t.TempDir()
	acknowledged := -1
	for round := range rounds {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "CHROMEM_TEST_WRITE="+dir)
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		lines := bufio.NewScanner(out)
		for i := 0; i < 1+round%7 && lines.Scan(); i++ {
			_, err := fmt.Sscan(lines.Text(), &acknowledged)
			require.NoError(t, err, lines.Text())
		}
		time.Sleep(time.Duration(round*137%1000) * time.Microsecond) // into the middle of something
		require.NoError(t, cmd.Process.Kill())
		for lines.Scan() { // what it said before it died
			_, err := fmt.Sscan(lines.Text(), &acknowledged)
			require.NoError(t, err, lines.Text())
		}
		_, _ = io.Copy(io.Discard, out)
		_ = cmd.Wait()

		s := open(t, chromem.Config{Dir: dir, Dimensions: 2})
		n, err := s.Count(t.Context(), nil)
		require.NoError(t, err)
		require.GreaterOrEqual(t, n, 3*(acknowledged+1), "round %d", round)
		require.Zero(t, n%3, "half a batch, round %d", round)
		require.NoError(t, s.Close())
	}
	require.GreaterOrEqual(t, acknowledged, rounds-1)
}
