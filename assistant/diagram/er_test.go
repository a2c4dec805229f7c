package diagram

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/assistant/ingest"
	"github.com/api-assistant/api-assistant/examples/sample"
)

func TestER(t *testing.T) {
	for name, test := range map[string]struct {
		schema  string
		include []string
		want    []string
		without []string
	}{
		"graphql": {schema: shopSDL, want: []string{`"Order" {`, `ID id PK "required"`, `"Order" }o--|| "Customer" : "customer"`, `"Order" ||--o{ "Line" : "lines"`, `"Order" }o--o| "Coupon" : "coupon"`,
			`"Found" ||..o| "Order" : "may be"`, `"Order" o|..|| "Node" : "implements"`, `ID orderID FK`, `"Line" }o..o| "Order" : "orderID"`, `"Customer" ||--o{ "Order" : "orders"`, `Order[] orders`, `Status status "required"`},
			without: []string{`"Query" {`, `"Status" {`}},
		"included only":       {schema: shopSDL, include: []string{"order", " Line "}, want: []string{`"Order" {`, `"Line" {`}, without: []string{`"Customer" {`, `: "customer"`}},
		"a root, on request":  {schema: shopSDL, include: []string{"Query"}, want: []string{`"Query" {`}},
		"a renamed root":      {schema: "schema { query: Q } type Q { a: A } type A { b: Int }", want: []string{`"A" {`}, without: []string{`"Q" {`}},
		"JSON Schema":         {schema: orderSchema, want: []string{`"Order" ||--o{ "Line" : "lines"`, `"Order" }o--|| "Customer" : "customer"`, `"Order" }o--o| "Order" : "replaces"`, `"Order" }o--o| "Country" : "address.country"`, `"Order" }o--o| "Card" : "paid with"`, `Card paid_with "paid with"`, `string order_id FK`, `number gr__e "größe"`, `string number "write only"`, `nullable, one of new | sent`}, without: []string{`"Money" {`}},
		"OpenAPI":             {schema: string(sample.Bookshop), want: []string{`"Book" {`, `"Order" {`}},
		"components alone":    {schema: `{"A": {"type": "object", "properties": {"b": {"$ref": "#/components/schemas/B"}}}, "B": {"properties": {"c": {"type": "string"}}}}`, want: []string{`"A" }o--o| "B" : "b"`}},
		"YAML after comments": {schema: "# x\n---\ndefinitions:\n  A: {properties: {b: {type: array, items: {$ref: '#/definitions/A'}}}}\n", want: []string{`"A" ||--o{ "A" : "b"`, `A[] b`}},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := ER(test.schema, test.include)
			require.NoError(t, err)
			valid(t, d)
			for _, part := range test.want {
				require.Contains(t, d.Code, part)
			}
			for _, part := range test.without {
				require.NotContains(t, d.Code, part)
			}
		})
	}
}

func TestERUnreadable(t *testing.T) {
	for name, test := range map[string]struct {
		schema string
		want   ingest.Error
	}{
		"empty":              {" \n", ingest.Error{Err: ingest.ErrEmpty}},
		"graphql":            {"type A {\n  b: \n}", ingest.Error{Line: 3, Column: 1, Err: ingest.ErrSyntax}},
		"json":               {"{\n \"a\": [1,}", ingest.Error{Line: 2, Column: 10, Err: ingest.ErrSyntax}},
		"schemas in a list":  {`{"components": {"schemas": [1]}}`, ingest.Error{Pointer: "/components/schemas", Err: ingest.ErrSyntax}},
		"no schema":          {`{"A": {"type": "object"}, "B": 7}`, ingest.Error{Pointer: "/B", Err: ingest.ErrUnsupported}},
		"a list":             {`[1]`, ingest.Error{Err: ingest.ErrUnsupported}},
		"openapi without":    {`{"openapi": "3.1.0", "paths": {}}`, ingest.Error{Err: ingest.ErrEmpty}},
		"nothing with names": {"scalar A", ingest.Error{Err: ingest.ErrEmpty}},
		"prose":              {"This is no schema.", ingest.Error{Line: 1, Column: 1, Err: ingest.ErrSyntax}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ER(test.schema, nil)
			var got *ingest.Error
			require.ErrorAs(t, err, &got)
			require.ErrorIs(t, err, test.want.Err)
			require.Equal(t, [3]any{test.want.Line, test.want.Column, test.want.Pointer}, [3]any{got.Line, got.Column, got.Pointer}, err)
		})
	}
	_, err := ER(shopSDL, []string{"Nothing"})
	require.ErrorIs(t, err, ingest.ErrEmpty)
	_, err = ER(strings.Repeat(" ", maxSchema+1), nil)
	require.ErrorIs(t, err, ingest.ErrTooLarge)
}

func TestERIsBounded(t *testing.T) {
	var b strings.Builder
	for i := range 300 {
		fmt.Fprintf(&b, "type T%d { hub: Hub\n", i)
		for j := range 60 {
			fmt.Fprintf(&b, " a_field_with_a_rather_long_name_%d: [[T%d]]\n", j, (i*7+j)%300)
		}
		b.WriteString("}\n")
	}
	b.WriteString("type Hub { id: ID }\ntype Lonely { id: ID }\n")
	d, err := ER(b.String(), nil)
	require.NoError(t, err)
	valid(t, d)
	require.Contains(t, d.Omitted, "Lonely", "what is related least is left out")
	shown := strings.Count(d.Code, "{\n")
	require.Equal(t, 302, shown+len(d.Omitted), "what is not drawn is named")
	require.Equal(t, fmt.Sprintf("Entities (%d of 302)", shown), d.Title)
	require.Contains(t, d.Code, "and 21 more attributes")
}

func FuzzER(f *testing.F) {
	f.Add(shopSDL)
	f.Add(orderSchema)
	f.Add("openapi: 3.0.0\ncomponents: {schemas: {A: {allOf: [{$ref: '#/components/schemas/A'}]}}}")
	f.Add(`{"$ref": "#", "type": "object", "properties": {"a": {"$ref": "#"}}}`)
	f.Add(`{"\"": {"properties": {"%%{": {"$ref": "#/%22"}}}}`)
	for _, pattern := range []string{"../ingest/testdata/api/*.graphql", "../../../shared/data/specs/malformed/*"} {
		paths, _ := filepath.Glob(pattern)
		for _, path := range paths {
			if b, err := os.ReadFile(path); err == nil && len(b) < 20_000 {
				f.Add(string(b))
			}
		}
	}
	f.Fuzz(func(t *testing.T, schema string) {
		d, err := ER(schema, nil)
		if err != nil {
			var e *ingest.Error
			require.ErrorAs(t, err, &e)
			return
		}
		valid(t, d)
	})
}
