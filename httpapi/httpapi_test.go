package httpapi_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/assistant"
	"github.com/api-assistant/api-assistant/examples/sample"
	"github.com/api-assistant/api-assistant/httpapi"
)

func Example() {
	a, err := assistant.New(assistant.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer a.Close()
	handler := httpapi.New(a, httpapi.Options{})

	post := func(path, body string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest("POST", path, strings.NewReader(body)))
		return w
	}
	fmt.Println(post("/documents", `{"documents": [{"id": "doc-1", "content": "POST /orders creates an order"}]}`).Code)
	var found struct{ Results []struct{ ID string } }
	if err := json.Unmarshal(post("/search", `{"query": "create an order"}`).Body.Bytes(), &found); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(found.Results[0].ID)
	// Output:
	// 201
	// doc-1
}

func newHandler(t *testing.T, o httpapi.Options) http.Handler {
	t.Helper()
	a, err := assistant.New(assistant.Config{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, a.Close()) })
	return httpapi.New(a, o)
}

// call sends a request; header is "Name: value" lines.
func call(h http.Handler, method, path, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Add(name, value)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// ok calls with JSON and returns the decoded answer.
func ok(t *testing.T, h http.Handler, status int, method, path, body string) map[string]any {
	t.Helper()
	w := call(h, method, path, body, "Content-Type: application/json")
	require.Equal(t, status, w.Code, w.Body.String())
	var out map[string]any
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &out))
	return out
}

type file struct{ field, name, content string }

// form builds a multipart body; a file without a name is a field.
func form(t *testing.T, files ...file) (body, contentType string) {
	t.Helper()
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	for _, f := range files {
		var w io.Writer
		var err error
		if f.name == "" {
			w, err = m.CreateFormField(f.field)
		} else {
			w, err = m.CreateFormFile(f.field, f.name)
		}
		require.NoError(t, err)
		_, err = io.WriteString(w, f.content)
		require.NoError(t, err)
	}
	require.NoError(t, m.Close())
	return b.String(), "Content-Type: " + m.FormDataContentType()
}

func uploadSample(t *testing.T, h http.Handler) map[string]any {
	t.Helper()
	body, contentType := form(t, file{"files", sample.BookshopName, string(sample.Bookshop)})
	w := call(h, "POST", "/documents/upload", body, contentType)
	require.Equal(t, 201, w.Code, w.Body.String())
	var out map[string]any
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &out))
	return out
}

// requireError checks the one shape of errors.
func requireError(t *testing.T, w *httptest.ResponseRecorder, status int, code httpapi.Code) map[string]any {
	t.Helper()
	require.Equal(t, status, w.Code, w.Body.String())
	require.Equal(t, "application/json; charset=utf-8", w.Header().Get("Content-Type"))
	var out map[string]any
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &out))
	require.Equal(t, string(code), out["error"])
	require.NotEmpty(t, out["message"])
	require.Contains(t, out, "detail")
	require.Equal(t, w.Header().Get("X-Request-ID"), out["request_id"])
	return out
}

func TestHealth(t *testing.T) {
	h := newHandler(t, httpapi.Options{Version: "1.2.3"})
	got := ok(t, h, 200, "GET", "/health", "")
	require.Equal(t, "healthy", got["status"])
	require.Equal(t, "1.2.3", got["version"])
	_, err := time.Parse(time.RFC3339, got["timestamp"].(string))
	require.NoError(t, err)
	for _, feature := range []string{"hybrid_search", "reranking", "query_expansion", "diversification", "faceted_search", "filtering"} {
		require.IsType(t, true, got["features"].(map[string]any)[feature])
	}
	head := call(h, "HEAD", "/health", "")
	require.Equal(t, 200, head.Code)
	require.Empty(t, head.Body.String())
	require.Equal(t, "ready", ok(t, h, 200, "GET", "/ready", "")["status"])
}

