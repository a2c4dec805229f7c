package assistant_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/assistant"
	"github.com/api-assistant/api-assistant/assistant/websearch"
	"github.com/api-assistant/api-assistant/retriever"
	"github.com/api-assistant/api-assistant/vectorstore"
)

var fetchedAt = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// site is a web of pages and a search engine over it.
type site struct {
	pages   map[string]string
	results []websearch.Result
	err     error

	mu       sync.Mutex
	fetched  []string
	searched []string
}

func (s *site) Fetch(_ context.Context, url string) (websearch.Page, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fetched = append(s.fetched, url)
	body, ok := s.pages[url]
	if !ok {
		return websearch.Page{}, errors.New("not there")
	}
	kind := "text/plain"
	if strings.HasPrefix(body, "<") {
		kind = "text/html"
	}
	return websearch.Page{URL: url, ContentType: kind, Body: []byte(body), FetchedAt: fetchedAt}, nil
}

func (s *site) Search(_ context.Context, query string, limit int) ([]websearch.Result, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.searched = append(s.searched, query)
	return s.results[:min(limit, len(s.results))], s.err
}

const zebraPage = "<html><body><h1>Zebras</h1><p>Zebras sleep standing in the savanna.</p></body></html>"

func TestPagesOfTheQuestion(t *testing.T) {
	web := &site{pages: map[string]string{"https://zebra.example/a": zebraPage, "https://zebra.example/empty": " "}}
	a := newAssistant(t, assistant.Config{Web: assistant.Web{Fetcher: web, Searcher: web}})
	ingestSample(t, a)
	question := assistant.Question{Text: "How do zebras sleep? See https://zebra.example/a, https://zebra.example/empty and https://zebra.example/gone"}

	answer, err := a.Ask(t.Context(), question)
	require.NoError(t, err)
	require.Empty(t, web.fetched, "only if the question says so")
	require.Len(t, web.searched, 1)

	question.Fetch = true
	answer, err = a.Ask(t.Context(), question)
	require.NoError(t, err)
	require.Equal(t, []string{"https://zebra.example/a"}, answer.Scraped)
	require.Equal(t, []string{"https://zebra.example/empty", "https://zebra.example/gone"}, answer.Failed)
	require.Zero(t, answer.Indexed)
	first := answer.Citations[0]
	require.Equal(t, assistant.ScrapedPage, first.Type)
	require.Equal(t, "https://zebra.example/a", first.URL)
	require.Contains(t, answer.Text, "savanna")
	require.Len(t, web.searched, 1, "the page that was named answers")
	n, err := a.Corpus().Count(t.Context(), vectorstore.Eq{Field: "url", Value: "https://zebra.example/a"})
	require.NoError(t, err)
	require.Zero(t, n)

	question.Index = true
	answer, err = a.Ask(t.Context(), question)
	require.NoError(t, err)
	require.Equal(t, 1, answer.Indexed)
	found, err := a.Search(t.Context(), retriever.Query{Text: "zebras"})
	require.NoError(t, err)
	require.Equal(t, "https://zebra.example/a", found.Hits[0].Source)
	require.Equal(t, "https://zebra.example/a", found.Hits[0].Metadata["url"])
	require.Equal(t, "2026-01-02T03:04:05Z", found.Hits[0].Metadata["fetched_at"])
	answer, err = a.Ask(t.Context(), assistant.Question{Text: "Where do zebras sleep?"})
	require.NoError(t, err)
	require.Equal(t, assistant.IndexedDocument, answer.Citations[0].Type)
	require.Equal(t, "https://zebra.example/a", answer.Citations[0].URL)
}

func TestPagesAreCounted(t *testing.T) {
	web := &site{}
	a := newAssistant(t, assistant.Config{Web: assistant.Web{Fetcher: web}})
	var text strings.Builder
	for i := range 9 {
		fmt.Fprintf(&text, "https://zebra.example/%d ", i)
	}
	answer, err := a.Ask(t.Context(), assistant.Question{Text: text.String(), Fetch: true})
	require.NoError(t, err)
	require.Len(t, web.fetched, 5)
	require.Len(t, answer.Failed, 9)
	require.False(t, answer.Grounded)
}

func TestWebSearch(t *testing.T) {
	web := &site{pages: map[string]string{"https://zebra.example/a": zebraPage},
		results: []websearch.Result{{Title: "All about zebras", URL: "https://zebra.example/a", Snippet: "How zebras sleep"},
			{Title: "Zebra facts", URL: "https://zebra.example/b", Snippet: "Zebras sleep little"}}}
	with := func(w assistant.Web) *assistant.Assistant {
		a := newAssistant(t, assistant.Config{Web: w})
		ingestSample(t, a)
		return a
	}
	const question = "How do zebras sleep?"

	answer, err := with(assistant.Web{}).Ask(t.Context(), assistant.Question{Text: question, Fetch: true, Index: true})
	require.NoError(t, err)
	require.False(t, answer.Grounded)
	require.Contains(t, answer.Text, "do not answer")
	require.Empty(t, web.searched, "off means no connection")

	answer, err = with(assistant.Web{Searcher: web}).Ask(t.Context(), assistant.Question{Text: question})
	require.NoError(t, err)
	require.True(t, answer.Grounded)
	require.Empty(t, web.fetched)
	require.Equal(t, assistant.WebResult, answer.Citations[0].Type)
	require.Equal(t, "https://zebra.example/a", answer.Citations[0].URL)
	require.Contains(t, answer.Text, "How zebras sleep")

	answer, err = with(assistant.Web{Searcher: web, Fetcher: web}).Ask(t.Context(), assistant.Question{Text: question})
	require.NoError(t, err)
	require.Contains(t, answer.Text, "savanna", "the page rather than the snippet")
	require.Empty(t, answer.Scraped, "these are the pages of the question")

	asked := len(web.searched)
	answer, err = with(assistant.Web{Searcher: web}).Ask(t.Context(), assistant.Question{Text: "place an order"})
	require.NoError(t, err)
	require.Equal(t, assistant.IndexedDocument, answer.Citations[0].Type)
	require.Len(t, web.searched, asked, "the documents answer")

	web.err = errors.New("no such luck")
	answer, err = with(assistant.Web{Searcher: web}).Ask(t.Context(), assistant.Question{Text: question})
	require.NoError(t, err, "a provider that fails is none")
	require.False(t, answer.Grounded)
}
