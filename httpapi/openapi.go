package httpapi

import (
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/api-assistant/api-assistant/assistant/apispec"
	"github.com/api-assistant/api-assistant/httpapi/internal/openapi"
)

// described are the endpoints that describe the table, themselves included.
func (s *api) described(endpoints []endpoint) []endpoint {
	const tag = "system"
	var document, page answer
	document = answer{status: http.StatusOK, out: reflect.TypeFor[map[string]any]()}
	page = answer{status: http.StatusOK, media: map[string]string{"text/html": "a page"}}
	own := []endpoint{
		{"GET /openapi.json", document, about{id: "describe", tag: tag, summary: "This description"}},
		{"GET /docs", page, about{id: "browse", tag: tag, summary: "This description as a page"}},
	}
	doc := s.describe(slices.Concat(endpoints, own))
	encoded, err := json.Marshal(doc)
	if err != nil {
		panic(err) // it is made of strings and numbers
	}
	html, policy, err := doc.Page()
	if err != nil {
		panic(err) // the template is a constant, and a test renders it
	}
	own[0].answer.serve = func(w http.ResponseWriter, r *http.Request) error {
		s.write(w, r, http.StatusOK, mediaJSON+"; charset=utf-8", encoded)
		return nil
	}
	own[1].answer.serve = func(w http.ResponseWriter, r *http.Request) error {
		w.Header().Set("Content-Security-Policy", policy)
		s.write(w, r, http.StatusOK, "text/html; charset=utf-8", html)
		return nil
	}
	return own
}

// describe makes the OpenAPI document of endpoints, and of the routes of
// Options that have a summary.
func (s *api) describe(endpoints []endpoint) *openapi.Document {
	d := describer{types: openapi.NewTypes(known()), doc: &openapi.Document{
		OpenAPI: openapi.Version,
		Info: openapi.Info{Title: s.Title, Version: s.Version, Description: "Finds endpoints in the uploaded API descriptions, answers questions with " +
			"citations, writes code, and checks all of it against the descriptions. Unknown fields are ignored; numbers may come as " +
			"text, booleans as yes, no, on, off, 1 or 0. Every error has the shape of the schema Error; its codes are stable."},
		Security: keysNeeded(s.NeedsKey),
	}}
	for _, e := range endpoints {
		method, path, _ := strings.Cut(e.pattern, " ")
		d.doc.Add(method, path, d.operation(e))
	}
	for i, r := range s.Routes {
		if method, path, ok := strings.Cut(r.Pattern, " "); ok && r.Summary != "" {
			d.doc.Add(method, path, &openapi.Operation{ID: "route" + strconv.Itoa(i), Tags: []string{"more"}, Summary: r.Summary,
				Responses: map[string]openapi.Response{"default": {Description: "see its own documentation"}}})
		}
	}
	d.doc.Components.Schemas = d.types.Schemas
	d.doc.Components.Schemas["Filter"], d.doc.Components.Schemas["Metadata"] = filterSchema(), metadataSchema()
	d.doc.Components.Responses = d.errors()
	d.doc.Components.Headers = map[string]openapi.Header{requestIDHeader: {Required: true,
		Description: "names the request in logs: the caller's own, if it is sane", Schema: &openapi.Schema{Type: openapi.Type{"string"}}}}
	d.doc.Components.SecuritySchemes = map[string]openapi.SecurityScheme{
		"apiKey": {Type: "apiKey", In: "header", Name: "X-API-Key"},
		"bearer": {Type: "http", Scheme: "bearer"},
	}
	return d.doc
}

// keysNeeded are the alternatives to authenticate; none is one of them where no
// key is needed.
func keysNeeded(needed bool) []map[string][]string {
	either := []map[string][]string{{"apiKey": {}}, {"bearer": {}}}
	if !needed {
		either = append(either, map[string][]string{})
	}
	return either
}

// known are the schemas of types that read or write themselves.
func known() map[reflect.Type]*openapi.Schema {
	kind := func(name string) *openapi.Schema { return &openapi.Schema{Type: openapi.Type{name}} }
	status := kind("string")
	for _, known := range []apispec.Status{apispec.OK, apispec.UnknownPath, apispec.WrongMethod, apispec.Deprecated, apispec.Ambiguous, apispec.NotChecked} {
		status.Enum = append(status.Enum, string(known))
	}
	return map[reflect.Type]*openapi.Schema{
		reflect.TypeFor[apispec.Status](): status,
		reflect.TypeFor[integer]():        kind("integer"),
		reflect.TypeFor[float]():          kind("number"),
		reflect.TypeFor[boolean]():        kind("boolean"),
		reflect.TypeFor[anyObject]():      {Type: openapi.Type{"object", "null"}},
		reflect.TypeFor[metadata]():       openapi.Ref("Metadata"),
		reflect.TypeFor[filter]():         openapi.Nullable(openapi.Ref("Filter")),
		reflect.TypeFor[upload]():         {Type: openapi.Type{"string"}, Format: "binary"},
	}
}

// metadataSchema describes metadata.
func metadataSchema() *openapi.Schema {
	scalar := openapi.Type{"string", "number", "boolean", "null"}
	return &openapi.Schema{Type: openapi.Type{"object", "null"}, AdditionalProperties: &openapi.Schema{
		AnyOf: []*openapi.Schema{{Type: scalar}, {Type: openapi.Type{"array"}, Items: &openapi.Schema{Type: scalar}}}}}
}

// filterSchema describes the filters that vectorstore.ParseFilter reads.
func filterSchema() *openapi.Schema {
	text, one := &openapi.Schema{Type: openapi.Type{"string"}}, 1
	words := func(names string) *openapi.Schema {
		s := &openapi.Schema{Type: openapi.Type{"string"}}
		for name := range strings.FieldsSeq(names) {
			s.Enum = append(s.Enum, name)
		}
		return s
	}
	scalar := &openapi.Schema{Type: openapi.Type{"string", "number", "boolean"}}
	object := func(description string, required string, properties map[string]*openapi.Schema) *openapi.Schema {
		return &openapi.Schema{Type: openapi.Type{"object"}, Description: description, Required: strings.Fields(required), Properties: properties}
	}
	filters := func(least, most *int) *openapi.Schema {
		return &openapi.Schema{Type: openapi.Type{"array"}, Items: openapi.Ref("Filter"), MinItems: least, MaxItems: most}
	}
	return &openapi.Schema{Description: "at most 256 levels and 1,024 nodes; a field that a document does not have makes its leaf false", AnyOf: []*openapi.Schema{
		object("compares a metadata field", "field operator value", map[string]*openapi.Schema{
			"field": text, "operator": words("eq ne gt gte lt lte contains not_contains starts_with ends_with regex"), "value": scalar}),
		object("looks a metadata field up in a list", "field operator value", map[string]*openapi.Schema{
			"field": text, "operator": words("in not_in nin"), "value": {Type: openapi.Type{"array"}, Items: scalar}}),
		object("searches the content", "operator value", map[string]*openapi.Schema{
			"operator": words("contains not_contains"), "value": text}),
		object("joins filters", "operator filters", map[string]*openapi.Schema{
			"operator": words("and or"), "filters": filters(&one, nil)}),
		object("negates a filter", "operator filters", map[string]*openapi.Schema{
			"operator": words("not"), "filters": filters(&one, &one)}),
	}}
}