func TestDocuments(t *testing.T) {
	h := newHandler(t, httpapi.Options{})
	body := `{"documents": [{"content": "GET /orders lists orders", "metadata": {"method": "GET", "page": 2, "big": 9007199254740993, "tags": ["a", 1], "none": null}},
		{"id": "doc-1", "content": "POST /orders creates one"}], "unknown_field": 1}`
	first := ok(t, h, 201, "POST", "/documents", body)
	require.Equal(t, 2.0, first["count"])
	require.Equal(t, 2.0, first["new_count"])
	id := first["document_ids"].([]any)[0].(string)
	require.Equal(t, "doc-1", first["document_ids"].([]any)[1])
	second := ok(t, h, 201, "POST", "/documents", body)
	require.Equal(t, first["document_ids"], second["document_ids"])
	require.Equal(t, []any{0.0, 2.0}, []any{second["new_count"], second["skipped_count"]})

	one := call(h, "GET", "/documents/"+id, "")
	require.JSONEq(t, `{"id": "`+id+`", "content": "GET /orders lists orders", "metadata": {"method": "GET", "page": 2, "big": 9007199254740993, "tags": ["a", 1], "none": null}}`, one.Body.String())
	require.Contains(t, one.Body.String(), "9007199254740993", "integers stay exact")
	require.Equal(t, 2.0, ok(t, h, 200, "GET", "/stats", "")["collection"].(map[string]any)["total_documents"])
	require.Equal(t, true, ok(t, h, 200, "DELETE", "/documents/doc-1", "")["success"])
	requireError(t, call(h, "DELETE", "/documents/doc-1", ""), 404, httpapi.CodeNotFound)
	requireError(t, call(h, "GET", "/documents/doc-1", ""), 404, httpapi.CodeNotFound)
	odd := ok(t, h, 201, "POST", "/documents", `{"documents":[{"id":"a/b c","content":"x"}]}`)
	require.Equal(t, []any{"a/b c"}, odd["document_ids"])
	require.Equal(t, "a/b c", ok(t, h, 200, "GET", "/documents/"+url.PathEscape("a/b c"), "")["id"])
}

func TestUpload(t *testing.T) {
	h := newHandler(t, httpapi.Options{MaxUpload: 64 << 10, MaxFiles: 3})
	first := uploadSample(t, h)
	report := first["files"].([]any)[0].(map[string]any)
	require.Equal(t, "openapi", report["format"])
	require.Equal(t, report["documents"], first["new_count"])
	again := uploadSample(t, h)
	require.Equal(t, first["count"], again["skipped_count"])
	require.Equal(t, first["document_ids"], again["document_ids"])

	changed := strings.Replace(string(sample.Bookshop), "summary: List books", "summary: Show books", 1)
	body, contentType := form(t, file{"files", "dir/" + sample.BookshopName, changed})
	w := call(h, "POST", "/documents/upload", body, contentType)
	require.Equal(t, 201, w.Code)
	require.Contains(t, w.Body.String(), `"updated":2`)

	total := ok(t, h, 200, "GET", "/stats", "")["collection"].(map[string]any)["total_documents"]
	for _, test := range []struct {
		what   string
		status int
		code   httpapi.Code
		files  []file
	}{
		{"one good and one bad file", 422, httpapi.CodeUnreadable, []file{{"files", "good.md", "# A\ntext"}, {"files", "bad.json", `{"openapi": "3.0.0", `}}},
		{"extension", 422, httpapi.CodeValidation, []file{{"files", "a.exe", "MZ"}}},
		{"no file", 422, httpapi.CodeValidation, []file{{"other", "a.md", "x"}}},
		{"a field", 422, httpapi.CodeValidation, []file{{"files", "", "x"}}},
		{"twice the same name", 422, httpapi.CodeValidation, []file{{"files", "a.md", "x"}, {"files", "a.md", "y"}}},
		{"too large", 413, httpapi.CodeTooLarge, []file{{"files", "a.md", strings.Repeat("x", 64<<10+1)}}},
		{"too many", 413, httpapi.CodeTooLarge, []file{{"files", "a.md", "x"}, {"files", "b.md", "x"}, {"files", "c.md", "x"}, {"files", "d.md", "x"}}},
		{"unknown format", 422, httpapi.CodeValidation, []file{{"format", "", "cobol"}, {"files", "a.md", "x"}}},
	} {
		body, contentType := form(t, test.files...)
		requireError(t, call(h, "POST", "/documents/upload", body, contentType), test.status, test.code)
	}
	require.Equal(t, total, ok(t, h, 200, "GET", "/stats", "")["collection"].(map[string]any)["total_documents"], "a refused upload stores nothing")
	requireError(t, call(h, "POST", "/documents/upload", "x", "Content-Type: multipart/form-data"), 400, httpapi.CodeBadRequest)
	requireError(t, call(h, "POST", "/documents/upload", "{}", "Content-Type: application/json"), 415, httpapi.CodeUnsupportedMedia)

	body, contentType = form(t, file{"files", "bad.json", "{\n  \"openapi\": 3,,\n}"})
	bad := requireError(t, call(h, "POST", "/documents/upload", body, contentType), 422, httpapi.CodeUnreadable)
	require.Equal(t, "bad.json", bad["detail"].(map[string]any)["file"])
	require.Equal(t, 2.0, bad["detail"].(map[string]any)["line"])
	body, contentType = form(t, file{"files", "plain.json", "# Title\ntext"})
	w = call(h, "POST", "/documents/upload?format=markdown", body, contentType)
	require.Equal(t, 201, w.Code, w.Body.String())

	body, contentType = form(t, file{"files", "notes.md", "# Title\ntext"})
	requireError(t, call(h, "POST", "/documents/upload?document_mode=api_spec", body, contentType), 422, httpapi.CodeUnreadable)
	requireError(t, call(h, "POST", "/documents/upload?document_mode=both", body, contentType), 422, httpapi.CodeValidation)
	body, contentType = form(t, file{"document_mode", "", "general_document"}, file{"files", "as-data.json", `{"openapi": "3.0.0", "paths": {"/a": {"get": {}}}}`})
	w = call(h, "POST", "/documents/upload", body, contentType)
	require.Contains(t, w.Body.String(), `"format":"json"`)
}

