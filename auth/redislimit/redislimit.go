// Package redislimit is an auth.Limiter whose buckets are in Redis, so that
// replicas share them:
//
//	client := redis.NewClient(&redis.Options{Addr: "localhost:6379"})
//	shared, err := redislimit.New(client, redislimit.Config{PerMinute: 60, Burst: 20})
//	if err != nil { … }
//	limit, err := auth.RateLimit(auth.RateLimitConfig{PerMinute: 60, Burst: 20, Limiter: shared})
//
// A request is one call of one script: it is atomic, and takes the time from
// Redis, so that the clocks of replicas do not matter. A bucket is one small
// value, the time when it is full again (the generic cell rate algorithm, which
// decides as a token bucket does), and Redis forgets it at that time.
//
// Trade-offs: a request costs a round trip. Names of values hold what is counted,
// the fingerprint of a key or the address of a client. Where Redis cannot be
// asked, Allow returns an error after Timeout, and auth.RateLimit counts in
// memory until it can.
package redislimit

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/api-assistant/api-assistant/auth"
)

// Config configures New.
type Config struct {
	PerMinute int           // requests that a client may make in the long run; 1 to 600,000
	Burst     int           // requests that it may make at once; 1 to 1,000,000
	Prefix    string        // of the names in Redis; "" means "ratelimit:". Limiters of different rates need different ones
	Timeout   time.Duration // of one call; 0 means 250 milliseconds
}

const (
	defaultPrefix  = "ratelimit:"
	defaultTimeout = 250 * time.Millisecond
	mostPerMinute  = 600_000 // a token takes 100 microseconds; the clock of Redis has one
	mostBurst      = 1_000_000
)

// Limiter is an auth.Limiter in Redis. It is safe for concurrent use. It does not
// close the client.
type Limiter struct {
	client   redis.Scripter
	prefix   string
	timeout  time.Duration
	burst    int
	interval float64 // microseconds that a token takes
}

var _ auth.Limiter = (*Limiter)(nil)

//go:embed bucket.lua
var source string

var script = redis.NewScript(source)

// New returns a Limiter on a client: a *redis.Client, a *redis.ClusterClient or a
// *redis.Ring. It does not connect. The error joins an *auth.ConfigError for each
// mistake.
func New(client redis.Scripter, cfg Config) (*Limiter, error) {
	var wrong []error
	bound := func(setting string, n, most int) {
		if n < 1 || n > most {
			wrong = append(wrong, &auth.ConfigError{Setting: "redislimit." + setting, Index: -1, Reason: auth.ErrOutOfRange,
				Problem: fmt.Sprintf("is %d, it must be from 1 to %d", n, most)})
		}
	}
	if client == nil {
		wrong = append(wrong, &auth.ConfigError{Setting: "redislimit.client", Index: -1, Reason: auth.ErrMissing, Problem: "must not be nil"})
	}
	bound("PerMinute", cfg.PerMinute, mostPerMinute)
	bound("Burst", cfg.Burst, mostBurst)
	if cfg.Timeout < 0 {
		wrong = append(wrong, &auth.ConfigError{Setting: "redislimit.Timeout", Index: -1, Reason: auth.ErrOutOfRange,
			Problem: fmt.Sprintf("is %v, it must not be negative", cfg.Timeout)})
	}
	if err := errors.Join(wrong...); err != nil {
		return nil, err
	}
	l := &Limiter{client: client, prefix: cfg.Prefix, timeout: cfg.Timeout, burst: cfg.Burst, interval: 60e6 / float64(cfg.PerMinute)}
	if l.prefix == "" {
		l.prefix = defaultPrefix
	}
	if l.timeout == 0 {
		l.timeout = defaultTimeout
	}
	return l, nil
}

// Allow implements auth.Limiter: it takes one request from the bucket of a key.
// The error wraps that of the client.
func (l *Limiter) Allow(ctx context.Context, key string) (auth.Decision, error) {
	ctx, cancel := context.WithTimeout(ctx, l.timeout)
	defer cancel()
	answer, err := script.Run(ctx, l.client, []string{l.prefix + key}, l.interval, l.burst).Int64Slice()
	if err != nil {
		return auth.Decision{}, fmt.Errorf("redislimit: %w", err)
	}
	if len(answer) != 4 {
		return auth.Decision{}, fmt.Errorf("redislimit: the script answered %d numbers instead of 4", len(answer))
	}
	return auth.Decision{
		Allowed:    answer[0] == 1,
		Limit:      l.burst,
		Remaining:  int(answer[1]),
		RetryAfter: time.Duration(answer[2]) * time.Microsecond,
		ResetAfter: time.Duration(answer[3]) * time.Microsecond,
	}, nil
}
