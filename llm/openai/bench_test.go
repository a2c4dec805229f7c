package openai_test

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/llm"
	"github.com/api-assistant/api-assistant/llm/llmtest"
	"github.com/api-assistant/api-assistant/llm/openai"
)

const benchTokens = 1000

// BenchmarkOverheadOfAStream reads the same answer of 1,000 tokens with a raw
// HTTP client, which only looks for lines, with a Model, and with a Model in all
// decorators, in turn, and shows medians: the time to the first token and the
// time per token, and what the second and the third add to the first.
func BenchmarkOverheadOfAStream(b *testing.B) {
	first := []byte(llmtest.Delta("token "))
	rest := bytes.Repeat(first, benchTokens-1)
	rest = append(rest, llmtest.FinishEvent+llmtest.DoneEvent...)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "text/event-stream")
		w.Write(first)
		w.(http.Flusher).Flush()
		w.Write(rest)
	}))
	defer server.Close()
	client := newModel(b, openai.Config{Endpoint: openai.Endpoint{BaseURL: server.URL + "/v1"}})
	raw := &http.Client{Transport: openai.Transport()}
	defer raw.CloseIdleConnections()
	body := bytes.Repeat([]byte("x"), 400) // about what the model sends
	variants := []struct {
		name string
		read func(b *testing.B) (first, all time.Duration)
	}{
		{"raw", func(b *testing.B) (time.Duration, time.Duration) { return readRaw(b, raw, server.URL, body) }},
		{"model", func(b *testing.B) (time.Duration, time.Duration) { return readModel(b, client) }},
		{"decorated", func(b *testing.B) (time.Duration, time.Duration) {
			return readModel(b, llm.Chain(client, llm.Log(nil).LLM, llm.NewBreaker(llm.BreakerConfig{}).LLM, llm.Retry{}.LLM,
				llm.NewRateLimit(llm.RateLimitConfig{PerMinute: 1 << 30}).LLM, llm.Timeout{}.LLM))
		}},
	}
	b.ReportAllocs()
	firsts, tokens := make([][]float64, len(variants)), make([][]float64, len(variants))
	for b.Loop() {
		for i, v := range variants {
			first, all := v.read(b)
			firsts[i] = append(firsts[i], float64(first)/1e3)
			tokens[i] = append(tokens[i], float64(all-first)/1e3/(benchTokens-1))
		}
	}
	for i, v := range variants {
		b.ReportMetric(median(firsts[i]), "µs-first-"+v.name)
		b.ReportMetric(median(tokens[i]), "µs/token-"+v.name)
		if i > 0 {
			b.ReportMetric(median(firsts[i])-median(firsts[0]), "µs-first-added-"+v.name)
			b.ReportMetric(median(tokens[i])-median(tokens[0]), "µs/token-added-"+v.name)
		}
	}
}

func median(x []float64) float64 {
	slices.Sort(x)
	return x[len(x)/2]
}

func readRaw(b *testing.B, client *http.Client, url string, body []byte) (first, all time.Duration) {
	start := time.Now()
	resp, err := client.Post(url+"/v1/chat/completions", "application/json", bytes.NewReader(body))
	require.NoError(b, err)
	defer resp.Body.Close()
	n := 0
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "data: {") {
			if n++; n == 1 {
				first = time.Since(start)
			}
		}
	}
	require.Equal(b, benchTokens+1, n)
	return first, time.Since(start)
}

func readModel(b *testing.B, model llm.LLM) (first, all time.Duration) {
	start, n := time.Now(), 0
	for chunk, err := range model.Stream(b.Context(), llmtest.Question()) {
		require.NoError(b, err)
		if chunk.Text != "" {
			if n++; n == 1 {
				first = time.Since(start)
			}
		}
	}
	require.Equal(b, benchTokens, n)
	return first, time.Since(start)
}
