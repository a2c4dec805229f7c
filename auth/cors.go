package auth

import (
	"net/http"
	"net/textproto"
	"slices"
	"strings"
	"time"

	"github.com/rs/cors"
)

// CORSConfig configures CORS. The zero value lets no page of another origin call.
type CORSConfig struct {
	// Origins are the web pages that may call, exactly as a browser sends them:
	// scheme, host in lower case, and the port unless it is the scheme's own.
	//
	//	good: "https://app.example.com"  "http://localhost:3000"  "https://xn--bcher-kva.example"
	//	      "https://*.example.com" (every subdomain, at any depth; not example.com itself)
	//	      "*" (every page; alone, and not with Credentials)
	//	refused: "null" (sandboxed pages of anybody send it), paths, user names,
	//	      schemes other than http and https, "https://*.com", "https://a.*.com",
	//	      http:// with Credentials unless the host is this machine
	Origins []string
	// Methods that pages may use. nil means GET, HEAD, POST, PUT, PATCH and DELETE.
	// Upper and lower case differ; CONNECT, TRACE and "*" are refused.
	Methods []string
	// Headers that pages may send. nil means Authorization, Content-Type, X-API-Key,
	// X-Request-ID and X-Request-Time. "*", and names that browsers let no page set,
	// are refused.
	Headers []string
	// Expose are the answer's headers that pages may read. nil means Retry-After,
	// X-Request-ID and the RateLimit headers. "*" and Set-Cookie are refused.
	Expose []string
	// Credentials lets browsers send cookies. Not needed for API keys.
	Credentials bool
	// MaxAge is how long browsers may remember a preflight: whole seconds up to a
	// day, which is what browsers take. 0 means ten minutes, negative not at all.
	MaxAge time.Duration
}

const (
	defaultMaxAge = 10 * time.Minute
	longestMaxAge = 24 * time.Hour
)

// CORS lets web pages of other origins call the handler: the CORS protocol of
// the Fetch standard, over rs/cors. Preflight requests are answered with 204 and
// do not reach the handler. A request of an origin that is not allowed is served
// without CORS headers, so that the browser hides the answer from the page. Every
// answer has "Vary: Origin". The error joins a *ConfigError for each mistake.
func CORS(cfg CORSConfig) (Middleware, error) {
	var wrong mistakes
	origins := newOrigins(cfg, &wrong)
	methods := withDefault(cfg.Methods, http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete)
	checkMethods(methods, &wrong)
	checkHeaders("CORSConfig.Headers", cfg.Headers, isForbiddenRequestHeader, &wrong)
	checkHeaders("CORSConfig.Expose", cfg.Expose, isForbiddenResponseHeader, &wrong)
	if cfg.MaxAge > longestMaxAge || cfg.MaxAge > 0 && cfg.MaxAge%time.Second != 0 {
		wrong.add("CORSConfig.MaxAge", ErrOutOfRange, "is %v; it must be whole seconds, at most %v", cfg.MaxAge, longestMaxAge)
	}
	if err := wrong.err(); err != nil {
		return nil, err
	}
	p := &corsPolicy{origins: origins, methods: methods}
	options := cors.Options{
		AllowedMethods: methods,
		AllowedHeaders: withDefault(cfg.Headers, "Authorization", "Content-Type", "X-API-Key", "X-Request-ID", "X-Request-Time"),
		MaxAge:         maxAgeSeconds(cfg.MaxAge), AllowCredentials: cfg.Credentials, OptionsSuccessStatus: http.StatusNoContent,
	}
	if origins.everybody {
		options.AllowedOrigins = []string{"*"}
	} else {
		options.AllowOriginFunc = origins.allow
	}
	expose := withDefault(cfg.Expose, "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "Retry-After", "X-Request-ID")
	if len(expose) > 0 {
		p.expose = []string{strings.Join(expose, ", ")}
	}
	if cfg.Credentials {
		p.credentials = []string{"true"}
	}
	p.preflights = cors.New(options)
	return p.middleware, nil
}

// corsPolicy is a compiled CORSConfig.
type corsPolicy struct {
	origins             *origins
	methods             []string
	expose, credentials []string // values of headers; nil leaves them out
	preflights          *cors.Cors
}

// Values of headers that answers share.
var (
	varyOrigin    = []string{"Origin"}
	anyOrigin     = []string{"*"}
	varyPreflight = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"
)

func (p *corsPolicy) middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// A preflight has an origin and a method that it asks for; any other OPTIONS
		// is a request like others.
		if r.Method == http.MethodOptions && len(r.Header["Origin"]) > 0 && len(r.Header["Access-Control-Request-Method"]) > 0 {
			p.preflight(w, r)
			return
		}
		p.answer(w.Header(), r)
		next.ServeHTTP(w, r)
	})
}

