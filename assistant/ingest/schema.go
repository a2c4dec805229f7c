package ingest

import (
	"encoding/json"
	"slices"

	"github.com/api-assistant/api-assistant/assistant/apispec"
)

// Budgets of schemas: nodes and depth. What a client sends is worth most, since
// it is what code is made from and checked against.
const (
	maxSchemaNodes = 800
	maxSchemaDepth = 8
	maxAnswerNodes = 300
	maxAnswerDepth = 6
	maxErrorNodes  = 60
	maxErrorDepth  = 4

	maxEnum         = 60
	maxAlternatives = 12
	maxAllOf        = 50
	maxExampleBytes = 600
	maxNote         = 400 // bytes of the description of a schema
)

// schemaBuilder makes self-contained schemas for one operation.
type schemaBuilder struct {
	s     *specification
	at    string // JSON pointer of the operation, for warnings
	left  int    // nodes that may still be built
	depth int
	note  int            // bytes of a description
	stack []*node        // what is being built, against cycles
	used  map[place]bool // components
}

func newSchemaBuilder(s *specification, at string) *schemaBuilder {
	return &schemaBuilder{s: s, at: at, left: maxSchemaNodes, depth: maxSchemaDepth, note: maxNote, used: make(map[place]bool)}
}

// budget sets the limits for what is built next: what goes in must not starve
// what comes out.
func (b *schemaBuilder) budget(nodes, depth, note int) { b.left, b.depth, b.note = nodes, depth, note }

// schema builds a schema, following references until the budget is used up.
func (b *schemaBuilder) schema(n *node) *apispec.Schema {
	if n == nil {
		return nil
	}
	if n.kind == boolean { // 3.1: true is anything
		return &apispec.Schema{}
	}
	if n.kind != object {
		return nil
	}
	target, to := b.s.resolve(n, b.at)
	out := &apispec.Schema{}
	if to.file != nil {
		out.Ref = b.s.schemas.name(to)
		b.used[to] = true
	}
	if target == nil || target.kind != object || slices.Contains(b.stack, target) {
		out.Cut = true
		return out
	}
	out.Types = target.get("type").strings()
	if b.left--; b.left < 0 || len(b.stack) >= b.depth {
		out.Cut = true
		return out
	}
	b.stack = append(b.stack, target)
	b.fill(out, target)
	b.stack = b.stack[:len(b.stack)-1]
	if note := n.get("description").string(); note != "" && target != n { // 3.1: beside a reference
		out.Description = clip(note, b.note)
	}
	return out
}

// fill reads what a schema says.
func (b *schemaBuilder) fill(out *apispec.Schema, n *node) {
	out.Format = n.get("format").string()
	out.Description = clip(n.get("description").string(), b.note)
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
	b.properties(out, n)
	out.Items = b.schema(n.get("items"))
	switch more := n.get("additionalProperties"); {
	case more == nil:
	case more.kind == object:
		out.Additional = b.schema(more)
	case more.bool():
		out.Additional = &apispec.Schema{}
	default:
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
		out.Types = append(slices.Clip(out.Types), "null")
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
	out.Required = undeclared(required, out.Properties)
}

// undeclared lists the names that are required but not among the properties.
func undeclared(required []string, properties []apispec.Property) (out []string) {
	for _, name := range required {
		if !slices.ContainsFunc(properties, func(p apispec.Property) bool { return p.Name == name }) {
			out = append(out, name)
		}
	}
	return out
}

// merge adds a part of allOf. What one part requires another may declare.
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
	required := slices.Concat(out.Required, part.Required)
	for i, p := range out.Properties {
		out.Properties[i].Required = p.Required || slices.Contains(required, p.Name)
	}
	out.Required = undeclared(required, out.Properties)
	if len(out.Types) == 0 {
		out.Types = part.Types
	}
	if out.Items == nil {
		out.Items = part.Items
	}
	if out.Additional == nil {
		out.Additional = part.Additional
	}
	if out.Description == "" {
		out.Description = part.Description
	}
	if out.Format == "" {
		out.Format = part.Format
	}
	if len(out.Enum) == 0 {
		out.Enum = part.Enum
	}
	out.OneOf = append(out.OneOf, part.OneOf...)
	out.Cut = out.Cut || part.Cut
	out.Closed = out.Closed || part.Closed
}

// small is a value of an enum.
func small(n *node) any {
	left := 20
	v := n.value(2, &left)
	if s, ok := v.(string); ok {
		return clip(s, maxExampleBytes)
	}
	return v
}

// example returns a small value as plain data, nil for a large one.
func example(n *node) any {
	if n == nil {
		return nil
	}
	if n.branch == nil { // most are scalars
		if len(n.text) > maxExampleBytes {
			return nil
		}
		return small(n)
	}
	left := 100
	v := n.value(5, &left)
	if left < 0 {
		return nil
	}
	raw, err := json.Marshal(v)
	if err != nil || len(raw) > maxExampleBytes {
		return nil
	}
	return v
}
