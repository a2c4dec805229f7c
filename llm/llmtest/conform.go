package llmtest

import (
	"context"
	"errors"
	"iter"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/llm"
)

// patience is how long the suites wait for what must happen soon.
const patience = 10 * time.Second

// Run checks what can be checked of any language model: streams are lazy, end
// with a finish reason or with one error, which is last, follow the context,
// leave no goroutine behind and may run side by side. open makes a model that
// answers an ordinary question.
func Run(t *testing.T, open func(t *testing.T) llm.LLM) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, llm.LLM)
	}{
		{"Complete", complete}, {"Generate", generate}, {"Lazy", lazy}, {"Cancelled", cancelled},
		{"CancelledMidway", cancelledMidway}, {"Break", breaks}, {"Unchanged", unchanged}, {"Concurrent", concurrent},
	} {
		t.Run(test.name, func(t *testing.T) {
			before := runtime.NumGoroutine()
			t.Cleanup(func() { noneLeft(t, before) })
			test.run(t, open(t))
		})
	}
}

// Question is what the suites ask.
func Question() llm.Request {
	return llm.Request{
		Messages: []llm.Message{
			{Speaker: llm.System, Content: "Answer from the documents."},
			{Speaker: llm.User, Content: "How are orders listed?"},
		},
		Question: "How are orders listed?",
		Passages: []llm.Passage{{Number: 1, Title: "GET /orders", Text: "GET /orders: lists orders, newest first"}},
	}
}

// Collect drains a stream. It fails the test if something follows an error, or a
// chunk with text follows the end.
func Collect(t testing.TB, stream iter.Seq2[llm.Chunk, error]) (text string, last llm.Chunk, err error) {
	t.Helper()
	var b strings.Builder
	for chunk, e := range stream {
		require.NoError(t, err, "nothing follows an error")
		if err = e; e != nil {
			require.Zero(t, chunk, "an error comes without a chunk")
			continue
		}
		require.Empty(t, last.FinishReason, "nothing follows the end")
		b.WriteString(chunk.Text)
		last = chunk
	}
	return b.String(), last, err
}

// noneLeft waits until there are no more goroutines than before. It is called
// after what was opened is closed.
func noneLeft(t *testing.T, before int) {
	for end := time.Now().Add(patience); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			stacks := make([]byte, 1<<16)
			t.Errorf("%d goroutines were left behind:\n%s", runtime.NumGoroutine()-before, stacks[:runtime.Stack(stacks, true)])
			return
		}
	}
}

func complete(t *testing.T, model llm.LLM) {
	text, last, err := Collect(t, model.Stream(t.Context(), Question()))
	require.NoError(t, err)
	require.NotEmpty(t, text)
	require.NotEmpty(t, last.FinishReason, "the last chunk says why it is the last")
	if last.Usage != nil {
		require.GreaterOrEqual(t, last.Usage.PromptTokens, 0)
		require.Positive(t, last.Usage.CompletionTokens)
	}
}

func generate(t *testing.T, model llm.LLM) {
	answer, err := llm.Generate(t.Context(), model, Question())
	require.NoError(t, err)
	require.NotEmpty(t, answer.Text)
	require.NotEmpty(t, answer.FinishReason)
}

// lazy makes a stream, ends the context and only then iterates: a model that
// had begun already would answer.
func lazy(t *testing.T, model llm.LLM) {
	ctx, cancel := context.WithCancel(t.Context())
	model.Stream(ctx, Question()) // not iterated at all
	stream := model.Stream(ctx, Question())
	cancel()
	text, _, err := Collect(t, stream)
	require.Empty(t, text)
	require.ErrorIs(t, err, context.Canceled)
}

func cancelled(t *testing.T, model llm.LLM) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, err := Collect(t, model.Stream(ctx, Question()))
	require.ErrorIs(t, err, context.Canceled)
	ctx, cancel = context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	_, _, err = Collect(t, model.Stream(ctx, Question()))
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

func cancelledMidway(t *testing.T, model llm.LLM) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := false
	for chunk, err := range model.Stream(ctx, Question()) {
		require.False(t, ended, "nothing follows an error")
		if ended = err != nil; ended {
			require.ErrorIs(t, err, context.Canceled)
			require.Zero(t, chunk)
		}
		cancel()
	}
}

func breaks(t *testing.T, model llm.LLM) {
	for _, err := range model.Stream(t.Context(), Question()) {
		require.NoError(t, err)
		break
	}
}

func unchanged(t *testing.T, model llm.LLM) {
	req := Question()
	_, _, err := Collect(t, model.Stream(t.Context(), req))
	require.NoError(t, err)
	require.Equal(t, Question(), req, "the request belongs to the caller")
}

func concurrent(t *testing.T, model llm.LLM) {
	var running sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		running.Go(func() { _, errs[i] = llm.Generate(t.Context(), model, Question()) })
	}
	running.Wait()
	require.NoError(t, errors.Join(errs...))
}

