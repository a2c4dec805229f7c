package httpapi_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/httpapi"
)

// volatile are the parts of answers that differ from run to run.
var volatile = []struct {
	pattern *regexp.Regexp
	with    string
}{
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT[0-9:.]+Z`), "TIME"},
	{regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}`), "UUID"},
	{regexp.MustCompile(`"request_id": "[^"]*"`), `"request_id": "ID"`},
	{regexp.MustCompile(`"score": [0-9.e-]+`), `"score": 0`},
	{regexp.MustCompile(`"(version|model|response)": "(\\.|[^"\\])*"`), `"$1": ""`},
	{regexp.MustCompile(`"signals": \{[^}]*\}`), `"signals": {}`},
	{regexp.MustCompile(`"(completion|prompt)_tokens": \d+`), `"${1}_tokens": 0`},
}

// TestShapes holds the calls of older clients to golden answers: names, order of
// lists, types, null and absent fields. UPDATE_GOLDEN=1 writes them anew.
func TestShapes(t *testing.T) {
	h := newHandler(t, httpapi.Options{})
	for i, step := range []struct {
		name, method, path, body string
		status                   int
	}{
		{"health", "GET", "/health", "", 200},
		{"ready", "GET", "/ready", "", 200},
		{"documents", "POST", "/documents", `{"documents": [{"content": "GET /orders lists orders", "metadata": {"method": "GET", "page": 2}}, {"id": "doc-1", "content": "POST /orders creates one", "metadata": {"method": "POST"}}]}`, 201},
		{"document", "GET", "/documents/doc-1", "", 200},
		{"search", "POST", "/search", `{"query": "create order", "n_results": 5, "mode": "lexical", "filter": {"field": "method", "operator": "eq", "value": "POST"}, "use_query_expansion": false, "use_diversification": false, "diversification_lambda": 0.5, "min_score": 0.0}`, 200},
		{"search expanded", "POST", "/search", `{"query": "nothing like it", "use_query_expansion": true}`, 200},
		{"faceted", "POST", "/search/faceted", `{"query": "orders", "facet_fields": ["method"], "n_results": 20, "filter": null, "top_facet_values": 10}`, 200},
		{"stats", "GET", "/stats", "", 200},
		{"export", "GET", "/export/documents", "", 200},
		{"bulk delete", "POST", "/documents/bulk-delete", `{"document_ids": ["doc-1", "nope"]}`, 200},
		{"session", "POST", "/sessions", `{"user_id": "alice"}`, 201},
		{"sessions", "GET", "/sessions", "", 200},
		{"session stats", "GET", "/sessions/stats", "", 200},
		{"chat", "POST", "/chat", `{"message": "How are orders listed?", "enable_url_scraping": false}`, 200},
		{"verify", "POST", "/verify", `{"text": "GET /orders"}`, 200},
		{"sources", "GET", "/sources", "", 200},
		{"delete", "DELETE", "/documents/doc-2", "", 404},
		{"invalid", "POST", "/search", `{"query": ""}`, 422},
		{"unknown path", "GET", "/unknown", "", 404},
		{"unknown method", "PUT", "/search", "", 405},
	} {
		w := call(h, step.method, step.path, step.body)
		require.Equal(t, step.status, w.Code, "%s: %s", step.name, w.Body)
		var b bytes.Buffer
		require.NoError(t, json.Indent(&b, bytes.TrimSpace(w.Body.Bytes()), "", "  "))
		got := b.Bytes()
		for _, v := range volatile {
			got = v.pattern.ReplaceAll(got, []byte(v.with))
		}
		golden := filepath.Join("testdata", "shapes", fmt.Sprintf("%02d %s.json", i, step.name))
		if os.Getenv("UPDATE_GOLDEN") != "" {
			require.NoError(t, os.MkdirAll(filepath.Dir(golden), 0o755))
			require.NoError(t, os.WriteFile(golden, append(got, '\n'), 0o644))
		}
		want, err := os.ReadFile(golden)
		require.NoError(t, err)
		require.Equal(t, string(bytes.TrimSpace(want)), string(got), step.name)
	}
}