// TestUploadParts: the files of one upload refer to each other.
func TestUploadParts(t *testing.T) {
	h := newHandler(t, httpapi.Options{})
	body, contentType := form(t, file{"files", "openapi.yaml", "openapi: 3.0.0\ninfo: {title: T}\npaths: {/a: {$ref: 'paths/a.yaml'}, /b: {get: {responses: {200: {$ref: 'https://example.com/x'}}}}}"},
		file{"files", "a.yaml", "get: {summary: From the other file}"})
	w := call(h, "POST", "/documents/upload", body, contentType)
	require.Equal(t, 201, w.Code, w.Body.String())
	require.Contains(t, w.Body.String(), "is a part of openapi.yaml")
	require.Contains(t, w.Body.String(), "leads out of the upload")
	found := ok(t, h, 200, "POST", "/search", `{"query": "from the other file"}`)
	require.Equal(t, "GET /a", found["results"].([]any)[0].(map[string]any)["metadata"].(map[string]any)["endpoint"])
}

func TestSearch(t *testing.T) {
	h := newHandler(t, httpapi.Options{})
	uploadSample(t, h)
	got := ok(t, h, 200, "POST", "/search", `{"query": "place an order", "n_results": "3", "min_score": "0"}`)
	results := got["results"].([]any)
	require.Len(t, results, 3)
	require.Equal(t, 3.0, got["total"])
	require.Equal(t, "place an order", got["query"])
	require.Nil(t, got["expanded_query"])
	require.Equal(t, "hybrid", got["mode"])
	first := results[0].(map[string]any)
	require.Equal(t, "POST /orders", first["metadata"].(map[string]any)["endpoint"])
	require.Contains(t, first["signals"], "bm25")

	filtered := ok(t, h, 200, "POST", "/search", `{"query": "order", "n_results": 50,
		"filter": {"operator": "and", "filters": [{"field": "method", "operator": "eq", "value": "GET"}, {"field": "deprecated", "operator": "ne", "value": true}]}}`)
	require.NotEmpty(t, filtered["results"])
	for _, r := range filtered["results"].([]any) {
		require.Equal(t, "GET", r.(map[string]any)["metadata"].(map[string]any)["method"])
	}
	for _, mode := range []string{"vector", "lexical", "hybrid"} {
		require.Equal(t, mode, ok(t, h, 200, "POST", "/search", `{"query": "order", "mode": "`+mode+`"}`)["mode"])
	}
	empty := ok(t, h, 200, "POST", "/search", `{"query": "zzzz"}`)
	require.Equal(t, []any{}, empty["results"], "an empty list, never null")
}

