package ingest_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/assistant/ingest"
)

func TestSchemas(t *testing.T) {
	for name, test := range map[string]struct{ content, want string }{
		"OpenAPI 3":           {`{"openapi": "3.1.0", "components": {"schemas": {"B": {"properties": {"a": {"$ref": "#/components/schemas/A"}}}, "A": {"type": "string"}}}}`, "B /components/schemas/B, A /components/schemas/A"},
		"OpenAPI 2":           {"swagger: '2.0'\ndefinitions: {A/b: {type: object}}", "A/b /definitions/A~1b"},
		"JSON Schema":         {`{"title": "Order", "properties": {}, "$defs": {"Line": {"type": "object"}}}`, "Order , Line /$defs/Line"},
		"without a title":     {`{"type": "object"}`, "file "},
		"nothing but schemas": {`{"A": {"allOf": [{"type": "object"}]}, "B": {"$ref": "#/A"}}`, "A /A, B /B"},
		"not a schema":        {`{"A": {"type": "object"}, "B": []}`, "file.json at /B: the format is not supported: this is no schema"},
		"a list of schemas":   {`{"definitions": []}`, "file.json at /definitions: the file is malformed: schemas by name are needed, this is an array"},
		"none":                {`{"openapi": "3.1.0"}`, "file.json: the file is empty: it has no schemas: neither components/schemas nor definitions nor $defs nor properties"},
		"too large":           {`{"A": "` + strings.Repeat("x", 1000) + `"}`, "file.json: the file is too large: at most 1000 bytes are read"},
	} {
		t.Run(name, func(t *testing.T) {
			file := "file.json"
			if test.content[0] != '{' {
				file = "file.yaml"
			}
			found, err := ingest.Schemas(t.Context(), file, strings.NewReader(test.content), ingest.Options{MaxBytes: 1000})
			var got []string
			for _, s := range found {
				got = append(got, s.Name+" "+s.Pointer)
			}
			if err != nil {
				got = []string{err.Error()}
			}
			require.Equal(t, test.want, strings.Join(got, ", "))
		})
	}
}

func ExampleSchemas() {
	schemas, err := ingest.Schemas(context.Background(), "order.json", strings.NewReader(`{"$defs": {"Order": {"properties": {"lines": {"type": "array", "items": {"$ref": "#/$defs/Line"}}}}, "Line": {"type": "object"}}}`), ingest.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, s := range schemas {
		fmt.Println(s.Name, s.Pointer, len(s.Schema.Properties))
	}
	// Output:
	// Order /$defs/Order 1
	// Line /$defs/Line 0
}
