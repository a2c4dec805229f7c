package apispec_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/assistant/apispec"
)

func ExampleCatalog_Check() {
	catalog := apispec.NewCatalog([]apispec.Operation{{
		Method: "POST", Path: "/orders", Servers: []string{"https://api.example.com/v1"},
		Parameters: []apispec.Parameter{{Name: "shop", In: "query", Required: true}},
		Body: &apispec.Body{Required: true, Content: []apispec.Media{{Type: "application/json", Schema: &apispec.Schema{
			Types: []string{"object"}, Properties: []apispec.Property{{Name: "isbn", Required: true}, {Name: "gift"}},
		}}}},
	}})
	checked := catalog.Check(apispec.Request{Method: "POST", URL: "https://api.example.com/v1/orders?page=1",
		Header: http.Header{"Content-Type": {"application/json"}}, Body: map[string]any{"gift": true, "color": "red"}})
	fmt.Println(checked.Status, checked.Operation.Endpoint())
	for _, p := range checked.Problems {
		fmt.Println(p)
	}
	// Output:
	// ok POST /orders
	// missing_required_parameter:query:shop
	// missing_body_field:/isbn
	// unknown_body_field:/color
}

// order is an operation with everything that can be wrong.
func order() *apispec.Operation {
	text := &apispec.Schema{Types: []string{"string"}}
	object := func(properties ...apispec.Property) *apispec.Schema {
		return &apispec.Schema{Types: []string{"object"}, Properties: properties}
	}
	line := object(apispec.Property{Name: "isbn", Required: true, Schema: text}, apispec.Property{Name: "a/b", Schema: text})
	return &apispec.Operation{
		Method: "POST", Path: "/orders/{id}",
		Parameters: []apispec.Parameter{
			{Name: "id", In: "path", Required: true}, {Name: "shop", In: "query", Required: true}, {Name: "ids", In: "query", Required: true},
			{Name: "X-Trace", In: "header", Required: true}, {Name: "Accept", In: "header", Required: true},
			{Name: "sid", In: "cookie", Required: true}, {Name: "page", In: "query"}, {Name: "api_key", In: "query", Required: true},
		},
		Body: &apispec.Body{Required: true, Content: []apispec.Media{
			{Type: "application/json; charset=utf-8", Schema: object(
				apispec.Property{Name: "name", Required: true, Schema: text},
				apispec.Property{Name: "id", Required: true, ReadOnly: true, Schema: text},
				apispec.Property{Name: "lines", Schema: &apispec.Schema{Types: []string{"array"}, Items: line}},
				apispec.Property{Name: "labels", Schema: &apispec.Schema{Types: []string{"object"}, Additional: text}},
				apispec.Property{Name: "any", Schema: &apispec.Schema{Types: []string{"object"}}},
				apispec.Property{Name: "cut", Schema: &apispec.Schema{Types: []string{"object"}, Cut: true, Properties: []apispec.Property{{Name: "x"}}}},
				apispec.Property{Name: "pay", Schema: &apispec.Schema{OneOf: []*apispec.Schema{
					object(apispec.Property{Name: "card", Required: true}), object(apispec.Property{Name: "voucher", Required: true})}}},
			)},
			{Type: "image/*"},
		}},
		Security: [][]apispec.Scheme{{{Name: "key", Type: "apiKey", In: "query", Key: "api_key"}}, {{Name: "oauth", Type: "oauth2"}}},
	}
}

func TestCheck(t *testing.T) {
	const complete = "/orders/1?shop=a&ids[]=1&api_key=k"
	header := func(more ...string) http.Header {
		h := http.Header{"x-trace": {"1"}, "Cookie": {"a=b; sid=1"}}
		for i := 0; i < len(more); i += 2 {
			h.Set(more[i], more[i+1])
		}
		return h
	}
	body := func(text string) (v any) {
		require.NoError(t, json.Unmarshal([]byte(text), &v))
		return v
	}
	for name, test := range map[string]struct {
		request apispec.Request
		want    []string
	}{
		"complete": {apispec.Request{URL: complete, Header: header(), Body: body(`{"name": "x"}`)}, nil},
		"nothing sent": {apispec.Request{URL: "/orders/1"}, []string{"missing_required_parameter:query:shop", "missing_required_parameter:query:ids",
			"missing_required_parameter:header:X-Trace", "missing_required_parameter:cookie:sid", "missing_body_field:/name", "missing_auth"}},
		"nothing known":  {apispec.Request{URL: "/orders/1", Open: apispec.OpenQuery | apispec.OpenHeader | apispec.OpenBody}, nil},
		"query apart":    {apispec.Request{URL: "/orders/1", Query: url.Values{"shop": nil, "ids": nil, "api_key": nil}, Header: header(), Body: body(`{"name": 1}`)}, nil},
		"another way in": {apispec.Request{URL: "/orders/1?shop=a&ids=1", Header: header("Authorization", "Bearer x"), Body: body(`{"name": 1}`)}, nil},
		"form":           {apispec.Request{URL: complete, Header: header(), ContentType: "application/x-www-form-urlencoded", Body: body(`{"name": "x"}`)}, []string{"wrong_content_type"}},
		"picture":        {apispec.Request{URL: complete, Header: header("Content-Type", "image/png"), Body: apispec.Unknown{}}, nil},
		"deep": {apispec.Request{URL: complete, Header: header(), Body: body(`{"name": "x", "lines": [{"isbn": "1"}, {"a/b": "", "c/d": 1}], "labels": {"free": "x"}, "any": {"thing": 1}, "cut": {"y": 1}}`)},
			[]string{"missing_body_field:/lines/1/isbn", "unknown_body_field:/lines/1/c~1d"}},
		"open body":      {apispec.Request{URL: complete, Header: header(), Body: body(`{"nome": "x"}`), Open: apispec.OpenBody}, []string{"unknown_body_field:/nome"}},
		"alternative":    {apispec.Request{URL: complete, Header: header(), Body: body(`{"name": "x", "pay": {"voucher": 1}}`)}, nil},
		"neither":        {apispec.Request{URL: complete, Header: header(), Body: body(`{"name": "x", "pay": {"cash": 1}}`)}, []string{"missing_body_field:/pay/card", "unknown_body_field:/pay/cash"}},
		"unknown values": {apispec.Request{URL: complete, Header: header(), Body: map[string]any{"name": apispec.Unknown{}, "lines": apispec.Unknown{}}}, nil},
	} {
		var got []string
		for _, p := range order().Check(test.request) {
			got = append(got, p.String())
		}
		require.Equal(t, test.want, got, name)
	}
	whole := apispec.Operation{Body: &apispec.Body{Required: true, Content: []apispec.Media{{Type: "text/plain", Schema: &apispec.Schema{Types: []string{"string"}}}}}}
	require.Equal(t, []apispec.Problem{{Kind: apispec.MissingBodyField}}, whole.Check(apispec.Request{}))
}

