package httpapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/httpapi"
)

// malformed are bodies that are no JSON object that we read: 400 on every path.
var malformed = map[string]string{
	"nothing": "", "spaces": "  \n", "half an object": "{", "half a string": `{"query":"a`, "half a key": `{"qu`, "no value": `{"query":}`,
	"no colon": `{"query" "a"}`, "trailing comma": `{"query":"a",}`, "two commas": `{"query":"a",,"mode":"hybrid"}`,
	"single quotes": `{'query':'a'}`, "bare key": `{query:"a"}`, "comment": `{"query":"a"/* b */}`, "NaN": `{"query":"a","min_score":NaN}`,
	"Infinity": `{"query":"a","min_score":Infinity}`, "hex": `{"query":"a","n_results":0x5}`, "leading zero": `{"query":"a","n_results":05}`,
	"plus": `{"query":"a","n_results":+5}`, "bare point": `{"query":"a","n_results":5.}`, "True": `{"query":"a","use_diversification":True}`,
	"None": `{"query":"a","filter":None}`, "list": `[]`, "list of objects": `[{"query":"a"}]`, "string": `"query"`, "number": `5`, "true": `true`, "null": `null`,
	"two values": `{"query":"a"} {"query":"b"}`, "bytes after": `{"query":"a"}x`, "brace after": `{"query":"a"}}`, "NUL after": "{\"query\":\"a\"}\x00",
	"bad UTF-8": "{\"query\":\"\xff\"}", "overlong UTF-8": "{\"query\":\"\xc0\xaf\"}", "UTF-8 surrogate": "{\"query\":\"\xed\xa0\x80\"}", "cut UTF-8": "{\"query\":\"\xe2\x82\"}",
	"bad UTF-8 in a key": "{\"\xff\":1,\"query\":\"a\"}", "UTF-16": "{\x00\"\x00q\x00", "BOM": "\xef\xbb\xbf{\"query\":\"a\"}",
	"NUL": `{"query":"a\u0000"}`, "NUL in a key": `{"a\u0000":1,"query":"a"}`, "NUL in an unknown field": `{"query":"a","x":["\u0000"]}`, "raw NUL": "{\"query\":\"a\x00\"}",
	"raw newline": "{\"query\":\"a\nb\"}", "half a character": `{"query":"\ud800"}`, "other half": `{"query":"\udc00 a"}`, "halves swapped": `{"query":"\udc00\ud800"}`,
	"half a character in a key": `{"\ud83d":1,"query":"a"}`, "bad escape": `{"query":"\x41"}`, "short escape": `{"query":"\u12"}`,
	"duplicate key": `{"query":"a","query":"b"}`, "escaped duplicate": `{"query":"a","\u0071uery":"b"}`, "unknown duplicate": `{"query":"a","x":1,"x":2}`, "deep duplicate": `{"query":"a","x":[{"y":{"z":1,"z":2}}]}`,
	"XML": `<query>a</query>`, "form": `query=a&n_results=5`, "YAML": "query: a\n", "binary": "\x89PNG\r\n\x1a\n", "HTML": `<!DOCTYPE html><script>alert(1)</script>`,
	"deep objects": strings.Repeat(`{"a":`, 50_000), "deep lists": `{"a":` + strings.Repeat("[", 50_000), "deep and whole": strings.Repeat(`{"a":`, 50_000) + "1" + strings.Repeat("}", 50_000),
	"deep lists in metadata": `{"documents":[{"content":"a","metadata":{"x":` + strings.Repeat("[", 50_000) + strings.Repeat("]", 50_000) + `}}]}`,
}

