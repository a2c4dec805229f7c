package websearch

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"
)

// ClientOptions bound a client. The zero value is usable: a field that is not
// positive has the default that is said beside it.
type ClientOptions struct {
	Timeout      time.Duration // of a request with its redirects, until the body is read; 15 seconds
	MaxRedirects int           // 5; negative: none are followed
	MaxBytes     int64         // of a body, also after it was decompressed; 8 MiB. Reading on is an *Error of ErrTooLarge
	UserAgent    string        // "api-assistant"

	// Allow admits addresses besides public ones on the ports 80 and 443. nil
	// admits none. It is asked for each connection, after the name was resolved.
	Allow    func(netip.AddrPort) bool
	Resolver *net.Resolver  // nil means the system's
	RootCAs  *x509.CertPool // nil means the system's
}

// NewClient returns a client for the public web; see the package comment.
func NewClient(o ClientOptions) *http.Client {
	return newClient(o, func(a netip.AddrPort) bool {
		return Public(a.Addr()) && (a.Port() == 80 || a.Port() == 443) || o.Allow != nil && o.Allow(a)
	}, checkURL)
}

// NewClientTo returns a client for one server that the operator has chosen, at
// whatever address it is: it talks to the scheme, host and port of base, and
// follows redirects only to them. The error says what is wrong with base.
func NewClientTo(base string, o ClientOptions) (*http.Client, error) {
	want, err := parseBase(base)
	if err != nil {
		return nil, err
	}
	return newClient(o, func(netip.AddrPort) bool { return true }, func(u *url.URL) error {
		if u.Scheme != want.Scheme || !strings.EqualFold(u.Hostname(), want.Hostname()) || port(u) != port(want) || u.User != nil {
			return refused("only the configured server is")
		}
		return nil
	}), nil
}

// parseBase reads the URL of a server that the operator has chosen.
func parseBase(base string) (*url.URL, error) {
	u, err := url.Parse(base)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return nil, errors.New("websearch: the base URL must look like http://localhost:8080")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, errors.New("websearch: the base URL must have no user name, query or fragment")
	}
	return u, nil
}

func port(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	if u.Scheme == "https" {
		return "443"
	}
	return "80"
}

func newClient(o ClientOptions, allowed func(netip.AddrPort) bool, check func(*url.URL) error) *http.Client {
	if o.Timeout <= 0 {
		o.Timeout = 15 * time.Second
	}
	if o.MaxRedirects == 0 {
		o.MaxRedirects = 5
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = 8 << 20
	}
	if o.UserAgent == "" {
		o.UserAgent = "api-assistant"
	}
	dialer := &net.Dialer{Timeout: o.Timeout, Resolver: o.Resolver, ControlContext: func(_ context.Context, network, address string, _ syscall.RawConn) error {
		a, err := netip.ParseAddrPort(address)
		if err != nil || network != "tcp4" && network != "tcp6" || !allowed(a) {
			return refused("the address of the host is not public, or the port is not 80 or 443")
		}
		return nil
	}}
	return &http.Client{
		Timeout: o.Timeout,
		Transport: &guard{check: check, maxBytes: o.MaxBytes, userAgent: o.UserAgent, next: &http.Transport{
			Proxy:                  nil, // one would be asked instead of the address that is checked
			DialContext:            dialer.DialContext,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: o.RootCAs},
			ForceAttemptHTTP2:      true,
			DisableKeepAlives:      true, // nothing is left that would need closing
			MaxResponseHeaderBytes: 64 << 10,
		}},
		CheckRedirect: func(_ *http.Request, via []*http.Request) error {
			if len(via) > max(o.MaxRedirects, 0) {
				return refused("more than %d redirects", max(o.MaxRedirects, 0))
			}
			return nil
		},
	}
}

// guard checks each request, also those that redirects lead to, and bounds bodies.
type guard struct {
	check     func(*url.URL) error
	maxBytes  int64
	userAgent string
	next      http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (g *guard) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := g.check(r.URL); err != nil {
		if r.Body != nil {
			r.Body.Close()
		}
		return nil, err
	}
	r = r.Clone(r.Context())
	r.Header.Del("Referer") // may hold what was searched for
	if r.Header.Get("User-Agent") == "" {
		r.Header.Set("User-Agent", g.userAgent)
	}
	answer, err := g.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	answer.Body = &bounded{ReadCloser: answer.Body, left: g.maxBytes, most: g.maxBytes}
	return answer, nil
}

// bounded is a body of which no more than most bytes can be read.
type bounded struct {
	io.ReadCloser
	left, most int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, b.tooLarge()
	}
	if int64(len(p)) > b.left+1 { // one more tells whether there is more
		p = p[:b.left+1]
	}
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return n - 1, b.tooLarge()
	}
	return n, err
}

func (b *bounded) tooLarge() error {
	return &Error{Where: "client", Kind: ErrTooLarge, Detail: fmt.Sprintf("the most is %d bytes", b.most)}
}
