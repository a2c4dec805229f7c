package verify

import "strings"

var axiosOptions = map[string]string{"method": "method", "url": "url", "headers": "headers", "params": "query", "auth": "auth"}

// javascriptCall knows fetch and axios, and what URLs, headers, queries and forms
// are made of.
func javascriptCall(in *interpreter, c *callSite) (value, bool) {
	if cl, ok := c.receiver.(*client); ok {
		return in.axiosRequest(c, cl, c.path)
	}
	if c.receiver != nil {
		return nil, false
	}
	switch c.path {
	case "fetch", "window.fetch", "globalThis.fetch", "$fetch", "ofetch":
		in.fetch(c)
		return unknown{"response"}, true
	case "axios.create":
		cl := newClient()
		if o, ok := c.arg("", 0).(*object); ok {
			if v, ok := o.m["baseURL"]; ok {
				cl.base = v
			}
			cl.header.merge(o.m["headers"])
			cl.query.merge(o.m["params"])
			if _, ok := o.m["auth"]; ok {
				cl.header.m["Authorization"] = unknown{}
			}
			if o.open {
				leak(cl)
			}
		} else if len(c.args) > 0 {
			leak(cl)
		}
		return cl, true
	case "URL":
		r := newRequest()
		r.take(c.arg("", 0))
		if base := c.arg("", 1); given(base) {
			if t, ok := r.url.(text); ok {
				r.url = rooted(textOf(base, c.at), t)
			}
		}
		return r, true
	case "URLSearchParams", "Headers", "FormData", "Map":
		o := newObject()
		if len(c.args) > 0 {
			o.merge(c.args[0])
		}
		o.form = c.path == "FormData"
		return o, true
	case "Object.assign":
		o := newObject()
		for _, a := range c.args {
			o.merge(a)
		}
		return o, true
	case "axios":
		return in.axiosRequest(c, nil, "")
	}
	root, method, _ := cutLast(c.path)
	if root == "axios" {
		return in.axiosRequest(c, nil, method)
	}
	if clientName(root) || isURL(c.arg("", 0)) && root != "" && (method == "get" || method == "post" || method == "put" || method == "patch" || method == "delete") {
		cl := newClient()
		leak(cl)
		return in.axiosRequest(c, cl, method)
	}
	return nil, false
}

func cutLast(path string) (root, name string, ok bool) {
	i := strings.LastIndexByte(path, '.')
	if i < 0 {
		return "", path, false
	}
	return path[:i], path[i+1:], true
}

// rooted resolves a path against a base, as new URL(path, base) does.
func rooted(base, path text) text {
	if len(path) == 0 || len(base) == 0 || base[0].hole {
		return concat(base, path)
	}
	base = append(text{}, base...)
	s := base[0].s
	if scheme := strings.Index(s, "://"); scheme >= 0 && !path[0].hole && strings.HasPrefix(path[0].s, "/") {
		if slash := strings.IndexByte(s[scheme+3:], '/'); slash >= 0 {
			s = s[:scheme+3+slash]
		}
		base[0].s = s
		return concat(base[:1], path)
	}
	last := &base[len(base)-1]
	if !last.hole {
		last.s = last.s[:strings.LastIndexByte(last.s, '/')+1]
	}
	return concat(base, path)
}

func (in *interpreter) fetch(c *callSite) {
	r := newRequest()
	r.take(c.arg("", 0))
	switch o := c.arg("", 1).(type) {
	case *object:
		options(r, o.get, map[string]string{"method": "method", "headers": "headers"})
		if body, ok := o.m["body"]; ok && body != nil {
			setBody(r, body)
			if r.contentType == noType {
				r.contentType = "text/plain"
			}
			if r.method == nil {
				r.method = text{piece{s: "GET"}} // fetch refuses it, but that is what it says
			}
		}
		if o.open {
			leak(r)
			if r.method == nil {
				r.method = unknown{"method"}
			}
		}
	case unknown:
		if o.path != "" {
			leak(r)
			r.method = o
		}
	}
	in.made(r)
}

// get is a value of a dictionary; absent if it is not there.
func (o *object) get(name string) value {
	if v, ok := o.m[name]; ok {
		return v
	}
	return absent
}

func (in *interpreter) axiosRequest(c *callSite, cl *client, method string) (value, bool) {
	r := newRequest()
	r.client = cl
	config := 1
	switch method {
	case "get", "delete", "head", "options":
		r.method = text{piece{s: method}}
		r.take(c.arg("", 0))
	case "post", "put", "patch", "postForm":
		r.method = text{piece{s: strings.TrimSuffix(method, "Form")}}
		r.take(c.arg("", 0))
		config = 2
		if v := c.arg("", 1); given(v) && v != nil {
			in.axiosBody(r, v)
		}
	case "request", "":
		if o, ok := c.arg("", 0).(*object); ok {
			config = 0
			_ = o
		} else {
			r.take(c.arg("", 0))
		}
	default:
		return nil, false
	}
	switch o := c.arg("", config).(type) {
	case *object:
		options(r, o.get, axiosOptions)
		if method != "" && method != "request" {
			r.method = text{piece{s: strings.TrimSuffix(method, "Form")}}
		}
		if v, ok := o.m["baseURL"]; ok {
			based := newClient()
			based.base = v
			r.client = based
		}
		if v, ok := o.m["data"]; ok && v != nil {
			in.axiosBody(r, v)
		}
		if o.open {
			leak(r)
		}
	case unknown:
		if o.path != "" {
			leak(r)
		}
	}
	if r.url == nil {
		return nil, false
	}
	in.made(r)
	return unknown{"response"}, true
}

// axiosBody is sent as JSON, unless it is a form or a string.
func (in *interpreter) axiosBody(r *request, v value) {
	setBody(r, v)
	switch v := v.(type) {
	case *object:
		if !v.form {
			r.contentType = jsonType
		}
	case *list, unknown:
		r.contentType = jsonType
	default:
		r.contentType = formType
	}
	if o, ok := r.header.m["Content-Type"]; ok && o != nil {
		r.contentType = ""
	}
}