func TestResolveServers(t *testing.T) {
	c := apispec.NewCatalog([]apispec.Operation{
		{Method: "GET", Path: "/users/{id}", Servers: []string{"https://api.example.com/base"}},
		{Method: "GET", Path: "/users/me", Servers: []string{"https://api.example.com/base"}},
		{Method: "POST", Path: "/uploads", Servers: []string{"https://files.example.com"}},
		{Method: "GET", Path: "/regions", Servers: []string{"https://{region}.example.org/v2"}},
		{Method: "GET", Path: "/things/{id}", Servers: []string{"{{host}}"}},
		{Method: "POST", Path: "{$request.body#/url}", Kind: apispec.Callback},
	})
	for _, test := range []struct {
		method, target string
		status         apispec.Status
		operation      string
	}{
		{"GET", "https://api.example.com/base/users/123?x=1", apispec.OK, "GET /users/{id}"},
		{"GET", "https://api.example.com/base/users/me", apispec.OK, "GET /users/me"},
		{"GET", "/base/users/:id", apispec.OK, "GET /users/{id}"},
		{"GET", "/users/<id>", apispec.OK, "GET /users/{id}"},
		{"GET", "https://api.example.com/users/123", apispec.UnknownPath, ""},
		{"GET", "https://api.example.com/base/v9/users/123", apispec.UnknownPath, ""},
		{"POST", "https://files.example.com/uploads", apispec.OK, "POST /uploads"},
		{"POST", "https://api.example.com/base/uploads", apispec.UnknownPath, ""},
		{"GET", "https://eu.example.org/v2/regions", apispec.OK, "GET /regions"},
		{"GET", "https://user:pw@EU.example.org/v2/regions", apispec.OK, "GET /regions"},
		{"GET", "https://example.org/v2/regions", apispec.NotChecked, ""},
		{"GET", "https:///v2/regions", apispec.NotChecked, ""},
		{"GET", "/things/7", apispec.OK, "GET /things/{id}"},
		{"GET", "https://anywhere.test/things/7", apispec.NotChecked, ""},
		{"query", "users", apispec.NotChecked, ""},
	} {
		r := c.Resolve(test.method, test.target)
		require.Equal(t, test.status, r.Status, "%s %s", test.method, test.target)
		if test.operation != "" {
			require.Equal(t, test.operation, r.Operation.Endpoint())
		}
	}
}

func TestResolveGraphQL(t *testing.T) {
	c := apispec.NewCatalog([]apispec.Operation{
		{Kind: apispec.GraphQL, Method: "query", Path: "order"}, {Kind: apispec.GraphQL, Method: "mutation", Path: "placeOrder"},
		{Kind: apispec.GraphQL, Method: "mutation", Path: "ship", Deprecated: true},
	})
	require.Equal(t, 3, c.Len())
	require.Equal(t, apispec.OK, c.Resolve("QUERY", "order(id: 1)").Status)
	require.Equal(t, apispec.WrongMethod, c.Resolve("query", "placeOrder").Status)
	require.Equal(t, apispec.Deprecated, c.Resolve("mutation", "ship").Status)
	require.Equal(t, "mutation placeOrder", c.Resolve("mutation", "placeOrders").Nearest[0].Endpoint())
	require.Equal(t, apispec.NotChecked, c.Resolve("GET", "/order").Status, "there is no HTTP operation to compare with")
}

// FuzzCheck holds any request to the promise that a check ends and repeats itself.
func FuzzCheck(f *testing.F) {
	f.Add("/orders/1?shop=a&ids[]=1", `{"name": "x", "lines": [{"isbn": 1}]}`, "application/json", uint8(0))
	f.Add("/orders/1?%zz=&&=#?", `[1, {"pay": {}}]`, ";;", uint8(3))
	f.Fuzz(func(t *testing.T, target, body, contentType string, open uint8) {
		var v any
		_ = json.Unmarshal([]byte(body), &v) // nil is a body, too
		r := apispec.Request{URL: target, Body: v, ContentType: contentType, Open: apispec.Parts(open)}
		first := order().Check(r)
		require.Equal(t, first, order().Check(r))
		for _, p := range first {
			require.NotEmpty(t, p.String())
		}
	})
}
