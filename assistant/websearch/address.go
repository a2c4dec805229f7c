package websearch

import (
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// special are the networks inside those of the public internet that do not lead
// to other people's servers (IANA's registries of special-purpose addresses), and
// one that clouds use for themselves.
var special = prefixes(
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
	"192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
	"168.63.129.16/32",                                     // Azure's services for its machines
	"2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", // Teredo and others, examples, 6to4, examples
)

var (
	globalUnicast = netip.MustParsePrefix("2000::/3")
	nat64         = netip.MustParsePrefix("64:ff9b::/96")
)

func prefixes(texts ...string) []netip.Prefix {
	all := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		all[i] = netip.MustParsePrefix(text)
	}
	return all
}

// Public reports whether an address is one of the public internet: not of this
// machine, a private or a carrier's network, a link (where clouds have their
// metadata), a group, a tunnel that ends at such an address, or reserved. An IPv4
// address inside an IPv6 one (mapped, NAT64) counts as itself.
func Public(a netip.Addr) bool {
	if a.Zone() != "" {
		return false
	}
	a = a.Unmap()
	if nat64.Contains(a) {
		b := a.As16()
		a = netip.AddrFrom4([4]byte(b[12:]))
	}
	if !a.IsValid() || a.Is6() && !globalUnicast.Contains(a) {
		return false
	}
	for _, p := range special {
		if p.Contains(a) {
			return false
		}
	}
	return true
}

// checkURL says what is wrong with a URL before any name is resolved.
func checkURL(u *url.URL) error {
	host := u.Hostname()
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return refused("only http and https are")
	case u.User != nil:
		return refused("the URL has a user name or password in it")
	case host == "" || u.Opaque != "":
		return refused("the URL has no host")
	case strings.ContainsRune(host, '%'):
		return refused("the host has a zone")
	}
	if _, err := strconv.ParseUint(port(u), 10, 16); err != nil {
		return refused("the port is not one")
	}
	if _, err := netip.ParseAddr(host); err != nil && endsInNumber(host) {
		return refused("the host is a number, not a name") // 2130706433 and 0x7f.1 are 127.0.0.1 to some resolvers
	}
	return nil
}

// endsInNumber is the URL standard's test for hosts that are IPv4 addresses,
// however they are written.
func endsInNumber(host string) bool {
	host = strings.TrimSuffix(host, ".")
	last := strings.ToLower(host[strings.LastIndexByte(host, '.')+1:])
	if last == "" {
		return true // a host of dots
	}
	if digits, ok := strings.CutPrefix(last, "0x"); ok {
		return strings.Trim(digits, "0123456789abcdef") == ""
	}
	return strings.Trim(last, "0123456789") == ""
}

func refused(format string, args ...any) error {
	return &Error{Where: "client", Kind: ErrRefused, Detail: fmt.Sprintf(format, args...)}
}
