package diagram_test

import (
	"fmt"

	"github.com/api-assistant/api-assistant/assistant/apispec"
	"github.com/api-assistant/api-assistant/assistant/diagram"
)

func Example() {
	d := diagram.Sequence(&apispec.Operation{
		API: "Shop", Kind: apispec.HTTP, Method: "GET", Path: "/orders/{id}",
		Parameters: []apispec.Parameter{{Name: "id", In: "path", Required: true, Schema: &apispec.Schema{Types: []string{"integer"}}}},
		Responses:  []apispec.Response{{Status: "200", Description: "The order"}, {Status: "404", Description: "There is none"}},
	})
	fmt.Print(d.Code)
	// Output:
	// sequenceDiagram
	//     participant client as Client
	//     participant api as Shop
	//     client->>api: GET /orders/{id}
	//     Note over client,api: path id: integer, required
	//     alt success (200)
	//         api-->>client: 200 The order
	//     else failure (404)
	//         api-->>client: 404 There is none
	//     end
}

func ExampleER() {
	d, err := diagram.ER("type Order { id: ID! lines: [Line!]! }\ntype Line { quantity: Int }", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(d.Code)
	// Output:
	// erDiagram
	//     "Order" {
	//         ID id PK "required"
	//         Line[] lines "required"
	//     }
	//     "Line" {
	//         Int quantity
	//     }
	//     "Order" ||--o{ "Line" : "lines"
}
