package websearch_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/dns/dnsmessage"

	"github.com/api-assistant/api-assistant/assistant/websearch"
)

// at is the address of a test server.
func at(t testing.TB, s *httptest.Server) netip.AddrPort {
	t.Helper()
	a, err := netip.ParseAddrPort(s.Listener.Addr().String())
	require.NoError(t, err)
	return a
}

// only admits one server on this machine.
func only(t testing.TB, s *httptest.Server) func(netip.AddrPort) bool {
	want := at(t, s)
	return func(a netip.AddrPort) bool { return a == want }
}

func serve(t testing.TB, h http.HandlerFunc) *httptest.Server {
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

// names answers DNS questions about any name with the addresses, in turn one each.
func names(t testing.TB, addresses ...string) (*net.Resolver, *atomic.Int64) {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	var asked atomic.Int64
	go func() {
		buffer := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(buffer)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buffer[:n]) != nil || len(m.Questions) != 1 {
				continue
			}
			q := m.Questions[0]
			header := dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, TTL: 0}
			m.Response, m.RecursionAvailable, m.Additionals = true, true, nil
			a := netip.MustParseAddr(addresses[int(asked.Load())%len(addresses)])
			switch {
			case q.Type == dnsmessage.TypeA && a.Is4():
				m.Answers = []dnsmessage.Resource{{Header: header, Body: &dnsmessage.AResource{A: a.As4()}}}
				asked.Add(1)
			case q.Type == dnsmessage.TypeAAAA && a.Is6():
				m.Answers = []dnsmessage.Resource{{Header: header, Body: &dnsmessage.AAAAResource{AAAA: a.As16()}}}
				asked.Add(1)
			}
			if packed, err := m.Pack(); err == nil {
				_, _ = conn.WriteTo(packed, from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", conn.LocalAddr().String())
	}}, &asked
}

// TestHostileURLs asks for what must never be connected to. The server on this
// machine would answer all of them.
func TestHostileURLs(t *testing.T) {
	var reached atomic.Int64
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) { reached.Add(1); fmt.Fprint(w, "secret") })
	port := fmt.Sprint(at(t, server).Port())
	resolver, _ := names(t, "127.0.0.1")
	c := websearch.NewClient(websearch.ClientOptions{Resolver: resolver, Timeout: 10 * time.Second})
	fetcher := websearch.NewFetcher(c, websearch.FetchOptions{})
	for _, address := range []string{
		"http://127.0.0.1/", "http://127.0.0.1:PORT/", "http://localhost:PORT/", "http://LOCALHOST:PORT", "http://localhost.:PORT/",
		"http://2130706433:PORT/", "http://0x7f000001:PORT/", "http://017700000001:PORT/", "http://0177.0.0.1:PORT/", "http://0x7f.0.0.1:PORT/",
		"http://127.1:PORT/", "http://127.0.1:PORT/", "http://0:PORT/", "http://0.0.0.0:PORT/", "http://127.0.0.1.:PORT/", "http://127.000.000.001:PORT/",
		"http://[::1]:PORT/", "http://[::]:PORT/", "http://[::ffff:127.0.0.1]:PORT/", "http://[::ffff:7f00:1]:PORT/", "http://[::127.0.0.1]:PORT/",
		"http://[0:0:0:0:0:ffff:127.0.0.1]:PORT/", "http://[64:ff9b::127.0.0.1]:PORT/", "http://[64:ff9b:1::1]/", "http://[2002:7f00:1::]:PORT/",
		"http://[2001:0:7f00:1::]/", "http://[fe80::1%25lo]:PORT/", "http://[fe80::1%25eth0]/", "http://[::1%25lo]:PORT/", "http://[fc00::1]/", "http://[fd00:ec2::254]/",
		"http://[ff02::1]/", "http://[2001:db8::1]/", "http://10.0.0.1/", "http://172.16.0.1/", "http://192.168.1.1/", "http://100.64.0.1/",
		"http://100.100.100.200/latest/meta-data/", "http://169.254.169.254/latest/meta-data/", "http://[::ffff:169.254.169.254]/", "http://192.0.0.192/",
		"http://168.63.129.16/", "http://198.18.0.1/", "http://224.0.0.1/", "http://255.255.255.255/", "http://240.0.0.1/",
		"http://rebind.test:PORT/", "http://metadata.google.internal/", "http://127.0.0.1.nip.test/", "http://xn--exmple-cua.test/", "http://１２７.0.0.1:PORT/", "http://①②⑦.0.0.1/",
		"http://user@example.com/", "http://user:password@example.com/", "http://example.com@127.0.0.1:PORT/", "http://127.0.0.1:PORT@example.com/", "http://example.com:80@127.0.0.1/",
		"http://127.0.0.1\\@example.com/", "http://example.com%2f@127.0.0.1/", "http://127.0.0.1%00.example.com/", "http://127.0.0.1%23.example.com:PORT/",
		"http://8.8.8.8:22/", "http://8.8.8.8:6379/", "https://[2606:4700::1111]:8443/", "http://8.8.8.8:PORT/",
		"file:///etc/passwd", "file://127.0.0.1/etc/passwd", "gopher://127.0.0.1:PORT/_x", "ftp://example.com/", "dict://127.0.0.1:PORT/", "ldap://127.0.0.1/",
		"data:text/html,x", "javascript:alert(1)", "jar:http://127.0.0.1!/", "unix:///var/run/docker.sock", "http:127.0.0.1:PORT/", "http:/127.0.0.1:PORT/", "http:///127.0.0.1:PORT/",
		"//127.0.0.1:PORT/", "/etc/passwd", "", " ", "http://", "http://./", "http://..:PORT/", "http://:PORT/", "http://127.0.0.1:99999/", "http://127.0.0.1:-1/", "http://[", "http://[::1", "\x00http://127.0.0.1/",
		"http://a/" + strings.Repeat("a", 100_000),
	} {
		address = strings.ReplaceAll(address, "PORT", port)
		_, err := fetcher.Fetch(t.Context(), address)
		require.ErrorIs(t, err, websearch.ErrRefused, "%.100q", address)
		if u, err := url.Parse(address); err == nil { // the client alone does not let it through either
			_, err := c.Do((&http.Request{Method: "GET", URL: u}).WithContext(t.Context()))
			require.Error(t, err, "%.100q", address)
		}
	}
	require.Zero(t, reached.Load())
}

