package auth_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/auth"
)

func TestRequireScopes(t *testing.T) {
	k := keys(t, func(c *auth.KeysConfig) { c.Open = []string{"GET /open"} })
	for _, test := range []struct {
		name, path string
		scopes     []string
		want       int
	}{
		{"has it", "/", []string{"read"}, 200},
		{"none needed", "/", nil, 200},
		{"lacks it", "/", []string{"write"}, 403},
		{"lacks one", "/", []string{"read", "write"}, 403},
		{"no prefix", "/", []string{"rea"}, 403},
		{"case", "/", []string{"Read"}, 403},
		{"no principal", "/open", nil, 401},
	} {
		h := auth.Chain(served, k.Middleware(), auth.RequireScopes(test.scopes, nil))
		w := do(h, "GET", test.path, http.Header{"X-API-Key": {key}})
		require.Equal(t, test.want, w.Code, test.name)
		require.Equal(t, test.want == 401, w.Header().Get("WWW-Authenticate") != "", test.name)
	}
}

func TestPrincipalIsTheCallersOwn(t *testing.T) {
	scopes := []string{"read"}
	k := keys(t, func(c *auth.KeysConfig) { c.Keys[0].Scopes = scopes })
	scopes[0] = "admin"
	p, err := k.Lookup(t.Context(), key)
	require.NoError(t, err)
	require.Equal(t, []string{"read"}, p.Scopes)
	p.Scopes[0] = "admin"
	again, err := k.Lookup(t.Context(), key)
	require.NoError(t, err)
	require.False(t, again.HasScope("admin"))
	_, ok := auth.PrincipalFrom(t.Context())
	require.False(t, ok)
}

// TestForeignPrincipal is a principal that another check has found.
func TestForeignPrincipal(t *testing.T) {
	limit, err := auth.RateLimit(auth.RateLimitConfig{PerMinute: 1, Burst: 1})
	require.NoError(t, err)
	h := auth.Chain(served, limit, auth.RequireScopes([]string{"read"}, nil))
	ask := func(id string) int {
		r := httptest.NewRequest("GET", "/", nil)
		if id != "" {
			r = r.WithContext(auth.WithPrincipal(r.Context(), auth.Principal{ID: id, Scopes: []string{"read"}}))
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Code
	}
	require.Equal(t, 200, ask("alice"))
	require.Equal(t, 429, ask("alice"))
	require.Equal(t, 200, ask("bob"))
	require.Equal(t, 200, ask("192.0.2.1"), "a principal that is called like an address has a bucket of its own")
	require.Equal(t, 401, ask(""))
	require.Equal(t, 429, ask(""))
}
