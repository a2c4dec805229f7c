package auth_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/auth"
)

func TestRateLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limit, err := auth.RateLimit(auth.RateLimitConfig{PerMinute: 30, Burst: 3, Exempt: []string{"GET /health"}})
		require.NoError(t, err)
		h := auth.Chain(served, keys(t, func(c *auth.KeysConfig) {
			c.Keys = append(c.Keys, auth.Key{Key: key + "2"})
		}).Middleware(), limit)
		ask := func(key string, header http.Header) *httptest.ResponseRecorder {
			all := http.Header{"X-API-Key": {key}}
			for name, v := range header {
				all[name] = v
			}
			return do(h, "POST", "/search", all)
		}
		for i := range 3 {
			w := ask(key, nil)
			require.Equal(t, 200, w.Code)
			require.Equal(t, fmt.Sprint(2-i), w.Header().Get("RateLimit-Remaining"))
			require.Equal(t, "3", w.Header().Get("RateLimit-Limit"))
		}
		w := ask(key, http.Header{"X-Forwarded-For": {"1.2.3.4"}, "X-Real-Ip": {"1.2.3.4"}, "Forwarded": {"for=1.2.3.4"}})
		require.Equal(t, 429, w.Code, "headers do not help")
		require.Equal(t, "2", w.Header().Get("Retry-After"))
		require.Contains(t, w.Body.String(), `"rate_limited"`)
		require.Equal(t, 200, ask(key+"2", nil).Code, "each key has a bucket of its own")
		for range 20 {
			require.Equal(t, 200, do(h, "GET", "/health", nil).Code)
		}
		time.Sleep(2 * time.Second)
		require.Equal(t, 200, ask(key, nil).Code)
		require.Equal(t, 429, ask(key, nil).Code)
	})
	_, err := auth.RateLimit(auth.RateLimitConfig{})
	var wrong *auth.ConfigError
	require.ErrorAs(t, err, &wrong)
}

// TestRateLimitTimes is what a client of 30 a minute and 3 at once gets.
func TestRateLimitTimes(t *testing.T) {
	for _, test := range []struct {
		name                    string
		before                  int           // requests at once
		wait                    time.Duration // after them
		code                    int           // of the next
		remaining, reset, retry string
	}{
		{"first", 0, 0, 200, "2", "2", ""},
		{"last of the burst", 2, 0, 200, "0", "6", ""},
		{"over", 3, 0, 429, "0", "6", "2"},
		{"far over", 30, 0, 429, "0", "6", "2"},
		{"just too early", 3, 2*time.Second - time.Millisecond, 429, "0", "5", "1"},
		{"just in time", 3, 2 * time.Second, 200, "0", "6", ""},
		{"after the time that was said", 3, 3 * time.Second, 200, "0", "5", ""},
		{"two back", 3, 4 * time.Second, 200, "1", "4", ""},
		{"full again", 3, 6 * time.Second, 200, "2", "2", ""},
		{"no more than the burst", 3, time.Hour, 200, "2", "2", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				limit, err := auth.RateLimit(auth.RateLimitConfig{PerMinute: 30, Burst: 3})
				require.NoError(t, err)
				h := limit(served)
				for range test.before {
					do(h, "GET", "/", nil)
				}
				time.Sleep(test.wait)
				w := do(h, "GET", "/", nil)
				require.Equal(t, test.code, w.Code)
				require.Equal(t, []string{"3", test.remaining, test.reset, test.retry}, []string{w.Header().Get("RateLimit-Limit"),
					w.Header().Get("RateLimit-Remaining"), w.Header().Get("RateLimit-Reset"), w.Header().Get("Retry-After")})
			})
		})
	}
}

func TestAddressesAreCountedByNetwork(t *testing.T) {
	limit, err := auth.RateLimit(auth.RateLimitConfig{PerMinute: 1, Burst: 1})
	require.NoError(t, err)
	h := limit(served)
	for _, test := range []struct {
		remote string
		want   int
	}{
		{"192.0.2.1:1", 200}, {"192.0.2.1:2", 429}, {"192.0.2.2:1", 200}, {"[::ffff:192.0.2.1]:1", 429},
		{"[2001:db8:0:1::1]:1", 200}, {"[2001:db8:0:1:ffff::2]:1", 429}, {"[2001:db8:0:2::1]:1", 200}, {"[2001:db8:0:1::1%eth0]:1", 429},
		{"@", 200}, {"", 429},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = test.remote
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		require.Equal(t, test.want, w.Code, test.remote)
	}
}

// flaky is a shared limiter that allows all or fails.
type flaky struct {
	fails bool
	asked int
}

func (f *flaky) Allow(context.Context, string) (auth.Decision, error) {
	f.asked++
	if f.fails {
		return auth.Decision{}, errors.New("redis: connection refused")
	}
	return auth.Decision{Allowed: true, Limit: 70, Remaining: 69}, nil
}

func TestSharedLimiterFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		shared := &flaky{}
		limit, err := auth.RateLimit(auth.RateLimitConfig{PerMinute: 1, Burst: 2, Limiter: shared, Log: slog.New(slog.NewTextHandler(&log, nil))})
		require.NoError(t, err)
		h := limit(served)
		w := do(h, "GET", "/", nil)
		require.Equal(t, "69", w.Header().Get("RateLimit-Remaining"), "numbers beyond those made beforehand")
		shared.fails = true
		codes := []int{}
		for range 4 {
			codes = append(codes, do(h, "GET", "/", nil).Code)
		}
		require.Equal(t, []int{200, 200, 429, 429}, codes, "this process counts alone")
		require.Equal(t, 2, shared.asked, "it is not asked again at once")
		require.Equal(t, 1, strings.Count(log.String(), "connection refused"))
		shared.fails = false
		time.Sleep(time.Second)
		require.Equal(t, "69", do(h, "GET", "/", nil).Header().Get("RateLimit-Remaining"))
	})
}

