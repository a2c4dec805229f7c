package apispec_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/assistant/apispec"
)

func Example() {
	catalog := apispec.NewCatalog([]apispec.Operation{
		{API: "Shop", Method: "GET", Path: "/orders/{id}", Servers: []string{"https://api.example.com/v1"}},
	})
	r := catalog.Resolve("GET", "https://api.example.com/v1/orders/17")
	fmt.Println(r.Status, r.Operation.Endpoint())
	r = catalog.Resolve("GET", "/order/17")
	fmt.Println(r.Status, r.Nearest[0].Endpoint())
	// Output:
	// ok GET /orders/{id}
	// unknown_path GET /orders/{id}
}

// shop has what makes matching hard: literals beside variables, base paths,
// typed variables, a variable with literal text around it.
func shop() *apispec.Catalog {
	op := func(method, path string, change func(*apispec.Operation)) apispec.Operation {
		o := apispec.Operation{API: "Shop", Kind: apispec.HTTP, Method: method, Path: path,
			Servers: []string{"https://api.example.com/v1", "https://{region}.example.com/v1"}}
		if change != nil {
			change(&o)
		}
		return o
	}
	variable := func(name string, schema *apispec.Schema) func(*apispec.Operation) {
		return func(o *apispec.Operation) {
			o.Parameters = append(o.Parameters, apispec.Parameter{Name: name, In: "path", Required: true, Schema: schema})
		}
	}
	return apispec.NewCatalog([]apispec.Operation{
		op("GET", "/orders", nil),
		op("POST", "/orders", nil),
		op("GET", "/orders/{id}", variable("id", &apispec.Schema{Types: []string{"integer"}})),
		op("GET", "/orders/latest", nil),
		op("GET", "/orders/{id}/items/{item}", nil),
		op("GET", "/old", func(o *apispec.Operation) { o.Deprecated = true }),
		op("GET", "/reports/{year}.csv", nil),
		op("GET", "/by/{color}", variable("color", &apispec.Schema{Types: []string{"string"}, Enum: []any{"red", "green"}})),
		op("GET", "/files/{name}/raw", nil),
		op("GET", "/files/shared/raw", nil),
		op("GET", "/files/public/raw", nil),
		op("POST", "orderPaid", func(o *apispec.Operation) { o.Kind = apispec.Webhook }),
	})
}

func TestResolve(t *testing.T) {
	c := shop()
	require.Equal(t, 11, c.Len(), "webhooks are not called by clients")
	for _, test := range []struct {
		method, target string
		status         apispec.Status
		operation      string // or the nearest, where it does not exist
	}{
		{"GET", "/orders", apispec.OK, "GET /orders"},
		{"get", "/orders/", apispec.OK, "GET /orders"},
		{"GET", "/orders?page=2#top", apispec.OK, "GET /orders"},
		{"GET", "/v1/orders", apispec.OK, "GET /orders"},
		{"GET", "https://api.example.com/v1/orders", apispec.OK, "GET /orders"},
		{"GET", "https://API.EXAMPLE.COM/v1/orders/7", apispec.OK, "GET /orders/{id}"},
		{"GET", "https://other.example.org/v1/orders", apispec.NotChecked, ""},
		{"GET", "/orders/latest", apispec.OK, "GET /orders/latest"},
		{"GET", "/orders/{order_id}", apispec.OK, "GET /orders/{id}"},
		{"GET", "/orders/:id", apispec.OK, "GET /orders/{id}"},
		{"GET", "/orders/<id>", apispec.OK, "GET /orders/{id}"},
		{"GET", "/orders/${id}", apispec.OK, "GET /orders/{id}"},
		{"GET", "/orders/$id", apispec.OK, "GET /orders/{id}"},
		{"GET", "/orders/%d", apispec.OK, "GET /orders/{id}"},
		{"GET", "/orders/%7Bid%7D", apispec.OK, "GET /orders/{id}"},
		{"GET", "/orders/ORDER_ID", apispec.OK, "GET /orders/{id}"},
		{"GET", "/orders/17", apispec.OK, "GET /orders/{id}"},
		{"GET", "/orders/newest", apispec.UnknownPath, "GET /orders/latest"},
		{"GET", "/orders/1/items/2", apispec.OK, "GET /orders/{id}/items/{item}"},
		{"GET", "/order", apispec.UnknownPath, "GET /orders"},
		{"GET", "/orders/1/item/2", apispec.UnknownPath, "GET /orders/{id}/items/{item}"},
		{"DELETE", "/orders", apispec.WrongMethod, "GET /orders"},
		{"GET", "/old", apispec.Deprecated, "GET /old"},
		{"GET", "/reports/2024.csv", apispec.OK, "GET /reports/{year}.csv"},
		{"GET", "/reports/{year}.csv", apispec.OK, "GET /reports/{year}.csv"},
		{"GET", "/by/red", apispec.OK, "GET /by/{color}"},
		{"GET", "/by/black", apispec.UnknownPath, "GET /by/{color}"},
		{"GET", "/files/shared/raw", apispec.OK, "GET /files/shared/raw"},
		{"GET", "/files/{x}/raw", apispec.OK, "GET /files/{name}/raw"},
		{"GET", "", apispec.UnknownPath, ""},
		{"POST", "/orderPaid", apispec.UnknownPath, ""},
	} {
		r := c.Resolve(test.method, test.target)
		require.Equal(t, test.status, r.Status, "%s %s", test.method, test.target)
		switch r.Status {
		case apispec.OK, apispec.Deprecated:
			require.Equal(t, test.operation, r.Operation.Endpoint(), "%s %s", test.method, test.target)
		case apispec.UnknownPath, apispec.WrongMethod:
			if test.operation != "" {
				require.NotEmpty(t, r.Nearest, "%s %s", test.method, test.target)
				require.Equal(t, test.operation, r.Nearest[0].Endpoint(), "%s %s", test.method, test.target)
			}
		}
	}
	withoutMethod := c.Resolve("", "/orders")
	require.Equal(t, apispec.OK, withoutMethod.Status)
	require.Nil(t, withoutMethod.Operation, "two operations have this path")
	require.Len(t, withoutMethod.Candidates, 2)
	require.Equal(t, apispec.NotChecked, apispec.NewCatalog(nil).Resolve("GET", "/orders").Status)
}

// FuzzResolve holds any target to the promises of Resolution.
func FuzzResolve(f *testing.F) {
	for _, s := range []string{"/orders/{id}", "https://api.example.com/v1/orders", "//", "/%zz/{", "/reports/.csv", "?#", "/by/%72ed", "http://"} {
		f.Add("GET", s)
	}
	c := shop()
	f.Fuzz(func(t *testing.T, method, target string) {
		r := c.Resolve(method, target)
		switch r.Status {
		case apispec.OK, apispec.Deprecated:
			require.True(t, r.Operation != nil || len(r.Candidates) > 0)
		case apispec.UnknownPath:
			require.Nil(t, r.Operation)
			require.LessOrEqual(t, len(r.Nearest), 3)
		case apispec.WrongMethod, apispec.Ambiguous:
			require.NotEmpty(t, r.Candidates)
		case apispec.NotChecked:
		default:
			t.Fatalf("status %q", r.Status)
		}
	})
}
