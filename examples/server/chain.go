package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/api-assistant/api-assistant/auth"
	"github.com/api-assistant/api-assistant/httpapi"
)

// open are the requests that need no key and are not limited: those of a load
// balancer, and the static files of the web page.
var open = []string{"GET /health", "GET /ready", "GET /{$}", "GET /assets/"}

// settings says which variable a setting of package auth comes from, and what
// to do in a shell.
var settings = strings.NewReplacer(
	"auth: KeysConfig.Secret:", "SECRET_KEY:",
	"auth: KeysConfig.Keys:", "API_KEYS:",
	"auth: CORSConfig.Origins:", "ALLOWED_ORIGINS:",
	"auth: RateLimitConfig.PerMinute:", "RATE_LIMIT_PER_MINUTE:",
	"auth: RateLimitConfig.Burst:", "RATE_LIMIT_BURST:",
	"auth: TrustedProxies:", "TRUSTED_PROXIES:",
	"with GenerateSecret", "with: server keygen",
	"with GenerateKey", "with: server keygen",
)

// newProtection builds what stands before the handler: recover, request id,
// access log, security headers, CORS, keys, rate limit. It reports all mistakes
// at once, by the names of the variables.
func newProtection(cfg config, log *slog.Logger, m *metrics) (auth.Middleware, error) {
	var wrong []error
	client, err := auth.NewClient(cfg.TrustedProxies...)
	wrong = append(wrong, err)
	shared, err := newLimits(cfg)
	wrong = append(wrong, err)
	cors, err := auth.CORS(auth.CORSConfig{Origins: cfg.AllowedOrigins})
	wrong = append(wrong, err)
	chain := []auth.Middleware{auth.Recover(log), httpapi.RequestID, httpapi.Observe(m), accessLog(log, client), auth.SecurityHeaders(), cors}
	if cfg.RequireAuth {
		held := make([]auth.Key, len(cfg.APIKeys))
		for i, k := range cfg.APIKeys {
			held[i] = auth.Key{Key: k}
		}
		keys, err := auth.NewKeys(auth.KeysConfig{Secret: cfg.SecretKey, Keys: held, Open: open, Client: client, FailedLimiter: shared.wrongKeys, Log: log})
		if wrong = append(wrong, err); err == nil {
			chain = append(chain, keys.Middleware())
		}
	}
	limit, err := cfg.rateLimit(shared, client, log)
	wrong, chain = append(wrong, err), append(chain, limit)
	if err := errors.Join(wrong...); err != nil {
		return nil, errors.New(settings.Replace(err.Error()))
	}
	return func(h http.Handler) http.Handler { return auth.Chain(h, chain...) }, nil
}

// accessLog writes a line for each request: no bodies, no headers, no query.
func accessLog(log *slog.Logger, client *auth.Client) auth.Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			start := time.Now()
			counted := &counter{ResponseWriter: w, status: http.StatusOK}
			defer func() {
				log.InfoContext(r.Context(), "request", "method", r.Method, "path", r.URL.Path, "status", counted.status,
					"bytes", counted.bytes, "ms", fmt.Sprintf("%.1f", float64(time.Since(start).Microseconds())/1000),
					"client", client.Address(r).String(), "request_id", w.Header().Get("X-Request-ID"))
			}()
			next.ServeHTTP(counted, r)
		})
	}
}

// counter notes the status and the size of an answer.
type counter struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (c *counter) WriteHeader(status int) {
	c.status = status
	c.ResponseWriter.WriteHeader(status)
}

func (c *counter) Write(b []byte) (int, error) {
	n, err := c.ResponseWriter.Write(b)
	c.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (c *counter) Unwrap() http.ResponseWriter { return c.ResponseWriter }
