package verify

import (
	"strconv"
	"strings"
)

func parseNumber(s string) value {
	if f, err := strconv.ParseFloat(strings.ReplaceAll(s, "_", ""), 64); err == nil {
		return f
	}
	return unknown{"x"}
}

// builtin makes the calls that mean the same in several languages: of strings,
// dictionaries, and functions that change nothing that matters here.
func (in *interpreter) builtin(c *callSite) (value, bool) {
	switch r := c.receiver.(type) {
	case text:
		return in.textMethod(r, c)
	case *object:
		return objectMethod(r, c)
	case encoded:
		switch c.path {
		case "encode", "toString", "getBytes", "String":
			return r, true
		}
	case *request:
		return requestMethod(r, c)
	}
	switch lastSegment(c.path) {
	case "encodeURIComponent", "encodeURI", "quote", "quote_plus", "QueryEscape", "PathEscape", "encode", "str", "String", "create", "URI", "Uri", "URL",
		"NewReader", "NewBufferString", "NewBuffer", "NewBufferBytes", "ofString", "ofByteArray", "valueOf", "bytes", "trim", "TrimRight", "TrimSuffix", "requireNonNull", "parse", "Parse":
		if len(c.args) > 0 && !strings.HasPrefix(c.path, "JSON") && !strings.HasPrefix(c.path, "json") {
			switch c.args[0].(type) {
			case text, encoded, unknown, *object, *request, float64:
				return c.args[0], true
			}
		}
	case "stringify", "dumps", "Marshal", "MarshalIndent", "writeValueAsString", "toJson", "writeValueAsBytes":
		if len(c.args) > 0 {
			return encoded{c.args[0]}, true
		}
	case "urlencode":
		o := newObject()
		if len(c.args) > 0 {
			o.merge(c.args[0])
		} else {
			o.open = true
		}
		return o, true
	case "Sprintf", "format":
		if f, ok := c.arg("", 0).(text); ok {
			return in.format(f, c.args[1:]), true
		}
	case "log", "print", "Println", "Printf", "println", "debug", "info":
		return unknown{c.path + "()"}, true
	case "getenv", "Getenv":
		if name, ok := plain(c.arg("", 0)); ok {
			return unknown{name}, true
		}
	case "dict":
		o := newObject()
		if len(c.args) > 0 {
			o.merge(c.args[0])
		}
		for k, v := range c.named {
			o.m[k] = v
		}
		o.open = o.open || c.open
		return o, true
	case "require":
		if name, ok := plain(c.arg("", 0)); ok {
			return unknown{name}, true
		}
	}
	return nil, false
}

func lastSegment(path string) string { return path[strings.LastIndexByte(path, '.')+1:] }

func (in *interpreter) textMethod(t text, c *callSite) (value, bool) {
	switch c.path {
	case "format", "formatted":
		args := c.args
		if len(c.named) > 0 {
			return in.formatNamed(t, c.named), true
		}
		return in.format(t, args), true
	case "encode", "strip", "trim", "toString", "getBytes", "stripIndent", "decode":
		return t, true
	case "rstrip", "TrimRight":
		if len(t) > 0 && !t[len(t)-1].hole {
			t = append(text{}, t...)
			t[len(t)-1].s = strings.TrimRight(t[len(t)-1].s, "/ ")
		}
		return t, true
	case "concat":
		for _, a := range c.args {
			t = concat(t, textOf(a, c.at))
		}
		return t, true
	}
	return unknown{"x"}, true
}

// formatNamed is "{a}/{b}".format(a=1, b=2).
func (in *interpreter) formatNamed(t text, named map[string]value) text {
	var out text
	for _, p := range t {
		if p.hole {
			out = append(out, p)
			continue
		}
		last := 0
		for _, m := range verbs.FindAllStringSubmatchIndex(p.s, 100) {
			if m[2] < 0 {
				continue
			}
			out = append(out, p.sub(last, m[0]))
			last = m[1]
			var v value = unknown{p.s[m[2]:m[3]]}
			if x, ok := named[p.s[m[2]:m[3]]]; ok {
				v = x
			}
			out = concat(out, textOf(v, p.sub(m[0], m[1])))
		}
		out = append(out, p.sub(last, len(p.s)))
	}
	return out
}

