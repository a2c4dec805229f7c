package httpapi_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/assistant"
	"github.com/api-assistant/api-assistant/examples/sample"
	"github.com/api-assistant/api-assistant/httpapi"
	"github.com/api-assistant/api-assistant/retriever"
)

// BenchmarkSearch is a search over the sample from the request to the answer:
// what is left of it without the retriever's share is the cost of this package.
// BenchmarkRetrieve is that share.
func BenchmarkSearch(b *testing.B) {
	h := httpapi.New(benchAssistant(b), httpapi.Options{})
	body := []byte(`{"query": "place an order", "n_results": 5, "mode": "lexical"}`)
	b.ReportAllocs()
	for b.Loop() {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("POST", "/search", bytes.NewReader(body)))
		require.Equal(b, 200, w.Code)
	}
}

// BenchmarkHealth is the cost of a request that does nothing.
func BenchmarkHealth(b *testing.B) {
	h := httpapi.New(benchAssistant(b), httpapi.Options{})
	b.ReportAllocs()
	for b.Loop() {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/health", nil))
		require.Equal(b, 200, w.Code)
	}
}

func BenchmarkRetrieve(b *testing.B) {
	a := benchAssistant(b)
	b.ReportAllocs()
	for b.Loop() {
		_, err := a.Search(b.Context(), retriever.Query{Text: "place an order", K: 5, Mode: retriever.ModeLexical})
		require.NoError(b, err)
	}
}

func benchAssistant(b *testing.B) *assistant.Assistant {
	b.Helper()
	a, err := assistant.New(assistant.Config{})
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, a.Close()) })
	_, err = a.Ingest(b.Context(), assistant.File{Name: sample.BookshopName, Content: bytes.NewReader(sample.Bookshop)})
	require.NoError(b, err)
	return a
}
