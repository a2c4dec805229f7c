package ingest

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/api-assistant/api-assistant/assistant/apispec"
)

// NamedSchema is a schema that has a name in its file.
type NamedSchema struct {
	Name    string
	Pointer string // JSON pointer into the file; empty for the file as a whole
	// Schema is followed to a small depth. Schemas inside of it that have names, too,
	// have them as Ref.
	Schema *apispec.Schema
}

// maxNamedDepth is how deep a named schema is followed: properties, the elements
// of lists in them, and what is in those.
const maxNamedDepth = 4

// Schemas reads the named schemas of an OpenAPI description (components or
// definitions) or of JSON Schema ($defs, definitions, the file itself, or an
// object with nothing but schemas), in their order. Options.Format and Mode do
// not matter. The error is an *Error; that there are no schemas is one.
func Schemas(ctx context.Context, name string, r io.Reader, o Options) ([]NamedSchema, error) {
	o = o.withDefaults()
	content, err := read(name, r, o)
	if err != nil {
		return nil, err
	}
	f := newFileSet().add(&File{Name: name, Content: content}, name)
	root, err := f.tree()
	if err != nil {
		return nil, err
	}
	s := newSpecification(f, root, o)
	if root == nil || root.kind != object {
		return nil, &Error{File: name, Err: ErrUnsupported, Reason: "an object with schemas is needed at the top"}
	}
	sections, err := s.schemaSections()
	if err != nil {
		return nil, err
	}
	var out []NamedSchema
	if describesValue(root) {
		whole := s.schemas.at(place{f, ""})
		if title := root.get("title").string(); title != "" {
			whole.name = title
		}
		s.found[whole.place] = root // "#" is what it contains itself by
		out = append(out, NamedSchema{Name: whole.name, Schema: s.namedSchema(root, "")})
	}
	for _, section := range sections {
		section.node.each(func(key string, n *node) {
			if len(out) == maxSchemas || ctx.Err() != nil {
				return
			}
			at := pointer(section.at, key)
			if schema := s.namedSchema(n, at); schema != nil {
				out = append(out, NamedSchema{Name: key, Pointer: at, Schema: schema})
			}
		})
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if len(out) == 0 {
		return nil, &Error{File: name, Err: ErrEmpty, Reason: "it has no schemas: neither components/schemas nor definitions nor $defs nor properties"}
	}
	return out, nil
}

func (s *specification) namedSchema(n *node, at string) *apispec.Schema {
	b := newSchemaBuilder(s, at)
	b.budget(maxAnswerNodes, maxNamedDepth, maxFieldNote)
	return b.schema(n)
}

// schemaSection is an object whose values are schemas.
type schemaSection struct {
	at   string // JSON pointer
	node *node
}

// schemaSections finds where the named schemas are. A file without any of the
// usual places is taken as one itself.
func (s *specification) schemaSections() (out []schemaSection, err error) {
	for _, at := range []string{"/components/schemas", "/definitions", "/$defs", "/schemas"} {
		n := s.root.at(strings.Split(at, "/")[1:]...)
		switch {
		case n == nil:
		case n.kind != object:
			return nil, &Error{File: s.file.Name, Pointer: at, Err: ErrSyntax, Reason: fmt.Sprintf("schemas by name are needed, this is %s %s", article(n.kind), n.kind)}
		default:
			out = append(out, schemaSection{at, n})
		}
	}
	if len(out) > 0 || describesValue(s.root) || s.root.get("openapi") != nil || s.root.get("swagger") != nil {
		return out, nil
	}
	for i, n := range s.root.values {
		if n.kind != object || !describesValue(n) && n.get("$ref") == nil {
			return nil, &Error{File: s.file.Name, Pointer: pointer("", s.root.keys[i]), Err: ErrUnsupported, Reason: "this is no schema"}
		}
	}
	return []schemaSection{{"", s.root}}, nil
}

func article(k kind) string {
	if k == object || k == list {
		return "an"
	}
	return "a"
}

// describesValue reports whether an object is a schema and not, say, an object of
// schemas.
func describesValue(n *node) bool {
	if len(n.get("type").strings()) > 0 {
		return true
	}
	if p := n.get("properties"); p != nil && p.kind == object {
		return true
	}
	for _, key := range []string{"allOf", "oneOf", "anyOf", "enum"} {
		if len(n.get(key).items()) > 0 {
			return true
		}
	}
	return false
}