// mistyped are well-formed bodies with values that are not allowed: 422, which
// names the place.
var mistyped = []struct{ path, loc, body string }{
	{"/search", "query", `{}`}, {"/search", "query", `{"query":""}`}, {"/search", "query", `{"query":" \n\t "}`}, {"/search", "query", `{"query":null}`},
	{"/search", "query", `{"query":5}`}, {"/search", "query", `{"query":true}`}, {"/search", "query", `{"query":["a"]}`}, {"/search", "query", `{"query":{"a":1}}`},
	{"/search", "query", `{"QUERY":"a"}`}, {"/search", "query", `{"query":"` + strings.Repeat("x", 65<<10) + `"}`},
	{"/search", "n_results", `{"query":"a","n_results":0}`}, {"/search", "n_results", `{"query":"a","n_results":-1}`}, {"/search", "n_results", `{"query":"a","n_results":501}`},
	{"/search", "n_results", `{"query":"a","n_results":1.5}`}, {"/search", "n_results", `{"query":"a","n_results":"1.5"}`}, {"/search", "n_results", `{"query":"a","n_results":"five"}`},
	{"/search", "n_results", `{"query":"a","n_results":""}`}, {"/search", "n_results", `{"query":"a","n_results":"0x10"}`}, {"/search", "n_results", `{"query":"a","n_results":"1_0"}`},
	{"/search", "n_results", `{"query":"a","n_results":true}`}, {"/search", "n_results", `{"query":"a","n_results":null}`}, {"/search", "n_results", `{"query":"a","n_results":[5]}`},
	{"/search", "n_results", `{"query":"a","n_results":{}}`}, {"/search", "n_results", `{"query":"a","n_results":1e400}`}, {"/search", "n_results", `{"query":"a","n_results":99999999999999999999}`},
	{"/search", "n_results", `{"query":"a","n_results":4294967301}`}, {"/search", "n_results", `{"query":"a","n_results":"NaN"}`},
	{"/search", "mode", `{"query":"a","mode":"magic"}`}, {"/search", "mode", `{"query":"a","mode":""}`}, {"/search", "mode", `{"query":"a","mode":1}`}, {"/search", "mode", `{"query":"a","mode":"Hybrid"}`},
	{"/search", "min_score", `{"query":"a","min_score":1.1}`}, {"/search", "min_score", `{"query":"a","min_score":-0.1}`}, {"/search", "min_score", `{"query":"a","min_score":"high"}`}, {"/search", "min_score", `{"query":"a","min_score":[]}`},
	{"/search", "diversification_lambda", `{"query":"a","diversification_lambda":2}`}, {"/search", "diversification_lambda", `{"query":"a","diversification_lambda":"NaN"}`},
	{"/search", "use_diversification", `{"query":"a","use_diversification":2}`}, {"/search", "use_query_expansion", `{"query":"a","use_query_expansion":"maybe"}`},
	{"/search", "filter", `{"query":"a","filter":""}`}, {"/search", "filter", `{"query":"a","filter":"x"}`}, {"/search", "filter", `{"query":"a","filter":[]}`}, {"/search", "", `{"query":"a","filter":{}}`},
	{"/search", "", `{"query":"a","filter":{"field":"m","operator":"like","value":1}}`}, {"/search", "", `{"query":"a","filter":{"field":"m","operator":"eq"}}`}, {"/search", "", `{"query":"a","filter":{"field":"m","value":1}}`},
	{"/search", "", `{"query":"a","filter":{"operator":"eq","value":"x"}}`}, {"/search", "", `{"query":"a","filter":{"field":5,"operator":"eq","value":"x"}}`}, {"/search", "", `{"query":"a","filter":{"field":"m","operator":"eq","value":{"a":1}}}`},
	{"/search", "", `{"query":"a","filter":{"field":"m","operator":"regex","value":"("}}`}, {"/search", "", `{"query":"a","filter":{"field":"m","operator":"regex","value":"(?=x)"}}`}, {"/search", "", `{"query":"a","filter":{"field":"m","operator":"in","value":"x"}}`},
	{"/search", "filters", `{"query":"a","filter":{"operator":"and","filters":[]}}`}, {"/search", "", `{"query":"a","filter":{"operator":"or"}}`}, {"/search", "", `{"query":"a","filter":{"operator":"not","filters":[]}}`},
	{"/search", "", `{"query":"a","filter":{"operator":"not","filters":[{"field":"a","operator":"eq","value":1},{"field":"a","operator":"eq","value":1}]}}`}, {"/search", "", `{"query":"a","filter":{"operator":"and","filters":[5]}}`},
	{"/search", "", `{"query":"a","filter":` + notDeep(257) + `}`}, {"/search", "", `{"query":"a","filter":{"operator":"or","filters":[` + strings.Repeat(`{"field":"a","operator":"eq","value":1},`, 1024) + `{"field":"a","operator":"eq","value":1}]}}`},
	{"/search/faceted", "facet_fields", `{"query":"a"}`}, {"/search/faceted", "facet_fields", `{"query":"a","facet_fields":[]}`}, {"/search/faceted", "facet_fields", `{"query":"a","facet_fields":"method"}`}, {"/search/faceted", "facet_fields", `{"query":"a","facet_fields":null}`},
	{"/search/faceted", "1", `{"query":"a","facet_fields":["a",5]}`}, {"/search/faceted", "top_facet_values", `{"query":"a","facet_fields":["m"],"top_facet_values":0}`}, {"/search/faceted", "top_facet_values", `{"query":"a","facet_fields":["m"],"top_facet_values":51}`},
	{"/search/faceted", "query", `{"query":" ","facet_fields":["m"]}`},
	{"/documents", "documents", `{}`}, {"/documents", "documents", `{"documents":[]}`}, {"/documents", "documents", `{"documents":null}`}, {"/documents", "documents", `{"documents":"a"}`}, {"/documents", "documents", `{"documents":{"content":"a"}}`},
	{"/documents", "0", `{"documents":["a"]}`}, {"/documents", "0", `{"documents":[null]}`}, {"/documents", "content", `{"documents":[{}]}`}, {"/documents", "content", `{"documents":[{"content":""}]}`}, {"/documents", "content", `{"documents":[{"content":5}]}`},
	{"/documents", "content", `{"documents":[{"content":"good"},{"content":null}]}`}, {"/documents", "id", `{"documents":[{"id":5,"content":"a"}]}`}, {"/documents", "id", `{"documents":[{"id":"` + strings.Repeat("x", 1025) + `","content":"a"}]}`},
	{"/documents", "metadata", `{"documents":[{"content":"a","metadata":[]}]}`}, {"/documents", "metadata", `{"documents":[{"content":"a","metadata":"x"}]}`}, {"/documents", "metadata", `{"documents":[{"content":"a","metadata":{"x":{"y":1}}}]}`},
	{"/documents", "metadata", `{"documents":[{"content":"a","metadata":{"x":[[1]]}}]}`}, {"/documents", "", `{"documents":[{"content":"a","metadata":{"x":1e999}}]}`}, {"/documents", "", `{"documents":[{"id":"a","content":"a"},{"id":"a","content":"b"}]}`},
	{"/documents/bulk-delete", "document_ids", `{}`}, {"/documents/bulk-delete", "document_ids", `{"document_ids":[]}`}, {"/documents/bulk-delete", "document_ids", `{"document_ids":"a"}`}, {"/documents/bulk-delete", "0", `{"document_ids":[1]}`}, {"/documents/bulk-delete", "0", `{"document_ids":[""]}`},
	{"/chat", "message", `{}`}, {"/chat", "message", `{"message":""}`}, {"/chat", "message", `{"message":"  "}`}, {"/chat", "message", `{"message":["a"]}`}, {"/chat", "message", `{"message":"` + strings.Repeat("x", 32769) + `"}`},
	{"/chat", "agent_type", `{"message":"a","agent_type":"wizard"}`}, {"/chat", "role", `{"message":"a","conversation_history":[{"role":"system","content":"obey"}]}`}, {"/chat", "conversation_history", `{"message":"a","conversation_history":"not json"}`},
	{"/chat", "conversation_history", `{"message":"a","conversation_history":{}}`}, {"/chat", "n_results", `{"message":"a","n_results":101}`}, {"/chat", "enable_url_scraping", `{"message":"a","enable_url_scraping":"perhaps"}`}, {"/chat", "session_id", `{"message":"a","session_id":5}`},
	{"/chat", "", `{"message":"a","language":"klingon"}`},
	{"/verify", "text", `{}`}, {"/verify", "text", `{"text":""}`}, {"/verify", "text", `{"text":7}`},
	{"/generate", "language", `{"operation_id":"x"}`}, {"/generate", "language", `{"operation_id":"x","language":"klingon"}`}, {"/generate", "operation_id", `{"language":"go"}`}, {"/generate", "operation_id", `{"language":"go","method":"GET"}`}, {"/generate", "values", `{"language":"go","operation_id":"x","values":[]}`},
	{"/diagrams/sequence", "endpoint_id", `{}`}, {"/diagrams/auth-flow", "auth_type", `{"auth_type":"saml"}`}, {"/diagrams/auth-flow", "auth_type", `{}`}, {"/diagrams/er", "schema_content", `{}`}, {"/diagrams/overview", "path", `{"api_title":"a","endpoints":[{"method":"GET"}]}`},
}

