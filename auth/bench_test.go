package auth_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/auth"
)

// chain is what a service has before its handler, and the keys that it accepts.
func chain(tb testing.TB, n int) (http.Handler, []string) {
	tb.Helper()
	held := make([]auth.Key, n)
	names := make([]string, n)
	for i := range held {
		names[i] = auth.GenerateKey()
		held[i] = auth.Key{Key: names[i]}
	}
	k := keys(tb, func(c *auth.KeysConfig) { c.Keys = held })
	cors, err := auth.CORS(auth.CORSConfig{Origins: []string{"https://app.example.com"}})
	require.NoError(tb, err)
	limit, err := auth.RateLimit(auth.RateLimitConfig{PerMinute: 6_000_000_000, Burst: 1000}) // never refuses here
	require.NoError(tb, err)
	nothing := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	return auth.Chain(nothing, auth.SecurityHeaders(), cors, k.Middleware(), limit), names
}

// BenchmarkChain is the whole chain: headers, CORS, keys, limit. Each request
// has another key than the one before.
func BenchmarkChain(b *testing.B) {
	for _, n := range []int{1, 100, 10_000} {
		b.Run(fmt.Sprintf("keys=%d", n), func(b *testing.B) {
			h, names := chain(b, n)
			serve := server(h)
			i := 0
			b.ReportAllocs()
			defer cpuTime(b)()
			for b.Loop() {
				if i++; i == len(names) {
					i = 0
				}
				serve.with(names[i])
			}
			require.Equal(b, http.StatusOK, serve.w.status)
		})
	}
}

// BenchmarkRefusal is what attackers cost.
func BenchmarkRefusal(b *testing.B) {
	h, _ := chain(b, 10_000)
	for _, test := range []struct{ name, key string }{
		{"wrong", auth.GenerateKey()},
		{"none", ""},
		{"megabyte", strings.Repeat("k", 1<<20)},
	} {
		b.Run(test.name, func(b *testing.B) {
			serve := server(h)
			b.ReportAllocs()
			defer cpuTime(b)()
			for b.Loop() {
				serve.with(test.key)
			}
			require.Equal(b, http.StatusUnauthorized, serve.w.status)
		})
	}
}

// BenchmarkRefusedFlood is a flood of wrong keys from one address, over its limit.
func BenchmarkRefusedFlood(b *testing.B) {
	k := keys(b, func(c *auth.KeysConfig) { c.FailedPerMinute = 10 })
	serve := server(k.Middleware()(served))
	wrong := auth.GenerateKey()
	for range 11 {
		serve.with(wrong)
	}
	b.ReportAllocs()
	defer cpuTime(b)()
	for b.Loop() {
		serve.with(wrong)
	}
	require.Equal(b, http.StatusTooManyRequests, serve.w.status)
}

func BenchmarkPreflight(b *testing.B) {
	h, _ := chain(b, 1)
	serve := server(h)
	serve.r.Method = http.MethodOptions
	serve.r.Header.Set("Access-Control-Request-Method", "POST")
	for _, test := range []struct{ name, headers string }{
		{"browser", "content-type,x-api-key"},
		{"60kB", strings.Repeat("x,", 30_000)},
	} {
		b.Run(test.name, func(b *testing.B) {
			serve.r.Header.Set("Access-Control-Request-Headers", test.headers)
			b.ReportAllocs()
			defer cpuTime(b)()
			for b.Loop() {
				serve.with("")
			}
			require.Equal(b, http.StatusNoContent, serve.w.status)
		})
	}
}

// benchServer asks a handler again and again, with nothing of its own allocated.
type benchServer struct {
	h http.Handler
	r *http.Request
	w *discard
}

func server(h http.Handler) *benchServer {
	r := httptest.NewRequest("POST", "/search", nil)
	r.Header.Set("Origin", "https://app.example.com")
	r.Header.Set("X-API-Key", "")
	return &benchServer{h, r, &discard{header: http.Header{}}}
}

func (s *benchServer) with(key string) {
	clear(s.w.header)
	s.w.status = http.StatusOK
	s.r.Header["X-Api-Key"][0] = key
	s.h.ServeHTTP(s.w, s.r)
}

type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }
func (d *discard) WriteHeader(status int)      { d.status = status }
