package assistant_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/assistant"
	"github.com/api-assistant/api-assistant/assistant/apispec"
	"github.com/api-assistant/api-assistant/llm"
	"github.com/api-assistant/api-assistant/llm/llmtest"
)

const wrong = "Use `DELETE /orders/cancel/now/please` [1] and `PATCH /orders` [1]."

func TestRepair(t *testing.T) {
	broken := errors.New("the line broke")
	long := llmtest.Say("Use `DELETE /orders/{order_id}` [1]")
	long.Finish = llm.FinishLength
	tests := []struct {
		name     string
		second   llmtest.Reply
		config   assistant.Config
		calls    int
		repaired bool
		left     int
	}{
		{"all repaired", llmtest.Say("Use `DELETE /orders/{order_id}` [1]."), assistant.Config{}, 2, true, 0},
		{"some repaired, the rest stands in the report", llmtest.Say("Use `DELETE /orders/{order_id}` or PATCH /orders [1]."), assistant.Config{}, 2, true, 1},
		{"no better", llmtest.Say("Use `DELETE /cancel` [1] and `PATCH /orders` [1]."), assistant.Config{}, 2, false, 2},
		{"better, but cites nothing", llmtest.Say("I do not know."), assistant.Config{}, 2, false, 2},
		{"half an answer", long, assistant.Config{}, 2, false, 2},
		{"an error", llmtest.Fail(broken), assistant.Config{}, 2, false, 2},
		{"nothing", llmtest.Say(), assistant.Config{}, 2, false, 2},
		{"off", llmtest.Reply{}, assistant.Config{NoRepair: true}, 1, false, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			model := llmtest.NewModel(llmtest.Say(wrong), tt.second)
			tt.config.LLM = model
			a := newAssistant(t, tt.config)
			ingestSample(t, a)
			var deltas strings.Builder
			var last []string
			var answer assistant.Answer
			var report assistant.Verification
			for e, err := range a.Stream(t.Context(), assistant.Question{Text: "How do I cancel an order?"}) {
				require.NoError(t, err)
				deltas.WriteString(e.Delta)
				switch {
				case e.Verification != nil:
					last = append(last, "verification")
					report = *e.Verification
				case e.Done != nil:
					last = append(last, "done")
					answer = *e.Done
				}
			}
			require.Equal(t, []string{"verification", "done"}, last)
			require.Equal(t, wrong, deltas.String(), "what was said cannot be taken back")
			require.Equal(t, report, answer.Verification)
			require.Len(t, model.Calls(), tt.calls)
			require.Equal(t, tt.repaired, answer.Repaired)
			require.Equal(t, !tt.repaired, answer.Text == wrong)
			require.True(t, answer.Grounded)
			left := 0
			for _, e := range answer.Verification.Endpoints {
				if e.Status == apispec.UnknownPath || e.Status == apispec.WrongMethod {
					left++
				}
			}
			require.Equal(t, tt.left, left)
			if tt.calls < 2 {
				return
			}
			first, second := model.Calls()[0].Request, model.Calls()[1].Request
			require.Equal(t, first.Messages, second.Messages[:len(first.Messages)])
			require.Equal(t, llm.Message{Speaker: llm.Assistant, Content: wrong}, second.Messages[len(first.Messages)])
			evidence := second.Messages[len(first.Messages)+1]
			require.Equal(t, llm.User, evidence.Speaker)
			require.Contains(t, evidence.Content, "`DELETE /orders/{order_id}`", "the nearest real operation")
			require.Contains(t, evidence.Content, "PATCH /orders")
			require.Less(t, assistant.Tokens(evidence.Content), 2000)
			require.Positive(t, second.MaxTokens)
		})
	}
}

func TestRepairStopsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	model := llmtest.NewModel(llmtest.Say(wrong), llmtest.Reply{Hang: true})
	a := newAssistant(t, assistant.Config{LLM: model})
	ingestSample(t, a)
	go func() {
		for len(model.Calls()) < 2 {
			if ctx.Err() != nil {
				return
			}
			time.Sleep(time.Millisecond)
		}
		cancel()
	}()
	_, err := a.Ask(ctx, assistant.Question{Text: "How do I cancel an order?"})
	cancel()
	require.ErrorIs(t, err, context.Canceled)
}

// TestOfflineIsNotRepaired: quotations have nothing to be repaired by.
func TestOfflineIsNotRepaired(t *testing.T) {
	a := newAssistant(t, assistant.Config{})
	_, err := a.Ingest(t.Context(), assistant.File{Name: "notes.md", Content: strings.NewReader("# Zebras\nUse `GET /zebras` for zebras.")})
	require.NoError(t, err)
	ingestSample(t, a)
	answer, err := a.Ask(t.Context(), assistant.Question{Text: "zebras"})
	require.NoError(t, err)
	require.False(t, answer.Repaired)
	require.Equal(t, apispec.UnknownPath, answer.Verification.Endpoints[0].Status, "and what is wrong is marked")
}
