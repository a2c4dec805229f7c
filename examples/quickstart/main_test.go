package main

import (
	"bytes"
	"context"
	"os"

	"github.com/api-assistant/api-assistant/assistant"
	"github.com/api-assistant/api-assistant/examples/sample"
)

func Example_answer() {
	file := assistant.File{Name: "bookshop.yaml", Content: bytes.NewReader(sample.Bookshop)}
	if err := answer(context.Background(), os.Stdout, file, "How do I place an order?"); err != nil {
		panic(err)
	}
	// Output:
	// Q: How do I place an order?
	//
	// `POST /orders`: Place an order [1]
	// - Orders one or several books. The order waits for its payment; unpaid orders end after a day.
	// - Needs:
	// - header Idempotency-Key (string, uuid): Makes it safe to send the same order again.
	// - body application/json (object, required)
	//   - lines (array of object, required)
	//     - isbn (string, required)
	//     - quantity (integer, required)
	//   - address (object, required)
	// - Returns 201: The order was placed
	// - Operation id: placeOrder
	//
	// No language model is configured, so this quotes the documents.
	//
	// Cited:
	//   [1] POST /orders (Bookshop)
	// Checked against the specification:
	//   ok           POST /orders
	//   ok           placeOrder
}
