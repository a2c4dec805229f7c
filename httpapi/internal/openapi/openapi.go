// Package openapi writes descriptions of HTTP interfaces: the part of OpenAPI
// 3.1 that a server of JSON needs, schemas made from Go types, and a page for
// browsers.
//
//	types := openapi.NewTypes(nil)
//	doc := openapi.Document{OpenAPI: openapi.Version, Info: openapi.Info{Title: "Shop", Version: "1"}}
//	doc.Add("GET", "/orders/{id}", &openapi.Operation{ID: "getOrder",
//		Responses: map[string]openapi.Response{"200": {Description: "an order",
//			Content: map[string]openapi.Media{"application/json": {Schema: types.Out(reflect.TypeFor[Order]())}}}}})
//	doc.Components.Schemas = types.Schemas
//	page, policy, err := doc.Page() // HTML, and the Content-Security-Policy that it needs
//
// Reading descriptions is what assistant/ingest does; this package only writes
// them.
package openapi

import "strings"

// Version is the version of OpenAPI that a Document is in.
const Version = "3.1.0"

// Document is a description.
type Document struct {
	OpenAPI    string                           `json:"openapi"`
	Info       Info                             `json:"info"`
	Security   []map[string][]string            `json:"security,omitempty"`
	Tags       []Tag                            `json:"tags,omitempty"` // in the order of Page
	Paths      map[string]map[string]*Operation `json:"paths"`          // by path and method in lower case
	Components Components                       `json:"components"`
}

// Info says what is described.
type Info struct {
	Title       string `json:"title"`
	Version     string `json:"version"`
	Description string `json:"description,omitempty"`
}

// Tag groups operations.
type Tag struct {
	Name string `json:"name"`
}

// Operation is one method of one path.
type Operation struct {
	ID          string                 `json:"operationId"`
	Tags        []string               `json:"tags,omitempty"`
	Summary     string                 `json:"summary,omitempty"`
	Description string                 `json:"description,omitempty"`
	Parameters  []Parameter            `json:"parameters,omitempty"`
	Body        *Body                  `json:"requestBody,omitempty"`
	Responses   map[string]Response    `json:"responses"`
	Security    *[]map[string][]string `json:"security,omitempty"` // nil: that of the document
}

// Parameter is an input outside the body.
type Parameter struct {
	Name        string  `json:"name"`
	In          string  `json:"in"` // path or query
	Required    bool    `json:"required,omitempty"`
	Description string  `json:"description,omitempty"`
	Schema      *Schema `json:"schema"`
}

// Body is what a request carries.
type Body struct {
	Required bool             `json:"required,omitempty"`
	Content  map[string]Media `json:"content"`
}

// Media is one representation of a body.
type Media struct {
	Schema  *Schema `json:"schema,omitempty"`
	Example any     `json:"example,omitempty"`
}

// Response is one possible answer, or a reference to a component.
type Response struct {
	Ref         string            `json:"$ref,omitempty"`
	Description string            `json:"description,omitempty"`
	Headers     map[string]Header `json:"headers,omitempty"`
	Content     map[string]Media  `json:"content,omitempty"`
}

// Header is a header of a response, or a reference to a component.
type Header struct {
	Ref         string  `json:"$ref,omitempty"`
	Description string  `json:"description,omitempty"`
	Required    bool    `json:"required,omitempty"`
	Schema      *Schema `json:"schema,omitempty"`
}

// Components are what the rest refers to.
type Components struct {
	Schemas         map[string]*Schema        `json:"schemas,omitempty"`
	Responses       map[string]Response       `json:"responses,omitempty"`
	Headers         map[string]Header         `json:"headers,omitempty"`
	SecuritySchemes map[string]SecurityScheme `json:"securitySchemes,omitempty"`
}

// SecurityScheme is a way to authenticate.
type SecurityScheme struct {
	Type   string `json:"type"` // apiKey or http
	In     string `json:"in,omitempty"`
	Name   string `json:"name,omitempty"`
	Scheme string `json:"scheme,omitempty"`
}

// Add adds an operation. Its tags become tags of the document.
func (d *Document) Add(method, path string, op *Operation) {
	if d.Paths == nil {
		d.Paths = make(map[string]map[string]*Operation)
	}
	if d.Paths[path] == nil {
		d.Paths[path] = make(map[string]*Operation)
	}
	d.Paths[path][strings.ToLower(method)] = op
	for _, name := range op.Tags {
		if !d.hasTag(name) {
			d.Tags = append(d.Tags, Tag{name})
		}
	}
}

func (d *Document) hasTag(name string) bool {
	for _, t := range d.Tags {
		if t.Name == name {
			return true
		}
	}
	return false
}
