package diagram

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/api-assistant/api-assistant/assistant/apispec"
	"github.com/api-assistant/api-assistant/assistant/ingest"
)

// documentEntities reads the objects and unions among the named schemas of an
// OpenAPI description or JSON Schema.
func documentEntities(schema string) ([]entity, error) {
	named, err := ingest.Schemas(context.Background(), schemaName, strings.NewReader(schema), ingest.Options{MaxBytes: maxSchema})
	if err != nil {
		return nil, err
	}
	isEntity := make(map[string]bool)
	for _, n := range named {
		isEntity[n.Name] = len(n.Schema.Properties) > 0 || slices.ContainsFunc(n.Schema.OneOf, func(s *apispec.Schema) bool { return s.Ref != "" })
	}
	var out []entity
	for _, n := range named {
		if !isEntity[n.Name] {
			continue
		}
		e := entity{name: n.Name}
		for _, p := range n.Schema.Properties {
			e.addProperty(p, isEntity)
		}
		for _, one := range n.Schema.OneOf {
			if isEntity[one.Ref] {
				e.relations = append(e.relations, relation{to: one.Ref, label: "may be", kind: isOne})
			}
		}
		out = append(out, e)
	}
	return out, nil
}

func (e *entity) addProperty(p apispec.Property, isEntity map[string]bool) {
	s := p.Schema
	if s == nil {
		s = &apispec.Schema{}
	}
	a := attribute{typ: propertyType(s), name: p.Name, note: propertyNote(p, s)}
	a.scalar = len(s.Types) > 0 && !s.Is("object") && !s.Is("array")
	e.attributes = append(e.attributes, a)
	kind := toOptional
	if p.Required && !s.Is("null") {
		kind = toOne
	}
	e.follow(s, p.Name, kind, isEntity, 0)
}

// follow finds the entities that a property leads to, through lists, maps,
// alternatives and objects without a name.
func (e *entity) follow(s *apispec.Schema, label string, kind relationKind, isEntity map[string]bool, depth int) {
	switch {
	case s == nil || depth > 6:
		return
	case isEntity[s.Ref]:
		e.relations = append(e.relations, relation{to: s.Ref, label: label, kind: kind})
		return
	}
	e.follow(s.Items, label, toMany, isEntity, depth+1)
	e.follow(s.Additional, label, toMany, isEntity, depth+1)
	for _, one := range s.OneOf {
		if kind == toOne && len(s.OneOf) > 1 {
			kind = toOptional
		}
		e.follow(one, label, kind, isEntity, depth+1)
	}
	for _, p := range s.Properties {
		e.follow(p.Schema, label+"."+p.Name, kind, isEntity, depth+1)
	}
}

// propertyType is one word: the name of a schema, or the first type.
func propertyType(s *apispec.Schema) string {
	typ := typeName(s)
	if first, _, several := strings.Cut(typ, " or "); several {
		if first == "null" {
			_, first, _ = strings.Cut(typ, " or ")
			first, _, _ = strings.Cut(first, " or ")
		}
		typ = first
	}
	return typ
}

func propertyNote(p apispec.Property, s *apispec.Schema) string {
	var notes []string
	for _, n := range []struct {
		yes  bool
		text string
	}{{p.Required, "required"}, {p.ReadOnly, "read only"}, {p.WriteOnly, "write only"}, {s.Is("null"), "nullable"}, {s.Format != "", s.Format}, {len(s.Enum) > 0, enumNote(s.Enum)}} {
		if n.yes {
			notes = append(notes, n.text)
		}
	}
	return strings.Join(notes, ", ")
}

func enumNote(values []any) string {
	var out []string
	for _, v := range values[:min(len(values), 5)] {
		out = append(out, fmt.Sprint(v))
	}
	if len(values) > 5 {
		out = append(out, "…")
	}
	return "one of " + strings.Join(out, " | ")
}
