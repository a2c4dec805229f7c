package llm_test

import (
	"context"
	"errors"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/llm"
	"github.com/api-assistant/api-assistant/llm/llmtest"
)

var (
	errDown    = &llm.Error{Provider: "p", Status: 503, Kind: llm.ErrUnavailable}
	errLimited = &llm.Error{Provider: "p", Status: 429, Kind: llm.ErrRateLimited, RetryAfter: 7 * time.Second}
	errQuota   = &llm.Error{Provider: "p", Status: 429, Kind: llm.ErrQuota}
)

func say(t *testing.T, model llm.LLM) (string, error) {
	t.Helper()
	text, _, err := llmtest.Collect(t, model.Stream(t.Context(), llmtest.Question()))
	return text, err
}

func TestRetry(t *testing.T) {
	answer := llmtest.Say("all ", "well")
	for _, test := range []struct {
		name    string
		retry   llm.Retry
		replies []llmtest.Reply
		text    string
		err     error
		calls   int
		atLeast time.Duration // that all pauses take together
		atMost  time.Duration
	}{
		{name: "no failure", replies: []llmtest.Reply{answer}, text: "all well", calls: 1},
		{name: "two failures", replies: []llmtest.Reply{llmtest.Fail(errDown), llmtest.Fail(errDown), answer},
			text: "all well", calls: 3, atMost: 1500 * time.Millisecond},
		{name: "gives up", replies: []llmtest.Reply{llmtest.Fail(errDown)}, err: llm.ErrUnavailable, calls: 3, atMost: 1500 * time.Millisecond},
		{name: "as often as told", retry: llm.Retry{Attempts: 5, Base: time.Second, Max: 2 * time.Second},
			replies: []llmtest.Reply{llmtest.Fail(errDown)}, err: llm.ErrUnavailable, calls: 5, atMost: 7 * time.Second},
		{name: "once", retry: llm.Retry{Attempts: 1}, replies: []llmtest.Reply{llmtest.Fail(errDown)}, err: llm.ErrUnavailable, calls: 1},
		{name: "Retry-After", replies: []llmtest.Reply{llmtest.Fail(errLimited), answer}, text: "all well", calls: 2,
			atLeast: 7 * time.Second, atMost: 7*time.Second + 700*time.Millisecond},
		{name: "Retry-After beyond Max", retry: llm.Retry{Max: 5 * time.Second}, replies: []llmtest.Reply{llmtest.Fail(errLimited), answer},
			err: llm.ErrRateLimited, calls: 1},
		{name: "absurd Retry-After", replies: []llmtest.Reply{llmtest.Fail(&llm.Error{Kind: llm.ErrRateLimited, RetryAfter: math.MaxInt64}), answer},
			err: llm.ErrRateLimited, calls: 1},
		{name: "a quota stays used up", replies: []llmtest.Reply{llmtest.Fail(errQuota), answer}, err: llm.ErrQuota, calls: 1},
		{name: "an unknown error", replies: []llmtest.Reply{llmtest.Fail(errors.New("odd")), answer}, err: errors.New("odd"), calls: 1},
		{name: "On", retry: llm.Retry{On: func(err error) bool { return errors.Is(err, llm.ErrQuota) }},
			replies: []llmtest.Reply{llmtest.Fail(errQuota), answer}, text: "all well", calls: 2, atMost: time.Second},
		{name: "not after the first text", replies: []llmtest.Reply{llmtest.Fail(errDown, "half"), answer}, text: "half", err: llm.ErrUnavailable, calls: 1},
		{name: "after a chunk without text", replies: []llmtest.Reply{llmtest.Fail(errDown, ""), answer}, text: "all well", calls: 2, atMost: time.Second},
		{name: "after the first text if asked", retry: llm.Retry{Restart: true},
			replies: []llmtest.Reply{llmtest.Fail(errDown, "half"), answer}, text: "halfall well", calls: 2, atMost: time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				model, start := llmtest.NewModel(test.replies...), time.Now()
				text, err := say(t, test.retry.LLM(model))
				require.Equal(t, test.text, text)
				require.Len(t, model.Calls(), test.calls)
				took := time.Since(start)
				require.GreaterOrEqual(t, took, test.atLeast)
				require.LessOrEqual(t, took, test.atMost)
				switch {
				case test.err == nil:
					require.NoError(t, err)
				case test.name == "an unknown error":
					require.EqualError(t, err, "odd")
				default:
					require.ErrorIs(t, err, test.err)
				}
			})
		})
	}
}

func TestRetryJitter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var pauses []time.Duration
		for range 200 {
			model := llmtest.NewModel(llmtest.Fail(errDown), llmtest.Say("x"))
			_, err := say(t, llm.Retry{Base: time.Second}.LLM(model))
			require.NoError(t, err)
			calls := model.Calls()
			pauses = append(pauses, calls[1].At.Sub(calls[0].At))
		}
		var short, long int
		for _, p := range pauses {
			require.Less(t, p, time.Second)
			if p < time.Second/4 {
				short++
			} else if p > 3*time.Second/4 {
				long++
			}
		}
		require.Greater(t, short, 20, "full jitter: from nothing …")
		require.Greater(t, long, 20, "… to the bound")
	})
}

func TestRetryIsBoundedByTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		model, start := llmtest.NewModel(llmtest.Fail(errLimited)), time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		_, _, err := llmtest.Collect(t, llm.Retry{}.LLM(model).Stream(ctx, llmtest.Question()))
		require.ErrorIs(t, err, llm.ErrRateLimited, "the reason, not the end of the context")
		require.Zero(t, time.Since(start), "no pause that is in vain")

		ctx, cancel = context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		_, _, err = llmtest.Collect(t, llm.Retry{}.LLM(model).Stream(ctx, llmtest.Question()))
		require.ErrorIs(t, err, context.Canceled)
		require.Equal(t, time.Second, time.Since(start))
		require.Len(t, model.Calls(), 2)
	})
}

func TestGenerateForgetsWhatARestartVoids(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		model := llmtest.NewModel(llmtest.Fail(errDown, "half ", "an answer"), llmtest.Say("whole"))
		answer, err := llm.Generate(t.Context(), llm.Retry{Restart: true}.LLM(model), llmtest.Question())
		require.NoError(t, err)
		require.Equal(t, "whole", answer.Text)
		require.Equal(t, 1, answer.Usage.CompletionTokens)
	})
}

func TestRetryEmbedder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, start := llmtest.NewEmbedder(errDown, errLimited), time.Now()
		vectors, err := llm.Retry{}.Embedder(e).Embed(t.Context(), []string{"a", "b"})
		require.NoError(t, err)
		require.Len(t, vectors, 2)
		require.Equal(t, 3, e.Calls())
		require.GreaterOrEqual(t, time.Since(start), 7*time.Second)

		e = llmtest.NewEmbedder(errQuota)
		_, err = llm.Retry{}.Embedder(e).Embed(t.Context(), []string{"a"})
		require.ErrorIs(t, err, llm.ErrQuota)
		require.Equal(t, 1, e.Calls())
	})
}
