package auth

import (
	"net/netip"
	"strconv"
	"strings"
)

// origins are those that may call.
type origins struct {
	everybody bool
	exact     map[string]bool
	wildcards [][2]string // what an origin begins and ends with
}

// newOrigins compiles the origins of a configuration and notes the mistakes.
func newOrigins(cfg CORSConfig, wrong *mistakes) *origins {
	const setting = "CORSConfig.Origins"
	o := &origins{exact: make(map[string]bool)}
	for i, origin := range cfg.Origins {
		if origin == "*" {
			o.everybody = true
			switch {
			case cfg.Credentials:
				wrong.addElement(setting, i, origin, ErrUnsafe, `"*" with credentials would let every web page act for your users; list the origins`)
			case len(cfg.Origins) > 1:
				wrong.addElement(setting, i, origin, ErrConflict, `"*" allows every page, so the other origins say nothing; leave one or the other out`)
			}
			continue
		}
		if problem, reason := originProblem(origin); reason != nil {
			wrong.addElement(setting, i, origin, reason, "%q %s", origin, problem)
			continue
		}
		if cfg.Credentials && strings.HasPrefix(origin, "http://") && !isLoopback(strings.TrimPrefix(origin, "http://")) {
			wrong.addElement(setting, i, origin, ErrUnsafe, "%q with credentials would let everybody on the way act for your users; use https", origin)
			continue
		}
		if before, after, ok := strings.Cut(origin, "*"); ok {
			o.wildcards = append(o.wildcards, [2]string{before, after})
		} else {
			o.exact[origin] = true
		}
	}
	return o
}

// allow reports whether a page of an origin may call. The star of a wildcard
// stands for one or more labels.
func (o *origins) allow(origin string) bool {
	if o.exact[origin] {
		return true
	}
	for _, w := range o.wildcards {
		middle, ok := strings.CutPrefix(origin, w[0])
		if !ok {
			continue
		}
		if middle, ok = strings.CutSuffix(middle, w[1]); ok && isHost(middle) {
			return true
		}
	}
	return false
}

// originProblem says why an origin could never be the one that a browser sends,
// or should not be allowed; nil if it is good.
func originProblem(o string) (problem string, reason error) {
	scheme, host, ok := strings.Cut(o, "://")
	switch {
	case o == "null":
		return "is sent by sandboxed pages of anybody; it cannot be allowed", ErrUnsafe
	case !ok || scheme != "http" && scheme != "https":
		return "must begin with http:// or https://", ErrInvalid
	case strings.ContainsAny(host, "/?#@ \t"):
		return "must have no path, query or user, also no slash at the end", ErrInvalid
	case host != strings.ToLower(host):
		return "must be in lower case, as browsers send it", ErrInvalid
	}
	host, port, hasPort := cutPort(host)
	if hasPort {
		n, err := strconv.ParseUint(port, 10, 16)
		switch {
		case err != nil || n == 0 || port != strconv.FormatUint(n, 10):
			return "has a port that is not a number from 1 to 65535", ErrInvalid
		case n == 80 && scheme == "http" || n == 443 && scheme == "https":
			return "must leave the scheme's own port out, as browsers do", ErrInvalid
		}
	}
	if strings.Contains(host, "*") {
		parent, ok := strings.CutPrefix(host, "*.")
		switch {
		case !ok || strings.Contains(parent, "*"):
			return "may have one star only, for the first label, as in https://*.example.com", ErrInvalid
		case !strings.Contains(parent, "."):
			return "allows everybody below a top-level domain; name the domain, as in https://*.example.com", ErrUnsafe
		case lastLabelIsNumber(parent):
			return "has a star before an address", ErrInvalid
		}
		host = parent
	}
	return hostProblem(host)
}

// hostProblem says why a host is not one that a browser sends.
func hostProblem(host string) (problem string, reason error) {
	if inner, ok := strings.CutPrefix(host, "["); ok {
		inner, closed := strings.CutSuffix(inner, "]")
		a, err := netip.ParseAddr(inner)
		if !closed || err != nil || !a.Is6() || a.Zone() != "" {
			return "has an IPv6 address that is not valid", ErrInvalid
		}
		if short := a.String(); short != inner && !a.Is4In6() {
			return "must have the IPv6 address as browsers send it: [" + short + "]", ErrInvalid
		}
		return "", nil
	}
	switch {
	case host == "":
		return "has no host", ErrInvalid
	case !isHost(host):
		return "has a host name with characters that no host name has; write other scripts as browsers send them, xn--…", ErrInvalid
	case lastLabelIsNumber(host):
		if a, err := netip.ParseAddr(host); err != nil || !a.Is4() {
			return "has an IPv4 address that is not valid", ErrInvalid
		}
	}
	return "", nil
}

// cutPort splits a port off a host; the colons of an IPv6 address are not one.
func cutPort(hostport string) (host, port string, ok bool) {
	i := strings.LastIndexByte(hostport, ':')
	if i < 0 || i < strings.LastIndexByte(hostport, ']') {
		return hostport, "", false
	}
	return hostport[:i], hostport[i+1:], true
}

// lastLabelIsNumber reports whether browsers would read a host as an IPv4 address.
func lastLabelIsNumber(host string) bool {
	last := host[strings.LastIndexByte(host, '.')+1:]
	if hex, ok := strings.CutPrefix(last, "0x"); ok {
		return strings.Trim(hex, "0123456789abcdef") == ""
	}
	return strings.Trim(last, "0123456789") == ""
}

func isLoopback(hostport string) bool {
	host, _, _ := cutPort(hostport)
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	a, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && a.IsLoopback()
}

// isHost reports whether s is a host name: labels of letters, digits, hyphens and
// underscores, joined by dots.
func isHost(s string) bool {
	if len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 {
			return false
		}
		for _, c := range []byte(label) {
			if !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '_') {
				return false
			}
		}
	}
	return true
}
