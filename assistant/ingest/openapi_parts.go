package ingest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/api-assistant/api-assistant/assistant/apispec"
)

// readServers returns the base URLs that a node declares.
func (s *specification) readServers(n *node) []string {
	if s.swagger {
		return s.swaggerServers(n)
	}
	var out []string
	for _, server := range n.get("servers").items() {
		u := server.get("url").string()
		server.get("variables").each(func(name string, v *node) {
			u = strings.ReplaceAll(u, "{"+name+"}", v.get("default").string())
		})
		if u != "" && !slices.Contains(out, u) {
			out = append(out, u)
		}
	}
	return out
}

func (s *specification) swaggerServers(n *node) []string {
	if n != s.root {
		return nil
	}
	host, base := n.get("host").string(), n.get("basePath").string()
	if host == "" {
		if base == "" {
			return nil
		}
		return []string{base}
	}
	schemes := n.get("schemes").strings()
	if len(schemes) == 0 {
		schemes = []string{"https"}
	}
	var out []string
	for _, scheme := range schemes {
		out = append(out, scheme+"://"+host+base)
	}
	return out
}

// readSchemes reads the security schemes.
func (s *specification) readSchemes() {
	s.schemes = make(map[string]apispec.Scheme)
	at, all := "/components/securitySchemes", s.root.get("components").get("securitySchemes")
	if s.swagger {
		at, all = "/securityDefinitions", s.root.get("securityDefinitions")
	}
	all.each(func(name string, n *node) {
		if n, _ = s.resolve(n, pointer(at, name)); n == nil {
			return
		}
		scheme := apispec.Scheme{Name: name, Type: n.get("type").string(), In: n.get("in").string(),
			Key: n.get("name").string(), HTTP: strings.ToLower(n.get("scheme").string()), Flows: readFlows(n)}
		if scheme.Type == "basic" { // 2.0
			scheme.Type, scheme.HTTP = "http", "basic"
		}
		s.schemes[name] = scheme
	})
}

// readFlows reads how tokens of OAuth 2 are had.
func readFlows(n *node) (out []apispec.Flow) {
	flow := func(kind string, n *node) {
		out = append(out, apispec.Flow{Type: kind, AuthorizationURL: n.get("authorizationUrl").string(), TokenURL: n.get("tokenUrl").string()})
	}
	n.get("flows").each(flow)
	if kind := n.get("flow").string(); kind != "" { // 2.0
		flow(kind, n)
	}
	return out
}

// security returns the alternatives of an operation. An alternative without any
// scheme makes all others unnecessary.
func (s *specification) security(op *node, at string) [][]apispec.Scheme {
	declared := op.get("security")
	if declared == nil {
		declared = s.root.get("security")
	}
	var out [][]apispec.Scheme
	for _, alternative := range declared.items() {
		var set []apispec.Scheme
		alternative.each(func(name string, scopes *node) {
			scheme, ok := s.schemes[name]
			if !ok {
				s.warn(at, "the security scheme %q is not declared", name)
				scheme.Name = name
			}
			scheme.Scopes = scopes.strings()
			set = append(set, scheme)
		})
		if len(set) == 0 {
			return nil
		}
		out = append(out, set)
	}
	return out
}

