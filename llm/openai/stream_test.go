package openai_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/llm"
	"github.com/api-assistant/api-assistant/llm/llmtest"
	"github.com/api-assistant/api-assistant/llm/openai"
)

// TestStreams has the streams of many servers, and broken ones.
func TestStreams(t *testing.T) {
	const (
		finish = llmtest.FinishEvent
		done   = llmtest.DoneEvent
	)
	x := llmtest.Delta("x")
	for _, test := range []struct {
		name    string
		parts   []string
		text    string
		finish  llm.FinishReason
		usage   *llm.Usage
		kind    error
		message string
	}{
		{name: "ordinary", parts: []string{`data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}` + "\n\n", x, llmtest.Delta("y"), finish, done}, text: "xy", finish: llm.FinishStop},
		{name: "usage in a chunk without choices", parts: []string{x, finish, `data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":1}}` + "\n\n", done},
			text: "x", finish: llm.FinishStop, usage: &llm.Usage{PromptTokens: 3, CompletionTokens: 1}},
		{name: "usage of Groq", parts: []string{x, `data: {"choices":[{"delta":{},"finish_reason":"stop"}],"x_groq":{"usage":{"prompt_tokens":3,"completion_tokens":1}}}` + "\n\n", done},
			text: "x", finish: llm.FinishStop, usage: &llm.Usage{PromptTokens: 3, CompletionTokens: 1}},
		{name: "usage in each chunk", parts: []string{`data: {"choices":[{"delta":{"content":"x"}}],"usage":{"completion_tokens":1}}` + "\n\n", `data: {"choices":[{"delta":{"content":"y"},"finish_reason":"length"}],"usage":{"completion_tokens":2}}` + "\n\n", done},
			text: "xy", finish: llm.FinishLength, usage: &llm.Usage{CompletionTokens: 2}},
		{name: "filtered", parts: []string{x, `data: {"choices":[{"delta":{},"finish_reason":"content_filter"}]}` + "\n\n", done}, text: "x", finish: llm.FinishFilter},
		{name: "a reason, then nothing", parts: []string{x, finish}, text: "x", finish: llm.FinishStop},
		{name: "[DONE] without a reason", parts: []string{x, done}, text: "x", finish: llm.FinishStop},
		{name: "the end without a newline", parts: []string{x, finish, "data: [DONE]"}, text: "x", finish: llm.FinishStop},
		{name: "CR LF, no blank after the colon", parts: []string{"data:{\"choices\":[{\"delta\":{\"content\":\"x\"}}]}\r\n\r\n", "data:[DONE]\r\n\r\n"}, text: "x", finish: llm.FinishStop},
		{name: "a byte order mark, ids, comments", parts: []string{"\ufeff: hello\n\nretry: 10\nid: 7\nevent: message\n", x, ": bye\n\n", done}, text: "x", finish: llm.FinishStop},
		{name: "400 comments in a row", parts: []string{x, strings.Repeat(": keep-alive\n\n", 400), llmtest.Delta("y"), finish, done}, text: "xy", finish: llm.FinishStop},
		{name: "no empty lines between events", parts: []string{strings.ReplaceAll(x+llmtest.Delta("y")+finish+done, "\n\n", "\n")}, text: "xy", finish: llm.FinishStop},
		{name: "an event of two lines", parts: []string{"data: {\"choices\":[{\"delta\":\ndata: {\"content\":\"x\"}}]}\n\n", finish, done}, text: "x", finish: llm.FinishStop},
		{name: "cut into bytes", parts: strings.Split(x+finish+done, ""), text: "x", finish: llm.FinishStop},
		{name: "quoted \"error\"", parts: []string{llmtest.Delta(`say "error": {"error":1}`), finish, done}, text: `say "error": {"error":1}`, finish: llm.FinishStop},
		{name: "error: null", parts: []string{`data: {"error":null,"choices":[{"delta":{"content":"x"}}]}` + "\n\n", finish, done}, text: "x", finish: llm.FinishStop},
		{name: "parts", parts: []string{`data: {"choices":[{"delta":{"content":[{"type":"text","text":"x"},{"type":"image"},{"type":"text","text":"y"}]}}]}` + "\n\n", finish, done}, text: "xy", finish: llm.FinishStop},
		{name: "null content, second choice", parts: []string{`data: {"choices":[{"delta":{"content":null}},{"index":1,"delta":{"content":"no"}}]}` + "\n\n", x, finish, done}, text: "x", finish: llm.FinishStop},
		{name: "thoughts", parts: []string{`data: {"choices":[{"delta":{"reasoning_content":"hm"}}]}` + "\n\n", x, finish, done}, text: "x", finish: llm.FinishStop},
		{name: "invalid UTF-8", parts: []string{"data: {\"choices\":[{\"delta\":{\"content\":\"\xff\xfe\"}}]}\n\n", finish, done}, text: "��", finish: llm.FinishStop},
		{name: "an empty answer", parts: []string{finish, done}, finish: llm.FinishStop},

		{name: "cut between events", parts: []string{x}, text: "x", kind: llm.ErrTruncated, message: "unexpected EOF"},
		{name: "cut in an event", parts: []string{x, `data: {"choices":[{"delta":{"con`}, text: "x", kind: llm.ErrTruncated, message: "unexpected EOF"},
		{name: "nothing", parts: nil, kind: llm.ErrTruncated},
		{name: "no JSON", parts: []string{x, "data: {not json\n\n", finish, done}, text: "x", kind: llm.ErrMalformed},
		{name: "a number for text", parts: []string{`data: {"choices":[{"delta":{"content":12345}}]}` + "\n\n", finish, done}, kind: llm.ErrMalformed},
		{name: "no choices", parts: []string{`data: {"choices":[]}` + "\n\n", done}, kind: llm.ErrMalformed, message: "no choices"},
		{name: "a tool", parts: []string{`data: {"choices":[{"delta":{"tool_calls":[{"function":{"name":"rm"}}]},"finish_reason":"tool_calls"}]}` + "\n\n", done}, kind: llm.ErrMalformed, message: "called a tool"},
		{name: "error, an object", parts: []string{x, `data: {"error":{"message":"boom","type":"server_error"}}` + "\n\n"}, text: "x", kind: llm.ErrUnavailable, message: "boom"},
		{name: "error with a blank after the brace", parts: []string{x, `data: { "error":{"message":"boom"}}` + "\n\n", done}, text: "x", kind: llm.ErrUnavailable, message: "boom"},
		{name: "error, a string", parts: []string{x, `data: {"error":"boom"}` + "\n\n"}, text: "x", kind: llm.ErrUnavailable, message: "boom"},
		{name: "event: error", parts: []string{x, "event: error\n", `data: {"error":{"message":"boom"}}` + "\n\n"}, text: "x", kind: llm.ErrUnavailable, message: "boom"},
		{name: "event: error, flat", parts: []string{x, "event: error\ndata: {\"message\":\"boom\",\"code\":429}\n\n"}, text: "x", kind: llm.ErrRateLimited, message: "boom (429)"},
		{name: "event: error, text", parts: []string{x, "event: error\ndata: boom\n\n"}, text: "x", kind: llm.ErrUnavailable, message: "boom"},
		{name: "error: of llama.cpp", parts: []string{x, "error: {\"code\":500,\"message\":\"boom\"}\n\n"}, text: "x", kind: llm.ErrUnavailable, message: "boom (500)"},
		{name: "error without data:", parts: []string{x, `{"error":"boom"}` + "\n"}, text: "x", kind: llm.ErrUnavailable, message: "boom"},
		{name: "error with choices", parts: []string{x, `data: {"error":{"code":429,"message":"boom"},"choices":[{"delta":{},"finish_reason":"error"}]}` + "\n\n"}, text: "x", kind: llm.ErrRateLimited, message: "boom (429)"},
		{name: "the quota, in the middle", parts: []string{x, `data: {"error":{"code":"insufficient_quota","message":"boom"}}` + "\n\n"}, text: "x", kind: llm.ErrQuota},
		{name: "the window, in the middle", parts: []string{x, `data: {"error":{"code":400,"message":"context length exceeded"}}` + "\n\n"}, text: "x", kind: llm.ErrContextWindow},
		{name: "an endless line", parts: []string{x, "data: " + strings.Repeat("x", 2<<20)}, text: "x", kind: llm.ErrMalformed, message: "longer than 1048576 bytes"},
		{name: "an endless event", parts: []string{x, strings.Repeat("data: "+strings.Repeat("x", 1000)+"\n", 2000)}, text: "x", kind: llm.ErrMalformed, message: "longer than 1048576 bytes"},
	} {
		t.Run(test.name, func(t *testing.T) {
			model, _ := served(t, openai.Config{}, llmtest.Events(test.parts...))
			text, last, err := llmtest.Collect(t, model.Stream(t.Context(), llmtest.Question()))
			require.Equal(t, test.text, text)
			if test.kind != nil {
				require.ErrorIs(t, err, test.kind)
				require.ErrorContains(t, err, test.message)
				return
			}
			require.NoError(t, err)
			require.Equal(t, test.finish, last.FinishReason)
			require.Equal(t, test.usage, last.Usage)
		})
	}
}

