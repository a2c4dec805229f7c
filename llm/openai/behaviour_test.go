package openai_test

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/llm"
	"github.com/api-assistant/api-assistant/llm/llmtest"
	"github.com/api-assistant/api-assistant/llm/openai"
)

// fake is a server whose models misbehave as their names say.
type fake struct {
	openai.Endpoint
	asked func(t *testing.T, model, text string) int // requests so far with that text
}

// TestBehaviour has what a user sees of each kind of misbehaviour, through the
// decorators, from both fakes. Ours is in memory, where pauses take no time.
func TestBehaviour(t *testing.T) {
	t.Run("llmtest", func(t *testing.T) {
		behaviour(t, func(t *testing.T, test func(t *testing.T, f fake)) {
			inBubble(t, func(t *testing.T, s *llmtest.Server, e openai.Endpoint) {
				test(t, fake{e, func(_ *testing.T, model, text string) (n int) {
					for _, r := range s.Requests() {
						if r.Model == model && strings.Contains(string(r.Body), text) {
							n++
						}
					}
					return n
				}})
			})
		})
	})
	t.Run("fake_llm.py", func(t *testing.T) {
		f := startPython(t)
		behaviour(t, func(t *testing.T, test func(t *testing.T, f fake)) {
			t.Parallel()
			test(t, f)
		})
	})
}

// behaviour runs each row of the tables in its own place.
func behaviour(t *testing.T, in func(*testing.T, func(*testing.T, fake))) {
	for _, test := range []struct {
		model  string
		kind   error
		status int
		calls  int
		text   string // part of the answer, which an error may follow
	}{
		{model: "ok", calls: 1, text: "hello"},
		{model: "echo", calls: 1, text: `"hello`},
		{model: "slow", calls: 1, text: "hello"},
		{model: "rate-limited-2", calls: 3, text: "hello"},
		{model: "flaky-2", calls: 3, text: "hello"},
		{model: "flaky-conn-2", calls: 3, text: "hello"},
		{model: "rate-limited-5", kind: llm.ErrRateLimited, status: 429, calls: 3},
		{model: "down", kind: llm.ErrUnavailable, status: 500, calls: 3},
		{model: "hang", kind: llm.ErrTimeout, calls: 3},
		{model: "cut", kind: llm.ErrTruncated, calls: 1, text: "A"},
		{model: "malformed", kind: llm.ErrMalformed, calls: 1, text: "A"},
	} {
		for _, noStream := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, NoStream %t", test.model, noStream), func(t *testing.T) {
				in(t, func(t *testing.T, f fake) {
					calls, question := test.calls, fmt.Sprintf("hello from %t", noStream)
					if test.model == "cut" && noStream {
						calls = 3 // nothing was shown yet
					}
					model := llm.Chain(newModel(t, openai.Config{Endpoint: f.Endpoint, Model: test.model, NoStream: noStream}),
						retry.LLM, patience(test.model).LLM)
					text, last, err := llmtest.Collect(t, model.Stream(t.Context(), llm.Request{Messages: []llm.Message{{Speaker: llm.User, Content: question}}}))
					if !noStream || test.kind == nil {
						require.Contains(t, strings.ToLower(text), strings.ToLower(test.text))
					}
					require.Equal(t, calls, f.asked(t, test.model, question))
					if test.kind == nil {
						require.NoError(t, err)
						require.Equal(t, llm.FinishStop, last.FinishReason)
						require.NotNil(t, last.Usage)
						return
					}
					var e *llm.Error
					require.ErrorAs(t, err, &e)
					require.ErrorIs(t, err, test.kind)
					require.Equal(t, test.status, e.Status)
				})
			})
		}
	}
	for _, test := range []struct {
		model string
		kind  error
		calls int
	}{
		{model: "ok", calls: 1}, {model: "rate-limited-1", calls: 2}, {model: "flaky-2", calls: 3}, {model: "flaky-conn-1", calls: 2},
		{model: "down", kind: llm.ErrUnavailable, calls: 3}, {model: "hang", kind: llm.ErrTimeout, calls: 3}, {model: "malformed", kind: llm.ErrMalformed, calls: 1},
	} {
		t.Run(test.model+", embeddings", func(t *testing.T) {
			in(t, func(t *testing.T, f fake) {
				e := llm.ChainEmbedder(newEmbedder(t, openai.EmbedderConfig{Endpoint: f.Endpoint, Model: test.model}),
					retry.Embedder, patience(test.model).Embedder)
				vectors, err := e.Embed(t.Context(), []string{"embed me", "and me"})
				require.Equal(t, test.calls, f.asked(t, test.model, "embed me"))
				if test.kind != nil {
					require.ErrorIs(t, err, test.kind)
					return
				}
				require.NoError(t, err)
				require.Len(t, vectors, 2)
			})
		})
	}
}

var retry = llm.Retry{Base: time.Millisecond}

// patience is short with a model that will not answer.
func patience(model string) llm.Timeout {
	if strings.Contains(model, "hang") {
		return llm.Timeout{FirstToken: 300 * time.Millisecond}
	}
	return llm.Timeout{FirstToken: 30 * time.Second}
}

