package verify

import "strings"

// goCall knows net/http.
func goCall(in *interpreter, c *callSite) (value, bool) {
	if _, ok := c.receiver.(*client); ok {
		return in.goRequest(c, c.path, 0)
	}
	if c.receiver != nil {
		return nil, false
	}
	root, name, _ := cutLast(c.path)
	switch c.path {
	case "http.NewRequest":
		return in.newGoRequest(c, 0), true
	case "http.NewRequestWithContext":
		return in.newGoRequest(c, 1), true
	case "url.Parse", "url.ParseRequestURI":
		r := newRequest()
		r.take(c.arg("", 0))
		return r, true
	case "url.JoinPath":
		var out text
		for i, a := range c.args {
			if i > 0 {
				out = append(out, piece{s: "/", statement: in.statement})
			}
			out = concat(out, textOf(a, c.at))
		}
		return out, true
	case "make", "new":
		return newObject(), true
	case "strings.TrimRight", "strings.TrimSuffix", "strings.TrimSpace", "io.NopCloser":
		return c.arg("", 0), true
	}
	if root == "http" || root == "http.DefaultClient" || clientName(root) {
		return in.goRequest(c, name, 0)
	}
	return nil, false
}

// goMethods are the constants of net/http.
var goMethods = map[string]string{"http.MethodGet": "GET", "http.MethodPost": "POST", "http.MethodPut": "PUT", "http.MethodPatch": "PATCH",
	"http.MethodDelete": "DELETE", "http.MethodHead": "HEAD", "http.MethodOptions": "OPTIONS"}

func (in *interpreter) newGoRequest(c *callSite, at int) value {
	r := newRequest()
	r.method = c.arg("", at)
	if u, ok := r.method.(unknown); ok && goMethods[u.path] != "" {
		r.method = text{piece{s: goMethods[u.path]}}
	}
	r.take(c.arg("", at+1))
	in.goBody(r, c.arg("", at+2))
	in.made(r)
	return r
}

// goBody sets a body; the library adds no content type.
func (in *interpreter) goBody(r *request, v value) {
	if v == nil || !given(v) || v == (value)(unknown{"http.NoBody"}) {
		return
	}
	setBody(r, v)
	r.contentType = noType
	if o, ok := v.(*object); ok && o.open {
		r.contentType = ""
	}
}

func (in *interpreter) goRequest(c *callSite, name string, _ int) (value, bool) {
	r := newRequest()
	switch name {
	case "Get", "Head":
		r.method = text{piece{s: strings.ToUpper(name)}}
	case "Post":
		r.method = text{piece{s: "POST"}}
		in.goBody(r, c.arg("", 2))
		r.header.m["Content-Type"] = c.arg("", 1)
	case "PostForm":
		r.method = text{piece{s: "POST"}}
		setBody(r, c.arg("", 1))
		r.contentType = formType
	case "Do":
		return unknown{"response"}, true
	default:
		return nil, false
	}
	r.take(c.arg("", 0))
	in.made(r)
	return unknown{"response"}, true
}
