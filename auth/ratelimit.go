package auth

import (
	"context"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// Limiter counts requests. Implementations are safe for concurrent use; one that
// is shared by replicas keeps its state outside of the process, as that of
// package redislimit does.
type Limiter interface {
	// Allow takes one request from the bucket of a key. An error means that the
	// limiter could not tell.
	Allow(ctx context.Context, key string) (Decision, error)
}

// Decision is a Limiter's answer.
type Decision struct {
	Allowed    bool
	Limit      int           // the size of the bucket
	Remaining  int           // what is left in it
	RetryAfter time.Duration // until the next request is allowed, if this was not
	ResetAfter time.Duration // until the bucket is full again
}

// RateLimitConfig configures RateLimit.
type RateLimitConfig struct {
	PerMinute int // requests that a client may make in the long run; at least 1
	Burst     int // requests that it may make at once; at least 1
	// Limiter counts, for replicas. nil means one in memory. While it fails,
	// requests are counted in memory by PerMinute and Burst, so that neither the
	// service nor its protection depends on it; it is tried again each second.
	Limiter Limiter
	// Exempt are requests that are not counted, patterns like those of KeysConfig.Open.
	Exempt []string
	// Client finds the address of requests without a principal. nil means the peer
	// of the connection.
	Client *Client
	// Refuse writes refusals. nil means JSON.
	Refuse RefuseFunc
	// Log is told when Limiter fails, at most every ten seconds. nil means silence.
	Log *slog.Logger
}

// RateLimit bounds the requests of each principal, or of each address where
// there is none (IPv6 by /64): token buckets. Every answer has RateLimit-Limit,
// RateLimit-Remaining and RateLimit-Reset (seconds until the bucket is full);
// over the limit it is 429 with Retry-After. The error joins a *ConfigError for
// each mistake.
func RateLimit(cfg RateLimitConfig) (Middleware, error) {
	var wrong mistakes
	if cfg.PerMinute < 1 {
		wrong.add("RateLimitConfig.PerMinute", ErrOutOfRange, "is %d, it must be at least 1", cfg.PerMinute)
	}
	if cfg.Burst < 1 {
		wrong.add("RateLimitConfig.Burst", ErrOutOfRange, "is %d, it must be at least 1", cfg.Burst)
	}
	exempt := newRoutes("RateLimitConfig.Exempt", cfg.Exempt, &wrong)
	if err := wrong.err(); err != nil {
		return nil, err
	}
	var limiter Limiter = NewMemoryLimiter(cfg.PerMinute, cfg.Burst)
	if cfg.Limiter != nil {
		limiter = &fallback{shared: cfg.Limiter, own: limiter, log: logTo(cfg.Log), complain: rate.Sometimes{Interval: 10 * time.Second}}
	}
	values := newNumbers(min(cfg.Burst, 4096))
	refuse := refuseWith(cfg.Refuse)
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if exempt.match(r) {
				next.ServeHTTP(w, r)
				return
			}
			d, err := limiter.Allow(r.Context(), bucketOf(r, cfg.Client))
			if err != nil { // memory never fails
				next.ServeHTTP(w, r)
				return
			}
			h := w.Header()
			h["Ratelimit-Limit"] = values.header(d.Limit)
			h["Ratelimit-Remaining"] = values.header(d.Remaining)
			h["Ratelimit-Reset"] = values.header(seconds(d.ResetAfter))
			if !d.Allowed {
				closeAfter(w, r)
				setRetryAfter(h, d)
				refuse(w, r, Refusal{http.StatusTooManyRequests, "rate_limited", "there were too many requests; try again later"})
				return
			}
			next.ServeHTTP(w, r)
		})
	}, nil
}

// bucketOf says whose request it is.
func bucketOf(r *http.Request, c *Client) string {
	if h := holderFrom(r.Context()); h != nil {
		return h.bucket
	}
	return addressBucket(c.Address(r))
}

// setRetryAfter says in whole seconds, at least one, when to come back.
func setRetryAfter(h http.Header, d Decision) {
	h["Retry-After"] = []string{strconv.Itoa(max(1, seconds(d.RetryAfter)))}
}

// seconds rounds up, but for what floating point has added.
func seconds(d time.Duration) int {
	return int(math.Ceil((d - time.Microsecond).Seconds()))
}

// numbers are the values of headers, made once for numbers that are usual: an
// answer has three of them.
type numbers [][]string

func newNumbers(largest int) numbers {
	n := make(numbers, largest+1)
	for i := range n {
		n[i] = []string{strconv.Itoa(i)}
	}
	return n
}

func (n numbers) header(i int) []string {
	if 0 <= i && i < len(n) {
		return n[i]
	}
	return []string{strconv.Itoa(i)}
}

// fallback counts in memory while a shared limiter fails, and spares it for a
// second after each failure, so that requests do not wait for it one by one.
type fallback struct {
	shared, own Limiter
	spareUntil  atomic.Int64 // Unix nanoseconds
	log         *slog.Logger
	complain    rate.Sometimes
}

func (f *fallback) Allow(ctx context.Context, key string) (Decision, error) {
	if time.Now().UnixNano() < f.spareUntil.Load() {
		return f.own.Allow(ctx, key)
	}
	d, err := f.shared.Allow(ctx, key)
	if err == nil {
		return d, nil
	}
	if ctx.Err() == nil { // else the client has gone, which says nothing about the limiter
		f.spareUntil.Store(time.Now().Add(time.Second).UnixNano())
		f.complain.Do(func() { f.log.ErrorContext(ctx, "shared rate limiter failed; this process counts alone", "error", err) })
	}
	return f.own.Allow(ctx, key)
}