// preflight keeps from rs/cors what no browser sends: several origins, several
// methods, which it would echo unseen, and methods that are not listed, of which
// it grants OPTIONS. They are answered without CORS headers.
func (p *corsPolicy) preflight(w http.ResponseWriter, r *http.Request) {
	asked := r.Header["Access-Control-Request-Method"]
	if len(r.Header["Origin"]) > 1 || len(asked) > 1 || !slices.Contains(p.methods, asked[0]) {
		w.Header().Add("Vary", varyPreflight)
		w.WriteHeader(http.StatusNoContent)
		return
	}
	p.preflights.HandlerFunc(w, r) // answers 204
}

// answer sets the headers of an answer that is not one to a preflight. It does
// what rs/cors would, without the allocation of its log line. No browser sends
// two origins: whoever does gets no CORS headers.
func (p *corsPolicy) answer(h http.Header, r *http.Request) {
	if vary := h["Vary"]; vary == nil {
		h["Vary"] = varyOrigin
	} else {
		h["Vary"] = append(vary, varyOrigin...)
	}
	origin := r.Header["Origin"]
	switch {
	case len(origin) != 1 || origin[0] == "" || r.Method != http.MethodOptions && !slices.Contains(p.methods, r.Method):
		return
	case p.origins.everybody:
		h["Access-Control-Allow-Origin"] = anyOrigin
	case p.origins.allow(origin[0]):
		h["Access-Control-Allow-Origin"] = origin
	default:
		return
	}
	if p.expose != nil {
		h["Access-Control-Expose-Headers"] = p.expose
	}
	if p.credentials != nil {
		h["Access-Control-Allow-Credentials"] = p.credentials
	}
}

// maxAgeSeconds is what rs/cors takes: 0 would leave the header out, and browsers
// would remember for five seconds.
func maxAgeSeconds(d time.Duration) int {
	switch {
	case d < 0:
		return -1
	case d == 0:
		return int(defaultMaxAge.Seconds())
	}
	return int(d.Seconds())
}

func withDefault(values []string, fallback ...string) []string {
	if values == nil {
		return fallback
	}
	return slices.Clone(values)
}

func checkMethods(methods []string, wrong *mistakes) {
	const setting = "CORSConfig.Methods"
	for i, m := range methods {
		upper := strings.ToUpper(m)
		switch {
		case m == "*":
			wrong.addElement(setting, i, m, ErrUnsafe, `"*" is not supported; list the methods`)
		case !isToken(m):
			wrong.addElement(setting, i, m, ErrInvalid, "%q is not a method", m)
		case upper == http.MethodConnect || upper == http.MethodTrace || upper == "TRACK":
			wrong.addElement(setting, i, m, ErrUnsafe, "%q is a method that browsers let no page use", m)
		case m != upper:
			wrong.addElement(setting, i, m, ErrInvalid, "%q must be in upper case, as handlers know it", m)
		}
	}
}

func checkHeaders(setting string, headers []string, forbidden func(lower string) bool, wrong *mistakes) {
	for i, h := range headers {
		switch {
		case h == "*":
			wrong.addElement(setting, i, h, ErrUnsafe, `"*" is not supported; list the headers`)
		case !isToken(h):
			wrong.addElement(setting, i, h, ErrInvalid, "%q is not the name of a header", h)
		case forbidden(strings.ToLower(h)):
			wrong.addElement(setting, i, h, ErrInvalid, "%q is a header that browsers keep from pages", textproto.CanonicalMIMEHeaderKey(h))
		}
	}
}

// forbiddenRequestHeaders are the names that the Fetch standard lets no page set.
var forbiddenRequestHeaders = []string{"accept-charset", "accept-encoding", "access-control-request-headers",
	"access-control-request-method", "access-control-request-private-network", "connection", "content-length", "cookie", "cookie2",
	"date", "dnt", "expect", "host", "keep-alive", "origin", "referer", "set-cookie", "te", "trailer", "transfer-encoding",
	"upgrade", "via"}

func isForbiddenRequestHeader(lower string) bool {
	return slices.Contains(forbiddenRequestHeaders, lower) || strings.HasPrefix(lower, "sec-") || strings.HasPrefix(lower, "proxy-")
}

func isForbiddenResponseHeader(lower string) bool {
	return lower == "set-cookie" || lower == "set-cookie2"
}

// isToken reports whether s is a token of RFC 9110.
func isToken(s string) bool {
	for _, c := range []byte(s) {
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0) {
			return false
		}
	}
	return s != ""
}
