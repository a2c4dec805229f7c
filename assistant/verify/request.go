package verify

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/api-assistant/api-assistant/assistant/apispec"
)

// maxRequests bounds the requests of one text.
const maxRequests = 500

// report checks a request that a block makes: its endpoint is a mention, and what
// it sends is held to the operation.
func (c *checker) report(b block, language string, r *request) {
	if len(c.requests) >= maxRequests {
		return
	}
	pieces, absolute := r.address()
	target, open := r.target(pieces)
	if target == "" {
		return
	}
	start, end := spanOf(pieces)
	if start == end {
		return
	}
	method, known := r.verb()
	resolution := c.resolve(method, target)
	written, _, _ := strings.Cut(target, "?")
	if resolution.Status == apispec.NotChecked && !absolute {
		return
	}
	if !known && isFinding(resolution) && resolution.Status != apispec.Deprecated {
		return
	}
	if resolution.Prefix && resolution.Status == apispec.UnknownPath && r.method == nil && !r.hasBody && strings.HasSuffix(written, "/") {
		return
	}
	c.add(start, end, method, written, resolution)
	if resolution.Status == apispec.NotChecked {
		return
	}
	out := Code{Index: b.index, Language: language, Request: strings.TrimSpace(method + " " + written), Problems: []string{}, Nearest: resolution.Nearest}
	if op := resolution.Operation; op != nil {
		out.Request, out.Operation = op.Endpoint(), op.Endpoint()
		if known {
			for _, p := range op.Check(r.plain(method, target, open)) {
				out.Problems = append(out.Problems, p.String())
			}
		}
	}
	c.requests = append(c.requests, out)
}

// verb is the method, and whether it is known.
func (r *request) verb() (string, bool) {
	if r.method == nil {
		if r.hasBody {
			return "POST", true
		}
		return "GET", true
	}
	m, ok := plain(r.method)
	m = strings.ToUpper(m)
	if !ok || !slices.Contains(httpMethods, m) {
		return "", false
	}
	return m, true
}

// address is the URL with that of the client before it.
func (r *request) address() (pieces text, absolute bool) {
	pieces = textOf(r.url, piece{})
	if u, ok := r.url.(unknown); ok && u.path == "" {
		return nil, false
	}
	first, _ := plain(text{firstPiece(pieces)})
	absolute = strings.Contains(first, "://")
	if absolute || r.client == nil || r.client.base == nil {
		return pieces, absolute
	}
	base, ok := r.client.base.(text)
	if !ok {
		return pieces, false
	}
	if len(pieces) == 0 || pieces[0].hole && len(pieces) == 1 {
		return nil, false
	}
	base = slices.Clone(base)
	if last := &base[len(base)-1]; !last.hole {
		last.s = strings.TrimRight(last.s, "/")
	}
	pieces = slices.Clone(pieces)
	if !pieces[0].hole {
		pieces[0].s = "/" + strings.TrimLeft(pieces[0].s, "/")
	} else {
		base = append(base, piece{s: "/"})
	}
	first, _ = plain(text{firstPiece(base)})
	return concat(base, pieces), strings.Contains(first, "://")
}

func firstPiece(t text) piece {
	if len(t) == 0 {
		return piece{hole: true}
	}
	return t[0]
}

// target writes the URL with holes as {name}. A hole at the beginning is the
// server. It is empty if the path is not known at all.
func (r *request) target(pieces text) (string, apispec.Parts) {
	var b strings.Builder
	var open apispec.Parts
	query := false
	for i, p := range pieces {
		switch {
		case p.query != nil:
			r.query.merge(p.query)
		case query && p.hole:
			if s := b.String(); !strings.HasSuffix(s, "=") && strings.LastIndexByte(s, '=') <= strings.LastIndexAny(s, "?&") {
				open |= apispec.OpenQuery
			}
			b.WriteString("x")
		case p.hole && i == 0:
			if len(pieces) == 1 || i+1 < len(pieces) && pieces[i+1].hole {
				return "", 0
			}
		case p.hole:
			if wholePath(p.s) && (i == len(pieces)-1 || i == len(pieces)-2 && pieces[i+1].query != nil) {
				return "", 0 // a function that takes any path
			}
			b.WriteString("{" + p.s + "}")
		default:
			b.WriteString(p.s)
			query = query || strings.Contains(p.s, "?")
		}
	}
	s := strings.TrimSpace(b.String())
	if s == "" || len(s) > 2000 || strings.ContainsAny(s, " \n") && !query {
		return "", 0
	}
	if !strings.Contains(s, "://") && !strings.HasPrefix(s, "/") {
		s = "/" + s
	}
	s, _ = hostless(s)
	return s, open
}

