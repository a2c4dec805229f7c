package openapi_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/httpapi/internal/openapi"
)

type order struct {
	ID    string    `json:"id" validate:"notblank,maxbytes=64" doc:"made by the shop"`
	Count int       `json:"count" default:"1" validate:"min=1,max=9"`
	Lines []line    `json:"lines" validate:"min=1,dive"`
	Tags  []string  `json:"tags,omitempty" validate:"max=3,dive,min=1"`
	Kind  *string   `json:"kind" validate:"omitnil,oneof=a b"`
	At    time.Time `json:"at"`
	Any   any       `json:"any"`
	Next  *order    `json:"next"`
	Own   int       `json:"-"`
}

type line struct {
	Price float64            `json:"price"`
	Notes map[string]float64 `json:"notes"`
}

func Example() {
	types := openapi.NewTypes(nil)
	doc := openapi.Document{OpenAPI: openapi.Version, Info: openapi.Info{Title: "Shop", Version: "1"}}
	doc.Add("GET", "/orders/{id}", &openapi.Operation{ID: "getOrder", Tags: []string{"orders"},
		Responses: map[string]openapi.Response{"200": {Description: "an order",
			Content: map[string]openapi.Media{"application/json": {Schema: types.Out(reflect.TypeFor[line]())}}}}})
	doc.Components.Schemas = types.Schemas
	b, err := json.Marshal(doc.Paths["/orders/{id}"]["get"].Responses["200"].Content)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(string(b))
	// Output: {"application/json":{"schema":{"$ref":"#/components/schemas/Line"}}}
}

func TestSchemas(t *testing.T) {
	in, out := openapi.NewTypes(nil), openapi.NewTypes(nil)
	require.Equal(t, "#/components/schemas/Order", in.In(reflect.TypeFor[order]()).Ref)
	out.Out(reflect.TypeFor[order]())
	require.Equal(t, []string{"id", "lines"}, in.Schemas["Order"].Required)
	require.Equal(t, []string{"id", "count", "lines", "kind", "at", "any", "next"}, out.Schemas["Order"].Required)
	b, err := json.Marshal(in.Schemas["Order"].Properties)
	require.NoError(t, err)
	require.JSONEq(t, `{
		"id": {"type": "string", "minLength": 1, "maxLength": 64, "pattern": "\\S", "description": "made by the shop"},
		"count": {"type": "integer", "minimum": 1, "maximum": 9, "default": 1},
		"lines": {"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/Line"}},
		"tags": {"type": "array", "maxItems": 3, "items": {"type": "string", "minLength": 1}},
		"kind": {"type": ["string", "null"], "enum": ["a", "b", null]},
		"at": {"type": "string", "format": "date-time"},
		"any": {},
		"next": {"anyOf": [{"$ref": "#/components/schemas/Order"}, {"type": "null"}]}
	}`, string(b))
	b, err = json.Marshal(in.Schemas["Line"].Properties["notes"])
	require.NoError(t, err)
	require.JSONEq(t, `{"type": "object", "additionalProperties": {"type": "number"}}`, string(b))
}

func TestNamesDoNotCollide(t *testing.T) {
	types := openapi.NewTypes(nil)
	first := types.Out(reflect.TypeFor[struct{ A line }]()) // without a name
	require.NotEmpty(t, first.Ref)
	a, b := types.Out(reflect.TypeFor[json.SyntaxError]()), types.Out(reflect.TypeFor[SyntaxError]())
	require.NotEqual(t, a.Ref, b.Ref)
	require.Equal(t, a.Ref, types.Out(reflect.TypeFor[json.SyntaxError]()).Ref)
}

// SyntaxError has the name of a type of encoding/json.
type SyntaxError struct{ Where int }

func TestPageEscapes(t *testing.T) {
	doc := openapi.Document{OpenAPI: openapi.Version, Info: openapi.Info{Title: "<script>alert(1)</script>", Version: "1"}}
	doc.Add("GET", "/<b>", &openapi.Operation{ID: "x", Tags: []string{"t"}, Summary: "<i>", Responses: map[string]openapi.Response{}})
	page, policy, err := doc.Page()
	require.NoError(t, err)
	require.NotContains(t, string(page), "<script>")
	require.NotContains(t, string(page), "<i>")
	require.Contains(t, policy, "default-src 'none'")
}