// TestPieces has answers in one piece, to a client that asked for that and to
// one that asked for a stream.
func TestPieces(t *testing.T) {
	piece := func(message string) string {
		return `{"model":"m","choices":[{"index":0,"message":` + message + `,"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":1}}`
	}
	for _, test := range []struct {
		name, body, text, message string
		kind                      error
	}{
		{name: "ordinary", body: piece(`{"content":"x"}`), text: "x"},
		{name: "over several lines", body: strings.ReplaceAll(piece(`{"content":"x"}`), ",", ",\n  "), text: "x"},
		{name: "parts", body: piece(`{"content":[{"type":"text","text":"x"},{"type":"text","text":"y"}]}`), text: "xy"},
		{name: "null", body: piece(`{"content":null}`)},
		{name: "a refusal", body: piece(`{"content":null,"refusal":"no"}`), text: "no"},
		{name: "a tool", body: piece(`{"content":null,"tool_calls":[{"id":"1","type":"function","function":{"name":"rm","arguments":"{}"}}]}`), kind: llm.ErrMalformed, message: "called a tool"},
		{name: "a number", body: piece(`{"content":12345}`), kind: llm.ErrMalformed},
		{name: "empty choices", body: `{"choices":[]}`, kind: llm.ErrMalformed, message: "no choices"},
		{name: "no choices", body: `{"id":"x"}`, kind: llm.ErrMalformed, message: "no choices"},
		{name: "an error in a 200", body: `{"error":{"message":"boom","code":"x"}}`, kind: llm.ErrUnavailable, message: "boom"},
		{name: "empty", body: ``, kind: llm.ErrMalformed},
		{name: "no JSON", body: `{"choices":[{"message":{"content": oops`, kind: llm.ErrMalformed},
		{name: "more than one value", body: piece(`{"content":"x"}`) + "{}", kind: llm.ErrMalformed},
		{name: "too large", body: `"` + strings.Repeat("x", 8<<20) + `"`, kind: llm.ErrMalformed, message: "longer than"},
		{name: "too long", body: piece(`{"content":"` + strings.Repeat("x", 1<<20) + `"}`), kind: llm.ErrMalformed, message: "longer than 1048575 bytes"},
	} {
		for _, noStream := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, NoStream %t", test.name, noStream), func(t *testing.T) {
				model, _ := served(t, openai.Config{NoStream: noStream, MaxAnswer: 1<<20 - 1}, llmtest.JSON(200, test.body))
				answer, err := llm.Generate(t.Context(), model, llmtest.Question())
				if test.kind != nil {
					require.ErrorIs(t, err, test.kind)
					require.ErrorContains(t, err, test.message)
					return
				}
				require.NoError(t, err)
				require.Equal(t, llm.Response{Text: test.text, FinishReason: llm.FinishStop, Model: "m", Usage: llm.Usage{PromptTokens: 3, CompletionTokens: 1}}, answer)
			})
		}
	}
}

