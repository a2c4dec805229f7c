package httpapi_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"iter"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/assistant"
	"github.com/api-assistant/api-assistant/httpapi"
	"github.com/api-assistant/api-assistant/llm"
)

// model is a language model that a test plays.
type model func(ctx context.Context, req llm.Request, say func(string) bool) error

func (m model) Stream(ctx context.Context, req llm.Request) iter.Seq2[llm.Chunk, error] {
	return func(yield func(llm.Chunk, error) bool) {
		if err := m(ctx, req, func(text string) bool { return yield(llm.Chunk{Text: text, Model: "test"}, nil) }); err != nil {
			yield(llm.Chunk{}, err)
		}
	}
}

// withModel is a handler whose answers a test writes.
func withModel(t *testing.T, m model, o httpapi.Options) http.Handler {
	t.Helper()
	a, err := assistant.New(assistant.Config{LLM: m, NoRepair: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, a.Close()) })
	h := httpapi.New(a, o)
	uploadSample(t, h)
	return h
}

type sseEvent struct{ name, data string }

// readEvents reads server-sent events to their end.
func readEvents(t *testing.T, text string) (out []sseEvent) {
	t.Helper()
	for block := range strings.SplitSeq(strings.TrimSuffix(text, "\n\n"), "\n\n") {
		name, data, ok := strings.Cut(block, "\n")
		require.True(t, ok, block)
		require.True(t, json.Valid([]byte(strings.TrimPrefix(data, "data: "))), data)
		out = append(out, sseEvent{strings.TrimPrefix(name, "event: "), strings.TrimPrefix(data, "data: ")})
	}
	return out
}

func TestChatStream(t *testing.T) {
	h := newHandler(t, httpapi.Options{})
	uploadSample(t, h)
	whole := ok(t, h, 200, "POST", "/chat", `{"message": "How do I place an order?"}`)
	for _, how := range []struct{ body, header string }{
		{`{"message": "How do I place an order?", "stream": true}`, "Content-Type: application/json"},
		{"message=" + url.QueryEscape("How do I place an order?") + "&stream=yes", "Content-Type: application/x-www-form-urlencoded"},
		{`{"message": "How do I place an order?"}`, "Accept: text/html, text/event-stream;q=0.9"},
	} {
		w := call(h, "POST", "/chat", how.body, how.header)
		require.Equal(t, "text/event-stream", w.Header().Get("Content-Type"))
		events := readEvents(t, w.Body.String())
		var text strings.Builder
		var names []string
		for _, e := range events {
			if e.name != "delta" {
				names = append(names, e.name)
				continue
			}
			var delta struct{ Text string }
			require.NoError(t, json.Unmarshal([]byte(e.data), &delta))
			text.WriteString(delta.Text)
		}
		require.Equal(t, []string{"sources", "verification", "done"}, names)
		var done map[string]any
		require.NoError(t, json.Unmarshal([]byte(events[len(events)-1].data), &done))
		require.Equal(t, whole["response"], done["response"])
		require.Equal(t, whole["response"], strings.TrimSpace(text.String()))
	}
	requireError(t, call(h, "POST", "/chat", `{"message": "", "stream": true}`), 422, httpapi.CodeValidation)
}

func TestChatStreamError(t *testing.T) {
	h := withModel(t, func(_ context.Context, _ llm.Request, say func(string) bool) error {
		say("Use ")
		return &llm.Error{Provider: "test", Kind: llm.ErrRateLimited, Cause: errors.New("secret upstream text")}
	}, httpapi.Options{})
	events := readEvents(t, call(h, "POST", "/chat", `{"message": "How do I place an order?", "stream": true}`).Body.String())
	last := events[len(events)-1]
	require.Equal(t, "error", last.name)
	require.Contains(t, last.data, `"error":"upstream_failed"`)
	require.NotContains(t, last.data, "secret")
	w := call(h, "POST", "/chat", `{"message": "How do I place an order?"}`)
	requireError(t, w, 502, httpapi.CodeUpstream)
	require.NotContains(t, w.Body.String(), "secret")
}

func TestChatSession(t *testing.T) {
	var seen []llm.Message
	h := withModel(t, func(_ context.Context, req llm.Request, say func(string) bool) error {
		seen = req.Messages
		say("Use `POST /orders`. [1]")
		return nil
	}, httpapi.Options{})
	id := newSession(t, h, "{}")
	first := ok(t, h, 200, "POST", "/chat", `{"message": "How do I place an order?", "session_id": "`+id+`", "conversation_history": [{"role": "user", "content": "from the form"}]}`)
	require.Equal(t, id, first["session_id"])
	for _, m := range seen {
		require.NotContains(t, m.Content, "from the form", "the session is the memory")
	}
	w := call(h, "POST", "/chat", `{"message": "And how do I cancel it?", "session_id": "`+id+`", "stream": true}`)
	require.Contains(t, w.Body.String(), "event: done")
	var told []string
	for _, m := range seen {
		told = append(told, m.Content)
	}
	require.Contains(t, strings.Join(told, "\n"), "How do I place an order?")
	history := ok(t, h, 200, "GET", "/sessions/"+id, "")["conversation_history"].([]any)
	require.Len(t, history, 4)
	require.Equal(t, "And how do I cancel it?", history[2].(map[string]any)["content"])
	require.Equal(t, "assistant", history[3].(map[string]any)["role"])

	requireError(t, call(h, "POST", "/chat", `{"message": "x", "session_id": "nope"}`), 404, httpapi.CodeNotFound)
	ok(t, h, 200, "PATCH", "/sessions/"+id, `{"status": "expired"}`)
	seen = nil
	requireError(t, call(h, "POST", "/chat", `{"message": "x", "session_id": "`+id+`"}`), 409, httpapi.CodeConflict)
	require.Nil(t, seen, "before any work")
}

