package assistant

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/api-assistant/api-assistant/assistant/ingest"
	"github.com/api-assistant/api-assistant/assistant/websearch"
	"github.com/api-assistant/api-assistant/retriever"
	"github.com/api-assistant/api-assistant/vectorstore"
	"github.com/api-assistant/api-assistant/vectorstore/chromem"
)

// Web lets an Assistant look further than its documents. The zero value makes no
// connection at all.
type Web struct {
	// Searcher is asked when no document is relevant enough; nil means never.
	Searcher Searcher
	// Fetcher reads the pages that a question names, and those that Searcher finds;
	// nil means none.
	Fetcher Fetcher
	// MinRelevance is the score of the best document below which Searcher is asked.
	// 0 means DefaultWebRelevance.
	MinRelevance float64
	// MaxResults is how many results of Searcher are used. 0 means DefaultWebResults.
	MaxResults int
}

// Defaults of Web.
const (
	DefaultWebRelevance = 0.5
	DefaultWebResults   = 5
)

// maxPages is how many pages are read for one question.
const maxPages = 5

// Searcher is a search engine; those of package websearch are.
type Searcher = websearch.Provider

// Fetcher reads a page, as websearch.Fetcher does. The URL comes from a stranger:
// an implementation must refuse addresses that are not public, and bound size and
// time. Implementations are safe for concurrent use.
type Fetcher interface {
	Fetch(ctx context.Context, url string) (websearch.Page, error)
}

// readPages reads the pages that a question names. They are stored if the
// question asks for that.
func (a *Assistant) readPages(ctx context.Context, q Question, answer *Answer) ([]found, error) {
	if !q.Fetch || a.web.Fetcher == nil {
		return nil, nil
	}
	urls := websearch.URLs(q.Text)
	answer.Failed = append(answer.Failed, urls[min(len(urls), maxPages):]...)
	var uploads []retriever.Upload
	for i, page := range a.fetch(ctx, urls[:min(len(urls), maxPages)]) {
		docs := a.pageDocuments(ctx, page)
		if len(docs) == 0 {
			answer.Failed = append(answer.Failed, urls[i])
			continue
		}
		answer.Scraped = append(answer.Scraped, urls[i])
		uploads = append(uploads, retriever.Upload{Source: urls[i], Documents: docs})
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if len(uploads) == 0 {
		return nil, nil
	}
	if q.Index {
		replaced, err := a.corpus.Replace(ctx, uploads...)
		if err != nil {
			return nil, fmt.Errorf("assistant: storing the pages of the question: %w", err)
		}
		for _, r := range replaced {
			answer.Indexed += r.Documents
		}
	}
	return relevant(ctx, withoutURLs(answer.Query), q.K, ScrapedPage, uploads)
}

// searchWeb looks a question up in the web. A provider that fails is none.
func (a *Assistant) searchWeb(ctx context.Context, query string) ([]found, error) {
	if a.web.Searcher == nil {
		return nil, nil
	}
	results, err := a.web.Searcher.Search(ctx, clip(query, maxWebQuery), a.web.MaxResults)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		a.log.WarnContext(ctx, "the web search failed", "error", err)
		return nil, nil
	}
	results = results[:min(len(results), a.web.MaxResults)]
	urls := make([]string, 0, maxPages)
	for _, r := range results[:min(len(results), maxPages)] {
		urls = append(urls, r.URL)
	}
	pages := make([]websearch.Page, len(results))
	if a.web.Fetcher != nil {
		copy(pages, a.fetch(ctx, urls))
	}
	var uploads []retriever.Upload
	for i, r := range results {
		docs := a.pageDocuments(ctx, pages[i])
		if len(docs) == 0 {
			docs = []vectorstore.Document{{Content: strings.TrimSpace(r.Title + "\n" + r.Snippet), Metadata: map[string]any{}}}
		}
		for _, d := range docs {
			d.Metadata["url"] = r.URL
			if r.Title != "" {
				d.Metadata["title"] = r.Title
			}
		}
		uploads = append(uploads, retriever.Upload{Source: r.URL, Documents: docs})
	}
	return relevant(ctx, query, a.web.MaxResults, WebResult, uploads)
}

// maxWebQuery is how much of a question a search provider is told, in bytes.
const maxWebQuery = 400

// fetch reads pages side by side. One that cannot be read is the zero Page.
func (a *Assistant) fetch(ctx context.Context, urls []string) []websearch.Page {
	pages := make([]websearch.Page, len(urls))
	var wait sync.WaitGroup
	for i, url := range urls {
		wait.Go(func() {
			page, err := a.web.Fetcher.Fetch(ctx, url)
			if err != nil {
				a.log.InfoContext(ctx, "a page could not be read", "error", err)
				return
			}
			pages[i] = page
		})
	}
	wait.Wait()
	return pages
}

// pageDocuments makes documents of a page; none if it cannot be read.
func (a *Assistant) pageDocuments(ctx context.Context, p websearch.Page) []vectorstore.Document {
	if len(bytes.TrimSpace(p.Body)) == 0 {
		return nil
	}
	options := a.ingest
	options.Progress = nil
	if p.ContentType == "text/html" || p.ContentType == "application/xhtml+xml" {
		options.Format = ingest.HTML
	}
	source, err := ingest.Parse(ctx, p.URL, bytes.NewReader(p.Body), options)
	if err != nil {
		a.log.InfoContext(ctx, "a page could not be understood", "error", err)
		return nil
	}
	for i := range source.Documents {
		meta := maps.Clone(source.Documents[i].Metadata)
		if meta == nil {
			meta = make(map[string]any, 2)
		}
		meta["url"], meta["fetched_at"] = p.URL, p.FetchedAt.UTC().Format(time.RFC3339)
		source.Documents[i].Metadata = meta
	}
	return source.Documents
}

// relevant picks the documents that fit a question, best first, on the scale of
// scores of all retrieval. Where none fits, as in "summarise this page", the
// first ones are taken.
func relevant(ctx context.Context, query string, k int, origin Origin, uploads []retriever.Upload) ([]found, error) {
	if len(uploads) == 0 {
		return nil, nil
	}
	store, err := chromem.Open(chromem.Config{})
	if err != nil {
		return nil, err
	}
	corpus, err := retriever.NewCorpus(retriever.CorpusConfig{Store: store})
	if err != nil {
		return nil, err
	}
	defer corpus.Close()
	if _, err := corpus.Replace(ctx, uploads...); err != nil {
		return nil, fmt.Errorf("assistant: reading pages: %w", err)
	}
	var hits []retriever.Hit
	if strings.TrimSpace(query) != "" {
		result, err := retriever.Lexical(corpus).Retrieve(ctx, retriever.Query{Text: query, K: k})
		if err != nil {
			return nil, err
		}
		hits = result.Hits
	}
	for d, err := range corpus.All(ctx, nil) {
		if err != nil {
			return nil, err
		}
		if len(hits) >= min(k, len(uploads)) {
			break
		}
		if !slices.ContainsFunc(hits, func(h retriever.Hit) bool { return h.ID == d.ID }) {
			hits = append(hits, retriever.Hit{Document: d})
		}
	}
	out := make([]found, len(hits))
	for i, h := range hits {
		out[i] = found{Hit: h, Origin: origin}
	}
	return out, nil
}

// withoutURLs is what a text says beside the URLs in it.
func withoutURLs(text string) string {
	for _, u := range websearch.URLs(text) {
		text = strings.ReplaceAll(text, u, " ")
	}
	return text
}