func TestChat(t *testing.T) {
	h := newHandler(t, httpapi.Options{})
	uploadSample(t, h)
	multi, multiType := form(t, file{"message", "", "How do I place an order?"}, file{"conversation_history", "", `[{"role":"user","content":"hi"}]`},
		file{"files", "a.md", "# ignored here"})
	for _, test := range []struct{ body, contentType string }{
		{`{"message": "How do I place an order?", "conversation_history": [{"role": "user", "content": "hi"}]}`, "Content-Type: application/json"},
		{"message=How+do+I+place+an+order%3F&n_results=4&enable_url_scraping=false", "Content-Type: application/x-www-form-urlencoded"},
		{multi, multiType},
	} {
		w := call(h, "POST", "/chat", test.body, test.contentType)
		require.Equal(t, 200, w.Code, w.Body.String())
		var got map[string]any
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &got))
		for _, key := range []string{"response", "sources", "scraped_urls", "failed_urls", "indexed_docs", "context_results", "session_id", "timestamp"} {
			require.Contains(t, got, key)
		}
		require.Equal(t, true, got["grounded"])
		source := got["sources"].([]any)[0].(map[string]any)
		require.Equal(t, "POST /orders", source["title"])
		require.Equal(t, 1.0, source["citation"])
		check := got["verification"].(map[string]any)["endpoints"].([]any)[0].(map[string]any)
		require.Equal(t, "ok", check["status"])
		require.Equal(t, "placeOrder", check["operation_id"])
	}
	requireError(t, call(h, "POST", "/chat", "message=a&filter=%7B", "Content-Type: application/x-www-form-urlencoded"), 422, httpapi.CodeValidation)
	requireError(t, call(h, "POST", "/chat", "%zz", "Content-Type: application/x-www-form-urlencoded"), 400, httpapi.CodeBadRequest)
}

func TestRoutes(t *testing.T) {
	h := newHandler(t, httpapi.Options{})
	for _, path := range []string{"/", "/nothing", "/search/", "//search", "/a/../search", "/documents/"} {
		requireError(t, call(h, "POST", path, "{}"), 404, httpapi.CodeNotFound)
	}
	w := call(h, "DELETE", "/search", "")
	requireError(t, w, 405, httpapi.CodeMethodNotAllowed)
	require.Equal(t, "POST", w.Header().Get("Allow"))
	w = call(h, "POST", "/health", "")
	requireError(t, w, 405, httpapi.CodeMethodNotAllowed)
	require.Equal(t, "GET, HEAD", w.Header().Get("Allow"))
	require.Equal(t, "abc-1", call(h, "GET", "/health", "", "X-Request-ID: abc-1").Header().Get("X-Request-ID"))
	for _, bad := range []string{strings.Repeat("x", 129), "a b", "<script>"} {
		id := call(h, "GET", "/health", "", "X-Request-ID: "+bad).Header().Get("X-Request-ID")
		require.NotEmpty(t, id)
		require.NotEqual(t, bad, id)
	}
}

// FuzzBody sends any body to every path that takes one: the answer is JSON, and
// never an internal error.
func FuzzBody(f *testing.F) {
	paths := bodies
	f.Add(uint8(0), []byte(`{"query":"a","filter":{"operator":"not","filters":[{"field":"m","operator":"in","value":[1]}]}}`))
	f.Add(uint8(2), []byte(`{"documents":[{"id":"a","content":"b","metadata":{"x":[1,null,"s"]}}]}`))
	f.Add(uint8(4), []byte(`{"message":"a","conversation_history":"[]","n_results":"5"}`))
	f.Add(uint8(5), []byte(`{"text":"GET /orders"}`))
	a, err := assistant.New(assistant.Config{})
	if err != nil {
		f.Fatal(err)
	}
	defer a.Close()
	h := httpapi.New(a, httpapi.Options{})
	f.Fuzz(func(t *testing.T, which uint8, body []byte) {
		w := call(h, "POST", paths[int(which)%len(paths)], string(body))
		require.Less(t, w.Code, 500, w.Body.String())
		require.True(t, json.Valid(w.Body.Bytes()))
	})
}

// decoded is the body of an answer.
func decoded(t *testing.T, w *httptest.ResponseRecorder) map[string]any {
	t.Helper()
	var out map[string]any
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &out), w.Body.String())
	return out
}
