package main

import (
	"context"
	"fmt"
	"log/slog"
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
func checklist(c config) []point {
	local := false
	for _, o := range c.AllowedOrigins {
		local = local || o == "*" || strings.HasPrefix(o, "http://")
	}
	return []point{
		{"requests need a key", c.RequireAuth, "set REQUIRE_AUTH=true, with SECRET_KEY and API_KEYS of `server keygen`"},
		{"only your web pages may call", !local, "set ALLOWED_ORIGINS to the https:// origins of your pages"},
		{"debugging is off", !c.Debug, "set DEBUG=false"},
		{"requests are limited", c.RatePerMinute > 0, "set RATE_LIMIT_PER_MINUTE to more than 0"},
	}
}

// check prints the checklist. It fails if a point does.
func check(_ context.Context, in invocation) error {
	cfg, err := loadConfig(in.environ, in.dotenv)
	if err != nil {
		return err
	}
	if _, err := newProtection(cfg, slog.New(slog.DiscardHandler)); err != nil {
		return err
	}
	result := error(nil)
	for _, p := range checklist(cfg) {
		if p.ok {
			fmt.Fprintf(in.out, "ok      %s\n", p.name)
			continue
		}
		fmt.Fprintf(in.out, "not ok  %s: %s\n", p.name, p.why)
		result = errNotOK
	}
	return result
}