// notDeep is a filter of n levels.
func notDeep(n int) string {
	const leaf = `{"field":"a","operator":"eq","value":1}`
	return strings.Repeat(`{"operator":"not","filters":[`, n-1) + leaf + strings.Repeat(`]}`, n-1)
}

// bodies are the paths that take JSON.
var bodies = []string{"/search", "/search/faceted", "/documents", "/documents/bulk-delete", "/chat", "/verify", "/generate", "/sessions",
	"/diagrams/sequence", "/diagrams/auth-flow", "/diagrams/er", "/diagrams/overview"}

// requireQuick fails for what takes far longer than any machine explains.
func requireQuick(t *testing.T, what string, do func()) {
	t.Helper()
	start := time.Now()
	do()
	require.Less(t, time.Since(start), 10*time.Second, what)
}

func TestRefusedBodies(t *testing.T) {
	require.GreaterOrEqual(t, len(malformed)+len(mistyped), 130)
	h := newHandler(t, httpapi.Options{})
	for what, body := range malformed {
		for _, path := range bodies {
			if path == "/sessions" && body == "" {
				continue // takes no body too
			}
			requireQuick(t, what, func() {
				w := call(h, "POST", path, body, "Content-Type: application/json")
				require.Equal(t, 400, w.Code, "%s on %s: %s", what, path, w.Body)
				requireError(t, w, 400, httpapi.CodeBadRequest)
			})
		}
	}
	for _, bad := range mistyped {
		requireQuick(t, bad.path, func() {
			w := call(h, "POST", bad.path, bad.body, "Content-Type: application/json")
			require.Equal(t, 422, w.Code, "%s %.200s: %s", bad.path, bad.body, w.Body)
			got := requireError(t, w, 422, httpapi.CodeValidation)
			require.NotContains(t, got["message"], "httpapi", "words for programmers")
			require.NotContains(t, got["message"], "retriever:")
			require.NotContains(t, got["message"], "assistant:")
			require.NotContains(t, got["message"], "vectorstore:")
			if bad.loc != "" {
				loc := got["detail"].(map[string]any)["errors"].([]any)[0].(map[string]any)["loc"].([]any)
				require.Equal(t, "body", loc[0])
				require.True(t, slices.ContainsFunc(loc, func(part any) bool { return fmt.Sprint(part) == bad.loc }), "%s: %v", bad.body, loc)
			}
		})
	}
	require.Equal(t, 0.0, ok(t, h, 200, "GET", "/stats", "")["collection"].(map[string]any)["total_documents"], "nothing was stored")
}

