package sample_test

import (
	"bytes"
	"context"
	"fmt"

	"github.com/api-assistant/api-assistant/assistant/ingest"
	"github.com/api-assistant/api-assistant/examples/sample"
)

func Example() {
	source, err := ingest.Parse(context.Background(), sample.BookshopName, bytes.NewReader(sample.Bookshop), ingest.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	count := make(map[any]int)
	for _, d := range source.Documents {
		count[d.Metadata["content_type"]]++
	}
	fmt.Println(count["endpoint"], count["webhook"], count["api_summary"], len(source.Warnings))
	// Output: 15 1 1 0
}
