package chromem_test

import (
	"context"
	"fmt"
	"testing"

	chromemgo "github.com/philippgille/chromem-go"
	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/vectorstore"
	"github.com/api-assistant/api-assistant/vectorstore/chromem"
)

// collection makes a chromem-go collection of five documents, in a directory.
func collection(t *testing.T, dir string) *chromemgo.Collection {
	t.Helper()
	db, err := chromemgo.NewPersistentDB(dir, true)
	require.NoError(t, err)
	c, err := db.CreateCollection("docs", nil, func(context.Context, string) ([]float32, error) { return []float32{1, 0}, nil })
	require.NoError(t, err)
	for i := range 5 {
		add(t, c, fmt.Sprint(i), []float32{1, float32(i)})
	}
	return c
}

func add(t *testing.T, c *chromemgo.Collection, id string, vector []float32) {
	t.Helper()
	require.NoError(t, c.AddDocument(t.Context(), chromemgo.Document{ID: id, Content: "c", Metadata: map[string]string{"k": "v"}, Embedding: vector}))
}

func TestImport(t *testing.T) {
	dir := t.TempDir()
	add(t, collection(t, dir), "zero", []float32{0, 0})
	db, err := chromemgo.NewPersistentDB(dir, true)
	require.NoError(t, err)
	to := open(t, chromem.Config{Dir: t.TempDir(), Dimensions: 2})
	defer to.Close()
	require.NoError(t, to.Upsert(t.Context(), record("3"), record("own")))
	n, err := chromem.Import(t.Context(), to, db.GetCollection("docs", nil))
	require.NoError(t, err)
	require.Equal(t, 6, n)
	found, err := to.Search(t.Context(), []float32{1, 4}, 1, vectorstore.Eq{Field: "k", Value: "v"})
	require.NoError(t, err)
	require.Equal(t, "4", found[0].ID)
	require.InDelta(t, 1, found[0].Score, 1e-6)
	n, err = to.Count(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, 7, n)
	n, err = to.PendingCount(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, n, "a vector of NaNs")
}

func TestImportRefuses(t *testing.T) {
	from := collection(t, t.TempDir())
	to := open(t, chromem.Config{Dimensions: 2})
	defer to.Close()
	unknown := open(t, chromem.Config{})
	defer unknown.Close()
	_, err := chromem.Import(t.Context(), unknown, from)
	require.ErrorIs(t, err, vectorstore.ErrInvalid)
	_, err = chromem.Import(t.Context(), to, nil)
	require.ErrorIs(t, err, vectorstore.ErrInvalid)
	other := open(t, chromem.Config{Dimensions: 3})
	defer other.Close()
	_, err = chromem.Import(t.Context(), other, from)
	require.ErrorContains(t, err, "3 dimensions")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = chromem.Import(ctx, to, from)
	require.ErrorIs(t, err, context.Canceled)
	n, err := to.Count(t.Context(), nil)
	require.NoError(t, err)
	require.Zero(t, n)
}