func TestRedirects(t *testing.T) {
	var reached atomic.Int64
	inside := serve(t, func(w http.ResponseWriter, _ *http.Request) { reached.Add(1); fmt.Fprint(w, "secret") })
	resolver, _ := names(t, "127.0.0.1")
	var referers atomic.Int64
	outside := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Referer") != "" || r.Header.Get("Cookie") != "" {
			referers.Add(1)
		}
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "b"})
		switch {
		case r.URL.Path == "/end":
			fmt.Fprint(w, "the end")
		case strings.HasPrefix(r.URL.Path, "/hops/"):
			left := len(strings.TrimPrefix(r.URL.Path, "/hops/"))
			if left == 0 {
				http.Redirect(w, r, "/end", http.StatusFound)
				return
			}
			http.Redirect(w, r, "/hops/"+strings.Repeat("x", left-1), http.StatusFound)
		case r.URL.Path == "/loop":
			http.Redirect(w, r, "/loop", http.StatusMovedPermanently)
		default:
			w.Header().Set("Location", r.URL.Query().Get("to"))
			w.WriteHeader(http.StatusTemporaryRedirect)
		}
	})
	c := websearch.NewClient(websearch.ClientOptions{Resolver: resolver, Allow: only(t, outside), MaxRedirects: 3})
	fetcher := websearch.NewFetcher(c, websearch.FetchOptions{})
	port := fmt.Sprint(at(t, inside).Port())
	for _, to := range []string{inside.URL, "http://localhost:" + port, "http://rebind.test:" + port, "http://[::ffff:127.0.0.1]:" + port, "http://2130706433:" + port,
		"//127.0.0.1:" + port, "file:///etc/passwd", "gopher://127.0.0.1:" + port, "http://169.254.169.254/", "http://user:pw@" + at(t, outside).String() + "/end"} {
		_, err := fetcher.Fetch(t.Context(), outside.URL+"/?to="+url.QueryEscape(to))
		require.ErrorIs(t, err, websearch.ErrRefused, to)
		require.NotContains(t, err.Error(), "127.0.0.1")
	}
	require.Zero(t, reached.Load())

	page, err := fetcher.Fetch(t.Context(), outside.URL+"/hops/xx")
	require.NoError(t, err)
	require.Equal(t, outside.URL+"/end", page.URL)
	for _, path := range []string{"/hops/xxx", "/loop"} {
		_, err = fetcher.Fetch(t.Context(), outside.URL+path)
		require.ErrorIs(t, err, websearch.ErrRefused)
		require.ErrorContains(t, err, "more than 3 redirects")
	}
	require.Zero(t, referers.Load(), "no referers, no cookies")
}

