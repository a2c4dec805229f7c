package changes_test

import (
	"fmt"

	"github.com/api-assistant/api-assistant/assistant/apispec"
	"github.com/api-assistant/api-assistant/assistant/changes"
)

func Example() {
	text := &apispec.Schema{Types: []string{"string"}}
	before := []*apispec.Operation{
		{API: "Shop", Version: "1.0", Kind: apispec.HTTP, Method: "GET", Path: "/orders"},
		{API: "Shop", Version: "1.0", Kind: apispec.HTTP, Method: "DELETE", Path: "/orders/{id}"},
	}
	after := []*apispec.Operation{
		{API: "Shop", Version: "1.1", Kind: apispec.HTTP, Method: "GET", Path: "/orders", Parameters: []apispec.Parameter{{Name: "shop", In: "query", Required: true, Schema: text}, {Name: "q", In: "query", Schema: text}}},
		{API: "Shop", Version: "1.1", Kind: apispec.HTTP, Method: "GET", Path: "/health"},
	}
	fmt.Print(changes.Compare(before, after))
	// Output:
	// Shop 1.0 to Shop 1.1: 2 breaking, 2 other changes (major)
	//
	// Removed (1)
	//   DELETE /orders/{id}
	//     ! removed (requests to it fail)
	//
	// Changed (1)
	//   GET /orders
	//     ! query parameter shop: added, required (clients that do not send it are refused)
	//     - query parameter q: added
	//
	// Added (1)
	//   GET /health
	//     - added
}
