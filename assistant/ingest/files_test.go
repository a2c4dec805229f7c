package ingest_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/assistant/ingest"
	"github.com/api-assistant/api-assistant/vectorstore"
)

// parts are an API description in several files.
var parts = map[string]string{
	"spec/openapi.yaml": `
openapi: 3.1.0
info: {title: Split, version: "1"}
paths:
  /orders:
    $ref: paths/orders.yaml
  /orders/{id}:
    get:
      $ref: "paths/orders.yaml#/one"
webhooks:
  shipped: {post: {summary: It was shipped, responses: {}}}
`,
	"spec/paths/orders.yaml": `
get:
  summary: List orders
  parameters: [{$ref: "../shared.json#/parameters/page"}]
  responses: {"200": {description: Orders, content: {application/json: {schema: {type: array, items: {$ref: "../schemas/order.yaml"}}}}}}
one:
  summary: Get an order
  responses:
    "200": {description: It, content: {application/json: {schema: {$ref: ../schemas/order.yaml}}}}
    "404": {$ref: "../../../outside.yaml#/x"}
    "500": {$ref: "https://example.com/errors.yaml"}
    "501": {$ref: "file:///etc/passwd"}
    "502": {$ref: "/etc/passwd"}
`,
	"spec/schemas/order.yaml":     "type: object\nproperties:\n  id: {type: integer}\n  parent: {$ref: order.yaml}\n  lines: {type: array, items: {$ref: 'line%20item.yaml#/Line'}}\n",
	"spec/schemas/line item.yaml": "Line: {type: object, properties: {isbn: {type: string}}}\n",
	"spec/shared.json":            `{"parameters": {"page": {"name": "page", "in": "query", "schema": {"type": "integer"}}}}`,
	"outside.yaml":                "x: {description: from outside}\n",
	"spec/readme.md":              "# About\n\nRead me.\n",
}

func parseFiles(t *testing.T, files map[string]string) map[string]ingest.Source {
	t.Helper()
	var in []ingest.Input
	for _, name := range []string{"spec/shared.json", "spec/schemas/order.yaml", "spec/schemas/line item.yaml", "spec/readme.md", "outside.yaml", "spec/openapi.yaml", "spec/paths/orders.yaml"} {
		if content, ok := files[name]; ok {
			in = append(in, ingest.Input{Name: name, Content: strings.NewReader(content)})
		}
	}
	sources, err := ingest.ParseFiles(t.Context(), in, ingest.Options{})
	require.NoError(t, err)
	out := make(map[string]ingest.Source)
	for i, s := range sources {
		require.Equal(t, in[i].Name, s.Name, "sources are in the order of the files")
		out[s.Name] = s
	}
	return out
}

func checkParts(t *testing.T, documents []vectorstore.Document, warnings []ingest.Warning) {
	t.Helper()
	texts := make(map[any]string)
	for _, d := range documents {
		texts[d.Metadata["title"]] = d.Content
	}
	require.Contains(t, texts["GET /orders"], "- query page (integer)")
	require.Contains(t, texts["GET /orders"], "list of id, parent (schema order), lines (list of isbn)")
	require.Contains(t, texts["GET /orders/{id}"], "GET /orders/{id}: Get an order")
	require.Contains(t, texts, "POST shipped")
	require.Contains(t, texts["order"], "Schema order (object) of Split")
	all := fmt.Sprint(warnings)
	for _, ref := range []string{"https://example.com/errors.yaml", "file:///etc/passwd", "/etc/passwd"} {
		require.Contains(t, all, fmt.Sprintf("the reference %q leads out of the upload", ref))
	}
	require.NotContains(t, fmt.Sprint(documents), "root:x:0")
}

func TestFilesReferToEachOther(t *testing.T) {
	sources := parseFiles(t, parts)
	checkParts(t, sources["spec/openapi.yaml"].Documents, sources["spec/openapi.yaml"].Warnings)
	for _, name := range []string{"spec/paths/orders.yaml", "spec/shared.json", "spec/schemas/order.yaml"} {
		require.Equal(t, "spec/openapi.yaml", sources[name].PartOf)
		require.Empty(t, sources[name].Documents)
	}
	require.NotEmpty(t, sources["spec/readme.md"].Documents)

	// "../../../outside.yaml" from spec/paths is above the upload; its cleaned path is
	// never a file of it by accident.
	require.NotContains(t, sources["spec/openapi.yaml"].Documents[1].Content, "from outside")
}

// TestFlatFiles: uploads lose directories; the last part of a path is enough where
// no file has a directory.
func TestFlatFiles(t *testing.T) {
	var in []ingest.Input
	for name, content := range parts {
		in = append(in, ingest.Input{Name: name[strings.LastIndexByte(name, '/')+1:], Content: strings.NewReader(content)})
	}
	sources, err := ingest.ParseFiles(t.Context(), in, ingest.Options{})
	require.NoError(t, err)
	for _, s := range sources {
		if s.Name == "openapi.yaml" {
			checkParts(t, s.Documents, s.Warnings)
		}
	}
}

