package auth_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/auth"
)

// promised is a service of eight routes behind the whole chain.
func promised(t *testing.T, perMinute, burst int) http.Handler {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{"status":"healthy"}`) })
	for _, route := range promisedRoutes {
		mux.Handle(route, served)
	}
	cors, err := auth.CORS(auth.CORSConfig{Origins: []string{"https://app.example.com", "https://*.example.org"}})
	require.NoError(t, err)
	limit, err := auth.RateLimit(auth.RateLimitConfig{PerMinute: perMinute, Burst: burst, Exempt: []string{"GET /health"}})
	require.NoError(t, err)
	k := keys(t, func(c *auth.KeysConfig) {
		c.Keys = append(c.Keys, auth.Key{Key: key + "other"})
		c.FailedPerMinute = 10
	})
	return auth.Chain(mux, auth.Recover(nil), auth.SecurityHeaders(), cors, k.Middleware(), limit)
}

var promisedRoutes = []string{"POST /search", "POST /documents", "GET /documents/{id}", "DELETE /documents/{id}", "GET /stats", "POST /chat", "POST /sessions", "POST /verify"}

// TestPromises is what the project promises of its server, as far as this package
// keeps it. Each row has its number in the list of promises.
func TestPromises(t *testing.T) {
	right := http.Header{"X-API-Key": {key}}
	rows := []struct {
		row     int
		promise string
		check   func(t *testing.T, h http.Handler)
	}{
		{1, "no key, no answer: 401, WWW-Authenticate, JSON", func(t *testing.T, h http.Handler) {
			for _, route := range promisedRoutes {
				method, path, _ := strings.Cut(route, " ")
				w := do(h, method, path, nil)
				require.Equal(t, 401, w.Code, route)
				require.Equal(t, "ApiKey", w.Header().Get("WWW-Authenticate"))
				require.Contains(t, w.Header().Get("Content-Type"), "application/json")
			}
		}},
		{2, "only the exact key", func(t *testing.T, h http.Handler) {
			for _, near := range []string{key[:len(key)-1], key[1:], key + "x", "x" + key, strings.ToUpper(key), strings.ToLower(key), `"` + key + `"`, "'" + key + "'",
				" " + key, key + " ", key + "," + key, key + "\t", strings.ReplaceAll(key, "-", "%2D"), "Bearer " + key} {
				require.Contains(t, []int{401, 429}, do(h, "POST", "/search", http.Header{"X-API-Key": {near}}).Code, near)
			}
		}},
		{3, "the key is in its header only", func(t *testing.T, h http.Handler) {
			for _, target := range []string{"/search?api_key=" + key, "/search?X-API-Key=" + key, "/search?access_token=" + key, "/search#" + key} {
				require.Equal(t, 401, do(h, "POST", target, nil).Code, target)
			}
			for name, value := range map[string]string{"Cookie": "X-API-Key=" + key, "Authorization": "Basic " + key, "X-Auth-Token": key, "Proxy-Authorization": "Bearer " + key} {
				require.Equal(t, 401, do(h, "POST", "/search", http.Header{name: {value}}).Code, name)
			}
		}},
		{4, "odd keys are refused, without an error of the server", func(t *testing.T, h http.Handler) {
			for _, odd := range []string{strings.Repeat("x", 8<<10), strings.Repeat("x", 3<<19), "ключ", "\x00", key + "\x00", "\x7f", key + "\x7f", "\xff\xfe", key + "\n"} {
				require.Equal(t, 401, do(h, "POST", "/search", http.Header{"X-API-Key": {odd}}).Code)
			}
		}},
		{5, "a second header rescues nothing", func(t *testing.T, h http.Handler) {
			for _, first := range []string{"", "wrong", key} {
				require.Equal(t, 401, do(h, "POST", "/search", http.Header{"X-API-Key": {first, key}}).Code, first)
			}
		}},
		{6, "no way around", func(t *testing.T, h http.Handler) {
			for name, value := range map[string]string{"X-Original-URL": "/health", "X-Rewrite-URL": "/health", "X-Forwarded-For": "127.0.0.1", "X-Forwarded-Host": "localhost",
				"X-HTTP-Method-Override": "GET", "X-Method-Override": "OPTIONS", "Origin": "https://app.example.com"} {
				require.Equal(t, 401, do(h, "POST", "/search", http.Header{name: {value}}).Code, name)
			}
		}},
		{7, "authentication comes before the body", func(t *testing.T, h http.Handler) {
			body := &counted{}
			r := httptest.NewRequest("POST", "/search", body)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			require.Equal(t, 401, w.Code)
			require.Zero(t, body.read)
		}},
		{8, "/health is open, also with a wrong key and over the limit", func(t *testing.T, h http.Handler) {
			for range 50 {
				do(h, "POST", "/search", right)
				require.Equal(t, 200, do(h, "GET", "/health", http.Header{"X-API-Key": {key + "wrong"}}).Code)
			}
			require.Equal(t, 429, do(h, "POST", "/search", right).Code)
		}},
		{9, "keys are never in an answer", func(t *testing.T, h http.Handler) {
			for _, header := range []http.Header{right, {"X-API-Key": {key + "x"}}, {"X-API-Key": {key, key}}, {"Authorization": {"Basic " + key}}} {
				w := do(h, "POST", "/search?k="+key, header)
				require.NotContains(t, fmt.Sprint(w.Header(), w.Body), key[:20])
			}
		}},
		{10, "digests are compared in constant time", func(t *testing.T, _ http.Handler) {
			source, err := os.ReadFile("keys.go")
			require.NoError(t, err)
			require.Contains(t, string(source), "subtle.ConstantTimeCompare(held.digest[:], d[:])")
			// That it decides, see TestKeyStoreThatComparesLoosely.
		}},
		{11, "an allowed origin is echoed, on errors too", func(t *testing.T, h http.Handler) {
			for _, origin := range []string{"https://app.example.com", "https://a.b.example.org"} {
				codes := map[int]bool{}
				for range 12 {
					for _, ask := range []struct {
						method, path string
						header       http.Header
					}{{"POST", "/search", right}, {"POST", "/search", nil}, {"POST", "/search", http.Header{"X-API-Key": {key + "x"}}},
						{"GET", "/nowhere", right}, {"DELETE", "/search", right}} {
						header := ask.header.Clone()
						if header == nil {
							header = http.Header{}
						}
						header.Set("Origin", origin)
						w := do(h, ask.method, ask.path, header)
						codes[w.Code] = true
						require.Equal(t, []string{origin}, w.Header().Values("Access-Control-Allow-Origin"))
					}
				}
				require.Subset(t, codes, map[int]bool{401: true, 429: true})
			}
		}},
		{12, "other forms of origins are not allowed", func(t *testing.T, h http.Handler) {
			for _, origin := range []string{"", "null", "*", "https://app.example.com.evil.com", "https://evilapp.example.com", "http://app.example.com", "https://app.example.com:443",
				"https://app.example.com:8443", "https://APP.example.com", "HTTPS://app.example.com", "https://app.example.com/", "https://app.example.com.", " https://app.example.com",
				"https://app.example.com ", "https://user@app.example.com", "https://example.com", "https://example.org", "https://.example.org", "https://evilexample.org",
				"https://evil.com/.example.org", "https://evil.com#.example.org", "https://evil.com\\.example.org", "https://app.example.com\x00.evil.com", "file://", "app.example.com"} {
				for _, method := range []string{"POST", "OPTIONS"} {
					for _, origins := range [][]string{{origin}, {"https://app.example.com", origin}} {
						w := do(h, method, "/search", http.Header{"Origin": origins, "Access-Control-Request-Method": {"POST"}})
						require.Empty(t, w.Header().Values("Access-Control-Allow-Origin"), "%s %q", method, origins)
					}
				}
			}
		}},
		{13, "Vary: Origin is on every answer", func(t *testing.T, h http.Handler) {
			for _, header := range []http.Header{nil, right, {"Origin": {"https://app.example.com"}}, {"Origin": {"null"}}, {"Origin": {"a", "b"}}} {
				for _, method := range []string{"GET", "POST", "OPTIONS"} {
					for _, path := range []string{"/health", "/search", "/nowhere"} {
						require.Contains(t, strings.Join(do(h, method, path, header).Header().Values("Vary"), ","), "Origin")
					}
				}
			}
		}},
		{14, "preflights need no key and are not limited", func(t *testing.T, h http.Handler) {
			for range 20 {
				for _, route := range promisedRoutes {
					method, path, _ := strings.Cut(route, " ")
					w := do(h, "OPTIONS", path, http.Header{"Origin": {"https://app.example.com"}, "Access-Control-Request-Method": {method},
						"Access-Control-Request-Headers": {"content-type,x-api-key,x-request-time"}})
					require.Equal(t, 204, w.Code)
					require.Contains(t, w.Header().Get("Access-Control-Allow-Headers"), "x-api-key")
				}
			}
		}},
		{15, "what is not listed is not granted, and never * with credentials", func(t *testing.T, h http.Handler) {
			for _, ask := range [][2]string{{"TRACE", ""}, {"CONNECT", ""}, {"OPTIONS", ""}, {"PURGE", ""}, {"POST", "x-evil"}, {"POST", "cookie"}} {
				w := do(h, "OPTIONS", "/search", http.Header{"Origin": {"https://app.example.com"}, "Access-Control-Request-Method": {ask[0]},
					"Access-Control-Request-Headers": {ask[1]}})
				require.Empty(t, w.Header().Values("Access-Control-Allow-Methods"), ask)
				require.Empty(t, w.Header().Values("Access-Control-Allow-Credentials"))
			}
			_, err := auth.CORS(auth.CORSConfig{Origins: []string{"*"}, Credentials: true})
			require.ErrorIs(t, err, auth.ErrUnsafe)
		}},
		{16, "a preflight costs little, whatever it asks for", func(t *testing.T, h http.Handler) {
			for _, names := range []string{strings.Repeat(",", 1<<20), strings.Repeat("x,", 1<<19), strings.Repeat("content-type,", 1<<16)} {
				header := http.Header{"Origin": {"https://app.example.com"}, "Access-Control-Request-Method": {"POST"}, "Access-Control-Request-Headers": {names}}
				var w *httptest.ResponseRecorder
				allocated := testing.AllocsPerRun(5, func() { w = do(h, "OPTIONS", "/search", header) })
				require.Less(t, allocated, 100.0)
				require.Empty(t, w.Header().Values("Access-Control-Allow-Headers"))
			}
		}},
		{17, "no spelling of a path is an answer without a key", func(t *testing.T, h http.Handler) {
			for _, path := range []string{"//search", "/./search", "/health/../search", "/health/..%2fsearch", "/%2e%2e/search", "/search/", "/search//", "/SEARCH", "/search%00", "/search;x",
				"/health;/../search", "/search?/health", "/health%2f..%2fsearch", "/health/", "//health", "/health//", "/health%2f", "/health.json", "/search%20", "/search%2f"} {
				for _, method := range []string{"GET", "POST", "HEAD", "PUT", "TRACE", "OPTIONS"} {
					require.Equal(t, 401, do(h, method, path, nil).Code, "%s %s", method, path)
				}
			}
		}},
		{18, "404 and 405 with Allow pass through", func(t *testing.T, h http.Handler) {
			require.Equal(t, 404, do(h, "GET", "/nowhere", right).Code)
			w := do(h, "DELETE", "/search", right)
			require.Equal(t, 405, w.Code)
			require.Equal(t, "POST", w.Header().Get("Allow"))
		}},
		{19, "nothing but the routes is served", func(t *testing.T, h http.Handler) {
			for _, path := range []string{"/debug/pprof/", "/debug/vars", "/.env", "/.git/config", "/config.json", "/metrics"} {
				require.Equal(t, 401, do(h, "GET", path, nil).Code, path)
				require.Equal(t, 404, do(h, "GET", path, right).Code, path)
			}
		}},
		{20, "a refused body is not run as a request", func(t *testing.T, h http.Handler) {
			server := httptest.NewServer(h)
			defer server.Close()
			conn, err := net.Dial("tcp", server.Listener.Addr().String())
			require.NoError(t, err)
			defer conn.Close()
			require.NoError(t, conn.SetDeadline(time.Now().Add(time.Minute)))
			inner := "GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
			fmt.Fprintf(conn, "POST /search HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", len(inner), inner)
			all, _ := io.ReadAll(conn) // until the server closes
			require.Equal(t, 1, strings.Count(string(all), "HTTP/1.1 "), "%s", all)
			require.Contains(t, string(all), "401 Unauthorized")
		}},
		{39, "429 with Retry-After, per key, not escaped, and over after a while", func(t *testing.T, h http.Handler) {
			synctest.Test(t, func(t *testing.T) {
				h := promised(t, 60, 5)
				var w *httptest.ResponseRecorder
				for range 6 {
					w = do(h, "POST", "/search", right)
				}
				require.Equal(t, 429, w.Code)
				require.Equal(t, "1", w.Header().Get("Retry-After"))
				for _, name := range []string{"X-Forwarded-For", "X-Real-IP", "Forwarded", "X-Client-IP", "True-Client-IP", "CF-Connecting-IP"} {
					require.Equal(t, 429, do(h, "POST", "/search", http.Header{"X-API-Key": {key}, name: {"203.0.113.7"}}).Code, name)
				}
				for _, path := range []string{"//search", "/search/", "/search?x=1", "/SEARCH"} {
					require.Equal(t, 429, do(h, "POST", path, right).Code, path)
				}
				require.Equal(t, 200, do(h, "POST", "/search", http.Header{"X-API-Key": {key + "other"}}).Code)
				time.Sleep(time.Second)
				require.Equal(t, 200, do(h, "POST", "/search", right).Code)
				passed := 0
				for i := range 25 {
					if do(h, "POST", "/search", http.Header{"X-API-Key": {fmt.Sprintf("wrong-%d", i)}}).Code != 429 {
						passed++
					}
				}
				require.Equal(t, 10, passed, "wrong keys are limited by address")
			})
		}},
	}
	for _, row := range rows {
		t.Run(fmt.Sprintf("row %d: %s", row.row, row.promise), func(t *testing.T) { row.check(t, promised(t, 600, 20)) })
	}
}

// counted is a body that never ends.
type counted struct{ read int }

func (c *counted) Read(b []byte) (int, error) {
	c.read += len(b)
	return len(b), nil
}
