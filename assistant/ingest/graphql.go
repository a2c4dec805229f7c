package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/api-assistant/api-assistant/assistant/apispec"
	"github.com/api-assistant/api-assistant/vectorstore"
)

var sdl = regexp.MustCompile(`(?m)^(?:extend +)?(?:schema|type +\w+|interface +\w+|input +\w+|enum +\w+)[^{}\n]*\{`)

func isGraphQL(f *File) bool {
	switch f.extension() {
	case "graphql", "graphqls", "gql":
		return true
	case "", "txt":
		text, err := f.Text()
		return err == nil && sdl.MatchString(text[:min(len(text), 64<<10)])
	}
	return false
}

const maxTokens = 5_000_000

// graphqlSchema is a schema in SDL.
type graphqlSchema struct {
	file     *File
	title    string
	types    map[string]*ast.Definition
	order    []*ast.Definition
	out      Source
	maxBytes int
}

func parseGraphQL(ctx context.Context, f *File, o Options) (Source, error) {
	text, err := f.Text()
	if err != nil {
		return Source{}, err
	}
	doc, err := parser.ParseSchemaWithLimit(&ast.Source{Name: f.Name, Input: text}, maxTokens)
	if err != nil {
		return Source{}, graphqlError(f.Name, err)
	}
	s := &graphqlSchema{file: f, title: f.base(), types: make(map[string]*ast.Definition), maxBytes: o.MaxDocumentBytes}
	s.collect(doc)
	roots := rootTypes(doc)
	total := len(s.order) + len(doc.Directives)
	for i, d := range s.order {
		if err := ctx.Err(); err != nil {
			return Source{}, err
		}
		s.typeDocument(d)
		if kind := roots[d.Name]; kind != "" {
			for _, field := range d.Fields {
				if err := s.operationDocument(kind, d.Name, field); err != nil {
					return Source{}, err
				}
			}
		}
		o.progress(f.Name, i+1, total)
	}
	for _, d := range doc.Directives {
		s.directiveDocument(d)
	}
	o.progress(f.Name, total, total)
	return s.out, nil
}

func graphqlError(name string, err error) error {
	e := &Error{File: name, Err: ErrSyntax, Reason: err.Error()}
	var g *gqlerror.Error
	if errors.As(err, &g) {
		e.Reason = g.Message
		if len(g.Locations) > 0 {
			e.Line, e.Column = g.Locations[0].Line, g.Locations[0].Column
		}
	}
	return e
}

// collect gathers the types; what extends a type is added to it.
func (s *graphqlSchema) collect(doc *ast.SchemaDocument) {
	for _, d := range append(append(ast.DefinitionList{}, doc.Definitions...), doc.Extensions...) {
		known := s.types[d.Name]
		if known == nil {
			s.types[d.Name] = d
			s.order = append(s.order, d)
			continue
		}
		known.Fields = append(known.Fields, d.Fields...)
		known.EnumValues = append(known.EnumValues, d.EnumValues...)
		known.Types = append(known.Types, d.Types...)
		known.Interfaces = append(known.Interfaces, d.Interfaces...)
		if known.Description == "" {
			known.Description = d.Description
		}
	}
}

// rootTypes says which types hold the operations.
func rootTypes(doc *ast.SchemaDocument) map[string]string {
	out := make(map[string]string)
	for _, d := range append(append(ast.SchemaDefinitionList{}, doc.Schema...), doc.SchemaExtension...) {
		for _, t := range d.OperationTypes {
			out[t.Type] = string(t.Operation)
		}
	}
	if len(out) == 0 {
		out = map[string]string{"Query": "query", "Mutation": "mutation", "Subscription": "subscription"}
	}
	return out
}

var kindNames = map[ast.DefinitionKind]string{ast.Object: "object", ast.InputObject: "input_object", ast.Enum: "enum",
	ast.Scalar: "scalar", ast.Interface: "interface", ast.Union: "union"}

var kindWords = map[ast.DefinitionKind]string{ast.Object: "type", ast.InputObject: "input", ast.Enum: "enum",
	ast.Scalar: "scalar", ast.Interface: "interface", ast.Union: "union"}

