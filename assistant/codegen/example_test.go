package codegen_test

import (
	"fmt"

	"github.com/api-assistant/api-assistant/assistant/apispec"
	"github.com/api-assistant/api-assistant/assistant/codegen"
)

func Example() {
	op := &apispec.Operation{
		API: "Bookshop", Kind: apispec.HTTP, Method: "GET", Path: "/orders/{order_id}", Summary: "Get an order",
		Servers:    []string{"https://api.bookshop.example/v1"},
		Parameters: []apispec.Parameter{{Name: "order_id", In: "path", Required: true}},
		Security:   [][]apispec.Scheme{{{Type: "http", HTTP: "bearer"}}},
	}
	snippet, err := codegen.Generate(op, codegen.Python, codegen.Options{Values: map[string]any{"order_id": "17"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(snippet.Source)
	fmt.Println("verified:", snippet.Verified)
	// Output:
	// import os
	// from urllib.parse import quote
	//
	// import requests
	//
	// # GET /orders/{order_id}: Get an order
	// order_id = "17"
	// token = os.environ["BOOKSHOP_TOKEN"]
	//
	// response = requests.get(
	//     f"https://api.bookshop.example/v1/orders/{quote(order_id, safe='')}",
	//     headers={
	//         "Authorization": f"Bearer {token}",
	//     },
	//     timeout=30,
	// )
	// if not response.ok:
	//     raise SystemExit(f"{response.status_code} {response.reason}: {response.text}")
	// print(response.status_code, response.text)
	// verified: true
}