// RunServed checks a model that talks to an OpenAI-compatible server: all that
// Run checks, and that it makes no request before it is iterated, that break and
// cancellation release the connection, that it reports tokens, and that each
// failure of the server is the right error. open makes a model for the server
// at baseURL (which ends in /v1) and the model name, with an API key.
func RunServed(t *testing.T, open func(t *testing.T, baseURL, model string) llm.LLM) {
	Run(t, func(t *testing.T) llm.LLM { return open(t, NewServer(t).BaseURL(), "ok") })
	for _, test := range []struct {
		name string
		run  func(*testing.T, *Server, func(model string) llm.LLM)
	}{
		{"NoRequestBeforeIteration", noRequestYet}, {"BreakReleases", breakReleases}, {"CancelReleases", cancelReleases},
		{"Usage", usage}, {"Failures", failures}, {"NoSecrets", noSecrets},
	} {
		t.Run(test.name, func(t *testing.T) {
			before := runtime.NumGoroutine()
			t.Cleanup(func() { noneLeft(t, before) })
			server := NewServer(t)
			test.run(t, server, func(model string) llm.LLM { return open(t, server.BaseURL(), model) })
		})
	}
}

func noRequestYet(t *testing.T, server *Server, open func(string) llm.LLM) {
	stream := open("ok").Stream(t.Context(), Question())
	require.Empty(t, server.Requests())
	_, _, err := Collect(t, stream)
	require.NoError(t, err)
	require.Len(t, server.Requests(), 1)
}

// idle waits until the server answers nobody.
func (s *Server) idle(t *testing.T) {
	t.Helper()
	require.Eventually(t, func() bool { return s.Active() == 0 }, patience, time.Millisecond, "the connection was not released")
}

func breakReleases(t *testing.T, server *Server, open func(string) llm.LLM) {
	for chunk, err := range open("endless").Stream(t.Context(), Question()) {
		require.NoError(t, err)
		if chunk.Text != "" {
			break
		}
	}
	server.idle(t)
}

func cancelReleases(t *testing.T, server *Server, open func(string) llm.LLM) {
	for _, model := range []string{"endless", "hang"} {
		for _, end := range []struct {
			context func() (context.Context, context.CancelFunc)
			err     error
		}{
			{func() (context.Context, context.CancelFunc) {
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(30*time.Millisecond, cancel)
				return ctx, cancel
			}, context.Canceled},
			{func() (context.Context, context.CancelFunc) {
				return context.WithTimeout(t.Context(), 30*time.Millisecond)
			}, context.DeadlineExceeded},
		} {
			ctx, cancel := end.context()
			_, _, err := Collect(t, open(model).Stream(ctx, Question()))
			require.ErrorIs(t, err, end.err)
			cancel()
			server.idle(t)
		}
	}
}

func usage(t *testing.T, _ *Server, open func(string) llm.LLM) {
	answer, err := llm.Generate(t.Context(), open("ok"), Question())
	require.NoError(t, err)
	require.Positive(t, answer.Usage.PromptTokens)
	require.Positive(t, answer.Usage.CompletionTokens)
	require.Equal(t, "ok", answer.Model)
	require.Equal(t, llm.FinishStop, answer.FinishReason)
}

func failures(t *testing.T, _ *Server, open func(string) llm.LLM) {
	for _, test := range []struct {
		model  string
		kind   error
		status int
		after  time.Duration
		text   bool // some text comes before
	}{
		{model: "down", kind: llm.ErrUnavailable, status: 500},
		{model: "flaky-1", kind: llm.ErrUnavailable, status: 503},
		{model: "flaky-conn-1", kind: llm.ErrUnavailable},
		{model: "rate-limited-1", kind: llm.ErrRateLimited, status: 429, after: time.Second},
		{model: "cut", kind: llm.ErrTruncated, text: true},
		{model: "malformed", kind: llm.ErrMalformed, text: true},
	} {
		text, _, err := Collect(t, open(test.model).Stream(t.Context(), Question()))
		var e *llm.Error
		require.ErrorAs(t, err, &e, test.model)
		require.ErrorIs(t, e.Kind, test.kind, test.model)
		require.Equal(t, test.status, e.Status, test.model)
		require.Equal(t, test.after, e.RetryAfter, test.model)
		require.NotEmpty(t, e.Provider, test.model)
		require.Equal(t, test.text, text != "", test.model)
	}
}

// noSecrets asks a server that puts the key into its errors.
func noSecrets(t *testing.T, server *Server, open func(string) llm.LLM) {
	for _, model := range []string{"leak", "leak-stream"} {
		_, _, err := Collect(t, open(model).Stream(t.Context(), Question()))
		require.Error(t, err)
		requests := server.Requests()
		key := strings.TrimPrefix(requests[len(requests)-1].Header.Get("Authorization"), "Bearer ")
		require.NotEmpty(t, key, "the suite needs a model with an API key")
		require.NotContains(t, err.Error(), key)
		for e := err; e != nil; e = errors.Unwrap(e) {
			require.NotContains(t, e.Error(), key)
		}
	}
}
