package websearch_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/assistant/websearch"
)

func Example() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"results": [{"title": "Orders", "url": "https://docs.example.com/orders", "content": "How to create an order."}]}`)
	}))
	defer server.Close()
	client, err := websearch.NewClientTo(server.URL, websearch.ClientOptions{}) // a SearXNG in the own network
	if err != nil {
		fmt.Println(err)
		return
	}
	results, err := websearch.NewSearXNG(server.URL, client).Search(context.Background(), "create order", 5)
	fmt.Println(results[0].Title, results[0].URL, err)

	pages := websearch.NewFetcher(websearch.NewClient(websearch.ClientOptions{}), websearch.FetchOptions{})
	for _, u := range websearch.URLs("What is at http://169.254.169.254/latest/meta-data/?") {
		_, err := pages.Fetch(context.Background(), u)
		fmt.Println(err)
	}
	// Output:
	// Orders https://docs.example.com/orders <nil>
	// websearch: fetch: not allowed: the address of the host is not public, or the port is not 80 or 443
}

// engine is a client whose requests all go to a handler.
type engine func(http.ResponseWriter, *http.Request)

func (e engine) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	w := httptest.NewRecorder()
	e(w, r)
	answer := w.Result()
	answer.Request = r
	return answer, nil
}

func client(e engine) *http.Client { return &http.Client{Transport: e} }

func fixture(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	require.NoError(t, err)
	return string(b)
}

const key = "BSA-secret-key"

var providers = map[string]func(*http.Client) websearch.Provider{
	"searxng":    func(c *http.Client) websearch.Provider { return websearch.NewSearXNG("http://searx.test:8080/sub/", c) },
	"brave":      func(c *http.Client) websearch.Provider { return websearch.NewBrave(key, c) },
	"duckduckgo": websearch.NewDuckDuckGo,
}

func TestProviders(t *testing.T) {
	for name, test := range map[string]struct {
		fixture string
		request string
		want    []websearch.Result
	}{
		"searxng": {"searxng.json", "http://searx.test:8080/sub/search?format=json&q=create+order%3F", []websearch.Result{
			{Title: "Orders API", URL: "https://docs.example.com/orders", Snippet: "How to create an order."},
			{Title: "Second", URL: "https://second.example/a"}}},
		"brave": {"brave.json", "https://api.search.brave.com/res/v1/web/search?count=5&q=create+order%3F", []websearch.Result{
			{Title: "Orders & more", URL: "https://docs.example.com/orders", Snippet: "How to create an order <POST>."},
			{Title: "second.example", URL: "https://second.example/a"}}},
		"duckduckgo": {"duckduckgo.html", "https://html.duckduckgo.com/html/?q=create+order%3F", []websearch.Result{
			{Title: "Orders API & more", URL: "https://docs.example.com/orders?a=1&b=2", Snippet: "How to create an order with POST."},
			{Title: "Direct", URL: "https://direct.example/page"}}},
	} {
		t.Run(name, func(t *testing.T) {
			p := providers[name](client(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.String() != test.request {
					t.Errorf("asked for %s", r.URL)
				}
				if got := r.Header.Get("X-Subscription-Token"); (got == key) != (name == "brave") {
					t.Errorf("with the key %q", got)
				}
				fmt.Fprint(w, fixture(t, test.fixture))
			}))
			got, err := p.Search(t.Context(), "  create\n order? ", 0)
			require.NoError(t, err)
			require.Equal(t, test.want, got)
			got, err = p.Search(t.Context(), "create order?", 5)
			require.NoError(t, err)
			require.Len(t, got, 2)
		})
	}
}

// TestProviderFailures runs each provider against servers that fail.
func TestProviderFailures(t *testing.T) {
	for name, open := range providers {
		for _, test := range []struct {
			name   string
			answer engine
			want   error
		}{
			{"limited", func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", "7")
				w.WriteHeader(429)
				fmt.Fprint(w, "body of theirs")
			}, websearch.ErrRateLimited},
			{"forbidden", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(403) }, websearch.ErrBlocked},
			{"unauthorized", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401) }, websearch.ErrBlocked},
			{"broken", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }, websearch.ErrStatus},
			{"redirect", func(w http.ResponseWriter, r *http.Request) {
				if r.Host == "evil.test" {
					t.Errorf("went there with %v", r.Header)
				}
				http.Redirect(w, r, "https://evil.test/", http.StatusFound)
			}, websearch.ErrStatus},
			{"empty", func(http.ResponseWriter, *http.Request) {}, websearch.ErrMalformed},
			{"other JSON", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"error": "x"}`) }, websearch.ErrMalformed},
			{"list", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `[]`) }, websearch.ErrMalformed},
			{"other page", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `<html><p>welcome</p></html>`) }, websearch.ErrMalformed},
			{"deep", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, strings.Repeat("[", 100_000)) }, websearch.ErrMalformed},
			{"huge", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, strings.Repeat("x", 5<<20)) }, websearch.ErrTooLarge},
		} {
			t.Run(name+"/"+test.name, func(t *testing.T) {
				_, err := open(client(test.answer)).Search(t.Context(), "private question", 3)
				var typed *websearch.Error
				require.ErrorAs(t, err, &typed)
				require.ErrorIs(t, err, test.want)
				require.Equal(t, name, typed.Where)
				for _, secret := range []string{key, "private", "question", "theirs"} {
					require.NotContains(t, err.Error(), secret)
				}
				if test.name == "limited" {
					require.Equal(t, 7*time.Second, typed.RetryAfter)
				}
			})
		}
		t.Run(name+"/arguments", func(t *testing.T) {
			p := open(client(func(_ http.ResponseWriter, r *http.Request) {
				if n := len(r.URL.Query().Get("q")); n > 400 {
					t.Errorf("a query of %d bytes", n)
				}
			}))
			_, err := p.Search(t.Context(), " \n", 3)
			require.ErrorIs(t, err, websearch.ErrQuery)
			_, err = p.Search(t.Context(), strings.Repeat("ä", 100_000)+"\xff", 1_000_000)
			require.ErrorIs(t, err, websearch.ErrMalformed)
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			_, err = p.Search(ctx, "x", 3)
			require.ErrorIs(t, err, context.Canceled)
		})
	}
}

