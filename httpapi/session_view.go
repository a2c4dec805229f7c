package httpapi

import (
	"time"

	"github.com/api-assistant/api-assistant/assistant/session"
)

// sessionView is a session as callers get it.
type sessionView struct {
	ID           string         `json:"session_id"`
	UserID       *string        `json:"user_id"`
	CreatedAt    time.Time      `json:"created_at"`
	LastAccessed time.Time      `json:"last_accessed"`
	ExpiresAt    time.Time      `json:"expires_at"`
	Status       string         `json:"status" validate:"oneof=active inactive expired"`
	Settings     settingsView   `json:"settings"`
	History      []messageView  `json:"conversation_history" doc:"oldest first"`
	Metadata     map[string]any `json:"metadata"`
	Collection   *string        `json:"collection_name"`
}

type settingsView struct {
	SearchMode         string         `json:"default_search_mode" validate:"oneof=vector lexical hybrid reranked"`
	NResults           int            `json:"default_n_results"`
	UseReranking       bool           `json:"use_reranking"`
	UseQueryExpansion  bool           `json:"use_query_expansion"`
	UseDiversification bool           `json:"use_diversification"`
	ShowScores         bool           `json:"show_scores"`
	ShowMetadata       bool           `json:"show_metadata"`
	MaxContentLength   int            `json:"max_content_length"`
	Collection         *string        `json:"default_collection"`
	CustomMetadata     map[string]any `json:"custom_metadata"`
}

type messageView struct {
	Role      string         `json:"role" validate:"oneof=user assistant system"`
	Content   string         `json:"content"`
	Timestamp time.Time      `json:"timestamp"`
	Metadata  map[string]any `json:"metadata"`
}

func viewOf(s session.Session) sessionView {
	out := sessionView{s.ID, orNull(s.UserID), s.CreatedAt, s.LastAccessed, s.ExpiresAt, string(s.Status),
		settingsViewOf(s.Settings), make([]messageView, len(s.History)), object(s.Metadata), orNull(s.Collection)}
	for i, m := range s.History {
		out.History[i] = messageView{string(m.Role), m.Content, m.Timestamp, object(m.Metadata)}
	}
	return out
}

func settingsViewOf(s session.Settings) settingsView {
	return settingsView{s.DefaultSearchMode, s.DefaultNResults, s.UseReranking, s.UseQueryExpansion, s.UseDiversification,
		s.ShowScores, s.ShowMetadata, s.MaxContentLength, orNull(s.DefaultCollection), object(s.CustomMetadata)}
}

// orNull makes an empty text null.
func orNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
