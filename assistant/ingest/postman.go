package ingest

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/api-assistant/api-assistant/assistant/apispec"
	"github.com/api-assistant/api-assistant/vectorstore"
)

// collection reads one Postman collection.
type collection struct {
	file      *File
	name      string
	version   string
	variables map[string]string // that are no secrets
	redact    redactor
	options   Options
	total     int
	done      int
	listed    []listed
	out       Source
}

// folder is where a request stands.
type folder struct {
	path        []string
	description string
	auth        *node
}

func parsePostman(ctx context.Context, f *File, o Options) (Source, error) {
	root, err := f.tree()
	if err != nil {
		return Source{}, err
	}
	if inner := root.get("collection"); inner != nil {
		root = inner
	}
	if root.get("item").items() == nil {
		return Source{}, &Error{File: f.Name, Err: ErrUnsupported, Pointer: "/item", Reason: "a Postman collection has a list of items here"}
	}
	c := &collection{file: f, options: o, variables: make(map[string]string)}
	c.redact.learn(root)
	info := root.get("info")
	c.name = cmp.Or(c.redact.text(oneLine(info.get("name").string())), f.base())
	c.version = versionText(info.get("version"))
	for _, v := range root.get("variable").items() {
		key, value := cmp.Or(v.get("key").string(), v.get("id").string()), v.get("value").string()
		if key != "" && value != "" && !secretVariable(v) {
			c.variables[key] = c.redact.text(value)
		}
	}
	c.total = countRequests(root)
	if err := c.items(ctx, root, "", folder{auth: root.get("auth")}); err != nil {
		return Source{}, err
	}
	c.summary(root)
	return c.out, nil
}

func versionText(n *node) string {
	if n != nil && n.kind == object {
		var parts []string
		for _, key := range []string{"major", "minor", "patch"} {
			parts = append(parts, cmp.Or(n.get(key).string(), "0"))
		}
		return strings.Join(parts, ".")
	}
	return n.string()
}

func countRequests(n *node) (count int) {
	for _, item := range n.get("item").items() {
		if item.get("item") != nil {
			count += countRequests(item)
		} else {
			count++
		}
	}
	return count
}

func (c *collection) warn(at, message string) {
	if len(c.out.Warnings) < maxWarnings {
		c.out.Warnings = append(c.out.Warnings, Warning{at, message})
	}
}

// items reads a list of folders and requests.
func (c *collection) items(ctx context.Context, parent *node, at string, in folder) error {
	for i, item := range parent.get("item").items() {
		if err := ctx.Err(); err != nil {
			return err
		}
		here := fmt.Sprintf("%s/item/%d", at, i)
		name := c.redact.text(oneLine(item.get("name").string()))
		auth := in.auth
		if own := item.get("auth"); own != nil && own.kind == object {
			auth = own
		}
		if item.get("item") != nil {
			inner := folder{path: append(slices.Clip(in.path), cmp.Or(name, "(unnamed)")), auth: auth, description: c.describe(item)}
			if item.get("item").kind != list {
				c.warn(here+"/item", "is not a list; the folder is left out")
			}
			if err := c.items(ctx, item, here, inner); err != nil {
				return err
			}
			continue
		}
		c.done++
		c.options.progress(c.file.Name, c.done, c.total)
		o, ok := c.operation(item, name, here, folder{path: in.path, auth: auth, description: in.description})
		if !ok {
			c.warn(here, "has no request with a URL; it is left out")
			continue
		}
		if err := c.document(&o, item, name, in); err != nil {
			return err
		}
	}
	return nil
}

// describe is the description of an item or of its request, redacted.
func (c *collection) describe(n *node) string {
	d := n.get("description")
	if d.get("content") != nil {
		d = d.get("content")
	}
	return c.redact.text(strings.TrimSpace(d.string()))
}

// operation makes an operation of a request, as far as a request shows one.
func (c *collection) operation(item *node, name, at string, in folder) (apispec.Operation, bool) {
	request := item.get("request")
	rawURL := request.get("url")
	if request != nil && request.kind == str { // "https://…" is a GET
		rawURL = request
	}
	u := c.readURL(rawURL)
	if u.path == "" && u.server == "" {
		return apispec.Operation{}, false
	}
	o := apispec.Operation{API: c.name, Version: c.version, Kind: apispec.HTTP, Method: strings.ToUpper(cmp.Or(request.get("method").string(), "GET")),
		Path: cmp.Or(u.path, "/"), Summary: name, Description: cmp.Or(c.describe(request), c.describe(item)),
		OperationID: cmp.Or(item.get("id").string(), item.get("_postman_id").string()), SourceFile: c.file.Name, Pointer: at}
	if u.server != "" {
		o.Servers = []string{u.server}
	}
	if len(in.path) > 0 {
		o.Tags = []string{strings.Join(in.path, " > ")}
	}
	if !methodName.MatchString(o.Method) {
		o.Method = "GET"
	}
	o.Parameters = u.parameters
	contentType := c.headers(&o, request)
	o.Body = c.body(request.get("body"), contentType)
	if own := request.get("auth"); own != nil && own.kind == object {
		in.auth = own
	}
	o.Security = append(o.Security, postmanAuth(in.auth)...)
	for _, r := range item.get("response").items() {
		if answer := c.response(r); len(o.Responses) < maxResponses {
			o.Responses = append(o.Responses, answer)
		}
	}
	return o, true
}

