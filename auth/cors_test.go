package auth_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/auth"
)

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

// TestPreflight follows the Fetch standard's CORS-preflight fetch.
func TestPreflight(t *testing.T) {
	cors, err := auth.CORS(auth.CORSConfig{Origins: []string{"https://app.example.com"}, Methods: []string{"GET", "POST", "PUT"},
		Headers: []string{"Content-Type", "X-API-Key"}, MaxAge: time.Hour})
	require.NoError(t, err)
	const good, evil = "https://app.example.com", "https://evil.example"
	type list = []string
	for _, test := range []struct {
		name                    string
		origin, method, headers list
		granted, reached        bool
	}{
		{"simple method", list{good}, list{"GET"}, nil, true, false},
		{"other method", list{good}, list{"PUT"}, nil, true, false},
		{"a header", list{good}, list{"POST"}, list{"content-type"}, true, false},
		{"headers", list{good}, list{"POST"}, list{"content-type,x-api-key"}, true, false},
		{"headers, spaced by a proxy", list{good}, list{"POST"}, list{"content-type, x-api-key"}, true, false},
		{"headers, split by a proxy", list{good}, list{"POST"}, list{"content-type", "x-api-key"}, true, false},
		{"no headers", list{good}, list{"POST"}, list{""}, true, false},
		{"unlisted header", list{good}, list{"POST"}, list{"content-type,x-evil"}, false, false},
		{"unlisted header, split", list{good}, list{"POST"}, list{"content-type", "x-evil"}, false, false},
		{"header in upper case", list{good}, list{"POST"}, list{"X-API-Key"}, false, false},
		{"headers out of order", list{good}, list{"POST"}, list{"x-api-key,content-type"}, false, false},
		{"unlisted method", list{good}, list{"DELETE"}, nil, false, false},
		{"method in lower case", list{good}, list{"post"}, nil, false, false},
		{"OPTIONS, unlisted", list{good}, list{"OPTIONS"}, nil, false, false},
		{"methods in one", list{good}, list{"POST, DELETE"}, nil, false, false},
		{"two methods", list{good}, list{"POST", "DELETE"}, nil, false, false},
		{"other origin", list{evil}, list{"POST"}, nil, false, false},
		{"null", list{"null"}, list{"POST"}, nil, false, false},
		{"case of the origin", list{"https://App.example.com"}, list{"POST"}, nil, false, false},
		{"port of the origin", list{good + ":443"}, list{"POST"}, nil, false, false},
		{"two origins", list{good, evil}, list{"POST"}, nil, false, false},
		{"the same origin twice", list{good, good}, list{"POST"}, nil, false, false},
		{"empty origin", list{""}, list{"POST"}, nil, false, false},
		{"no method: a request for OPTIONS", list{good}, nil, nil, true, true},
		{"no origin: not CORS", nil, list{"POST"}, nil, false, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			reached := false
			h := cors(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
			header := http.Header{}
			for name, values := range map[string]list{"Origin": test.origin, "Access-Control-Request-Method": test.method, "Access-Control-Request-Headers": test.headers} {
				if values != nil {
					header[name] = values
				}
			}
			w := do(h, "OPTIONS", "/", header)
			require.Equal(t, test.reached, reached)
			got := w.Header()
			require.Contains(t, strings.Join(got.Values("Vary"), ", "), "Origin")
			if !test.granted {
				for name := range got {
					require.False(t, strings.HasPrefix(name, "Access-Control-"), name)
				}
				return
			}
			require.Equal(t, list{good}, got.Values("Access-Control-Allow-Origin"))
			require.Empty(t, got.Values("Access-Control-Allow-Credentials"))
			if test.reached {
				return
			}
			require.Equal(t, 204, w.Code)
			require.Equal(t, test.method, got.Values("Access-Control-Allow-Methods"))
			require.Equal(t, "3600", got.Get("Access-Control-Max-Age"))
			require.Equal(t, "Origin, Access-Control-Request-Method, Access-Control-Request-Headers", strings.Join(got.Values("Vary"), ", "))
			if len(test.headers) > 0 && test.headers[0] != "" {
				require.Equal(t, test.headers, got.Values("Access-Control-Allow-Headers"))
			}
		})
	}
}

