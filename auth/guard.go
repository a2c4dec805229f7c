package auth

import (
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
)

// SecurityHeaders sets, before the handler runs, the headers that keep browsers
// from misreading answers: nosniff, no framing, no referrer, a content policy
// that allows nothing (a handler of web pages replaces it), and over HTTPS
// Strict-Transport-Security.
func SecurityHeaders() Middleware {
	var (
		nosniff  = []string{"nosniff"}
		deny     = []string{"DENY"}
		referrer = []string{"no-referrer"}
		policy   = []string{"default-src 'none'; frame-ancestors 'none'"}
		strict   = []string{"max-age=31536000"}
	)
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			h := w.Header()
			h["X-Content-Type-Options"] = nosniff
			h["X-Frame-Options"] = deny
			h["Referrer-Policy"] = referrer
			h["Content-Security-Policy"] = policy
			if r.TLS != nil {
				h["Strict-Transport-Security"] = strict
			}
			next.ServeHTTP(w, r)
		})
	}
}

// MaxBody bounds the body of a request. One that says that it is larger is
// refused with 413 unread; reading on behind the limit fails with
// *http.MaxBytesError.
func MaxBody(bytes int64, refuse RefuseFunc) Middleware {
	refuse = refuseWith(refuse)
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.ContentLength > bytes {
				closeAfter(w, r)
				refuse(w, r, Refusal{http.StatusRequestEntityTooLarge, "too_large", fmt.Sprintf("the request body is larger than %d bytes", bytes)})
				return
			}
			r.Body = http.MaxBytesReader(w, r.Body, bytes)
			next.ServeHTTP(w, r)
		})
	}
}

// Recover answers 500 when the handler panics, and tells the logger, if there is
// one, where. If the answer has begun, the connection is cut, so that the client
// notices. http.ErrAbortHandler passes through.
func Recover(log *slog.Logger) Middleware {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			tracked := &startTracker{ResponseWriter: w}
			defer func() {
				p := recover()
				if p == nil {
					return
				}
				if p == http.ErrAbortHandler {
					panic(p)
				}
				log.ErrorContext(r.Context(), "handler panicked", "panic", fmt.Sprint(p), "method", r.Method,
					"path", r.URL.Path, "stack", string(debug.Stack()))
				if tracked.started {
					panic(http.ErrAbortHandler)
				}
				closeAfter(w, r)
				refuseJSON(w, r, Refusal{http.StatusInternalServerError, "internal_error", "an internal error occurred"})
			}()
			next.ServeHTTP(tracked, r)
		})
	}
}

// startTracker notes whether the answer has begun.
type startTracker struct {
	http.ResponseWriter
	started bool
}

func (t *startTracker) WriteHeader(status int) {
	t.started = t.started || status >= 200
	t.ResponseWriter.WriteHeader(status)
}

func (t *startTracker) Write(b []byte) (int, error) {
	t.started = true
	return t.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (t *startTracker) Unwrap() http.ResponseWriter { return t.ResponseWriter }
