package verify

import "strings"

// javaCall knows java.net.http and OkHttp.
func javaCall(in *interpreter, c *callSite) (value, bool) {
	if c.receiver != nil {
		return nil, false
	}
	switch _, name, _ := cutLast(c.path); {
	case strings.HasSuffix(c.path, "HttpRequest.newBuilder"), strings.HasSuffix(c.path, "Request.Builder"):
		r := newRequest()
		if len(c.args) > 0 {
			r.take(c.args[0])
		}
		in.made(r)
		return r, true
	case name == "noBody":
		return nil, true
	case strings.HasSuffix(c.path, "RequestBody.create"):
		r := newObject()
		r.open = true
		for _, a := range c.args {
			switch a := a.(type) {
			case text, encoded:
				if s, ok := plain(a); ok && strings.Count(s, "/") == 1 && !strings.ContainsAny(s, "{\" ") {
					continue // the type
				}
				return a, true
			}
		}
		return unknown{"body"}, true
	case strings.HasSuffix(c.path, "MediaType.parse"), strings.HasSuffix(c.path, "MediaType.get"):
		return unknown{"mediaType"}, true
	case name == "send", name == "sendAsync", name == "newCall", name == "execute":
		return unknown{"response"}, true
	case c.path == "Map.of":
		o := newObject()
		for i := 0; i+1 < len(c.args); i += 2 {
			o.set(c.args[i], c.args[i+1])
		}
		return o, true
	case c.path == "List.of", c.path == "Arrays.asList":
		return &list{c.args, c.open}, true
	case c.path == "HashMap", c.path == "LinkedHashMap", c.path == "JSONObject", c.path == "JsonObject":
		o := newObject()
		if len(c.args) > 0 {
			o.merge(c.args[0])
		}
		return o, true
	case c.path == "UriComponentsBuilder.fromHttpUrl", c.path == "HttpUrl.parse", c.path == "HttpUrl.get":
		r := newRequest()
		r.take(c.arg("", 0))
		r.query.open = true
		return r, true
	}
	return nil, false
}
