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
// Refusals are JSON; Refuse in each configuration replaces them. Constructors
// report all mistakes at once; see ConfigError.
//
// # Trade-offs
//
// A key is one header, never a part of the URL, because URLs are logged. A
// request that carries an API key and another Authorization is refused rather
// than guessed at. Only X-Forwarded-For is read, and only from listed proxies;
// Forwarded and X-Real-IP are ignored, because a proxy that sets one of them
// often lets the others through. IPv6 clients are counted by /64, so the holder
// of a /48 has 65,536 buckets. CORS knows http and https pages only, and has no
// list of public suffixes: it refuses https://*.com, but not https://*.co.uk.
// HSTS is set where the connection to this process is HTTPS.
package auth

import "net/http"

// Middleware wraps a handler.
type Middleware = func(http.Handler) http.Handler

// Chain wraps a handler; the first middleware is the outermost.
func Chain(h http.Handler, outermost ...Middleware) http.Handler {
	for i := len(outermost) - 1; i >= 0; i-- {
		h = outermost[i](h)
	}
	return h
}
