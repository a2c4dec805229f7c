package verify

import "strings"

// clientNames are how people call sessions and clients that come from elsewhere.
func clientName(path string) bool {
	name := strings.ToLower(lastSegment(strings.TrimSuffix(path, "()")))
	for _, s := range []string{"fastapi", "apirouter", "mapi"} {
		if strings.Contains(name, s) {
			return false
		}
	}
	for _, s := range []string{"client", "session", "http", "api", "axios"} {
		if strings.HasSuffix(name, s) {
			return true
		}
	}
	return false
}

var pythonOptions = map[string]string{"headers": "headers", "params": "query", "auth": "auth", "cookies": "cookies", "json": "json", "method": "method"}

// pythonCall knows requests, httpx, aiohttp and urllib.
func pythonCall(in *interpreter, c *callSite) (value, bool) {
	if cl, ok := c.receiver.(*client); ok {
		return in.pythonRequest(c, cl, c.path)
	}
	if c.receiver != nil {
		return nil, false
	}
	root, method := "", lastSegment(c.path)
	if i := strings.LastIndexByte(c.path, '.'); i >= 0 {
		root = c.path[:i]
	}
	switch method {
	case "Session", "session", "Client", "AsyncClient", "ClientSession":
		if root == "requests" || root == "httpx" || root == "aiohttp" || root == "" && method != "session" {
			cl := newClient()
			if v := c.arg("base_url", -1); given(v) {
				cl.base = v
			} else if method == "ClientSession" {
				cl.base = nil
				if len(c.args) > 0 {
					cl.base = c.args[0]
				}
			}
			cl.header.merge(c.optional("headers"))
			cl.query.merge(c.optional("params"))
			if v := c.arg("auth", -1); given(v) && v != nil {
				cl.header.m["Authorization"] = unknown{}
			}
			if c.open {
				leak(cl)
			}
			return cl, true
		}
	case "Request":
		if strings.HasSuffix(root, "request") || root == "" || root == "urllib" {
			r := newRequest()
			r.take(c.arg("url", 0))
			r.header.merge(c.optionalAt("headers", 2))
			r.method = c.optional("method")
			if v := c.arg("data", 1); given(v) && v != nil {
				setBody(r, v)
				if _, isText := v.(text); isText || r.contentType == noType {
					r.contentType = formType // urllib says so
				}
			}
			in.made(r)
			return r, true
		}
	case "urlopen":
		if _, ok := c.arg("url", 0).(*request); ok {
			return unknown{"response"}, true
		}
		r := newRequest()
		r.take(c.arg("url", 0))
		if v := c.arg("data", 1); given(v) && v != nil {
			setBody(r, v)
			r.contentType = formType
		}
		in.made(r)
		return unknown{"response"}, true
	}
	if root == "requests" || root == "httpx" {
		return in.pythonRequest(c, nil, method)
	}
	if clientName(root) || root != "" && isURL(c.arg("url", 0)) {
		cl := newClient()
		leak(cl)
		return in.pythonRequest(c, cl, method)
	}
	return nil, false
}

func isURL(v value) bool {
	t, ok := v.(text)
	return ok && len(t) > 0 && strings.Contains(t[0].s, "://")
}

// optional is an argument by name; nil if it is not there.
func (c *callSite) optional(name string) value { return c.optionalAt(name, -1) }

func (c *callSite) optionalAt(name string, i int) value {
	if v := c.arg(name, i); given(v) {
		return v
	}
	if v, ok := c.named[name]; ok {
		return v
	}
	return nil
}

// made remembers a request.
func (in *interpreter) made(r *request) {
	if len(in.requests) < maxRequests {
		in.requests = append(in.requests, r)
	}
}

func (in *interpreter) pythonRequest(c *callSite, cl *client, method string) (value, bool) {
	r := newRequest()
	r.client = cl
	at := 0
	switch method {
	case "get", "post", "put", "patch", "delete", "head", "options":
		r.method = text{piece{s: method}}
	case "request", "stream":
		r.method = c.arg("method", 0)
		at = 1
	default:
		return nil, false
	}
	if v := c.arg("url", at); given(v) {
		r.take(v)
	} else {
		return nil, false
	}
	if method == "get" || method == "head" {
		r.query.merge(c.optionalAt("params", at+1))
	}
	options(r, c.optional, pythonOptions)
	if method == "request" || method == "stream" {
		r.method = c.arg("method", 0)
	}
	if method == "post" || method == "put" || method == "patch" {
		if v := c.arg("data", at+1); given(v) && v != nil {
			setBody(r, v)
		}
		if v := c.arg("json", at+2); given(v) && v != nil {
			r.body, r.hasBody, r.contentType = v, true, jsonType
		}
	}
	for _, name := range []string{"data", "content"} {
		if v := c.arg(name, -1); given(v) && v != nil {
			setBody(r, v)
		}
	}
	if v := c.optional("files"); v != nil {
		form := newObject()
		form.merge(v)
		if data, ok := r.body.(*object); ok && r.hasBody {
			form.merge(data)
		} else if r.hasBody {
			form.open = true
		}
		r.body, r.hasBody, r.contentType = form, true, multipartType
	}
	if c.open {
		leak(r)
	}
	in.made(r)
	return unknown{"response"}, true
}
