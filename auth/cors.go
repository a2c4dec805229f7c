package auth

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/rs/cors"
)

// CORSConfig configures CORS.
type CORSConfig struct {
	// Origins are the web pages that may call, exactly as a browser sends them:
	// scheme, host in lower case, and the port unless it is the scheme's own, such
	// as "https://app.example.com" or "http://localhost:3000". "https://*.example.com"
	// allows every subdomain. "*" by itself allows every page, not with Credentials.
	// "null" is refused: sandboxed pages of anybody send it.
	Origins []string
	// Methods that pages may use. nil means GET, HEAD, POST, PUT, PATCH and DELETE.
	Methods []string
	// Headers that pages may send. nil means Authorization, Content-Type, X-API-Key,
	// X-Request-ID and X-Request-Time.
	Headers []string
	// Expose are the answer's headers that pages may read. nil means Retry-After,
	// X-Request-ID and the RateLimit headers.
	Expose []string
	// Credentials lets browsers send cookies. Not needed for API keys.
	Credentials bool
	// MaxAge is how long browsers may remember a preflight. 0 means ten minutes.
	MaxAge time.Duration
}

// CORS lets web pages of other origins call the handler: the CORS protocol of
// the Fetch standard, by rs/cors. Preflight requests are answered with 204 and
// do not reach the handler. A request of an origin that is not allowed is served
// without CORS headers, so that the browser hides the answer from the page. Every
// answer has "Vary: Origin". The error joins a *ConfigError for each mistake.
func CORS(cfg CORSConfig) (Middleware, error) {
	var (
		wrong     mistakes
		exact     = make(map[string]bool)
		wildcards [][2]string // what an origin begins and ends with
		everybody bool
	)
	for _, o := range cfg.Origins {
		if o == "*" {
			everybody = true
			if cfg.Credentials {
				wrong.add("CORSConfig.Origins", `"*" with credentials would let every web page act for your users; list the origins`)
			}
			continue
		}
		if problem := originProblem(o); problem != "" {
			wrong.add("CORSConfig.Origins", "%q %s", o, problem)
			continue
		}
		if before, after, ok := strings.Cut(o, "*"); ok {
			wildcards = append(wildcards, [2]string{before, after})
		} else {
			exact[o] = true
		}
	}
	if err := wrong.err(); err != nil {
		return nil, err
	}
	options := cors.Options{
		AllowedMethods: withDefault(cfg.Methods, http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete),
		AllowedHeaders: withDefault(cfg.Headers, "Authorization", "Content-Type", "X-API-Key", "X-Request-ID", "X-Request-Time"),
		ExposedHeaders: withDefault(cfg.Expose, "RateLimit-Limit", "RateLimit-Remaining", "Retry-After", "X-Request-ID"),
		MaxAge:         int(cfg.MaxAge.Seconds()), AllowCredentials: cfg.Credentials, OptionsSuccessStatus: http.StatusNoContent,
	}
	if options.MaxAge == 0 {
		options.MaxAge = 600
	}
	if everybody {
		options.AllowedOrigins = []string{"*"}
	} else {
		options.AllowOriginFunc = func(origin string) bool { return exact[origin] || matchesWildcard(wildcards, origin) }
	}
	protocol := cors.New(options)
	return func(next http.Handler) http.Handler {
		checked := protocol.Handler(next)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch len(r.Header["Origin"]) {
			case 1:
				checked.ServeHTTP(w, r)
				return
			case 0: // rs/cors would do the same, with more work
			default:
				// No browser sends two: whoever does gets no CORS headers.
				if r.Method == http.MethodOptions {
					w.Header().Add("Vary", "Origin")
					w.WriteHeader(http.StatusNoContent)
					return
				}
			}
			w.Header().Add("Vary", "Origin")
			next.ServeHTTP(w, r)
		})
	}, nil
}

func withDefault(values []string, fallback ...string) []string {
	if values == nil {
		return fallback
	}
	return values
}

// matchesWildcard compares an origin with patterns such as
// "https://*.example.com": the star stands for one or more labels.
func matchesWildcard(patterns [][2]string, origin string) bool {
	for _, p := range patterns {
		middle, ok := strings.CutPrefix(origin, p[0])
		if !ok {
			continue
		}
		if middle, ok = strings.CutSuffix(middle, p[1]); ok && isHost(middle) {
			return true
		}
	}
	return false
}

// originProblem says why an origin could never be the one that a browser sends,
// or should not be allowed; "" if it is good.
func originProblem(o string) string {
	scheme, host, ok := strings.Cut(o, "://")
	switch {
	case o == "null":
		return "is sent by sandboxed pages of anybody; it cannot be allowed"
	case !ok || scheme != "http" && scheme != "https":
		return "must begin with http:// or https://"
	case host != strings.ToLower(host):
		return "must be in lower case, as browsers send it"
	case strings.ContainsAny(host, "/?#@ \t"):
		return "must have no path, query or user, also no slash at the end"
	}
	if star := strings.Count(host, "*"); star > 0 {
		rest, isPrefix := strings.CutPrefix(host, "*.")
		if star > 1 || !isPrefix || strings.Count(hostname(rest), ".") < 1 {
			return "may have one star only, as in https://*.example.com"
		}
		host = rest
	}
	u, err := url.Parse(scheme + "://" + host)
	if err != nil || u.Hostname() == "" {
		return "is not a valid origin"
	}
	if port := u.Port(); port == "" && strings.HasSuffix(u.Host, ":") || port == "80" && scheme == "http" || port == "443" && scheme == "https" {
		return "must leave the scheme's own port out, as browsers do"
	}
	if _, err := netip.ParseAddr(u.Hostname()); err != nil && !isHost(u.Hostname()) {
		return "has a host name with characters that no host name has"
	}
	return ""
}

func hostname(host string) string {
	name, _, _ := strings.Cut(host, ":")
	return name
}

// isHost reports whether s is a host name: labels of letters, digits and
// hyphens, joined by dots.
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
