package main

import (
	"errors"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/llm"
	"github.com/api-assistant/api-assistant/llm/llmtest"
)

const modelKey = "gsk_0123456789abcdefghijkl"

// modelSettings reads settings as the server does.
func modelSettings(t *testing.T, environ ...string) modelConfig {
	t.Helper()
	cfg, err := loadConfig(environ, "no.env")
	require.NoError(t, err)
	return cfg.Models
}

func TestModelSettings(t *testing.T) {
	for _, test := range []struct {
		name    string
		environ []string
		wrong   []string // what the error names; none: no error
	}{
		{"nothing set", nil, nil},
		{"ollama", []string{"LLM_PROVIDER=ollama", "EMBEDDING_PROVIDER=ollama"}, nil},
		{"upper case", []string{"LLM_PROVIDER=Groq", "GROQ_API_KEY=" + modelKey}, nil},
		{"groq without a key", []string{"LLM_PROVIDER=groq"}, []string{"GROQ_API_KEY"}},
		{"groq with a placeholder", []string{"LLM_PROVIDER=groq", "GROQ_API_KEY=your-groq-api-key"}, []string{"GROQ_API_KEY"}},
		{"openai without anything", []string{"LLM_PROVIDER=openai"}, []string{"OPENAI_API_KEY", "OPENAI_MODEL"}},
		{"another server without a key", []string{"LLM_PROVIDER=openai", "OPENAI_BASE_URL=http://vllm:8000/v1", "OPENAI_MODEL=m"}, nil},
		{"a key within a network", []string{"LLM_PROVIDER=openai", "OPENAI_BASE_URL=http://10.1.2.3/v1", "OPENAI_MODEL=m", "OPENAI_API_KEY=" + modelKey}, nil},
		{"a key in the clear", []string{"LLM_PROVIDER=openai", "OPENAI_BASE_URL=http://llm.example.com/v1", "OPENAI_MODEL=m", "OPENAI_API_KEY=" + modelKey}, []string{"OPENAI_BASE_URL", "https://"}},
		{"secrets in an address", []string{"LLM_PROVIDER=openai", "OPENAI_BASE_URL=https://u:" + modelKey + "@h/v1", "OPENAI_MODEL=m"}, []string{"OPENAI_BASE_URL"}},
		{"no address", []string{"LLM_PROVIDER=ollama", "OLLAMA_BASE_URL=localhost:11434"}, []string{"OLLAMA_BASE_URL"}},
		{"all mistakes at once", []string{"LLM_PROVIDER=gpt", "EMBEDDING_PROVIDER=bert", "LLM_REQUESTS_PER_MINUTE=-1"}, []string{"LLM_PROVIDER", "EMBEDDING_PROVIDER", "LLM_REQUESTS_PER_MINUTE"}},
		{"embeddings without a key", []string{"EMBEDDING_PROVIDER=openai"}, []string{"OPENAI_API_KEY"}},
		{"embeddings elsewhere", []string{"EMBEDDING_PROVIDER=openai", "EMBEDDING_BASE_URL=http://tei:8080/v1"}, nil},
		{"a model folder that is missing", []string{"EMBEDDING_PROVIDER=local", "EMBEDDING_MODEL_DIR=no/such/folder"}, []string{"EMBEDDING_PROVIDER=local", "EMBEDDING_MODEL_DIR"}},
		{"an embedding address", []string{"EMBEDDING_PROVIDER=ollama", "EMBEDDING_BASE_URL=tei"}, []string{"EMBEDDING_BASE_URL"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := newModels(modelSettings(t, test.environ...), slog.New(slog.DiscardHandler), http.DefaultClient)
			if test.wrong == nil {
				require.NoError(t, err)
				return
			}
			for _, name := range test.wrong {
				require.ErrorContains(t, err, name)
			}
			require.NotContains(t, err.Error(), modelKey)
		})
	}
}

func TestAllMistakesOfTheServerAtOnce(t *testing.T) {
	err := run(t.Context(), []string{"PORT=x", "LLM_REQUESTS_PER_MINUTE=many", "ALLOWED_ORIGINS=null", "LLM_PROVIDER=groq", "EMBEDDING_PROVIDER=none"}, "no.env", &output{}, &output{})
	for _, name := range []string{"PORT", "LLM_REQUESTS_PER_MINUTE", "ALLOWED_ORIGINS", "GROQ_API_KEY", "EMBEDDING_PROVIDER"} {
		require.ErrorContains(t, err, name)
	}
}

