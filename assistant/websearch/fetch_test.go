package websearch_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/assistant/websearch"
)

func TestFetch(t *testing.T) {
	now := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, test := range []struct {
		header, body string
		kind, want   string // "" is refused
	}{
		{"text/html; charset=utf-8", "<p>größe", "text/html", "<p>größe"},
		{"TEXT/HTML", "<p>x", "text/html", "<p>x"},
		{"text/html; charset=windows-1252", "<p>gr\xf6\xdfe", "text/html", "<p>größe"},
		{"text/plain; charset=Shift_JIS", "\x92\x8d\x95\xb6", "text/plain", "注文"},
		{"text/plain; charset=nonsense", "gr\xf6", "text/plain", "gr\xf6"},
		{"text/plain; charset=\"broken", "x", "text/plain", "x"},
		{"text/markdown", "# x", "text/markdown", "# x"},
		{"application/json", "{}", "application/json", "{}"},
		{"application/vnd.oai.openapi+json;version=3.1", "{}", "application/vnd.oai.openapi+json", "{}"},
		{"application/yaml", "a: b", "application/yaml", "a: b"},
		{"application/pdf; charset=latin1", "%PDF-1.4 \xf6", "application/pdf", "%PDF-1.4 \xf6"},
		{"", "<html><p>x", "text/html", "<html><p>x"},
		{"", "%PDF-1.4", "application/pdf", "%PDF-1.4"},
		{"", "\x89PNG\x0d\x0a\x1a\x0a", "", ""},
		{"image/png", "x", "", ""},
		{"application/octet-stream", "x", "", ""},
		{"video/mp4", "x", "", ""},
	} {
		f := websearch.NewFetcher(client(func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Content-Type"] = []string{test.header}
			fmt.Fprint(w, test.body)
		}), websearch.FetchOptions{Now: func() time.Time { return now }})
		page, err := f.Fetch(t.Context(), " https://example.com/page#part ")
		if test.kind == "" {
			require.ErrorIs(t, err, websearch.ErrUnsupported, test.header)
			continue
		}
		require.NoError(t, err, test.header)
		require.Equal(t, websearch.Page{URL: "https://example.com/page#part", ContentType: test.kind, Body: []byte(test.want), FetchedAt: now}, page)
	}
}

func TestFetchStatuses(t *testing.T) {
	for status, want := range map[int]error{204: websearch.ErrStatus, 404: websearch.ErrStatus, 503: websearch.ErrStatus, 401: websearch.ErrBlocked, 429: websearch.ErrRateLimited} {
		f := websearch.NewFetcher(client(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }), websearch.FetchOptions{})
		_, err := f.Fetch(t.Context(), "https://example.com/private")
		require.ErrorIs(t, err, want)
		require.ErrorContains(t, err, fmt.Sprintf("(status %d)", status))
		require.NotContains(t, err.Error(), "private")
	}
}

func TestURLs(t *testing.T) {
	for text, want := range map[string][]string{
		"":                                                     nil,
		"no link, example.com":                                 nil,
		"see https://example.com/docs.":                        {"https://example.com/docs"},
		"(https://example.com/docs)":                           {"https://example.com/docs"},
		"https://en.wikipedia.org/wiki/A_(b)":                  {"https://en.wikipedia.org/wiki/A_(b)"},
		"(see https://x.org/A_(b).)":                           {"https://x.org/A_(b)"},
		"[docs](https://example.com/a?b=c#d)!":                 {"https://example.com/a?b=c#d"},
		`[d](https://example.com/a "title")`:                   {"https://example.com/a"},
		"[https://a.test](https://b.test)":                     {"https://a.test", "https://b.test"},
		"<https://example.com/a>, <http://b/>":                 {"https://example.com/a", "http://b/"},
		"HTTPS://Example.COM/A":                                {"HTTPS://Example.COM/A"},
		"\"https://a.test/x\" 'http://b.test/'":                {"https://a.test/x", "http://b.test/"},
		"https://a.test https://a.test.":                       {"https://a.test"},
		"**https://a.test/b**, _http://c.test_":                {"https://a.test/b", "http://c.test"},
		"`curl https://a.test/b`":                              {"https://a.test/b"},
		"ftp://a.test xhttp://b.test git+http://c.test":        nil,
		"https:// http://? https://: x":                        nil,
		"見てhttps://a.test/注文。次":                                {"https://a.test/注文"},
		"（https://a.test/b）":                                   {"https://a.test/b"},
		"http://[::1]:80/x http://[::1":                        {"http://[::1]:80/x"},
		"https://a.test/x,y;z?q='v'&w=1":                       {"https://a.test/x,y;z?q='v'&w=1"},
		"https://a.test/{id}":                                  {"https://a.test/"},
		"https://user:pw@a.test/":                              {"https://user:pw@a.test/"},
		"https://a.test/?u=http://b.test/":                     {"https://a.test/?u=http://b.test/"},
		"https://a.test\x00https://b.test":                     {"https://a.test", "https://b.test"},
		"|https://a.test/x|https://b.test|":                    {"https://a.test/x", "https://b.test"},
		"https://a/" + strings.Repeat("a", 3000) + " http://b": {"http://b"},
	} {
		require.Equal(t, want, websearch.URLs(text), "%.80q", text)
	}
	var many strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&many, "https://a.test/%d ", i)
	}
	require.Len(t, websearch.URLs(many.String()), websearch.MaxURLs)
}

func FuzzURLs(f *testing.F) {
	for _, seed := range []string{"see https://example.com/docs.", "[a](http://b_(c))", "http://[::1]", "見てhttps://a.test/注文。", "http://http://a", "\xffhttp://a\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := websearch.URLs(text)
		require.LessOrEqual(t, len(got), websearch.MaxURLs)
		seen := make(map[string]bool)
		for _, u := range got {
			require.Contains(t, text, u)
			require.False(t, seen[u])
			seen[u] = true
			require.Regexp(t, `^(?i)https?://`, u)
			require.NotContains(t, u, " ")
			require.LessOrEqual(t, len(u), 2048)
			require.Contains(t, websearch.URLs(u), u, "found again when it stands alone")
		}
	})
}
