package diagram

import (
	"errors"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/api-assistant/api-assistant/assistant/ingest"
)

// maxTokens bounds a schema in GraphQL.
const maxTokens = 5_000_000

// graphqlEntities reads the objects, inputs, interfaces and unions of a schema.
// What extends a type is added to it.
func graphqlEntities(schema string) ([]entity, error) {
	doc, err := parser.ParseSchemaWithLimit(&ast.Source{Name: schemaName, Input: strings.TrimPrefix(schema, "\ufeff")}, maxTokens)
	if err != nil {
		return nil, graphqlError(err)
	}
	definitions := slices.Concat(doc.Definitions, doc.Extensions)
	kinds := make(map[string]ast.DefinitionKind)
	for _, d := range definitions {
		kinds[d.Name] = d.Kind
	}
	var out []entity
	at := make(map[string]int)
	for _, d := range definitions {
		if d.Kind == ast.Scalar || d.Kind == ast.Enum {
			continue
		}
		i, known := at[d.Name]
		if !known {
			i = len(out)
			at[d.Name] = i
			out = append(out, entity{name: d.Name, root: isRoot(doc, d.Name)})
		}
		out[i].addDefinition(d, kinds)
	}
	return out, nil
}

func graphqlError(err error) error {
	e := &ingest.Error{File: schemaName, Err: ingest.ErrSyntax, Reason: err.Error()}
	var g *gqlerror.Error
	if errors.As(err, &g) {
		e.Reason = g.Message
		if len(g.Locations) > 0 {
			e.Line, e.Column = g.Locations[0].Line, g.Locations[0].Column
		}
	}
	return e
}

// isRoot recognises the types that hold the operations.
func isRoot(doc *ast.SchemaDocument, name string) bool {
	declared := false
	for _, s := range slices.Concat(doc.Schema, doc.SchemaExtension) {
		for _, t := range s.OperationTypes {
			declared = true
			if t.Type == name {
				return true
			}
		}
	}
	return !declared && slices.Contains([]string{"Query", "Mutation", "Subscription"}, name)
}

func (e *entity) addDefinition(d *ast.Definition, kinds map[string]ast.DefinitionKind) {
	for _, f := range d.Fields {
		target := f.Type.Name()
		kind := kinds[target]
		leaf := kind == "" || kind == ast.Scalar || kind == ast.Enum
		e.attributes = append(e.attributes, attribute{typ: graphqlType(f.Type), name: f.Name, note: graphqlNote(f), scalar: leaf && f.Type.Elem == nil})
		if !leaf {
			r := relation{to: target, label: f.Name, kind: toOptional}
			switch {
			case f.Type.Elem != nil:
				r.kind = toMany
			case f.Type.NonNull:
				r.kind = toOne
			}
			e.relations = append(e.relations, r)
		}
	}
	for _, name := range d.Types {
		e.relations = append(e.relations, relation{to: name, label: "may be", kind: isOne})
	}
	for _, name := range d.Interfaces {
		e.relations = append(e.relations, relation{to: name, label: "implements", kind: implements})
	}
}

// graphqlType is a type without the marks of what must not be null.
func graphqlType(t *ast.Type) string {
	if t.Elem != nil {
		return graphqlType(t.Elem) + "[]"
	}
	return t.NamedType
}

func graphqlNote(f *ast.FieldDefinition) string {
	var notes []string
	if f.Type.NonNull && f.DefaultValue == nil {
		notes = append(notes, "required")
	}
	if f.Directives.ForName("deprecated") != nil {
		notes = append(notes, "deprecated")
	}
	return strings.Join(notes, ", ")
}
