package auth

import (
	"context"
	"hash/maphash"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// MemoryLimiter is a Limiter in memory. It keeps at most 200,000 buckets, about
// 30 MB, and forgets a bucket only when it is full again, so that forgetting it
// changes nothing: when it has been idle for long, or when its place is needed.
// If very many clients are active at once and no bucket can be forgotten, new
// clients share some buckets until there is room. So made-up addresses neither
// fill the memory nor reset the buckets of others. It starts no goroutine: idle
// buckets go as other requests come.
//
// Buckets are found by a keyed 64-bit hash and hold no address. When 200,000 are
// in use, the chance that any two clients share one is one in a billion.
type MemoryLimiter struct {
	limit  rate.Limit
	burst  int
	idle   time.Duration // a bucket that was not used for so long is full, and is forgotten
	start  time.Time     // what the times in buckets count from
	seed   maphash.Seed
	shards [limiterShards]limiterShard
}

const (
	limiterShards = 16
	maxBuckets    = 200_000
	shardBuckets  = maxBuckets / limiterShards
	// shortestIdle keeps a client that comes every few seconds from having its
	// bucket made anew each time.
	shortestIdle = time.Minute
)

// limiterShard is a part of the buckets with a lock of its own.
type limiterShard struct {
	mu       sync.Mutex
	buckets  map[uint64]*bucket
	queue    bucket // a ring: queue.next was placed last, queue.prev is next to be forgotten
	most     int    // buckets that the map had at once
	overflow *bucket
}

type bucket struct {
	hash       uint64
	used       time.Duration // when, since the start of the limiter
	placed     time.Duration // at the front of the queue
	prev, next *bucket
	rate       rate.Limiter
}

// NewMemoryLimiter returns a limiter of perMinute requests in the long run and
// burst at once. Values below 1 mean 1.
func NewMemoryLimiter(perMinute, burst int) *MemoryLimiter {
	perMinute, burst = max(1, perMinute), max(1, burst)
	m := &MemoryLimiter{limit: rate.Limit(float64(perMinute) / 60), burst: burst, start: time.Now(), seed: maphash.MakeSeed()}
	m.idle = max(shortestIdle, m.duration(float64(burst)))
	for i := range m.shards {
		s := &m.shards[i]
		s.buckets = make(map[uint64]*bucket)
		s.queue.prev, s.queue.next = &s.queue, &s.queue
		s.overflow = m.newBucket(0)
	}
	return m
}

func (m *MemoryLimiter) newBucket(hash uint64) *bucket {
	b := &bucket{hash: hash}
	// The zero Limiter is empty; from the beginning of time to now it fills.
	b.rate.SetLimitAt(time.Time{}, m.limit)
	b.rate.SetBurstAt(time.Time{}, m.burst)
	return b
}

// duration is how long a number of requests takes to come back.
func (m *MemoryLimiter) duration(tokens float64) time.Duration {
	const longest = 365 * 24 * time.Hour // also where a duration would overflow
	s := tokens / float64(m.limit)
	if s > longest.Seconds() {
		return longest
	}
	return time.Duration(s * float64(time.Second))
}

// Allow implements Limiter. It never fails.
func (m *MemoryLimiter) Allow(_ context.Context, key string) (Decision, error) {
	now := time.Now()
	hash := maphash.String(m.seed, key)
	s := &m.shards[hash%limiterShards]
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.bucket(m, hash, now)
	d := Decision{Allowed: b.rate.AllowN(now, 1), Limit: m.burst}
	tokens := b.rate.TokensAt(now)
	d.Remaining = max(0, int(tokens+1e-9)) // 1.9999999999 are two
	d.ResetAfter = m.duration(float64(m.burst) - tokens)
	if !d.Allowed {
		d.RetryAfter = m.duration(1 - tokens)
	}
	return d, nil
}

// bucket finds or makes the bucket of a key.
func (s *limiterShard) bucket(m *MemoryLimiter, hash uint64, now time.Time) *bucket {
	since := now.Sub(m.start)
	s.forgetIdle(m, since)
	if b, ok := s.buckets[hash]; ok {
		b.used = since
		if since-b.placed > m.idle/8 { // more often would cost more than it tells
			s.place(b)
		}
		return b
	}
	if len(s.buckets) >= shardBuckets && !s.makeRoom(m, now) {
		return s.overflow
	}
	b := m.newBucket(hash)
	b.used = since
	s.place(b)
	s.buckets[hash] = b
	s.most = max(s.most, len(s.buckets))
	return b
}

// forgetIdle forgets up to two idle buckets: one more than a request can add, so
// that the memory comes back after a flood.
func (s *limiterShard) forgetIdle(m *MemoryLimiter, since time.Duration) {
	for range 2 {
		last := s.queue.prev
		if last == &s.queue || since-last.placed < m.idle {
			return
		}
		if since-last.used < m.idle {
			s.place(last)
			continue
		}
		s.forget(last)
	}
}

// makeRoom forgets one bucket that is full again. It looks at a few of those not
// used for the longest time; the ones that are not full go to the front of the
// queue, so that they do not hide others for long.
func (s *limiterShard) makeRoom(m *MemoryLimiter, now time.Time) bool {
	for range 4 {
		last := s.queue.prev
		if last.rate.TokensAt(now) >= float64(m.burst) {
			s.forget(last)
			return true
		}
		s.place(last)
	}
	return false
}

// place puts a bucket at the front of the queue.
func (s *limiterShard) place(b *bucket) {
	if b.next != nil {
		b.unlink()
	}
	b.placed = b.used
	b.prev, b.next = &s.queue, s.queue.next
	b.next.prev, s.queue.next = b, b
}

func (b *bucket) unlink() { b.prev.next, b.next.prev = b.next, b.prev }

func (s *limiterShard) forget(b *bucket) {
	b.unlink()
	delete(s.buckets, b.hash)
	if s.most < 1024 || len(s.buckets) > s.most/8 {
		return
	}
	// A map keeps the memory of its largest size.
	smaller := make(map[uint64]*bucket, len(s.buckets))
	for hash, b := range s.buckets {
		smaller[hash] = b
	}
	s.buckets, s.most = smaller, len(s.buckets)
}
