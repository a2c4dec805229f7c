package openai_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/llm"
	"github.com/api-assistant/api-assistant/llm/llmtest"
	"github.com/api-assistant/api-assistant/llm/openai"
)

// TestOllama talks to a real server. It runs when OLLAMA_URL is set; with
// OLLAMA_MODEL and OLLAMA_EMBEDDING_MODEL naming models that the server has, it
// runs the conformance suites on them, too.
func TestOllama(t *testing.T) {
	address := os.Getenv("OLLAMA_URL")
	if address == "" {
		t.Skip("OLLAMA_URL is not set (http://localhost:11434, say)")
	}
	ollama := openai.Ollama(address)
	names, err := newModel(t, openai.Config{Endpoint: ollama}).Models(t.Context())
	require.NoError(t, err)
	t.Logf("models: %q", names)
	for _, noStream := range []bool{false, true} {
		_, err := llm.Generate(t.Context(), newModel(t, openai.Config{Endpoint: ollama, Model: "no-such-model", NoStream: noStream}), llmtest.Question())
		t.Logf("chat with a missing model, NoStream %t: %v", noStream, err)
		var e *llm.Error
		require.ErrorAs(t, err, &e)
		require.ErrorIs(t, err, llm.ErrInvalid)
		require.Equal(t, 404, e.Status)
		require.Equal(t, "ollama", e.Provider)
		require.ErrorContains(t, err, "no-such-model")
	}
	_, err = newEmbedder(t, openai.EmbedderConfig{Endpoint: ollama, Model: "no-such-model"}).Embed(t.Context(), []string{"a", "b"})
	t.Logf("embeddings with a missing model: %v", err)
	require.ErrorIs(t, err, llm.ErrInvalid)
	if name := os.Getenv("OLLAMA_MODEL"); name != "" {
		llmtest.Run(t, func(t *testing.T) llm.LLM { return newModel(t, openai.Config{Endpoint: ollama, Model: name}) })
	}
	if name := os.Getenv("OLLAMA_EMBEDDING_MODEL"); name != "" {
		llmtest.RunEmbedder(t, func(t *testing.T) llm.Embedder {
			return newEmbedder(t, openai.EmbedderConfig{Endpoint: ollama, Model: name})
		})
	}
}