// typeDocument makes the document of a type, several if it has many fields.
func (s *graphqlSchema) typeDocument(d *ast.Definition) {
	head := kindWords[d.Kind] + " " + d.Name
	if len(d.Interfaces) > 0 {
		head += " implements " + strings.Join(d.Interfaces, " & ")
	}
	if len(d.Types) > 0 {
		head += " = " + strings.Join(d.Types, " | ")
	}
	var rows []string
	for _, f := range d.Fields {
		row := "- " + f.Name + arguments(f.Arguments) + ": " + f.Type.String()
		if f.DefaultValue != nil {
			row += " = " + clip(f.DefaultValue.String(), 80)
		}
		rows = append(rows, row+deprecation(f.Directives)+aside(f.Description))
	}
	for _, v := range d.EnumValues {
		rows = append(rows, "- "+v.Name+deprecation(v.Directives)+aside(v.Description))
	}
	s.add("/types/"+d.Name, head, d.Description, rows, map[string]any{"content_type": "schema", "type": "type_definition",
		"name": d.Name, "kind": kindNames[d.Kind], "title": d.Name, "deprecated": false})
}

func (s *graphqlSchema) directiveDocument(d *ast.DirectiveDefinition) {
	var on []string
	for _, l := range d.Locations {
		on = append(on, string(l))
	}
	s.add("/directives/"+d.Name, "directive @"+d.Name+arguments(d.Arguments)+" on "+strings.Join(on, " | "), d.Description, argumentRows(d.Arguments),
		map[string]any{"content_type": "schema", "type": "type_definition", "name": d.Name, "kind": "directive", "title": "@" + d.Name, "deprecated": false})
}

// operationDocument makes the document of a field of a root type.
func (s *graphqlSchema) operationDocument(kind, parent string, f *ast.FieldDefinition) error {
	o := s.operation(kind, parent, f)
	data, err := json.Marshal(o)
	if err != nil {
		return fmt.Errorf("ingest: %s: %w", o.Endpoint(), err)
	}
	var rows []string
	for i, row := range argumentRows(f.Arguments) {
		if i == 0 {
			rows = append(rows, "Needs:")
		}
		t := &text{max: s.maxBytes / 4}
		fields(t, o.Parameters[i].Schema, "  ", true)
		rows = append(rows, row)
		for l := range strings.Lines(t.String()) {
			rows = append(rows, strings.TrimRight(l, "\n"))
		}
	}
	returns := "Returns " + f.Type.String()
	if t := s.types[f.Type.Name()]; t != nil {
		t2 := &text{max: s.maxBytes}
		if names := fieldNames(t2, o.Responses[0].Content[0].Schema); names != "" {
			returns += ": " + names
		}
		returns += aside(t.Description)
	}
	rows = append(rows, returns)
	s.add("/"+kind+"/"+f.Name, o.Endpoint()+arguments(f.Arguments)+": "+f.Type.String()+deprecation(f.Directives), f.Description, rows, map[string]any{
		"content_type": "endpoint", "type": kind, "name": f.Name, "kind": "field", "title": o.Endpoint(), "endpoint": o.Endpoint(),
		"parent_type": parent, "field_name": f.Name, "field_type": f.Type.String(), "return_type": f.Type.Name(),
		"deprecated": o.Deprecated, "param_count": len(f.Arguments), "operation_id": f.Name, "method": kind, "path": f.Name,
		"summary": clip(firstLine(f.Description), maxFieldNote),
	})
	s.out.Documents[len(s.out.Documents)-1].Data = data
	return nil
}

// add makes the documents of a head, a description and rows. Each part repeats
// the head.
func (s *graphqlSchema) add(at, head, description string, rows []string, meta map[string]any) {
	head = clip(oneLine(head), s.maxBytes/4) + "\n"
	if description = strings.TrimSpace(description); description != "" {
		head += clip(description, s.maxBytes/4) + "\n"
	}
	var parts []string
	current := head
	for _, row := range rows {
		row = clip(oneLine(row), s.maxBytes/4) + "\n"
		if len(current)+len(row) > s.maxBytes {
			parts = append(parts, current)
			current = head
		}
		current += row
	}
	parts = append(parts, current)
	for i, part := range parts {
		m := map[string]any{"api_title": s.title, "chunk_index": i, "chunk_count": len(parts)}
		for k, v := range meta {
			m[k] = v
		}
		s.out.Documents = append(s.out.Documents, vectorstore.Document{Pointer: fmt.Sprintf("%s/%d", at, i), Content: part, Metadata: m})
	}
}

func arguments(list ast.ArgumentDefinitionList) string {
	if len(list) == 0 {
		return ""
	}
	var out []string
	for _, a := range list {
		text := a.Name + ": " + a.Type.String()
		if a.DefaultValue != nil {
			text += " = " + clip(a.DefaultValue.String(), 80)
		}
		out = append(out, text)
	}
	return "(" + strings.Join(out, ", ") + ")"
}

