package auth

import (
	"container/list"
	"context"
	"hash/maphash"
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Limiter counts requests. Implementations are safe for concurrent use; one that
// is shared by replicas keeps its state outside of the process.
type Limiter interface {
	// Allow takes one request from the bucket of a key.
	Allow(ctx context.Context, key string) (Decision, error)
}

// Decision is a Limiter's answer.
type Decision struct {
	Allowed    bool
	Limit      int           // the size of the bucket
	Remaining  int           // what is left in it
	RetryAfter time.Duration // until the next request is allowed, if this was not
}

// RateLimitConfig configures RateLimit.
type RateLimitConfig struct {
	PerMinute int // requests that a client may make in the long run; at least 1
	Burst     int // requests that it may make at once; at least 1
	// Limiter counts. nil means one in memory, of PerMinute and Burst.
	Limiter Limiter
	// Exempt are requests that are not counted, as "METHOD /path", compared exactly.
	Exempt []string
	// Client finds the address of requests without a principal. nil means the peer
	// of the connection.
	Client *Client
	// Refuse writes refusals. nil means JSON.
	Refuse RefuseFunc
}

// RateLimit bounds the requests of each principal, or of each address where
// there is none: token buckets. Over the limit the answer is 429 with
// Retry-After. If a shared Limiter fails, requests pass: being down must not
// take the service down. The error joins a *ConfigError for each mistake.
func RateLimit(cfg RateLimitConfig) (Middleware, error) {
	var wrong mistakes
	if cfg.Limiter == nil && cfg.PerMinute < 1 {
		wrong.add("RateLimitConfig.PerMinute", "is %d, it must be at least 1", cfg.PerMinute)
	}
	if cfg.Limiter == nil && cfg.Burst < 1 {
		wrong.add("RateLimitConfig.Burst", "is %d, it must be at least 1", cfg.Burst)
	}
	if err := wrong.err(); err != nil {
		return nil, err
	}
	limiter := cfg.Limiter
	if limiter == nil {
		limiter = NewMemoryLimiter(cfg.PerMinute, cfg.Burst)
	}
	exempt := make(map[string]bool, len(cfg.Exempt))
	for _, pattern := range cfg.Exempt {
		exempt[pattern] = true
	}
	refuse := refuseWith(cfg.Refuse)
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if len(exempt) > 0 && exempt[r.Method+" "+r.URL.Path] {
				next.ServeHTTP(w, r)
				return
			}
			d, err := limiter.Allow(r.Context(), bucketKey(r, cfg.Client))
			if err != nil {
				next.ServeHTTP(w, r)
				return
			}
			h := w.Header()
			h["Ratelimit-Limit"] = []string{strconv.Itoa(d.Limit)}
			h["Ratelimit-Remaining"] = []string{strconv.Itoa(d.Remaining)}
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

// bucketKey says whose request it is.
func bucketKey(r *http.Request, c *Client) string {
	if p, ok := r.Context().Value(principalKey{}).(*Principal); ok {
		return p.ID
	}
	return addressKey(c.Address(r))
}

// setRetryAfter says in whole seconds, at least one, when to come back.
func setRetryAfter(h http.Header, d Decision) {
	seconds := max(1, int(math.Ceil(d.RetryAfter.Seconds())))
	h.Set("Retry-After", strconv.Itoa(seconds))
}

// MemoryLimiter is a Limiter in memory. Its memory is bounded: at most
// maxBuckets buckets are kept. A new key takes the place of the one that was
// not used for the longest time, if that one's bucket is full again, so that
// forgetting it changes nothing; if it is not, because very many keys are active,
// new keys share one bucket until there is room. So made-up addresses neither
// fill the memory nor reset the buckets of others.
type MemoryLimiter struct {
	limit  rate.Limit
	burst  int
	seed   maphash.Seed
	shards [limiterShards]limiterShard
}

const (
	limiterShards = 16
	maxBuckets    = 200_000
)

type limiterShard struct {
	mu       sync.Mutex
	buckets  map[string]*list.Element
	used     list.List // of *bucket, last used first
	overflow *rate.Limiter
}

type bucket struct {
	key string
	*rate.Limiter
}

// NewMemoryLimiter returns a limiter of perMinute requests in the long run and
// burst at once. Values below 1 mean 1.
func NewMemoryLimiter(perMinute, burst int) *MemoryLimiter {
	m := &MemoryLimiter{limit: rate.Limit(float64(max(1, perMinute)) / 60), burst: max(1, burst), seed: maphash.MakeSeed()}
	for i := range m.shards {
		m.shards[i].buckets = make(map[string]*list.Element)
		m.shards[i].overflow = rate.NewLimiter(m.limit, m.burst)
	}
	return m
}

// Allow implements Limiter.
func (m *MemoryLimiter) Allow(_ context.Context, key string) (Decision, error) {
	now := time.Now()
	s := &m.shards[maphash.String(m.seed, key)%limiterShards]
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.limiter(m, key, now)
	d := Decision{Allowed: l.AllowN(now, 1), Limit: m.burst}
	tokens := l.TokensAt(now)
	d.Remaining = max(0, int(tokens))
	if !d.Allowed {
		d.RetryAfter = time.Duration((1 - tokens) / float64(m.limit) * float64(time.Second))
	}
	return d, nil
}

// limiter finds or makes the bucket of a key.
func (s *limiterShard) limiter(m *MemoryLimiter, key string, now time.Time) *rate.Limiter {
	if e, ok := s.buckets[key]; ok {
		s.used.MoveToFront(e)
		return e.Value.(*bucket).Limiter
	}
	if len(s.buckets) >= maxBuckets/limiterShards {
		oldest := s.used.Back()
		b := oldest.Value.(*bucket)
		if b.TokensAt(now) < float64(m.burst) {
			return s.overflow
		}
		s.used.Remove(oldest)
		delete(s.buckets, b.key)
	}
	b := &bucket{key, rate.NewLimiter(m.limit, m.burst)}
	s.buckets[key] = s.used.PushFront(b)
	return b.Limiter
}
