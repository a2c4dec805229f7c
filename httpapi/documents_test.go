package httpapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/assistant"
	"github.com/api-assistant/api-assistant/httpapi"
)

func TestBulkDelete(t *testing.T) {
	h := newHandler(t, httpapi.Options{})
	ok(t, h, 201, "POST", "/documents", `{"documents": [{"id": "doc-1", "content": "a"}, {"id": "doc-2", "content": "b"}]}`)
	require.Equal(t, map[string]any{"deleted_count": 1.0, "not_found_count": 1.0, "document_ids": []any{"doc-1"}},
		ok(t, h, 200, "POST", "/documents/bulk-delete", `{"document_ids": ["doc-1", "nope", "doc-1"]}`))
	require.Equal(t, map[string]any{"deleted_count": 0.0, "not_found_count": 1.0, "document_ids": []any{}},
		ok(t, h, 200, "POST", "/documents/bulk-delete", `{"document_ids": ["doc-1"]}`))
	require.Equal(t, "doc-2", ok(t, h, 200, "GET", "/documents/doc-2", "")["id"])
}

func TestReplacedDocument(t *testing.T) {
	h := newHandler(t, httpapi.Options{})
	ok(t, h, 201, "POST", "/documents", `{"documents": [{"id": "a", "content": "one"}]}`)
	got := ok(t, h, 201, "POST", "/documents", `{"documents": [{"id": "a", "content": "two"}, {"id": "a", "content": "two"}]}`)
	require.Equal(t, []any{"a"}, got["document_ids"])
	require.Equal(t, []any{1.0, 0.0, 1.0, 1.0}, []any{got["count"], got["new_count"], got["updated_count"], got["skipped_count"]})
	require.Equal(t, "two", ok(t, h, 200, "GET", "/documents/a", "")["content"])
}

// TestAllOrNothing: one bad document keeps the others out.
func TestAllOrNothing(t *testing.T) {
	h := newHandler(t, httpapi.Options{})
	for _, bad := range []string{`{"content": ""}`, `{"content": "x", "metadata": {"n": 1e999}}`, `{"id": "good", "content": "another"}`, `{"content": "x", "metadata": {"a": {}}}`} {
		requireError(t, call(h, "POST", "/documents", `{"documents": [{"id": "good", "content": "stored?"}, `+bad+`]}`), 422, httpapi.CodeValidation)
		requireError(t, call(h, "GET", "/documents/good", ""), 404, httpapi.CodeNotFound)
	}
}

func TestOddIDs(t *testing.T) {
	h := newHandler(t, httpapi.Options{})
	for _, id := range []string{"a/b c", "a//b", "a/../b", "..", "?x=1", "#", "%2e", "ünï", "😀", "bulk-delete", "upload", strings.Repeat("x", 1024)} {
		body, err := json.Marshal(map[string]any{"documents": []any{map[string]any{"id": id, "content": "x"}}})
		require.NoError(t, err)
		ok(t, h, 201, "POST", "/documents", string(body))
		path := "/documents/" + strings.ReplaceAll(url.PathEscape(id), ".", "%2E")
		require.Equal(t, id, ok(t, h, 200, "GET", path, "")["id"])
		require.Equal(t, true, ok(t, h, 200, "DELETE", path, "")["success"], id)
	}
}

func TestExport(t *testing.T) {
	h := newHandler(t, httpapi.Options{})
	require.Equal(t, "[]\n", call(h, "GET", "/export/documents", "").Body.String())
	var documents []string
	for i := range 30 {
		documents = append(documents, fmt.Sprintf(`{"id": "d%02d", "content": "%s", "metadata": {"n": %d}}`, i, strings.Repeat("x", 5000), 9007199254740993+i))
	}
	ok(t, h, 201, "POST", "/documents", `{"documents": [`+strings.Join(documents, ",")+`]}`)
	w := call(h, "GET", "/export/documents", "")
	require.Equal(t, "application/json; charset=utf-8", w.Header().Get("Content-Type"))
	var all []struct {
		ID, Content string
		Metadata    struct{ N int64 }
	}
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &all))
	require.Len(t, all, 30)
	require.Equal(t, int64(9007199254740993+29), all[29].Metadata.N)
	require.NoError(t, json.Unmarshal(call(h, "GET", "/export/documents?limit=7", "").Body.Bytes(), &all))
	require.Len(t, all, 7)
	require.Equal(t, 200, call(h, "HEAD", "/export/documents", "").Code)
	back := newHandler(t, httpapi.Options{MaxBody: 1 << 20})
	require.Equal(t, 30.0, ok(t, back, 201, "POST", "/documents", `{"documents": `+w.Body.String()+`}`)["new_count"], "an export can be sent back")
}

func TestSources(t *testing.T) {
	h := newHandler(t, httpapi.Options{})
	require.Equal(t, []any{}, ok(t, h, 200, "GET", "/sources", "")["sources"])
	loaded := uploadSample(t, h)
	got := ok(t, h, 200, "GET", "/sources", "")
	source := got["sources"].([]any)[0].(map[string]any)
	require.Equal(t, loaded["count"], source["documents"])
	require.Equal(t, "openapi", source["format"])
	require.Equal(t, true, ok(t, h, 200, "DELETE", "/sources/"+source["name"].(string), "")["success"])
	requireError(t, call(h, "DELETE", "/sources/"+source["name"].(string), ""), 404, httpapi.CodeNotFound)
	stats := ok(t, h, 200, "GET", "/stats", "")
	require.Equal(t, 0.0, stats["collection"].(map[string]any)["total_documents"])
	require.Equal(t, 0.0, stats["index"].(map[string]any)["operations"])
}