func TestWrongKeysAreCountedElsewhere(t *testing.T) {
	shared := &flaky{}
	h := keys(t, func(c *auth.KeysConfig) { c.FailedLimiter = shared }).Middleware()(served)
	wrong := http.Header{"X-API-Key": {key + "x"}}
	require.Equal(t, 401, do(h, "GET", "/", wrong).Code)
	require.Equal(t, 1, shared.asked)
	shared.fails = true
	require.Equal(t, 401, do(h, "GET", "/", wrong).Code)
	require.Equal(t, 200, do(h, "GET", "/", http.Header{"X-API-Key": {key}}).Code)
}

// TestFloodOfAddresses sends 1,000,000 made-up addresses, twice, to the limits of
// requests and of wrong keys: the memory stays bounded, honest clients that were
// over their limits stay so, and after a while the memory comes back.
func TestFloodOfAddresses(t *testing.T) {
	if testing.Short() || raceDetector {
		t.Skip("makes 2,000,000 requests and measures memory: not with -short, not with -race")
	}
	synctest.Test(t, func(t *testing.T) {
		before := heap()
		limit, err := auth.RateLimit(auth.RateLimitConfig{PerMinute: 60, Burst: 5})
		require.NoError(t, err)
		h := auth.Chain(served, keys(t, func(c *auth.KeysConfig) { c.Open, c.FailedPerMinute = []string{"GET /open"}, 5 }).Middleware(), limit)
		r := httptest.NewRequest("GET", "/open", nil)
		w := &discard{header: http.Header{}}
		ask := func(path, remote, key string) int {
			r.URL.Path, r.RemoteAddr, w.status = path, remote, http.StatusOK
			r.Header["X-Api-Key"] = []string{key}
			h.ServeHTTP(w, r)
			return w.status
		}
		drain := func(path, key string, last int) {
			for range 5 {
				ask(path, "192.0.2.1:1", key)
			}
			require.Equal(t, last, ask(path, "192.0.2.1:1", key))
		}
		drain("/open", "", 429)
		drain("/", key+"x", 429)
		highest := uint64(0)
		for i := range 1_000_000 {
			remote := netip.AddrPortFrom(netip.AddrFrom16([16]byte{0x20, 1, byte(i >> 16), byte(i >> 8), byte(i)}), 1).String()
			ask("/open", remote, "")
			ask("/", remote, key+"x")
			if i%250_000 == 249_999 {
				highest = max(highest, heap())
			}
		}
		t.Logf("1,000,000 addresses at two limiters hold %d MB", (highest-before)>>20)
		require.Less(t, highest-before, uint64(100<<20))
		require.Equal(t, 429, ask("/open", "192.0.2.1:1", ""), "no time has passed: the flood has reset nothing")
		require.Equal(t, 429, ask("/", "192.0.2.1:1", key+"x"))

		time.Sleep(5 * time.Minute)
		for i := range 200_000 { // two idle buckets go with each request
			ask("/open", fmt.Sprintf("198.51.100.%d:1", i%256), "")
			ask("/", fmt.Sprintf("198.51.100.%d:1", i%256), key+"x")
		}
		t.Logf("when they are gone, %d kB", (int64(heap())-int64(before))>>10)
		require.Less(t, int64(heap())-int64(before), int64(5<<20), "the memory has come back")
		require.Equal(t, 200, ask("/open", "192.0.2.1:1", ""))
		runtime.KeepAlive(h)
	})
}

var raceDetector bool

// heap is what is in use after a collection, in bytes.
func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // pools keep their content for one
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestNewClientsDuringAFlood has more active clients than buckets. Those who were
// first keep theirs; the others share some, and get new ones when there is room.
func TestNewClientsDuringAFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := auth.NewMemoryLimiter(60, 2)
		allow := func(key string) bool {
			d, err := m.Allow(t.Context(), key)
			require.NoError(t, err)
			return d.Allowed
		}
		for i := range 250_000 {
			allow(strconv.Itoa(i))
		}
		refused := 0
		for i := range 1000 {
			if !allow("late-" + strconv.Itoa(i)) {
				refused++
			}
		}
		require.Greater(t, refused, 900)
		time.Sleep(time.Second) // the buckets of the flood are full again
		require.True(t, allow("new"))
		require.True(t, allow("new"))
		require.False(t, allow("new"))
	})
}

func TestMemoryLimiterConcurrently(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := auth.NewMemoryLimiter(1, 100)
		var allowed atomic.Int64
		var clients sync.WaitGroup
		for range 8 {
			clients.Go(func() {
				for i := range 500 {
					if d, _ := m.Allow(t.Context(), "key-"+strconv.Itoa(i%3)); d.Allowed {
						allowed.Add(1)
					}
				}
			})
		}
		clients.Wait()
		require.Equal(t, int64(300), allowed.Load(), "exactly the bursts of three clients")
	})
}

func TestMemoryLimiterExtremes(t *testing.T) {
	for _, test := range []struct{ perMinute, burst int }{{-1, -1}, {1, 1 << 30}, {1 << 40, 1}, {math.MaxInt, math.MaxInt}} {
		d, err := auth.NewMemoryLimiter(test.perMinute, test.burst).Allow(t.Context(), "")
		require.NoError(t, err)
		require.True(t, d.Allowed)
		require.GreaterOrEqual(t, d.ResetAfter, time.Duration(0))
		require.GreaterOrEqual(t, d.Remaining, 0)
	}
}
