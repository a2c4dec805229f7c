package openai_test

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/llm"
	"github.com/api-assistant/api-assistant/llm/llmtest"
	"github.com/api-assistant/api-assistant/llm/openai"
)

func newEmbedder(t testing.TB, cfg openai.EmbedderConfig) *openai.Embedder {
	t.Helper()
	if cfg.APIKey == "" {
		cfg.APIKey = key
	}
	if cfg.Model == "" {
		cfg.Model = "m"
	}
	e, err := openai.NewEmbedder(cfg)
	require.NoError(t, err)
	return e
}

func embedServed(t *testing.T, cfg openai.EmbedderConfig, answers ...http.HandlerFunc) (*openai.Embedder, *llmtest.Server) {
	t.Helper()
	s := llmtest.NewServer(t)
	s.Next(answers...)
	cfg.BaseURL = s.BaseURL()
	return newEmbedder(t, cfg), s
}

func TestEmbedderReadsAnswersAsTheyAre(t *testing.T) {
	for _, test := range []struct {
		name, body string
		dimensions int
		want       [][]float32
		kind       error
		message    string
	}{
		{name: "in order", body: `{"data":[{"index":0,"embedding":[1,0]},{"index":1,"embedding":[0,1]}]}`, want: [][]float32{{1, 0}, {0, 1}}},
		{name: "out of order", body: `{"data":[{"index":1,"embedding":[0,1]},{"index":0,"embedding":[1,0]}]}`, want: [][]float32{{1, 0}, {0, 1}}},
		{name: "not numbered", body: `{"data":[{"embedding":[1,0]},{"embedding":[0,1]}]}`, want: [][]float32{{1, 0}, {0, 1}}},
		{name: "normalised", body: `{"data":[{"index":0,"embedding":[3,4]},{"index":1,"embedding":[0,-2]}]}`, want: [][]float32{{0.6, 0.8}, {0, -1}}},
		{name: "huge", body: `{"data":[{"index":0,"embedding":[3e38,0]},{"index":1,"embedding":[0,1e-38]}]}`, want: [][]float32{{1, 0}, {0, 1}}},
		{name: "too few", body: `{"data":[{"index":0,"embedding":[1,0]}]}`, kind: llm.ErrMalformed, message: "1 vectors for 2 texts"},
		{name: "too many", body: `{"data":[{"embedding":[1]},{"embedding":[1]},{"embedding":[1]}]}`, kind: llm.ErrMalformed, message: "3 vectors for 2 texts"},
		{name: "twice", body: `{"data":[{"index":1,"embedding":[1,0]},{"index":1,"embedding":[0,1]}]}`, kind: llm.ErrMalformed, message: "index 1 of 2"},
		{name: "index out of range", body: `{"data":[{"index":0,"embedding":[1,0]},{"index":2,"embedding":[0,1]}]}`, kind: llm.ErrMalformed, message: "index 2 of 2"},
		{name: "negative index", body: `{"data":[{"index":0,"embedding":[1,0]},{"index":-1,"embedding":[0,1]}]}`, kind: llm.ErrMalformed, message: "index -1"},
		{name: "wrong dimension", dimensions: 3, body: `{"data":[{"embedding":[1,0]},{"embedding":[0,1]}]}`, kind: llm.ErrMalformed, message: "2 dimensions, not 3"},
		{name: "mixed dimensions", body: `{"data":[{"embedding":[1,0]},{"embedding":[0,1,0]}]}`, kind: llm.ErrMalformed, message: "3 dimensions, not 2"},
		{name: "zero", body: `{"data":[{"embedding":[1,0]},{"embedding":[0,0]}]}`, kind: llm.ErrMalformed, message: "vector 1 has no direction"},
		{name: "null", body: `{"data":[{"embedding":[1,0]},{"embedding":null}]}`, kind: llm.ErrMalformed, message: "vector 1 is empty"},
		{name: "NaN", body: `{"data":[{"embedding":[NaN,0]},{"embedding":[1,0]}]}`, kind: llm.ErrMalformed},
		{name: "base64", body: `{"data":[{"embedding":"AACAPw=="},{"embedding":"AACAPw=="}]}`, kind: llm.ErrMalformed},
		{name: "cut JSON", body: `{"data":[{"embedding":[0.1,`, kind: llm.ErrMalformed},
		{name: "no JSON", body: `<html>no</html>`, kind: llm.ErrMalformed},
		{name: "nothing", body: ``, kind: llm.ErrMalformed},
		{name: "an error", body: `{"error":{"message":"busy","code":503}}`, kind: llm.ErrUnavailable, message: "busy"},
	} {
		t.Run(test.name, func(t *testing.T) {
			e, _ := embedServed(t, openai.EmbedderConfig{Dimensions: test.dimensions}, llmtest.JSON(200, test.body))
			vectors, err := e.Embed(t.Context(), []string{"a", "b"})
			if test.kind != nil {
				require.ErrorIs(t, err, test.kind)
				require.ErrorContains(t, err, test.message)
				require.Nil(t, vectors)
				require.Equal(t, test.dimensions, e.Dimensions(), "a bad answer teaches nothing")
				return
			}
			require.NoError(t, err)
			require.Len(t, vectors, 2)
			for i := range vectors {
				require.InDeltaSlice(t, test.want[i], vectors[i], 1e-6)
			}
			require.Equal(t, 2, e.Dimensions())
		})
	}
}

