package llmtest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/llm"
	"github.com/api-assistant/api-assistant/llm/llmtest"
)

func ExampleNewModel() {
	model := llmtest.NewModel(llmtest.Fail(errors.New("not yet")), llmtest.Say("Use ", "GET /orders"))
	for range 2 {
		answer, err := llm.Generate(context.Background(), model, llmtest.Question())
		fmt.Printf("%q %v\n", answer.Text, err)
	}
	fmt.Println(len(model.Calls()), "calls")
	// Output:
	// "" not yet
	// "Use GET /orders" <nil>
	// 2 calls
}

func TestScriptedModelAndEmbedder(t *testing.T) {
	llmtest.Run(t, func(*testing.T) llm.LLM { return llmtest.NewModel(llmtest.Say("a", "b")) })
	llmtest.RunEmbedder(t, func(*testing.T) llm.Embedder { return llmtest.NewEmbedder() })
}

// ask makes a chat request, and returns status and body.
func ask(t *testing.T, s *llmtest.Server, model string, stream bool) (int, string, error) {
	t.Helper()
	body := fmt.Sprintf(`{"model":%q,"stream":%t,"messages":[{"role":"user","content":"hello"}]}`, model, stream)
	resp, err := http.Post(s.BaseURL()+"/chat/completions", "application/json", strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(got), err
}

// TestServer reads the wire itself: what other tests rely on.
func TestServer(t *testing.T) {
	s := llmtest.NewServer(t)
	for _, stream := range []bool{false, true} {
		for _, test := range []struct {
			model    string
			statuses []int // 0: no answer, -1: an answer that breaks off
			contains string
		}{
			{"ok", []int{200, 200}, "hello"},
			{"echo", []int{200}, "Content"},
			{"rate-limited-2", []int{429, 429, 200}, ""},
			{"flaky-1", []int{503, 200}, ""},
			{"flaky-conn-1", []int{0, 200}, ""},
			{"down", []int{500, 500, 500}, "fake_error"},
			{"slow", []int{200}, "hello"},
			{"cut", []int{-1, -1}, "an"},
			{"malformed", []int{200}, ""},
			{"leak", []int{401}, "credentials"},
		} {
			name := fmt.Sprintf("%s, stream %t", test.model, stream)
			for i, want := range test.statuses {
				status, body, err := ask(t, s, test.model, stream)
				if want <= 0 {
					require.Error(t, err, "%s, call %d", name, i)
					require.Equal(t, want < 0, status != 0, "%s, call %d", name, i)
					continue
				}
				require.NoError(t, err, "%s, call %d", name, i)
				require.Equal(t, want, status, "%s, call %d", name, i)
				require.Contains(t, body, test.contains, name)
				if want == 200 && stream {
					require.True(t, strings.HasSuffix(body, llmtest.DoneEvent), name)
				} else {
					require.Equal(t, test.model != "malformed", json.Valid([]byte(body)), name)
				}
			}
			s = llmtest.NewServer(t) // the other way to ask begins anew
		}
	}
}

func TestServerScriptAndRecord(t *testing.T) {
	s := llmtest.NewServer(t)
	s.Next(llmtest.JSON(418, `{}`, "Retry-After", "3"), llmtest.Events(llmtest.Delta("x"), llmtest.DoneEvent))
	status, _, err := ask(t, s, "down", false)
	require.NoError(t, err)
	require.Equal(t, 418, status)
	_, body, err := ask(t, s, "down", true)
	require.NoError(t, err)
	require.Contains(t, body, `"x"`)
	status, _, err = ask(t, s, "down", false)
	require.NoError(t, err)
	require.Equal(t, 500, status, "the script is over")
	requests := s.Requests()
	require.Len(t, requests, 3)
	require.True(t, requests[1].Stream)
	require.Equal(t, "/v1/chat/completions", requests[0].Path)
	require.Equal(t, []llm.Message{{Speaker: llm.User, Content: "hello"}}, requests[0].Messages)
	require.Zero(t, s.Active())

	resp, err := http.Post(s.BaseURL()+"/embeddings", "application/json", strings.NewReader(`{"model":"ok","input":["a","b"]}`))
	require.NoError(t, err)
	defer resp.Body.Close()
	var out struct {
		Data []struct{ Embedding []float32 }
	}
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&out))
	require.Len(t, out.Data, 2)
	require.Equal(t, []string{"a", "b"}, s.Requests()[3].Texts)
	resp, err = http.Get(s.URL + "/elsewhere")
	require.NoError(t, err)
	resp.Body.Close()
	require.Equal(t, 404, resp.StatusCode)
}
