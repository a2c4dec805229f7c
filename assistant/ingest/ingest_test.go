package ingest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/assistant/apispec"
	"github.com/api-assistant/api-assistant/assistant/ingest"
	"github.com/api-assistant/api-assistant/examples/sample"
	"github.com/api-assistant/api-assistant/vectorstore"
)

func Example() {
	file := strings.NewReader(`
openapi: 3.0.3
info: {title: Shop, version: "1"}
paths:
  /orders/{id}:
    get:
      operationId: getOrder
      summary: Get an order
      parameters: [{name: id, in: path, required: true, schema: {type: integer}}]
      responses: {"200": {description: The order}}
`)
	source, err := ingest.Parse(context.Background(), "shop.yaml", file, ingest.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, d := range source.Documents {
		fmt.Println(d.Metadata["content_type"], d.Metadata["title"])
	}
	fmt.Println(source.Documents[0].Content)

	_, err = ingest.Parse(context.Background(), "broken.yaml", strings.NewReader("openapi: 3.0.0\npaths: {\n"), ingest.Options{})
	var e *ingest.Error
	fmt.Println(errors.As(err, &e), e.Line)
	// Output:
	// endpoint GET /orders/{id}
	// api_summary Shop
	// GET /orders/{id}: Get an order
	// Needs:
	// - path id (integer, required)
	// Returns 200: The order
	// Operation id: getOrder
	//
	// true 2
}

func parseText(t *testing.T, name, text string) ingest.Source {
	t.Helper()
	s, err := ingest.Parse(t.Context(), name, strings.NewReader(text), ingest.Options{})
	require.NoError(t, err)
	return s
}

func TestProse(t *testing.T) {
	text := "Intro before any heading.\n\n# Paging\n\nLists come in pages.\n\n## Cursors\n\n" +
		strings.Repeat("A cursor says where to go on. ", 500) + "\n\n```\n# not a heading\n```\n"
	s := parseText(t, "guide.md", text)
	require.Greater(t, len(s.Documents), 3)
	all := ""
	for _, d := range s.Documents {
		require.LessOrEqual(t, len(d.Content), ingest.DefaultMaxDocumentBytes)
		require.Equal(t, "guide.md", d.Metadata["source_file"])
		require.Equal(t, "markdown", d.Metadata["source"])
		all += d.Content + "\n"
	}
	for _, part := range []string{"Intro before any heading.", "Lists come in pages.", "# not a heading"} {
		require.Contains(t, all, part)
	}
	require.GreaterOrEqual(t, strings.Count(all, "A cursor says where to go on."), 500-len(s.Documents), "nothing is lost at the cuts")
	require.Equal(t, ingest.Text, parseText(t, "notes.txt", "just a note").Format)
}

// TestIdentity: the same file gives the same ids; another source, place or
// content another one.
func TestIdentity(t *testing.T) {
	ids := func(name, text string) []string {
		var out []string
		for _, d := range parseText(t, name, text).Documents {
			out = append(out, d.ID)
		}
		return out
	}
	require.Equal(t, ids("a.yaml", string(sample.Bookshop)), ids("a.yaml", string(sample.Bookshop)))
	require.NotContains(t, ids("b.yaml", string(sample.Bookshop)), ids("a.yaml", string(sample.Bookshop))[0])
	changed := strings.Replace(string(sample.Bookshop), "summary: List books", "summary: Show books", 1)
	before, after := ids("a.yaml", string(sample.Bookshop)), ids("a.yaml", changed)
	differ := 0
	for i := range before {
		if before[i] != after[i] {
			differ++
		}
	}
	require.Equal(t, 2, differ, "the operation, and the summary that lists it")
}

func TestRefusals(t *testing.T) {
	for name, test := range map[string]struct {
		text string
		kind error
	}{
		"empty.yaml":  {"", ingest.ErrEmpty},
		"blank.md":    {" \n\t\n", ingest.ErrEmpty},
		"cut.json":    {`{"openapi": "3.0.0"`, ingest.ErrSyntax},
		"tab.yaml":    {"openapi: 3.0.0\n\tpaths: {}", ingest.ErrSyntax},
		"scalar.yaml": {"just a sentence", ingest.ErrUnsupported},
		"zero.txt":    {"text\x00with zero", ingest.ErrEncoding},
		"program.exe": {"MZ", ingest.ErrUnsupported},
		"big.txt":     {strings.Repeat("x", 2001), ingest.ErrTooLarge},
	} {
		_, err := ingest.Parse(t.Context(), name, strings.NewReader(test.text), ingest.Options{MaxBytes: 2000})
		var e *ingest.Error
		require.ErrorAs(t, err, &e, name)
		require.ErrorIs(t, err, test.kind, name)
		require.Equal(t, name, e.File)
		require.True(t, strings.HasPrefix(err.Error(), name), err)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := ingest.Parse(cancelled, "a.yaml", bytes.NewReader(sample.Bookshop), ingest.Options{})
	require.ErrorIs(t, err, context.Canceled)
}

// valid checks what every document promises.
func valid(t *testing.T, s ingest.Source) {
	t.Helper()
	seen := make(map[string]bool)
	for _, d := range s.Documents {
		require.NoError(t, vectorstore.Record{Document: d}.Validate(0))
		require.False(t, seen[d.ID], "ids are unique")
		seen[d.ID] = true
		require.True(t, utf8.ValidString(d.Content))
		require.NotEmpty(t, strings.TrimSpace(d.Content))
		for _, key := range []string{"source", "source_file", "content_type", "title", "chunk_index", "chunk_count"} {
			require.Contains(t, d.Metadata, key)
		}
		if len(d.Data) > 0 {
			var o apispec.Operation
			require.NoError(t, json.Unmarshal(d.Data, &o))
		}
	}
}

func TestDocumentsAreValid(t *testing.T) {
	valid(t, parseText(t, sample.BookshopName, string(sample.Bookshop)))
	valid(t, parseText(t, "a.md", "# A\n\ntext\n\n# A\n\ntext\n"))
}
