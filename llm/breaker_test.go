package llm_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/llm"
	"github.com/api-assistant/api-assistant/llm/llmtest"
)

func TestBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad := llmtest.Fail(errDown)
		model := llmtest.NewModel(bad, llmtest.Fail(errQuota), bad, bad, bad, llmtest.Say("well"), bad, bad, llmtest.Say("again"))
		breaker := llm.NewBreaker(llm.BreakerConfig{Failures: 3, Pause: 10 * time.Second})
		guarded := breaker.LLM(model)
		for range 4 {
			_, err := say(t, guarded)
			require.NotErrorIs(t, err, llm.ErrOpen)
		}
		require.Len(t, model.Calls(), 4, "an error of the account is neither a failure nor a success")

		var e *llm.Error
		_, err := say(t, guarded)
		require.ErrorIs(t, err, llm.ErrOpen)
		require.ErrorIs(t, err, llm.ErrUnavailable)
		require.ErrorAs(t, err, &e)
		require.Equal(t, 10*time.Second, e.RetryAfter)
		_, err = breaker.Embedder(llmtest.NewEmbedder()).Embed(t.Context(), []string{"x"})
		require.ErrorIs(t, err, llm.ErrOpen, "shared")
		require.Len(t, model.Calls(), 4)

		time.Sleep(10 * time.Second)
		_, err = say(t, guarded)
		require.NotErrorIs(t, err, llm.ErrOpen, "one call probes …")
		require.ErrorIs(t, err, llm.ErrUnavailable)
		_, err = say(t, guarded)
		require.ErrorIs(t, err, llm.ErrOpen, "… and failed: open for another pause")
		time.Sleep(10 * time.Second)
		text, err := say(t, guarded)
		require.NoError(t, err)
		require.Equal(t, "well", text)
		for range 2 {
			_, err = say(t, guarded)
			require.NotErrorIs(t, err, llm.ErrOpen, "closed: the row begins anew")
		}
		text, err = say(t, guarded)
		require.NoError(t, err)
		require.Equal(t, "again", text)
	})
}

// TestBreakerProbesWithOneCall makes calls while the probe is under way.
func TestBreakerProbesWithOneCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		model := llmtest.NewModel(llmtest.Fail(errDown), llmtest.Reply{Hang: true}, llmtest.Say("well"))
		guarded := llm.NewBreaker(llm.BreakerConfig{Failures: 1, Pause: time.Second}).LLM(model)
		_, err := say(t, guarded)
		require.ErrorIs(t, err, llm.ErrUnavailable)
		time.Sleep(time.Second)
		ctx, cancel := context.WithCancel(t.Context())
		probe := make(chan error)
		go func() {
			_, err := llm.Generate(ctx, guarded, llmtest.Question())
			probe <- err
		}()
		synctest.Wait()
		_, err = say(t, guarded)
		require.ErrorIs(t, err, llm.ErrOpen)
		cancel()
		require.ErrorIs(t, <-probe, context.Canceled)
		text, err := say(t, guarded)
		require.NoError(t, err, "a probe that was cancelled says nothing; the next call probes")
		require.Equal(t, "well", text)
	})
}

func TestBreakerSurvivesAPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		model := llmtest.NewModel(llmtest.Fail(errDown), llmtest.Say("well"))
		guarded := llm.NewBreaker(llm.BreakerConfig{Failures: 1, Pause: time.Second}).LLM(model)
		_, err := say(t, guarded)
		require.ErrorIs(t, err, llm.ErrUnavailable)
		time.Sleep(time.Second)
		require.Panics(t, func() {
			for range guarded.Stream(t.Context(), llmtest.Question()) {
				panic("the consumer's fault")
			}
		})
		_, err = say(t, guarded)
		require.NoError(t, err)
	})
}

func TestBreakerOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		model := llmtest.NewModel(llmtest.Fail(errQuota))
		guarded := llm.NewBreaker(llm.BreakerConfig{Failures: 1, On: func(err error) bool { return errors.Is(err, llm.ErrQuota) }}).LLM(model)
		_, err := say(t, guarded)
		require.ErrorIs(t, err, llm.ErrQuota)
		_, err = say(t, guarded)
		require.ErrorIs(t, err, llm.ErrOpen)
	})
}

func TestBreakerEmbedder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := llmtest.NewEmbedder(errDown, errDown)
		guarded := llm.NewBreaker(llm.BreakerConfig{Failures: 2}).Embedder(e)
		for range 2 {
			_, err := guarded.Embed(t.Context(), []string{"x"})
			require.ErrorIs(t, err, errDown)
		}
		_, err := guarded.Embed(t.Context(), []string{"x"})
		require.ErrorIs(t, err, llm.ErrOpen)
		time.Sleep(30 * time.Second)
		_, err = guarded.Embed(t.Context(), []string{"x"})
		require.NoError(t, err)
		require.Equal(t, 3, e.Calls())
	})
}
