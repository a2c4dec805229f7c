package httpapi_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/httpapi"
)

func newSession(t *testing.T, h http.Handler, body string) string {
	t.Helper()
	return ok(t, h, 201, "POST", "/sessions", body)["session"].(map[string]any)["session_id"].(string)
}

func TestSessions(t *testing.T) {
	h := newHandler(t, httpapi.Options{})
	made := ok(t, h, 201, "POST", "/sessions", "")["session"].(map[string]any)
	for _, key := range []string{"session_id", "user_id", "created_at", "last_accessed", "expires_at", "status", "settings", "conversation_history", "metadata", "collection_name"} {
		require.Contains(t, made, key)
	}
	require.Nil(t, made["user_id"])
	require.Equal(t, "active", made["status"])
	require.Equal(t, []any{}, made["conversation_history"])
	require.Equal(t, map[string]any{"default_search_mode": "hybrid", "default_n_results": 5.0, "use_reranking": false, "use_query_expansion": false,
		"use_diversification": false, "show_scores": true, "show_metadata": true, "max_content_length": 500.0, "default_collection": nil,
		"custom_metadata": map[string]any{}}, made["settings"])
	path := "/sessions/" + made["session_id"].(string)

	alice := newSession(t, h, `{"user_id": "alice", "ttl_minutes": "10080", "settings": {"show_scores": "no", "default_n_results": 7}, "collection_name": "c"}`)
	got := ok(t, h, 200, "GET", "/sessions/"+alice, "")
	require.Equal(t, "alice", got["user_id"])
	require.Equal(t, false, got["settings"].(map[string]any)["show_scores"])
	require.Equal(t, 7.0, got["settings"].(map[string]any)["default_n_results"])

	list := ok(t, h, 200, "GET", "/sessions", "")
	require.Equal(t, 2.0, list["total"])
	require.Equal(t, alice, list["sessions"].([]any)[0].(map[string]any)["session_id"], "newest first")
	require.Equal(t, 1.0, ok(t, h, 200, "GET", "/sessions?user_id=alice&status_filter=active", "")["total"])
	require.Equal(t, 0.0, ok(t, h, 200, "GET", "/sessions?status_filter=expired", "")["total"])

	patched := ok(t, h, 200, "PATCH", path, `{"metadata": {"a": 1}, "settings": {"max_content_length": 100}, "user_id": null}`)
	require.Nil(t, patched["user_id"])
	patched = ok(t, h, 200, "PATCH", path, `{"metadata": {"b": {"deep": [12345678901234567]}}, "status": "inactive"}`)
	require.Len(t, patched["metadata"], 2)
	require.Equal(t, 100.0, patched["settings"].(map[string]any)["max_content_length"])
	require.Equal(t, "hybrid", patched["settings"].(map[string]any)["default_search_mode"])
	require.Equal(t, "inactive", patched["status"])
	require.Contains(t, call(h, "GET", path, "").Body.String(), "12345678901234567")

	require.Len(t, ok(t, h, 200, "POST", path+"/messages", `{"role": "system", "content": "be brief", "metadata": {"k": 1}}`)["conversation_history"], 1)
	require.Len(t, ok(t, h, 200, "DELETE", path+"/messages", "")["conversation_history"], 0)

	require.Equal(t, "expired", ok(t, h, 200, "PATCH", path, `{"status": "expired"}`)["status"])
	requireError(t, call(h, "PATCH", path, `{"user_id": "x"}`), 409, httpapi.CodeConflict)
	requireError(t, call(h, "POST", path+"/messages", `{"role": "user", "content": "x"}`), 409, httpapi.CodeConflict)
	requireError(t, call(h, "DELETE", path+"/messages", ""), 409, httpapi.CodeConflict)
	require.Equal(t, "expired", ok(t, h, 200, "GET", path, "")["status"], "also an expired one can be read")
	stats := ok(t, h, 200, "GET", "/sessions/stats", "")
	require.Equal(t, map[string]any{"total_sessions": 2.0, "active_sessions": 1.0, "inactive_sessions": 0.0, "expired_sessions": 1.0, "unique_users": 1.0}, stats)
	require.Equal(t, "active", ok(t, h, 200, "POST", path+"/activate?ttl_minutes=5", "")["status"])

	require.Equal(t, true, ok(t, h, 200, "DELETE", path, "")["success"])
	for _, gone := range []struct{ method, path, body string }{
		{"GET", path, ""}, {"DELETE", path, ""}, {"PATCH", path, "{}"}, {"POST", path + "/activate", ""},
		{"POST", path + "/messages", `{"role": "user", "content": "x"}`}, {"DELETE", path + "/messages", ""}, {"GET", "/sessions/..%2f..", ""},
	} {
		requireError(t, call(h, gone.method, gone.path, gone.body), 404, httpapi.CodeNotFound)
	}
}

