package auth

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
)

// SecurityHeaders sets, before the handler runs, the headers that keep browsers
// from misreading answers: nosniff, no framing, no referrer, a content policy
// that allows nothing (a handler of web pages replaces it), and over HTTPS
// Strict-Transport-Security.
func SecurityHeaders() Middleware {
	var (
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
	log = logTo(log)
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
	t.started = t.started || status >= 200 || status == http.StatusSwitchingProtocols
	t.ResponseWriter.WriteHeader(status)
}

func (t *startTracker) Write(b []byte) (int, error) {
	t.started = true
	return t.ResponseWriter.Write(b)
}

// ReadFrom keeps what the writer beneath has for copying files.
func (t *startTracker) ReadFrom(r io.Reader) (int64, error) {
	t.started = true
	return io.Copy(t.ResponseWriter, r)
}

// FlushError is what http.ResponseController calls: flushing sends the headers.
func (t *startTracker) FlushError() error {
	t.started = true
	return http.NewResponseController(t.ResponseWriter).Flush()
}

// Flush is for handlers that ask for an http.Flusher.
func (t *startTracker) Flush() { _ = t.FlushError() }

// Hijack gives the connection away: nothing can be answered on it afterwards.
func (t *startTracker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(t.ResponseWriter).Hijack()
	t.started = t.started || err == nil
	return conn, rw, err
}

// Unwrap lets http.ResponseController reach the connection.
func (t *startTracker) Unwrap() http.ResponseWriter { return t.ResponseWriter }