func TestRequestsPerMinute(t *testing.T) {
	require.Equal(t, 30, modelSettings(t, "LLM_PROVIDER=groq").perMinute())
	require.Equal(t, 0, modelSettings(t, "LLM_PROVIDER=groq", "LLM_REQUESTS_PER_MINUTE=0").perMinute())
	require.Equal(t, 0, modelSettings(t, "LLM_PROVIDER=ollama").perMinute())
	require.Equal(t, 7, modelSettings(t, "LLM_PROVIDER=ollama", "LLM_REQUESTS_PER_MINUTE=7").perMinute())
}

// elsewhere sends all requests to a test server, and keeps their addresses.
type elsewhere struct {
	to   string // host and port
	urls []string
}

func (e *elsewhere) RoundTrip(r *http.Request) (*http.Response, error) {
	e.urls = append(e.urls, r.URL.String())
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host = "http", e.to
	return http.DefaultTransport.RoundTrip(r)
}

// build makes the models of some settings, whose requests go to a test server.
func build(t *testing.T, environ ...string) (models, *llmtest.Server, *elsewhere) {
	t.Helper()
	s := llmtest.NewServer(t)
	wire := &elsewhere{to: strings.TrimPrefix(s.URL, "http://")}
	m, err := newModels(modelSettings(t, environ...), slog.New(slog.DiscardHandler), &http.Client{Transport: wire})
	require.NoError(t, err)
	return m, s, wire
}

func TestRolesOfGroq(t *testing.T) {
	m, s, wire := build(t, "LLM_PROVIDER=groq", "GROQ_API_KEY="+modelKey, "GROQ_CODE_MODEL=coder", "GROQ_REASONING_MODEL=thinker")
	var asked []string
	for _, role := range []llm.Role{llm.RoleCode, llm.RoleReasoning, llm.RoleGeneral, ""} {
		req := llmtest.Question()
		req.Role = role
		_, err := llm.Generate(t.Context(), m.llm, req)
		require.NoError(t, err)
		last := s.Requests()[len(s.Requests())-1]
		asked = append(asked, last.Model)
		require.Equal(t, "Bearer "+modelKey, last.Header.Get("Authorization"))
	}
	require.Equal(t, []string{"coder", "thinker", "llama-3.3-70b-versatile", "llama-3.3-70b-versatile"}, asked)
	require.Equal(t, "https://api.groq.com/openai/v1/chat/completions", wire.urls[0])
	require.Equal(t, "offline-hash/1", m.embedder.Name())
}

func TestRateLimitIsOn(t *testing.T) {
	m, s, _ := build(t, "LLM_PROVIDER=ollama", "OLLAMA_MODEL=ok", "LLM_REQUESTS_PER_MINUTE=1")
	_, err := llm.Generate(t.Context(), m.llm, llmtest.Question())
	require.NoError(t, err)
	_, err = llm.Generate(t.Context(), m.llm, llmtest.Question())
	require.ErrorIs(t, err, llm.ErrRateLimited)
	require.Len(t, s.Requests(), 1)
}

func TestRetryIsOnButNotAfterATimeout(t *testing.T) {
	m, s, _ := build(t, "LLM_PROVIDER=ollama", "OLLAMA_MODEL=flaky-1", "EMBEDDING_PROVIDER=ollama", "EMBEDDING_MODEL=flaky-1")
	_, err := llm.Generate(t.Context(), m.llm, llmtest.Question())
	require.NoError(t, err)
	require.Len(t, s.Requests(), 2)
	_, err = m.embedder.Embed(t.Context(), []string{"x"})
	require.NoError(t, err)
	require.Len(t, s.Requests(), 4)
	require.False(t, worthRetrying(&llm.Error{Kind: llm.ErrTimeout}))
	require.False(t, worthRetrying(errors.New("odd")))
}

