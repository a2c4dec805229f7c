package httpapi_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/assistant/codegen"
	"github.com/api-assistant/api-assistant/httpapi"
)

func TestOperations(t *testing.T) {
	h := newHandler(t, httpapi.Options{})
	require.Equal(t, []any{}, ok(t, h, 200, "GET", "/operations", "")["operations"])
	uploadSample(t, h)
	all := ok(t, h, 200, "GET", "/operations", "")
	require.Equal(t, float64(len(all["operations"].([]any))), all["total"])
	one := ok(t, h, 200, "GET", "/operations?q=place+ORDER&limit=1", "")
	require.Equal(t, 1.0, one["total"])
	require.Equal(t, map[string]any{"id": "placeOrder", "operation_id": "placeOrder", "api": "Bookshop", "method": "POST", "path": "/orders",
		"summary": "Place an order", "tags": []any{"orders"}, "deprecated": false}, one["operations"].([]any)[0])
	require.Equal(t, 0.0, ok(t, h, 200, "GET", "/operations?api=Other", "")["total"])
	require.Len(t, ok(t, h, 200, "GET", "/operations?limit=2", "")["operations"], 2)

	document := ok(t, h, 200, "POST", "/search", `{"query": "place an order", "n_results": 1}`)["results"].([]any)[0].(map[string]any)["id"].(string)
	for _, id := range []string{"placeOrder", "POST /orders", "post /orders", document} {
		got := ok(t, h, 200, "GET", "/operations/"+url.PathEscape(id), "")
		require.Equal(t, "placeOrder", got["operation_id"], id)
		require.NotEmpty(t, got["responses"])
	}
	requireError(t, call(h, "GET", "/operations/placeOrder?api=Other", ""), 404, httpapi.CodeNotFound)

	body, contentType := form(t, file{"files", "second.yaml", "openapi: 3.0.0\ninfo: {title: Second, version: '1'}\npaths: {/orders: {post: {operationId: placeOrder, responses: {'200': {description: d}}}}}"})
	require.Equal(t, 201, call(h, "POST", "/documents/upload", body, contentType).Code)
	got := requireError(t, call(h, "GET", "/operations/placeOrder", ""), 409, httpapi.CodeConflict)
	require.Len(t, got["detail"].(map[string]any)["candidates"], 2)
	require.Equal(t, "Second", ok(t, h, 200, "GET", "/operations/placeOrder?api=Second", "")["api"])
}

func TestGenerate(t *testing.T) {
	h := newHandler(t, httpapi.Options{})
	uploadSample(t, h)
	for _, language := range codegen.Languages() {
		got := ok(t, h, 200, "POST", "/generate", `{"operation_id": "placeOrder", "language": "`+string(language)+`"}`)
		require.Equal(t, string(language), got["language"])
		require.Equal(t, true, got["verified"], got["problems"])
		require.Equal(t, []any{}, got["problems"])
		require.Contains(t, got["source"], "/orders")
		require.Equal(t, "POST /orders", got["operation"])
	}
	got := ok(t, h, 200, "POST", "/generate", `{"method": "get", "path": "/orders/17", "language": "JS", "api": null}`)
	require.Equal(t, "GET /orders/{order_id}", got["operation"])
	got = ok(t, h, 200, "POST", "/generate", `{"method": "GET", "path": "/orders/{order_id}", "language": "curl", "base_url": "https://staging.example.com", "values": {"order_id": 4711}}`)
	require.Contains(t, got["source"], "https://staging.example.com/orders/")
	require.Contains(t, got["source"], "4711")
	requireError(t, call(h, "POST", "/generate", `{"operation_id": "nope", "language": "go"}`), 404, httpapi.CodeNotFound)
	requireError(t, call(h, "POST", "/generate", `{"method": "GET", "path": "/nope", "language": "go"}`), 404, httpapi.CodeNotFound)
}

func TestVerify(t *testing.T) {
	h := newHandler(t, httpapi.Options{})
	require.JSONEq(t, `{"endpoints": [], "code": []}`, call(h, "POST", "/verify", `{"text": "GET /orders"}`).Body.String())
	uploadSample(t, h)
	got := ok(t, h, 200, "POST", "/verify", `{"text": "First GET /orders, then GET /order/17.\n`+"```python\\nrequests.post('https://api.bookshop.example/v1/orders', json={'nonsense': 1})\\n```"+`"}`)
	checks := got["endpoints"].([]any)
	require.Equal(t, "ok", checks[0].(map[string]any)["status"])
	wrong := checks[1].(map[string]any)
	require.Equal(t, "unknown_path", wrong["status"])
	require.Equal(t, "GET /order/17", wrong["mention"])
	require.Contains(t, wrong["nearest"], "GET /orders/{order_id}")
	code := got["code"].([]any)[0].(map[string]any)
	require.Equal(t, "POST /orders", code["operation"])
	require.Contains(t, code["problems"], "unknown_body_field:/nonsense")
}