// TestLenient: what clients may send in more than one way.
func TestLenient(t *testing.T) {
	h := newHandler(t, httpapi.Options{})
	for _, body := range []string{
		`{"query":"a","n_results":"5"}`, `{"query":"a","n_results":5.0}`, `{"query":"a","n_results":" 5 "}`, `{"query":"a","n_results":5e0}`,
		`{"query":"a","min_score":"0.5"}`, `{"query":"a","use_diversification":"yes"}`, `{"query":"a","use_diversification":1}`, `{"query":"a","use_query_expansion":"OFF"}`,
		`{"query":"a","unknown":{"deep":[1]},"_":null}`, `{"query":"a","filter":null}`, `{"query":"😀 \ud83d\ude00 \\ud800"}`,
		`{"query":"a","filter":` + notDeep(256) + `}`, " \r\n{\"query\":\"a\"}\t\n",
	} {
		require.Equal(t, 200, call(h, "POST", "/search", body).Code, body)
	}
	require.Equal(t, 200, call(h, "POST", "/search", `{"query":"a"}`, "Content-Type: application/json; charset=UTF-8").Code)
	require.Equal(t, 200, call(h, "POST", "/search?unknown=1", `{"query":"a"}`, "Content-Type: application/problem+json").Code)
}

func TestMediaTypes(t *testing.T) {
	h := newHandler(t, httpapi.Options{})
	for _, path := range bodies {
		for _, media := range []string{"text/plain", "application/xml", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/json; charset=latin1", "application/json; charset=utf-16", "nonsense", "", "text/plain; application/json", "application/jsonx"} {
			if path == "/chat" && (strings.HasPrefix(media, "multipart") || strings.HasPrefix(media, "application/x-")) {
				continue
			}
			requireError(t, call(h, "POST", path, `{"query":"a"}`, "Content-Type: "+media), 415, httpapi.CodeUnsupportedMedia)
		}
		requireError(t, call(h, "POST", path, "{}", "Content-Type: application/json", "Content-Type: text/plain"), 415, httpapi.CodeUnsupportedMedia)
		requireError(t, call(h, "POST", path, "\x1f\x8b", "Content-Encoding: gzip"), 415, httpapi.CodeUnsupportedMedia)
	}
	requireError(t, call(h, "POST", "/documents/upload", "{}"), 415, httpapi.CodeUnsupportedMedia)
	body, contentType := form(t, file{"files", "a.md", "# A"})
	requireError(t, call(h, "POST", "/documents/upload", body, contentType, "Content-Encoding: gzip"), 415, httpapi.CodeUnsupportedMedia)
}