func TestEmbedders(t *testing.T) {
	for _, test := range []struct {
		environ   []string
		url, name string
		key       bool // the key is sent
	}{
		{[]string{"EMBEDDING_PROVIDER=ollama"}, "http://localhost:11434/v1/embeddings", "ollama/all-minilm", false},
		{[]string{"EMBEDDING_PROVIDER=ollama", "EMBEDDING_MODEL=all-MiniLM-L6-v2"}, "http://localhost:11434/v1/embeddings", "ollama/all-minilm", false},
		{[]string{"EMBEDDING_PROVIDER=ollama", "OLLAMA_BASE_URL=http://gpu:1", "EMBEDDING_MODEL=nomic"}, "http://gpu:1/v1/embeddings", "ollama/nomic", false},
		{[]string{"EMBEDDING_PROVIDER=ollama", "EMBEDDING_BASE_URL=http://gpu:2"}, "http://gpu:2/v1/embeddings", "ollama/all-minilm", false},
		{[]string{"EMBEDDING_PROVIDER=openai"}, "https://api.openai.com/v1/embeddings", "openai/text-embedding-3-small", true},
		{[]string{"EMBEDDING_PROVIDER=openai", "OPENAI_BASE_URL=http://vllm:8000/v1"}, "http://vllm:8000/v1/embeddings", "openai/all-MiniLM-L6-v2", true},
		{[]string{"EMBEDDING_PROVIDER=openai", "EMBEDDING_BASE_URL=http://tei:8080/v1"}, "http://tei:8080/v1/embeddings", "openai/all-MiniLM-L6-v2", true},
		{[]string{"EMBEDDING_PROVIDER=openai", "EMBEDDING_BASE_URL=http://tei:8080/v1", "LLM_PROVIDER=openai", "OPENAI_MODEL=gpt-4o"}, "http://tei:8080/v1/embeddings", "openai/all-MiniLM-L6-v2", false},
	} {
		m, s, wire := build(t, append(test.environ, "OPENAI_API_KEY="+modelKey)...)
		_, err := m.embedder.Embed(t.Context(), []string{"x"})
		require.NoError(t, err)
		require.Equal(t, test.url, wire.urls[0])
		require.Equal(t, test.name, m.embedder.Name())
		require.Equal(t, test.key, s.Requests()[0].Header.Get("Authorization") != "", "%v", test.environ)
	}
}

// TestServerWithAModel asks a whole server whose model and embedder are behind
// an endpoint.
func TestServerWithAModel(t *testing.T) {
	upstream := llmtest.NewServer(t)
	settings := []string{"RATE_LIMIT_PER_MINUTE=0", "LLM_PROVIDER=openai", "OPENAI_BASE_URL=" + upstream.BaseURL(), "OPENAI_API_KEY=" + modelKey, "EMBEDDING_PROVIDER=openai"}
	s := start(t, t.TempDir(), append(settings, "OPENAI_MODEL=ok")...)
	status, answer := s.post(t, "/chat", `{"message": "How do I place an order?"}`)
	require.Equal(t, 200, status)
	require.Contains(t, answer["response"], "an answer of many words to: Documents:")
	require.Equal(t, "ok", answer["model"])
	require.NoError(t, s.stop())
	embedded := false
	for _, r := range upstream.Requests() {
		embedded = embedded || len(r.Texts) == 1 && r.Texts[0] == "How do I place an order?"
	}
	require.True(t, embedded, "a hybrid search asks an embedder that knows meaning")

	for _, model := range []string{"leak", "malformed", "cut"} {
		s = start(t, t.TempDir(), append(settings, "OPENAI_MODEL="+model)...)
		status, answer = s.post(t, "/chat", `{"message": "How do I place an order?"}`)
		require.Equal(t, 502, status, model)
		require.Equal(t, "upstream_failed", answer["error"], model)
		require.NoError(t, s.stop())
		require.NotContains(t, s.log.String()+s.out.String(), modelKey)
		require.Contains(t, s.log.String(), "model call")
	}
}

func TestLocalEmbedder(t *testing.T) {
	dir := os.Getenv("LOCAL_MODEL_DIR")
	if dir == "" {
		t.Skip("set LOCAL_MODEL_DIR to a folder of all-MiniLM-L6-v2")
	}
	for _, environ := range [][]string{
		{"EMBEDDING_MODEL_DIR=" + dir},
		{"EMBEDDING_MODEL_DIR=" + filepath.Dir(dir), "EMBEDDING_MODEL=" + filepath.Base(dir)},
	} {
		m, err := newModels(modelSettings(t, append(environ, "EMBEDDING_PROVIDER=local")...), slog.New(slog.DiscardHandler), http.DefaultClient)
		require.NoError(t, err)
		require.Equal(t, 384, m.embedder.Dimensions())
		require.Equal(t, meaningWeight, m.vectorWeight)
	}
}
