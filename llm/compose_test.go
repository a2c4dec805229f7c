package llm_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/llm"
	"github.com/api-assistant/api-assistant/llm/llmtest"
)

func ExampleChain() {
	unsteady := llmtest.NewModel(
		llmtest.Fail(&llm.Error{Provider: "example", Status: 503, Kind: llm.ErrUnavailable}),
		llmtest.Say("All is ", "well."),
	)
	model := llm.Chain(unsteady, // outermost first
		llm.Observe(func(_ context.Context, c llm.Call) {
			fmt.Println("observed:", c.Operation, c.Model, c.Usage.CompletionTokens, c.Err)
		}).LLM,
		llm.NewBreaker(llm.BreakerConfig{}).LLM,
		llm.Retry{Base: time.Millisecond}.LLM,
		llm.NewRateLimit(llm.RateLimitConfig{PerMinute: 30}).LLM,
		llm.Timeout{FirstToken: 20 * time.Second}.LLM,
	)
	answer, err := llm.Generate(context.Background(), model, llm.Request{
		Messages: []llm.Message{{Speaker: llm.User, Content: "How are you?"}},
	})
	fmt.Println(answer.Text, err)
	// Output:
	// observed: chat scripted 2 <nil>
	// All is well. <nil>
}

func ExampleRoute() {
	model := llm.Route{
		llm.RoleGeneral: llmtest.NewModel(llmtest.Say("a talker")),
		llm.RoleCode:    llmtest.NewModel(llmtest.Say("a coder")),
	}
	for _, role := range []llm.Role{llm.RoleCode, llm.RoleReasoning} {
		answer, err := llm.Generate(context.Background(), model, llm.Request{Role: role})
		fmt.Println(role, "→", answer.Text, err)
	}
	// Output:
	// code → a coder <nil>
	// reasoning → a talker <nil>
}

// TestDecoratorsConform runs the suite on each decorator, and on all together.
func TestDecoratorsConform(t *testing.T) {
	answer := llmtest.Say("GET ", "/orders", " lists them")
	decorators := map[string]llm.Decorator{
		"Retry":     llm.Retry{Restart: true}.LLM,
		"Timeout":   llm.Timeout{Total: time.Minute}.LLM,
		"RateLimit": llm.NewRateLimit(llm.RateLimitConfig{PerMinute: 100_000}).LLM,
		"Breaker":   llm.NewBreaker(llm.BreakerConfig{}).LLM,
		"Observe":   llm.Log(nil).LLM,
		"Fallback":  func(m llm.LLM) llm.LLM { return llm.Fallback(m, m) },
		"Route":     func(m llm.LLM) llm.LLM { return llm.Route{llm.RoleGeneral: m} },
	}
	all := llm.LLM(llmtest.NewModel(answer))
	for name, wrap := range decorators {
		t.Run(name, func(t *testing.T) {
			llmtest.Run(t, func(*testing.T) llm.LLM { return wrap(llmtest.NewModel(answer)) })
		})
		all = wrap(all)
	}
	t.Run("All", func(t *testing.T) { llmtest.Run(t, func(*testing.T) llm.LLM { return all }) })
	t.Run("Embedders", func(t *testing.T) {
		llmtest.RunEmbedder(t, func(t *testing.T) llm.Embedder {
			e, err := llm.FallbackEmbedder(llmtest.NewEmbedder(), llmtest.NewEmbedder())
			require.NoError(t, err)
			return llm.ChainEmbedder(e, llm.Log(nil).Embedder, llm.NewBreaker(llm.BreakerConfig{}).Embedder, llm.Retry{}.Embedder,
				llm.NewRateLimit(llm.RateLimitConfig{}).Embedder, llm.Timeout{}.Embedder)
		})
	})
}

func TestFallback(t *testing.T) {
	bad, broken, good := llmtest.NewModel(llmtest.Fail(errQuota)), llmtest.NewModel(llmtest.Fail(errDown, "half")), llmtest.NewModel(llmtest.Say("well"))
	text, err := say(t, llm.Fallback(bad, good))
	require.NoError(t, err)
	require.Equal(t, "well", text)

	text, err = say(t, llm.Fallback(bad, broken, good))
	require.ErrorIs(t, err, llm.ErrUnavailable, "text cannot be taken back")
	require.Equal(t, "half", text)

	_, err = say(t, llm.Fallback(bad, llmtest.NewModel(llmtest.Fail(errDown))))
	require.ErrorIs(t, err, llm.ErrQuota)
	require.ErrorIs(t, err, llm.ErrUnavailable)

	_, err = say(t, llm.Fallback())
	require.ErrorIs(t, err, llm.ErrInvalid)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	calls := len(good.Calls())
	_, _, err = llmtest.Collect(t, llm.Fallback(bad, good).Stream(ctx, llmtest.Question()))
	require.ErrorIs(t, err, context.Canceled)
	require.Len(t, good.Calls(), calls)
}

