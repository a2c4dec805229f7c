package httpapi

import (
	"crypto/rand"
	"net/http"
	"strings"
)

// handler answers a request, or returns the error to answer with.
type handler func(w http.ResponseWriter, r *http.Request) error

// router is a ServeMux whose own answers (404, 405) have our error shape.
type router struct {
	mux *http.ServeMux
	api *api
}

// handle registers a pattern such as "GET /health".
func (rt *router) handle(pattern string, h handler) {
	rt.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		if err := h(w, r); err != nil {
			rt.api.fail(w, r, err)
		}
	})
}

// handler completes the routes with the answers for what none of them matches.
func (rt *router) handler() http.Handler {
	rt.mux.HandleFunc("/", rt.nothing)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if unclean(r.URL.Path) {
			rt.api.fail(w, r, errNoPath)
			return
		}
		rt.mux.ServeHTTP(w, r)
	})
}

var errNoPath = notFound("there is nothing at this path")

// nothing answers for a path that no route has, or not with this method.
func (rt *router) nothing(w http.ResponseWriter, r *http.Request) {
	var allow []string
	for _, method := range []string{http.MethodDelete, http.MethodGet, http.MethodHead, http.MethodPatch, http.MethodPost, http.MethodPut} {
		other := r.Clone(r.Context())
		other.Method = method
		if _, pattern := rt.mux.Handler(other); pattern != "/" {
			allow = append(allow, method)
		}
	}
	if allow == nil {
		rt.api.fail(w, r, errNoPath)
		return
	}
	methods := strings.Join(allow, ", ")
	rt.api.fail(w, r, &problem{status: http.StatusMethodNotAllowed, code: CodeMethodNotAllowed,
		message: "this path answers " + methods, header: http.Header{"Allow": {methods}}})
}

// unclean reports whether ServeMux would answer with a redirect to a cleaner
// path, which is neither JSON nor safe for a POST.
func unclean(path string) bool {
	return strings.Contains(path, "//") || strings.Contains(path, "/./") || strings.Contains(path, "/../") ||
		strings.HasSuffix(path, "/.") || strings.HasSuffix(path, "/..") || !strings.HasPrefix(path, "/")
}

const (
	requestIDHeader    = "X-Request-ID"
	maxRequestIDLength = 128
)

// RequestID is the middleware that gives every response an X-Request-ID: the
// caller's if it is sane, else a new one. New applies it itself; a chain that
// logs applies it further out, and that one counts.
func RequestID(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if w.Header().Get(requestIDHeader) == "" {
			id := r.Header.Get(requestIDHeader)
			if !saneRequestID(id) {
				id = rand.Text()
			}
			w.Header().Set(requestIDHeader, id)
		}
		next.ServeHTTP(w, r)
	})
}

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