var methodName = regexp.MustCompile(`^[A-Z]{1,20}$`)

// headers adds the headers of a request as parameters, and returns the content
// type. A header that carries credentials says how a client authenticates.
func (c *collection) headers(o *apispec.Operation, request *node) (contentType string) {
	for _, h := range request.get("header").items() {
		key, value := oneLine(h.get("key").string()), h.get("value").string()
		switch lower := strings.ToLower(key); {
		case key == "" || lower == "accept":
		case lower == "content-type":
			if contentType == "" {
				contentType = value
			}
		case lower == "authorization":
			kind, _, _ := strings.Cut(value, " ")
			o.Security = append(o.Security, []apispec.Scheme{{Name: "Authorization", Type: "http", HTTP: strings.ToLower(clip(kind, 20))}})
		default:
			o.Parameters = append(o.Parameters, c.parameter(h, "header"))
		}
	}
	return contentType
}

// parameter reads an entry of a list of headers, parameters or form fields. What
// is switched off is certainly not required; of the rest nobody knows.
func (c *collection) parameter(n *node, in string) apispec.Parameter {
	p := apispec.Parameter{Name: c.redact.text(oneLine(n.get("key").string())), In: in, Description: c.describe(n), Schema: &apispec.Schema{Types: []string{"string"}}}
	if value := c.redact.value(p.Name, n.get("value").string()); value != "" {
		p.Schema.Example = clip(value, maxExampleBytes)
	}
	return p
}

// body makes the schema of a body from the example that the request has.
func (c *collection) body(n *node, contentType string) *apispec.Body {
	if n == nil || n.kind != object {
		return nil
	}
	form := func(key, mediaType string) *apispec.Body {
		schema := &apispec.Schema{Types: []string{"object"}, Additional: &apispec.Schema{}}
		for _, field := range n.get(key).items() {
			p := c.parameter(field, "")
			p.Schema.Description = clip(p.Description, maxNote)
			if field.get("type").string() == "file" {
				p.Schema.Format = "binary"
			}
			schema.Properties = append(schema.Properties, apispec.Property{Name: p.Name, Schema: p.Schema})
		}
		return &apispec.Body{Content: []apispec.Media{{Type: mediaType, Schema: schema}}}
	}
	switch n.get("mode").string() {
	case "urlencoded":
		return form("urlencoded", "application/x-www-form-urlencoded")
	case "formdata":
		return form("formdata", "multipart/form-data")
	case "graphql":
		return &apispec.Body{Content: []apispec.Media{{Type: "application/json", Schema: &apispec.Schema{Types: []string{"object"},
			Properties: []apispec.Property{{Name: "query", Required: true, Schema: &apispec.Schema{Types: []string{"string"}}},
				{Name: "variables", Schema: &apispec.Schema{Types: []string{"object"}, Additional: &apispec.Schema{}}}}}}}}
	case "file":
		return &apispec.Body{Content: []apispec.Media{{Type: cmp.Or(contentType, "application/octet-stream")}}}
	}
	raw := n.get("raw").string()
	if strings.TrimSpace(raw) == "" {
		return nil
	}
	mediaType, schema := contentType, c.inferred(raw)
	if mediaType == "" {
		switch language := n.at("options", "raw", "language").string(); {
		case schema != nil || language == "json":
			mediaType = "application/json"
		case language == "xml":
			mediaType = "application/xml"
		default:
			mediaType = "text/plain"
		}
	}
	return &apispec.Body{Content: []apispec.Media{{Type: mediaType, Schema: schema, HasExample: true}}}
}

func (c *collection) response(n *node) apispec.Response {
	status := n.get("code").string()
	r := apispec.Response{Status: cmp.Or(status, "default"), Description: c.redact.text(cmp.Or(n.get("name").string(), n.get("status").string()))}
	if body := n.get("body").string(); strings.TrimSpace(body) != "" {
		m := apispec.Media{Type: "text/plain", HasExample: true}
		if m.Schema = c.inferred(body); m.Schema != nil {
			m.Type = "application/json"
		}
		for _, h := range n.get("header").items() {
			if http.CanonicalHeaderKey(h.get("key").string()) == "Content-Type" {
				m.Type = h.get("value").string()
			}
		}
		r.Content = []apispec.Media{m}
	}
	return r
}

