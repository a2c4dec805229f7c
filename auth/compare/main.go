// Command compare measures package auth beside rs/cors with go-chi/httprate, which
// is what a Go service has for the same purpose without it: the same requests, one
// thread, in one run. It is a module of its own so that the library does not
// depend on what it is compared with.
//
//	cd auth/compare && go run .
//	go run . -keys 1000 -rounds 9
//
// The two have no keys of their own, so two lines do the same work: CORS and a
// limit by address. The lines with keys show what the whole chain adds, beside
// the loop over all keys in constant time that many services have. Each line is
// the best of several rounds that take turns, in processor time where the system
// tells it, because other programs disturb all of them.
package main

import (
	"crypto/sha256"
	"crypto/subtle"
	"flag"
	"fmt"
	"log"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/go-chi/httprate"
	"github.com/rs/cors"

	"github.com/api-assistant/api-assistant/auth"
)

const (
	origin = "https://app.example.com"
	plenty = 1_000_000_000 // requests a minute: nothing is refused here
)

func main() {
	log.SetFlags(0)
	n := flag.Int("keys", 10_000, "API keys")
	rounds := flag.Int("rounds", 5, "how often each line is measured")
	flag.Parse()

	keys := make([]string, *n)
	for i := range keys {
		keys[i] = auth.GenerateKey()
	}
	lines := []*line{
		{name: "no middleware", handler: nothing},
		{name: "auth: CORS + limit by address", handler: auth.Chain(nothing, authCORS(), authLimit())},
		{name: "rs/cors + httprate by address", handler: theirCORS(httprate.LimitByIP(plenty, time.Minute)(nothing))},
		{name: "auth: headers + CORS + keys + limit by key", handler: auth.Chain(nothing, auth.SecurityHeaders(), authCORS(), authKeys(keys), authLimit()), keys: keys},
		{name: "rs/cors + loop over keys + httprate by key", handler: theirCORS(keyLoop(keys)(theirKeyLimit(nothing))), keys: keys},
	}
	for range *rounds {
		for _, l := range lines {
			l.measure()
		}
	}
	fmt.Printf("%d keys, %d cores, %s, best of %d rounds, a request\n\n", *n, runtime.GOMAXPROCS(0), runtime.Version(), *rounds)
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "\ttime ns\tprocessor ns\tallocations\tbytes\t")
	for _, l := range lines {
		fmt.Fprintf(w, "%s\t%.0f\t%.0f\t%d\t%d\t\n", l.name, l.wall, l.cpu, l.allocs, l.bytes)
	}
	if err := w.Flush(); err != nil {
		log.Fatal(err)
	}
}

var nothing = http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})

func must(m auth.Middleware, err error) auth.Middleware {
	if err != nil {
		log.Fatal(err)
	}
	return m
}

func authCORS() auth.Middleware {
	return must(auth.CORS(auth.CORSConfig{Origins: []string{origin}}))
}

func authKeys(keys []string) auth.Middleware {
	held := make([]auth.Key, len(keys))
	for i, k := range keys {
		held[i].Key = k
	}
	return must(auth.APIKeys(auth.KeysConfig{Secret: auth.GenerateSecret(), Keys: held}))
}

func authLimit() auth.Middleware {
	return must(auth.RateLimit(auth.RateLimitConfig{PerMinute: plenty, Burst: 1000}))
}

func theirCORS(next http.Handler) http.Handler {
	return cors.New(cors.Options{AllowedOrigins: []string{origin}, AllowedHeaders: []string{"Content-Type", "X-API-Key"}}).Handler(next)
}

func theirKeyLimit(next http.Handler) http.Handler {
	return httprate.Limit(plenty, time.Minute, httprate.WithKeyFuncs(func(r *http.Request) (string, error) {
		return r.Header.Get("X-API-Key"), nil
	}))(next)
}

// keyLoop compares the digest of a key with that of each key that is held.
func keyLoop(keys []string) auth.Middleware {
	held := make([][32]byte, len(keys))
	for i, k := range keys {
		held[i] = sha256.Sum256([]byte(k))
	}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			d := sha256.Sum256([]byte(r.Header.Get("X-API-Key")))
			found := 0
			for i := range held {
				found |= subtle.ConstantTimeCompare(held[i][:], d[:])
			}
			if found == 0 {
				http.Error(w, "unauthorized", http.StatusUnauthorized)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

// line is a row of the table.
type line struct {
	name      string
	handler   http.Handler
	keys      []string // that requests carry in turn
	wall, cpu float64  // nanoseconds; the least so far
	allocs    int64
	bytes     int64
}

func (l *line) measure() {
	r := httptest.NewRequest("POST", "/search", nil)
	r.Header.Set("Origin", origin)
	r.Header.Set("X-API-Key", "")
	w := &discard{header: http.Header{}, status: http.StatusOK}
	result := testing.Benchmark(func(b *testing.B) {
		b.ReportAllocs()
		begin := processorTime()
		i := 0
		for b.Loop() {
			clear(w.header)
			if i++; i >= len(l.keys) {
				i = 0
			}
			if len(l.keys) > 0 {
				r.Header["X-Api-Key"][0] = l.keys[i]
			}
			l.handler.ServeHTTP(w, r)
		}
		b.ReportMetric(float64(processorTime()-begin)/float64(b.N), "cpu-ns/op")
	})
	if w.status != http.StatusOK {
		log.Fatalf("%s: status %d", l.name, w.status)
	}
	wall, cpu := float64(result.T.Nanoseconds())/float64(result.N), result.Extra["cpu-ns/op"]
	if l.wall == 0 {
		l.wall, l.cpu = math.Inf(1), math.Inf(1)
	}
	l.wall, l.cpu = min(l.wall, wall), min(l.cpu, cpu)
	l.allocs, l.bytes = result.AllocsPerOp(), result.AllocedBytesPerOp()
}

// discard is a ResponseWriter that allocates nothing of its own.
type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }
func (d *discard) WriteHeader(status int)      { d.status = status }
