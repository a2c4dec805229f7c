package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/api-assistant/api-assistant/assistant/apispec"
)

// Observer is told what happens, for metrics. Implementations are safe for
// concurrent use and do not block. Gauges, such as the size of the index, are
// better read when they are asked for, from the corpus.
type Observer interface {
	// Request is called when a request has been answered.
	Request(RequestEvent)
	// Search is called when a search has been answered.
	Search(SearchEvent)
	// Answer is called when a question has been answered.
	Answer(AnswerEvent)
}

// RequestEvent is a request that has been answered.
type RequestEvent struct {
	// Route is the pattern that matched, "GET /documents/{id}", say: one of a fixed
	// set. It is empty for a request that no route took: an unknown path, or one
	// that the middleware inside of Observe refused.
	Route    string
	Method   string // as sent, if it is one of HTTP's; else "OTHER"
	Status   int    // 429 is what a rate limit refused
	Duration time.Duration
	Bytes    int64 // of the body sent
}

// SearchEvent is a search that has been answered.
type SearchEvent struct {
	Mode     string // how it was searched
	Hits     int
	Degraded bool // narrower than asked for
	Duration time.Duration
}

// AnswerEvent is a question that has been answered.
type AnswerEvent struct {
	Model            string
	PromptTokens     int
	CompletionTokens int
	Grounded         bool
	// Endpoints counts the endpoints that the answer mentions by what the catalogue
	// says of them.
	Endpoints map[apispec.Status]int
	Duration  time.Duration
}

// nobody is the Observer that is not there.
type nobody struct{}

func (nobody) Request(RequestEvent) {}
func (nobody) Search(SearchEvent)   {}
func (nobody) Answer(AnswerEvent)   {}

// Observe is the middleware that tells an Observer of requests. New applies it
// itself; a chain that wants to know of requests that keys or rate limits refuse
// applies it further out, and that one counts.
func Observe(o Observer) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if observationOf(r) != nil {
				next.ServeHTTP(w, r)
				return
			}
			start := time.Now()
			observed := &observation{written: &recorder{ResponseWriter: w}}
			defer func() {
				o.Request(RequestEvent{Route: observed.route, Method: knownMethod(r.Method), Status: observed.status(),
					Duration: time.Since(start), Bytes: observed.written.bytes})
			}()
			next.ServeHTTP(observed.written, r.WithContext(context.WithValue(r.Context(), observationKey{}, observed)))
		})
	}
}

// observation is what is known of a request under way.
type observation struct {
	route   string
	written *recorder
}

type observationKey struct{}

// observationOf returns what Observe notes about a request, or nil.
func observationOf(r *http.Request) *observation {
	o, _ := r.Context().Value(observationKey{}).(*observation)
	return o
}

// status is that of the answer; 200 where a handler set none.
func (o *observation) status() int {
	if o.written.code == 0 {
		return http.StatusOK
	}
	return o.written.code
}

// knownMethod keeps callers from inventing label values.
func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	}
	return "OTHER"
}

// recorder notes the status and the size of an answer.
type recorder struct {
	http.ResponseWriter
	code  int
	bytes int64
}

func (c *recorder) WriteHeader(status int) {
	if c.code == 0 && status >= 200 {
		c.code = status
	}
	c.ResponseWriter.WriteHeader(status)
}

func (c *recorder) Write(b []byte) (int, error) {
	n, err := c.ResponseWriter.Write(b)
	c.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (c *recorder) Unwrap() http.ResponseWriter { return c.ResponseWriter }
