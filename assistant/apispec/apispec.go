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

import "strings"

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
	// Callbacks are requests that the API makes because of this operation; their
	// paths are expressions such as "{$request.body#/url}".
	Callbacks []Operation `json:"callbacks,omitempty"`
	// Security lists alternatives, any one of which suffices; each is a set of
	// schemes that are needed together. Empty: no credentials are needed.
	Security [][]Scheme `json:"security,omitempty"`

	SourceFile string `json:"source_file,omitempty"`
	Pointer    string `json:"pointer,omitempty"` // JSON pointer into the source file
}

// Endpoint is "GET /orders/{id}"; of a GraphQL operation, "query order".
func (o *Operation) Endpoint() string { return o.Method + " " + o.Path }

// Kind says what an operation is.
type Kind string

// The kinds.
const (
	HTTP     Kind = "http"
	Webhook  Kind = "webhook"  // called by the API, not by its clients
	Callback Kind = "callback" // a webhook that belongs to an operation
	// GraphQL is a field of a root type: Method is "query", "mutation" or
	// "subscription", Path the name of the field; its arguments are parameters in
	// "argument", and what it returns is the schema of the response "data".
	GraphQL Kind = "graphql"
)

// Parameter is an input outside the body.
type Parameter struct {
	Name        string  `json:"name"`
	In          string  `json:"in"` // path, query, header or cookie; argument in GraphQL
	Required    bool    `json:"required,omitempty"`
	Deprecated  bool    `json:"deprecated,omitempty"`
	Description string  `json:"description,omitempty"`
	Schema      *Schema `json:"schema,omitempty"`
	// HasExample says that the specification gives an example beside the schema.
	HasExample bool `json:"has_example,omitempty"`
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
	// HasExample says that the specification gives an example beside the schema.
	HasExample bool `json:"has_example,omitempty"`
}

// Response is one possible answer.
type Response struct {
	Status      string  `json:"status"` // "200", "4XX" or "default"
	Description string  `json:"description,omitempty"`
	Content     []Media `json:"content,omitempty"`
}

// Success reports whether the response says that all went well: 2XX, or default
// which may.
func (r Response) Success() bool {
	return strings.HasPrefix(r.Status, "2") || r.Status == "default" || r.Status == "data"
}

// Scheme is a way to authenticate.
type Scheme struct {
	Name   string   `json:"name"`             // in the specification
	Type   string   `json:"type"`             // apiKey, http, oauth2, openIdConnect, mutualTLS
	In     string   `json:"in,omitempty"`     // of an apiKey: query, header or cookie
	Key    string   `json:"key,omitempty"`    // of an apiKey: name of the parameter
	HTTP   string   `json:"http,omitempty"`   // of http: basic, bearer …
	Scopes []string `json:"scopes,omitempty"` // needed
	Flows  []Flow   `json:"flows,omitempty"`  // of oauth2
}

// Flow is a way to get a token of OAuth 2.
type Flow struct {
	Type             string `json:"type"` // authorizationCode, clientCredentials …, as in the specification
	AuthorizationURL string `json:"authorization_url,omitempty"`
	TokenURL         string `json:"token_url,omitempty"`
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
	Required    []string   `json:"required,omitempty"`   // names that are required but not declared in Properties
	Items       *Schema    `json:"items,omitempty"`
	OneOf       []*Schema  `json:"one_of,omitempty"` // alternatives: oneOf and anyOf
	// Additional describes properties that are not declared but may be sent; nil
	// says that none are foreseen.
	Additional *Schema `json:"additional,omitempty"`
	// Closed says that other than the declared properties are forbidden.
	Closed bool `json:"closed,omitempty"`
	// Ref is the name of the component that the schema comes from, if it has one.
	Ref string `json:"ref,omitempty"`
	// Cut says that the schema was not followed further here, because it
	// contains itself or would be too large.
	Cut bool `json:"cut,omitempty"`
}

// Property is a property of an object.
type Property struct {
	Name      string `json:"name"`
	Required  bool   `json:"required,omitempty"`
	ReadOnly  bool   `json:"read_only,omitempty"`
	WriteOnly bool   `json:"write_only,omitempty"`
	// NeedsArguments says that a field of GraphQL has required arguments, so that its
	// name alone does not select it.
	NeedsArguments bool    `json:"needs_arguments,omitempty"`
	Schema         *Schema `json:"schema,omitempty"`
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
