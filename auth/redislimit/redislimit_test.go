package redislimit_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/auth"
	"github.com/api-assistant/api-assistant/auth/redislimit"
)

// server starts redis-server on a free port, for the time of a test.
func server(tb testing.TB) *redis.Client {
	tb.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		tb.Skip("redis-server is not on the PATH")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(tb, err)
	port := listener.Addr().(*net.TCPAddr).Port
	require.NoError(tb, listener.Close())
	command := exec.Command(path, "--port", strconv.Itoa(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", tb.TempDir())
	require.NoError(tb, command.Start())
	client := redis.NewClient(&redis.Options{Addr: net.JoinHostPort("127.0.0.1", strconv.Itoa(port))})
	tb.Cleanup(func() {
		client.Close()
		_ = command.Process.Kill()
		_ = command.Wait() // says that it was killed
	})
	require.Eventually(tb, func() bool { return client.Ping(context.Background()).Err() == nil }, 20*time.Second, 10*time.Millisecond)
	return client
}

func limiter(tb testing.TB, client redis.Scripter, cfg redislimit.Config) *redislimit.Limiter {
	tb.Helper()
	if cfg.Timeout == 0 {
		cfg.Timeout = 10 * time.Second // a slow machine is not what is tested
	}
	l, err := redislimit.New(client, cfg)
	require.NoError(tb, err)
	return l
}

func Example() {
	client := redis.NewClient(&redis.Options{Addr: "localhost:6379"}) // does not connect yet
	defer client.Close()
	shared, err := redislimit.New(client, redislimit.Config{PerMinute: 60, Burst: 20})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = auth.RateLimit(auth.RateLimitConfig{PerMinute: 60, Burst: 20, Limiter: shared})
	fmt.Println(err)
	// Output: <nil>
}

func ExampleNew_incorrect() {
	_, err := redislimit.New(nil, redislimit.Config{PerMinute: 1_000_000, Timeout: -1})
	fmt.Println(err)
	// Output:
	// auth: redislimit.client: must not be nil
	// auth: redislimit.PerMinute: is 1000000, it must be from 1 to 600000
	// auth: redislimit.Burst: is 0, it must be from 1 to 1000000
	// auth: redislimit.Timeout: is -1ns, it must not be negative
}

func TestBucket(t *testing.T) {
	client := server(t)
	l := limiter(t, client, redislimit.Config{PerMinute: 1, Burst: 3})
	for i := range 3 {
		d, err := l.Allow(t.Context(), "alice")
		require.NoError(t, err)
		require.True(t, d.Allowed)
		require.Equal(t, 3, d.Limit)
		require.Equal(t, 2-i, d.Remaining)
		require.Zero(t, d.RetryAfter)
		require.InDelta(t, float64(i+1)*60, d.ResetAfter.Seconds(), 30)
	}
	d, err := l.Allow(t.Context(), "alice")
	require.NoError(t, err)
	require.False(t, d.Allowed)
	require.Zero(t, d.Remaining)
	require.Positive(t, d.RetryAfter)
	require.LessOrEqual(t, d.RetryAfter, time.Minute)
	d, err = l.Allow(t.Context(), "bob")
	require.NoError(t, err)
	require.True(t, d.Allowed, "each key has a bucket of its own")

	ttl, err := client.PTTL(t.Context(), "ratelimit:alice").Result()
	require.NoError(t, err)
	require.Positive(t, ttl, "Redis forgets a bucket when it is full again")
	require.LessOrEqual(t, ttl, 3*time.Minute)
}

// TestTokensComeBack waits as long as was said, and no longer.
func TestTokensComeBack(t *testing.T) {
	l := limiter(t, server(t), redislimit.Config{PerMinute: 600, Burst: 2})
	for range 3 {
		for {
			d, err := l.Allow(t.Context(), "alice")
			require.NoError(t, err)
			if !d.Allowed {
				time.Sleep(d.RetryAfter)
				break
			}
		}
		d, err := l.Allow(t.Context(), "alice")
		require.NoError(t, err)
		require.True(t, d.Allowed)
	}
}

// TestReplicas are several processes that ask at once: together they get the burst.
func TestReplicas(t *testing.T) {
	client := server(t)
	var allowed atomic.Int64
	var replicas sync.WaitGroup
	for range 8 {
		own := redis.NewClient(client.Options())
		t.Cleanup(func() { own.Close() })
		l := limiter(t, own, redislimit.Config{PerMinute: 1, Burst: 50})
		replicas.Go(func() {
			for range 25 {
				if d, err := l.Allow(context.Background(), "alice"); err != nil {
					t.Error(err)
				} else if d.Allowed {
					allowed.Add(1)
				}
			}
		})
	}
	replicas.Wait()
	require.Equal(t, int64(50), allowed.Load())
}

// TestForeignValues are buckets that another clock or another program has written.
func TestForeignValues(t *testing.T) {
	client := server(t)
	l := limiter(t, client, redislimit.Config{PerMinute: 60, Burst: 2, Prefix: "p:"})
	for _, test := range []struct {
		value   string
		allowed bool
	}{{"nonsense", true}, {"", true}, {"-1", true}, {"nan", true}, {"99999999999999999999", false}} {
		require.NoError(t, client.Set(t.Context(), "p:x", test.value, 0).Err())
		d, err := l.Allow(t.Context(), "x")
		require.NoError(t, err, test.value)
		require.Equal(t, test.allowed, d.Allowed, test.value)
		require.LessOrEqual(t, d.RetryAfter, time.Second, "a clock that was ahead locks nobody out")
	}
	require.NoError(t, client.Del(t.Context(), "p:x").Err())
	require.NoError(t, client.LPush(t.Context(), "p:x", "a").Err())
	_, err := l.Allow(t.Context(), "x")
	require.ErrorContains(t, err, "redislimit: ")
}

// TestScriptIsLoadedAgain is a Redis that was restarted.
func TestScriptIsLoadedAgain(t *testing.T) {
	client := server(t)
	l := limiter(t, client, redislimit.Config{PerMinute: 60, Burst: 20})
	for range 2 {
		d, err := l.Allow(t.Context(), "alice")
		require.NoError(t, err)
		require.True(t, d.Allowed)
		require.NoError(t, client.ScriptFlush(t.Context()).Err())
	}
}

// TestRedisIsDown needs no server: a listener that never answers is worse.
func TestRedisIsDown(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	client := redis.NewClient(&redis.Options{Addr: listener.Addr().String()})
	defer client.Close()
	l := limiter(t, client, redislimit.Config{PerMinute: 1, Burst: 1, Timeout: time.Millisecond})
	_, err = l.Allow(t.Context(), "alice")
	require.Error(t, err)
	require.True(t, errors.Is(err, context.DeadlineExceeded) || errors.Is(err, redis.ErrPoolTimeout), "%v", err)

	limit, err := auth.RateLimit(auth.RateLimitConfig{PerMinute: 1, Burst: 1, Limiter: l})
	require.NoError(t, err)
	h := limit(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	for _, want := range []int{200, 429} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
		require.Equal(t, want, w.Code, "this process counts alone")
	}
}

func BenchmarkAllow(b *testing.B) {
	l := limiter(b, server(b), redislimit.Config{PerMinute: 600_000, Burst: 1_000_000})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := l.Allow(b.Context(), "alice"); err != nil {
			b.Fatal(err)
		}
	}
}
