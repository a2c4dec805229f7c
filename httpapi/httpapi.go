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
//
// There is one table of endpoints. The router, GET /openapi.json and GET /docs
// are made from it, and the schemas from the very types that are decoded and
// encoded, so that the description cannot say something else than the code.
//
// # Trade-offs
//
// Requests are read leniently where clients differ ("5" is a number, "yes" is a
// boolean, unknown fields are passed over) and strictly where leniency hides
// mistakes: duplicate keys, trailing bytes, invalid UTF-8, NUL characters, and
// field names in another case are not accepted. Bodies and files are held in
// memory while a request runs; the limits in [Options] bound them.
package httpapi

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/api-assistant/api-assistant/assistant"
	"github.com/api-assistant/api-assistant/assistant/session"
)

// Options configure New. The zero value is usable.
type Options struct {
	Title      string // of the API, in /openapi.json and /docs; "API Assistant" if empty
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
	// Sessions keeps the conversations; the caller closes it. nil means a store in
	// memory, which ends with the process.
	Sessions session.Store
	// Principal names who makes a request, and so owns the sessions that it makes.
	// nil means that nobody is known: all sessions are everybody's.
	Principal func(*http.Request) string
	// NeedsKey makes /openapi.json say that callers need a key. It is the
	// middleware around the handler that asks for it.
	NeedsKey bool
	// Checks are asked by GET /ready beside the store and the index, by name ("llm",
	// say). Each must heed its context; one that fails makes the server not ready.
	Checks map[string]func(context.Context) error
	// Routes are endpoints beside those of this package.
	Routes []Route
	// Observer is told what happens, for metrics; nil is nobody.
	Observer Observer
	// TracerProvider makes a span for each request; nil makes none.
	TracerProvider trace.TracerProvider
	// Logger is told of internal errors; nil is silent.
	Logger *slog.Logger
}

// Route is an endpoint beside those of this package, such as that of MCP. A
// request for its path with another method is answered as everywhere: 405.
type Route struct {
	Pattern string // as http.ServeMux takes it: "POST /mcp"
	Handler http.Handler
	// Summary is a sentence for /openapi.json and /docs. Without one, neither shows
	// the route; pages and files need none.
	Summary string
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

// withDefaults fills in what Options leave open.
func (o Options) withDefaults() Options {
	if o.Title == "" {
		o.Title = "API Assistant"
	}
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
	if o.Sessions == nil {
		o.Sessions = session.NewMemory(session.Options{})
	}
	if o.Principal == nil {
		o.Principal = func(*http.Request) string { return "" }
	}
	if o.Observer == nil {
		o.Observer = nobody{}
	}
	if o.TracerProvider == nil {
		o.TracerProvider = noop.NewTracerProvider()
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// api is the handler's state; it is read-only.
type api struct {
	Options
	assistant *assistant.Assistant
	tracer    trace.Tracer
	now       func() time.Time
}

// New returns the HTTP interface of an assistant. The caller closes the
// assistant after the last request. A pattern in Options.Routes that ServeMux
// does not take, or that is there already, panics as it does in ServeMux.
func New(a *assistant.Assistant, o Options) http.Handler {
	o = o.withDefaults()
	s := &api{Options: o, assistant: a, now: time.Now,
		tracer: o.TracerProvider.Tracer("github.com/api-assistant/api-assistant/httpapi")}
	mux := newRouter(s)
	endpoints := s.endpoints()
	for _, e := range append(endpoints, s.described(endpoints)...) {
		mux.handle(e.pattern, e.answer.serve)
	}
	for _, r := range o.Routes {
		mux.mount(r)
	}
	return RequestID(Observe(o.Observer)(mux))
}

// endpoints is the table of what is served, in the order in which /docs shows
// it.
func (s *api) endpoints() []endpoint {
	var all []endpoint
	for _, of := range [][]endpoint{
		s.chatEndpoints(), s.searchEndpoints(), s.operationEndpoints(), s.diagramEndpoints(), s.documentEndpoints(), s.sourceEndpoints(),
		s.sessionEndpoints(), s.systemEndpoints(),
	} {
		all = append(all, of...)
	}
	return all
}
