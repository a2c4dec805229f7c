package ingest

import (
	"context"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/api-assistant/api-assistant/assistant/apispec"
)

// specification reads one OpenAPI file.
type specification struct {
	name     string
	root     *node
	swagger  bool // version 2.0
	title    string
	version  string
	servers  []string
	schemes  map[string]apispec.Scheme
	warnings []Warning
}

// methods are the operations of a path item, in the order in which they are
// listed.
var methods = []string{"get", "post", "put", "patch", "delete", "head", "options", "trace"}

// Limits of a file.
const (
	maxOperations = 200_000
	maxWarnings   = 1000
	maxRefs       = 20 // references in a row
)

func parseOpenAPI(ctx context.Context, name string, root *node, o Options) (Source, error) {
	s := &specification{name: name, root: root, swagger: root.get("swagger") != nil}
	s.title = root.get("info").get("title").string()
	if s.title == "" {
		s.title = strings.TrimSuffix(path.Base(name), path.Ext(name))
		s.warn("/info/title", "the API has no title; the name of the file is used")
	}
	s.version = root.get("info").get("version").string()
	s.servers = s.readServers(root)
	s.readSchemes()
	out := Source{Name: name, Format: OpenAPI}
	ops, err := s.operations(ctx)
	if err != nil {
		return Source{}, err
	}
	for i := range ops {
		if i%256 == 0 && ctx.Err() != nil {
			return Source{}, ctx.Err()
		}
		d, err := operationDocument(&ops[i], o.MaxDocumentBytes)
		if err != nil {
			return Source{}, err
		}
		out.Documents = append(out.Documents, d)
	}
	out.Documents = append(out.Documents, s.summary(ops, o.MaxDocumentBytes))
	out.Warnings = s.warnings
	return out, nil
}

func (s *specification) warn(where, format string, args ...any) {
	if len(s.warnings) < maxWarnings {
		s.warnings = append(s.warnings, Warning{where, fmt.Sprintf(format, args...)})
	}
}

// pointer appends keys to a JSON pointer.
func pointer(to string, keys ...string) string {
	for _, key := range keys {
		to += "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(key)
	}
	return to
}

// operations reads all operations, those of webhooks last.
func (s *specification) operations(ctx context.Context) ([]apispec.Operation, error) {
	var out []apispec.Operation
	read := func(section string, kind apispec.Kind) error {
		items := s.root.get(section)
		if items != nil && items.kind != object {
			s.warn("/"+section, "is not an object; nothing is read from it")
		}
		var err error
		items.each(func(key string, item *node) {
			if err = ctx.Err(); err != nil {
				return
			}
			out = append(out, s.pathItem(section, key, item, kind)...)
			if len(out) > maxOperations {
				err = &Error{File: s.name, Err: ErrTooLarge, Reason: fmt.Sprintf("it has more than %d operations", maxOperations)}
			}
		})
		return err
	}
	if err := read("paths", apispec.HTTP); err != nil {
		return nil, err
	}
	if err := read("webhooks", apispec.Webhook); err != nil {
		return nil, err
	}
	return out, nil
}

// pathItem reads the operations of one path.
func (s *specification) pathItem(section, key string, item *node, kind apispec.Kind) []apispec.Operation {
	at := pointer("/"+section, key)
	item, _ = s.resolve(item, at)
	if item == nil || item.kind != object {
		if !strings.HasPrefix(key, "x-") {
			s.warn(at, "is not an object; it is left out")
		}
		return nil
	}
	var out []apispec.Operation
	for _, method := range methods {
		op := item.get(method)
		if op == nil {
			continue
		}
		if op.kind != object {
			s.warn(pointer(at, method), "is not an object; it is left out")
			continue
		}
		out = append(out, s.operation(key, item, method, op, kind, pointer(at, method)))
	}
	return out
}

