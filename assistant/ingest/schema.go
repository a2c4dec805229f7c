package ingest

import (
	"encoding/json"
	"slices"

	"github.com/api-assistant/api-assistant/assistant/apispec"
)

// Budgets of schemas: nodes and depth. What a client sends is worth most, since
// it is what code is made from and checked against.
const (
	maxSchemaNodes = 600
	maxSchemaDepth = 8
	maxAnswerNodes = 150
	maxAnswerDepth = 6
	maxErrorNodes  = 40
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
	note  int                 // bytes of a description
	stack []*node             // what is being built, against cycles
	used  map[*component]bool // that it reaches
}

func newSchemaBuilder(s *specification, at string) *schemaBuilder {
	return &schemaBuilder{s: s, at: at, left: maxSchemaNodes, depth: maxSchemaDepth, note: maxNote, used: make(map[*component]bool)}
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
	sh := b.s.shape(n, b.at)
	if sh.component != nil {
		b.used[sh.component] = true
	}
	if sh.target == nil || !sh.leaf && slices.Contains(b.stack, sh.target) {
		return &apispec.Schema{Ref: sh.flat.Ref, Cut: true}
	}
	if b.left--; b.left < 0 || len(b.stack) >= b.depth {
		return &apispec.Schema{Ref: sh.flat.Ref, Types: sh.flat.Types, Cut: true}
	}
	if sh.leaf {
		return sh.alone(b.note)
	}
	out := sh.flat
	out.Description = clip(out.Description, b.note)
	b.stack = append(b.stack, sh.target)
	b.fill(&out, sh)
	b.stack = b.stack[:len(b.stack)-1]
	return &out
}

// maxProperties bounds the properties of one schema.
const maxProperties = 2000

// fill builds what is inside of a schema. All properties share what is left of the
// budget: one that is large must not hide those after it.
func (b *schemaBuilder) fill(out *apispec.Schema, sh *shape) {
	properties := sh.properties[:min(len(sh.properties), maxProperties)]
	if len(b.stack) > 1 && len(properties) > 4*max(b.left, 1) {
		properties = nil
	}
	out.Cut = len(properties) < len(sh.properties)
	if len(properties) > 0 {
		out.Properties = make([]apispec.Property, 0, len(properties))
	}
	for i, p := range properties {
		left := b.left
		share := max(left, 0) / (len(properties) - i)
		b.left = share
		out.Properties = append(out.Properties, apispec.Property{Name: p.name, Required: p.required,
			ReadOnly: p.readOnly, WriteOnly: p.writeOnly, Schema: b.schema(p.node)})
		b.left = left - (share - b.left)
	}
	out.Items = b.schema(sh.items)
	out.Additional = b.schema(sh.additional)
	for _, part := range sh.allOf {
		b.merge(out, b.schema(part))
	}
	for _, part := range sh.oneOf {
		if alternative := b.schema(part); alternative != nil {
			out.OneOf = append(out.OneOf, alternative)
		}
	}
	switch {
	case len(out.Types) > 0:
	case len(out.Properties) > 0:
		out.Types = []string{"object"}
	case out.Items != nil:
		out.Types = []string{"array"}
	}
	out.Types = sh.nulls(out.Types)
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
