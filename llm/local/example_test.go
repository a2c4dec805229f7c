package local_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/api-assistant/api-assistant/llm/local"
)

func Example() {
	model, err := local.Open(os.Getenv("LOCAL_MODEL_DIR"), local.Options{})
	if errors.Is(err, fs.ErrNotExist) {
		fmt.Println("GET /orders is the nearest") // no model here: what it would say
		return
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	vectors, err := model.Embed(context.Background(), []string{
		"How do I list orders?", "GET /orders returns the orders of a customer", "POST /login opens a session",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	if dot(vectors[0], vectors[1]) > dot(vectors[0], vectors[2]) {
		fmt.Println("GET /orders is the nearest")
	}
	// Output: GET /orders is the nearest
}
