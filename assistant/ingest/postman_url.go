package ingest

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/api-assistant/api-assistant/assistant/apispec"
)

// postmanURL is a URL with its variables in the form of OpenAPI.
type postmanURL struct {
	server     string // "https://api.example.com/v1"; of an unknown variable "{{host}}"
	path       string // "/orders/{id}"
	parameters []apispec.Parameter
}

var mustache = regexp.MustCompile(`\{\{\s*([^{}]+?)\s*\}\}`)

// readURL reads a URL, which is a string or an object of its parts.
func (c *collection) readURL(n *node) (u postmanURL) {
	raw := n.string()
	if n != nil && n.kind == object {
		if raw = n.get("raw").string(); n.get("host") != nil || n.get("path") != nil {
			raw = urlOfParts(n)
		}
	}
	raw, query, _ := strings.Cut(strings.TrimSpace(raw), "?")
	raw, _, _ = strings.Cut(raw, "#")
	if raw == "" {
		return u
	}
	u.server, u.path = c.splitURL(raw)
	u.path = c.pathTemplate(u.path)
	c.pathParameters(&u, n)
	if list := n.get("query").items(); list != nil {
		for _, q := range list {
			if q.get("key").string() != "" {
				u.parameters = append(u.parameters, c.parameter(q, "query"))
			}
		}
		return u
	}
	for pair := range strings.SplitSeq(query, "&") {
		if key, value, _ := strings.Cut(pair, "="); key != "" {
			p := apispec.Parameter{Name: c.redact.text(key), In: "query", Schema: &apispec.Schema{Types: []string{"string"}}}
			if value = c.redact.value(key, value); value != "" {
				p.Schema.Example = clip(value, maxExampleBytes)
			}
			u.parameters = append(u.parameters, p)
		}
	}
	return u
}

// urlOfParts joins the parts that newer collections have.
func urlOfParts(n *node) string {
	part := func(key, separator string) string {
		v := n.get(key)
		if v.items() == nil {
			return v.string()
		}
		var parts []string
		for _, e := range v.items() {
			parts = append(parts, cmp.Or(e.string(), e.get("value").string()))
		}
		return strings.Join(parts, separator)
	}
	out := part("host", ".")
	if protocol := n.get("protocol").string(); out != "" && protocol != "" && !strings.HasPrefix(out, "{{") {
		out = protocol + "://" + out
	}
	if port := n.get("port").string(); port != "" {
		out += ":" + port
	}
	if path := part("path", "/"); path != "" {
		out += "/" + strings.TrimPrefix(path, "/")
	}
	return out
}

// splitURL cuts a URL behind its host, or behind the variable that stands for
// host and base path.
func (c *collection) splitURL(raw string) (server, path string) {
	if m := mustache.FindStringSubmatchIndex(raw); m != nil && m[0] == 0 {
		server, path = raw[:m[1]], raw[m[1]:]
		if value := c.variables[raw[m[2]:m[3]]]; value != "" && !strings.Contains(value, "{{") {
			server = strings.TrimRight(value, "/")
			if !strings.Contains(server, "://") {
				server = "https://" + server
			}
		}
		if slash := strings.IndexByte(path, '/'); slash > 0 { // "{{host}}:8080/…", "{{host}}.example.com/…"
			server, path = server+path[:slash], path[slash:]
		}
		return withoutUser(server), path
	}
	scheme, rest, found := strings.Cut(raw, "://")
	if !found {
		if strings.HasPrefix(raw, "/") {
			return "", raw
		}
		scheme, rest = "https", raw
	}
	host, path, _ := strings.Cut(rest, "/")
	return withoutUser(scheme + "://" + mustache.ReplaceAllStringFunc(host, c.known)), "/" + path
}

// withoutUser removes "user:password@".
func withoutUser(server string) string {
	if scheme, rest, found := strings.Cut(server, "://"); found {
		host, path, slash := strings.Cut(rest, "/")
		host = host[strings.LastIndexByte(host, '@')+1:]
		if slash {
			path = "/" + path
		}
		return scheme + "://" + host + path
	}
	return server
}

// known replaces a variable by its value.
func (c *collection) known(variable string) string {
	name := mustache.FindStringSubmatch(variable)[1]
	return cmp.Or(c.variables[name], variable)
}

// pathTemplate writes ":id" and "{{id}}" as "{id}".
func (c *collection) pathTemplate(path string) string {
	parts := strings.Split(path, "/")
	for i, p := range parts {
		if strings.HasPrefix(p, ":") && len(p) > 1 {
			parts[i] = "{" + p[1:] + "}"
			continue
		}
		parts[i] = mustache.ReplaceAllStringFunc(p, func(variable string) string {
			name := mustache.FindStringSubmatch(variable)[1]
			if value := c.variables[name]; value != "" && !strings.ContainsAny(value, "{}/?# ") {
				return value
			}
			return "{" + name + "}"
		})
	}
	return c.redact.text(strings.Join(parts, "/"))
}

var templateVariable = regexp.MustCompile(`\{([^{}]+)\}`)

// pathParameters lists the variables of the path, with what the collection says
// of them.
func (c *collection) pathParameters(u *postmanURL, n *node) {
	for _, m := range templateVariable.FindAllStringSubmatch(u.path, -1) {
		p := apispec.Parameter{Name: m[1], In: "path", Required: true, Schema: &apispec.Schema{Types: []string{"string"}}}
		for _, v := range n.get("variable").items() {
			if cmp.Or(v.get("key").string(), v.get("id").string()) == m[1] {
				p = c.parameter(v, "path")
				p.Name, p.Required = m[1], true
			}
		}
		if !slices.ContainsFunc(u.parameters, func(q apispec.Parameter) bool { return q.Name == p.Name }) {
			u.parameters = append(u.parameters, p)
		}
	}
}