// objectMethod is what dictionaries, headers, forms and query strings can do.
func objectMethod(o *object, c *callSite) (value, bool) {
	switch c.path {
	case "set", "append", "add", "put", "Set", "Add", "setdefault", "addHeader", "header", "addFormDataPart":
		if len(c.args) >= 2 {
			o.set(c.args[0], c.args[1])
		} else {
			o.open = true
		}
		return o, true
	case "update", "putAll":
		for _, a := range c.args {
			o.merge(a)
		}
		for k, v := range c.named {
			o.m[k] = v
		}
		return o, true
	case "toString", "Encode", "copy", "items":
		return o, true
	case "get", "Get":
		if key, ok := plain(c.arg("", 0)); ok {
			if v, ok := o.m[key]; ok {
				return v, true
			}
		}
		return unknown{"x"}, true
	case "getHeaders", "pop", "keys", "values", "has", "remove", "delete", "Del":
		more := newObject()
		more.open = true
		return more, true
	}
	o.open = true
	return unknown{c.path + "()"}, true
}

// requestMethod is what requests, their builders and addresses can do.
func requestMethod(r *request, c *callSite) (value, bool) {
	body := func(v value) {
		r.hasBody = given(v) && v != nil
		if r.hasBody {
			setBody(r, v)
		}
	}
	switch c.path {
	case "toString", "String", "build", "WithContext", "clone", "Clone", "timeout", "version", "tag", "expectContinue":
		return r, true
	case "uri", "url":
		r.take(c.arg("", 0))
	case "header", "setHeader", "addHeader", "add_header":
		r.header.set(c.arg("", 0), c.arg("", 1))
	case "headers":
		for i := 0; i+1 < len(c.args); i += 2 {
			r.header.set(c.args[i], c.args[i+1])
		}
		if len(c.args)%2 == 1 {
			r.header.merge(c.args[0])
		}
	case "GET", "get", "HEAD", "head":
		r.method = text{piece{s: strings.ToUpper(c.path)}}
	case "POST", "PUT", "post", "put", "patch", "DELETE", "delete", "PATCH":
		r.method = text{piece{s: strings.ToUpper(c.path)}}
		body(c.arg("", 0))
	case "method":
		r.method = c.arg("", 0)
		body(c.arg("", 1))
	case "SetBasicAuth":
		r.header.m["Authorization"] = unknown{}
	case "AddCookie":
		r.header.m["Cookie"] = unknown{}
	case "Query":
		return r.query, true
	case "resolve", "JoinPath":
		return unknown{"x"}, true
	default:
		leak(r)
		return unknown{c.path + "()"}, true
	}
	return r, true
}

// take makes a value the URL of a request.
func (r *request) take(v value) {
	if address, ok := v.(*request); ok {
		r.url = address.url
		r.query.merge(address.query)
		return
	}
	r.url = v
}

// setBody puts a body into a request; what kind it is, its value says.
func setBody(r *request, v value) {
	r.body, r.hasBody = v, true
	switch v := v.(type) {
	case *object:
		r.contentType = formType
		if v.form {
			r.contentType = multipartType
		}
	case encoded:
		r.body = v.of
		r.contentType = noType
	case text:
		r.contentType = noType
	}
}

// options reads the settings of a request from a dictionary or keyword arguments.
func options(r *request, get func(string) value, names map[string]string) {
	for name, meaning := range names {
		v := get(name)
		if !given(v) || v == nil {
			continue
		}
		switch meaning {
		case "method":
			r.method = v
		case "url":
			r.take(v)
		case "headers":
			r.header.merge(v)
		case "query":
			r.query.merge(v)
		case "json":
			r.body, r.hasBody, r.contentType = v, true, jsonType
		case "auth":
			r.header.m["Authorization"] = unknown{}
		case "cookies":
			r.header.m["Cookie"] = unknown{}
		}
	}
}