// TestSearXNGInside is one in the own network: the public client does not reach
// it, its own client does.
func TestSearXNGInside(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, fixture(t, "searxng.json")) })
	_, err := websearch.NewSearXNG(server.URL, websearch.NewClient(websearch.ClientOptions{})).Search(t.Context(), "private question", 3)
	require.ErrorIs(t, err, websearch.ErrRefused)
	require.NotContains(t, err.Error(), "private")
	c, err := websearch.NewClientTo(server.URL, websearch.ClientOptions{})
	require.NoError(t, err)
	got, err := websearch.NewSearXNG(server.URL, c).Search(t.Context(), "private question", 1)
	require.NoError(t, err)
	require.Len(t, got, 1)
	_, err = websearch.NewSearXNG("http://user:secret@x", c).Search(t.Context(), "x", 1)
	require.ErrorIs(t, err, websearch.ErrRefused)
	require.NotContains(t, err.Error(), "secret")
}

func TestSearXNGSaysWhatToSet(t *testing.T) {
	p := websearch.NewSearXNG("http://searx.test", client(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(403) }))
	_, err := p.Search(t.Context(), "x", 1)
	require.ErrorContains(t, err, "search.formats")
}

func TestBraveKey(t *testing.T) {
	for _, wrong := range []string{"", "a b", "a\r\nX-Other: secret", "schlüssel"} {
		p := websearch.NewBrave(wrong, client(func(http.ResponseWriter, *http.Request) { t.Error("was asked") }))
		_, err := p.Search(t.Context(), "x", 1)
		require.ErrorIs(t, err, websearch.ErrBlocked)
		require.NotContains(t, err.Error(), "secret")
	}
}

func duckDuckGo(t testing.TB, page string, status int) ([]websearch.Result, error) {
	t.Helper()
	p := websearch.NewDuckDuckGo(client(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status); fmt.Fprint(w, page) }))
	return p.Search(t.Context(), "x", 50)
}

func TestDuckDuckGoPages(t *testing.T) {
	_, err := duckDuckGo(t, `<div class="anomaly-modal__modal">Select all squares containing a duck</div><div class="results"></div>`, 200)
	require.ErrorIs(t, err, websearch.ErrBlocked)
	_, err = duckDuckGo(t, "", 202)
	require.ErrorIs(t, err, websearch.ErrBlocked)
	got, err := duckDuckGo(t, `<div id="links" class="results"><div class="no-results">No results.</div></div>`, 200)
	require.NoError(t, err)
	require.Empty(t, got)
	nested := strings.Repeat(`<div class="result"><a class="result__a" href="http://a.test/">x</a>`, 5000)
	got, err = duckDuckGo(t, nested, 200)
	require.NoError(t, err)
	require.Len(t, got, 1)
}

func FuzzDuckDuckGo(f *testing.F) {
	f.Add(fixture(f, "duckduckgo.html"))
	f.Add(`<div class="result"><a class="result__a" href="//duckduckgo.com/l/?uddg=http%3A%2F%2F127.0.0.1">x`)
	f.Add(`<div class="result"><a class="result__a" href="http://%zz">x<div class="anomaly-modal">`)
	f.Fuzz(func(t *testing.T, page string) {
		got, err := duckDuckGo(t, page, 200)
		if err != nil {
			var typed *websearch.Error
			require.ErrorAs(t, err, &typed)
		}
		require.LessOrEqual(t, len(got), 50)
		for _, r := range got {
			u, err := url.Parse(r.URL)
			require.NoError(t, err)
			require.Contains(t, []string{"http", "https"}, u.Scheme)
			require.NotEmpty(t, r.Title)
			require.LessOrEqual(t, len(r.Title), 300)
			require.NotContains(t, r.Title+r.Snippet, "\n")
		}
	})
}