func TestArchives(t *testing.T) {
	files := map[string]string{"spec/.hidden.md": "# Hidden", "__MACOSX/x.md": "# Mac", "spec/program.exe": "MZ", "spec/broken.json": "{", "../../evil.txt": "Evil."}
	for name, content := range parts {
		files[name] = content
	}
	for _, name := range []string{"split.zip", "split"} {
		s, err := ingest.Parse(t.Context(), name, strings.NewReader(string(zipped(t, files))), ingest.Options{})
		require.NoError(t, err)
		valid(t, s)
		require.Equal(t, ingest.Archive, s.Format)
		checkParts(t, s.Documents, s.Warnings)
		require.Contains(t, fmt.Sprint(s.Warnings), name+"/spec/broken.json:1:2")
		kinds := count(s, "source")
		require.Equal(t, 1, kinds["markdown"], "hidden files are left out")
		require.Equal(t, 1, kinds["text"])
		for _, d := range s.Documents {
			require.Equal(t, name, d.Metadata["source_file"])
			require.False(t, strings.HasPrefix(d.Metadata["archive_path"].(string), ".."))
		}
	}
	packed := gzipped(tarred(t, "a/openapi.json", tiny))
	s, err := ingest.Parse(t.Context(), "a.tar.gz", strings.NewReader(packed), ingest.Options{})
	require.NoError(t, err)
	require.Equal(t, ingest.OpenAPI, s.Format, "all its files have this format")
	require.Equal(t, "a/openapi.json#/paths/~1a/get", s.Documents[0].Pointer)
	s, err = ingest.Parse(t.Context(), "a.tar", strings.NewReader(tarred(t, "a.json", tiny)), ingest.Options{})
	require.NoError(t, err)
	require.Len(t, s.Documents, 2)
}

func TestDetection(t *testing.T) {
	for name, test := range map[string]struct {
		content string
		want    ingest.Format
	}{
		"a.txt":     {"openapi: 3.0.0\npaths: {/a: {get: {}}}", ingest.OpenAPI},
		"b":         {tiny, ingest.OpenAPI},
		"c.json":    {`{"info": {"name": "x"}, "item": [{"request": "https://x/y"}]}`, ingest.Postman},
		"d.json":    {`[{"a": 1}]`, ingest.JSON},
		"e.yml":     {"a: 1", ingest.JSON},
		"f":         {"type Query {\n a: Int\n}", ingest.GraphQL},
		"g.txt":     {"<!DOCTYPE html><p>x", ingest.HTML},
		"h.md":      {"```\ntype Query {\n```\n", ingest.Markdown},
		"i":         {"just text", ingest.Text},
		"j.json":    {string(letterPDF()), ingest.PDF},
		"k.bin":     {string(letterDOCX(t)), ingest.DOCX},
		"l.CSV":     {"a,b\n1,2", ingest.CSV},
		"m.swagger": {"", ""},
	} {
		s, err := ingest.Parse(t.Context(), name, strings.NewReader(test.content), ingest.Options{})
		if test.want == "" {
			require.Error(t, err)
			continue
		}
		require.NoError(t, err, name)
		require.Equal(t, test.want, s.Format, name)
	}
}

func TestModes(t *testing.T) {
	parse := func(name, content string, o ingest.Options) (ingest.Source, error) {
		return ingest.Parse(t.Context(), name, strings.NewReader(content), o)
	}
	s, err := parse("a.json", tiny, ingest.Options{Mode: ingest.GeneralDocument})
	require.NoError(t, err)
	require.Equal(t, ingest.JSON, s.Format)
	s, err = parse("a.graphql", "type Query { a: Int }", ingest.Options{Mode: ingest.GeneralDocument})
	require.NoError(t, err)
	require.Equal(t, ingest.Text, s.Format)
	_, err = parse("a.md", "# A\n\ntext", ingest.Options{Mode: ingest.APISpec})
	require.ErrorIs(t, err, ingest.ErrUnsupported)
	s, err = parse("a.json", tiny, ingest.Options{Mode: ingest.APISpec})
	require.NoError(t, err)
	require.Equal(t, ingest.OpenAPI, s.Format)
	s, err = parse("a.json", tiny, ingest.Options{Format: ingest.Text})
	require.NoError(t, err)
	require.Equal(t, ingest.Text, s.Format)
	_, err = parse("a.json", tiny, ingest.Options{Format: "word perfect"})
	require.ErrorContains(t, err, "use one of: pdf, docx, openapi")
}