// TestRebinding is a name that is allowed once, and then leads elsewhere.
func TestRebinding(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello") })
	resolver, asked := names(t, "127.0.0.1", "127.0.0.2", "10.0.0.1", "169.254.169.254")
	c := websearch.NewClient(websearch.ClientOptions{Resolver: resolver, Allow: only(t, server)})
	fetcher := websearch.NewFetcher(c, websearch.FetchOptions{})
	address := fmt.Sprintf("http://rebind.test:%d/", at(t, server).Port())
	_, err := fetcher.Fetch(t.Context(), address)
	require.NoError(t, err)
	for range 3 {
		_, err = fetcher.Fetch(t.Context(), address)
		require.ErrorIs(t, err, websearch.ErrRefused)
	}
	require.EqualValues(t, 4, asked.Load(), "each request asked again")
}

func TestNoProxy(t *testing.T) {
	var reached atomic.Int64
	proxy := serve(t, func(http.ResponseWriter, *http.Request) { reached.Add(1) })
	for _, name := range []string{"HTTP_PROXY", "http_proxy", "ALL_PROXY"} {
		t.Setenv(name, proxy.URL)
	}
	resolver, _ := names(t, "10.0.0.1")
	_, err := websearch.NewFetcher(websearch.NewClient(websearch.ClientOptions{Resolver: resolver}), websearch.FetchOptions{}).Fetch(t.Context(), "http://example.test/")
	require.ErrorIs(t, err, websearch.ErrRefused)
	require.Zero(t, reached.Load())
}

func TestTLSIsVerified(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello") }))
	defer server.Close()
	fetch := func(o websearch.ClientOptions) error {
		o.Allow = only(t, server)
		_, err := websearch.NewFetcher(websearch.NewClient(o), websearch.FetchOptions{}).Fetch(t.Context(), server.URL)
		return err
	}
	require.ErrorIs(t, fetch(websearch.ClientOptions{}), websearch.ErrUnreachable)
	pool := server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	require.NoError(t, fetch(websearch.ClientOptions{RootCAs: pool}))
}

func TestSizes(t *testing.T) {
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	_, _ = io.CopyN(z, zeros{}, 32<<20)
	require.NoError(t, z.Close())
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		switch r.URL.Path {
		case "/bomb":
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(bomb.Bytes())
		case "/brotli":
			w.Header().Set("Content-Encoding", "br")
			_, _ = w.Write([]byte("x"))
		case "/endless":
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 64<<10)); err != nil {
					return
				}
			}
		case "/said":
			w.Header().Set("Content-Length", "9000000000")
		case "/headers":
			for i := range 2000 {
				w.Header().Set(fmt.Sprint("X-", i), strings.Repeat("x", 100))
			}
		case "/exact":
			_, _ = w.Write(make([]byte, 1000))
		case "/over":
			_, _ = w.Write(make([]byte, 1001))
		}
	})
	client := websearch.NewClient(websearch.ClientOptions{Allow: only(t, server), MaxBytes: 1 << 20})
	small, big := websearch.NewFetcher(client, websearch.FetchOptions{MaxBytes: 1000}), websearch.NewFetcher(client, websearch.FetchOptions{MaxBytes: 1 << 30})
	for path, want := range map[string]error{"/bomb": websearch.ErrTooLarge, "/endless": websearch.ErrTooLarge, "/said": websearch.ErrTooLarge,
		"/brotli": websearch.ErrUnsupported, "/headers": websearch.ErrUnreachable, "/over": websearch.ErrTooLarge, "/exact": nil} {
		_, err := small.Fetch(t.Context(), server.URL+path)
		require.ErrorIs(t, err, want, path)
	}
	for _, path := range []string{"/bomb", "/endless"} {
		_, err := big.Fetch(t.Context(), server.URL+path)
		require.ErrorIs(t, err, websearch.ErrTooLarge, path)
		require.ErrorContains(t, err, "1048576 bytes", "by the client's own limit")
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestSlowServers(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			if r.URL.Path == "/body" {
				fmt.Fprint(w, "x")
				_ = http.NewResponseController(w).Flush()
			}
			select {
			case <-r.Context().Done():
			case <-time.After(5 * time.Millisecond):
			}
		}
	})
	for _, path := range []string{"/body", "/headers"} {
		c := websearch.NewClient(websearch.ClientOptions{Allow: only(t, server), Timeout: 100 * time.Millisecond})
		_, err := websearch.NewFetcher(c, websearch.FetchOptions{}).Fetch(t.Context(), server.URL+path)
		require.ErrorIs(t, err, context.DeadlineExceeded, path)
		require.ErrorIs(t, err, websearch.ErrUnreachable, path)
		c = websearch.NewClient(websearch.ClientOptions{Allow: only(t, server)})
		_, err = websearch.NewFetcher(c, websearch.FetchOptions{Timeout: 100 * time.Millisecond}).Fetch(t.Context(), server.URL+path)
		require.ErrorIs(t, err, context.DeadlineExceeded, path)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(50*time.Millisecond, cancel)
		_, err = websearch.NewFetcher(c, websearch.FetchOptions{}).Fetch(ctx, server.URL+path)
		require.ErrorIs(t, err, context.Canceled, path)
	}
}

