package httpapi_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/embedded"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/api-assistant/api-assistant/assistant/apispec"
	"github.com/api-assistant/api-assistant/httpapi"
)

// witness notes what an Observer is told.
type witness struct {
	mu       sync.Mutex
	requests []httpapi.RequestEvent
	searches []httpapi.SearchEvent
	answers  []httpapi.AnswerEvent
}

func (w *witness) Request(e httpapi.RequestEvent) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.requests = append(w.requests, e)
}
func (w *witness) Search(e httpapi.SearchEvent) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.searches = append(w.searches, e)
}
func (w *witness) Answer(e httpapi.AnswerEvent) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answers = append(w.answers, e)
}

func TestObserver(t *testing.T) {
	w := &witness{}
	h := newHandler(t, httpapi.Options{Observer: w, Routes: []httpapi.Route{{Pattern: "POST /mcp", Handler: http.NotFoundHandler()}}})
	uploadSample(t, h)
	call(h, "GET", "/documents/some", "")
	call(h, "POST", "/search", `{"query": "order"}`)
	call(h, "POST", "/chat", `{"message": "How do I place an order?"}`)
	call(h, "GET", "/no/such/path", "")
	call(h, "BREW", "/health", "")
	call(h, "POST", "/mcp", "")
	var got []httpapi.RequestEvent
	for _, r := range w.requests {
		require.Positive(t, r.Duration)
		require.Positive(t, r.Bytes)
		r.Duration, r.Bytes = 0, 0
		got = append(got, r)
	}
	require.Equal(t, []httpapi.RequestEvent{
		{Route: "POST /documents/upload", Method: "POST", Status: 201}, {Route: "GET /documents/{id}", Method: "GET", Status: 404},
		{Route: "POST /search", Method: "POST", Status: 200}, {Route: "POST /chat", Method: "POST", Status: 200},
		{Method: "GET", Status: 404}, {Method: "OTHER", Status: 405}, {Route: "POST /mcp", Method: "POST", Status: 404},
	}, got)
	require.Len(t, w.searches, 1)
	require.Equal(t, "hybrid", w.searches[0].Mode)
	require.Equal(t, 5, w.searches[0].Hits)
	require.Len(t, w.answers, 1)
	require.True(t, w.answers[0].Grounded)
	require.Positive(t, w.answers[0].Endpoints[apispec.OK])
}

// TestObserveFurtherOut: the outermost Observe counts, also what never reaches
// the handler, and only once.
func TestObserveFurtherOut(t *testing.T) {
	outer, inner := &witness{}, &witness{}
	h := newHandler(t, httpapi.Options{Observer: inner})
	limited := httpapi.Observe(outer)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Test-Limited") != "" {
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		h.ServeHTTP(w, r)
	}))
	call(limited, "GET", "/health", "", "X-Test-Limited: yes")
	call(limited, "GET", "/health", "")
	require.Empty(t, inner.requests)
	require.Len(t, outer.requests, 2)
	require.Equal(t, []any{"", 429}, []any{outer.requests[0].Route, outer.requests[0].Status})
	require.Equal(t, []any{"GET /health", 200}, []any{outer.requests[1].Route, outer.requests[1].Status})
}

// spans is a TracerProvider that notes its spans.
type spans struct {
	embedded.TracerProvider
	names   []string
	parents []string
	status  []int64
}

func (s *spans) Tracer(string, ...trace.TracerOption) trace.Tracer { return tracer{spans: s} }

type tracer struct {
	embedded.Tracer
	spans *spans
}

func (t tracer) Start(ctx context.Context, name string, _ ...trace.SpanStartOption) (context.Context, trace.Span) {
	t.spans.names = append(t.spans.names, name)
	t.spans.parents = append(t.spans.parents, trace.SpanContextFromContext(ctx).TraceID().String())
	_, span := noop.NewTracerProvider().Tracer("").Start(ctx, name)
	return ctx, noted{span, t.spans}
}

type noted struct {
	trace.Span
	spans *spans
}

func (n noted) SetAttributes(attributes ...attribute.KeyValue) {
	for _, a := range attributes {
		if a.Key == "http.response.status_code" {
			n.spans.status = append(n.spans.status, a.Value.AsInt64())
		}
	}
}

func TestTracing(t *testing.T) {
	s := &spans{}
	h := newHandler(t, httpapi.Options{TracerProvider: s})
	call(h, "GET", "/documents/x", "", "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	require.Equal(t, []string{"GET /documents/{id}"}, s.names)
	require.Equal(t, []string{"0af7651916cd43dd8448eb211c80319c"}, s.parents)
	require.Equal(t, []int64{404}, s.status)
}

func TestReady(t *testing.T) {
	failing := errors.New("secret host is down")
	h := newHandler(t, httpapi.Options{Checks: map[string]func(context.Context) error{
		"llm": func(context.Context) error { return failing }, "sessions": func(context.Context) error { return nil }}})
	w := call(h, "GET", "/ready", "")
	require.Equal(t, 503, w.Code)
	require.JSONEq(t, `{"status": "not_ready", "checks": {"store": "ok", "index": "not built yet; the first search builds it", "llm": "unavailable", "sessions": "ok"}}`, w.Body.String())
	failing = nil
	call(h, "POST", "/search", `{"query": "a"}`)
	require.JSONEq(t, `{"status": "ready", "checks": {"store": "ok", "index": "ok", "llm": "ok", "sessions": "ok"}}`, call(h, "GET", "/ready", "").Body.String())
}

func TestMountedRoutes(t *testing.T) {
	h := newHandler(t, httpapi.Options{Routes: []httpapi.Route{
		{Pattern: "POST /mcp", Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(202) }), Summary: "Tools"},
		{Pattern: "GET /{$}", Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("page")) })}}})
	require.Equal(t, 202, call(h, "POST", "/mcp", "").Code)
	w := call(h, "GET", "/mcp", "")
	requireError(t, w, 405, httpapi.CodeMethodNotAllowed)
	require.Equal(t, "POST", w.Header().Get("Allow"))
	require.Equal(t, "page", call(h, "GET", "/", "").Body.String())
	requireError(t, call(h, "GET", "/other", ""), 404, httpapi.CodeNotFound)
	d, _ := describe(t, h)
	require.Contains(t, d.Paths, "/mcp")
	require.NotContains(t, d.Paths, "/{$}")
}