func (s *specification) operation(key string, item *node, method string, op *node, kind apispec.Kind, at string) apispec.Operation {
	o := apispec.Operation{
		API: s.title, Version: s.version, Kind: kind, Method: strings.ToUpper(method), Path: key,
		OperationID: op.get("operationId").string(), Summary: op.get("summary").string(),
		Description: op.get("description").string(), Tags: op.get("tags").strings(),
		Deprecated: op.get("deprecated").bool(), SourceFile: s.name, Pointer: at,
	}
	if o.Summary == "" {
		o.Summary = item.get("summary").string()
	}
	if o.Description == "" {
		o.Description = item.get("description").string()
	}
	for _, from := range []*node{op, item} {
		if o.Servers == nil {
			o.Servers = s.readServers(from)
		}
	}
	if o.Servers == nil {
		o.Servers = s.servers
	}
	b := schemaBuilder{s: s, left: maxSchemaNodes, at: at}
	s.parameters(&o, item, op, &b)
	if body := op.get("requestBody"); body != nil && !s.swagger {
		o.Body = s.requestBody(body, &b)
	}
	b.left = max(b.left, maxSchemaNodes/2) // what goes in must not starve what comes out
	o.Responses = s.responses(op, &b)
	o.Security = s.security(op, at)
	return o
}

// resolve follows references inside of the file. name is the last part of the
// last reference; the node is nil where one leads nowhere.
func (s *specification) resolve(n *node, at string) (target *node, name string) {
	for range maxRefs {
		ref := n.get("$ref")
		if ref == nil || ref.kind != str {
			return n, name
		}
		name = ref.text[strings.LastIndexByte(ref.text, '/')+1:]
		inside, ok := strings.CutPrefix(ref.text, "#")
		if !ok {
			s.warn(at, "the reference %q leads out of the file; it is not followed", ref.text)
			return nil, name
		}
		next := s.lookup(inside)
		if next == nil {
			s.warn(at, "the reference %q leads nowhere", ref.text)
			return nil, name
		}
		n = next
	}
	s.warn(at, "the reference leads to more than %d others", maxRefs)
	return nil, name
}

// lookup follows a JSON pointer from the root.
func (s *specification) lookup(p string) *node {
	n := s.root
	if p == "" || p == "/" {
		return nil // a whole file is no part of itself
	}
	for _, key := range strings.Split(strings.TrimPrefix(p, "/"), "/") {
		if decoded, err := url.PathUnescape(key); err == nil {
			key = decoded
		}
		key = strings.NewReplacer("~1", "/", "~0", "~").Replace(key)
		if n != nil && n.kind == list {
			var i int
			if _, err := fmt.Sscanf(key, "%d", &i); err != nil || i < 0 || i >= len(n.values) {
				return nil
			}
			n = n.values[i]
			continue
		}
		if n = n.get(key); n == nil {
			return nil
		}
	}
	return n
}

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
			Key: n.get("name").string(), HTTP: strings.ToLower(n.get("scheme").string())}
		if scheme.Type == "basic" { // 2.0
			scheme.Type, scheme.HTTP = "http", "basic"
		}
		s.schemes[name] = scheme
	})
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
				Deprecated: n.get("deprecated").bool(), Description: n.get("description").string()}
			switch {
			case p.In == "body":
				o.Body = &apispec.Body{Required: p.Required, Description: p.Description, Content: s.swaggerMedia(op, "consumes", b.schema(n.get("schema")))}
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
		o.Body = &apispec.Body{Content: s.swaggerMedia(op, "consumes", schema)}
		o.Body.Required = slices.ContainsFunc(form, func(p apispec.Property) bool { return p.Required })
	}
}

// swaggerMedia lists a schema under the media types of version 2.0.
func (s *specification) swaggerMedia(op *node, key string, schema *apispec.Schema) []apispec.Media {
	types := op.get(key).strings()
	if len(types) == 0 {
		types = s.root.get(key).strings()
	}
	if len(types) == 0 {
		types = []string{"application/json"}
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
			out = append(out, apispec.Media{Type: mediaType, Schema: b.schema(m.get("schema"))})
		}
	})
	return out
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
		switch {
		case !s.swagger:
			r.Content = s.media(n.get("content"), b)
		case n.get("schema") != nil:
			r.Content = s.swaggerMedia(op, "produces", b.schema(n.get("schema")))
		}
		out = append(out, r)
	})
	return out
}