func TestChatFiles(t *testing.T) {
	h := newHandler(t, httpapi.Options{})
	body, contentType := form(t, file{"message", "", "How do I brew a potion?"}, file{"files", "potions.md", "# Potions\nTo brew a potion send the herbs to the cauldron."})
	w := call(h, "POST", "/chat", body, contentType)
	require.Equal(t, 200, w.Code, w.Body.String())
	got := decoded(t, w)
	require.Positive(t, got["indexed_docs"])
	require.Contains(t, got["response"], "cauldron")
	require.Equal(t, 1.0, ok(t, h, 200, "GET", "/sources", "")["total"])
	body, contentType = form(t, file{"message", "", "x"}, file{"enable_auto_indexing", "", "off"}, file{"files", "a.md", "# A\ntext"})
	requireError(t, call(h, "POST", "/chat", body, contentType), 422, httpapi.CodeValidation)
	body, contentType = form(t, file{"message", "", "x"}, file{"files", "a.exe", "MZ"})
	requireError(t, call(h, "POST", "/chat", body, contentType), 422, httpapi.CodeValidation)
}

// TestChatClientGone: a client that cuts its connection stops the model, and the
// session keeps what was said until then.
func TestChatClientGone(t *testing.T) {
	for _, accept := range []string{"text/event-stream", "application/json"} {
		t.Run(accept, func(t *testing.T) {
			spoke, stopped := make(chan struct{}), make(chan error, 1)
			h := withModel(t, func(ctx context.Context, _ llm.Request, say func(string) bool) error {
				say("Use `POST /orders`, and then ")
				close(spoke)
				<-ctx.Done() // forever, unless the client's going is noticed
				stopped <- ctx.Err()
				return ctx.Err()
			}, httpapi.Options{})
			server := httptest.NewServer(h)
			defer server.Close()
			id := newSession(t, h, "{}")
			ctx, cut := context.WithCancel(t.Context())
			defer cut()
			r, err := http.NewRequestWithContext(ctx, "POST", server.URL+"/chat", strings.NewReader(`{"message": "How do I place an order?", "session_id": "`+id+`"}`))
			require.NoError(t, err)
			r.Header.Set("Accept", accept)
			answered := make(chan error, 1)
			go func() {
				resp, err := http.DefaultClient.Do(r)
				if err == nil {
					_, err = bufio.NewReader(resp.Body).ReadString(0)
					resp.Body.Close()
				}
				answered <- err
			}()
			<-spoke
			cut()
			require.Error(t, <-answered)
			select {
			case err := <-stopped:
				require.ErrorIs(t, err, context.Canceled)
			case <-time.After(30 * time.Second):
				require.Fail(t, "the model was not stopped")
			}
			require.Eventually(t, func() bool {
				return len(ok(t, h, 200, "GET", "/sessions/"+id, "")["conversation_history"].([]any)) == 2
			}, 30*time.Second, 5*time.Millisecond)
			said := ok(t, h, 200, "GET", "/sessions/"+id, "")["conversation_history"].([]any)[1].(map[string]any)
			require.Contains(t, said["content"], "POST /orders")
			require.Equal(t, map[string]any{"incomplete": true}, said["metadata"])
		})
	}
}

// TestChatOutlivesReadTimeout: the server's time for reading a request does not
// cut the answer of a slow model.
func TestChatOutlivesReadTimeout(t *testing.T) {
	const patience = 50 * time.Millisecond
	h := withModel(t, func(ctx context.Context, _ llm.Request, say func(string) bool) error {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(6 * patience):
		}
		say("Late, but whole.")
		return nil
	}, httpapi.Options{})
	server := httptest.NewUnstartedServer(h)
	server.Config.ReadTimeout, server.Config.WriteTimeout = patience, patience
	server.Start()
	defer server.Close()
	for _, accept := range []string{"text/event-stream", "application/json"} {
		r, err := http.NewRequest("POST", server.URL+"/chat", strings.NewReader(`{"message": "How do I place an order?"}`))
		require.NoError(t, err)
		r.Header.Set("Accept", accept)
		resp, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		var text strings.Builder
		_, err = bufio.NewReader(resp.Body).WriteTo(&text)
		require.NoError(t, err)
		resp.Body.Close()
		require.Contains(t, text.String(), "Late, but whole.")
	}
}
