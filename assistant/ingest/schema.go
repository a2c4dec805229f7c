package ingest

import (
	"encoding/json"
	"slices"

	"github.com/api-assistant/api-assistant/assistant/apispec"
)

// Budgets of the schemas of one operation.
const (
	maxSchemaNodes  = 800
	maxSchemaDepth  = 8
	maxEnum         = 60
	maxAlternatives = 12
	maxAllOf        = 50
	maxExampleBytes = 600
	maxNote         = 400 // bytes of the description of a schema
)

// schemaBuilder makes self-contained schemas for one operation.
type schemaBuilder struct {
	s     *specification
	at    string  // JSON pointer of the operation, for warnings
	left  int     // nodes that may still be built
	stack []*node // what is being built, against cycles
}

// schema builds a schema, following references until the budget is used up.
func (b *schemaBuilder) schema(n *node) *apispec.Schema {
	if n == nil || n.kind != object {
		return nil
	}
	target, ref := b.s.resolve(n, b.at)
	out := &apispec.Schema{Ref: ref}
	if target == nil || target.kind != object || slices.Contains(b.stack, target) {
		out.Cut = true
		return out
	}
	out.Types = target.get("type").strings()
	if b.left--; b.left < 0 || len(b.stack) >= maxSchemaDepth {
		out.Cut = true
		return out
	}
	b.stack = append(b.stack, target)
	b.fill(out, target)
	b.stack = b.stack[:len(b.stack)-1]
	return out
}

// fill reads what a schema says.
func (b *schemaBuilder) fill(out *apispec.Schema, n *node) {
	out.Format = n.get("format").string()
	out.Description = clip(n.get("description").string(), maxNote)
	out.Default, out.Example = example(n.get("default")), example(n.get("example"))
	if examples := n.get("examples").items(); out.Example == nil && len(examples) > 0 {
		out.Example = example(examples[0])
	}
	for _, v := range n.get("enum").items() {
		if len(out.Enum) < maxEnum {
			out.Enum = append(out.Enum, v.value(2))
		}
	}
	if v := n.get("const"); v != nil {
		out.Enum = []any{v.value(2)}
	}
	b.properties(out, n)
	out.Items = b.schema(n.get("items"))
	if more := n.get("additionalProperties"); more != nil && more.kind == boolean && !more.bool() {
		out.Closed = true
	}
	for i, part := range n.get("allOf").items() {
		if i < maxAllOf {
			b.merge(out, b.schema(part))
		}
	}
	for _, key := range []string{"oneOf", "anyOf"} {
		for _, part := range n.get(key).items() {
			if alternative := b.schema(part); alternative != nil && len(out.OneOf) < maxAlternatives {
				out.OneOf = append(out.OneOf, alternative)
			}
		}
	}
	switch {
	case len(out.Types) > 0:
	case len(out.Properties) > 0:
		out.Types = []string{"object"}
	case out.Items != nil:
		out.Types = []string{"array"}
	}
	if (n.get("nullable").bool() || n.get("x-nullable").bool()) && len(out.Types) > 0 {
		out.Types = append(out.Types, "null")
	}
}

func (b *schemaBuilder) properties(out *apispec.Schema, n *node) {
	required := n.get("required").strings()
	n.get("properties").each(func(name string, p *node) {
		if b.left < 0 {
			out.Cut = true
			return
		}
		target, _ := b.s.resolve(p, b.at)
		out.Properties = append(out.Properties, apispec.Property{Name: name, Required: slices.Contains(required, name),
			ReadOnly: target.get("readOnly").bool(), WriteOnly: target.get("writeOnly").bool(), Schema: b.schema(p)})
	})
	// A name that is required here may be declared by a part of allOf.
	for i, p := range out.Properties {
		out.Properties[i].Required = p.Required || slices.Contains(required, p.Name)
	}
}

// merge adds a part of allOf.
func (b *schemaBuilder) merge(out, part *apispec.Schema) {
	if part == nil {
		return
	}
	for _, p := range part.Properties {
		at := slices.IndexFunc(out.Properties, func(q apispec.Property) bool { return q.Name == p.Name })
		if at < 0 {
			out.Properties = append(out.Properties, p)
			continue
		}
		p.Required = p.Required || out.Properties[at].Required
		out.Properties[at] = p
	}
	if len(out.Types) == 0 {
		out.Types = part.Types
	}
	if out.Items == nil {
		out.Items = part.Items
	}
	if out.Description == "" {
		out.Description = part.Description
	}
	if len(out.Enum) == 0 {
		out.Enum = part.Enum
	}
	out.OneOf = append(out.OneOf, part.OneOf...)
	out.Cut = out.Cut || part.Cut
	out.Closed = out.Closed || part.Closed
}

// example returns a small value as plain data, nil for a large one.
func example(n *node) any {
	if n == nil {
		return nil
	}
	v := n.value(5)
	raw, err := json.Marshal(v)
	if err != nil || len(raw) > maxExampleBytes {
		return nil
	}
	return v
}