func TestNewClientTo(t *testing.T) {
	other := serve(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "secret") })
	own := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/away" {
			http.Redirect(w, r, other.URL, http.StatusFound)
			return
		}
		fmt.Fprint(w, "hello")
	})
	c, err := websearch.NewClientTo(own.URL, websearch.ClientOptions{})
	require.NoError(t, err)
	answer, err := c.Get(own.URL + "/x")
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	for _, address := range []string{other.URL, own.URL + "/away", strings.Replace(own.URL, "http:", "https:", 1), strings.Replace(own.URL, "//", "//user@", 1)} {
		_, err = c.Get(address)
		require.ErrorIs(t, err, websearch.ErrRefused, address)
	}
	for _, base := range []string{"", "localhost:8080", "ftp://x", "http://", "http://user:secret@x", "http://x?y", "http://x#y", "http://[", "/x"} {
		_, err := websearch.NewClientTo(base, websearch.ClientOptions{})
		require.Error(t, err, base)
		require.NotContains(t, err.Error(), "secret")
	}
}

func TestPublic(t *testing.T) {
	for text, want := range map[string]bool{
		"8.8.8.8": true, "1.1.1.1": true, "93.184.216.34": true, "172.15.255.255": true, "172.32.0.0": true, "100.63.255.255": true, "100.128.0.0": true,
		"223.255.255.255": true, "2606:4700::1111": true, "2a00:1450:4001::1": true, "::ffff:8.8.8.8": true, "64:ff9b::8.8.8.8": true, "11.0.0.0": true,
		"0.0.0.0": false, "127.255.255.255": false, "10.255.255.255": false, "172.31.255.255": false, "192.168.0.0": false, "169.254.169.254": false,
		"100.127.255.255": false, "224.0.0.251": false, "239.255.255.255": false, "255.255.255.255": false, "192.0.2.1": false, "198.19.255.255": false,
		"203.0.113.9": false, "168.63.129.16": false, "::": false, "::1": false, "fe80::1": false, "fec0::1": false, "fc00::": false, "fdff::1": false, "ff0e::1": false,
		"::ffff:10.0.0.1": false, "64:ff9b::10.0.0.1": false, "64:ff9b::169.254.169.254": false, "64:ff9b:1::8.8.8.8": false, "2002:808:808::": false, "2001::1": false,
		"2001:db8::1": false, "3fff::1": false, "4000::1": false, "100::1": false, "::8.8.8.8": false, "5f00::1": false, "2606:4700::1111%eth0": false,
	} {
		require.Equal(t, want, websearch.Public(netip.MustParseAddr(text)), text)
	}
	require.False(t, websearch.Public(netip.Addr{}))
}

// FuzzPublic knows another way to tell what is not public: the standard library's.
func FuzzPublic(f *testing.F) {
	for _, text := range []string{"8.8.8.8", "127.0.0.1", "::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002::1"} {
		f.Add(netip.MustParseAddr(text).AsSlice())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		a, _ := netip.AddrFromSlice(b)
		if !websearch.Public(a) {
			return
		}
		u := a.Unmap()
		require.True(t, u.IsGlobalUnicast() && !u.IsPrivate() && !u.IsLoopback() && !u.IsLinkLocalUnicast() && !u.IsMulticast() && !u.IsUnspecified(), a)
		require.True(t, websearch.Public(netip.AddrFrom16(u.As16())), "mapped or not")
	})
}