func TestCORSAnswers(t *testing.T) {
	const app = "https://app.example.com"
	for _, test := range []struct {
		name           string
		cfg            auth.CORSConfig
		method, origin string
		want           map[string]string // headers; "" means that there is none
	}{
		{"zero value", auth.CORSConfig{}, "GET", app, map[string]string{"Access-Control-Allow-Origin": "", "Vary": "Origin"}},
		{"default", auth.CORSConfig{Origins: []string{app}}, "GET", app, map[string]string{"Access-Control-Allow-Origin": app, "Vary": "Origin",
			"Access-Control-Expose-Headers":    "RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, Retry-After, X-Request-ID",
			"Access-Control-Allow-Credentials": ""}},
		{"nothing exposed", auth.CORSConfig{Origins: []string{app}, Expose: []string{}}, "GET", app, map[string]string{"Access-Control-Expose-Headers": ""}},
		{"credentials", auth.CORSConfig{Origins: []string{app}, Credentials: true}, "GET", app, map[string]string{"Access-Control-Allow-Credentials": "true"}},
		{"everybody", auth.CORSConfig{Origins: []string{"*"}}, "GET", "https://anybody.example", map[string]string{"Access-Control-Allow-Origin": "*",
			"Access-Control-Allow-Credentials": "", "Vary": "Origin"}},
		{"everybody, without an origin", auth.CORSConfig{Origins: []string{"*"}}, "GET", "", map[string]string{"Access-Control-Allow-Origin": "", "Vary": "Origin"}},
		{"unlisted method", auth.CORSConfig{Origins: []string{app}, Methods: []string{"GET"}}, "DELETE", app, map[string]string{"Access-Control-Allow-Origin": ""}},
		{"this machine with credentials", auth.CORSConfig{Origins: []string{"http://127.0.0.1:3000"}, Credentials: true}, "GET", "http://127.0.0.1:3000",
			map[string]string{"Access-Control-Allow-Origin": "http://127.0.0.1:3000"}},
		{"IPv6", auth.CORSConfig{Origins: []string{"http://[::1]:3000"}, Credentials: true}, "GET", "http://[::1]:3000",
			map[string]string{"Access-Control-Allow-Origin": "http://[::1]:3000"}},
		{"wildcard with a port", auth.CORSConfig{Origins: []string{"https://*.example.com:8443"}}, "GET", "https://a.example.com:8443",
			map[string]string{"Access-Control-Allow-Origin": "https://a.example.com:8443"}},
		{"wildcard with another port", auth.CORSConfig{Origins: []string{"https://*.example.com:8443"}}, "GET", "https://a.example.com:84430",
			map[string]string{"Access-Control-Allow-Origin": ""}},
		{"wildcard without its dot", auth.CORSConfig{Origins: []string{"https://*.example.com"}}, "GET", "https://evilexample.com",
			map[string]string{"Access-Control-Allow-Origin": ""}},
		{"wildcard, other scheme", auth.CORSConfig{Origins: []string{"https://*.example.com"}}, "GET", "http://a.example.com",
			map[string]string{"Access-Control-Allow-Origin": ""}},
	} {
		t.Run(test.name, func(t *testing.T) {
			cors, err := auth.CORS(test.cfg)
			require.NoError(t, err)
			header := http.Header{}
			if test.origin != "" {
				header.Set("Origin", test.origin)
			}
			w := do(cors(served), test.method, "/", header)
			for name, want := range test.want {
				require.Equal(t, want, strings.Join(w.Header().Values(name), ", "), name)
			}
		})
	}
	for age, want := range map[time.Duration]string{0: "600", -1: "0", 24 * time.Hour: "86400"} {
		cors, err := auth.CORS(auth.CORSConfig{Origins: []string{app}, MaxAge: age})
		require.NoError(t, err)
		w := do(cors(served), "OPTIONS", "/", http.Header{"Origin": {app}, "Access-Control-Request-Method": {"GET"}})
		require.Equal(t, want, w.Header().Get("Access-Control-Max-Age"))
	}
}

func TestVaryKeepsWhatIsThere(t *testing.T) {
	cors, err := auth.CORS(auth.CORSConfig{Origins: []string{"https://app.example.com"}})
	require.NoError(t, err)
	outer := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Add("Vary", "Accept-Encoding")
			next.ServeHTTP(w, r)
		})
	}
	add := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Add("Vary", "Accept") })
	for range 2 { // values that answers share stay as they are
		require.Equal(t, []string{"Origin", "Accept"}, do(cors(add), "GET", "/", nil).Header().Values("Vary"))
		require.Equal(t, []string{"Accept-Encoding", "Origin", "Accept"}, do(auth.Chain(add, outer, cors), "GET", "/", nil).Header().Values("Vary"))
	}
}

