// Package auth protects any http.Handler: API keys, CORS, rate limits, security
// headers, body limits. It imports nothing else of this module.
//
//	keys, err := auth.NewKeys(auth.KeysConfig{
//		Secret: os.Getenv("SECRET_KEY"),
//		Keys:   []auth.Key{{Key: os.Getenv("API_KEY"), Name: "frontend"}},
//		Open:   []string{"GET /health"},
//	})
//	if err != nil { … }  // names every mistake at once, and no secret
//	cors, err := auth.CORS(auth.CORSConfig{Origins: []string{"https://app.example.com"}})
//	if err != nil { … }
//	limit, err := auth.RateLimit(auth.RateLimitConfig{PerMinute: 60, Burst: 20})
//	if err != nil { … }
//	handler := auth.Chain(mux, auth.Recover(nil), auth.SecurityHeaders(), cors, keys.Middleware(), limit)
//
// The order matters: CORS stands outside of the keys, so that preflight
// requests need none and that refusals can be read by allowed origins; the rate
// limit stands inside, so that it knows the principal.
//
// Refusals are JSON; Refuse in each configuration replaces them.
package auth

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
)

// Middleware wraps a handler.
type Middleware = func(http.Handler) http.Handler

// Chain wraps a handler; the first middleware is the outermost.
func Chain(h http.Handler, outermost ...Middleware) http.Handler {
	for i := len(outermost) - 1; i >= 0; i-- {
		h = outermost[i](h)
	}
	return h
}

// Refusal is what a middleware answers instead of the handler.
type Refusal struct {
	Status  int    // HTTP status
	Code    string // stable: "unauthorized", "rate_limited", "too_large", "internal_error"
	Message string // a sentence for people
}

// RefuseFunc writes a refusal. The headers that belong to it (WWW-Authenticate,
// Retry-After) are set already.
type RefuseFunc func(w http.ResponseWriter, r *http.Request, refusal Refusal)

// refuseJSON is the default RefuseFunc.
func refuseJSON(w http.ResponseWriter, _ *http.Request, refusal Refusal) {
	body, err := json.Marshal(map[string]any{"error": refusal.Code, "message": refusal.Message, "detail": nil,
		"request_id": w.Header().Get("X-Request-ID")})
	if err != nil {
		http.Error(w, refusal.Message, refusal.Status)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(refusal.Status)
	_, _ = w.Write(body) // the client is gone if this fails
}

func refuseWith(f RefuseFunc) RefuseFunc {
	if f == nil {
		return refuseJSON
	}
	return f
}

// closeAfter ends the connection after the answer if the request has a body: it
// is not read, and what is left of it must not be taken for a request.
func closeAfter(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength != 0 && r.ProtoMajor == 1 {
		w.Header().Set("Connection", "close")
	}
}

// ConfigError is one mistake in a configuration. Constructors report all
// mistakes at once, joined; errors.As finds the first. Values that are secret
// are never part of it.
type ConfigError struct {
	Setting string // the field, such as "CORSConfig.Origins"
	Problem string // what is wrong and what to do
}

func (e *ConfigError) Error() string { return fmt.Sprintf("auth: %s: %s", e.Setting, e.Problem) }

// mistakes collects ConfigErrors.
type mistakes []error

func (m *mistakes) add(setting, format string, args ...any) {
	*m = append(*m, &ConfigError{Setting: setting, Problem: fmt.Sprintf(format, args...)})
}

func (m mistakes) err() error { return errors.Join(m...) }