// wholePath recognises the names of variables that hold more than a segment.
func wholePath(name string) bool {
	name = strings.ToLower(name)
	return slices.ContainsFunc([]string{"path", "endpoint", "url", "uri", "route", "suffix"}, func(s string) bool { return strings.HasSuffix(name, s) })
}

// spanOf is where a URL was written: what stands in the statement that says the
// end of the path.
func spanOf(pieces text) (start, end int) {
	statement := -1
	for _, p := range pieces {
		if p.hole || p.start == p.end {
			continue
		}
		if p.s != "?" && strings.Trim(p.s, "/?&=") != "" && !strings.HasPrefix(p.s, "?") && !strings.HasPrefix(p.s, "&") {
			statement = p.statement
		}
		if strings.Contains(p.s, "?") {
			break
		}
	}
	for _, p := range pieces {
		if p.statement != statement || p.start == p.end {
			continue
		}
		if p.hole && start == end {
			continue
		}
		if start == end || p.start < start {
			start = p.start
		}
		end = max(end, p.end)
	}
	return start, end
}

// plain makes the request that apispec checks.
func (r *request) plain(method, target string, open apispec.Parts) apispec.Request {
	out := apispec.Request{Method: method, URL: target, Query: url.Values{}, Header: http.Header{}, Open: open | r.open}
	headers, query := []*object{r.header}, []*object{r.query}
	if r.client != nil {
		headers, query = append(headers, r.client.header), append(query, r.client.query)
	}
	for _, q := range query {
		for k := range q.m {
			out.Query[k] = []string{"x"}
		}
		if q.open {
			out.Open |= apispec.OpenQuery
		}
	}
	for _, h := range headers {
		for k, v := range h.m {
			s, _ := plain(v)
			if _, there := out.Header[http.CanonicalHeaderKey(k)]; !there {
				out.Header[http.CanonicalHeaderKey(k)] = []string{s}
			}
		}
		if h.open {
			out.Open |= apispec.OpenHeader
		}
	}
	r.plainBody(&out)
	return out
}

func (r *request) plainBody(out *apispec.Request) {
	if !r.hasBody {
		return
	}
	openBody := false
	switch v := r.body.(type) {
	case text:
		if body, ok := jsonBody(v); ok {
			out.Body = body
		} else {
			out.Body, openBody = apispec.Unknown{}, true
			if r.contentType == formType {
				form := newObject()
				form.merge(v)
				out.Body, openBody = plainBody(form, 0)
			}
		}
	case nil:
		return
	default:
		out.Body, openBody = plainBody(v, 0)
	}
	if r.contentType != jsonType {
		out.Body = foldForm(out.Body)
	}
	if _, isUnknown := out.Body.(apispec.Unknown); isUnknown || openBody {
		out.Open |= apispec.OpenBody
	}
	_, set := out.Header["Content-Type"]
	if !set && out.Open&apispec.OpenHeader == 0 {
		if _, isUnknown := r.body.(unknown); !isUnknown || r.contentType == jsonType || r.contentType == multipartType {
			out.ContentType = r.contentType
		}
	}
}

// foldForm puts the fields of a form that are parts of one, users[0] and
// address[city], under its name.
func foldForm(body any) any {
	form, ok := body.(map[string]any)
	if !ok {
		return body
	}
	folded := make(map[string]any, len(form))
	for key, v := range form {
		if name, _, part := strings.Cut(key, "["); part && name != "" && strings.HasSuffix(key, "]") {
			folded[name] = apispec.Unknown{}
		} else {
			folded[key] = v
		}
	}
	return folded
}

const (
	jsonType      = "application/json"
	formType      = "application/x-www-form-urlencoded"
	multipartType = "multipart/form-data"
)