// ExampleOptions_readers adds a format of one's own.
func ExampleOptions_readers() {
	ini := ingest.Reader{Format: "ini", Extensions: []string{"ini"}, Parse: func(_ context.Context, f *ingest.File, _ ingest.Options) (ingest.Source, error) {
		text, err := f.Text()
		if err != nil {
			return ingest.Source{}, err
		}
		var s ingest.Source
		for i, line := range strings.Split(strings.TrimSpace(text), "\n") {
			s.Documents = append(s.Documents, vectorstore.Document{Pointer: fmt.Sprintf("/line/%d", i+1), Content: line})
		}
		return s, nil
	}}
	source, err := ingest.Parse(context.Background(), "app.ini", strings.NewReader("port = 80\nhost = x\n"), ingest.Options{Readers: []ingest.Reader{ini}})
	fmt.Println(source.Format, len(source.Documents), source.Documents[1].Content, err)
	// Output: ini 2 host = x <nil>
}

func TestReadersReplace(t *testing.T) {
	own := ingest.Reader{Format: ingest.CSV, Extensions: []string{"csv"}, Parse: func(context.Context, *ingest.File, ingest.Options) (ingest.Source, error) {
		return ingest.Source{Documents: []vectorstore.Document{{Content: "own"}}}, nil
	}}
	s, err := ingest.Parse(t.Context(), "a.csv", strings.NewReader("a,b\n"), ingest.Options{Readers: []ingest.Reader{own}})
	require.NoError(t, err)
	require.Equal(t, "own", s.Documents[0].Content)
	valid(t, s)
}

func TestProgress(t *testing.T) {
	var calls [][2]int
	o := ingest.Options{Progress: func(file string, done, total int) {
		require.Equal(t, "large.json", file)
		calls = append(calls, [2]int{done, total})
	}}
	_, err := ingest.Parse(t.Context(), "large.json", strings.NewReader(largeSpec(200, 10, 10)), o)
	require.NoError(t, err)
	require.Equal(t, [][2]int{{64, 200}, {128, 200}, {192, 200}, {200, 200}}, calls)
}

func TestPostmanSecrets(t *testing.T) {
	s := parseText(t, "a.json", `{"info": {"name": "x", "schema": "https://schema.getpostman.com/json/collection/v2.0.0/collection.json"},
		"auth": {"type": "basic", "basic": {"username": "joe-user", "password": "pass-of-joe"}},
		"variable": [{"id": "token", "value": "tok-123456789"}],
		"item": [{"name": "a tok-123456789", "event": [{"script": {"exec": ["set('pass-of-joe')"]}}],
			"request": {"method": "POST", "url": "https://u:p-in-url@x/y?apikey=key-in-url-1",
			"header": [{"key": "Authorization", "value": "Bearer header-token-99"}, {"key": "X-Api-Key", "value": "header-key-77"}, {"key": "Cookie", "value": "sid=cookie-5555"}],
			"body": {"mode": "raw", "raw": "{\"client_secret\": \"body-secret-1\", \"user\": {\"password\": \"body-pass-2\"}, \"t\": \"ghp_abcdefghijklmnopqrstuvwxyz0123\"}"},
			"description": "Use pass-of-joe, or Bearer abcdefghijklmnop."},
			"response": [{"code": 200, "body": "{\"refresh_token\": \"resp-refresh-3\", \"id\": 7}"}]}]}`)
	for _, d := range s.Documents {
		for _, secret := range []string{"joe-user", "pass-of-joe", "tok-123456789", "p-in-url", "key-in-url-1", "header-token-99", "header-key-77", "cookie-5555",
			"body-secret-1", "body-pass-2", "ghp_abc", "resp-refresh-3", "abcdefghijklmnop"} {
			require.NotContains(t, d.Content, secret)
			require.NotContains(t, string(d.Data), secret)
			require.NotContains(t, fmt.Sprint(d.Metadata), secret)
		}
	}
	require.Contains(t, s.Documents[0].Content, "Auth: Authorization (HTTP bearer); or basic (HTTP basic)")
	require.Contains(t, s.Documents[0].Content, `"id": 7`)
}

// TestConcurrent is for the race detector: parsers share nothing that changes.
func TestConcurrent(t *testing.T) {
	var wg sync.WaitGroup
	for _, name := range []string{"guide.md", "page.html", "shop.graphql", "shop.postman.json", "books.csv"} {
		content, err := os.ReadFile("testdata/api/" + name)
		require.NoError(t, err)
		for range 4 {
			wg.Go(func() {
				s, err := ingest.Parse(context.Background(), name, bytes.NewReader(content), ingest.Options{})
				if err != nil || len(s.Documents) == 0 {
					t.Error(name, err)
				}
			})
		}
	}
	wg.Wait()
}