// TestHostileUploads: names that lead elsewhere, contents that are not what
// their name says, and descriptions that would grow without end.
func TestHostileUploads(t *testing.T) {
	t.Chdir(t.TempDir()) // where a name that leads elsewhere would write
	h := newHandler(t, httpapi.Options{})
	for _, name := range []string{"../../evil.md", `..\..\evil.md`, "/etc/passwd.md", "C:\\evil.md", "a/b/../../evil.md", "....//evil.md", "%2e%2e%2fevil.md", "con.md", "~/evil.md", "$(id).md", "`id`.md", "evil.md;x.md", "|x.md", "-rf.md", "<script>.md", "'.md", "ü.md", "evil .md", strings.Repeat("x", 250) + ".md"} {
		body, contentType := form(t, file{"files", name, "# Harmless\ntext"})
		w := call(h, "POST", "/documents/upload", body, contentType)
		require.Less(t, w.Code, 500, name)
		if w.Code < 300 {
			stored := decoded(t, w)["files"].([]any)[0].(map[string]any)["name"].(string)
			require.NotContains(t, stored, "/")
			require.NotContains(t, stored, `\`)
		}
	}
	written, err := filepath.Glob("*")
	require.NoError(t, err)
	require.Empty(t, written)
	for _, refused := range []struct{ name, content string }{
		{"empty.md", ""}, {"blank.md", " \n\t\n"}, {"empty.json", ""}, {"binary.md", "\x00\x01\x02\x03"}, {"binary.txt", "MZ\x90\x00\x03\x00\x00"}, {"not.pdf", "hello"}, {"not.docx", "hello"},
		{"not.json", "hello"}, {"cut.json", `{"openapi":"3.0.0"`}, {"cut.yaml", "openapi: [3"}, {"noname", "x"}, {"a.exe", "MZ"}, {"a.md.exe", "x"}, {".md.", "x"}, {"a.tar.gz", "\x1f\x8b"},
	} {
		body, contentType := form(t, file{"files", refused.name, refused.content})
		w := call(h, "POST", "/documents/upload", body, contentType)
		require.Equal(t, 422, w.Code, "%s: %s", refused.name, w.Body)
	}
	bomb := "a: &a [x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c < 'k'; c++ {
		bomb += fmt.Sprintf("%c: &%c [*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c]\n", c, c, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1)
	}
	requireQuick(t, "YAML aliases", func() {
		body, contentType := form(t, file{"files", "bomb.yaml", "openapi: 3.0.0\ninfo: {title: T}\npaths: {}\nx:\n  " + strings.ReplaceAll(bomb, "\n", "\n  ")})
		require.Less(t, call(h, "POST", "/documents/upload", body, contentType).Code, 500)
	})
	requireQuick(t, "circular references", func() {
		body, contentType := form(t, file{"files", "circle.json", `{"openapi":"3.0.0","info":{"title":"T","version":"1"},"paths":{"/a":{"get":{"responses":{"200":{"description":"d","content":{"application/json":{"schema":{"$ref":"#/components/schemas/A"}}}}}}}},"components":{"schemas":{"A":{"properties":{"b":{"$ref":"#/components/schemas/B"}}},"B":{"properties":{"a":{"$ref":"#/components/schemas/A"}}}}}}`})
		require.Equal(t, 201, call(h, "POST", "/documents/upload", body, contentType).Code)
	})
}

// TestManyFiles: 200 files in one request, and not one more.
func TestManyFiles(t *testing.T) {
	h := newHandler(t, httpapi.Options{})
	files := make([]file, 201)
	for i := range files {
		files[i] = file{"files", fmt.Sprintf("f%03d.md", i), fmt.Sprintf("# Page %d\ntext of page %d", i, i)}
	}
	body, contentType := form(t, files[:200]...)
	w := call(h, "POST", "/documents/upload", body, contentType)
	require.Equal(t, 201, w.Code)
	require.Len(t, decoded(t, w)["files"], 200)
	body, contentType = form(t, files...)
	requireError(t, call(h, "POST", "/documents/upload", body, contentType), 413, httpapi.CodeTooLarge)
	parts := make([]file, 1001)
	for i := range parts {
		parts[i] = file{"x", "", "y"}
	}
	body, contentType = form(t, parts...)
	requireError(t, call(h, "POST", "/documents/upload", body, contentType), 413, httpapi.CodeTooLarge)
}

// TestStoreClosed: a store that is gone is 503, and nothing of its words is in
// the answers.
func TestStoreClosed(t *testing.T) {
	a, err := assistant.New(assistant.Config{})
	require.NoError(t, err)
	h := httpapi.New(a, httpapi.Options{})
	require.NoError(t, a.Close())
	for _, r := range []struct{ method, path, body string }{
		{"POST", "/search", `{"query":"a"}`}, {"GET", "/documents/x", ""}, {"GET", "/export/documents", ""}, {"GET", "/sources", ""}, {"GET", "/stats", ""},
		{"POST", "/documents", `{"documents":[{"content":"a"}]}`}, {"POST", "/chat", `{"message":"a"}`}, {"GET", "/operations", ""},
	} {
		w := call(h, r.method, r.path, r.body)
		requireError(t, w, 503, httpapi.CodeNotReady)
		require.NotContains(t, w.Body.String(), "chromem")
	}
	require.Equal(t, 503, call(h, "GET", "/ready", "").Code)
	require.Equal(t, http.StatusOK, call(h, "GET", "/health", "").Code)
}
