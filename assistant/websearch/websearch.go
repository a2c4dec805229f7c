// Package websearch looks things up on the web: it asks search engines, and
// fetches pages that people name, without ever being led into the network that
// it runs in.
//
//	client := websearch.NewClient(websearch.ClientOptions{})
//	results, err := websearch.NewDuckDuckGo(client).Search(ctx, "stripe create refund", 5)
//	pages := websearch.NewFetcher(client, websearch.FetchOptions{})
//	for _, u := range websearch.URLs("What does https://example.com/docs say?") {
//		page, err := pages.Fetch(ctx, u) // errors.Is(err, websearch.ErrRefused): not a public address
//	}
//
// The client of NewClient speaks http and https with public addresses on the ports
// 80 and 443. An address is checked when it is dialled, after the name was
// resolved, so neither a redirect nor a name that changes its address gets
// around it. It uses no proxy, keeps no cookies, verifies certificates, and bounds
// redirects, time and size, the size also of what was compressed. The client of
// NewClientTo is for one server that the operator has named, which may be in the
// own network: a SearXNG, say.
//
// Nothing is sent before Search or Fetch is called.
//
// Trade-offs: connections are not kept, which costs a handshake per request and
// leaves nothing behind. DuckDuckGo has no interface for programs; its page is
// read, which it may refuse (ErrBlocked) or change (ErrMalformed). For more than
// occasional use, run SearXNG or get a key for Brave.
package websearch

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Provider is a search engine. It is safe for concurrent use.
type Provider interface {
	// Search returns the best results, at most limit of them; 0 or less means 5, and
	// providers may have fewer. No results are no error. A query longer than 400
	// bytes is cut. Errors are an *Error, or that of the context.
	Search(ctx context.Context, query string, limit int) ([]Result, error)
}

// Result is one hit. Its texts are plain, in one line and bounded.
type Result struct {
	Title   string
	URL     string // absolute, http or https
	Snippet string
}

// Kinds of an Error.
var (
	ErrRefused     = errors.New("not allowed")              // the URL, its address, or a redirect
	ErrTooLarge    = errors.New("the answer is too large")  //
	ErrUnsupported = errors.New("not a readable type")      // of a page
	ErrRateLimited = errors.New("too many requests")        // Error.RetryAfter may say how long to wait
	ErrBlocked     = errors.New("the server refuses us")    // a wrong key, or a check for robots
	ErrStatus      = errors.New("the server failed")        // Error.Status says how
	ErrMalformed   = errors.New("the answer is unreadable") // not what the provider is known to send
	ErrUnreachable = errors.New("the server cannot be reached")
	ErrQuery       = errors.New("the query is empty")
)

// Error tells why a search or a page failed. It holds no key, no query and no URL.
type Error struct {
	Where      string        // "searxng", "brave", "duckduckgo" or "fetch"
	Kind       error         // one of the kinds above
	Detail     string        // for people; may be empty
	Status     int           // of the answer; 0: there was none, or it does not matter
	RetryAfter time.Duration // with ErrRateLimited; 0: not said
	Cause      error         // below it, such as context.DeadlineExceeded; may be nil
}

func (e *Error) Error() string {
	text := "websearch: " + e.Where + ": " + e.Kind.Error()
	if e.Status != 0 {
		text += fmt.Sprintf(" (status %d)", e.Status)
	}
	if e.Detail != "" {
		text += ": " + e.Detail
	}
	return text
}

// Unwrap returns the kind and the cause.
func (e *Error) Unwrap() []error {
	if e.Cause == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Cause}
}

// failure makes an *Error of what a client returned. It leaves out the URL, which
// holds the query.
func failure(where string, err error) error {
	var outer *url.Error
	for errors.As(err, &outer) {
		err = outer.Err
	}
	var known *Error
	if errors.As(err, &known) {
		return &Error{Where: where, Kind: known.Kind, Detail: known.Detail}
	}
	e := &Error{Where: where, Kind: ErrUnreachable, Cause: err}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		e.Detail = "it took too long"
	case errors.Is(err, context.Canceled):
		e.Detail = "cancelled"
	}
	return e
}

// statusFailure explains an answer that is no success.
func statusFailure(where string, r *http.Response) error {
	e := &Error{Where: where, Kind: ErrStatus, Status: r.StatusCode}
	switch r.StatusCode {
	case http.StatusTooManyRequests:
		e.Kind, e.RetryAfter = ErrRateLimited, retryAfter(r.Header.Get("Retry-After"))
	case http.StatusUnauthorized, http.StatusForbidden:
		e.Kind = ErrBlocked
	}
	return e
}

// retryAfter reads seconds, at most a day of them; dates are rare, and need a
// clock that both agree on.
func retryAfter(header string) time.Duration {
	seconds, err := strconv.Atoi(strings.TrimSpace(header))
	if err != nil || seconds < 0 {
		return 0
	}
	return time.Duration(min(seconds, 24*60*60)) * time.Second
}

const (
	defaultResults = 5
	mostResults    = 50
	maxQuery       = 400
	maxTitle       = 300
	maxSnippet     = 1000
	maxURL         = 2048
)

// prepare bounds the arguments of a search.
func prepare(where, query string, limit int) (string, int, error) {
	query = cut(strings.Join(strings.Fields(strings.ToValidUTF8(query, " ")), " "), maxQuery)
	if query == "" {
		return "", 0, &Error{Where: where, Kind: ErrQuery}
	}
	if limit <= 0 {
		limit = defaultResults
	}
	return query, min(limit, mostResults), nil
}

// collect adds a result, if it is one and not there yet.
func collect(results []Result, r Result) []Result {
	u, err := url.Parse(strings.TrimSpace(r.URL))
	if err != nil || checkURL(u) != nil || len(r.URL) > maxURL {
		return results
	}
	r.URL = u.String()
	for _, other := range results {
		if other.URL == r.URL {
			return results
		}
	}
	r.Title, r.Snippet = oneLine(r.Title, maxTitle), oneLine(r.Snippet, maxSnippet)
	if r.Title == "" {
		r.Title = u.Host
	}
	return append(results, r)
}

func oneLine(text string, most int) string {
	return cut(strings.Join(strings.Fields(strings.ToValidUTF8(text, "\uFFFD")), " "), most)
}

// cut shortens a text to a number of bytes, not inside a character.
func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return strings.TrimSpace(text[:most])
}
