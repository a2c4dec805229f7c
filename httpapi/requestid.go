package httpapi

import (
	"crypto/rand"
	"net/http"
	"strings"
)

const (
	requestIDHeader    = "X-Request-ID"
	maxRequestIDLength = 128
)

// RequestID is the middleware that gives every response an X-Request-ID: the
// caller's if it is sane, else a new one. New applies it itself; a chain that
// logs applies it further out, and that one counts.
func RequestID(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if requestID(w) == "" {
			id := r.Header.Get(requestIDHeader)
			if !saneRequestID(id) {
				id = rand.Text()
			}
			w.Header().Set(requestIDHeader, id)
		}
		next.ServeHTTP(w, r)
	})
}

// requestID is the id that RequestID has given to a response.
func requestID(w http.ResponseWriter) string { return w.Header().Get(requestIDHeader) }

// saneRequestID reports whether an id can go into headers and logs as it is.
func saneRequestID(id string) bool {
	if id == "" || len(id) > maxRequestIDLength {
		return false
	}
	for _, c := range []byte(id) {
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-_.:/+=", c) >= 0) {
			return false
		}
	}
	return true
}
