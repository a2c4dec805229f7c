package main

import (
	"errors"
	"fmt"

	"github.com/api-assistant/api-assistant/assistant"
	"github.com/api-assistant/api-assistant/assistant/websearch"
)

// webConfig says whether and how the server looks further than its documents.
// Without a provider it makes no connection, neither to search nor to read the
// pages that a question names.
type webConfig struct {
	Enabled      bool    `env:"ENABLE_WEB_SEARCH" envDefault:"true"`
	Provider     string  `env:"WEB_SEARCH_PROVIDER"` // searxng, brave or duckduckgo
	URL          string  `env:"WEB_SEARCH_URL"`      // of SearXNG
	Key          string  `env:"WEB_SEARCH_API_KEY"`  // of Brave
	MinRelevance float64 `env:"WEB_SEARCH_MIN_RELEVANCE" envDefault:"0.5"`
	MaxResults   int     `env:"WEB_SEARCH_MAX_RESULTS" envDefault:"5"`
}

// The search providers.
const (
	webSearXNG    = "searxng"
	webBrave      = "brave"
	webDuckDuckGo = "duckduckgo"
)

func (c webConfig) check() error {
	var errs []error
	switch c.Provider {
	case "", webDuckDuckGo:
	case webSearXNG:
		if _, err := websearch.NewClientTo(c.URL, websearch.ClientOptions{}); err != nil {
			errs = append(errs, errors.New("WEB_SEARCH_PROVIDER=searxng needs WEB_SEARCH_URL, such as http://localhost:8080"))
		}
	case webBrave:
		if c.Key == "" {
			errs = append(errs, errors.New("WEB_SEARCH_PROVIDER=brave needs WEB_SEARCH_API_KEY"))
		}
	default:
		errs = append(errs, errors.New("WEB_SEARCH_PROVIDER must be searxng, brave or duckduckgo, or empty for none"))
	}
	if !(c.MinRelevance >= 0 && c.MinRelevance <= 1) {
		errs = append(errs, errors.New("WEB_SEARCH_MIN_RELEVANCE must be 0 to 1"))
	}
	if c.MaxResults < 1 || c.MaxResults > 20 {
		errs = append(errs, errors.New("WEB_SEARCH_MAX_RESULTS must be 1 to 20"))
	}
	return errors.Join(errs...)
}

// web is what the assistant looks further with; the zero value if that is off.
func (c webConfig) web() (assistant.Web, error) {
	if !c.Enabled || c.Provider == "" {
		return assistant.Web{}, nil
	}
	client := websearch.NewClient(websearch.ClientOptions{})
	out := assistant.Web{Fetcher: websearch.NewFetcher(client, websearch.FetchOptions{}), MinRelevance: c.MinRelevance, MaxResults: c.MaxResults}
	switch c.Provider {
	case webSearXNG:
		own, err := websearch.NewClientTo(c.URL, websearch.ClientOptions{})
		if err != nil {
			return assistant.Web{}, fmt.Errorf("WEB_SEARCH_URL: %w", err)
		}
		out.Searcher = websearch.NewSearXNG(c.URL, own)
	case webBrave:
		out.Searcher = websearch.NewBrave(c.Key, client)
	case webDuckDuckGo:
		out.Searcher = websearch.NewDuckDuckGo(client)
	}
	return out, nil
}
