package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"runtime"
	"strings"
)

// point is one line of the security checklist.
type point struct {
	name string
	ok   bool
	why  string // what to do where it is not ok
}

// checklist holds a configuration, known to be usable, to what the open internet
// asks for.
func checklist(c config, dotenv string) []point {
	local := false
	for _, o := range c.AllowedOrigins {
		local = local || o == "*" || strings.HasPrefix(o, "http://")
	}
	return []point{
		{"requests need a key", c.RequireAuth, "set REQUIRE_AUTH=true, with SECRET_KEY and API_KEYS of `server keygen`"},
		{"only your web pages may call", !local, "set ALLOWED_ORIGINS to the https:// origins of your pages"},
		{"debugging is off", !c.Debug, "set DEBUG=false"},
		{"keys cross no network in the clear", c.isLocal() || len(c.TLSDomains) > 0 || c.TLSCertFile != "" || len(c.TrustedProxies) > 0,
			"set TLS_DOMAINS, or TLS_CERT_FILE and TLS_KEY_FILE, or put a proxy with HTTPS in front and name it in TRUSTED_PROXIES"},
		{"others cannot read the settings", !readable(dotenv), "chmod 600 " + dotenv},
		{"others cannot read the documents", !readable(c.DataDir), "chmod 700 " + c.DataDir},
		{"requests are limited", c.RatePerMinute > 0, "set RATE_LIMIT_PER_MINUTE to more than 0"},
	}
}

// isLocal reports whether only this machine can connect.
func (c config) isLocal() bool {
	ip := net.ParseIP(c.Host)
	return c.Host == "localhost" || ip != nil && ip.IsLoopback()
}

// readable reports whether users other than the owner and the group can read a
// file; one that is missing, nobody can. Windows keeps no such bits.
func readable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && runtime.GOOS != "windows" && info.Mode().Perm()&0o004 != 0
}

// check prints the checklist. It fails if a point does.
func check(_ context.Context, in invocation) error {
	cfg, err := loadConfig(in.environ, in.dotenv)
	if err != nil {
		return err
	}
	if _, err := newProtection(cfg, slog.New(slog.DiscardHandler), newMetrics()); err != nil {
		return err
	}
	result := error(nil)
	for _, p := range checklist(cfg, in.dotenv) {
		if p.ok {
			fmt.Fprintf(in.out, "ok      %s\n", p.name)
			continue
		}
		fmt.Fprintf(in.out, "not ok  %s: %s\n", p.name, p.why)
		result = errNotOK
	}
	return result
}