// postmanAuth reads how a request authenticates; never with what.
func postmanAuth(n *node) [][]apispec.Scheme {
	kind := n.get("type").string()
	value := func(key string) string {
		settings := n.get(kind)
		for _, e := range settings.items() { // 2.1
			if e.get("key").string() == key {
				return e.get("value").string()
			}
		}
		return settings.get(key).string() // 2.0
	}
	s := apispec.Scheme{Name: kind, Type: kind}
	switch kind {
	case "", "noauth":
		return nil
	case "apikey":
		s.Type, s.Key, s.In = "apiKey", value("key"), cmp.Or(value("in"), "header")
	case "bearer", "basic", "digest":
		s.Type, s.HTTP = "http", kind
	case "oauth2":
		s.Flows = []apispec.Flow{{Type: value("grant_type"), AuthorizationURL: value("authUrl"), TokenURL: value("accessTokenUrl")}}
		s.Scopes = strings.Fields(value("scope"))
	}
	return [][]apispec.Scheme{{s}}
}

// document renders a request with the body that it sends and the answers that
// were saved with it.
func (c *collection) document(o *apispec.Operation, item *node, name string, in folder) error {
	data, err := json.Marshal(o)
	if err != nil {
		return fmt.Errorf("ingest: %s: %w", o.Endpoint(), err)
	}
	t := &text{max: c.options.MaxDocumentBytes}
	t.operation(o)
	if len(in.path) > 0 && in.description != "" && !strings.HasPrefix(o.Description, in.description[:min(len(in.description), 100)]) {
		t.line("About %s: %s", in.path[len(in.path)-1], clip(in.description, maxNote))
	}
	t.example("Example of the body", c.redact.body(item.at("request", "body", "raw").string()))
	t.example("Example of the query", c.redact.text(item.at("request", "body", "graphql", "query").string()))
	for _, r := range item.get("response").items() {
		t.example(strings.TrimSpace("Example of the answer "+r.get("code").string()), c.redact.body(r.get("body").string()))
	}
	content, _ := t.done()
	host := ""
	if len(o.Servers) > 0 {
		host = hostOf(o.Servers[0])
	}
	c.listed = append(c.listed, listed{o.Endpoint(), clip(name, 80)})
	c.out.Documents = append(c.out.Documents, vectorstore.Document{Pointer: o.Pointer, Content: content, Data: data, Metadata: map[string]any{
		"content_type": "endpoint", "type": "request", "title": cmp.Or(name, o.Endpoint()), "name": name, "method": o.Method, "path": o.Path,
		"endpoint": o.Endpoint(), "host": host, "folder": strings.Join(in.path, " > "), "collection_name": c.name, "version": c.version,
		"api_title": c.name, "api_version": c.version, "operation_id": o.OperationID, "summary": clip(name, maxFieldNote),
		"tags": anyList(o.Tags), "deprecated": false, "has_request_body": o.Body != nil, "param_count": len(o.Parameters), "auth": anyList(schemeNames(o)),
		"needs": anyList(o.Needs()), "yields": anyList(o.Yields()),
	}})
	return nil
}

// maxExampleLines bounds an example in a document.
const maxExampleLines = 60

// example writes a saved body, indented.
func (t *text) example(title, body string) {
	if strings.TrimSpace(body) == "" {
		return
	}
	t.line("%s:", title)
	n := 0
	for l := range strings.Lines(clip(body, t.max/4)) {
		if n++; n > maxExampleLines {
			t.line("  …")
			return
		}
		t.line("  %s", strings.TrimRight(l, " \r\n"))
	}
}

func hostOf(server string) string {
	_, rest, found := strings.Cut(server, "://")
	if !found {
		rest = server
	}
	host, _, _ := strings.Cut(rest, "/")
	return host
}

// summary makes the document about the collection.
func (c *collection) summary(root *node) {
	t := &text{max: c.options.MaxDocumentBytes}
	t.line("%s %s", c.name, c.version)
	description := c.describe(root.get("info"))
	t.lines(clip(description, min(maxDescription, t.max/2)))
	if auth := authText(postmanAuth(root.get("auth"))); auth != "" {
		t.line("Authentication: %s", auth)
	}
	for _, v := range root.get("variable").items() {
		if key := cmp.Or(v.get("key").string(), v.get("id").string()); key != "" {
			t.line("Variable %s: %s", key, cmp.Or(c.variables[key], "(set by the user)"))
		}
	}
	t.line("It has %d requests:", len(c.listed))
	for _, l := range c.listed {
		t.line("- %s %s", l.endpoint, l.summary)
	}
	content, _ := t.done()
	c.out.Documents = append(c.out.Documents, vectorstore.Document{Pointer: "/info", Content: content, Metadata: map[string]any{
		"content_type": "api_summary", "type": "collection_info", "title": c.name, "name": c.name, "collection_name": c.name,
		"version": c.version, "api_title": c.name, "api_version": c.version, "endpoint_count": len(c.listed),
	}})
}
