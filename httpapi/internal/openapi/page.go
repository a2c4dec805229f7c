package openapi

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"slices"
	"sort"
	"strings"
)

//go:embed page.html
var pageSource string

//go:embed page.css
var pageStyle string

var pageTemplate = template.Must(template.New("page").Parse(pageSource))

// Page renders a document as one HTML page without scripts and without links to
// other hosts, and returns the Content-Security-Policy under which it works.
func (d *Document) Page() (page []byte, policy string, err error) {
	view := pageView{Info: d.Info, Style: template.CSS(pageStyle), Security: d.keys()}
	for _, tag := range d.Tags {
		view.Groups = append(view.Groups, pageGroup{tag.Name, d.operationsOf(tag.Name)})
	}
	for _, name := range sortedKeys(d.Components.Schemas) {
		view.Schemas = append(view.Schemas, pageSchema{name, rowsOf(d.Components.Schemas[name])})
	}
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, view); err != nil {
		return nil, "", fmt.Errorf("openapi: rendering the page: %w", err)
	}
	sum := sha256.Sum256([]byte(pageStyle))
	policy = "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	return b.Bytes(), policy, nil
}

type pageView struct {
	Info     Info
	Style    template.CSS
	Security []string
	Groups   []pageGroup
	Schemas  []pageSchema
}

type pageGroup struct {
	Name       string
	Operations []pageOperation
}

type pageOperation struct {
	ID, Method, Path, Summary, Description string
	Parameters, Bodies, Responses          []pageRow
	Example                                string
}

// pageRow is a line of a table.
type pageRow struct {
	Name, Kind, Text string
	Link             string // name of a schema
	Required         bool
}

type pageSchema struct {
	Name string
	Rows []pageRow
}

// keys says how to authenticate.
func (d *Document) keys() (out []string) {
	for _, name := range sortedKeys(d.Components.SecuritySchemes) {
		switch s := d.Components.SecuritySchemes[name]; s.Type {
		case "apiKey":
			out = append(out, s.Name+": <key>")
		case "http":
			out = append(out, "Authorization: "+strings.ToUpper(s.Scheme[:1])+s.Scheme[1:]+" <key>")
		}
	}
	return out
}

// operationsOf returns the operations of a tag, by path and method.
func (d *Document) operationsOf(tag string) (out []pageOperation) {
	for _, path := range sortedKeys(d.Paths) {
		for _, method := range sortedKeys(d.Paths[path]) {
			if op := d.Paths[path][method]; slices.Contains(op.Tags, tag) {
				out = append(out, d.operation(strings.ToUpper(method), path, op))
			}
		}
	}
	return out
}

func (d *Document) operation(method, path string, op *Operation) pageOperation {
	out := pageOperation{ID: op.ID, Method: method, Path: path, Summary: op.Summary, Description: op.Description}
	for _, p := range op.Parameters {
		row := rowOf(p.Name, p.Schema, p.Required)
		row.Kind = p.In + ", " + row.Kind
		if p.Description != "" {
			row.Text = p.Description
		}
		out.Parameters = append(out.Parameters, row)
	}
	if op.Body != nil {
		for _, media := range sortedKeys(op.Body.Content) {
			out.Bodies = append(out.Bodies, rowOf(media, op.Body.Content[media].Schema, false))
			if example := op.Body.Content[media].Example; example != nil {
				out.Example = indented(example)
			}
		}
	}
	for _, status := range sortedKeys(op.Responses) {
		r := op.Responses[status]
		if name, ok := strings.CutPrefix(r.Ref, "#/components/responses/"); ok {
			r = d.Components.Responses[name]
		}
		row := pageRow{Name: status, Text: r.Description}
		for _, media := range sortedKeys(r.Content) {
			of := rowOf(media, r.Content[media].Schema, false)
			row.Kind, row.Link = of.Kind, of.Link
			if media == "application/json" {
				break
			}
		}
		out.Responses = append(out.Responses, row)
	}
	return out
}

func rowsOf(s *Schema) (out []pageRow) {
	for _, name := range sortedKeys(s.Properties) {
		out = append(out, rowOf(name, s.Properties[name], slices.Contains(s.Required, name)))
	}
	return out
}

// rowOf describes a schema in a line.
func rowOf(name string, s *Schema, required bool) pageRow {
	row := pageRow{Name: name, Required: required}
	if s == nil {
		return row
	}
	row.Kind, row.Link = kindOf(s)
	row.Text = s.Description
	var facts []string
	if len(s.Enum) > 0 {
		facts = append(facts, "one of "+words(s.Enum))
	}
	for _, bound := range []struct {
		word  string
		value *float64
	}{{"at least", s.Minimum}, {"at most", s.Maximum}} {
		if bound.value != nil {
			facts = append(facts, fmt.Sprintf("%s %g", bound.word, *bound.value))
		}
	}
	if s.Default != nil {
		facts = append(facts, fmt.Sprintf("default %v", s.Default))
	}
	if len(facts) > 0 {
		row.Text = strings.TrimPrefix(row.Text+"; ", "; ") + strings.Join(facts, "; ")
	}
	return row
}

func words(values []any) string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = fmt.Sprint(v)
		if v == nil {
			out[i] = "null"
		}
	}
	return strings.Join(out, ", ")
}

// kindOf names the type of a schema, and the component that it refers to.
func kindOf(s *Schema) (kind, link string) {
	if name, ok := strings.CutPrefix(s.Ref, refPrefix); ok {
		return name, name
	}
	for _, alternative := range append(s.AnyOf[:len(s.AnyOf):len(s.AnyOf)], s.OneOf...) {
		if kind, link = kindOf(alternative); link != "" {
			return kind + " or null", link
		}
	}
	if s.Items != nil {
		kind, link = kindOf(s.Items)
		return "list of " + kind, link
	}
	if len(s.Type) == 0 {
		return "any", ""
	}
	return strings.Join(s.Type, " or "), ""
}

func indented(v any) string {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return ""
	}
	return string(b)
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
