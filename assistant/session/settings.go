package session

import (
	"encoding/json"
	"slices"
	"strings"
)

// Settings are how a session likes to search and to be answered. To change some
// of them by JSON, decode it into a Settings that has the others:
//
//	settings := session.DefaultSettings()
//	err := json.Unmarshal([]byte(`{"default_n_results": 10}`), &settings)
type Settings struct {
	DefaultSearchMode  string         `json:"default_search_mode"` // vector, lexical, hybrid or reranked
	DefaultNResults    int            `json:"default_n_results"`   // 1 to 100
	UseReranking       bool           `json:"use_reranking"`
	UseQueryExpansion  bool           `json:"use_query_expansion"`
	UseDiversification bool           `json:"use_diversification"`
	ShowScores         bool           `json:"show_scores"`
	ShowMetadata       bool           `json:"show_metadata"`
	MaxContentLength   int            `json:"max_content_length"` // of a result that is shown, in characters; 100 to 2,000
	DefaultCollection  string         `json:"default_collection"` // null in JSON if empty
	CustomMetadata     map[string]any `json:"custom_metadata"`
}

// DefaultSettings are those of a session for which none are given.
func DefaultSettings() Settings {
	return Settings{DefaultSearchMode: "hybrid", DefaultNResults: 5, ShowScores: true, ShowMetadata: true,
		MaxContentLength: 500, CustomMetadata: map[string]any{}}
}

var searchModes = []string{"vector", "lexical", "hybrid", "reranked"}

// Validate returns a *FieldError about the first setting that is out of range,
// with the name that it has in a session: "settings.default_n_results".
func (s Settings) Validate() error {
	switch {
	case !slices.Contains(searchModes, s.DefaultSearchMode):
		return fieldError("settings.default_search_mode", "must be one of %s", strings.Join(searchModes, ", "))
	case s.DefaultNResults < 1 || s.DefaultNResults > 100:
		return fieldError("settings.default_n_results", "is %d, it must be from 1 to 100", s.DefaultNResults)
	case s.MaxContentLength < 100 || s.MaxContentLength > 2000:
		return fieldError("settings.max_content_length", "is %d, it must be from 100 to 2000", s.MaxContentLength)
	}
	return checkName("settings.default_collection", s.DefaultCollection)
}

// MarshalJSON writes null for a DefaultCollection that is empty.
func (s Settings) MarshalJSON() ([]byte, error) {
	type plain Settings
	return json.Marshal(struct {
		*plain
		DefaultCollection *string        `json:"default_collection"`
		CustomMetadata    map[string]any `json:"custom_metadata"`
	}{(*plain)(&s), orNull(s.DefaultCollection), s.CustomMetadata})
}