func TestDiagrams(t *testing.T) {
	h := newHandler(t, httpapi.Options{})
	uploadSample(t, h)
	for _, d := range []struct{ path, body, kind, has string }{
		{"sequence", `{"endpoint_id": "placeOrder"}`, "sequence", "/orders"},
		{"sequence", `{"endpoint_id": "GET /orders/{order_id}"}`, "sequence", "order_id"},
		{"auth-flow", `{"auth_type": "bearer"}`, "sequence", "sequenceDiagram"},
		{"auth-flow", `{"auth_type": "oauth2", "endpoints": ["POST /orders"]}`, "sequence", "sequenceDiagram"},
		{"auth-flow", `{"auth_type": "apikey", "endpoints": []}`, "sequence", "sequenceDiagram"},
		{"auth-flow", `{"auth_type": "basic", "endpoints": null}`, "sequence", "sequenceDiagram"},
		{"er", `{"schema_content": "type Order { id: ID! lines: [Line!]! } type Line { quantity: Int! }", "include_types": ["Order", "Line"]}`, "er", "Order"},
		{"overview", `{"api_title": "Shop", "endpoints": [{"path": "/orders", "method": "GET", "tags": ["orders"]}]}`, "flowchart", "orders"},
	} {
		got := ok(t, h, 200, "POST", "/diagrams/"+d.path, d.body)
		require.Equal(t, d.kind, got["diagram_type"])
		require.Contains(t, got["mermaid_code"], d.has)
		require.NotEmpty(t, got["title"])
	}
	requireError(t, call(h, "POST", "/diagrams/sequence", `{"endpoint_id": "nope"}`), 404, httpapi.CodeNotFound)
	requireError(t, call(h, "POST", "/diagrams/er", `{"schema_content": "type Order {"}`), 422, httpapi.CodeUnreadable)
}

func TestGaps(t *testing.T) {
	h := newHandler(t, httpapi.Options{})
	require.Equal(t, 100.0, ok(t, h, 200, "GET", "/gaps", "")["score"])
	body, contentType := form(t, file{"files", "bare.yaml", "openapi: 3.0.0\ninfo: {title: Bare, version: '1'}\npaths: {/a: {post: {responses: {'200': {description: ''}}}}}"})
	require.Equal(t, 201, call(h, "POST", "/documents/upload", body, contentType).Code)
	got := ok(t, h, 200, "GET", "/gaps?api=Bare", "")
	require.Less(t, got["score"], 100.0)
	require.Equal(t, "POST /a", got["gaps"].([]any)[0].(map[string]any)["endpoint"])
	require.Equal(t, 0.0, ok(t, h, 200, "GET", "/gaps?api=Other", "")["operations"])
}

func TestFaceted(t *testing.T) {
	h := newHandler(t, httpapi.Options{})
	var documents []string
	for _, method := range []string{"GET", "GET", "GET", "POST"} {
		documents = append(documents, `{"content": "`+method+` orders `+strings.Repeat("x", len(documents)+1)+`", "metadata": {"method": "`+method+`", "tags": ["a", "b"]}}`)
	}
	documents = append(documents, `{"content": "about customers", "metadata": {"method": "PUT"}}`)
	ok(t, h, 201, "POST", "/documents", `{"documents": [`+strings.Join(documents, ",")+`]}`)
	w := call(h, "POST", "/search/faceted", `{"query": "orders", "facet_fields": ["method", "tags", "none"], "n_results": 1, "filter": null, "top_facet_values": 2}`)
	got := decoded(t, w)
	require.Len(t, got["results"], 1)
	require.Equal(t, "orders", got["query"])
	require.Equal(t, map[string]any{
		"method": map[string]any{"field": "method", "total_docs": 4.0, "values": []any{
			map[string]any{"value": "GET", "count": 3.0, "percentage": 75.0}, map[string]any{"value": "POST", "count": 1.0, "percentage": 25.0}}},
		"tags": map[string]any{"field": "tags", "total_docs": 4.0, "values": []any{
			map[string]any{"value": "a", "count": 4.0, "percentage": 100.0}, map[string]any{"value": "b", "count": 4.0, "percentage": 100.0}}},
		"none": map[string]any{"field": "none", "total_docs": 0.0, "values": []any{}},
	}, got["facets"], "all matches count, not only those returned")
}
