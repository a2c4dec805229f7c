package auth

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Client finds the address of the client of a request. Forwarded headers count
// only where they were set by a proxy that is trusted; anybody can send them.
type Client struct {
	trusted []netip.Prefix
}

// NewClient returns a Client that trusts the given proxies: addresses or
// prefixes such as "10.0.0.0/8". The error joins a *ConfigError for each mistake.
func NewClient(trustedProxies ...string) (*Client, error) {
	var wrong mistakes
	c := &Client{}
	for _, p := range trustedProxies {
		prefix, err := netip.ParsePrefix(p)
		if err != nil {
			addr, addrErr := netip.ParseAddr(p)
			if addrErr != nil {
				wrong.add("TrustedProxies", "%q is neither an address nor a prefix like 10.0.0.0/8", p)
				continue
			}
			prefix = netip.PrefixFrom(addr.Unmap(), addr.Unmap().BitLen())
		}
		if prefix.Bits() == 0 {
			wrong.add("TrustedProxies", "%q trusts everybody; name the proxies", p)
			continue
		}
		c.trusted = append(c.trusted, prefix.Masked())
	}
	return c, wrong.err()
}

// maxForwarded is how many entries of X-Forwarded-For are looked at.
const maxForwarded = 32

// Address returns the address of the client: the peer of the connection, or, if
// that is a trusted proxy, the last entry of X-Forwarded-For that is not one. It
// is the zero Addr if there is none. A nil Client trusts no proxy.
func (c *Client) Address(r *http.Request) netip.Addr {
	peer := parseAddr(r.RemoteAddr)
	if c == nil || len(c.trusted) == 0 || !c.trusts(peer) {
		return peer
	}
	forwarded := strings.Join(r.Header["X-Forwarded-For"], ",")
	for range maxForwarded {
		i := strings.LastIndexByte(forwarded, ',')
		addr := parseAddr(strings.TrimSpace(forwarded[i+1:]))
		if !addr.IsValid() {
			break // forged or empty: the last proxy is all that is known
		}
		peer = addr
		if i < 0 || !c.trusts(addr) {
			break
		}
		forwarded = forwarded[:i]
	}
	return peer
}

func (c *Client) trusts(a netip.Addr) bool {
	return a.IsValid() && slices.ContainsFunc(c.trusted, func(p netip.Prefix) bool { return p.Contains(a) })
}

// parseAddr reads an address with or without a port.
func parseAddr(s string) netip.Addr {
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return ap.Addr().Unmap().WithZone("")
	}
	a, err := netip.ParseAddr(strings.Trim(s, "[]"))
	if err != nil {
		return netip.Addr{}
	}
	return a.Unmap().WithZone("")
}

// addressKey is what an address is counted under: IPv6 by the /64 that one
// customer usually has.
func addressKey(a netip.Addr) string {
	if a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			return p.String()
		}
	}
	return a.String()
}