func argumentRows(list ast.ArgumentDefinitionList) (rows []string) {
	for _, a := range list {
		required := ""
		if isRequired(a) {
			required = ", required"
		}
		value := ""
		if a.DefaultValue != nil {
			value = ", default " + clip(a.DefaultValue.String(), 80)
		}
		rows = append(rows, "- argument "+a.Name+" ("+a.Type.String()+required+value+")"+deprecation(a.Directives)+note(a.Description, nil))
	}
	return rows
}

func deprecation(list ast.DirectiveList) string {
	d := list.ForName("deprecated")
	if d == nil {
		return ""
	}
	if reason := d.Arguments.ForName("reason"); reason != nil && reason.Value != nil {
		return " (deprecated: " + clip(reason.Value.Raw, maxFieldNote) + ")"
	}
	return " (deprecated)"
}

func aside(description string) string {
	if description = strings.TrimSpace(description); description == "" {
		return ""
	}
	return ": " + clip(oneLine(description), maxFieldNote)
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(strings.TrimSpace(s), "\n")
	return s
}

// operation is a field of a root type as data.
func (s *graphqlSchema) operation(kind, parent string, f *ast.FieldDefinition) apispec.Operation {
	o := apispec.Operation{API: s.title, Kind: apispec.GraphQL, Method: kind, Path: f.Name, OperationID: f.Name,
		Summary: clip(firstLine(f.Description), maxFieldNote), Description: f.Description,
		Deprecated: f.Directives.ForName("deprecated") != nil, SourceFile: s.file.Name, Pointer: "/" + kind + "/" + f.Name}
	for _, a := range f.Arguments {
		left := maxAnswerNodes
		schema := s.schema(a.Type, 5, &left)
		o.Parameters = append(o.Parameters, apispec.Parameter{Name: a.Name, In: "argument", Description: a.Description, Schema: schema,
			Required: isRequired(a), Deprecated: a.Directives.ForName("deprecated") != nil})
	}
	left := maxErrorNodes
	o.Responses = []apispec.Response{{Status: "data", Content: []apispec.Media{{Type: "application/json", Schema: s.schema(f.Type, 2, &left)}}}}
	return o
}

func isRequired(a *ast.ArgumentDefinition) bool { return a.Type.NonNull && a.DefaultValue == nil }

var scalarTypes = map[string]string{"Int": "integer", "Float": "number", "Boolean": "boolean", "String": "string", "ID": "string"}

// schema describes a type to a depth.
func (s *graphqlSchema) schema(t *ast.Type, depth int, left *int) *apispec.Schema {
	if t.Elem != nil {
		return &apispec.Schema{Types: []string{"array"}, Items: s.schema(t.Elem, depth, left)}
	}
	if name, ok := scalarTypes[t.NamedType]; ok {
		out := &apispec.Schema{Types: []string{name}}
		if t.NamedType == "ID" { // a variable for it must say so
			out.Format = "ID"
		}
		return out
	}
	out := &apispec.Schema{Ref: t.NamedType}
	d := s.types[t.NamedType]
	if d == nil {
		return out
	}
	out.Description = clip(d.Description, maxNote)
	switch d.Kind {
	case ast.Scalar:
		out.Types, out.Format = []string{"string"}, d.Name
	case ast.Enum:
		out.Types = []string{"string"}
		for _, v := range d.EnumValues[:min(len(d.EnumValues), maxEnum)] {
			out.Enum = append(out.Enum, v.Name)
		}
	default:
		out.Types = []string{"object"}
		out.Closed = d.Kind == ast.InputObject
		if depth == 0 || *left <= 0 {
			out.Cut = true
			return out
		}
		for _, f := range d.Fields {
			if *left--; *left < 0 {
				out.Cut = true
				break
			}
			p := apispec.Property{Name: f.Name, Required: f.Type.NonNull && f.DefaultValue == nil, Schema: s.schema(f.Type, depth-1, left), NeedsArguments: slices.ContainsFunc(f.Arguments, isRequired)}
			if p.Schema.Description == "" {
				p.Schema.Description = clip(f.Description, maxFieldNote)
			}
			out.Properties = append(out.Properties, p)
		}
		for _, name := range d.Types {
			out.OneOf = append(out.OneOf, &apispec.Schema{Types: []string{"object"}, Ref: name, Cut: true})
		}
	}
	return out
}
