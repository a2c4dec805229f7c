package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/examples/sample"
)

func TestWebSearchConfiguration(t *testing.T) {
	for environ, want := range map[string]string{
		"WEB_SEARCH_PROVIDER=searxng":    "WEB_SEARCH_URL",
		"WEB_SEARCH_PROVIDER=brave":      "WEB_SEARCH_API_KEY",
		"WEB_SEARCH_PROVIDER=other":      "searxng, brave or duckduckgo",
		"WEB_SEARCH_MIN_RELEVANCE=2":     "0 to 1",
		"WEB_SEARCH_MAX_RESULTS=0":       "1 to 20",
		"WEB_SEARCH_PROVIDER=DuckDuckGo": "",
	} {
		c, err := loadConfig([]string{environ}, "no.env")
		if want != "" {
			require.ErrorContains(t, err, want, environ)
			continue
		}
		require.NoError(t, err)
		web, err := c.Web.web()
		require.NoError(t, err)
		require.NotNil(t, web.Searcher)
	}
	for _, off := range [][]string{nil, {"ENABLE_WEB_SEARCH=false", "WEB_SEARCH_PROVIDER=duckduckgo"}} {
		c, err := loadConfig(off, "no.env")
		require.NoError(t, err)
		web, err := c.Web.web()
		require.NoError(t, err)
		require.Zero(t, web, "off is off")
	}
}

// TestWebSearch asks a server something that its documents do not know, with a
// SearXNG of the operator's own network.
func TestWebSearch(t *testing.T) {
	asked := ""
	searxng := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.FormValue("q")
		w.Header().Set("Content-Type", "application/json")
		w.Write([]byte(`{"results":[{"title":"Zebra crossing","url":"https://example.com/zebra","content":"A zebra crossing is a crossing for pedestrians."}]}`))
	}))
	defer searxng.Close()
	s := start(t, t.TempDir(), "RATE_LIMIT_PER_MINUTE=0", "WEB_SEARCH_PROVIDER=searxng", "WEB_SEARCH_URL="+searxng.URL)
	status, answer := s.post(t, "/chat", `{"message": "What is a zebra crossing?"}`)
	require.Equal(t, 200, status)
	require.Contains(t, asked, "zebra")
	require.Contains(t, answer["response"], "pedestrians")
	require.NoError(t, s.stop())
}

func TestDiff(t *testing.T) {
	dir := t.TempDir()
	before, after := filepath.Join(dir, "before.yaml"), filepath.Join(dir, "after.yaml")
	require.NoError(t, os.WriteFile(before, sample.Bookshop, 0o600))
	require.NoError(t, os.WriteFile(after, []byte(strings.Replace(string(sample.Bookshop), "/books/search:", "/books/find:", 1)), 0o600))
	call := func(args ...string) (int, string) {
		var out, log strings.Builder
		code := dispatch(t.Context(), invocation{args: append([]string{"diff"}, args...), dotenv: "no.env", out: &out, log: &log})
		return code, out.String() + log.String()
	}
	code, said := call(before, after)
	require.Equal(t, 1, code, said)
	require.Contains(t, said, "/books/search")
	code, said = call(before, before)
	require.Equal(t, 0, code, said)
	code, said = call("-format", "json", before, after)
	require.Equal(t, 1, code)
	require.Contains(t, said, `"breaking":`)
	code, said = call(before)
	require.Equal(t, 2, code)
	require.Contains(t, said, "usage")
	code, _ = call(before, filepath.Join(dir, "missing.yaml"))
	require.Equal(t, 1, code)
}
