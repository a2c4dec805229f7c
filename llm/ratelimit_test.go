package llm_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/llm"
	"github.com/api-assistant/api-assistant/llm/llmtest"
)

// TestRateLimitHoldsInEveryMinute makes more calls than are allowed, side by
// side, and looks at every minute.
func TestRateLimitHoldsInEveryMinute(t *testing.T) {
	for _, cfg := range []llm.RateLimitConfig{{PerMinute: 30}, {PerMinute: 30, Burst: 30}, {PerMinute: 30, Burst: 1}, {PerMinute: 1}, {PerMinute: 7, Burst: 99}} {
		synctest.Test(t, func(t *testing.T) {
			cfg.MaxWait = time.Hour
			model, calls := llmtest.NewModel(llmtest.Say("x")), 3*cfg.PerMinute
			limited := llm.NewRateLimit(cfg).LLM(model)
			var running sync.WaitGroup
			for range calls {
				running.Go(func() {
					_, err := llm.Generate(t.Context(), limited, llmtest.Question())
					require.NoError(t, err)
				})
			}
			running.Wait()
			at := model.Calls()
			require.Len(t, at, calls)
			for i := cfg.PerMinute; i < calls; i++ {
				require.GreaterOrEqual(t, at[i].At.Sub(at[i-cfg.PerMinute].At), time.Minute-time.Millisecond, "%+v: calls %d and %d", cfg, i-cfg.PerMinute, i)
			}
			require.Less(t, at[calls-1].At.Sub(at[0].At), 6*time.Minute, "%+v: and not slower than need be", cfg)
		})
	}
}

func TestRateLimitFailsWhatCannotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		model, start := llmtest.NewModel(llmtest.Say("x")), time.Now()
		limit := llm.NewRateLimit(llm.RateLimitConfig{PerMinute: 1, MaxWait: 20 * time.Second})
		_, err := say(t, limit.LLM(model))
		require.NoError(t, err)
		_, err = say(t, limit.LLM(model))
		var e *llm.Error
		require.ErrorAs(t, err, &e)
		require.ErrorIs(t, err, llm.ErrRateLimited)
		require.InDelta(t, time.Minute, e.RetryAfter, float64(time.Second))
		require.ErrorContains(t, err, "at most 1 calls a minute")
		require.Zero(t, time.Since(start), "at once")
		time.Sleep(45 * time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		_, _, err = llmtest.Collect(t, limit.LLM(model).Stream(ctx, llmtest.Question()))
		require.ErrorIs(t, err, llm.ErrRateLimited, "the context ends before the turn")
		_, err = say(t, limit.LLM(model))
		require.NoError(t, err, "a call that failed took no turn away")
		require.Len(t, model.Calls(), 2)
	})
}

func TestRateLimitHeedsTheProvider(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limit := llm.NewRateLimit(llm.RateLimitConfig{})
		model := llmtest.NewModel(llmtest.Fail(errLimited), llmtest.Say("x"))
		start := time.Now()
		_, err := say(t, limit.LLM(model))
		require.ErrorIs(t, err, llm.ErrRateLimited)
		_, err = limit.Embedder(llmtest.NewEmbedder()).Embed(t.Context(), []string{"shares the account"})
		require.NoError(t, err)
		require.Equal(t, 7*time.Second, time.Since(start))
		for range 100 {
			_, err = say(t, limit.LLM(model))
			require.NoError(t, err)
		}
		require.Equal(t, 7*time.Second, time.Since(start), "no limit of its own")
	})
}

func TestRateLimitWaitCanBeCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limit := llm.NewRateLimit(llm.RateLimitConfig{PerMinute: 1, MaxWait: time.Hour})
		model := llmtest.NewModel(llmtest.Say("x"))
		_, err := say(t, limit.LLM(model))
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		_, err = limit.Embedder(llmtest.NewEmbedder()).Embed(ctx, []string{"x"})
		require.ErrorIs(t, err, context.Canceled)
	})
}