// TestAStreamThatClaimsToBeJSON has the wrong content type, or none.
func TestAStreamThatClaimsToBeJSON(t *testing.T) {
	for _, contentType := range []string{"application/json", "text/plain", ""} {
		model, _ := served(t, openai.Config{}, func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Content-Type"] = []string{contentType}
			fmt.Fprint(w, llmtest.Delta("x"), llmtest.FinishEvent, llmtest.DoneEvent)
		})
		answer, err := llm.Generate(t.Context(), model, llmtest.Question())
		require.NoError(t, err)
		require.Equal(t, "x", answer.Text)
	}
}

func TestAWebPageIsNoAnswer(t *testing.T) {
	for _, noStream := range []bool{true, false} {
		model, _ := served(t, openai.Config{NoStream: noStream}, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			fmt.Fprint(w, "<html>Sign in to the hotel's network</html>")
		})
		_, err := llm.Generate(t.Context(), model, llmtest.Question())
		require.ErrorIs(t, err, llm.ErrMalformed)
		require.ErrorContains(t, err, "is the base URL right?")
	}
}

func TestMaxAnswer(t *testing.T) {
	model, s := served(t, openai.Config{Model: "endless", MaxAnswer: 100})
	s.Next(func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			llmtest.Events(llmtest.Delta("0123456789"))(w, r)
		}
	})
	text, _, err := llmtest.Collect(t, model.Stream(t.Context(), llmtest.Question()))
	require.ErrorIs(t, err, llm.ErrMalformed)
	require.Len(t, text, 100)
}

// TestThoughtsAreSignsOfLife reads the chunks one by one.
func TestThoughtsAreSignsOfLife(t *testing.T) {
	model, _ := served(t, openai.Config{}, llmtest.Events(
		"data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n",
		"data: {\"choices\":[{\"delta\":{\"reasoning\":\"hm\"}}]}\n\n", llmtest.Delta("x"), llmtest.FinishEvent, llmtest.DoneEvent))
	var texts []string
	for chunk, err := range model.Stream(t.Context(), llmtest.Question()) {
		require.NoError(t, err)
		texts = append(texts, chunk.Text)
	}
	require.Equal(t, []string{"", "x", ""}, texts, "the thought, the text, the end")
}