// renamed is an embedder under another name.
type renamed struct {
	llm.Embedder
	name       string
	dimensions int
}

func (r renamed) Name() string    { return r.name }
func (r renamed) Dimensions() int { return r.dimensions }

func TestFallbackEmbedder(t *testing.T) {
	second := llmtest.NewEmbedder()
	e, err := llm.FallbackEmbedder(llmtest.NewEmbedder(errDown), second)
	require.NoError(t, err)
	vectors, err := e.Embed(t.Context(), []string{"x"})
	require.NoError(t, err)
	require.Len(t, vectors, 1)
	require.Equal(t, 1, second.Calls())
	e, err = llm.FallbackEmbedder(llmtest.NewEmbedder(errDown), llmtest.NewEmbedder(errQuota))
	require.NoError(t, err)
	_, err = e.Embed(t.Context(), []string{"x"})
	require.ErrorIs(t, err, errDown)
	require.ErrorIs(t, err, errQuota)

	_, err = llm.FallbackEmbedder(second, renamed{second, "another", second.Dimensions()})
	require.ErrorContains(t, err, "cannot be mixed")
	_, err = llm.FallbackEmbedder(second, renamed{second, second.Name(), 7})
	require.ErrorContains(t, err, "dimensions")
}

func TestRouteWithoutAModel(t *testing.T) {
	_, err := say(t, llm.Route{llm.RoleCode: llmtest.NewModel()})
	require.ErrorIs(t, err, llm.ErrInvalid)
}

func TestObserve(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls []llm.Call
		observe := llm.Observe(func(_ context.Context, c llm.Call) { calls = append(calls, c) })
		reply := llmtest.Reply{Texts: []string{"", "a", "b"}, Wait: time.Second, Pause: 2 * time.Second, Usage: &llm.Usage{PromptTokens: 3, CompletionTokens: 2}}
		model := observe.LLM(llmtest.NewModel(reply, llmtest.Fail(errDown, "a"), reply))
		for range 2 {
			_, _, err := llmtest.Collect(t, model.Stream(t.Context(), llm.Request{Role: llm.RoleCode}))
			_ = err
		}
		for chunk := range model.Stream(t.Context(), llm.Request{}) {
			if chunk.Text != "" {
				break
			}
		}
		_, err := observe.Embedder(llmtest.NewEmbedder()).Embed(t.Context(), []string{"x", "y"})
		require.NoError(t, err)
		require.Len(t, calls, 4)
		whole := calls[0]
		require.Equal(t, "chat", whole.Operation)
		require.Equal(t, "scripted", whole.Model)
		require.Equal(t, llm.RoleCode, whole.Role)
		require.Equal(t, 3*time.Second, whole.FirstToken, "text, not a sign of life")
		require.Equal(t, 5*time.Second, whole.Duration)
		require.Equal(t, 2, whole.Chunks)
		require.Equal(t, llm.Usage{PromptTokens: 3, CompletionTokens: 2}, whole.Usage)
		require.Equal(t, llm.FinishStop, whole.FinishReason)
		require.NoError(t, whole.Err)
		require.False(t, whole.Stopped)
		require.ErrorIs(t, calls[1].Err, llm.ErrUnavailable)
		require.True(t, calls[2].Stopped)
		require.Equal(t, "embed", calls[3].Operation)
		require.Equal(t, 2, calls[3].Chunks)
	})
}

func TestLog(t *testing.T) {
	var out bytes.Buffer
	observe := llm.Log(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug})))
	_, err := say(t, observe.LLM(llmtest.NewModel(llmtest.Say("the secret answer"))))
	require.NoError(t, err)
	_, err = say(t, observe.LLM(llmtest.NewModel(llmtest.Fail(errDown))))
	require.Error(t, err)
	require.Contains(t, out.String(), "level=DEBUG")
	require.Contains(t, out.String(), "level=WARN")
	require.Contains(t, out.String(), "status 503")
	require.NotContains(t, out.String(), "secret")
	require.NotContains(t, out.String(), "orders", "nothing of the request")
	require.Equal(t, 2, strings.Count(out.String(), "\n"))
}
