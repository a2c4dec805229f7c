// Command quickstart answers a question about an API from its description:
//
//	go run ./examples/quickstart [-spec openapi.yaml] [question …]
//
// It prints the answer, the operations that the answer cites, and what the
// specification says of each endpoint that the answer mentions. Without -spec it
// asks about the bundled sample API.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"strings"

	"github.com/api-assistant/api-assistant/assistant"
	"github.com/api-assistant/api-assistant/examples/sample"
)

func main() {
	log.SetFlags(0)
	spec := flag.String("spec", "", "API description to read (OpenAPI, GraphQL, Postman, Markdown …)")
	flag.Parse()
	question := strings.Join(flag.Args(), " ")
	if question == "" {
		question = "How do I place an order?"
	}
	file := assistant.File{Name: "bookshop.yaml", Content: bytes.NewReader(sample.Bookshop)}
	if *spec != "" {
		f, err := os.Open(*spec)
		if err != nil {
			log.Fatal(err)
		}
		defer f.Close()
		file = assistant.File{Name: filepath.Base(*spec), Content: f}
	}
	if err := answer(context.Background(), os.Stdout, file, question); err != nil {
		log.Fatal(err)
	}
}

// answer is all that a program needs: make an assistant, give it files, ask.
func answer(ctx context.Context, w io.Writer, file assistant.File, question string) error {
	a, err := assistant.New(assistant.Config{})
	if err != nil {
		return err
	}
	defer a.Close()
	if _, err := a.Ingest(ctx, file); err != nil {
		return err
	}
	found, err := a.Ask(ctx, assistant.Question{Text: question})
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "Q: %s\n\n%s\n\nCited:\n", question, found.Text)
	for _, c := range found.Citations {
		fmt.Fprintf(w, "  [%d] %s (%s)\n", c.Number, c.Title, c.API)
	}
	fmt.Fprintln(w, "Checked against the specification:")
	for _, e := range found.Verification.Endpoints {
		fmt.Fprintf(w, "  %-12s %s\n", e.Status, e.Mention)
	}
	return nil
}
