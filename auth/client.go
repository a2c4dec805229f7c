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
	unix    bool // trust peers without an address
}

// NewClient returns a Client that trusts the given proxies: addresses, prefixes
// such as "10.0.0.0/8", or "unix" for a proxy on the same machine that connects
// by a Unix socket. The error joins a *ConfigError for each mistake.
func NewClient(trustedProxies ...string) (*Client, error) {
	const setting = "TrustedProxies"
	var wrong mistakes
	c := &Client{}
	for i, p := range trustedProxies {
		if p == "unix" {
			c.unix = true
			continue
		}
		prefix, err := parsePrefix(p)
		switch {
		case err != nil:
			wrong.addElement(setting, i, p, ErrInvalid, "%q is neither an address nor a prefix like 10.0.0.0/8", p)
		case prefix.Bits() < shortestPrefix:
			wrong.addElement(setting, i, p, ErrUnsafe, "%q trusts everybody, or nearly; name the proxies", p)
		default:
			c.trusted = append(c.trusted, prefix.Masked())
		}
	}
	return c, wrong.err()
}

// shortestPrefix is that of the largest private network, fc00::/7.
const shortestPrefix = 7

// parsePrefix reads an address or a prefix. IPv4 in IPv6 becomes IPv4.
func parsePrefix(s string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(s)
	if err != nil {
		a, err := netip.ParseAddr(s)
		if err != nil || a.Zone() != "" {
			return netip.Prefix{}, ErrInvalid
		}
		p = netip.PrefixFrom(a, a.BitLen())
	}
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p, nil
}

// maxForwarded is how many entries of X-Forwarded-For are looked at.
const maxForwarded = 32

// Address returns the address of the client: the peer of the connection, or, if
// that is a trusted proxy, the last entry of X-Forwarded-For that is not one. It
// is the zero Addr if there is none. A nil Client trusts no proxy.
func (c *Client) Address(r *http.Request) netip.Addr {
	peer := parseAddr(r.RemoteAddr)
	if c == nil || !c.trusts(peer) {
		return peer
	}
	looked := 0
	for _, line := range slices.Backward(r.Header["X-Forwarded-For"]) {
		for more := true; more; looked++ {
			i := strings.LastIndexByte(line, ',')
			addr := parseAddr(strings.Trim(line[i+1:], " \t"))
			if !addr.IsValid() || looked == maxForwarded {
				return peer // forged or empty: the last proxy is all that is known
			}
			peer = addr
			if !c.trusts(addr) {
				return peer
			}
			if more = i >= 0; more {
				line = line[:i]
			}
		}
	}
	return peer
}

func (c *Client) trusts(a netip.Addr) bool {
	if !a.IsValid() {
		return c.unix
	}
	return slices.ContainsFunc(c.trusted, func(p netip.Prefix) bool { return p.Contains(a) })
}

// parseAddr reads an address with or without a port.
func parseAddr(s string) netip.Addr {
	if len(s) > 80 { // an IPv6 address, a zone and a port are shorter
		return netip.Addr{}
	}
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return ap.Addr().Unmap().WithZone("")
	}
	if inner, ok := strings.CutPrefix(s, "["); ok {
		s, _ = strings.CutSuffix(inner, "]")
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Addr{}
	}
	return a.Unmap().WithZone("")
}

// addressBucket is what an address is counted under: IPv6 by the /64 that one
// customer usually has.
func addressBucket(a netip.Addr) string {
	buf := append(make([]byte, 0, 64), "ip:"...)
	if a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			return string(p.AppendTo(buf))
		}
	}
	if !a.IsValid() {
		return "ip:none"
	}
	return string(a.AppendTo(buf))
}
