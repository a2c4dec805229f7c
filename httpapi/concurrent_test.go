package httpapi_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/httpapi"
)

// TestMixedRequests sends 200 requests of all kinds from 20 clients: none fails
// on the server's side, and what is counted, listed, exported and found at the end
// is what was acknowledged.
func TestMixedRequests(t *testing.T) {
	const clients, rounds = 20, 10
	h := newHandler(t, httpapi.Options{})
	uploadSample(t, h)
	before := ok(t, h, 200, "GET", "/stats", "")["collection"].(map[string]any)["total_documents"].(float64)
	session := newSession(t, h, "{}")
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex
		kept  = make(map[string]bool)
		chats int
		codes = make(map[int]int)
	)
	send := func(method, path, body string, header ...string) *httptest.ResponseRecorder {
		w := call(h, method, path, body, header...)
		mu.Lock()
		codes[w.Code]++
		mu.Unlock()
		return w
	}
	for client := range clients {
		uploads := make([][2]string, rounds)
		for i := range uploads {
			body, contentType := form(t, file{"files", fmt.Sprintf("client%02d.md", client), fmt.Sprintf("# Client %d\nround %d zebra", client, i)})
			uploads[i] = [2]string{body, contentType}
		}
		wg.Go(func() {
			for i := range rounds {
				id := fmt.Sprintf("c%02d-%02d", client, i)
				switch i % 5 {
				case 0:
					if send("POST", "/documents", `{"documents": [{"id": "`+id+`", "content": "document `+id+` zebra"}]}`).Code == 201 {
						mu.Lock()
						kept[id] = true
						mu.Unlock()
					}
				case 1:
					send("POST", "/documents/upload", uploads[i][0], uploads[i][1])
				case 2:
					send("POST", "/search", `{"query": "zebra order", "n_results": 50}`)
				case 3:
					if send("POST", "/chat", `{"message": "How do I place an order?", "session_id": "`+session+`", "stream": true}`).Code == 200 {
						mu.Lock()
						chats++
						mu.Unlock()
					}
				case 4:
					gone := fmt.Sprintf("c%02d-%02d", client, i-4)
					if client%2 == 0 && send("DELETE", "/documents/"+gone, "").Code == 200 {
						mu.Lock()
						delete(kept, gone)
						mu.Unlock()
					} else if client%2 == 1 {
						send("POST", "/search/faceted", `{"query": "zebra", "facet_fields": ["method"]}`)
					}
				}
			}
		})
	}
	wg.Wait()
	for code := range codes {
		require.Less(t, code, 300, codes)
	}
	total := ok(t, h, 200, "GET", "/stats", "")["collection"].(map[string]any)["total_documents"].(float64)
	sources := ok(t, h, 200, "GET", "/sources", "")["sources"].([]any)
	require.Len(t, sources, clients+1)
	require.Equal(t, before+float64(clients)+float64(len(kept)), total, "each client has one uploaded page")
	found := make(map[string]bool)
	for _, r := range ok(t, h, 200, "POST", "/search", `{"query": "zebra", "n_results": 500}`)["results"].([]any) {
		found[r.(map[string]any)["id"].(string)] = true
	}
	require.Len(t, found, clients+len(kept))
	for id := range kept {
		require.True(t, found[id], "%s was acknowledged and is not found", id)
		require.Equal(t, 200, call(h, "GET", "/documents/"+id, "").Code)
	}
	require.Len(t, ok(t, h, 200, "GET", "/sessions/"+session, "")["conversation_history"], 2*chats)
}

