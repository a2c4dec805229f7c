package httpapi_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/httpapi"
)

// description is what the tests need of /openapi.json.
type description struct {
	OpenAPI  string
	Security []map[string][]string
	Paths    map[string]map[string]struct {
		OperationID string
		Security    *[]any
		RequestBody *struct {
			Content map[string]struct{ Example json.RawMessage }
		}
		Responses map[string]json.RawMessage
	}
	Components struct {
		Schemas         map[string]map[string]any
		SecuritySchemes map[string]map[string]string
	}
}

func describe(t *testing.T, h http.Handler) (d description, raw string) {
	t.Helper()
	w := call(h, "GET", "/openapi.json", "")
	require.Equal(t, 200, w.Code)
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &d))
	return d, w.Body.String()
}

// contract are the endpoints that clients may rely on.
var contract = []string{
	"GET /health", "GET /ready", "GET /stats", "GET /openapi.json", "GET /docs",
	"POST /documents", "POST /documents/upload", "POST /documents/bulk-delete", "GET /documents/{id}", "DELETE /documents/{id}",
	"GET /export/documents", "GET /sources", "DELETE /sources/{name}",
	"POST /search", "POST /search/faceted", "POST /chat", "POST /verify", "POST /generate", "GET /operations", "GET /operations/{id}", "GET /gaps",
	"POST /sessions", "GET /sessions", "GET /sessions/stats", "GET /sessions/{id}", "PATCH /sessions/{id}", "DELETE /sessions/{id}",
	"POST /sessions/{id}/activate", "POST /sessions/{id}/messages", "DELETE /sessions/{id}/messages",
	"POST /diagrams/sequence", "POST /diagrams/auth-flow", "POST /diagrams/er", "POST /diagrams/overview",
}

// TestDescriptionHasTheRoutes: /openapi.json lists what is served, and nothing
// else: each path answers its methods, and 405 with them in Allow to others.
func TestDescriptionHasTheRoutes(t *testing.T) {
	h := newHandler(t, httpapi.Options{})
	d, _ := describe(t, h)
	var listed []string
	ids := make(map[string]bool)
	for path, methods := range d.Paths {
		var served []string
		for method, op := range methods {
			listed = append(listed, strings.ToUpper(method)+" "+path)
			require.False(t, ids[op.OperationID], "%s is there twice", op.OperationID)
			ids[op.OperationID] = true
			served = append(served, strings.ToUpper(method))
			if method == "get" {
				served = append(served, "HEAD")
			}
		}
		slices.Sort(served)
		w := call(h, "PUT", strings.NewReplacer("{id}", "x", "{name}", "x").Replace(path), "")
		requireError(t, w, 405, httpapi.CodeMethodNotAllowed)
		allowed := strings.Split(w.Header().Get("Allow"), ", ")
		for _, method := range served {
			require.Contains(t, allowed, method, path)
		}
	}
	require.ElementsMatch(t, contract, listed)
}

// TestDescriptionIsSound: every reference leads somewhere, and every component
// is used.
func TestDescriptionIsSound(t *testing.T) {
	d, raw := describe(t, newHandler(t, httpapi.Options{}))
	require.Equal(t, "3.1.0", d.OpenAPI)
	var document map[string]any
	require.NoError(t, json.Unmarshal([]byte(raw), &document))
	for _, m := range regexp.MustCompile(`"\$ref":"#/([^"]+)"`).FindAllStringSubmatch(raw, -1) {
		at := any(document)
		for part := range strings.SplitSeq(m[1], "/") {
			at = at.(map[string]any)[part]
		}
		require.NotNil(t, at, m[1])
	}
	for name := range d.Components.Schemas {
		require.Contains(t, raw, `"#/components/schemas/`+name+`"`, "nothing refers to %s", name)
	}
	require.Equal(t, "X-API-Key", d.Components.SecuritySchemes["apiKey"]["name"])
	require.Contains(t, d.Security, map[string][]string{}, "no key is needed")
	required, _ := describe(t, newHandler(t, httpapi.Options{NeedsKey: true}))
	require.NotContains(t, required.Security, map[string][]string{})
	require.NotNil(t, required.Paths["/health"]["get"].Security)
	require.Empty(t, *required.Paths["/health"]["get"].Security)
}

// TestDescriptionSaysTheRules: the schemas have what the decoder checks.
func TestDescriptionSaysTheRules(t *testing.T) {
	d, _ := describe(t, newHandler(t, httpapi.Options{}))
	search := d.Components.Schemas["SearchRequest"]
	require.Equal(t, []any{"query"}, search["required"])
	properties := search["properties"].(map[string]any)
	n := properties["n_results"].(map[string]any)
	require.Equal(t, []any{"integer", 1.0, 500.0, 5.0}, []any{n["type"], n["minimum"], n["maximum"], n["default"]})
	require.Equal(t, []any{"vector", "lexical", "hybrid", "reranked"}, properties["mode"].(map[string]any)["enum"])
	require.Equal(t, "0 is diverse, 1 relevant", properties["diversification_lambda"].(map[string]any)["description"])
	require.NotContains(t, d.Components.Schemas["ChatReply"]["required"], "unknown")
	require.Contains(t, d.Components.Schemas["ChatReply"]["required"], "session_id")
	require.Equal(t, []any{"string", "null"}, d.Components.Schemas["SessionView"]["properties"].(map[string]any)["user_id"].(map[string]any)["type"])
}

// TestExamples sends every example of the description.
func TestExamples(t *testing.T) {
	h := newHandler(t, httpapi.Options{})
	uploadSample(t, h)
	session := ok(t, h, 201, "POST", "/sessions", "")["session"].(map[string]any)["session_id"].(string)
	d, _ := describe(t, h)
	sent := 0
	for path, methods := range d.Paths {
		for method, op := range methods {
			if op.RequestBody == nil || op.RequestBody.Content["application/json"].Example == nil {
				continue
			}
			w := call(h, strings.ToUpper(method), strings.Replace(path, "{id}", session, 1), string(op.RequestBody.Content["application/json"].Example))
			require.Less(t, w.Code, 300, "%s %s: %s", method, path, w.Body)
			sent++
		}
	}
	require.Greater(t, sent, 10)
}

func TestDocsPage(t *testing.T) {
	h := newHandler(t, httpapi.Options{Title: `Shop <b>&`, Routes: []httpapi.Route{{Pattern: "POST /mcp", Summary: "Tools for models", Handler: http.NotFoundHandler()}}})
	w := call(h, "GET", "/docs", "")
	require.Equal(t, 200, w.Code)
	require.Equal(t, "text/html; charset=utf-8", w.Header().Get("Content-Type"))
	page := w.Body.String()
	for _, must := range []string{"Shop &lt;b&gt;&amp;", "/search/faceted", "diversification_lambda", "Tools for models", "X-API-Key"} {
		require.Contains(t, page, must)
	}
	require.NotContains(t, page, "<script")
	require.NotContains(t, page, "http://")
	require.NotContains(t, page, "https://")
	require.NotContains(t, page, " style=", "no policy allows it")
	_, rest, _ := strings.Cut(page, "<style>")
	style, _, _ := strings.Cut(rest, "</style>")
	sum := sha256.Sum256([]byte(style))
	require.Contains(t, w.Header().Get("Content-Security-Policy"), "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'")
	for _, m := range regexp.MustCompile(`href="#([^"]+)"`).FindAllStringSubmatch(page, -1) {
		require.Contains(t, page, `id="`+m[1]+`"`)
	}
}
