package auth_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/auth"
)

func TestClientAddress(t *testing.T) {
	behind, err := auth.NewClient("10.0.0.0/8", "192.168.1.1")
	require.NoError(t, err)
	unix, err := auth.NewClient("unix")
	require.NoError(t, err)
	mapped, err := auth.NewClient("::ffff:172.16.0.0/108")
	require.NoError(t, err)
	for _, tt := range []struct {
		client            *auth.Client
		remote, forwarded string
		want              string
	}{
		{nil, "192.0.2.1:99", "1.1.1.1", "192.0.2.1"},
		{behind, "192.0.2.1:99", "1.1.1.1", "192.0.2.1"},
		{behind, "10.1.2.3:99", "1.1.1.1", "1.1.1.1"},
		{behind, "10.1.2.3:99", "6.6.6.6, 1.1.1.1, 192.168.1.1", "1.1.1.1"},
		{behind, "10.1.2.3:99", "6.6.6.6, nonsense", "10.1.2.3"},
		{behind, "10.1.2.3:99", "", "10.1.2.3"},
		{behind, "10.1.2.3:99", "[2001:db8::1]:55", "2001:db8::1"},
		{behind, "[::ffff:10.1.2.3]:99", "1.1.1.1", "1.1.1.1"},
		{behind, "@", "1.1.1.1", "invalid IP"},
		{unix, "@", "6.6.6.6, 1.1.1.1", "1.1.1.1"},
		{unix, "192.0.2.1:99", "1.1.1.1", "192.0.2.1"},
		{behind, "10.1.2.3:99", "6.6.6.6,,10.0.0.1", "10.0.0.1"},
		{behind, "10.1.2.3:99", "10.0.0.3, 10.0.0.2", "10.0.0.3"},
		{behind, "10.1.2.3:99", "1.1.1.1:80", "1.1.1.1"},
		{behind, "10.1.2.3:99", "2001:db8::1", "2001:db8::1"},
		{behind, "10.1.2.3:99", "[2001:db8::1]", "2001:db8::1"},
		{behind, "10.1.2.3:99", "\t1.1.1.1 ", "1.1.1.1"},
		{behind, "10.1.2.3:99", "unknown", "10.1.2.3"},
		{behind, "10.1.2.3:99", "1.1.1.1" + strings.Repeat(",10.0.0.1", 100), "10.0.0.1"},
		{mapped, "172.16.9.9:1", "1.1.1.1", "1.1.1.1"},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = tt.remote
		r.Header.Set("X-Forwarded-For", tt.forwarded)
		require.Equal(t, tt.want, tt.client.Address(r).String(), "%s %s", tt.remote, tt.forwarded)
	}
	_, err = auth.NewClient("0.0.0.0/0", "proxy.local")
	require.ErrorContains(t, err, "trusts everybody")
	require.ErrorContains(t, err, "proxy.local")
}

func TestSeveralForwardedHeaders(t *testing.T) {
	behind, err := auth.NewClient("10.0.0.0/8")
	require.NoError(t, err)
	r := httptest.NewRequest("GET", "/", nil)
	r.RemoteAddr = "10.0.0.1:1"
	r.Header["X-Forwarded-For"] = []string{"6.6.6.6", "1.1.1.1, 10.0.0.3", "10.0.0.2"}
	require.Equal(t, "1.1.1.1", behind.Address(r).String())
	r.Header["X-Forwarded-For"] = []string{"6.6.6.6", "", "10.0.0.2"}
	require.Equal(t, "10.0.0.2", behind.Address(r).String())
	r.Header = http.Header{"Forwarded": {"for=1.1.1.1"}, "X-Real-Ip": {"1.1.1.1"}, "True-Client-Ip": {"1.1.1.1"}}
	require.Equal(t, "10.0.0.1", behind.Address(r).String(), "no other header counts")
}

// FuzzForwarded sends any header: without a trusted proxy it says nothing, and
// what it says is one of its entries or a proxy.
func FuzzForwarded(f *testing.F) {
	for _, s := range []string{"1.1.1.1", "6.6.6.6, 1.1.1.1", "[::1]:80, 10.0.0.1", ",,,", "::ffff:1.2.3.4%x", "[[]]", "1.1.1.1,10.0.0.1,\x00"} {
		f.Add("10.0.0.1:1", s, s)
	}
	behind, err := auth.NewClient("10.0.0.0/8", "unix")
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, remote, first, second string) {
		if _, err := auth.NewClient(first, second); err != nil {
			require.ErrorContains(t, err, "TrustedProxies")
		}
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = remote
		var nobody *auth.Client
		peer := nobody.Address(r)
		r.Header["X-Forwarded-For"] = []string{first, second}
		require.Equal(t, peer, nobody.Address(r))
		got := behind.Address(r)
		private := netip.MustParsePrefix("10.0.0.0/8")
		if peer.IsValid() && !private.Contains(peer) {
			require.Equal(t, peer, got)
		}
		if got != peer && !private.Contains(got) {
			require.True(t, got.IsValid())
			require.False(t, got.Is4In6())
			require.Empty(t, got.Zone())
		}
	})
}