// TestFilters: each operator selects exactly what it says, also negated and
// nested.
func TestFilters(t *testing.T) {
	h := newHandler(t, httpapi.Options{})
	ok(t, h, 201, "POST", "/documents", `{"documents": [
		{"id": "a", "content": "common red", "metadata": {"n": 1, "s": "alpha", "l": ["x", "y"], "b": true}},
		{"id": "b", "content": "common green", "metadata": {"n": 2, "s": "beta", "l": ["y"], "b": false}},
		{"id": "c", "content": "common blue", "metadata": {"n": 3.5, "s": "Alphabet"}},
		{"id": "d", "content": "common"}]}`)
	leaf := func(field, operator, value string) string {
		return `{"field": "` + field + `", "operator": "` + operator + `", "value": ` + value + `}`
	}
	not := func(f string) string { return `{"operator": "not", "filters": [` + f + `]}` }
	for _, test := range []struct{ filter, want string }{
		{"null", "abcd"}, {leaf("n", "eq", "2"), "b"}, {leaf("n", "eq", "2.0"), "b"}, {leaf("n", "ne", "2"), "ac"}, {leaf("n", "gt", "1"), "bc"}, {leaf("n", "gte", "2"), "bc"}, {leaf("n", "lt", "2"), "a"}, {leaf("n", "lte", "2"), "ab"},
		{leaf("s", "contains", `"lpha"`), "ac"}, {leaf("s", "not_contains", `"lpha"`), "b"}, {leaf("s", "starts_with", `"alpha"`), "a"}, {leaf("s", "ends_with", `"bet"`), "c"}, {leaf("s", "regex", `"^[Aa]lpha(bet)?$"`), "ac"},
		{leaf("s", "in", `["alpha", "beta"]`), "ab"}, {leaf("s", "not_in", `["alpha"]`), "bc"}, {leaf("s", "nin", `["alpha"]`), "bc"}, {leaf("l", "eq", `"y"`), "ab"}, {leaf("l", "in", `["x"]`), "a"}, {leaf("b", "eq", "true"), "a"}, {leaf("none", "ne", "1"), ""},
		{`{"operator": "contains", "value": "red"}`, "a"}, {`{"operator": "not_contains", "value": "red"}`, "bcd"},
		{not(leaf("n", "eq", "2")), "acd"}, {not(not(leaf("n", "eq", "2"))), "b"}, {not(leaf("none", "ne", "1")), "abcd"},
		{`{"operator": "and", "filters": [` + leaf("n", "gt", "1") + `, ` + leaf("s", "contains", `"a"`) + `]}`, "bc"},
		{`{"operator": "or", "filters": [` + leaf("n", "eq", "1") + `, {"operator": "and", "filters": [` + leaf("n", "eq", "2") + `, ` + not(leaf("b", "eq", "true")) + `]}]}`, "ab"},
	} {
		for _, mode := range []string{"lexical", "hybrid", "vector", "reranked"} {
			var ids []string
			for _, r := range ok(t, h, 200, "POST", "/search", `{"query": "common", "mode": "`+mode+`", "n_results": 50, "filter": `+test.filter+`}`)["results"].([]any) {
				ids = append(ids, r.(map[string]any)["id"].(string))
			}
			require.ElementsMatch(t, strings.Split(test.want, ""), ids, "%s in mode %s", test.filter, mode)
		}
	}
	// Expressions that other engines take ages for.
	ok(t, h, 201, "POST", "/documents", `{"documents": [{"id": "long", "content": "common", "metadata": {"s": "`+strings.Repeat("a", 50_000)+`!"}}]}`)
	for _, slow := range []string{`"^(a+)+$"`, `"^(a|aa)+$"`, `"(.*a){20}$"`, `"^(a?){50}a{50}$"`} {
		requireQuick(t, slow, func() {
			require.Equal(t, 200, call(h, "POST", "/search", `{"query": "common", "filter": `+leaf("s", "regex", slow)+`}`).Code)
		})
	}
}

// TestForms: a form is held to what JSON is held to.
func TestForms(t *testing.T) {
	h := newHandler(t, httpapi.Options{})
	const urlencoded = "Content-Type: application/x-www-form-urlencoded"
	for _, test := range []struct {
		form   url.Values
		status int
	}{
		{url.Values{"message": {"a"}, "n_results": {"5"}, "enable_url_scraping": {"off"}, "stream": {"0"}, "unknown": {"x"}, "conversation_history": {""}, "filter": {""}, "session_id": {""}, "agent_type": {""}}, 200},
		{url.Values{"message": {"a"}, "filter": {`{"field": "m", "operator": "eq", "value": 1}`}, "conversation_history": {`[{"role": "user", "content": "x"}]`}}, 200},
		{url.Values{"message": {"a"}, "filter": {"null"}}, 200},
		{url.Values{}, 422}, {url.Values{"message": {""}}, 422}, {url.Values{"message": {"a"}, "n_results": {"x"}}, 422}, {url.Values{"message": {"a"}, "filter": {"{"}}, 422},
		{url.Values{"message": {"a"}, "filter": {`{"field": "m", "field": "n", "operator": "eq", "value": 1}`}}, 422}, {url.Values{"message": {"a"}, "filter": {`{} , "x": 1`}}, 422},
		{url.Values{"message": {"a"}, "conversation_history": {`[{"role": "root", "content": "x"}]`}}, 422}, {url.Values{"message": {"\xff"}}, 400}, {url.Values{"message": {"a\x00"}}, 400},
	} {
		w := call(h, "POST", "/chat", test.form.Encode(), urlencoded)
		require.Equal(t, test.status, w.Code, "%v: %s", test.form, w.Body)
	}
	requireError(t, call(h, "POST", "/chat", "%zz", urlencoded), 400, httpapi.CodeBadRequest)
	requireError(t, call(h, "POST", "/chat", "no parts", "Content-Type: multipart/form-data; boundary=x"), 422, httpapi.CodeValidation)
	requireError(t, call(h, "POST", "/chat", "x", "Content-Type: multipart/form-data"), 400, httpapi.CodeBadRequest)
	requireError(t, call(h, "POST", "/chat", `{"message": "a", "files": ["x"]}`, "Content-Type: application/json"), 422, httpapi.CodeValidation)
}

// TestCrossSitePosts: what forms of other sites can send without asking reaches
// no handler of JSON.
func TestCrossSitePosts(t *testing.T) {
	h := newHandler(t, httpapi.Options{})
	for _, media := range []string{"text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"} {
		require.Equal(t, http.StatusUnsupportedMediaType, call(h, "POST", "/documents", `{"documents": [{"content": "planted"}]}`, "Content-Type: "+media).Code)
	}
}
