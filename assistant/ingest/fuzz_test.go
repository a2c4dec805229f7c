package ingest_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/assistant/ingest"
	"github.com/api-assistant/api-assistant/examples/sample"
)

// check parses any bytes as a format: documents that keep all promises, or an
// *Error.
func check(t *testing.T, name string, content []byte, format ingest.Format) {
	t.Helper()
	o := ingest.Options{MaxBytes: 1 << 20, Format: format, MaxDocumentBytes: 1000}
	s, err := ingest.Parse(context.Background(), name, bytes.NewReader(content), o)
	if err != nil {
		var e *ingest.Error
		require.ErrorAs(t, err, &e)
		return
	}
	valid(t, s)
	for _, d := range s.Documents {
		require.LessOrEqual(t, len(d.Content), o.MaxDocumentBytes+maxHead, d.Pointer)
	}
}

// maxHead is what a heading may add to a document of the least size.
const maxHead = 500

// fuzz fuzzes the parser of a format with seeds and the file of that format in
// testdata.
func fuzz(f *testing.F, name string, format ingest.Format, seeds ...string) {
	if content, err := os.ReadFile("testdata/api/" + name); err == nil {
		f.Add(content)
	}
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, content []byte) { check(t, name, content, format) })
}

// FuzzParse reads any bytes under any of the known names.
func FuzzParse(f *testing.F) {
	names := []string{"a.json", "a.yaml", "a.md", "a.txt", "a", "a.html", "a.csv", "a.graphql", "a.pdf", "a.docx", "a.zip"}
	f.Add(uint8(1), sample.Bookshop)
	files, _ := filepath.Glob("../../../shared/data/specs/malformed/*")
	for _, path := range files {
		if b, err := os.ReadFile(path); err == nil && len(b) < 20_000 {
			f.Add(uint8(len(path)), b)
		}
	}
	f.Add(uint8(10), zipped(f, parts))
	f.Add(uint8(10), []byte(gzipped(tarred(f, "a.json", tiny))))
	f.Fuzz(func(t *testing.T, which uint8, content []byte) { check(t, names[int(which)%len(names)], content, "") })
}

func FuzzOpenAPI(f *testing.F) {
	fuzz(f, "a.yaml", ingest.OpenAPI, string(sample.Bookshop), tiny,
		`{"openapi":"3.1.0","paths":{"/a":{"get":{"parameters":[{"$ref":"#/paths/~1a/get/parameters/0"}]}}}}`,
		"swagger: '2.0'\npaths: {/a: {get: {responses: {200: {schema: {allOf: [{$ref: '#/definitions/a'}]}}}}}}\ndefinitions: {a: {$ref: '#/definitions/a'}}",
		"openapi: 3.0.0\npaths: {/a: {post: {callbacks: {c: {'{$url}': {post: {requestBody: {content: {x: {schema: {oneOf: [{type: object}]}}}}}}}}}}}",
		"paths: &a {<<: *a}", "openapi: 3.0.0\npaths: {/a: {get: {responses: &r {200: {$ref: '#/paths/~1a/get/responses/200'}}}}}")
}

func FuzzGraphQL(f *testing.F) {
	fuzz(f, "shop.graphql", ingest.GraphQL, "extend schema { query: Q } type Q { a(b: [C!]! = []): Q } input C { c: C }", "union U = | A\ndirective @a on FIELD", `"""`)
}

func FuzzPostman(f *testing.F) {
	fuzz(f, "shop.postman.json", ingest.Postman, `{"item": [{"request": "{{a}}/:b?c=d#e"}, {"item": [{"request": {"url": {"raw": "x", "path": "a/b", "host": "h", "port": 1}}}]}]}`)
}

func FuzzMarkdown(f *testing.F) {
	fuzz(f, "guide.md", ingest.Markdown, "# x\n\n```\n", "a\n===\nb\n---\n* * *\n[a]: b\n", "~~~ x\n"+strings.Repeat("long line\n", 300), "|a|\n|-|\n"+strings.Repeat("|b|\n", 500), "---\n---\n")
}

func FuzzHTML(f *testing.F) {
	fuzz(f, "page.html", ingest.HTML, "<table><tr><td><table><h1>a</h1></table>", "<dl><dt>a<dd>b</dl><ul><li>", "<pre>\n", "<meta charset=utf-16><p>x")
}

func FuzzCSV(f *testing.F) {
	fuzz(f, "books.csv", ingest.CSV, "a\tb\n\"c\n", ";;;\n1;2;3;4;5\n", strings.Repeat("x", 3000))
}

func FuzzData(f *testing.F) {
	fuzz(f, "data.json", ingest.JSON, `[[[1]], {"a": [1.5e3, null, "\u00e4"]}]`, "a: &a [1]\nb: [*a, *a]\n", `{"": {"": ""}}`)
}

func FuzzText(f *testing.F) {
	fuzz(f, "notes.txt", ingest.Text, strings.Repeat("word ", 600), strings.Repeat("ä", 2000), "a. b. c\n\n\n")
}

// FuzzDOCX fuzzes the XML in a DOCX file, which random bytes would never reach.
func FuzzDOCX(f *testing.F) {
	f.Add("<w:p><w:r><w:t>a</w:t></w:r></w:p>")
	f.Add(`<w:tbl><w:tr><w:tc><w:p><w:pPr><w:pStyle w:val="berschrift1"/><w:outlineLvl w:val="8"/></w:pPr><w:t>a<b/>c`)
	f.Add("</w:body><w:Fallback><w:instrText>")
	f.Fuzz(func(t *testing.T, body string) { check(t, "a.docx", zipped(t, word(body)), ingest.DOCX) })
}

// FuzzReferences fuzzes the references between the files of an upload.
func FuzzReferences(f *testing.F) {
	f.Add("b.yaml", "a.yaml#/paths", "../b.yaml#")
	f.Add("x/b.yaml", "x/b.yaml#/a/b", "%2e%2e/..//b.yaml#/%zz")
	f.Add(`..\b.yaml`, "file:///etc/passwd", `\\host\b.yaml`)
	f.Fuzz(func(t *testing.T, name, ref, back string) {
		quoted := func(s string) string { return "'" + strings.ReplaceAll(strings.ToValidUTF8(s, ""), "'", "''") + "'" }
		sources, err := ingest.ParseFiles(context.Background(), []ingest.Input{
			{Name: "a.yaml", Content: strings.NewReader("openapi: 3.0.0\npaths: {/a: {$ref: " + quoted(ref) + "}, /b: {get: {responses: {200: {$ref: " + quoted(ref) + "}}}}}")},
			{Name: name, Content: strings.NewReader("a: {b: {get: {$ref: " + quoted(back) + "}}}")},
		}, ingest.Options{})
		if err != nil {
			var e *ingest.Error
			require.ErrorAs(t, err, &e)
			return
		}
		require.Len(t, sources, 2)
	})
}
