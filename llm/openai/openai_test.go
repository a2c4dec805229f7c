package openai_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/llm"
	"github.com/api-assistant/api-assistant/llm/llmtest"
	"github.com/api-assistant/api-assistant/llm/openai"
)

const key = "sk-test-0123456789abcdefghij"

func Example() {
	// A server that answers as OpenAI does.
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		io.WriteString(w, `data: {"model":"m-1","choices":[{"delta":{"content":"Use GET "}}]}

data: {"model":"m-1","choices":[{"delta":{"content":"/orders."},"finish_reason":"stop"}]}

data: {"choices":[],"usage":{"prompt_tokens":12,"completion_tokens":4}}

data: [DONE]

`)
	}))
	defer server.Close()

	model, err := openai.New(openai.Config{
		Endpoint: openai.Endpoint{BaseURL: server.URL + "/v1", APIKey: "sk-example"},
		Model:    "m-1",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	answer, err := llm.Generate(context.Background(), model, llm.Request{
		Messages: []llm.Message{{Speaker: llm.User, Content: "How are orders listed?"}},
	})
	fmt.Println(answer.Text, answer.FinishReason, answer.Usage.CompletionTokens, err)
	// Output: Use GET /orders. stop 4 <nil>
}

func newModel(t testing.TB, cfg openai.Config) *openai.Model {
	t.Helper()
	if cfg.APIKey == "" {
		cfg.APIKey = key
	}
	if cfg.Model == "" {
		cfg.Model = "m"
	}
	m, err := openai.New(cfg)
	require.NoError(t, err)
	return m
}

func TestConformance(t *testing.T) {
	llmtest.RunServed(t, func(t *testing.T, baseURL, model string) llm.LLM {
		return newModel(t, openai.Config{Endpoint: openai.Endpoint{BaseURL: baseURL}, Model: model})
	})
}

func TestConformanceWithoutStream(t *testing.T) {
	llmtest.Run(t, func(t *testing.T) llm.LLM {
		return newModel(t, openai.Config{Endpoint: openai.Endpoint{BaseURL: llmtest.NewServer(t).BaseURL()}, NoStream: true})
	})
}

func TestEmbedderConformance(t *testing.T) {
	llmtest.RunEmbedder(t, func(t *testing.T) llm.Embedder {
		return newEmbedder(t, openai.EmbedderConfig{Endpoint: openai.Endpoint{BaseURL: llmtest.NewServer(t).BaseURL()}})
	})
}

// served is a model whose server answers the next requests as told.
func served(t *testing.T, cfg openai.Config, answers ...http.HandlerFunc) (*openai.Model, *llmtest.Server) {
	t.Helper()
	s := llmtest.NewServer(t)
	s.Next(answers...)
	cfg.BaseURL = s.BaseURL()
	return newModel(t, cfg), s
}

func TestRequest(t *testing.T) {
	zero, half := 0.0, 0.5
	messages := []llm.Message{{Speaker: llm.System, Content: "be brief"}, {Speaker: llm.Assistant, Content: " "}, {Speaker: llm.User, Content: "q"}}
	const spoken = `"messages":[{"role":"system","content":"be brief"},{"role":"user","content":"q"}]`
	for _, test := range []struct {
		name string
		cfg  openai.Config
		req  llm.Request
		body string
	}{
		{"least", openai.Config{}, llm.Request{Messages: messages}, `{"model":"m",` + spoken + `,"stream":true,"stream_options":{"include_usage":true}}`},
		{"all", openai.Config{NoUsage: true}, llm.Request{Messages: messages, MaxTokens: 7, Temperature: &half, Stop: []string{"END"}},
			`{"model":"m",` + spoken + `,"max_tokens":7,"temperature":0.5,"stop":["END"],"stream":true}`},
		{"temperature 0 is sent", openai.Config{NoUsage: true}, llm.Request{Messages: messages, Temperature: &zero},
			`{"model":"m",` + spoken + `,"temperature":1e-06,"stream":true}`},
		{"a reasoning model", openai.Config{Model: "o3-mini", NoUsage: true}, llm.Request{Messages: messages, MaxTokens: 7, Temperature: &half},
			`{"model":"o3-mini",` + spoken + `,"max_completion_tokens":7,"stream":true}`},
		{"in one piece", openai.Config{NoStream: true}, llm.Request{Messages: messages}, `{"model":"m",` + spoken + `,"stream":false}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			model, s := served(t, test.cfg)
			_, err := llm.Generate(t.Context(), model, test.req)
			require.NoError(t, err)
			require.JSONEq(t, test.body, string(s.Requests()[0].Body))
			require.Equal(t, "Bearer "+key, s.Requests()[0].Header.Get("Authorization"))
		})
	}
}

func TestRequestsThatAreNotMade(t *testing.T) {
	hot, minus := 2.1, -1.0
	user := []llm.Message{{Speaker: llm.User, Content: "q"}}
	model, s := served(t, openai.Config{})
	for _, req := range []llm.Request{
		{}, {Messages: []llm.Message{{Speaker: llm.User, Content: " \n"}}}, {Messages: []llm.Message{{Speaker: "robot", Content: "x"}}},
		{Messages: user, Temperature: &hot}, {Messages: user, Temperature: &minus}, {Messages: user, MaxTokens: -1},
	} {
		_, err := llm.Generate(t.Context(), model, req)
		require.ErrorIs(t, err, llm.ErrInvalid)
	}
	require.Empty(t, s.Requests())
	model = newModel(t, openai.Config{Model: "text-davinci-003"})
	_, err := llm.Generate(t.Context(), model, llm.Request{Messages: user})
	require.ErrorIs(t, err, llm.ErrInvalid, "go-openai knows that it cannot chat")
}

func TestNewReportsAllMistakesAndNoSecret(t *testing.T) {
	_, err := openai.New(openai.Config{Endpoint: openai.Endpoint{BaseURL: "ftp://u:p4ss@host/?key=k3y", APIKey: "se cret\n"}})
	for _, part := range []string{"base URL", "API key", "name of the model"} {
		require.ErrorContains(t, err, part)
	}
	for _, address := range []string{"http://u:p4ss@host/v1", "http://host/v1?api_key=p4ss", "http://host/v1#p4ss", "host/v1", "http:///v1", "http://[::1/p4ss", "\x00p4ss"} {
		_, err := openai.NewEmbedder(openai.EmbedderConfig{Endpoint: openai.Endpoint{BaseURL: address}, Model: "m"})
		require.ErrorContains(t, err, "base URL", address)
		require.NotContains(t, err.Error(), "p4ss")
		require.NotContains(t, err.Error(), "k3y")
		require.NotContains(t, err.Error(), "cret")
	}
}

func TestPresets(t *testing.T) {
	for _, test := range []struct {
		endpoint openai.Endpoint
		want     string
	}{
		{openai.OpenAI(key), "openai at https://api.openai.com/v1"},
		{openai.Endpoint{}, "openai at https://api.openai.com/v1"},
		{openai.Groq(key), "groq at https://api.groq.com/openai/v1"},
		{openai.Ollama(""), "ollama at http://localhost:11434/v1"},
		{openai.Ollama("http://gpu:11434/"), "ollama at http://gpu:11434/v1"},
		{openai.Ollama("http://gpu:11434/v1/"), "ollama at http://gpu:11434/v1"},
	} {
		require.Equal(t, test.want, test.endpoint.String())
	}
}

func TestModels(t *testing.T) {
	model, s := served(t, openai.Config{})
	names, err := model.Models(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"ok", "echo"}, names)
	s.Next(llmtest.JSON(401, `{"error":{"message":"no"}}`))
	_, err = model.Models(t.Context())
	require.ErrorIs(t, err, llm.ErrAuth)
}

// TestConnectionsAreUsedAgain counts the connections of answers one after the
// other.
func TestConnectionsAreUsedAgain(t *testing.T) {
	var opened atomic.Int64
	web := httptest.NewUnstartedServer(&llmtest.Server{})
	web.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	web.Start()
	defer web.Close()
	model := newModel(t, openai.Config{Endpoint: openai.Endpoint{BaseURL: web.URL + "/v1"}})
	for range 5 {
		_, err := llm.Generate(t.Context(), model, llmtest.Question())
		require.NoError(t, err)
	}
	require.EqualValues(t, 1, opened.Load())
}
