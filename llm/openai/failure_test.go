package openai_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/llm"
	"github.com/api-assistant/api-assistant/llm/llmtest"
	"github.com/api-assistant/api-assistant/llm/openai"
)

// TestRefusals has the error bodies of many servers.
func TestRefusals(t *testing.T) {
	for _, test := range []struct {
		name    string
		status  int
		body    string
		header  []string
		kind    error
		message string // all of it, after kind and status
		after   time.Duration
	}{
		// OpenAI
		{name: "rate limit", status: 429, body: `{"error":{"message":"Rate limit reached for gpt-4o","type":"requests","param":null,"code":"rate_limit_exceeded"}}`,
			header: []string{"Retry-After", "20"}, kind: llm.ErrRateLimited, message: "Rate limit reached for gpt-4o (rate_limit_exceeded)", after: 20 * time.Second},
		{name: "quota", status: 429, body: `{"error":{"message":"You exceeded your current quota, please check your plan and billing details.","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}`,
			kind: llm.ErrQuota, message: "You exceeded your current quota, please check your plan and billing details. (insufficient_quota)"},
		{name: "context window", status: 400, body: `{"error":{"message":"This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens.","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}`,
			kind: llm.ErrContextWindow, message: "This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens. (context_length_exceeded)"},
		{name: "bad request", status: 400, body: `{"error":{"message":["a","b"],"type":"invalid_request_error","code":null}}`, kind: llm.ErrInvalid, message: "a, b"},
		{name: "milliseconds", status: 503, body: `{"error":{"message":"overloaded"}}`, header: []string{"Retry-After-Ms", "1500", "Retry-After", "2"},
			kind: llm.ErrUnavailable, message: "overloaded", after: 1500 * time.Millisecond},
		// Groq
		{name: "reset of what is used up", status: 429, body: `{"error":{"message":"slow down","code":"rate_limit_exceeded"}}`,
			header: []string{"X-Ratelimit-Remaining-Requests", "3", "X-Ratelimit-Reset-Requests", "9h", "X-Ratelimit-Remaining-Tokens", "0", "X-Ratelimit-Reset-Tokens", "2m59.56s"},
			kind:   llm.ErrRateLimited, message: "slow down (rate_limit_exceeded)", after: 2*time.Minute + 59560*time.Millisecond},
		{name: "more than the plan allows", status: 413, body: `{"error":{"message":"Request too large for model: Limit 6000, Requested 7000","code":"rate_limit_exceeded"}}`,
			kind: llm.ErrContextWindow, message: "Request too large for model: Limit 6000, Requested 7000 (rate_limit_exceeded)"},
		{name: "no capacity", status: 498, body: ``, kind: llm.ErrUnavailable},
		// Ollama
		{name: "no such model", status: 404, body: `{"error":{"message":"model \"x\" not found, try pulling it first","type":"api_error","param":null,"code":null}}`,
			kind: llm.ErrInvalid, message: `model "x" not found, try pulling it first`},
		{name: "a string", status: 500, body: `{"error":"model runner has unexpectedly stopped"}`, kind: llm.ErrUnavailable, message: "model runner has unexpectedly stopped"},
		{name: "long input", status: 500, body: `{"error":"the input length exceeds the context length"}`, kind: llm.ErrContextWindow, message: "the input length exceeds the context length"},
		// vLLM
		{name: "flat", status: 400, body: `{"object":"error","message":"This model's maximum context length is 4096 tokens","type":"BadRequestError","param":null,"code":400}`,
			kind: llm.ErrContextWindow, message: "This model's maximum context length is 4096 tokens (400)"},
		{name: "FastAPI", status: 422, body: `{"detail":[{"loc":["body","messages"],"msg":"field required","type":"missing"},{"msg":"and more"}]}`, kind: llm.ErrInvalid, message: "messages: field required; and more"},
		{name: "FastAPI, a string", status: 404, body: `{"detail":"Not Found"}`, kind: llm.ErrInvalid, message: "Not Found"},
		// llama.cpp
		{name: "loading", status: 503, body: `{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}`, kind: llm.ErrUnavailable, message: "Loading model (503)"},
		{name: "context size", status: 400, body: `{"error":{"code":400,"message":"the request exceeds the available size","type":"exceed_context_size_error"}}`, kind: llm.ErrContextWindow, message: "the request exceeds the available size (400)"},
		// TEI
		{name: "overloaded", status: 429, body: `{"message":"Model is overloaded","code":429,"type":"Overloaded"}`, kind: llm.ErrRateLimited, message: "Model is overloaded (429)"},
		{name: "too long", status: 413, body: `{"message":"inputs must have less than 512 tokens. Given: 600","code":413,"type":"Validation"}`, kind: llm.ErrContextWindow, message: "inputs must have less than 512 tokens. Given: 600 (413)"},
		// Gemini, and others
		{name: "a list", status: 400, body: `[{"error":{"code":400,"message":"bad","status":"INVALID_ARGUMENT"}}]`, kind: llm.ErrInvalid, message: "bad (400)"},
		{name: "no money", status: 402, body: `{"error":{"message":"Insufficient Balance"}}`, kind: llm.ErrQuota, message: "Insufficient Balance"},
		{name: "key", status: 401, body: `{"error":{"message":"Invalid API Key","code":"invalid_api_key"}}`, kind: llm.ErrAuth, message: "Invalid API Key (invalid_api_key)"},
		{name: "no key", status: 401, body: `{"error":{"message":"You must send a Bearer token"}}`, kind: llm.ErrAuth, message: "You must send a Bearer token"},
		{name: "forbidden", status: 403, body: ``, kind: llm.ErrAuth},
		{name: "a web page", status: 502, body: "<html><body>nginx</body></html>", kind: llm.ErrUnavailable, message: "a web page instead of an answer"},
		{name: "text", status: 500, body: "oh\r\n\tno\x00\x1b[31m", kind: llm.ErrUnavailable, message: "oh no [31m"},
		{name: "odd types", status: 500, body: `{"error":{"message":{"a":1},"code":[1]}}`, kind: llm.ErrUnavailable, message: `{"a":1} ([1])`},
		{name: "gateway timeout", status: 504, body: ``, kind: llm.ErrTimeout},
		{name: "not implemented", status: 501, body: ``, kind: llm.ErrInvalid},
		{name: "long", status: 500, body: strings.Repeat("ä", 500), kind: llm.ErrUnavailable, message: strings.Repeat("ä", 150) + "…"},
		{name: "redirect", status: 307, body: ``, header: []string{"Location", "https://elsewhere.example/p?q=s"}, kind: llm.ErrInvalid,
			message: "redirects are not followed; if it is right, set the base URL to https://elsewhere.example"},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, noStream := range []bool{false, true} {
				model, _ := served(t, openai.Config{NoStream: noStream}, llmtest.JSON(test.status, test.body, test.header...))
				_, err := llm.Generate(t.Context(), model, llmtest.Question())
				var e *llm.Error
				require.ErrorAs(t, err, &e)
				require.Equal(t, llm.Error{Provider: "openai", Status: test.status, RetryAfter: test.after, Kind: test.kind, Cause: e.Cause}, *e)
				if test.message == "" {
					require.NoError(t, e.Cause)
				} else {
					require.EqualError(t, e.Cause, test.message)
				}
			}
		})
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Now()
	for _, test := range []struct {
		header []string
		want   time.Duration
	}{
		{[]string{"Retry-After", "2"}, 2 * time.Second},
		{[]string{"Retry-After", "0.25"}, 250 * time.Millisecond},
		{[]string{"Retry-After", now.Add(time.Hour).UTC().Format(http.TimeFormat), "Date", now.Add(time.Hour - 5*time.Second).UTC().Format(http.TimeFormat)}, 5 * time.Second},
		{[]string{"Retry-After", now.Add(-time.Hour).UTC().Format(http.TimeFormat)}, 0},
		{[]string{"Retry-After", "-1"}, 0}, {[]string{"Retry-After", "soon"}, 0}, {[]string{"Retry-After", "NaN"}, 0},
		{[]string{"Retry-After", "1e300"}, 365 * 24 * time.Hour}, {[]string{"Retry-After", "Inf"}, 365 * 24 * time.Hour},
		{nil, 0},
	} {
		model, _ := served(t, openai.Config{}, llmtest.JSON(429, `{}`, test.header...))
		_, err := llm.Generate(t.Context(), model, llmtest.Question())
		var e *llm.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, test.want, e.RetryAfter, "%v", test.header)
	}
}

