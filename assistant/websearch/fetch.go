package websearch

import (
	"context"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/net/html/charset"
)

// FetchOptions bound a Fetcher. The zero value is usable.
type FetchOptions struct {
	MaxBytes int64            // of a page; 0 means 2 MiB
	Timeout  time.Duration    // of a page; 0 means that of the client alone
	Now      func() time.Time // the clock; nil means time.Now
}

// Fetcher gets pages. It is safe for concurrent use.
type Fetcher struct {
	client  *http.Client
	options FetchOptions
}

// NewFetcher returns a Fetcher. c decides what may be reached: NewClient's.
func NewFetcher(c *http.Client, o FetchOptions) *Fetcher {
	if o.MaxBytes <= 0 {
		o.MaxBytes = 2 << 20
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Fetcher{client: c, options: o}
}

// Page is what a URL led to.
type Page struct {
	URL         string // after redirects
	ContentType string // media type in lower case, without parameters
	Body        []byte // text is UTF-8 if the server said what it was; else as it came
	FetchedAt   time.Time
}

// readable are the types of pages, besides those that end in +json.
var readable = map[string]bool{
	"text/html": true, "application/xhtml+xml": true, "text/plain": true, "text/markdown": true, "text/x-markdown": true,
	"application/json": true, "text/json": true, "application/yaml": true, "application/x-yaml": true, "text/yaml": true,
	"text/x-yaml": true, "text/csv": true, "application/pdf": true,
}

// Fetch gets the page of a URL: HTML, text, Markdown, JSON, YAML, CSV or PDF.
// Errors are an *Error.
func (f *Fetcher) Fetch(ctx context.Context, address string) (Page, error) {
	const where = "fetch"
	if f.options.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, f.options.Timeout)
		defer cancel()
	}
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil || len(address) > maxURL {
		return Page{}, &Error{Where: where, Kind: ErrRefused, Detail: "the URL is not valid"}
	}
	if err := checkURL(u); err != nil {
		return Page{}, failure(where, err)
	}
	r, err := get(ctx, where, u.String(), nil)
	if err != nil {
		return Page{}, err
	}
	r.Header.Set("Accept", "text/html, text/markdown, text/plain, application/json, application/yaml, application/pdf;q=0.9, */*;q=0.1")
	answer, err := f.client.Do(r)
	if err != nil {
		return Page{}, failure(where, err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return Page{}, statusFailure(where, answer)
	}
	if encoding := answer.Header.Get("Content-Encoding"); encoding != "" && encoding != "identity" {
		return Page{}, &Error{Where: where, Kind: ErrUnsupported, Detail: "compressed in a way that was not asked for"}
	}
	if answer.ContentLength > f.options.MaxBytes {
		return Page{}, &Error{Where: where, Kind: ErrTooLarge}
	}
	body, err := readAll(where, answer.Body, f.options.MaxBytes)
	if err != nil {
		return Page{}, err
	}
	kind, label := contentType(answer.Header.Get("Content-Type"), body)
	if !readable[kind] && !strings.HasSuffix(kind, "+json") {
		return Page{}, &Error{Where: where, Kind: ErrUnsupported, Detail: "of HTML, text, Markdown, JSON, YAML, CSV and PDF it is none"}
	}
	if kind != "application/pdf" {
		body = toUTF8(body, label)
	}
	return Page{URL: answer.Request.URL.String(), ContentType: kind, Body: body, FetchedAt: f.options.Now().UTC()}, nil
}

// contentType reads a header, and looks at the body where there is none.
func contentType(header string, body []byte) (kind, label string) {
	if header == "" {
		header = http.DetectContentType(body)
	}
	kind, parameters, err := mime.ParseMediaType(header)
	if err != nil { // of what is wrong, only the parameters may be
		kind, _, _ = strings.Cut(header, ";")
		kind = strings.ToLower(strings.TrimSpace(kind))
	}
	return kind, parameters["charset"]
}

// toUTF8 converts a text whose server said how it is encoded. Only it knows; all
// that can be seen in the text itself, package ingest sees.
func toUTF8(body []byte, label string) []byte {
	encoding, name := charset.Lookup(label)
	if encoding == nil || name == "utf-8" || strings.HasPrefix(name, "utf-16") {
		return body
	}
	if converted, err := encoding.NewDecoder().Bytes(body); err == nil {
		return converted
	}
	return body
}
