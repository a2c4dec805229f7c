package main

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestWebPage: the page's own files need no key and are not limited; everything
// that it asks for does.
func TestWebPage(t *testing.T) {
	s := start(t, t.TempDir(), "REQUIRE_AUTH=true", "API_KEYS=api-key-"+strings.Repeat("k3Y", 14),
		"SECRET_KEY="+strings.Repeat("5ecret", 8), "RATE_LIMIT_PER_MINUTE=60", "RATE_LIMIT_BURST=2")
	get := func(path string) (*http.Response, string) {
		resp, err := http.Get(s.url + path)
		require.NoError(t, err)
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		return resp, string(body)
	}
	for range 5 {
		resp, body := get("/")
		require.Equal(t, 200, resp.StatusCode)
		require.Contains(t, body, "<!doctype html>")
		require.Contains(t, resp.Header.Get("Content-Security-Policy"), "trusted-types 'none'", "the page's policy, not the chain's")
		resp, _ = get("/assets/app.js")
		require.Equal(t, 200, resp.StatusCode)
	}
	resp, _ := get("/assets/nothing")
	require.Equal(t, 404, resp.StatusCode)
	for _, path := range []string{"/stats", "/assets/../stats", "/assets", "//"} {
		resp, _ := get(path)
		require.Equal(t, 401, resp.StatusCode, path)
	}
}
