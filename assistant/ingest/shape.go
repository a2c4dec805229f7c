package ingest

import (
	"slices"

	"github.com/api-assistant/api-assistant/assistant/apispec"
)

// shape is what a schema says by itself. It is read once for each place, however
// many operations reach it: in large files most work is done many times over.
type shape struct {
	target     *node      // nil where a reference leads nowhere
	component  *component // of the reference, if it is one
	flat       apispec.Schema
	nullable   bool
	properties []shapeProperty
	items      *node
	additional *node
	allOf      []*node
	oneOf      []*node
	leaf       bool                    // there is nothing inside
	built      map[int]*apispec.Schema // of a leaf, by the length of the description
}

type shapeProperty struct {
	name                          string
	node                          *node
	required, readOnly, writeOnly bool
}

// shape returns the shape of a schema, or of what it refers to.
func (s *specification) shape(n *node, at string) *shape {
	if sh, ok := s.shapes[n]; ok {
		return sh
	}
	sh := &shape{}
	s.shapes[n] = sh
	target, to := s.resolve(n, at)
	if to.file != nil {
		sh.component = s.schemas.at(to)
		sh.flat.Ref = sh.component.name
	}
	if target == nil || target.kind != object {
		return sh
	}
	sh.target = target
	s.readShape(sh, target, at)
	if note := n.get("description").string(); note != "" && target != n { // 3.1: beside a reference
		sh.flat.Description = note
	}
	sh.leaf = len(sh.properties)+len(sh.allOf)+len(sh.oneOf) == 0 && sh.items == nil && sh.additional == nil
	return sh
}

func (s *specification) readShape(sh *shape, n *node, at string) {
	out := &sh.flat
	out.Types = n.get("type").strings()
	out.Format = n.get("format").string()
	out.Description = n.get("description").string()
	out.Default, out.Example = example(n.get("default")), example(n.get("example"))
	if examples := n.get("examples").items(); out.Example == nil && len(examples) > 0 {
		out.Example = example(examples[0])
	}
	for _, v := range n.get("enum").items() {
		if len(out.Enum) < maxEnum {
			out.Enum = append(out.Enum, small(v))
		}
	}
	if v := n.get("const"); v != nil {
		out.Enum = []any{small(v)}
	}
	required := n.get("required").strings()
	if p := n.get("properties"); p != nil && p.kind == object {
		sh.properties = make([]shapeProperty, 0, len(p.keys))
	}
	n.get("properties").each(func(name string, p *node) {
		target, _ := s.resolve(p, at)
		sh.properties = append(sh.properties, shapeProperty{name, p, slices.Contains(required, name), target.get("readOnly").bool(), target.get("writeOnly").bool()})
	})
	for _, name := range required {
		if !slices.ContainsFunc(sh.properties, func(p shapeProperty) bool { return p.name == name }) {
			out.Required = append(out.Required, name)
		}
	}
	sh.items = n.get("items")
	if more := n.get("additionalProperties"); more != nil {
		if more.kind == object || more.bool() {
			sh.additional = more
		} else {
			out.Closed = true
		}
	}
	sh.allOf = firstOf(n.get("allOf").items(), maxAllOf)
	sh.oneOf = slices.Concat(n.get("oneOf").items(), n.get("anyOf").items())
	sh.oneOf = firstOf(sh.oneOf, maxAlternatives)
	sh.nullable = n.get("nullable").bool() || n.get("x-nullable").bool()
}

func firstOf(nodes []*node, most int) []*node { return nodes[:min(len(nodes), most)] }

// nulls adds null to the types of a schema that allows it.
func (sh *shape) nulls(types []string) []string {
	if sh.nullable && len(types) > 0 && !slices.Contains(types, "null") {
		return append(slices.Clip(types), "null")
	}
	return types
}

// alone is the schema of a leaf. All who reach it share it, and none may change
// it.
func (sh *shape) alone(note int) *apispec.Schema {
	if out := sh.built[note]; out != nil {
		return out
	}
	out := sh.flat
	out.Description = clip(out.Description, note)
	out.Types = sh.nulls(out.Types)
	if sh.built == nil {
		sh.built = make(map[int]*apispec.Schema, 1)
	}
	sh.built[note] = &out
	return &out
}
