package websearch

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/net/html"
)

type duckDuckGo struct{ client *http.Client }

// Search implements Provider.
func (d *duckDuckGo) Search(ctx context.Context, query string, limit int) ([]Result, error) {
	const where = "duckduckgo"
	query, limit, err := prepare(where, query, limit)
	if err != nil {
		return nil, err
	}
	r, err := get(ctx, where, "https://html.duckduckgo.com/html/", url.Values{"q": {query}})
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept", "text/html")
	body, err := ask(where, d.client, r)
	if e, ok := err.(*Error); ok && e.Status == http.StatusAccepted { // its check for robots
		e.Kind, e.Detail = ErrBlocked, "it asks whether we are a person; wait, or use another provider"
	}
	if err != nil {
		return nil, err
	}
	return parseDuckDuckGo(body, limit)
}

// parseDuckDuckGo reads a page of results:
//
//	<div class="result results_links"> … <a class="result__a" href="//duckduckgo.com/l/?uddg=…">title</a>
//	… <a class="result__snippet">snippet</a> … </div>
func parseDuckDuckGo(page []byte, limit int) ([]Result, error) {
	const where = "duckduckgo"
	root, err := html.Parse(bytes.NewReader(page)) // bounds its own depth
	if err != nil {
		return nil, &Error{Where: where, Kind: ErrMalformed, Detail: "the page is not HTML"}
	}
	var results []Result
	known := false // the page is one of results, if only of none
	blocks := 0
	for n := range root.Descendants() {
		switch {
		case hasClass(n, "anomaly-modal"), hasClass(n, "anomaly-modal__modal"):
			return nil, &Error{Where: where, Kind: ErrBlocked, Detail: "it asks whether we are a person; wait, or use another provider"}
		case hasClass(n, "no-results"), hasClass(n, "results"):
			known = true
		case hasClass(n, "result") && !hasClass(n, "result--ad") && len(results) < limit && blocks < maxBlocks:
			known = true
			blocks++
			results = collect(results, resultOf(n))
		}
	}
	if !known {
		return nil, &Error{Where: where, Kind: ErrMalformed, Detail: "the page has no list of results"}
	}
	return results, nil
}

// maxBlocks bounds how many blocks of a page are looked into, since a page may have
// them inside each other.
const maxBlocks = 2 * mostResults

func resultOf(n *html.Node) Result {
	var r Result
	for inner := range n.Descendants() {
		switch {
		case r.URL == "" && hasClass(inner, "result__a"):
			r.Title, r.URL = textOf(inner), target(attribute(inner, "href"))
		case r.Snippet == "" && hasClass(inner, "result__snippet"):
			r.Snippet = textOf(inner)
		}
	}
	return r
}

// target is where a link leads: a redirect of DuckDuckGo names it in "uddg".
func target(href string) string {
	u, err := url.Parse(strings.TrimSpace(href))
	if err != nil {
		return ""
	}
	host := strings.ToLower(u.Hostname())
	if host != "" && host != "duckduckgo.com" && !strings.HasSuffix(host, ".duckduckgo.com") {
		if u.Scheme == "" {
			u.Scheme = "https"
		}
		return u.String()
	}
	return u.Query().Get("uddg") // "" for its own pages and advertisements
}

func hasClass(n *html.Node, class string) bool {
	if n.Type != html.ElementNode {
		return false
	}
	for have := range strings.FieldsSeq(attribute(n, "class")) {
		if have == class {
			return true
		}
	}
	return false
}

func attribute(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func textOf(n *html.Node) string {
	var text strings.Builder
	for inner := range n.Descendants() {
		if inner.Type == html.TextNode {
			text.WriteString(inner.Data)
		}
	}
	return text.String()
}
