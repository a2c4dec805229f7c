package llm_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/llm"
	"github.com/api-assistant/api-assistant/llm/llmtest"
)

func TestTimeout(t *testing.T) {
	slow := llmtest.Reply{Texts: []string{"a", "b", "c"}, Wait: 10 * time.Second, Pause: 5 * time.Second}
	for _, test := range []struct {
		name    string
		timeout llm.Timeout
		reply   llmtest.Reply
		text    string
		message string // of the error
		took    time.Duration
	}{
		{name: "in time", timeout: llm.Timeout{}, reply: slow, text: "abc", took: 20 * time.Second},
		{name: "hangs", timeout: llm.Timeout{}, reply: llmtest.Reply{Hang: true}, message: "nothing came for 1m0s", took: time.Minute},
		{name: "first token", timeout: llm.Timeout{FirstToken: 9 * time.Second}, reply: slow, message: "nothing came for 9s", took: 9 * time.Second},
		{name: "between tokens", timeout: llm.Timeout{BetweenTokens: 4 * time.Second}, reply: slow, text: "a", message: "nothing came for 4s", took: 14 * time.Second},
		{name: "before the end", timeout: llm.Timeout{}, reply: llmtest.Reply{Texts: []string{"a"}, Stall: true}, text: "a",
			message: "nothing came for 30s", took: 30 * time.Second},
		{name: "total", timeout: llm.Timeout{Total: 16 * time.Second}, reply: slow, text: "ab",
			message: "the answer was not complete after 16s", took: 16 * time.Second},
		{name: "no limits", timeout: llm.Timeout{FirstToken: -1, BetweenTokens: -1},
			reply: llmtest.Reply{Texts: []string{"a", "b"}, Wait: time.Hour, Pause: time.Hour}, text: "ab", took: 2 * time.Hour},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				text, err := say(t, test.timeout.LLM(llmtest.NewModel(test.reply)))
				require.Equal(t, test.text, text)
				require.Equal(t, test.took, time.Since(start))
				if test.message == "" {
					require.NoError(t, err)
					return
				}
				require.ErrorIs(t, err, llm.ErrTimeout)
				require.EqualError(t, err, "llm: the model took too long: "+test.message)
				require.NotErrorIs(t, err, context.Canceled, "it was not the caller who went away")
			})
		})
	}
}

func TestTimeoutLeavesOtherErrorsAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, err := say(t, llm.Timeout{}.LLM(llmtest.NewModel(llmtest.Fail(errQuota))))
		require.ErrorIs(t, err, llm.ErrQuota)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, _, err = llmtest.Collect(t, llm.Timeout{}.LLM(llmtest.NewModel(llmtest.Reply{Hang: true})).Stream(ctx, llmtest.Question()))
		require.Equal(t, context.DeadlineExceeded, err)
	})
}

func TestTimeoutDoesNotCountTheConsumer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		model := llm.Timeout{FirstToken: time.Second, BetweenTokens: time.Second}.LLM(llmtest.NewModel(llmtest.Say("a", "b", "c")))
		for _, err := range model.Stream(t.Context(), llmtest.Question()) {
			require.NoError(t, err)
			time.Sleep(time.Hour)
		}
	})
}

// stuck is an embedder that waits for the end of the context.
type stuck struct{ llm.Embedder }

func (stuck) Embed(ctx context.Context, _ []string) ([][]float32, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestTimeoutEmbedder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		_, err := llm.Timeout{FirstToken: 5 * time.Second}.Embedder(stuck{llmtest.NewEmbedder()}).Embed(t.Context(), []string{"a"})
		require.ErrorIs(t, err, llm.ErrTimeout)
		require.Equal(t, 5*time.Second, time.Since(start))
		vectors, err := llm.Timeout{}.Embedder(llmtest.NewEmbedder()).Embed(t.Context(), []string{"a"})
		require.NoError(t, err)
		require.Len(t, vectors, 1)
	})
}