func TestEmbedderKeepsItsDimension(t *testing.T) {
	e, _ := embedServed(t, openai.EmbedderConfig{}, llmtest.JSON(200, `{"data":[{"embedding":[1,0]}]}`), llmtest.JSON(200, `{"data":[{"embedding":[1,0,0]}]}`))
	require.Zero(t, e.Dimensions())
	_, err := e.Embed(t.Context(), []string{"a"})
	require.NoError(t, err)
	require.Equal(t, 2, e.Dimensions())
	_, err = e.Embed(t.Context(), []string{"a"})
	require.ErrorContains(t, err, "3 dimensions, not 2")
}

func TestEmbedderBatchesAndNames(t *testing.T) {
	e, s := embedServed(t, openai.EmbedderConfig{Batch: 4})
	require.Equal(t, "openai/m", e.Name())
	_, err := e.Embed(t.Context(), strings.Split("a b c d e f g h i j", " "))
	require.NoError(t, err)
	var sizes []int
	for _, r := range s.Requests() {
		sizes = append(sizes, len(r.Texts))
		require.NotContains(t, string(r.Body), "dimensions")
	}
	require.Equal(t, []int{4, 4, 2}, sizes)

	e, s = embedServed(t, openai.EmbedderConfig{Dimensions: 32, Shorten: true})
	require.Equal(t, "openai/m@32", e.Name())
	_, err = e.Embed(t.Context(), []string{"a"})
	require.NoError(t, err)
	require.Contains(t, string(s.Requests()[0].Body), `"dimensions":32`)
	require.Equal(t, "ollama/all-minilm", newEmbedder(t, openai.EmbedderConfig{Endpoint: openai.Ollama(""), Model: "all-minilm"}).Name())
	require.Equal(t, "mine", newEmbedder(t, openai.EmbedderConfig{Name: "mine"}).Name())
	for _, cfg := range []openai.EmbedderConfig{{}, {Model: "m", Shorten: true}, {Model: "m", Batch: -1}, {Model: "m", Dimensions: -1}} {
		_, err := openai.NewEmbedder(cfg)
		require.Error(t, err)
	}
}

// TestEmbedderCutsWhatIsTooLong asks a server that refuses a whole batch for one
// long text, as OpenAI does.
func TestEmbedderCutsWhatIsTooLong(t *testing.T) {
	var sent [][]string
	e, s := embedServed(t, openai.EmbedderConfig{})
	answer := func(w http.ResponseWriter, r *http.Request) {
		all := s.Requests()
		texts := all[len(all)-1].Texts
		sent = append(sent, texts)
		data := []string{}
		for i, text := range texts {
			if len(text) > 100 {
				llmtest.JSON(400, `{"error":{"message":"This model's maximum context length is 25 tokens","code":null}}`)(w, r)
				return
			}
			data = append(data, fmt.Sprintf(`{"index":%d,"embedding":[%d,1]}`, i, len(text)))
		}
		llmtest.JSON(200, `{"data":[`+strings.Join(data, ",")+`]}`)(w, r)
	}
	for range 20 {
		s.Next(answer)
	}
	long := strings.Repeat("ü", 150)
	vectors, err := e.Embed(t.Context(), []string{"a", "bb", long, "dddd"})
	require.NoError(t, err)
	require.Len(t, vectors, 4)
	for i, length := range []float64{1, 2, 74, 4} {
		require.InDelta(t, length, vectors[i][0]/vectors[i][1], 1e-3, "text %d", i)
	}
	require.Equal(t, strings.Repeat("ü", 37), sent[len(sent)-2][0], "cut between characters")

	e, _ = embedServed(t, openai.EmbedderConfig{}, llmtest.JSON(413, `{"message":"too long"}`))
	_, err = e.Embed(t.Context(), []string{"short already"})
	require.ErrorIs(t, err, llm.ErrContextWindow)
}

func TestEmbedderSpeaksForBlankTexts(t *testing.T) {
	e, s := embedServed(t, openai.EmbedderConfig{})
	_, err := e.Embed(t.Context(), []string{"a", "", " \n"})
	require.NoError(t, err)
	var body struct{ Input []string }
	require.NoError(t, json.Unmarshal(s.Requests()[0].Body, &body))
	require.Equal(t, []string{"a", "(empty)", "(empty)"}, body.Input)
}

func TestVectorsAreUnitVectors(t *testing.T) {
	e, _ := embedServed(t, openai.EmbedderConfig{}, llmtest.JSON(200, `{"data":[{"embedding":[0.1,0.2,0.3]}]}`))
	vectors, err := e.Embed(t.Context(), []string{"a"})
	require.NoError(t, err)
	var sum float64
	for _, x := range vectors[0] {
		sum += float64(x) * float64(x)
	}
	require.InDelta(t, 1, math.Sqrt(sum), 1e-6)
}