// parameters reads the parameters of an operation; those of the operation win
// over those of the path. Version 2.0 has the body among them.
func (s *specification) parameters(o *apispec.Operation, item, op *node, b *schemaBuilder) {
	var form []apispec.Property
	at := make(map[[2]string]int)
	for _, from := range []*node{item, op} {
		for i, raw := range from.get("parameters").items() {
			n, _ := s.resolve(raw, fmt.Sprintf("%s/parameters/%d", o.Pointer, i))
			p := apispec.Parameter{Name: n.get("name").string(), In: n.get("in").string(), Required: n.get("required").bool(),
				Deprecated: n.get("deprecated").bool(), Description: n.get("description").string(), HasExample: hasExample(n)}
			switch {
			case p.In == "body":
				o.Body = &apispec.Body{Required: p.Required, Description: p.Description, Content: s.swaggerMedia(op, "consumes", "application/json", b.schema(n.get("schema")))}
				for i := range o.Body.Content {
					o.Body.Content[i].HasExample = p.HasExample
				}
				continue
			case p.Name == "" || p.In == "":
				continue
			case n.get("schema") != nil:
				p.Schema = b.schema(n.get("schema"))
			case n.get("content") != nil:
				n.get("content").each(func(_ string, m *node) { p.Schema = b.schema(m.get("schema")) })
			default:
				p.Schema = b.schema(n) // 2.0 has the type in the parameter
			}
			if p.In == "formData" {
				if p.Schema != nil && p.Schema.Description == "" {
					described := *p.Schema
					described.Description = clip(p.Description, maxNote)
					p.Schema = &described
				}
				form = append(form, apispec.Property{Name: p.Name, Required: p.Required, Schema: p.Schema})
				continue
			}
			p.Required = p.Required || p.In == "path"
			key := [2]string{p.In, p.Name}
			if old, ok := at[key]; ok {
				o.Parameters[old] = p
				continue
			}
			at[key] = len(o.Parameters)
			o.Parameters = append(o.Parameters, p)
		}
	}
	if form != nil {
		schema := &apispec.Schema{Types: []string{"object"}, Properties: form}
		o.Body = &apispec.Body{Content: s.swaggerMedia(op, "consumes", "application/x-www-form-urlencoded", schema)}
		o.Body.Required = slices.ContainsFunc(form, func(p apispec.Property) bool { return p.Required })
	}
}

// swaggerMedia lists a schema under the media types of version 2.0.
func (s *specification) swaggerMedia(op *node, key, usual string, schema *apispec.Schema) []apispec.Media {
	types := op.get(key).strings()
	if len(types) == 0 {
		types = s.root.get(key).strings()
	}
	if len(types) == 0 {
		types = []string{usual}
	}
	var out []apispec.Media
	for _, t := range types[:min(len(types), maxMedia)] {
		out = append(out, apispec.Media{Type: t, Schema: schema})
	}
	return out
}

const (
	maxMedia     = 5
	maxResponses = 30
)

// media reads a content object.
func (s *specification) media(content *node, b *schemaBuilder) []apispec.Media {
	var out []apispec.Media
	content.each(func(mediaType string, m *node) {
		if len(out) < maxMedia {
			out = append(out, apispec.Media{Type: mediaType, Schema: b.schema(m.get("schema")), HasExample: hasExample(m)})
		}
	})
	return out
}

// hasExample reports whether a parameter or a representation has an example.
func hasExample(n *node) bool {
	examples := n.get("examples")
	return n.get("example") != nil || n.get("x-example") != nil || examples != nil && examples.branch != nil && len(examples.values) > 0
}

func (s *specification) requestBody(n *node, b *schemaBuilder) *apispec.Body {
	if n, _ = s.resolve(n, b.at+"/requestBody"); n == nil {
		return &apispec.Body{}
	}
	return &apispec.Body{Required: n.get("required").bool(), Description: n.get("description").string(), Content: s.media(n.get("content"), b)}
}

func (s *specification) responses(op *node, b *schemaBuilder) []apispec.Response {
	var out []apispec.Response
	op.get("responses").each(func(status string, n *node) {
		if len(out) == maxResponses || strings.HasPrefix(status, "x-") {
			return
		}
		n, _ = s.resolve(n, pointer(b.at, "responses", status))
		r := apispec.Response{Status: status, Description: n.get("description").string()}
		if r.Success() {
			b.budget(maxAnswerNodes, maxAnswerDepth, maxFieldNote)
		} else {
			b.budget(maxErrorNodes, maxErrorDepth, maxFieldNote)
		}
		switch {
		case !s.swagger:
			r.Content = s.media(n.get("content"), b)
		case n.get("schema") != nil:
			r.Content = s.swaggerMedia(op, "produces", "application/json", b.schema(n.get("schema")))
			for i, m := range r.Content {
				r.Content[i].HasExample = n.get("examples").get(m.Type) != nil
			}
		}
		out = append(out, r)
	})
	return out
}
