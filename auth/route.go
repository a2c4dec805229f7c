package auth

import (
	"net/http"
	"strings"
)

// routes are the requests that a configuration lists as patterns: "GET /health",
// "GET /docs/" and all below it, "GET /files/{name}" and any one segment,
// "GET /{$}" and the root alone. It is a part of what http.ServeMux takes, with
// two differences that keep a pattern from opening more than is meant: the method
// must be there, and only clean paths match. A path that is not clean ("//", "..",
// an encoded slash) could be understood otherwise by the handler behind.
type routes struct {
	exact    map[string][]string // methods by path
	patterns []routePattern
}

type routePattern struct {
	method   string
	segments []string // "" stands for any one
	subtree  bool
}

// maxSegments bounds the work of matching a path against patterns.
const maxSegments = 64

// newRoutes compiles patterns and notes the mistakes in them. GET stands for HEAD too.
func newRoutes(setting string, patterns []string, wrong *mistakes) routes {
	r := routes{exact: make(map[string][]string)}
	for i, pattern := range patterns {
		method, path, ok := strings.Cut(pattern, " ")
		switch {
		case !ok || method == "" || method != strings.ToUpper(method) || !strings.HasPrefix(path, "/") || !cleanPath(path):
			wrong.addElement(setting, i, pattern, ErrInvalid, "%q must be like \"GET /health\"", pattern)
			continue
		case path == "/" || strings.HasPrefix(path, "/{") && strings.HasSuffix(path, "...}"):
			wrong.addElement(setting, i, pattern, ErrUnsafe, "%q matches every path; the root alone is \"%s /{$}\"", pattern, method)
			continue
		}
		if path == "/{$}" {
			path = "/"
		} else if strings.ContainsAny(path, "{}") || strings.HasSuffix(path, "/") {
			p, ok := compileRoute(method, path)
			if !ok {
				wrong.addElement(setting, i, pattern, ErrInvalid, "%q has braces that are not a whole segment, as in \"GET /files/{name}\"", pattern)
				continue
			}
			r.patterns = append(r.patterns, p)
			continue
		}
		r.exact[path] = append(r.exact[path], method)
	}
	return r
}

func compileRoute(method, path string) (routePattern, bool) {
	p := routePattern{method: method}
	path, p.subtree = strings.CutSuffix(path, "/")
	for segment := range strings.SplitSeq(path[1:], "/") {
		if strings.ContainsAny(segment, "{}") {
			name, closed := strings.CutSuffix(segment, "}")
			name, opened := strings.CutPrefix(name, "{")
			if !opened || !closed || name == "" || name == "$" || strings.ContainsAny(name, "{}.") {
				return p, false
			}
			segment = ""
		}
		p.segments = append(p.segments, segment)
	}
	return p, len(p.segments) <= maxSegments
}

// match reports whether a request is one of the routes.
func (rs routes) match(r *http.Request) bool {
	if len(rs.exact) == 0 && len(rs.patterns) == 0 || r.URL.RawPath != "" {
		return false
	}
	method, path := r.Method, r.URL.Path
	if method == http.MethodHead {
		method = http.MethodGet
	}
	for _, m := range rs.exact[path] {
		if m == method || m == r.Method {
			return true
		}
	}
	if len(rs.patterns) == 0 || !cleanPath(path) {
		return false
	}
	for _, p := range rs.patterns {
		if (p.method == method || p.method == r.Method) && p.match(path) {
			return true
		}
	}
	return false
}

func (p routePattern) match(path string) bool {
	rest := path
	for _, segment := range p.segments {
		if rest == "" {
			return false
		}
		var got string
		got, rest = cutSegment(rest[1:])
		if segment != "" && got != segment || got == "" {
			return false
		}
	}
	if p.subtree {
		return rest != ""
	}
	return rest == ""
}

// cutSegment splits a path without its first slash behind its first segment; the
// rest keeps its slash.
func cutSegment(path string) (segment, rest string) {
	if i := strings.IndexByte(path, '/'); i >= 0 {
		return path[:i], path[i:]
	}
	return path, ""
}

// cleanPath reports whether no router would rewrite a path.
func cleanPath(path string) bool {
	if path == "" || path[0] != '/' || strings.ContainsAny(path, "\\%;\x00") {
		return false
	}
	rest := path
	for rest != "" {
		var segment string
		segment, rest = cutSegment(rest[1:])
		if segment == "." || segment == ".." || segment == "" && rest != "" {
			return false
		}
	}
	return true
}