// FuzzCORSOrigin configures and sends any origins. What is refused is refused
// with its setting; what is allowed is what was configured, or below its star.
func FuzzCORSOrigin(f *testing.F) {
	for _, s := range []string{"https://a.example.com", "null", "http://[::1]:80", "https://*.x.y", "\x00", "https://a:b@c", "*", "https://1.2.3.4:8443"} {
		f.Add(s, "https://evil.com")
		f.Add("https://*.example.com", s)
	}
	f.Fuzz(func(t *testing.T, configured, sent string) {
		cors, err := auth.CORS(auth.CORSConfig{Origins: []string{configured}})
		if err != nil {
			require.ErrorContains(t, err, "CORSConfig.Origins")
			return
		}
		got := do(cors(served), "GET", "/", http.Header{"Origin": {sent}}).Header().Get("Access-Control-Allow-Origin")
		before, after, star := strings.Cut(configured, "*")
		switch {
		case got == "":
			require.NotEqual(t, configured, sent, "a good origin is one that is allowed")
		case configured == "*":
			require.Equal(t, "*", got)
		case star:
			require.Equal(t, sent, got)
			require.True(t, strings.HasPrefix(sent, before) && strings.HasSuffix(sent, after))
			u, err := url.Parse(sent)
			require.NoError(t, err)
			require.Equal(t, sent, u.Scheme+"://"+u.Host, "a page of the domain, and nothing else")
		default:
			require.Equal(t, configured, sent)
			require.Equal(t, sent, got)
		}
	})
}

// FuzzPreflight sends any preflight: nothing is granted that is not listed.
func FuzzPreflight(f *testing.F) {
	f.Add("POST", "content-type,x-api-key", "x-evil")
	f.Add("POST", " content-type\t,,,,x-api-key", "")
	f.Add("post", "*", "Content-Type")
	cors, err := auth.CORS(auth.CORSConfig{Origins: []string{"https://app.example.com"}, Methods: []string{"POST"}, Headers: []string{"Content-Type", "X-API-Key"}})
	require.NoError(f, err)
	h := cors(served)
	f.Fuzz(func(t *testing.T, method, first, second string) {
		w := do(h, "OPTIONS", "/", http.Header{"Origin": {"https://app.example.com"}, "Access-Control-Request-Method": {method},
			"Access-Control-Request-Headers": {first, second}})
		if w.Header().Get("Access-Control-Allow-Origin") == "" {
			return
		}
		require.Equal(t, "POST", method)
		for _, line := range w.Header().Values("Access-Control-Allow-Headers") {
			for name := range strings.SplitSeq(line, ",") {
				require.Contains(t, []string{"", "content-type", "x-api-key"}, strings.Trim(name, " \t"))
			}
		}
	})
}

// FuzzConfig gives any names to the configuration: no panic, and what passes works.
func FuzzConfig(f *testing.F) {
	f.Add("PATCH", "X-Trace", "GET /health", int64(time.Second))
	f.Add("*", "Sec-", "GET /{a}/", int64(-1))
	f.Fuzz(func(t *testing.T, method, header, pattern string, age int64) {
		cors, err := auth.CORS(auth.CORSConfig{Origins: []string{"https://app.example.com"}, Methods: []string{method}, Headers: []string{header},
			Expose: []string{header}, MaxAge: time.Duration(age)})
		if err == nil {
			w := do(cors(served), "OPTIONS", "/", http.Header{"Origin": {"https://app.example.com"}, "Access-Control-Request-Method": {method},
				"Access-Control-Request-Headers": {strings.ToLower(header)}})
			require.Equal(t, method, w.Header().Get("Access-Control-Allow-Methods"))
			require.Equal(t, strings.ToLower(header), w.Header().Get("Access-Control-Allow-Headers"))
		}
		for e := range auth.ConfigErrors(err) {
			require.NotEmpty(t, e.Setting)
			require.NotNil(t, errors.Unwrap(e))
		}
		_, err = auth.RateLimit(auth.RateLimitConfig{PerMinute: 1, Burst: 1, Exempt: []string{pattern}})
		for e := range auth.ConfigErrors(err) {
			require.Equal(t, pattern, e.Value)
		}
	})
}
