// Package apispec holds API operations as data, and a catalogue that says
// whether an endpoint exists.
//
//	catalog := apispec.NewCatalog([]apispec.Operation{
//		{API: "Shop", Method: "GET", Path: "/orders/{id}", Servers: []string{"https://api.example.com/v1"}},
//	})
//	r := catalog.Resolve("GET", "https://api.example.com/v1/orders/17")
//	fmt.Println(r.Status, r.Operation.Endpoint()) // ok GET /orders/{id}
//	r = catalog.Resolve("GET", "/order/17")
//	fmt.Println(r.Status, r.Nearest[0].Endpoint()) // unknown_path GET /orders/{id}
//
// An Operation is self-contained: references are resolved, to a bounded depth
// and size, so that checking a request or generating code needs no other lookup.
// Its JSON form is what assistant/ingest keeps as the data of a document.
package apispec

// Operation is one operation of an API.
type Operation struct {
	API         string   `json:"api"`               // title of the API
	Version     string   `json:"version,omitempty"` // of the API
	Kind        Kind     `json:"kind"`
	OperationID string   `json:"operation_id,omitempty"`
	Method      string   `json:"method"`            // upper case
	Path        string   `json:"path"`              // template, as in the specification: "/orders/{id}"; the name of a webhook
	Servers     []string `json:"servers,omitempty"` // base URLs, absolute or only a path
	Summary     string   `json:"summary,omitempty"`
	Description string   `json:"description,omitempty"`
	Tags        []string `json:"tags,omitempty"`
	Deprecated  bool     `json:"deprecated,omitempty"`

	Parameters []Parameter `json:"parameters,omitempty"`
	Body       *Body       `json:"body,omitempty"` // nil: takes none
	Responses  []Response  `json:"responses,omitempty"`
	// Security lists alternatives, any one of which suffices; each is a set of
	// schemes that are needed together. Empty: no credentials are needed.
	Security [][]Scheme `json:"security,omitempty"`

	SourceFile string `json:"source_file,omitempty"`
	Pointer    string `json:"pointer,omitempty"` // JSON pointer into the source file
}

// Endpoint is "GET /orders/{id}".
func (o *Operation) Endpoint() string { return o.Method + " " + o.Path }

// Kind says what an operation is.
type Kind string

// The kinds.
const (
	HTTP    Kind = "http"
	Webhook Kind = "webhook" // called by the API, not by its clients
)

// Parameter is an input outside the body.
type Parameter struct {
	Name        string  `json:"name"`
	In          string  `json:"in"` // path, query, header or cookie
	Required    bool    `json:"required,omitempty"`
	Deprecated  bool    `json:"deprecated,omitempty"`
	Description string  `json:"description,omitempty"`
	Schema      *Schema `json:"schema,omitempty"`
}

// Body is what a request carries.
type Body struct {
	Required    bool    `json:"required,omitempty"`
	Description string  `json:"description,omitempty"`
	Content     []Media `json:"content,omitempty"`
}

// Media is one representation of a body.
type Media struct {
	Type   string  `json:"type"` // "application/json"
	Schema *Schema `json:"schema,omitempty"`
}

// Response is one possible answer.
type Response struct {
	Status      string  `json:"status"` // "200", "4XX" or "default"
	Description string  `json:"description,omitempty"`
	Content     []Media `json:"content,omitempty"`
}

// Scheme is a way to authenticate.
type Scheme struct {
	Name   string   `json:"name"`             // in the specification
	Type   string   `json:"type"`             // apiKey, http, oauth2, openIdConnect, mutualTLS
	In     string   `json:"in,omitempty"`     // of an apiKey: query, header or cookie
	Key    string   `json:"key,omitempty"`    // of an apiKey: name of the parameter
	HTTP   string   `json:"http,omitempty"`   // of http: basic, bearer …
	Scopes []string `json:"scopes,omitempty"` // needed
}

// Schema describes a value: the part of JSON Schema that says what to send and
// what comes back. allOf is merged.
type Schema struct {
	Types       []string   `json:"types,omitempty"` // object, array, string, number, integer, boolean, null; empty: any
	Format      string     `json:"format,omitempty"`
	Description string     `json:"description,omitempty"`
	Enum        []any      `json:"enum,omitempty"`
	Default     any        `json:"default,omitempty"`
	Example     any        `json:"example,omitempty"`
	Properties  []Property `json:"properties,omitempty"` // in the order of the specification
	Items       *Schema    `json:"items,omitempty"`
	OneOf       []*Schema  `json:"one_of,omitempty"` // alternatives: oneOf and anyOf
	// Closed says that no other than the declared properties may be sent.
	Closed bool `json:"closed,omitempty"`
	// Ref is the name of the component that the schema comes from, if it has one.
	Ref string `json:"ref,omitempty"`
	// Cut says that the schema was not followed further here, because it
	// contains itself or would be too large.
	Cut bool `json:"cut,omitempty"`
}

// Property is a property of an object.
type Property struct {
	Name      string  `json:"name"`
	Required  bool    `json:"required,omitempty"`
	ReadOnly  bool    `json:"read_only,omitempty"`
	WriteOnly bool    `json:"write_only,omitempty"`
	Schema    *Schema `json:"schema,omitempty"`
}

// Is reports whether the schema allows a type.
func (s *Schema) Is(name string) bool {
	if s == nil {
		return false
	}
	for _, t := range s.Types {
		if t == name {
			return true
		}
	}
	return false
}