// startPython starts the fake server of the shared tools.
func startPython(t *testing.T) fake {
	data := cmp.Or(os.Getenv("API_ASSISTANT_DATA"), filepath.Join("..", "..", "..", "shared", "data"))
	tool := filepath.Join(data, "..", "tools", "fake_llm.py")
	if _, err := os.Stat(tool); err != nil {
		t.Skip("fake_llm.py is not there (../shared/tools, or beside API_ASSISTANT_DATA): ", err)
	}
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3 is not installed")
	}
	cmd := exec.Command(python, "-u", tool, "--port", "0")
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	baseURL := regexp.MustCompile(`http://\S+`).FindString(line)
	require.NotEmpty(t, baseURL, line)
	return fake{openai.Endpoint{BaseURL: baseURL}, func(t *testing.T, model, text string) (n int) {
		resp, err := http.Get(strings.TrimSuffix(baseURL, "/v1") + "/__log")
		require.NoError(t, err)
		defer resp.Body.Close()
		var log struct {
			Entries []struct {
				Model string
				Body  json.RawMessage
			}
		}
		require.NoError(t, json.NewDecoder(resp.Body).Decode(&log))
		for _, e := range log.Entries {
			if e.Model == model && strings.Contains(string(e.Body), text) {
				n++
			}
		}
		return n
	}}
}

// TestPythonFaults goes through the finer faults of fake_llm.py.
func TestPythonFaults(t *testing.T) {
	f := startPython(t)
	for _, test := range []struct {
		fault         string
		stream, whole error // nil: an answer
		finish        llm.FinishReason
	}{
		{fault: "400", stream: llm.ErrInvalid, whole: llm.ErrInvalid}, {fault: "401", stream: llm.ErrAuth, whole: llm.ErrAuth},
		{fault: "413", stream: llm.ErrContextWindow, whole: llm.ErrContextWindow}, {fault: "408", stream: llm.ErrTimeout, whole: llm.ErrTimeout},
		{fault: "502", stream: llm.ErrUnavailable, whole: llm.ErrUnavailable}, {fault: "504", stream: llm.ErrTimeout, whole: llm.ErrTimeout},
		{fault: "429:7", stream: llm.ErrRateLimited, whole: llm.ErrRateLimited}, {fault: "429-date", stream: llm.ErrRateLimited, whole: llm.ErrRateLimited},
		{fault: "hanghdr", stream: llm.ErrTimeout, whole: llm.ErrTimeout},
		{fault: "reset", stream: llm.ErrTruncated, whole: llm.ErrTruncated},
		{fault: "nodone", stream: llm.ErrTruncated, finish: llm.FinishStop}, {fault: "streamerr", stream: llm.ErrUnavailable, finish: llm.FinishStop},
		{fault: "html", stream: llm.ErrMalformed, whole: llm.ErrMalformed}, {fault: "errorin200", stream: llm.ErrUnavailable, whole: llm.ErrUnavailable},
		{fault: "emptybody", stream: llm.ErrMalformed, whole: llm.ErrMalformed}, {fault: "nochoices", whole: llm.ErrMalformed, finish: llm.FinishStop},
		{fault: "wrongtype", whole: llm.ErrMalformed, finish: llm.FinishStop}, {fault: "toolcall", whole: llm.ErrMalformed, finish: llm.FinishStop},
		{fault: "null", finish: llm.FinishStop}, {fault: "length", finish: llm.FinishLength}, {fault: "filter", finish: llm.FinishFilter},
		{fault: "huge:5", stream: llm.ErrMalformed, whole: llm.ErrMalformed}, {fault: "utf8bad", finish: llm.FinishStop},
		{fault: "bigheader", stream: llm.ErrUnavailable, whole: llm.ErrUnavailable}, {fault: "redirect", stream: llm.ErrInvalid, whole: llm.ErrInvalid},
		{fault: "key", finish: llm.FinishStop}, {fault: "inject", finish: llm.FinishStop},
	} {
		for _, noStream := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, NoStream %t", test.fault, noStream), func(t *testing.T) {
				t.Parallel()
				model := patience(test.fault).LLM(newModel(t, openai.Config{Endpoint: f.Endpoint, Model: "fault-" + test.fault, NoStream: noStream}))
				answer, err := llm.Generate(t.Context(), model, llmtest.Question())
				want := test.stream
				if noStream {
					want = test.whole
				}
				if want != nil {
					require.ErrorIs(t, err, want)
					return
				}
				require.NoError(t, err)
				require.Equal(t, test.finish, answer.FinishReason)
			})
		}
	}
	for _, test := range []struct {
		fault string
		want  error
	}{
		{"shuffled", nil}, {"fewer", llm.ErrMalformed}, {"nan", llm.ErrMalformed}, {"zero", llm.ErrMalformed}, {"html", llm.ErrMalformed},
		{"malformed", llm.ErrMalformed}, {"cut", llm.ErrTruncated}, {"dim:7", llm.ErrMalformed}, {"401", llm.ErrAuth}, {"429:3", llm.ErrRateLimited}, {"hang", llm.ErrTimeout},
	} {
		t.Run("embeddings, "+test.fault, func(t *testing.T) {
			t.Parallel()
			texts := []string{"list orders", "delete a user", "quantum pie"}
			e := patience(test.fault).Embedder(newEmbedder(t, openai.EmbedderConfig{Endpoint: f.Endpoint, Model: "efault-" + test.fault, Dimensions: 384}))
			vectors, err := e.Embed(t.Context(), texts)
			if test.want != nil {
				require.ErrorIs(t, err, test.want)
				return
			}
			require.NoError(t, err)
			want, err := newEmbedder(t, openai.EmbedderConfig{Endpoint: f.Endpoint, Model: "ok"}).Embed(t.Context(), texts)
			require.NoError(t, err)
			require.Equal(t, want, vectors, "in the order of the texts")
		})
	}
}
