// Package httpapi serves an assistant over HTTP with JSON.
//
//	a, err := assistant.New(assistant.Config{})
//	if err != nil { … }
//	handler := httpapi.New(a, httpapi.Options{Version: "1.0.0"})
//	http.ListenAndServe("127.0.0.1:8000", handler)
//
// The handler knows nothing of keys, origins or deployment: wrap it in the
// middleware of package auth, or in your own. Every error has one shape:
//
//	{"error": "validation_failed", "message": "…", "detail": {…}, "request_id": "…"}
//
// The codes in "error" are stable; see [Code].
package httpapi

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/api-assistant/api-assistant/assistant"
)

// Options configure New. The zero value is usable.
type Options struct {
	Version    string // shown by /health; "dev" if empty
	Collection string // shown by /stats; "api_docs" if empty
	// MaxBody bounds a JSON or form body in bytes. 0 means DefaultMaxBody.
	MaxBody int64
	// MaxUpload bounds one uploaded file in bytes. 0 means DefaultMaxUpload.
	MaxUpload int64
	// MaxFiles bounds the files of one upload. 0 means DefaultMaxFiles.
	MaxFiles int
	// Extensions are the file name extensions that may be uploaded, without the
	// dot, in lower case. nil means DefaultExtensions.
	Extensions []string
	// Logger is told of internal errors; nil is silent.
	Logger *slog.Logger
}

// Limits that hold where Options set none.
const (
	DefaultMaxBody   = 4 << 20
	DefaultMaxUpload = 10 << 20
	DefaultMaxFiles  = 200
)

// DefaultExtensions are the kinds of file that assistant/ingest reads.
func DefaultExtensions() []string {
	return []string{"json", "yaml", "yml", "md", "txt", "graphql", "gql", "markdown", "html", "csv", "pdf", "docx"}
}

// api is the handler's state; it is read-only.
type api struct {
	assistant *assistant.Assistant
	Options
	log *slog.Logger
	now func() time.Time
}

// New returns the HTTP interface of an assistant. The caller closes the
// assistant after the last request.
func New(a *assistant.Assistant, o Options) http.Handler {
	if o.Version == "" {
		o.Version = "dev"
	}
	if o.Collection == "" {
		o.Collection = "api_docs"
	}
	if o.MaxBody <= 0 {
		o.MaxBody = DefaultMaxBody
	}
	if o.MaxUpload <= 0 {
		o.MaxUpload = DefaultMaxUpload
	}
	if o.MaxFiles <= 0 {
		o.MaxFiles = DefaultMaxFiles
	}
	if o.Extensions == nil {
		o.Extensions = DefaultExtensions()
	}
	s := &api{assistant: a, Options: o, log: o.Logger, now: time.Now}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	return RequestID(s.routes())
}

// routes maps methods and paths to handlers.
func (s *api) routes() http.Handler {
	mux := &router{mux: http.NewServeMux(), api: s}
	mux.handle("GET /health", s.health)
	mux.handle("GET /ready", s.ready)
	mux.handle("GET /stats", s.stats)
	mux.handle("POST /documents", s.addDocuments)
	mux.handle("GET /documents/{id}", s.getDocument)
	mux.handle("DELETE /documents/{id}", s.deleteDocument)
	mux.handle("POST /documents/upload", s.upload)
	mux.handle("POST /search", s.search)
	mux.handle("POST /chat", s.chat)
	mux.handle("POST /verify", s.verify)
	return mux.handler()
}