func TestLimits(t *testing.T) {
	model, _ := served(t, openai.Config{}, llmtest.JSON(429, `{}`, "X-Ratelimit-Limit-Requests", "30", "X-Ratelimit-Remaining-Requests", "0",
		"X-Ratelimit-Reset-Requests", "12ms", "X-Ratelimit-Limit-Tokens", "6000", "X-Ratelimit-Remaining-Tokens", "x", "X-Ratelimit-Reset-Tokens", "7.5"))
	require.Zero(t, model.Limits())
	_, err := llm.Generate(t.Context(), model, llmtest.Question())
	require.Error(t, err)
	want := openai.Limits{Requests: 30, RequestsReset: 12 * time.Millisecond, Tokens: 6000, TokensReset: 7500 * time.Millisecond}
	require.Equal(t, want, model.Limits())
	_, err = llm.Generate(t.Context(), model, llmtest.Question())
	require.NoError(t, err)
	require.Equal(t, want, model.Limits(), "an answer without limits changes nothing")
}

// TestNoSecretInErrorsOrPrints lets servers echo the key in all places and
// forms.
func TestNoSecretInErrorsOrPrints(t *testing.T) {
	const secret = "gsk_Abc/9+x0123456789Zyxw"
	header := http.Header{"X-Tenant": {"tenant-secret-1"}}
	endpoint := openai.Endpoint{APIKey: secret, Header: header}
	forms := []string{secret, url.QueryEscape(secret), url.PathEscape(secret), strings.ToUpper(secret), "Bearer " + secret, "tenant-secret-1",
		secret[:8] + "****" + secret[len(secret)-4:], "***" + secret[len(secret)-8:], "sk-other-key-of-somebody-12345", strings.Repeat("x", 290) + " " + secret}
	var handlers []http.HandlerFunc
	for _, form := range forms {
		handlers = append(handlers,
			llmtest.JSON(401, fmt.Sprintf(`{"error":{"message":%q,"code":%q}}`, "bad key: "+form, form)),
			llmtest.JSON(400, fmt.Sprintf(`{"error":%q}`, form)),
			llmtest.JSON(500, form),
			llmtest.JSON(422, fmt.Sprintf(`{"detail":[{"loc":["header",%q],"msg":%q}]}`, form, form)),
			llmtest.JSON(200, fmt.Sprintf(`{"error":{"message":%q}}`, form)),
			llmtest.Events(llmtest.Delta("x"), fmt.Sprintf("event: error\ndata: %s\n\n", form)),
			llmtest.Events(llmtest.Delta("x"), fmt.Sprintf("data: {\"error\":{\"message\":%q}}\n\n", form)),
			llmtest.JSON(302, "", "Location", "https://"+strings.Trim(url.QueryEscape(form), "%+")+".example/"),
		)
	}
	server := llmtest.NewServer(t)
	server.Next(handlers...)
	endpoint.BaseURL = server.BaseURL()
	model := newModel(t, openai.Config{Endpoint: endpoint})
	embedder := newEmbedder(t, openai.EmbedderConfig{Endpoint: endpoint})
	var log bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&log, nil))
	for range handlers {
		_, err := llm.Generate(t.Context(), llm.Log(logger).LLM(model), llmtest.Question())
		require.Error(t, err)
		for _, e := range []error{err, errors.Unwrap(err)} {
			if e != nil {
				fmt.Fprintf(&log, "%s %v %+v %#v\n", e, e, e, e)
			}
		}
	}
	require.Equal(t, "tenant-secret-1", server.Requests()[0].Header.Get("X-Tenant"), "the header was sent")
	cfg := openai.Config{Endpoint: endpoint, Model: "m"}
	for _, v := range []any{endpoint, &endpoint, cfg, &cfg, model, embedder, openai.EmbedderConfig{Endpoint: endpoint}} {
		fmt.Fprintf(&log, "%s %v %+v %#v %q\n", v, v, v, v, v)
		logger.Info("configured", "value", v)
		slog.New(slog.NewTextHandler(&log, nil)).Info("configured", "value", v)
	}
	for _, part := range []string{secret, strings.ToUpper(secret), url.QueryEscape(secret), secret[4:16], "0123456789", "Zyxw", "tenant-secret", "somebody"} {
		for line := range strings.Lines(log.String()) {
			require.False(t, strings.Contains(line, part), "%q in %.2000s", part, line)
		}
	}
	require.Contains(t, log.String(), "[hidden]")
}

