//go:build !race

package bm25_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/bm25"
	"github.com/api-assistant/api-assistant/bm25/internal/corpus"
)

// The race detector makes sync.Pool forget at random, so this runs without it.
func TestSearchAllocatesItsResultOnly(t *testing.T) {
	x := bm25.New()
	w := corpus.NewWords(3, 1000)
	for i := range 2000 {
		x.Add(bm25.Document{ID: fmt.Sprint(i), Text: w.Text(30)})
	}
	query := w.Text(4)
	require.NotEmpty(t, x.Search(query, 10))
	require.LessOrEqual(t, testing.AllocsPerRun(200, func() { x.Search(query, 10) }), 1.0)
}
