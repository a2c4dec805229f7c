package websearch

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/net/html"
)

// NewSearXNG returns a provider that asks a SearXNG server at a base URL, such as
// "http://localhost:8080". The server must have "json" among search.formats in its
// settings.yml. For one that is not on the public web, c is a NewClientTo of the
// same base.
func NewSearXNG(base string, c *http.Client) Provider {
	return &searXNG{base: base, client: straight(c)}
}

// NewBrave returns a provider that asks the Brave Search API with a key.
func NewBrave(key string, c *http.Client) Provider { return &brave{key: key, client: straight(c)} }

// NewDuckDuckGo returns a provider that reads DuckDuckGo's page for browsers
// without scripts.
func NewDuckDuckGo(c *http.Client) Provider { return &duckDuckGo{client: straight(c)} }

// straight is a client that follows no redirects: a search has none, and the key
// would go with it.
func straight(c *http.Client) *http.Client {
	own := *c
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &own
}

// maxAnswer bounds what is read of an engine's answer, whoever made the client.
const maxAnswer = 4 << 20

// ask sends a request and returns the body of a 200.
func ask(where string, c *http.Client, r *http.Request) ([]byte, error) {
	answer, err := c.Do(r)
	if err != nil {
		return nil, failure(where, err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, statusFailure(where, answer)
	}
	return readAll(where, answer.Body, maxAnswer)
}

func readAll(where string, r io.Reader, most int64) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r, most+1))
	if err != nil {
		return nil, failure(where, err)
	}
	if int64(len(body)) > most {
		return nil, &Error{Where: where, Kind: ErrTooLarge, Detail: "the most is " + strconv.FormatInt(most, 10) + " bytes"}
	}
	return body, nil
}

func get(ctx context.Context, where, address string, query url.Values) (*http.Request, error) {
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, &Error{Where: where, Kind: ErrRefused, Detail: "the URL is not valid"}
	}
	return r, nil
}

type searXNG struct {
	base   string
	client *http.Client
}

// Search implements Provider.
func (s *searXNG) Search(ctx context.Context, query string, limit int) ([]Result, error) {
	const where = "searxng"
	query, limit, err := prepare(where, query, limit)
	if err != nil {
		return nil, err
	}
	base, err := parseBase(s.base)
	if err != nil {
		return nil, &Error{Where: where, Kind: ErrRefused, Detail: strings.TrimPrefix(err.Error(), "websearch: ")}
	}
	r, err := get(ctx, where, base.JoinPath("search").String(), url.Values{"q": {query}, "format": {"json"}})
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept", "application/json")
	body, err := ask(where, s.client, r)
	if e, ok := err.(*Error); ok && e.Status == http.StatusForbidden {
		e.Detail = `add "json" to search.formats in its settings.yml`
	}
	if err != nil {
		return nil, err
	}
	var answer struct {
		Results *[]struct{ Title, URL, Content string } `json:"results"`
	}
	if err := json.Unmarshal(body, &answer); err != nil || answer.Results == nil {
		return nil, &Error{Where: where, Kind: ErrMalformed, Detail: "expected JSON with results"}
	}
	var results []Result
	for _, hit := range *answer.Results {
		if len(results) < limit {
			results = collect(results, Result{Title: hit.Title, URL: hit.URL, Snippet: hit.Content})
		}
	}
	return results, nil
}

type brave struct {
	key    string
	client *http.Client
}

// braveMost is how many results Brave gives at once.
const braveMost = 20

// Search implements Provider.
func (b *brave) Search(ctx context.Context, query string, limit int) ([]Result, error) {
	const where = "brave"
	query, limit, err := prepare(where, query, limit)
	if err != nil {
		return nil, err
	}
	limit = min(limit, braveMost)
	r, err := get(ctx, where, "https://api.search.brave.com/res/v1/web/search", url.Values{"q": {query}, "count": {strconv.Itoa(limit)}})
	if err != nil {
		return nil, err
	}
	if strings.ContainsFunc(b.key, func(c rune) bool { return c <= ' ' || c > '~' }) || b.key == "" {
		return nil, &Error{Where: where, Kind: ErrBlocked, Detail: "the key is empty or has characters that no key has"}
	}
	r.Header.Set("Accept", "application/json")
	r.Header.Set("X-Subscription-Token", b.key)
	body, err := ask(where, b.client, r)
	if err != nil {
		return nil, err
	}
	var answer struct {
		Type string `json:"type"`
		Web  struct {
			Results []struct{ Title, URL, Description string } `json:"results"`
		} `json:"web"`
	}
	if err := json.Unmarshal(body, &answer); err != nil || answer.Type != "search" {
		return nil, &Error{Where: where, Kind: ErrMalformed, Detail: `expected JSON of type "search"`}
	}
	var results []Result
	for _, hit := range answer.Web.Results { // none of them: nothing was found
		if len(results) < limit {
			results = collect(results, Result{Title: plain(hit.Title), URL: hit.URL, Snippet: plain(hit.Description)})
		}
	}
	return results, nil
}

// plain is the text of a bit of HTML.
func plain(markup string) string {
	var text strings.Builder
	z := html.NewTokenizer(strings.NewReader(markup))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return text.String()
		case html.TextToken:
			text.WriteString(html.UnescapeString(string(z.Raw())))
		}
	}
}
