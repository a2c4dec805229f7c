package auth_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/auth"
)

const (
	secret = "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0"
	key    = "api-key-Zk3vXf8yQ1w2e3r4t5y6u7i8o9p0a1s2d3f4g5h6j7k"
)

func keys(t testing.TB, change func(*auth.KeysConfig)) *auth.Keys {
	t.Helper()
	cfg := auth.KeysConfig{Secret: secret, Keys: []auth.Key{{Key: key, Name: "test", Scopes: []string{"read"}}},
		Open: []string{"GET /health"}, FailedPerMinute: -1}
	if change != nil {
		change(&cfg)
	}
	k, err := auth.NewKeys(cfg)
	require.NoError(t, err)
	return k
}

// served answers 200 and says who asked.
var served = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	p, _ := auth.PrincipalFrom(r.Context())
	io.WriteString(w, p.Name)
})

func do(h http.Handler, method, target string, header http.Header) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, nil)
	for name, values := range header {
		r.Header[http.CanonicalHeaderKey(name)] = values
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func Example() {
	k, err := auth.NewKeys(auth.KeysConfig{Secret: secret, Keys: []auth.Key{{Key: key, Name: "frontend"}}, Open: []string{"GET /health"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	cors, err := auth.CORS(auth.CORSConfig{Origins: []string{"https://app.example.com"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	limit, err := auth.RateLimit(auth.RateLimitConfig{PerMinute: 60, Burst: 20})
	if err != nil {
		fmt.Println(err)
		return
	}
	h := auth.Chain(served, auth.Recover(nil), auth.SecurityHeaders(), cors, k.Middleware(), limit)
	fmt.Println(do(h, "GET", "/orders", nil).Code)
	fmt.Println(do(h, "GET", "/orders", http.Header{"X-API-Key": {key}}).Body)
	// Output:
	// 401
	// frontend
}

// Configurations that cannot be meant are refused, all mistakes at once, and the
// error holds no secret.
func ExampleNewKeys_incorrect() {
	_, err := auth.NewKeys(auth.KeysConfig{Secret: "hunter2", Keys: []auth.Key{{Key: "api-key-PASTE_YOUR_KEYS_HERE"}, {Key: "short"}}})
	fmt.Println(err)
	// Output:
	// auth: KeysConfig.Secret: must have at least 32 characters; make one with GenerateSecret
	// auth: KeysConfig.Keys: key 1 is a placeholder; make one with GenerateKey
	// auth: KeysConfig.Keys: key 2 has 5 characters; keys have 20 to 256
}

func ExampleCORS_incorrect() {
	_, err := auth.CORS(auth.CORSConfig{Credentials: true, Origins: []string{"*", "null", "https://App.example.com/", "app.example.com", "https://example.com:443", "https://*.com"}})
	fmt.Println(err)
	// Output:
	// auth: CORSConfig.Origins: "*" with credentials would let every web page act for your users; list the origins
	// auth: CORSConfig.Origins: "null" is sent by sandboxed pages of anybody; it cannot be allowed
	// auth: CORSConfig.Origins: "https://App.example.com/" must have no path, query or user, also no slash at the end
	// auth: CORSConfig.Origins: "app.example.com" must begin with http:// or https://
	// auth: CORSConfig.Origins: "https://example.com:443" must leave the scheme's own port out, as browsers do
	// auth: CORSConfig.Origins: "https://*.com" allows everybody below a top-level domain; name the domain, as in https://*.example.com
}

func TestKeys(t *testing.T) {
	h := keys(t, nil).Middleware()(served)
	long := strings.Repeat("x", 1<<20)
	tests := []struct {
		name, method, target string
		header               http.Header
		want                 int
	}{
		{"right key", "POST", "/search", http.Header{"X-API-Key": {key}}, 200},
		{"bearer", "POST", "/search", http.Header{"Authorization": {"Bearer " + key}}, 200},
		{"bearer in lower case", "POST", "/search", http.Header{"Authorization": {"bearer " + key}}, 200},
		{"both alike", "POST", "/search", http.Header{"X-API-Key": {key}, "Authorization": {"Bearer " + key}}, 200},
		{"none", "POST", "/search", nil, 401},
		{"empty", "POST", "/search", http.Header{"X-API-Key": {""}}, 401},
		{"prefix", "POST", "/search", http.Header{"X-API-Key": {key[:len(key)-1]}}, 401},
		{"longer", "POST", "/search", http.Header{"X-API-Key": {key + "x"}}, 401},
		{"other case", "POST", "/search", http.Header{"X-API-Key": {strings.ToUpper(key)}}, 401},
		{"quoted", "POST", "/search", http.Header{"X-API-Key": {`"` + key + `"`}}, 401},
		{"spaces", "POST", "/search", http.Header{"X-API-Key": {" " + key}}, 401},
		{"list", "POST", "/search", http.Header{"X-API-Key": {key + "," + key}}, 401},
		{"encoded", "POST", "/search", http.Header{"X-API-Key": {strings.ReplaceAll(key, "-", "%2D")}}, 401},
		{"two headers, the second right", "POST", "/search", http.Header{"X-API-Key": {"wrong", key}}, 401},
		{"two headers, both right", "POST", "/search", http.Header{"X-API-Key": {key, key}}, 401},
		{"both, different", "POST", "/search", http.Header{"X-API-Key": {key}, "Authorization": {"Bearer x"}}, 401},
		{"basic", "POST", "/search", http.Header{"Authorization": {"Basic " + key}}, 401},
		{"in the query", "POST", "/search?api_key=" + key + "&X-API-Key=" + key, nil, 401},
		{"in a cookie", "POST", "/search", http.Header{"Cookie": {"X-API-Key=" + key}}, 401},
		{"megabyte", "POST", "/search", http.Header{"X-API-Key": {long}}, 401},
		{"not ASCII", "POST", "/search", http.Header{"X-API-Key": {"ключ\x00\x7f"}}, 401},
		{"open", "GET", "/health", nil, 200},
		{"open, wrong key", "GET", "/health", http.Header{"X-API-Key": {"wrong"}}, 200},
		{"open for HEAD", "HEAD", "/health", nil, 200},
		{"not open for POST", "POST", "/health", nil, 401},
		{"spelling", "GET", "//health", nil, 401},
		{"spelling", "GET", "/health/", nil, 401},
		{"spelling", "GET", "/health/../search", nil, 401},
		{"rewritten", "POST", "/search", http.Header{"X-Original-URL": {"/health"}, "X-HTTP-Method-Override": {"GET"}, "X-Forwarded-For": {"127.0.0.1"}}, 401},
	}
	for _, tt := range tests {
		w := do(h, tt.method, tt.target, tt.header)
		require.Equal(t, tt.want, w.Code, tt.name)
		if tt.want == 401 {
			require.Equal(t, "ApiKey", w.Header().Get("WWW-Authenticate"), tt.name)
			require.JSONEq(t, `{"error":"unauthorized","message":"a valid API key is needed in the header X-API-Key or Authorization: Bearer","detail":null,"request_id":""}`, w.Body.String())
		}
	}
}

func TestRefusedBodyIsNotRead(t *testing.T) {
	server := httptest.NewServer(keys(t, nil).Middleware()(served))
	defer server.Close()
	body, write := io.Pipe()
	defer write.Close()
	r, err := http.NewRequest("POST", server.URL+"/search", body) // never sends a byte
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	require.Equal(t, 401, response.StatusCode)
	require.True(t, response.Close, "what is left of the body is not taken for a request")
}

func TestRotateDuringTraffic(t *testing.T) {
	k := keys(t, nil)
	h := k.Middleware()(served)
	other := auth.GenerateKey()
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(func() {
			for range 200 {
				if code := do(h, "GET", "/", http.Header{"X-API-Key": {key}}).Code; code != 200 {
					t.Errorf("the key that stays was refused: %d", code)
				}
			}
		})
	}
	for range 50 {
		require.NoError(t, k.Rotate(auth.Key{Key: key}, auth.Key{Key: other}))
		require.NoError(t, k.Rotate(auth.Key{Key: key}))
	}
	clients.Wait()
	_, err := k.Lookup(t.Context(), other)
	require.ErrorIs(t, err, auth.ErrUnknownKey)
	require.Error(t, k.Rotate(), "no keys at all")
	_, err = k.Lookup(t.Context(), key)
	require.NoError(t, err, "after an error the old keys stay")
}

func TestPrincipal(t *testing.T) {
	k := keys(t, nil)
	p, err := k.Lookup(t.Context(), key)
	require.NoError(t, err)
	require.Equal(t, "test", p.Name)
	require.Len(t, p.ID, 16)
	again, _ := keys(t, nil).Lookup(t.Context(), key)
	require.Equal(t, p.ID, again.ID, "the same key and secret give the same principal")
	other, _ := keys(t, func(c *auth.KeysConfig) { c.Secret = auth.GenerateSecret() }).Lookup(t.Context(), key)
	require.NotEqual(t, p.ID, other.ID)
	require.Regexp(t, `^api-key-[A-Za-z0-9_-]{43}$`, auth.GenerateKey())
	require.Regexp(t, `^[0-9a-f]{64}$`, auth.GenerateSecret())
	require.NotEqual(t, auth.GenerateKey(), auth.GenerateKey())
}

func TestWrongKeysAreLimitedByAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := keys(t, func(c *auth.KeysConfig) { c.FailedPerMinute = 3 }).Middleware()(served)
		from := func(address, key string) *httptest.ResponseRecorder {
			r := httptest.NewRequest("GET", "/", nil)
			r.RemoteAddr = address
			r.Header.Set("X-API-Key", key)
			r.Header.Set("X-Forwarded-For", fmt.Sprint("10.0.0.", time.Now().Nanosecond()%200)) // does not help
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			return w
		}
		for range 3 {
			require.Equal(t, 401, from("192.0.2.1:1000", "wrong-key-wrong-key-wrong").Code)
		}
		w := from("192.0.2.1:1001", "wrong-key-wrong-key-wrong")
		require.Equal(t, 429, w.Code)
		require.Equal(t, "20", w.Header().Get("Retry-After"))
		require.Equal(t, 200, from("192.0.2.1:1002", key).Code, "a right key goes on working")
		require.Equal(t, 401, from("192.0.2.2:1000", "wrong-key-wrong-key-wrong").Code, "other addresses are not affected")
		time.Sleep(20 * time.Second)
		require.Equal(t, 401, from("192.0.2.1:1000", "wrong-key-wrong-key-wrong").Code)
	})
}

func TestCORS(t *testing.T) {
	cors, err := auth.CORS(auth.CORSConfig{Origins: []string{"https://app.example.com", "http://localhost:3000", "https://*.example.org"}})
	require.NoError(t, err)
	h := auth.Chain(served, cors, keys(t, nil).Middleware())
	allowed := []string{"https://app.example.com", "http://localhost:3000", "https://a.example.org", "https://a.b.example.org"}
	refused := []string{"", "null", "*", "https://app.example.com.evil.com", "https://evilapp.example.com", "http://app.example.com",
		"https://app.example.com:8443", "https://APP.example.com", "https://app.example.com/", "https://app.example.com ", "https://example.org",
		"https://evil.com/.example.org", "https://evil.com#.example.org", "https://.example.org", "http://localhost:3001", "http://localhost",
		"https://app.example.com, https://evil.com", "file://", "https://xn--app.example.com"}
	preflight := func(origin string) *httptest.ResponseRecorder {
		return do(h, "OPTIONS", "/search", http.Header{"Origin": {origin}, "Access-Control-Request-Method": {"POST"},
			"Access-Control-Request-Headers": {"content-type,x-api-key"}})
	}
	const allow = "Access-Control-Allow-Origin"
	for _, origin := range allowed {
		w := preflight(origin)
		require.Equal(t, 204, w.Code)
		require.Equal(t, origin, w.Header().Get(allow))
		require.Equal(t, "POST", w.Header().Get("Access-Control-Allow-Methods"))
		require.Equal(t, "content-type,x-api-key", w.Header().Get("Access-Control-Allow-Headers"))
		w = do(h, "POST", "/search", http.Header{"Origin": {origin}})
		require.Equal(t, 401, w.Code)
		require.Equal(t, origin, w.Header().Get(allow), "a page can read the refusal")
	}
	for _, origin := range refused {
		w := preflight(origin)
		require.Equal(t, 204, w.Code, origin)
		require.Empty(t, w.Header().Values(allow), origin)
		w = do(h, "POST", "/search", http.Header{"Origin": {origin}, "X-API-Key": {key}})
		require.Equal(t, 200, w.Code, origin)
		require.Empty(t, w.Header().Values(allow), origin)
		require.Contains(t, strings.Join(w.Header().Values("Vary"), ","), "Origin")
	}
	for _, method := range []string{"POST", "OPTIONS"} {
		w := do(h, method, "/search", http.Header{"Origin": {allowed[0], "https://evil.com"}, "Access-Control-Request-Method": {"POST"}})
		require.Empty(t, w.Header().Values(allow), "two origins")
	}
	w := do(h, "GET", "/search", http.Header{"X-API-Key": {key}})
	require.Equal(t, []string{"Origin"}, w.Header().Values("Vary"), "also without Origin")
	w = do(h, "OPTIONS", "/search", http.Header{"Origin": {allowed[0]}, "Access-Control-Request-Method": {"POST"}, "Access-Control-Request-Headers": {"x-evil"}})
	require.Empty(t, w.Header().Values("Access-Control-Allow-Headers"), "headers that are not listed are not granted")
	w = do(h, "OPTIONS", "/search", http.Header{"Origin": {allowed[0]}, "Access-Control-Request-Method": {"TRACE"}})
	require.Empty(t, w.Header().Values("Access-Control-Allow-Methods"))
	require.Empty(t, w.Header().Values("Access-Control-Allow-Credentials"))
}

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

type brokenLimiter struct{}

func (brokenLimiter) Allow(context.Context, string) (auth.Decision, error) {
	return auth.Decision{}, errors.New("down")
}

func TestBrokenLimiterLetsPass(t *testing.T) {
	limit, err := auth.RateLimit(auth.RateLimitConfig{PerMinute: 1, Burst: 1, Limiter: brokenLimiter{}})
	require.NoError(t, err)
	require.Equal(t, 200, do(limit(served), "GET", "/", nil).Code)
}

// TestFloodOfAddresses fills the limiter with made-up addresses: the bucket of an
// honest client that is in use is not reset, and the memory stays bounded.
func TestFloodOfAddresses(t *testing.T) {
	m := auth.NewMemoryLimiter(60, 2)
	allow := func(key string) bool {
		d, err := m.Allow(t.Context(), key)
		require.NoError(t, err)
		return d.Allowed
	}
	require.True(t, allow("honest"))
	require.True(t, allow("honest"))
	for i := range 400_000 {
		if _, err := m.Allow(t.Context(), fmt.Sprint("made-up-", i)); err != nil {
			t.Fatal(err)
		}
		if i%1000 == 0 {
			allow("honest")
		}
	}
	refused := 0
	for range 4 {
		if !allow("honest") {
			refused++
		}
	}
	require.Greater(t, refused, 1, "the flood did not reset the bucket")
}

func TestClientAddress(t *testing.T) {
	behind, err := auth.NewClient("10.0.0.0/8", "192.168.1.1")
	require.NoError(t, err)
	for _, tt := range []struct {
		client            *auth.Client
		remote, forwarded string
		want              string
	}{
		{nil, "192.0.2.1:99", "1.1.1.1", "192.0.2.1"},
		{behind, "192.0.2.1:99", "1.1.1.1", "192.0.2.1"},
		{behind, "10.1.2.3:99", "1.1.1.1", "1.1.1.1"},
		{behind, "10.1.2.3:99", "6.6.6.6, 1.1.1.1, 192.168.1.1", "1.1.1.1"},
		{behind, "10.1.2.3:99", "6.6.6.6, nonsense", "10.1.2.3"},
		{behind, "10.1.2.3:99", "", "10.1.2.3"},
		{behind, "10.1.2.3:99", "[2001:db8::1]:55", "2001:db8::1"},
		{behind, "[::ffff:10.1.2.3]:99", "1.1.1.1", "1.1.1.1"},
		{behind, "@", "1.1.1.1", "invalid IP"},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = tt.remote
		r.Header.Set("X-Forwarded-For", tt.forwarded)
		require.Equal(t, tt.want, tt.client.Address(r).String(), "%s %s", tt.remote, tt.forwarded)
	}
	_, err = auth.NewClient("0.0.0.0/0", "proxy.local")
	require.ErrorContains(t, err, "trusts everybody")
	require.ErrorContains(t, err, "proxy.local")
}

func TestGuards(t *testing.T) {
	w := do(auth.SecurityHeaders()(served), "GET", "/", nil)
	require.Equal(t, "nosniff", w.Header().Get("X-Content-Type-Options"))
	require.Equal(t, "DENY", w.Header().Get("X-Frame-Options"))
	require.Empty(t, w.Header().Get("Strict-Transport-Security"))

	reader := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := io.ReadAll(r.Body)
		var tooLarge *http.MaxBytesError
		require.Equal(t, r.ContentLength < 0, errors.As(err, &tooLarge))
	})
	r := httptest.NewRequest("POST", "/", strings.NewReader("12345"))
	rec := httptest.NewRecorder()
	auth.MaxBody(4, nil)(reader).ServeHTTP(rec, r)
	require.Equal(t, 413, rec.Code)
	r = httptest.NewRequest("POST", "/", io.MultiReader(strings.NewReader("12345")))
	r.ContentLength = -1
	auth.MaxBody(4, nil)(reader).ServeHTTP(httptest.NewRecorder(), r)

	boom := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("boom") })
	w = do(auth.Recover(nil)(boom), "GET", "/", nil)
	require.Equal(t, 500, w.Code)
	require.NotContains(t, w.Body.String(), "boom")
	late := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "begun"); panic("boom") })
	require.PanicsWithValue(t, http.ErrAbortHandler, func() { do(auth.Recover(nil)(late), "GET", "/", nil) })
	flush := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		require.NoError(t, http.NewResponseController(w).Flush())
	})
	require.True(t, do(auth.Recover(nil)(flush), "GET", "/", nil).Flushed, "streaming passes through")
}

func TestImports(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", ".").Output()
	require.NoError(t, err)
	for line := range strings.Lines(string(out)) {
		line = strings.TrimSpace(line)
		require.True(t, line == "" || strings.HasPrefix(line, "github.com/rs/cors") || line == "golang.org/x/time/rate" ||
			line == "github.com/api-assistant/api-assistant/auth", "auth must not depend on %s", line)
	}
}

func FuzzCORSOrigin(f *testing.F) {
	for _, s := range []string{"https://a.example.com", "null", "http://[::1]:80", "https://*.x.y", "\x00", "https://a:b@c"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, origin string) {
		cors, err := auth.CORS(auth.CORSConfig{Origins: []string{origin}})
		if err != nil {
			require.Contains(t, err.Error(), "CORSConfig.Origins")
			return
		}
		w := do(cors(served), "GET", "/", http.Header{"Origin": {"https://evil.com"}})
		if got := w.Header().Get("Access-Control-Allow-Origin"); got != "" && origin != "*" {
			require.Equal(t, "https://evil.com", origin)
		}
	})
}
