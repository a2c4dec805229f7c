package websearch

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

const robotCheck = "it asks whether we are a person; wait, or use another provider"

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
		e.Kind, e.Detail = ErrBlocked, robotCheck
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
	p := resultPage{limit: limit}
	for z := html.NewTokenizer(bytes.NewReader(page)); ; {
		switch z.Next() {
		case html.ErrorToken:
			p.finish()
			if !p.known {
				return nil, &Error{Where: where, Kind: ErrMalformed, Detail: "the page has no list of results"}
			}
			return p.results, nil
		case html.StartTagToken:
			p.open(z.Token())
		case html.EndTagToken:
			p.close(z.Token().Data)
		case html.TextToken:
			if p.into != nil && p.into.Len() < maxSnippet {
				p.into.Write(z.Text())
			}
		}
		if p.blocked {
			return nil, &Error{Where: where, Kind: ErrBlocked, Detail: robotCheck}
		}
	}
}

// resultPage is what is known of a page while its tags are read. A tree is not
// built: of some pages that takes time out of all proportion to their size.
type resultPage struct {
	limit   int
	results []Result
	known   bool // it is a page of results, if only of none
	blocked bool

	inside         bool // a result that counts
	url            string
	title, snippet strings.Builder

	into  *strings.Builder // where text goes; nil: nowhere
	tag   string           // what ends it
	depth int              // how many more of these tags are open
}

func (p *resultPage) open(t html.Token) {
	if p.into != nil && t.Data == p.tag {
		p.depth++
	}
	var class, href string
	for _, a := range t.Attr {
		switch a.Key {
		case "class":
			class = a.Val
		case "href":
			href = a.Val
		}
	}
	classes := strings.Fields(class)
	has := func(name string) bool { return slices.Contains(classes, name) }
	switch {
	case has("anomaly-modal"), has("anomaly-modal__modal"):
		p.blocked = true
	case has("no-results"), has("results"):
		p.known = true
	case has("result"):
		p.finish()
		p.known, p.inside = true, !has("result--ad")
	case has("result__a") && p.inside && p.url == "":
		p.url = target(href)
		p.read(&p.title, t.Data)
	case has("result__snippet") && p.inside && p.snippet.Len() == 0:
		p.read(&p.snippet, t.Data)
	}
}

// read sends the text inside the tag that was just opened to a builder.
func (p *resultPage) read(into *strings.Builder, tag string) { p.into, p.tag, p.depth = into, tag, 0 }

func (p *resultPage) close(tag string) {
	if p.into == nil || tag != p.tag {
		return
	}
	if p.depth--; p.depth < 0 {
		p.into = nil
	}
}

// finish ends a result.
func (p *resultPage) finish() {
	if p.inside && len(p.results) < p.limit {
		p.results = collect(p.results, Result{Title: p.title.String(), URL: p.url, Snippet: p.snippet.String()})
	}
	p.inside, p.url, p.into = false, "", nil
	p.title.Reset()
	p.snippet.Reset()
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