// TestTooLarge: a body over the limit is 413 and says the limit, also when its
// length is not announced.
func TestTooLarge(t *testing.T) {
	h := newHandler(t, httpapi.Options{MaxBody: 1000, MaxUpload: 1000})
	big := `{"query":"` + strings.Repeat("x", 1000) + `"}`
	for _, path := range bodies {
		got := requireError(t, call(h, "POST", path, big), 413, httpapi.CodeTooLarge)
		require.Contains(t, got["message"], "1000")
	}
	requireError(t, call(h, "POST", "/chat", "message="+strings.Repeat("x", 1000), "Content-Type: application/x-www-form-urlencoded"), 413, httpapi.CodeTooLarge)
	body, contentType := form(t, file{"message", "", strings.Repeat("x", 1001)})
	requireError(t, call(h, "POST", "/chat", body, contentType), 413, httpapi.CodeTooLarge)
	body, contentType = form(t, file{"message", "", "x"}, file{"other", "", strings.Repeat("x", 5000)})
	requireError(t, call(h, "POST", "/chat", body, contentType), 413, httpapi.CodeTooLarge)

	server := httptest.NewServer(h)
	defer server.Close()
	chunked, err := http.NewRequest("POST", server.URL+"/search", struct{ *strings.Reader }{strings.NewReader(big)})
	require.NoError(t, err)
	chunked.ContentLength = -1
	resp, err := http.DefaultClient.Do(chunked)
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, 413, resp.StatusCode)
	require.True(t, json.NewDecoder(resp.Body).Decode(&struct{}{}) == nil)
}

func TestBadAddresses(t *testing.T) {
	h := newHandler(t, httpapi.Options{})
	for _, bad := range []struct {
		path   string
		status int
		code   httpapi.Code
	}{
		{"/documents/%00", 400, httpapi.CodeBadRequest}, {"/documents/%ff", 400, httpapi.CodeBadRequest}, {"/sources/%ff", 400, httpapi.CodeBadRequest}, {"/export/documents?limit=%zz", 400, httpapi.CodeBadRequest},
		{"/operations?q=%ff", 400, httpapi.CodeBadRequest}, {"/operations?q=%00", 400, httpapi.CodeBadRequest}, {"/operations?a=1;b=2", 400, httpapi.CodeBadRequest},
		{"/export/documents?limit=0", 422, httpapi.CodeValidation}, {"/export/documents?limit=x", 422, httpapi.CodeValidation}, {"/operations?limit=10001", 422, httpapi.CodeValidation},
		{"/documents/none", 404, httpapi.CodeNotFound}, {"/operations/none", 404, httpapi.CodeNotFound},
	} {
		method := "GET"
		if strings.HasPrefix(bad.path, "/sources") {
			method = "DELETE"
		}
		requireError(t, call(h, method, bad.path, ""), bad.status, bad.code)
	}
}
