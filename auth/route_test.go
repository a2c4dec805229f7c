package auth_test

import (
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/auth"
)

func TestOpenPatterns(t *testing.T) {
	h := keys(t, func(c *auth.KeysConfig) {
		c.Open = []string{"GET /{$}", "GET /health", "GET /static/", "GET /files/{name}", "GET /users/{id}/avatar", "POST /hook"}
	}).Middleware()(served)
	for _, test := range []struct {
		method, target string
		open           bool
	}{
		{"GET", "/", true}, {"HEAD", "/", true}, {"POST", "/", false}, {"GET", "/other", false},
		{"GET", "/health", true}, {"GET", "/health?x=1", true}, {"GET", "/health/", false}, {"GET", "/healthy", false}, {"GET", "/Health", false},
		{"GET", "/static/", true}, {"GET", "/static/a/b.js", true}, {"HEAD", "/static/a", true}, {"GET", "/static", false}, {"GET", "/statics/a", false},
		{"GET", "/static/../orders", false}, {"GET", "/static/./a", false}, {"GET", "/static//a", false}, {"GET", "//static/a", false},
		{"GET", "/static/%2e%2e/orders", false}, {"GET", "/static/..%2forders", false}, {"GET", "/static/a%2Fb", false}, {"GET", `/static/..\orders`, false},
		{"GET", "/static/..;/orders", false}, {"GET", "/static/%252e%252e/orders", false}, {"POST", "/static/a", false},
		{"GET", "/files/a.txt", true}, {"GET", "/files/", false}, {"GET", "/files/a/b", false}, {"GET", "/files/a/", false}, {"GET", "/files/..", false},
		{"GET", "/users/1/avatar", true}, {"GET", "/users//avatar", false}, {"GET", "/users/1/orders", false}, {"GET", "/users/1", false},
		{"POST", "/hook", true}, {"GET", "/hook", false}, {"HEAD", "/hook", false}, {"post", "/hook", false},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		u, err := url.ParseRequestURI(test.target)
		require.NoError(t, err)
		r.Method, r.URL = test.method, u
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		require.Equal(t, test.open, w.Code == 200, "%s %s", test.method, test.target)
	}
}

// FuzzOpen looks for a path that is open and is not below the one that should be,
// once a router has cleaned it.
func FuzzOpen(f *testing.F) {
	for _, s := range []string{"/static/a", "/static/../x", "/static/%2e%2e/x", "//static/", "/static/..;/x"} {
		f.Add(s, "GET /static/")
	}
	f.Add("/", "GET /{a}/b/{c}/")
	f.Fuzz(func(t *testing.T, target, pattern string) {
		if mw, err := auth.APIKeys(auth.KeysConfig{Secret: secret, Keys: []auth.Key{{Key: key}}, Open: []string{pattern}}); err == nil {
			do(mw(served), "GET", "/", nil)
		}
		u, err := url.ParseRequestURI(target)
		if err != nil || u.Path == "" {
			return
		}
		r := httptest.NewRequest("GET", "/", nil)
		r.URL = u
		w := httptest.NewRecorder()
		staticOpen.ServeHTTP(w, r)
		if w.Code != 200 {
			return
		}
		clean, err := url.JoinPath("/", u.Path)
		require.NoError(t, err)
		require.Regexp(t, `^/static/`, clean)
		require.NotContains(t, u.Path, "/../")
	})
}
