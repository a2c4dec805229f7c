package openai_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/llm"
	"github.com/api-assistant/api-assistant/llm/llmtest"
	"github.com/api-assistant/api-assistant/llm/openai"
)

// answering is a transport that gives one answer.
type answering struct {
	status      int
	contentType string
	retryAfter  string
	body        []byte
	bytewise    bool
}

func (a answering) RoundTrip(r *http.Request) (*http.Response, error) {
	var body io.Reader = bytes.NewReader(a.body)
	if a.bytewise {
		body = iotest.OneByteReader(body)
	}
	return &http.Response{StatusCode: a.status, Request: r, Body: io.NopCloser(body), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {a.contentType}, "Retry-After": {a.retryAfter}, "X-Ratelimit-Reset-Tokens": {a.retryAfter}}}, nil
}

// FuzzAnswer gives any bytes as an answer: there is a text or one error of this
// module, which says nothing of the key, and the two ways to read agree.
func FuzzAnswer(f *testing.F) {
	x := llmtest.Delta("x")
	for _, body := range []string{
		x + llmtest.FinishEvent + llmtest.DoneEvent, x, "", "data:", "data: [DONE]", "\ufeff:\n\nevent: error\ndata: {\"error\":\"x\"}\n\n", "error: {}\n\n",
		`{"choices":[{"message":{"content":"x"},"finish_reason":"stop"}]}`, `{"error":{"message":["` + key + `"],"code":429}}`, `[{"error":1}]`, `{"detail":[{"loc":[1]}]}`,
		"data: {\ndata: }\ndata: [DONE]\n", "<html>", strings.Repeat("[", 20000), "data: " + strings.Repeat(`{"a":`, 20000),
		`{"data":[{"index":1,"embedding":[1,2]},{"index":0,"embedding":[3,4]}]}`,
	} {
		f.Add(200, "text/event-stream", "", []byte(body))
		f.Add(200, "application/json", "1.5", []byte(body))
		f.Add(429, "text/plain", "Wed, 21 Oct 2026 07:28:00 GMT", []byte(body))
	}
	f.Fuzz(func(t *testing.T, status int, contentType, retryAfter string, body []byte) {
		if status < 200 || status > 999 || status/100 == 3 {
			return // net/http makes no such answers, or reads Location itself
		}
		type result struct {
			text string
			kind error
		}
		var results []result
		for _, bytewise := range []bool{false, true} {
			e := openai.Endpoint{APIKey: key, BaseURL: "http://x/v1", HTTPClient: &http.Client{Transport: answering{status, contentType, retryAfter, body, bytewise}}}
			model := newModel(t, openai.Config{Endpoint: e})
			text, last, err := llmtest.Collect(t, model.Stream(t.Context(), llmtest.Question()))
			results = append(results, result{text, check(t, err)})
			require.Equal(t, err == nil, last.FinishReason != "")
			_, err = llm.Generate(t.Context(), newModel(t, openai.Config{Endpoint: e, NoStream: true}), llmtest.Question())
			check(t, err)
			vectors, err := newEmbedder(t, openai.EmbedderConfig{Endpoint: e}).Embed(context.Background(), []string{"a", "b"})
			check(t, err)
			require.Equal(t, err == nil, len(vectors) == 2)
		}
		require.Equal(t, results[0], results[1], "in one piece and byte by byte")
	})
}

// check checks an error, and returns its kind.
func check(t *testing.T, err error) error {
	if err == nil {
		return nil
	}
	var e *llm.Error
	require.ErrorAs(t, err, &e)
	require.NotNil(t, e.Kind)
	require.GreaterOrEqual(t, e.RetryAfter, 0*e.RetryAfter)
	require.NotContains(t, err.Error(), key)
	require.NotContains(t, err.Error(), "\n")
	require.Less(t, len(err.Error()), 600)
	return e.Kind
}