func TestNetworkFailures(t *testing.T) {
	s := llmtest.NewServer(t)
	address := s.BaseURL()
	model := newModel(t, openai.Config{Endpoint: openai.Endpoint{Provider: "local", BaseURL: strings.Replace(address, "http:", "https:", 1)}})
	_, err := llm.Generate(t.Context(), model, llmtest.Question())
	require.ErrorIs(t, err, llm.ErrUnavailable)
	require.ErrorContains(t, err, "llm: local: the model is not available: ")
	require.NotContains(t, err.Error(), "Post ")

	model = newModel(t, openai.Config{Endpoint: openai.Endpoint{BaseURL: "http://127.0.0.1:1/v1"}})
	_, err = llm.Generate(t.Context(), model, llmtest.Question())
	require.ErrorIs(t, err, llm.ErrUnavailable)
	require.ErrorContains(t, err, "refused")

	slow := &http.Client{Timeout: 20 * time.Millisecond}
	for _, noStream := range []bool{true, false} {
		model = newModel(t, openai.Config{Endpoint: openai.Endpoint{BaseURL: address, HTTPClient: slow}, Model: "hang", NoStream: noStream})
		_, err = llm.Generate(t.Context(), model, llmtest.Question())
		require.ErrorIs(t, err, llm.ErrTimeout)
	}
	s.Next(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Large", strings.Repeat("x", 200<<10))
		io.WriteString(w, "{}")
	})
	_, err = llm.Generate(t.Context(), newModel(t, openai.Config{Endpoint: openai.Endpoint{BaseURL: address}}), llmtest.Question())
	require.ErrorIs(t, err, llm.ErrUnavailable, "200 KB of headers are not read")
}
