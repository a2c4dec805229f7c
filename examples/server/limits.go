package main

import (
	"log/slog"
	"net/http"

	"github.com/redis/go-redis/v9"

	"github.com/api-assistant/api-assistant/auth"
	"github.com/api-assistant/api-assistant/auth/redislimit"
)

// wrongKeysPerMinute bounds wrong keys from one address, on all replicas.
const wrongKeysPerMinute = 10

// limits count requests: in memory, or in Redis so that replicas share them.
type limits struct {
	requests, wrongKeys auth.Limiter // nil: in memory
}

// newLimits connects to nothing yet: while Redis cannot be asked, package auth
// counts in memory.
func newLimits(cfg config) (limits, error) {
	if cfg.RedisURL == "" {
		return limits{}, nil
	}
	options, err := redis.ParseURL(cfg.RedisURL)
	if err != nil {
		return limits{}, errRedisURL // the parser's error quotes the address, which holds a password
	}
	client := redis.NewClient(options)
	var l limits
	if cfg.RatePerMinute > 0 {
		if l.requests, err = redislimit.New(client, redislimit.Config{PerMinute: cfg.RatePerMinute, Burst: cfg.RateBurst}); err != nil {
			return limits{}, err
		}
	}
	l.wrongKeys, err = redislimit.New(client, redislimit.Config{PerMinute: wrongKeysPerMinute, Burst: wrongKeysPerMinute, Prefix: "wrongkeys:"})
	return l, err
}

// rateLimit is the middleware that limits requests.
func (c config) rateLimit(l limits, client *auth.Client, log *slog.Logger) (auth.Middleware, error) {
	if c.RatePerMinute == 0 {
		return func(h http.Handler) http.Handler { return h }, nil
	}
	return auth.RateLimit(auth.RateLimitConfig{PerMinute: c.RatePerMinute, Burst: c.RateBurst, Limiter: l.requests,
		Exempt: append([]string{"HEAD /health", "HEAD /ready"}, open...), Client: client, Log: log})
}