func TestSessionLimits(t *testing.T) {
	h := newHandler(t, httpapi.Options{})
	path := "/sessions/" + newSession(t, h, "{}")
	for _, bad := range []struct{ method, path, body, loc string }{
		{"POST", "/sessions", `{"ttl_minutes": 0}`, "ttl_minutes"},
		{"POST", "/sessions", `{"ttl_minutes": 10081}`, "ttl_minutes"},
		{"POST", "/sessions", `{"ttl_minutes": null}`, "ttl_minutes"},
		{"POST", "/sessions", `{"settings": []}`, "settings"},
		{"POST", "/sessions", `{"settings": {"default_n_results": 0}}`, "default_n_results"},
		{"POST", "/sessions", `{"settings": {"default_n_results": 101}}`, "default_n_results"},
		{"POST", "/sessions", `{"settings": {"max_content_length": 99}}`, "max_content_length"},
		{"POST", "/sessions", `{"settings": {"max_content_length": 2001}}`, "max_content_length"},
		{"POST", "/sessions", `{"settings": {"default_search_mode": "psychic"}}`, "default_search_mode"},
		{"POST", "/sessions", `{"settings": {"show_scores": "perhaps"}}`, "show_scores"},
		{"PATCH", path, `{"status": "asleep"}`, "status"},
		{"PATCH", path, `{"metadata": [1]}`, "metadata"},
		{"POST", path + "/activate?ttl_minutes=10081", "", "ttl_minutes"},
		{"POST", path + "/activate?ttl_minutes=x", "", "ttl_minutes"},
		{"POST", path + "/messages", `{"role": "tool", "content": "x"}`, "role"},
		{"POST", path + "/messages", `{"role": "user", "content": ""}`, "content"},
		{"POST", path + "/messages", `{"role": "user"}`, "content"},
		{"GET", "/sessions?status_filter=asleep", "", "status_filter"},
	} {
		got := requireError(t, call(h, bad.method, bad.path, bad.body), 422, httpapi.CodeValidation)
		loc := got["detail"].(map[string]any)["errors"].([]any)[0].(map[string]any)["loc"].([]any)
		require.Equal(t, bad.loc, loc[len(loc)-1], bad)
	}
}

// TestSessionsHaveOwners: another principal's sessions do not exist.
func TestSessionsHaveOwners(t *testing.T) {
	h := newHandler(t, httpapi.Options{Principal: func(r *http.Request) string { return r.Header.Get("X-Test-Principal") }})
	id := ""
	{
		w := call(h, "POST", "/sessions", "", "X-Test-Principal: ann")
		require.Equal(t, 201, w.Code)
		id = decoded(t, w)["session"].(map[string]any)["session_id"].(string)
	}
	for _, try := range []struct{ method, path, body string }{
		{"GET", "/sessions/" + id, ""}, {"PATCH", "/sessions/" + id, "{}"}, {"DELETE", "/sessions/" + id, ""},
		{"POST", "/sessions/" + id + "/activate", ""}, {"POST", "/sessions/" + id + "/messages", `{"role": "user", "content": "x"}`},
		{"DELETE", "/sessions/" + id + "/messages", ""}, {"POST", "/chat", `{"message": "hi", "session_id": "` + id + `"}`},
	} {
		requireError(t, call(h, try.method, try.path, try.body, "X-Test-Principal: bob"), 404, httpapi.CodeNotFound)
	}
	require.Equal(t, 0.0, decoded(t, call(h, "GET", "/sessions", "", "X-Test-Principal: bob"))["total"])
	require.Equal(t, 1.0, decoded(t, call(h, "GET", "/sessions", "", "X-Test-Principal: ann"))["total"])
}
