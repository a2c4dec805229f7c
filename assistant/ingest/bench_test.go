package ingest_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/api-assistant/api-assistant/assistant/ingest"
)

// largeSpec is an OpenAPI description in JSON with n operations, schemas that
// refer to each other everywhere, and some of them to themselves.
func largeSpec(n, schemas, properties int) string {
	var b strings.Builder
	b.WriteString(`{"openapi": "3.0.3", "info": {"title": "Large", "version": "1"}, "servers": [{"url": "https://api.example.com/v1"}], "paths": {`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		body := ""
		method := []string{"get", "post", "put", "delete"}[i%4]
		if i%4 == 1 || i%4 == 2 {
			body = fmt.Sprintf(`"requestBody": {"required": true, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing%d"}}}},`, i%schemas)
		}
		fmt.Fprintf(&b, `"/group%d/things%d/{id}": {"%s": {"operationId": "op%d", "summary": "Does thing %d", "description": %q, "tags": ["group%d"], %s
			"parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "string"}}, {"name": "limit", "in": "query", "description": "How many.", "schema": {"type": "integer", "default": 20}}],
			"responses": {"200": {"description": "The thing", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing%d"}}}}, "404": {"description": "There is none"}}}}`,
			i%20, i, method, i, i, strings.Repeat("It is described at length. ", 10), i%20, body, (i*7)%schemas)
	}
	b.WriteString(`}, "components": {"schemas": {`)
	for i := range schemas {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `"Thing%d": {"type": "object", "required": ["p0"], "description": "A thing of kind %d.", "properties": {`, i, i)
		for p := range properties {
			if p > 0 {
				b.WriteByte(',')
			}
			switch p % 6 {
			case 5:
				fmt.Fprintf(&b, `"p%d": {"$ref": "#/components/schemas/Thing%d"}`, p, (i*13+p)%schemas)
			case 3:
				fmt.Fprintf(&b, `"p%d": {"type": "array", "items": {"$ref": "#/components/schemas/Thing%d"}}`, p, (i+p)%schemas)
			default:
				fmt.Fprintf(&b, `"p%d": {"type": "string", "description": %q, "maxLength": 5000, "enum": ["one", "two", "three"]}`, p, strings.Repeat("What it means. ", 12))
			}
		}
		b.WriteString(`}}`)
	}
	b.WriteString(`}}}`)
	return b.String()
}

// BenchmarkLargeSpec reads about 8 MB with 1,000 operations, as JSON and as YAML
// (JSON is YAML).
func BenchmarkLargeSpec(b *testing.B) {
	spec := largeSpec(1000, 700, 45)
	for _, name := range []string{"large.json", "large.yaml"} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(spec)))
			b.ReportAllocs()
			for b.Loop() {
				s, err := ingest.Parse(context.Background(), name, strings.NewReader(spec), ingest.Options{})
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(len(s.Documents)), "documents")
			}
		})
	}
}
